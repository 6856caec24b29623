//! What the server answers as 3.12, where that is not what it answers as 3.6.

mod support;

use std::io::Write;

use flate2::{Compression, write::GzEncoder};
use influxdb3_dev_server::{DevServer, Fault};
use support::{get, http, post, sql};
use tonic::Code;

const V2: &str = "/api/v2/write?bucket=db&precision=ns";
const V3: &str = "/api/v3/write_lp?db=db&precision=ns";
const V3_WHOLE: &str = "/api/v3/write_lp?db=db&precision=ns&accept_partial=false";

fn server(version: &str) -> DevServer {
    DevServer::builder().version(version).max_request_bytes(10_000).start().unwrap()
}

/// Status and body, as each of the two.
fn answers(path: &str, headers: &[(&str, &str)], body: &[u8]) -> [(u16, String); 2] {
    ["3.6", "3.12"].map(|version| {
        let answer = http(&server(version), "POST", path, headers, body).unwrap();
        (answer.status, answer.text().to_owned())
    })
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn it_says_what_it_is() {
    for (version, said) in [("3.6", "3.6.0"), ("3.12", "3.12.1")] {
        let server = server(version);
        let ping = http(&server, "GET", "/ping", &[], b"").unwrap();
        assert_eq!(ping.header("x-influxdb-version"), Some(said));
        assert!(ping.text().contains(&format!("\"version\":\"{said}\"")), "{}", ping.text());
    }
    let error = DevServer::builder().version("2.7").start().unwrap_err();
    assert_eq!(error.to_string(), "the dev server answers as 3.6 or 3.12, not as \"2.7\"");
}

#[test]
fn each_answer_names_the_cluster_which_stays_the_same() {
    let new = server("3.12");
    let cluster = |path| {
        let answer = http(&new, "GET", path, &[], b"").unwrap();
        answer.header("cluster-uuid").unwrap().to_owned()
    };
    let first = cluster("/ping");
    new.restart().unwrap();
    assert_eq!(cluster("/nowhere"), first);
    let old = http(&server("3.6"), "GET", "/ping", &[], b"").unwrap();
    assert_eq!(old.header("cluster-uuid"), None);
}

#[test]
fn readiness_is_told_by_3_12_alone() {
    assert_eq!(http(&server("3.6"), "GET", "/ready", &[], b"").unwrap().status, 404);
    let server = server("3.12");
    let ready = || http(&server, "GET", "/ready", &[], b"").unwrap().status;
    for (fault, status) in [
        (None, 200),
        (Some(Fault::ObjectStore), 503),
        (Some(Fault::Stopping), 503),
        (Some(Fault::WalFull), 200),
        (None, 200),
    ] {
        server.set_fault(fault);
        assert_eq!(ready(), status, "{fault:?}");
    }
}

#[test]
fn what_is_wrong_with_a_body_has_a_status_of_its_own() {
    let large = vec![b'#'; 10_001];
    let too_large = "max request size (10000 bytes) exceeded".to_owned();
    assert_eq!(answers(V3, &[], &large), [(500, too_large.clone()), (413, too_large)]);
    let statuses = answers(V3, &[], b"m f=\"\xff\" 1").map(|(status, _)| status);
    assert_eq!(statuses, [500, 400]);
    let statuses = answers(V3, &[("content-encoding", "gzip")], b"x").map(|(status, _)| status);
    assert_eq!(statuses, [500, 400]);
}

#[test]
fn all_members_of_a_gzip_body_are_read() {
    let body = [gzip("m f=1 1\n"), gzip("m f=2 2\n")].concat();
    for (version, rows) in [("3.6", 1), ("3.12", 2)] {
        let server = server(version);
        let answer = http(&server, "POST", V2, &[("content-encoding", "gzip")], &body).unwrap();
        assert_eq!((answer.status, server.rows("db", "m")), (204, rows), "{version}");
    }
}

#[test]
fn a_tag_that_comes_twice_is_an_error_of_its_line() {
    let server = server("3.12");
    let answer = post(&server, V3, "m,a=x f=1 1\nm,a=x,a=y f=2 2\nm,a=z f=3 3");
    assert_eq!(answer.status, 400);
    assert!(answer.text().contains("\"line_number\":2"), "{}", answer.text());
    assert_eq!(server.rows("db", "m"), 2);
    assert_eq!(post(&server, V2, "m,a=x,a=y f=2 2").status, 400);
    let [(old, _), _] = answers(V3, &[], b"m,a=x,a=y f=2 2");
    assert_eq!(old, 500, "what no client may send to a real 3.6");
}

#[test]
fn a_line_that_is_refused_leaves_no_trace() {
    // The tag of the bad line is new, and so is the table of the other one.
    let lines = "m f=1 1\nm,t=x f=\"text\" 2\nm,u=x g=1 3\nother,t=x time=1 4";
    for (version, columns, tables) in [
        ("3.6", &["f", "g", "t", "time", "u"][..], &["m", "other"][..]),
        ("3.12", &["f", "g", "time", "u"], &["m"]),
    ] {
        let server = server(version);
        assert_eq!(post(&server, V3, lines).status, 400);
        assert_eq!(server.rows("db", "m"), 2, "{version}");
        assert_eq!(server.tables("db"), tables, "{version}");
        let schema = sql(&server, "db", "SELECT * FROM m").schema();
        let names: Vec<_> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        assert_eq!(names, columns, "{version}");
    }
    // A table that is there keeps what it has.
    let server = server("3.12");
    assert_eq!(post(&server, V3, "m,t=x f=1 1").status, 204);
    assert_eq!(post(&server, V3, "m,t=x,n=x f=\"text\" 2").status, 400);
    assert_eq!(post(&server, V3, "m,t=y f=2 2").status, 204);
    assert_eq!(sql(&server, "db", "SELECT * FROM m").schema().fields().len(), 3);
}

#[test]
fn a_server_that_is_being_stopped_does_not_blame_the_request() {
    let server = server("3.12");
    server.set_fault(Fault::Stopping);
    let answer = post(&server, V2, "m f=1 1");
    assert_eq!(answer.status, 503);
    let text = "write buffer error: error from wal: wal is shutdown and not accepting writes";
    assert!(answer.text().contains(text), "{}", answer.text());
    assert_eq!(post(&server, V3, "m f=1 1").status, 500);
    server.set_fault(Fault::WalFull);
    assert_eq!(post(&server, V2, "m f=1 1").status, 400);
}

#[test]
fn texts_and_names_may_be_longer() {
    let line = format!("m f=\"{}\" 1", "x".repeat(70_000));
    for (version, status) in [("3.6", 400), ("3.12", 204)] {
        let server = DevServer::builder().version(version).start().unwrap();
        assert_eq!(post(&server, V3, &line).status, status, "{version}");
        let path = format!("/api/v2/write?bucket={}", "d".repeat(65));
        assert_eq!(post(&server, &path, "m f=1 1").status, status, "{version}");
    }
    let path = format!("/api/v3/write_lp?db={}", "d".repeat(512));
    let [(_, old), (_, new)] = answers(&path, &[], b"m f=1 1");
    assert_eq!(old, "{\"error\":\"db name too long: max 64\"}");
    assert_eq!(new, "{\"error\":\"db name too long: max 511\"}");
}

#[test]
fn other_texts_have_changed_as_well() {
    let [(_, old), (_, new)] = answers(V3_WHOLE, &[], b"bad");
    assert!(old.starts_with("{\"error\":\"parsing failed for write_lp endpoint\""), "{old}");
    assert!(new.starts_with("{\"error\":\"line protocol parsing error\""), "{new}");
    let [(_, old), (_, new)] = answers("/nowhere", &[], b"");
    assert_eq!((&*old, &*new), ("not found", "Not found"));
    let closed = DevServer::builder().version("3.12").token("t").start().unwrap();
    let answer = post(&closed, V2, "m f=1 1");
    assert_eq!(answer.status, 401);
    assert_eq!(answer.text(), "{\"error\": \"the request was not authenticated\"}");
}

#[test]
fn queries_that_cannot_be_planned_are_at_fault_themselves() {
    for (version, status, begin) in [
        ("3.6", 500, "query error: error while planning query: "),
        ("3.12", 400, "Error during planning: "),
    ] {
        let server = server(version);
        assert_eq!(post(&server, V3, "m f=1 1").status, 204);
        let path = "/api/v3/query_sql?db=db&q=SELECT+*+FROM+nowhere";
        let answer = http(&server, "GET", path, &[], b"").unwrap();
        assert_eq!(answer.status, status);
        assert!(answer.text().starts_with(begin), "{}", answer.text());
        let ticket = r#"{"database":"db","sql_query":"SELECT * FROM nowhere"}"#;
        let answer = get(&server, ticket, &[]);
        let logically = if status == 400 { "logically " } else { "" };
        let (code, text) = answer.code();
        assert_eq!(code, Code::InvalidArgument);
        assert!(text.starts_with(&format!("Error while {logically}planning query: ")), "{text}");
    }
}
