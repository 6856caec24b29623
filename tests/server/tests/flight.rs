//! Flight beyond the recorded answers.

mod support;

use std::time::Duration;

use arrow_flight::{FlightDescriptor, flight_service_client::FlightServiceClient};
use datafusion::arrow::{
    array::AsArray,
    datatypes::{DataType, Int64Type},
};
use influxdb3_dev_server::DevServer;
use serde_json::{Value, json};
use support::{get, sql, write};
use tonic::{Code, transport::Endpoint};

fn start() -> DevServer {
    let server = DevServer::start().unwrap();
    write(&server, "db", "m,t=a f=1,i=1i,s=\"x\" 1\nm,t=b f=2,i=2i,s=\"y\" 2");
    server
}

fn with_params(server: &DevServer, query: &str, params: Value) -> support::Messages {
    let ticket = json!({"database": "db", "sql_query": query, "params": params}).to_string();
    get(server, ticket, &[])
}

#[test]
fn parameters_by_name_and_by_number_take_the_type_of_the_column() {
    let server = start();
    for (query, params) in [
        ("SELECT i FROM m WHERE t = $tag", json!({"tag": "a", "unused": 1})),
        ("SELECT i FROM m WHERE i = $1", json!({"1": 1})),
        ("SELECT i FROM m WHERE i = $i", json!({"i": "1"})),
        ("SELECT i FROM m WHERE f = $f", json!({"f": 1.0})),
        ("SELECT i FROM m WHERE time < $t", json!({"t": "1970-01-01T00:00:00.000000002Z"})),
        ("SELECT i FROM m ORDER BY time LIMIT $n", json!({"n": 1})),
        ("SELECT i FROM m WHERE (s = 'x') = $b", json!({"b": true})),
        ("SELECT i FROM m WHERE $n IS NULL AND i = 1", json!({"n": null})),
    ] {
        let batches = with_params(&server, query, params).batches();
        assert_eq!(batches.len(), 1, "{query}");
        assert_eq!(batches[0]["i"].as_primitive::<Int64Type>().values(), &[1], "{query}");
    }
}

#[test]
fn parameters_alone_keep_the_types_of_json() {
    let server = start();
    let params = json!({"s": "x", "u": 42, "i": -1, "f": 1.5, "b": true, "n": null});
    let query = "SELECT $s AS s, $u AS u, $i AS i, $f AS f, $b AS b, $n AS n";
    let schema = with_params(&server, query, params).schema();
    let types: Vec<_> = schema.fields().iter().map(|f| f.data_type().clone()).collect();
    use DataType::{Boolean, Float64, Int64, Null, UInt64, Utf8};
    assert_eq!(types, [Utf8, UInt64, Int64, Float64, Boolean, Null]);
}

#[test]
fn no_rows_are_a_schema_and_nothing_else() {
    let server = start();
    support::post(&server, "/api/v3/write_lp?db=db", "refused f=1,time=1");
    for query in [
        "SELECT * FROM m WHERE f > 100",
        "SELECT * FROM m WHERE false",
        "SELECT * FROM m WHERE f > 100 ORDER BY time LIMIT 1",
        "SELECT * FROM refused",
    ] {
        assert_eq!(sql(&server, "db", query).messages.len(), 1, "{query}");
    }
}

#[test]
fn other_names_of_the_database_and_keys_that_mean_nothing() {
    let server = start();
    for key in ["database", "namespace_name", "bucket", "bucket-name"] {
        let ticket = json!({key: "db", "sql_query": "SELECT 1", "is_debug": true, "x": []});
        assert_eq!(get(&server, ticket.to_string(), &[]).code().0, Code::Ok, "{key}");
    }
    let (code, message) =
        (Code::Internal, "Cannot retrieve database: External error: database not found");
    assert_eq!(get(&server, "", &[]).code(), (code, message));
}

#[test]
fn authorization_is_lenient_and_comes_after_the_ticket() {
    let server = DevServer::builder().token("secret").start().unwrap();
    let token = [("authorization", "Bearer secret")];
    support::http(&server, "POST", "/api/v3/write_lp?db=db", &token, b"m f=1").unwrap();
    let ticket = json!({"database": "db", "sql_query": "SELECT 1"}).to_string();
    for (header, code) in [
        ("Bearer secret", Code::Ok),
        ("Token secret", Code::Ok),
        ("Basic OnNlY3JldA==", Code::Ok),
        ("bearer secret", Code::Unauthenticated),
        ("secret", Code::Unauthenticated),
    ] {
        let answer = get(&server, ticket.clone(), &[("authorization", header)]);
        assert_eq!(answer.code().0, code, "{header}");
    }
    assert_eq!(get(&server, "no ticket", &[]).code().0, Code::InvalidArgument);
}

