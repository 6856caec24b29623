//! What servers of all versions and products answer, and what the client makes of it: nowhere does it ask for the version.

use crate::support::batching::{Events, options, points};
use crate::support::http::{Reply, Server};
use influxdb3_blocking::{Client, Error, ErrorKind, Point, Timestamp};
use influxdb3_dev_server::{DevServer, Fault};

use self::Api::{V2, V3};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Api {
    V2,
    V3,
}

/// Whether the same write may succeed later, and whether the lines may be stored.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Outlook {
    Final,
    MayPass,
    InDoubt,
}

use self::Outlook::{Final, InDoubt, MayPass};

/// Who answers, to what, how; and what that is.
type Case = (&'static str, Api, u16, &'static str, ErrorKind, Outlook);

const TOO_LARGE: &str = "max request size (10485760 bytes) exceeded";
const V2_TOO_LARGE: &str =
    r#"{"code":"request too large","message":"max request size (10485760 bytes) exceeded"}"#;
const PARTIAL: &str = r#"{"error":"partial write of line protocol occurred","data":[{"error_message":"No fields were provided","line_number":1,"original_line":"m f="}]}"#;
const LIMIT: &str = r#"{"error":"partial write of line protocol occurred","data":[{"error_message":"Update to schema would exceed number of columns per table limit of 500 columns","line_number":1,"original_line":"m f=1"}]}"#;
const DATABASES: &str = r#"{"error":"Adding a new database would exceed limit of 5 databases"}"#;
const V2_DATABASES: &str = r#"{"code":"invalid","message":"write buffer error: catalog update error: Adding a new database would exceed limit of 5 databases"}"#;
const STOPPED: &str =
    "write buffer error: error from wal: wal is shutdown and not accepting writes";
const V2_STOPPED: &str = r#"{"code":"invalid","message":"write buffer error: error from wal: wal is shutdown and not accepting writes"}"#;
const V2_HIDDEN: &str =
    r#"{"code":"invalid","message":"write buffer error: parsing for line protocol failed"}"#;
const OLD: &str = r#"{"code":"forbidden","message":"dml handler error: data in table Test is outside of the retention period: minimum acceptable timestamp is 2023-07-30T11:05:48Z, but observed timestamp 2022-04-04T05:40:41Z is older."}"#;

/// Those of 3.6 are recorded, those of 3.10 are read in its source, those of 3.11 and later in the release notes, and those
/// of the cloud's products were met by their users.
const MATRIX: &[Case] = &[
    ("3.6", V3, 500, TOO_LARGE, ErrorKind::TooLarge, Final),
    ("3.6", V2, 413, V2_TOO_LARGE, ErrorKind::TooLarge, Final),
    ("3.6", V3, 400, PARTIAL, ErrorKind::PartialWrite, Final),
    ("3.6", V3, 422, LIMIT, ErrorKind::PartialWrite, Final),
    ("3.6", V3, 422, DATABASES, ErrorKind::Rejected, Final),
    ("3.6", V2, 400, V2_DATABASES, ErrorKind::Rejected, Final),
    ("3.6", V2, 400, V2_HIDDEN, ErrorKind::Rejected, Final),
    (
        "3.6",
        V3,
        500,
        "error decoding gzip stream: unexpected end of file",
        ErrorKind::Rejected,
        Final,
    ),
    ("3.6", V2, 400, V2_STOPPED, ErrorKind::Server, MayPass),
    ("3.6", V3, 500, STOPPED, ErrorKind::Server, MayPass),
    ("3.6", V2, 401, "", ErrorKind::Unauthorized, Final),
    ("3.6", V2, 404, "not found", ErrorKind::NotFound, Final),
    ("3.10", V3, 413, TOO_LARGE, ErrorKind::TooLarge, Final),
    (
        "3.10",
        V3,
        400,
        "error decoding gzip stream: unexpected end of file",
        ErrorKind::Rejected,
        Final,
    ),
    (
        "3.10",
        V3,
        400,
        r#"{"error":"line protocol parsing error","data":{"error_message":"No fields were provided","line_number":1,"original_line":"m f="}}"#,
        ErrorKind::Rejected,
        Final,
    ),
    (
        "3.10",
        V2,
        401,
        r#"{"error": "the request was not authenticated"}"#,
        ErrorKind::Unauthorized,
        Final,
    ),
    (
        "3.10",
        V2,
        403,
        r#"{"code":"forbidden","message":"access denied"}"#,
        ErrorKind::Unauthorized,
        Final,
    ),
    (
        "3.10",
        V2,
        503,
        r#"{"code":"unavailable","message":"token verification not possible"}"#,
        ErrorKind::Server,
        MayPass,
    ),
    (
        "3.10",
        V2,
        400,
        r#"{"code":"invalid","message":"this service is overloaded, please try again later"}"#,
        ErrorKind::Server,
        MayPass,
    ),
    ("3.10", V2, 404, "Not found", ErrorKind::NotFound, Final),
    (
        "3.10 Enterprise",
        V3,
        400,
        r#"{"error_code":"invalid","message":"cannot write to a read-only server"}"#,
        ErrorKind::Rejected,
        Final,
    ),
    (
        "3.10 Enterprise",
        V3,
        401,
        r#"{"error_code":"unauthorized","message":"the token has expired"}"#,
        ErrorKind::Unauthorized,
        Final,
    ),
    ("3.11", V2, 503, V2_STOPPED, ErrorKind::Server, MayPass),
    ("3.11", V2, 503, "", ErrorKind::Server, MayPass),
    (
        "3.12",
        V3,
        400,
        r#"{"error":"partial write of line protocol occurred","data":[{"error_message":"the tag 'a' comes twice","line_number":1,"original_line":"m,a=x,a=y f=1"}]}"#,
        ErrorKind::PartialWrite,
        Final,
    ),
    ("Dedicated", V2, 403, OLD, ErrorKind::Rejected, Final),
    ("Dedicated", V2, 429, "", ErrorKind::RateLimited, MayPass),
    (
        "Dedicated",
        V2,
        500,
        r#"{"code":"internal error","message":"timeout"}"#,
        ErrorKind::Server,
        InDoubt,
    ),
    (
        "Serverless",
        V2,
        400,
        r#"{"code":"invalid","message":"failed to parse line protocol: errors encountered on line(s): line 1: Could not parse entire line","line":1}"#,
        ErrorKind::Rejected,
        Final,
    ),
    (
        "Serverless",
        V2,
        404,
        r#"{"code":"not found","message":"bucket \"d\" not found"}"#,
        ErrorKind::NotFound,
        Final,
    ),
];

