//! InfluxQL from the client to the dev server and back.
#![cfg(feature = "query")]

use influxdb3_blocking::arrow_schema::DataType;
use influxdb3_blocking::{Client, Error, ErrorKind, Language, Row, Table, Timestamp};
use influxdb3_dev_server::{Answer, DevServer};

const LINES: &str = "\
home,room=Kitchen temp=20,hum=30i 0
home,room=Kitchen temp=22 60000000000
home,room=Bath temp=24.5,hum=50i 60000000000
home,room=Bath open=true 150000000000";

fn start() -> (DevServer, Client) {
    let server = DevServer::start().unwrap();
    let client = Client::builder().host(server.url()).database("db").build().unwrap();
    client.write(LINES).send().unwrap();
    (server, client)
}

fn ask(client: &Client, text: &str) -> Result<Table, Error> {
    client.query(text).language(Language::InfluxQl).table()
}

/// The rows, cell by cell as text; times are whole seconds.
fn rows(table: &Table) -> Vec<String> {
    let schema = table.schema();
    let cell = |row: Row<'_>, n: usize| -> Option<String> {
        match schema.field(n).data_type() {
            DataType::Timestamp(..) => {
                let time = row.get::<Option<Timestamp>>(n).unwrap()?;
                Some((time.as_nanos() / 1_000_000_000).to_string())
            }
            DataType::Float64 => row.get::<Option<f64>>(n).unwrap().map(|v| v.to_string()),
            DataType::Int64 => row.get::<Option<i64>>(n).unwrap().map(|v| v.to_string()),
            _ => row.get::<Option<String>>(n).unwrap(),
        }
    };
    let text = |row: Row<'_>| {
        let cells: Vec<String> = (0..table.num_columns())
            .map(|n| cell(row, n).unwrap_or_else(|| "-".to_owned()))
            .collect();
        cells.join(" ")
    };
    table.rows().map(text).collect()
}

fn columns(table: &Table) -> Vec<String> {
    table.schema().fields().iter().map(|field| field.name().clone()).collect()
}

#[test]
fn the_measurement_is_the_first_column_the_time_the_second_and_tags_come_before_values() {
    let (_server, client) = start();
    let table = ask(&client, "SELECT temp, hum FROM home GROUP BY room").unwrap();
    assert_eq!(columns(&table), ["iox::measurement", "time", "room", "temp", "hum"]);
    let expected = ["home 60 Bath 24.5 50", "home 0 Kitchen 20 30", "home 60 Kitchen 22 -"];
    assert_eq!(rows(&table), expected);
    let schema = table.schema();
    let group_key = &schema.metadata()["iox::influxql::group_key::metadata"];
    assert_eq!(group_key, "{\"tagKeyColumns\":[{\"tagKey\":\"room\",\"columnIndex\":2}]}");
}

#[test]
fn spans_without_rows_are_filled_and_limits_count_in_each_series() {
    let (_server, client) = start();
    let within = "FROM home WHERE time >= 0 AND time < 180s GROUP BY time(1m), room";
    let table = ask(&client, &format!("SELECT MEAN(temp), COUNT(temp) {within}")).unwrap();
    let expected = [
        "home 0 Bath - 0",
        "home 60 Bath 24.5 1",
        "home 120 Bath - 0",
        "home 0 Kitchen 20 1",
        "home 60 Kitchen 22 1",
        "home 120 Kitchen - 0",
    ];
    assert_eq!(rows(&table), expected);
    let filled = "FILL(previous) ORDER BY time DESC LIMIT 2";
    let table = ask(&client, &format!("SELECT MEAN(temp) {within} {filled}")).unwrap();
    let expected =
        ["home 120 Bath 24.5", "home 60 Bath 24.5", "home 120 Kitchen 22", "home 60 Kitchen 22"];
    assert_eq!(rows(&table), expected);
}

#[test]
fn parameters_stand_for_values_over_flight_and_over_http() {
    let (_server, client) = start();
    for over_http in [false, true] {
        let query = client
            .query("SELECT temp FROM home WHERE room = $room AND time > $time")
            .language(Language::InfluxQl)
            .param("room", "Kitchen")
            .param("time", "1970-01-01T00:00:00Z");
        let table = query.over_http(over_http).table().unwrap();
        assert_eq!(rows(&table), ["home 60 22"], "{over_http}");
    }
}

#[test]
fn what_a_database_holds_is_shown() {
    let (_server, client) = start();
    for (text, expected) in [
        ("SHOW MEASUREMENTS", vec!["measurements home"]),
        ("SHOW TAG KEYS", vec!["home room"]),
        (
            "SHOW FIELD KEYS FROM home",
            vec!["home hum integer", "home open boolean", "home temp float"],
        ),
        (
            "SHOW TAG VALUES WITH KEY = room WHERE time >= 0",
            vec!["home room Bath", "home room Kitchen"],
        ),
        // Those of the last day.
        ("SHOW TAG VALUES WITH KEY = room", vec![]),
    ] {
        assert_eq!(rows(&ask(&client, text).unwrap()), expected, "{text}");
    }
}

#[test]
fn what_cannot_be_asked_is_the_fault_of_the_query_or_said_to_be_the_dev_servers() {
    let (_server, client) = start();
    for (text, part) in [
        ("SELEC temp FROM home", "invalid InfluxQL statement at pos 0"),
        ("SELECT MEAN(room) FROM home", "iox::column_type::tag"),
        ("SELECT MEAN(temp), hum FROM home", "mixing aggregate and non-aggregate columns"),
        ("SELECT temp FROM home GROUP BY time(1m)", "requires at least one aggregate function"),
        ("SELECT temp FROM home WHERE room = $room", "its value is undefined"),
        (
            "SELECT DERIVATIVE(temp) FROM home",
            "the dev server's InfluxQL has no function DERIVATIVE",
        ),
        (
            "SELECT temp FROM (SELECT temp FROM home)",
            "the dev server's InfluxQL has no queries below",
        ),
    ] {
        let error = ask(&client, text).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Query, "{text}: {error}");
        assert!(error.to_string().contains(part), "{text}: {error}");
    }
}

#[test]
fn queries_get_the_answers_that_the_test_has_told_the_server() {
    let (server, client) = start();
    server.answer_queries(1, Answer::status(503).body("later"));
    let error = ask(&client, "SHOW MEASUREMENTS").unwrap_err();
    assert!(error.is_retryable() && error.to_string().contains("later"), "{error}");
    server.answer_queries(1, Answer::status(401));
    assert_eq!(ask(&client, "SHOW TAG KEYS").unwrap_err().kind(), ErrorKind::Unauthorized);
    assert_eq!(ask(&client, "SHOW TAG KEYS").unwrap().num_rows(), 1);
}
