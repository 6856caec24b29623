//! Every recorded answer of a real server (tests/wire/http.json), and what the client makes of it.

use crate::support::http::{Reply, Server};
use influxdb3_blocking::{Client, Error, ErrorKind, Precision};
use serde_json::Value;

/// The recorded failures: name, kind, what the text must have, the numbers of the bad lines.
const FAILURES: &[(&str, ErrorKind, &str, &[usize])] = &[
    (
        "v3 write, several lines, CRLF, comment, blank line",
        ErrorKind::PartialWrite,
        "Found trailing content",
        &[1],
    ),
    ("v3 partial write: lines 2 and 3 of 4 are bad", ErrorKind::PartialWrite, "2 lines", &[2, 3]),
    ("v3 partial write, accept_partial=true", ErrorKind::PartialWrite, "2 lines", &[2, 3]),
    ("v3 accept_partial=false", ErrorKind::Rejected, "No fields were provided", &[2]),
    (
        "v2 with bad lines",
        ErrorKind::Rejected,
        "use_v2_api(false) the server names the bad lines",
        &[],
    ),
    ("v1 with bad lines", ErrorKind::Rejected, "parsing failed", &[2]),
    ("v3 all lines bad", ErrorKind::PartialWrite, "2 lines were not stored", &[1, 2]),
    (
        "v3 field type conflict",
        ErrorKind::PartialWrite,
        "invalid column type for column 'temp'",
        &[1],
    ),
    ("v2 field type conflict", ErrorKind::Rejected, "use_v2_api(false)", &[]),
    ("v3 tag that is a field elsewhere", ErrorKind::PartialWrite, "iox::column_type::tag", &[1]),
    ("v3 long bad line, original_line is cut", ErrorKind::PartialWrite, "1 line was", &[1]),
    ("v3 timestamp overflow for the precision", ErrorKind::PartialWrite, "out of range", &[1]),
    ("v3 empty body", ErrorKind::Rejected, "incoming write was empty", &[]),
    ("v2 empty body", ErrorKind::Rejected, "incoming write was empty", &[]),
    ("v3 newline only", ErrorKind::Rejected, "incoming write was empty", &[]),
    ("v3 bad precision", ErrorKind::Rejected, "unknown variant `fortnight`", &[]),
    ("v2 bad precision", ErrorKind::Rejected, "unknown variant `fortnight`", &[]),
    ("v3 no db", ErrorKind::Rejected, "missing field `db`", &[]),
    ("v2 no bucket", ErrorKind::Rejected, "missing bucket value", &[]),
    ("v3 empty db", ErrorKind::Rejected, "db name cannot be empty", &[]),
    ("v3 invalid db name", ErrorKind::Rejected, "db name too long", &[]),
    ("v3 bad no_sync value", ErrorKind::Rejected, "not `true` or `false`", &[]),
    ("v3 not UTF-8", ErrorKind::Rejected, "not valid utf8", &[]),
    ("v3 gzip header, body not gzip", ErrorKind::Rejected, "error decoding gzip", &[]),
    ("v3 unknown content-encoding", ErrorKind::Rejected, "unacceptable content-encoding", &[]),
    ("v3 body over the limit", ErrorKind::TooLarge, "10485760", &[]),
    ("v2 body over the limit", ErrorKind::TooLarge, "10485760", &[]),
    ("unknown path", ErrorKind::NotFound, "use_v2_api", &[]),
    ("wrong method on write", ErrorKind::NotFound, "use_v2_api(true)", &[]),
    ("auth: no header", ErrorKind::Unauthorized, "token", &[]),
    ("auth: wrong token", ErrorKind::Unauthorized, "token is missing, wrong or expired", &[]),
    ("auth: malformed header", ErrorKind::Unauthorized, "auth_scheme", &[]),
];