fn answered(api: Api, status: u16, body: &'static str) -> Error {
    let server = Server::start(move |_, _| Reply::text(status, body));
    let client = Client::builder().host(server.url()).database("db").use_v2_api(api == V2);
    client.build().unwrap().write("m f=1 1").send().unwrap_err()
}

#[test]
fn every_version_is_understood_and_none_is_asked_for() {
    for (who, api, status, body, kind, outlook) in MATRIX {
        let error = answered(*api, *status, body);
        assert_eq!(error.kind(), *kind, "{who} {status} {body}: {error}");
        let found = match (error.is_retryable(), error.in_doubt()) {
            (false, false) => Final,
            (true, false) => MayPass,
            (true, true) => InDoubt,
            (false, true) => panic!("{who} {status} {body}: final and in doubt"),
        };
        assert_eq!(found, *outlook, "{who} {status} {body}: {error}");
        let lines = usize::from(matches!(kind, ErrorKind::PartialWrite));
        assert!(error.line_errors().len() >= lines, "{who} {status} {body}: {error}");
    }
}

const VERSIONS: [&str; 2] = ["3.6", "3.12"];

fn client(server: &DevServer) -> Client {
    Client::builder().host(server.url()).database("db").build().unwrap()
}

#[test]
fn the_version_is_told_and_readiness_is_known_of_each() {
    for (version, told) in VERSIONS.into_iter().zip(["3.6.0", "3.12.1"]) {
        let server = DevServer::builder().version(version).start().unwrap();
        assert_eq!(client(&server).server_version().unwrap(), told);
        client(&server).ready().unwrap();
        server.set_fault(Fault::ObjectStore);
        // 3.6 has nothing that would say so.
        let ready = client(&server).ready();
        assert_eq!(ready.is_ok(), version == "3.6", "{ready:?}");
        assert!(ready.err().is_none_or(|error| error.is_retryable()));
    }
}

#[test]
fn a_server_that_stops_in_the_middle_costs_no_line() {
    for version in VERSIONS {
        for is_v2 in [true, false] {
            let server = DevServer::builder().version(version).fault(Fault::Stopping);
            let server = server.start().unwrap();
            let events = Events::new();
            let options = events.record(options().max_retries(1000));
            let client = Client::builder().host(server.url()).database("db").use_v2_api(is_v2);
            let client = client.write_options(options).build().unwrap();
            client.write(points(0..10)).send().unwrap();
            let flush = std::thread::spawn({
                let client = client.clone();
                move || client.flush()
            });
            events.wait_for("retry", 3);
            server.restart().unwrap();
            server.set_fault(None);
            flush.join().unwrap().unwrap();
            assert_eq!(server.rows("db", "m"), 10, "{version}");
            assert_eq!(client.write_stats().written.lines, 10);
            assert_eq!(events.count("error"), 0);
        }
    }
}

#[test]
fn a_bad_line_costs_no_other_and_is_named_where_the_server_names_it() {
    for version in VERSIONS {
        let server = DevServer::builder().version(version).start().unwrap();
        let client = client(&server);
        let point = |n: i64| Point::new("m").field("f", n).time(Timestamp::nanos(n));
        client.write(point(1)).send().unwrap();
        let text = "m f=2i 2\nm f=\"text\" 3\nm f=4i 4";
        let error = client.write(text).use_v2_api(false).send().unwrap_err();
        assert_eq!((error.kind(), error.lines_written()), (ErrorKind::PartialWrite, 2));
        assert_eq!(error.line_errors()[0].line(), Some("m f=\"text\" 3"));
        let refused = client.write(text).use_v2_api(false).accept_partial(false).send();
        let refused = refused.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Rejected, "{refused}");
        assert_eq!(refused.line_errors()[0].line_number(), Some(2));
        let hidden = client.write(text).send().unwrap_err();
        assert_eq!(hidden.kind(), ErrorKind::Rejected, "{hidden}");
        assert_eq!(server.rows("db", "m"), 3, "{version}");
    }
}

#[test]
fn what_is_too_large_for_the_server_is_cut_whatever_its_status() {
    for version in VERSIONS {
        for is_v2 in [true, false] {
            let server = DevServer::builder().version(version).max_request_bytes(500);
            let server = server.start().unwrap();
            client(&server).write(points(0..500)).use_v2_api(is_v2).send().unwrap();
            assert_eq!(server.rows("db", "m"), 500, "{version}");
        }
    }
}