#[test]
fn a_slow_query_is_kept_alive_by_batches_without_rows() {
    let server =
        DevServer::builder().keep_alive_interval(Duration::from_millis(1)).start().unwrap();
    write(&server, "db", "m f=1 1");
    let query = "SELECT count(*) AS n FROM generate_series(1, 3000) a, generate_series(1, 3000) b \
                 WHERE a.value + b.value > 10";
    let batches = sql(&server, "db", query).batches();
    let (empty, full): (Vec<_>, Vec<_>) = batches.iter().partition(|b| b.num_rows() == 0);
    assert!(!empty.is_empty(), "nothing came in between");
    assert_eq!(full.len(), 1);
    assert!(full[0]["n"].as_primitive::<Int64Type>().value(0) > 8_000_000);
}

#[test]
fn one_row_can_be_more_than_four_megabytes() {
    let server = DevServer::start().unwrap();
    let text = "x".repeat(60 * 1024);
    let fields: Vec<String> = (0..100).map(|n| format!("s{n}=\"{text}\"")).collect();
    write(&server, "db", &format!("m {} 1", fields.join(",")));
    let messages = sql(&server, "db", "SELECT * FROM m");
    assert_eq!(messages.messages.len(), 2);
    assert!(messages.messages[1].data_body.len() > 6_000_000);
}

#[test]
fn big_results_come_in_messages_of_two_megabytes() {
    let server = DevServer::start().unwrap();
    let text = "x".repeat(1000);
    let lines: String = (0..8000).map(|n| format!("m s=\"{text}\" {n}\n")).collect();
    write(&server, "db", &lines);
    let messages = sql(&server, "db", "SELECT * FROM m");
    assert!(messages.messages.len() > 4, "{}", messages.messages.len());
    assert!(messages.messages.iter().all(|m| m.data_body.len() < 3 << 20));
    assert_eq!(messages.batches().iter().map(|b| b.num_rows()).sum::<usize>(), 8000);
}

#[test]
fn information_schema_and_show_tables() {
    let server = start();
    write(&server, "db", "Other f=1 1");
    let batches = sql(
        &server,
        "db",
        "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = 'm' \
         AND column_name = 't'",
    )
    .batches();
    assert_eq!(batches[0]["data_type"].as_string::<i32>().value(0), "Dictionary(Int32, Utf8)");
    let schema = sql(&server, "db", "SELECT t FROM m").schema();
    assert_eq!(schema.field(0).data_type(), &DataType::Utf8);
    let shown = sql(&server, "db", "SHOW TABLES").batches();
    assert!(
        shown
            .iter()
            .any(|b| { b["table_name"].as_string::<i32>().iter().any(|n| n == Some("Other")) })
    );
}

#[test]
fn influxql_is_honest() {
    let server = start();
    let ask = |query: &str| {
        let ticket = json!({"database": "db", "sql_query": query, "query_type": "influxql"});
        get(&server, ticket.to_string(), &[])
    };
    let shown = ask(" show measurements; ").batches();
    assert_eq!(shown[0]["name"].as_string::<i32>().value(0), "m");
    assert_eq!(ask("SELECT DERIVATIVE(f) FROM m").code().0, Code::Unimplemented);
}

#[test]
fn other_calls_and_other_services_are_unimplemented() {
    let server = start();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let channel = Endpoint::new(server.url()).unwrap().connect().await.unwrap();
        let mut client = FlightServiceClient::new(channel);
        let status = client.get_schema(FlightDescriptor::default()).await.unwrap_err();
        assert_eq!(status.code(), Code::Unimplemented);
        assert_eq!(status.message(), "Not yet implemented: get_schema");
        let status = client.get_flight_info(FlightDescriptor::default()).await.unwrap_err();
        assert_eq!(status.code(), Code::Unimplemented);

        let ticket = arrow_flight::Ticket { ticket: vec![b' '; 4_200_000].into() };
        let status = client.do_get(ticket).await.unwrap_err();
        assert_eq!(status.code(), Code::OutOfRange);
        assert!(status.message().contains("the limit is: 4194304 bytes"), "{status}");
    });
}
