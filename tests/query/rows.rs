//! Rows as values: recorded answers of a real server as points, as structs, as text.
#![cfg(feature = "query")]

use std::sync::Arc;

use crate::support::flight::{FlightServer, Step, ok};
use base64::Engine as _;
use influxdb3_blocking::arrow_array::{
    ArrayRef, Float64Array, NullArray, RecordBatch, TimestampNanosecondArray,
};
use influxdb3_blocking::arrow_schema::{DataType, Field, Schema, TimeUnit};
use influxdb3_blocking::{Client, ColumnKind, ErrorKind, Point, Precision, Rows, Table, Timestamp};

/// A server that gives a recorded answer.
fn replay(name: &str) -> (FlightServer, Client) {
    let base64 = base64::engine::general_purpose::STANDARD;
    let case =
        crate::support::recorded("flight").into_iter().find(|case| case["name"] == name).unwrap();
    let messages = case["messages_base64"].as_array().unwrap().iter();
    let messages =
        messages.map(|message| Step::Message(base64.decode(message.as_str().unwrap()).unwrap()));
    let server =
        FlightServer::replay([Step::Head].into_iter().chain(messages).chain([ok()]).collect());
    let client = Client::builder().host(server.url()).database("sensors").build().unwrap();
    (server, client)
}

fn table(name: &str) -> Table {
    let (_server, client) = replay(name);
    client.query("SELECT 1").table().unwrap()
}

#[test]
fn kinds_are_what_the_server_says() {
    let table = table("sql: all columns");
    let schema = table.schema();
    let kinds: Vec<_> = schema.fields().iter().map(|field| ColumnKind::of(field)).collect();
    let names: Vec<_> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    assert_eq!(names, ["count", "hum", "note", "open", "room", "sensor", "temp", "time"]);
    let (tag, field) = (Some(ColumnKind::Tag), Some(ColumnKind::Field));
    assert_eq!(kinds, [field, field, field, field, tag, tag, field, Some(ColumnKind::Time)]);
}

#[test]
fn rows_become_the_points_they_were() {
    let table = table("sql: all columns");
    let lines: Vec<_> = table
        .rows()
        .map(|row| row.to_point("room").unwrap().to_line_protocol(Precision::Nanosecond).unwrap())
        .collect();
    assert_eq!(lines.len(), 12);
    assert_eq!(
        lines[3..6],
        [
            r#"room,room=Bed\,\=room,sensor=K002 count=1u,hum=31i,note="line \"1\"",open=true,temp=22.1 1700000001000000000"#,
            r#"room,room=Kitchen,sensor=K000 count=1u,hum=31i,note="line \"1\"",open=true,temp=20.1 1700000001000000000"#,
            r#"room,room=Living\ Room,sensor=K001 count=1u,hum=31i,note="line \"1\"",open=false,temp=21.1 1700000001000000000"#,
        ]
    );
}

#[test]
fn nulls_are_left_out_of_points() {
    let table = table("sql: nulls");
    let points: Vec<Point> = table.rows().map(|row| row.to_point("sparse").unwrap()).collect();
    let fields: Vec<usize> = points.iter().map(|point| point.fields().count()).collect();
    assert_eq!((table.num_columns(), fields), (6, vec![1, 1, 1]));
}

/// A point without a time would be written as of now.
#[test]
fn a_null_time_is_an_error_and_no_point_without_a_time() {
    let times = |values: Vec<Option<i64>>| {
        let times: ArrayRef = Arc::new(TimestampNanosecondArray::from(values));
        let temps: ArrayRef = Arc::new(Float64Array::from(vec![21.5, 22.5]));
        RecordBatch::try_from_iter_with_nullable([("time", times, true), ("temp", temps, true)])
    };
    let batch = times(vec![Some(7), None]).unwrap();
    let mut rows = Rows::new(&batch);
    let point = rows.next().unwrap().to_point("m").unwrap();
    assert_eq!(point.timestamp(), Some(Timestamp::nanos(7)));
    let error = rows.next().unwrap().to_point("m").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert!(error.to_string().contains("WHERE time IS NOT NULL"), "{error}");
    // `SELECT NULL AS time` has no type.
    let columns: [(&str, ArrayRef); 2] =
        [("time", Arc::new(NullArray::new(1))), ("temp", Arc::new(Float64Array::from(vec![1.0])))];
    let batch =
        RecordBatch::try_from_iter_with_nullable(columns.map(|(n, c)| (n, c, true))).unwrap();
    assert!(Rows::new(&batch).next().unwrap().to_point("m").is_err());
    // Where the server says which column is the time, its name does not matter.
    let kind = [("iox::column::type".to_owned(), "iox::column_type::timestamp".to_owned())];
    let field = Field::new("t", DataType::Timestamp(TimeUnit::Nanosecond, None), true);
    let schema = Arc::new(Schema::new(vec![field.with_metadata(kind.into())]));
    let times: ArrayRef = Arc::new(TimestampNanosecondArray::from(vec![None]));
    let batch = RecordBatch::try_new(schema, vec![times]).unwrap();
    let error = Rows::new(&batch).next().unwrap().to_point("m").unwrap_err();
    assert!(error.to_string().contains("\"t\""), "{error}");
}

