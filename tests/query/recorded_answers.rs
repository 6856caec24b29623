//! Every recorded Flight answer of a real server, replayed: the client reads what `arrow-flight` reads, and each
//! refusal becomes the right error.
#![cfg(feature = "query")]

use std::sync::Arc;

use crate::support::flight::{FlightServer, Step, ok};
use arrow_flight::FlightData;
use arrow_flight::decode::FlightRecordBatchStream;
use arrow_flight::error::FlightError;
use base64::Engine as _;
use futures::TryStreamExt as _;
use influxdb3_blocking::arrow_array::RecordBatch;
use influxdb3_blocking::arrow_schema::SchemaRef;
use influxdb3_blocking::{Client, Error, ErrorKind, Language, QueryRequest};
use prost::Message as _;
use serde_json::Value;

#[test]
fn answers_are_decoded_as_the_reference_decodes_them() {
    let mut checked = 0;
    for case in cases() {
        let name = case.name.as_str();
        if case.code != "OK" || case.messages.is_empty() {
            continue;
        }
        let (schema, batches) = reference(&case.messages);
        let (server, client) = replay(&case);
        let table = case.request(&client).table().unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(table.schema(), schema, "{name}");
        assert_eq!(table.batches(), batches, "{name}");
        for batch in table.batches() {
            for column in batch.columns() {
                column.to_data().validate_full().unwrap();
            }
        }
        let reader = case.request(&client).reader().unwrap();
        assert_eq!(reader.schema(), schema, "{name}");
        let read: Vec<_> = reader.collect::<Result<_, _>>().unwrap();
        assert_eq!(read, batches, "{name}");
        for call in server.calls() {
            assert_eq!(call.path, "/arrow.flight.protocol.FlightService/DoGet");
            let (sent, recorded): (Value, Value) = (
                serde_json::from_str(&call.ticket).unwrap(),
                serde_json::from_str(&case.ticket).unwrap(),
            );
            assert_eq!(sent, recorded, "{name}");
            assert!(call.ticket.starts_with("{\"database\":\""), "{}", call.ticket);
        }
        assert_eq!(server.connections(), 1, "one connection for all queries");
        checked += 1;
    }
    assert!(checked >= 19, "only {checked} cases were there");
}

#[test]
fn refusals_have_the_right_kind_and_the_servers_text() {
    let mut checked = 0;
    for case in cases().into_iter().filter(|case| case.code != "OK") {
        let (_server, client) = replay(&case);
        let error = case.request(&client).table().unwrap_err();
        let (kind, code) = match (case.name.as_str(), case.code.as_str()) {
            ("error: no such table", _) => (ErrorKind::NotFound, 3),
            (_, "INVALID_ARGUMENT") => (ErrorKind::Query, 3),
            ("error: no such database", "INTERNAL") => (ErrorKind::NotFound, 13),
            (_, "UNAUTHENTICATED") => (ErrorKind::Unauthorized, 16),
            other => panic!("{other:?} is not expected"),
        };
        let text = error.to_string();
        assert_eq!(
            (error.kind(), error.grpc_status()),
            (kind, Some(code)),
            "{}: {text}",
            case.name
        );
        assert!(text.contains(&case.message), "{}: {text}", case.name);
        assert!(!error.is_retryable(), "{}", case.name);
        checked += 1;
    }
    assert!(checked >= 15, "only {checked} cases were there");
}

#[test]
fn an_error_while_the_query_runs_comes_out_of_the_reader_once() {
    let case = cases().into_iter().find(|case| case.name == "error: while running").unwrap();
    let (_server, client) = replay(&case);
    let mut reader = case.request(&client).reader().unwrap();
    assert_eq!(reader.schema().fields().len(), 1);
    let error = Error::from(reader.next().unwrap().unwrap_err());
    assert_eq!((error.kind(), error.grpc_status()), (ErrorKind::Query, Some(3)));
    assert!(error.to_string().contains("Divide by zero"), "{error}");
    assert!(reader.next().is_none());
    assert!(reader.next().is_none());
}

#[test]
fn what_helps_is_said_about_tokens_tables_and_databases() {
    let text = |code, message: &str, token: &str| {
        let server = FlightServer::replay(vec![Step::StatusOnly(code, message.into())]);
        let mut builder = Client::builder().host(server.url()).database("sensors");
        if !token.is_empty() {
            builder = builder.token(token);
        }
        builder.build().unwrap().query("SELECT 1").table().unwrap_err().to_string()
    };
    assert!(text(16, "Unauthenticated", "").contains("set .token("));
    let wrong = text(16, "Unauthenticated: tok_secret", "tok_secret");
    assert!(wrong.contains("check .token(") && !wrong.contains("tok_secret"), "{wrong}");
    assert!(text(7, "Permission denied", "t").contains("\"sensors\""));
    assert!(text(12, "", "").contains("query language"));
}

