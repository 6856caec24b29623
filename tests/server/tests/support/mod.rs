//! Helpers of the tests: the recorded answers, and clients that know nothing of this project.
#![allow(dead_code, reason = "every test file uses a part of it")]

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use arrow_flight::{
    FlightData, Ticket, flight_service_client::FlightServiceClient, utils::flight_data_to_batches,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use datafusion::arrow::{array::RecordBatch, datatypes::Schema};
use influxdb3_dev_server::DevServer;
use serde_json::Value;
use tonic::{Code, Status, transport::Endpoint};

/// A recorded list from `tests/wire`.
pub fn recorded(name: &str) -> Vec<Value> {
    let path = format!("{}/../wire/{name}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// `{"text": …}` or `{"base64": …}`.
pub fn body(recorded: &Value) -> Vec<u8> {
    match (recorded["text"].as_str(), recorded["base64"].as_str()) {
        (Some(text), _) => text.as_bytes().to_vec(),
        (_, Some(base64)) => BASE64_STANDARD.decode(base64).unwrap(),
        _ => panic!("no body: {recorded}"),
    }
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

/// One request over HTTP/1.1 on a connection of its own; none if that was closed unanswered.
pub fn http(
    server: &DevServer,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Option<Answer> {
    let stream = TcpStream::connect(server.addr()).unwrap();
    exchange(stream, method, path, headers, body)
}

/// One request and its answer on a connection that is good for one.
pub fn exchange(
    mut stream: impl Read + Write,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Option<Answer> {
    let mut head = format!(
        "{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {}\r\n",
        body.len()
    );
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    if answer.is_empty() {
        return None;
    }
    let end = answer.windows(4).position(|w| w == b"\r\n\r\n").unwrap();
    let head = std::str::from_utf8(&answer[..end]).unwrap();
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers = lines
        .map(|line| line.split_once(": ").unwrap())
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let mut answered = Answer { status, headers, body: answer[end + 4..].to_vec() };
    if answered.header("transfer-encoding") == Some("chunked") {
        answered.body = without_chunks(&answered.body);
    }
    Some(answered)
}

/// The chunks of a body, each behind its length in hexadecimal, joined.
fn without_chunks(mut rest: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    loop {
        let end = rest.windows(2).position(|w| w == b"\r\n").unwrap();
        let length = usize::from_str_radix(std::str::from_utf8(&rest[..end]).unwrap(), 16).unwrap();
        if length == 0 {
            return body;
        }
        body.extend_from_slice(&rest[end + 2..end + 2 + length]);
        rest = &rest[end + 2 + length + 2..];
    }
}

pub fn post(server: &DevServer, path: &str, body: impl AsRef<[u8]>) -> Answer {
    http(server, "POST", path, &[], body.as_ref()).unwrap()
}

/// Writes lines with nanoseconds, and insists that all are taken.
pub fn write(server: &DevServer, database: &str, lines: &str) {
    let answer = post(server, &format!("/api/v3/write_lp?db={database}&precision=ns"), lines);
    assert_eq!(answer.status, 204, "{}", answer.text());
}

/// What a `DoGet` came to: the messages before the end, and the end.
#[derive(Debug)]
pub struct Messages {
    pub messages: Vec<FlightData>,
    pub end: Result<(), Status>,
}

impl Messages {
    pub fn code(&self) -> (Code, &str) {
        match &self.end {
            Ok(()) => (Code::Ok, ""),
            Err(status) => (status.code(), status.message()),
        }
    }

    pub fn schema(&self) -> Schema {
        schema(&self.messages)
    }

    pub fn batches(&self) -> Vec<RecordBatch> {
        assert!(self.end.is_ok(), "{:?}", self.end);
        flight_data_to_batches(&self.messages).unwrap()
    }
}

pub fn schema(messages: &[FlightData]) -> Schema {
    Schema::try_from(&messages[0]).unwrap()
}

/// Sends a ticket by `arrow-flight`'s own client.
pub fn get(server: &DevServer, ticket: impl Into<Vec<u8>>, metadata: &[(&str, &str)]) -> Messages {
    get_from(Endpoint::new(server.url()).unwrap(), ticket, metadata)
}

pub fn get_from(
    endpoint: Endpoint,
    ticket: impl Into<Vec<u8>>,
    metadata: &[(&str, &str)],
) -> Messages {
    let mut request = tonic::Request::new(Ticket { ticket: ticket.into().into() });
    for (name, value) in metadata {
        let name = tonic::metadata::MetadataKey::from_bytes(name.as_bytes()).unwrap();
        request.metadata_mut().insert(name, value.parse().unwrap());
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let channel = endpoint.connect().await.unwrap();
        let mut client = FlightServiceClient::new(channel).max_decoding_message_size(usize::MAX);
        let mut messages = Vec::new();
        let mut stream = match client.do_get(request).await {
            Ok(answer) => answer.into_inner(),
            Err(status) => {
                return Messages { messages, end: Err(status) };
            }
        };
        loop {
            match stream.message().await {
                Ok(Some(message)) => messages.push(message),
                Ok(None) => {
                    return Messages { messages, end: Ok(()) };
                }
                Err(status) => {
                    return Messages { messages, end: Err(status) };
                }
            }
        }
    })
}

/// A SQL query that is to succeed.
pub fn sql(server: &DevServer, database: &str, query: &str) -> Messages {
    let ticket = serde_json::json!({"database": database, "sql_query": query}).to_string();
    let messages = get(server, ticket, &[]);
    assert!(messages.end.is_ok(), "{query}: {:?}", messages.end);
    messages
}