#[test]
fn every_recorded_answer_to_a_write_is_read() {
    let mut read = 0;
    for case in crate::support::recorded("http").iter().filter(|case| is_write(case)) {
        let name = case["name"].as_str().unwrap();
        let status = u16::try_from(case["response"]["status"].as_u64().unwrap()).unwrap();
        let (result, sent) = replay(case);
        let expected = FAILURES.iter().find(|(failure, ..)| *failure == name);
        assert_eq!(result.is_err(), expected.is_some(), "{name}: {result:?}");
        read += 1;
        let (Err(error), Some((_, kind, text, lines))) = (result, expected) else { continue };
        assert_eq!(error.kind(), *kind, "{name}: {error}");
        assert_eq!(error.status(), Some(status), "{name}");
        assert!(error.to_string().contains(text), "{name}: {error}");
        assert!(!error.is_retryable() && !error.in_doubt(), "{name}");
        let numbers: Vec<_> = error.line_errors().iter().filter_map(|e| e.line_number()).collect();
        assert_eq!(numbers, *lines, "{name}");
        for line_error in error.line_errors() {
            let number = line_error.line_number().unwrap();
            assert_eq!(line_error.line(), Some(sent[number - 1].as_str()), "{name}");
            assert_eq!(line_error.index(), Some(0), "{name}: a text is one record");
        }
        let stored = if *kind == ErrorKind::PartialWrite { sent.len() - lines.len() } else { 0 };
        assert_eq!(error.lines_written(), stored, "{name}");
        let unsent: usize = error.unsent().iter().map(|batch| batch.lines()).sum();
        assert_eq!(unsent, if *kind == ErrorKind::PartialWrite { 0 } else { sent.len() }, "{name}");
    }
    assert_eq!(read, 54, "the recordings have changed");
}

#[test]
fn every_recorded_answer_to_ping_is_read() {
    for case in crate::support::recorded("http").iter().filter(|case| path_of(case) == "/ping") {
        let name = case["name"].as_str().unwrap();
        let (server, client) = answering(case, true);
        let version = client.server_version();
        match name {
            "auth: ping without token" => {
                assert_eq!(client.ping().unwrap_err().kind(), ErrorKind::Unauthorized);
            }
            _ => assert_eq!(version.unwrap(), "3.6.0", "{name}"),
        }
        assert!(server.requests().iter().all(|request| request.path == "/ping"));
    }
}

/// Writes what was written then, gets what was answered then. Also the lines as they were sent now.
fn replay(case: &Value) -> (Result<(), Error>, Vec<String>) {
    let (server, client) = answering(case, !path_of(case).starts_with("/api/v2"));
    let text = case["request"]["body"]["text"].as_str().unwrap_or_default();
    let tidy = text.lines().any(|line| !line.is_empty() && !line.starts_with('#'));
    let text = if tidy { text } else { "home temp=1 1700000000000000000" };
    let result = client.write(text).precision(Precision::Nanosecond).send();
    let sent = server.requests()[0].text();
    (result, sent.lines().map(str::to_owned).collect())
}

fn answering(case: &Value, v3: bool) -> (Server, Client) {
    let response = &case["response"];
    let status = u16::try_from(response["status"].as_u64().unwrap()).unwrap();
    let body = response["body"]["text"].as_str().unwrap().as_bytes().to_vec();
    let headers: Vec<(&'static str, String)> = response["headers"]
        .as_object()
        .unwrap()
        .iter()
        .filter(|(name, _)| !matches!(name.as_str(), "content-length" | "transfer-encoding"))
        .map(|(name, value)| (name.clone().leak() as &str, value.as_str().unwrap().to_owned()))
        .collect();
    let server = Server::start(move |_, _| Reply::Answer(status, headers.clone(), body.clone()));
    let client = Client::builder().host(server.url()).database("wire").use_v2_api(!v3);
    (server, client.build().unwrap())
}

/// The recordings of writes, wherever they went.
fn is_write(case: &Value) -> bool {
    !["/ping", "/health", "/api/v3/query_sql", "/api/v3/configure/database"]
        .contains(&path_of(case))
}

fn path_of(case: &Value) -> &str {
    case["request"]["path"].as_str().unwrap().split('?').next().unwrap()
}