#[test]
fn every_status_has_a_kind() {
    for (code, message, kind, retryable) in [
        (1, "", ErrorKind::Cancelled, false),
        (2, "?", ErrorKind::Server, false),
        (4, "", ErrorKind::Timeout, true),
        (5, "", ErrorKind::NotFound, false),
        (7, "Permission denied", ErrorKind::Unauthorized, false),
        (8, "grpc-timeout elapsed", ErrorKind::Timeout, true),
        (8, "Error while execution: Resources exhausted: no memory", ErrorKind::Query, false),
        (8, "slow down", ErrorKind::RateLimited, true),
        (10, "", ErrorKind::Server, true),
        (
            11,
            "Error, decoded message length too large: found 4200049 bytes",
            ErrorKind::TooLarge,
            false,
        ),
        (12, "Not yet implemented", ErrorKind::Query, false),
        (13, "Query would exceed file limit of 432 parquet files", ErrorKind::Query, false),
        (13, "oops", ErrorKind::Server, false),
        (14, "ingester is down", ErrorKind::Server, true),
        (15, "", ErrorKind::Server, false),
        (99, "", ErrorKind::Server, false),
    ] {
        let server = FlightServer::replay(vec![Step::StatusOnly(code, message.into())]);
        let error = client(&server).query("SELECT 1").table().unwrap_err();
        assert_eq!(
            (error.kind(), error.grpc_status(), error.is_retryable()),
            (kind, Some(code), retryable),
            "{code} {message}: {error}"
        );
    }
}

#[test]
fn the_servers_text_survives_its_escapes() {
    let message = "a % b\nc – \"d\"";
    let server = FlightServer::replay(vec![Step::StatusOnly(3, message.into())]);
    let error = client(&server).query("SELECT 1").table().unwrap_err();
    assert!(error.to_string().contains(message), "{error}");
}

fn client(server: &FlightServer) -> Client {
    Client::builder().host(server.url()).database("sensors").build().unwrap()
}

struct Case {
    name: String,
    ticket: String,
    code: String,
    message: String,
    messages: Vec<Vec<u8>>,
}

impl Case {
    /// The same query by the public interface.
    fn request<'a>(&self, client: &'a Client) -> QueryRequest<'a> {
        let ticket: Value = serde_json::from_str(&self.ticket).unwrap_or_default();
        let text = ticket["sql_query"].as_str().unwrap_or("SELECT 1");
        let mut request = client.query(text).database(ticket["database"].as_str().unwrap_or("db"));
        if ticket["query_type"] == "influxql" {
            request = request.language(Language::InfluxQl);
        }
        for (name, value) in ticket["params"].as_object().into_iter().flatten() {
            request = match value {
                Value::Null => request.param(name, None::<bool>),
                Value::Bool(value) => request.param(name, *value),
                Value::String(value) => request.param(name, value),
                Value::Number(value) => match value.as_i64() {
                    Some(value) => request.param(name, value),
                    None => request.param(name, value.as_f64().unwrap()),
                },
                // What the interface cannot express: the answer is of interest, not the question.
                _ => request,
            };
        }
        request
    }
}

fn cases() -> Vec<Case> {
    let base64 = base64::engine::general_purpose::STANDARD;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    crate::support::recorded("flight")
        .into_iter()
        .map(|case| Case {
            name: text(&case["name"]),
            ticket: text(&case["ticket"]),
            code: text(&case["status"]["code"]),
            message: text(&case["status"]["message"]),
            messages: case["messages_base64"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|message| base64.decode(message.as_str().unwrap()).unwrap())
                .collect(),
        })
        .collect()
}

fn replay(case: &Case) -> (FlightServer, Client) {
    let status = match case.code.as_str() {
        "OK" => ok(),
        code => Step::Status(number(code), case.message.clone(), vec![]),
    };
    let steps = if case.messages.is_empty() {
        let Step::Status(code, message, _) = status else { unreachable!() };
        vec![Step::StatusOnly(code, message)]
    } else {
        let messages = case.messages.iter().cloned().map(Step::Message);
        std::iter::once(Step::Head).chain(messages).chain([status]).collect()
    };
    let server = FlightServer::replay(steps);
    let client = client(&server);
    (server, client)
}

fn number(code: &str) -> i32 {
    match code {
        "INVALID_ARGUMENT" => 3,
        "INTERNAL" => 13,
        "UNAUTHENTICATED" => 16,
        other => panic!("{other}"),
    }
}

/// What `arrow-flight` makes of the messages.
fn reference(messages: &[Vec<u8>]) -> (SchemaRef, Vec<RecordBatch>) {
    let messages: Vec<_> = messages
        .iter()
        .map(|bytes| Ok::<_, FlightError>(FlightData::decode(&bytes[..]).unwrap()))
        .collect();
    let mut stream = FlightRecordBatchStream::new_from_flight_data(futures::stream::iter(messages));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let mut batches = Vec::new();
        while let Some(batch) = stream.try_next().await.unwrap() {
            if batch.num_rows() > 0 {
                batches.push(batch);
            }
        }
        (Arc::clone(stream.schema().unwrap()), batches)
    })
}
