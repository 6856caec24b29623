//! The recorded Flight answers of a real server, played against this one.

mod support;

use std::fmt::Write;

use arrow_flight::{FlightData, utils::flight_data_to_batches};
use base64::{Engine, prelude::BASE64_STANDARD};
use datafusion::arrow::{
    array::{Array, AsArray, RecordBatch},
    datatypes::{DataType, Float64Type, Int64Type, TimestampNanosecondType, UInt64Type},
};
use influxdb3_dev_server::DevServer;
use serde_json::Value;
use tonic::Code;

const CLAIMED: [&str; 32] = [
    "sql: all columns",
    "sql: nulls",
    "sql: empty result keeps its schema",
    "sql: one value",
    "sql: parameters",
    "sql: parameter missing",
    "sql: array parameter",
    "sql: aggregate",
    "sql: date_bin",
    "influxql: select",
    "influxql: show measurements",
    "influxql: show tag values",
    "influxql: group by",
    "influxql: parameter",
    "error: influxql syntax",
    "error: influxql, no such table gives an empty result",
    "error: no such table",
    "error: syntax",
    "error: no such database",
    "error: empty query",
    "error: unknown language",
    "error: ticket is not JSON",
    "error: ticket without database",
    "error: write by SQL",
    "error: DDL",
    "error: while running",
    "error: cast while running",
    "auth: bearer",
    "auth: none",
    "auth: wrong token",
    "auth: Token scheme",
    "header database as well",
];

#[test]
fn the_same_results_and_the_same_errors() {
    let cases = support::recorded("flight.json");
    let find = |name: &str| {
        cases.iter().find(|case| case["name"] == name).unwrap_or_else(|| panic!("{name}"))
    };
    let open = DevServer::start().unwrap();
    let closed = DevServer::builder().token("TOKEN").start().unwrap();
    let token = [("authorization", "Bearer TOKEN")];
    let lines = b"home f=1";
    support::http(&closed, "POST", "/api/v3/write_lp?db=wire", &token, lines).unwrap();
    // Without ORDER BY rows come as they were written; one recorded error shows that the last ones of
    // the sorted result, which the lines are taken from, were not the last ones there.
    let room = lines_of("room", &rows(find("sql: all columns")));
    let room: Vec<&str> = room.lines().rev().collect();
    support::write(&open, "wireq", &room.join("\n"));
    support::write(&open, "wireq", &lines_of("sparse", &rows(find("sql: nulls"))));
    support::write(&open, "wireq", "many f=1 1");

    for name in CLAIMED {
        let server = if name.starts_with("auth: ") { &closed } else { &open };
        play(server, name, find(name));
    }

    // Newer releases of DataFusion add a guess to this one.
    let ticket = find("error: no such column")["ticket"].as_str().unwrap();
    let answer = support::get(&open, ticket, &[]);
    let (code, message) = answer.code();
    assert_eq!(code, Code::InvalidArgument);
    assert!(message.contains("Schema error: No field named nope."), "{message}");
}

fn play(server: &DevServer, name: &str, case: &Value) {
    let metadata: Vec<(&str, &str)> = case["metadata"]
        .as_array()
        .unwrap()
        .iter()
        .map(|pair| (pair[0].as_str().unwrap(), pair[1].as_str().unwrap()))
        .collect();
    let answer = support::get(server, case["ticket"].as_str().unwrap(), &metadata);
    let (code, message) = answer.code();
    assert_eq!(message, case["status"]["message"].as_str().unwrap(), "{name}");
    assert_eq!(code_name(code), case["status"]["code"], "{name}");

    let expected = messages(case);
    assert_eq!(answer.messages.is_empty(), expected.is_empty(), "{name}");
    if !expected.is_empty() {
        let mut schema = support::schema(&expected);
        if !case["ticket"].as_str().unwrap().contains("\"influxql\"") {
            // An empty relation shows metadata of the table in the real server: no promise of anybody.
            schema.metadata.clear();
        }
        assert_eq!(answer.schema(), schema, "{name}");
        let batches = flight_data_to_batches(&answer.messages).unwrap();
        assert_eq!(batches, flight_data_to_batches(&expected).unwrap(), "{name}");
    }
}

/// The messages of a recorded answer. They are protobuf, of which two fields matter: the header
/// and the body of an Arrow message.
fn messages(case: &Value) -> Vec<FlightData> {
    let decode = |message: &Value| {
        let bytes = BASE64_STANDARD.decode(message.as_str().unwrap()).unwrap();
        let mut data = FlightData::default();
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            let key = varint(&mut rest);
            assert_eq!(key & 7, 2, "only fields with a length are expected");
            let len = varint(&mut rest);
            let (value, after) = rest.split_at(len);
            rest = after;
            match key >> 3 {
                2 => data.data_header = value.to_vec().into(),
                1000 => data.data_body = value.to_vec().into(),
                field => panic!("field {field}"),
            }
        }
        data
    };
    case["messages_base64"].as_array().unwrap().iter().map(decode).collect()
}

fn varint(bytes: &mut &[u8]) -> usize {
    let mut value = 0;
    for shift in (0..).step_by(7) {
        let (byte, rest) = bytes.split_first().unwrap();
        *bytes = rest;
        value |= usize::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            break;
        }
    }
    value
}

fn rows(case: &Value) -> Vec<RecordBatch> {
    flight_data_to_batches(&messages(case)).unwrap()
}

/// The lines that a result came from: what is a tag stands in the columns' metadata.
fn lines_of(table: &str, batches: &[RecordBatch]) -> String {
    let mut lines = String::new();
    for batch in batches {
        for row in 0..batch.num_rows() {
            let (mut tags, mut fields, mut time) = (String::new(), Vec::new(), 0);
            for (field, column) in batch.schema_ref().fields().iter().zip(batch.columns()) {
                let name = field.name();
                if column.is_null(row) {
                    continue;
                }
                let tag = field.metadata()["iox::column::type"] == "iox::column_type::tag";
                match field.data_type() {
                    DataType::Utf8 if tag => {
                        let value = column.as_string::<i32>().value(row);
                        let value = value.replace(' ', "\\ ").replace(',', "\\,");
                        write!(tags, ",{name}={value}").unwrap();
                    }
                    DataType::Utf8 => {
                        let value = column.as_string::<i32>().value(row).replace('"', "\\\"");
                        fields.push(format!("{name}=\"{value}\""));
                    }
                    DataType::Float64 => {
                        let value = column.as_primitive::<Float64Type>().value(row);
                        fields.push(format!("{name}={value}"));
                    }
                    DataType::Int64 => {
                        let value = column.as_primitive::<Int64Type>().value(row);
                        fields.push(format!("{name}={value}i"));
                    }
                    DataType::UInt64 => {
                        let value = column.as_primitive::<UInt64Type>().value(row);
                        fields.push(format!("{name}={value}u"));
                    }
                    DataType::Boolean => {
                        fields.push(format!("{name}={}", column.as_boolean().value(row)));
                    }
                    DataType::Timestamp(..) => {
                        time = column.as_primitive::<TimestampNanosecondType>().value(row);
                    }
                    other => panic!("{name}: {other}"),
                }
            }
            writeln!(lines, "{table}{tags} {} {time}", fields.join(",")).unwrap();
        }
    }
    lines
}

fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::Internal => "INTERNAL",
        Code::Unauthenticated => "UNAUTHENTICATED",
        Code::Unimplemented => "UNIMPLEMENTED",
        _ => "another",
    }
}