#[test]
fn an_answer_of_influxql_names_its_measurement() {
    let table = table("influxql: select");
    for row in table.rows() {
        let point = row.to_point(row.get::<&str>("iox::measurement").unwrap()).unwrap();
        assert_eq!(point.measurement(), "room");
        assert!(point.timestamp().is_some());
        assert!(point.fields().all(|(key, _)| key == "temp" || key == "hum"));
    }
}

#[test]
fn what_no_field_can_hold_is_named() {
    let error = table("sql: many types").rows().next().unwrap().to_point("m").unwrap_err();
    assert!(error.to_string().contains("\"d\" (Decimal128(10, 2))"), "{error}");
}

#[test]
fn timestamps_are_read_as_what_is_wanted() {
    let table = table("sql: all columns");
    let row = table.rows().next().unwrap();
    let nanos: i64 = row.get("time").unwrap();
    assert_eq!(row.get::<Timestamp>("time").unwrap(), Timestamp::nanos(nanos));
    assert_eq!(row.get::<std::time::SystemTime>("time").unwrap(), {
        std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_nanos(nanos.unsigned_abs())
    });
}

#[cfg(feature = "serde")]
mod typed {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    struct Home {
        room: Room,
        temp: Option<f64>,
        #[serde(default)]
        missing: u8,
        time: Timestamp,
    }

    #[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
    enum Room {
        Kitchen,
        #[serde(rename = "Living Room")]
        Lounge,
        #[serde(other)]
        Other,
    }

    #[test]
    fn rows_become_structs_as_they_come() {
        let (_server, client) = replay("sql: all columns");
        let rows = client.query("SELECT 1").rows::<Home>().unwrap();
        assert_eq!(rows.schema().fields().len(), 8);
        let rows: Vec<Home> = rows.collect::<Result<_, _>>().unwrap();
        let table = client.query("SELECT 1").table().unwrap();
        assert_eq!(rows.len(), table.num_rows());
        for (home, row) in rows.iter().zip(table.rows()) {
            assert_eq!((home.temp, home.missing), (row.get("temp").unwrap(), 0));
            assert_eq!(home.time, row.get("time").unwrap());
            let room = match row.get("room").unwrap() {
                "Kitchen" => Room::Kitchen,
                "Living Room" => Room::Lounge,
                _ => Room::Other,
            };
            assert_eq!(home.room, room);
        }
    }

    #[test]
    fn rows_borrow_from_their_table() {
        #[derive(Deserialize)]
        struct Borrowed<'a> {
            room: &'a str,
        }
        let table = table("sql: all columns");
        for row in table.rows() {
            assert_eq!(
                row.deserialize::<Borrowed<'_>>().unwrap().room,
                row.get::<&str>("room").unwrap()
            );
        }
    }

    #[test]
    fn rows_become_maps_tuples_and_values() {
        let table = table("sql: one value");
        let row = table.rows().next().unwrap();
        let tuple: (i64, String, bool, f64, Option<u8>) = row.deserialize().unwrap();
        assert_eq!(tuple, (1, "x".into(), true, 1.5, None));
        let map: BTreeMap<String, serde_json::Value> = row.deserialize().unwrap();
        assert_eq!(
            serde_json::to_string(&map).unwrap(),
            r#"{"b":true,"f":1.5,"n":null,"one":1,"s":"x"}"#
        );
    }

    #[test]
    fn what_does_not_fit_names_the_column_and_the_next_row_may_fit() {
        #[derive(Debug, Deserialize)]
        struct Wrong {
            #[allow(dead_code)]
            room: f64,
        }
        let (_server, client) = replay("sql: all columns");
        let error = client.query("SELECT 1").rows::<Wrong>().unwrap().next().unwrap().unwrap_err();
        let text = error.to_string();
        assert!(text.contains("\"room\" (Utf8)") && text.contains("f64"), "{text}");
        let rows = client.query("SELECT 1").rows::<Wrong>().unwrap();
        assert!(rows.count() > 1);
        #[derive(Debug, Deserialize)]
        struct Absent {
            #[allow(dead_code)]
            absent: f64,
        }
        let error =
            table("sql: one value").rows().next().unwrap().deserialize::<Absent>().unwrap_err();
        assert!(error.to_string().contains("absent"), "{error}");
    }

    #[test]
    fn times_are_text_where_text_is_wanted_and_decimals_are_numbers() {
        #[derive(Deserialize)]
        struct Many {
            ts: String,
            d: f64,
        }
        let table = table("sql: many types");
        let many: Many = table.rows().next().unwrap().deserialize().unwrap();
        assert_eq!((many.ts.as_str(), many.d), ("2024-01-01T00:00:00Z", 1.23));
    }
}

#[cfg(feature = "pretty")]
#[test]
fn a_table_can_be_printed() {
    let text = table("sql: all columns").to_string();
    assert!(text.contains("| room") && text.contains("Kitchen"), "{text}");
}
