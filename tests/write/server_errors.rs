//! What a real server refuses, over both paths: kinds, and texts that name what to do.
#![cfg(feature = "query")]

use influxdb3_blocking::{Client, Error, ErrorKind, Language, Point, Timestamp};
use influxdb3_dev_server::DevServer;

fn write(client: &Client) -> Result<(), Error> {
    client.write(Point::new("m").field("f", 1).time(Timestamp::nanos(1))).send()
}

fn query(client: &Client, text: &str) -> Error {
    client.query(text).table().unwrap_err()
}

fn check(error: &Error, kind: ErrorKind, hint: &str) {
    assert_eq!(error.kind(), kind, "{error:#}");
    assert!(error.to_string().contains(hint), "{hint:?} is missing: {error}");
    assert!(!error.is_retryable(), "{error}");
    for shown in [format!("{error:#}"), format!("{error:?}")] {
        assert!(!shown.contains("s3cret"), "{shown}");
    }
}

#[test]
fn a_missing_and_a_wrong_token_are_told_apart_from_everything_else() {
    let server = DevServer::builder().token("right").start().unwrap();
    let builder = || Client::builder().host(server.url()).database("db");
    let none = builder().build().unwrap();
    let wrong = builder().token("s3cret-wrong").build().unwrap();
    for client in [&none, &wrong] {
        check(&write(client).unwrap_err(), ErrorKind::Unauthorized, "token");
        check(&query(client, "SELECT 1"), ErrorKind::Unauthorized, "token");
        check(&client.ping().unwrap_err(), ErrorKind::Unauthorized, "token");
    }
    assert!(server.tables("db").is_empty());
    let malformed = builder().token("right").auth_scheme("Digest").build().unwrap();
    check(&write(&malformed).unwrap_err(), ErrorKind::Unauthorized, "auth_scheme");
    for scheme in ["Token", "Bearer"] {
        let right = builder().token("right").auth_scheme(scheme).build().unwrap();
        write(&right).unwrap();
        assert_eq!(right.query("SELECT f FROM m").table().unwrap().num_rows(), 1);
        right.ping().unwrap();
    }
}

#[test]
fn an_unknown_database_and_an_unknown_table_are_not_found() {
    let server = DevServer::start().unwrap();
    let client = Client::builder().host(server.url()).database("nowhere").build().unwrap();
    check(&query(&client, "SELECT 1"), ErrorKind::NotFound, "nowhere");
    write(&client).unwrap();
    check(&query(&client, "SELECT * FROM nothing"), ErrorKind::NotFound, "nothing");
}

#[test]
fn queries_that_cannot_be_run_say_why() {
    let server = DevServer::start().unwrap();
    let client = Client::builder().host(server.url()).database("db").build().unwrap();
    write(&client).unwrap();
    for (text, hint) in [
        ("SELEC 1", "SELEC"),
        ("SELECT nope FROM m", "nope"),
        ("SELECT f FROM m WHERE f = $missing", "$missing"),
        ("INSERT INTO m (f) VALUES (1)", "not supported"),
        ("", "No SQL statements"),
        ("SELECT 1 / 0", "zero"),
    ] {
        let error = query(&client, text);
        check(&error, ErrorKind::Query, hint);
        assert_eq!(error.grpc_status(), Some(3), "{text}");
    }
    let derivative = client.query("SELECT DERIVATIVE(f) FROM m").language(Language::InfluxQl);
    let error = derivative.table().unwrap_err();
    assert_eq!(error.grpc_status(), Some(12));
}

#[test]
fn a_database_name_that_the_server_refuses() {
    let server = DevServer::start().unwrap();
    let client =
        Client::builder().host(server.url()).database("no spaces, please").build().unwrap();
    let error = write(&client).unwrap_err();
    check(&error, ErrorKind::Rejected, "invalid character");
    assert_eq!(error.unsent().len(), 1);
    let error = client.write("m f=1").use_v2_api(false).send().unwrap_err();
    check(&error, ErrorKind::Rejected, "invalid character");
}

#[test]
fn without_a_database_nothing_is_asked() {
    let server = DevServer::builder().record_requests(true).start().unwrap();
    let client = Client::builder().host(server.url()).build().unwrap();
    check(&write(&client).unwrap_err(), ErrorKind::Config, ".database(");
    check(&query(&client, "SELECT 1"), ErrorKind::Config, "database");
    assert!(server.requests().is_empty());
}

#[test]
fn the_measurements_of_a_database_are_shown_in_influxql() {
    let server = DevServer::start().unwrap();
    let client = Client::builder().host(server.url()).database("db").build().unwrap();
    write(&client).unwrap();
    let table = client.query("SHOW MEASUREMENTS").language(Language::InfluxQl).table().unwrap();
    let names: Vec<_> = table.rows().map(|row| row.get::<String>("name").unwrap()).collect();
    assert_eq!(names, ["m"]);
}
