//! `write_file` in batching mode: batches of its own, retried and reported like all others, and an exact report.
#![cfg(feature = "csv")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::support::http::{Reply, Server};
use influxdb3_blocking::{Client, ErrorKind, Precision, WriteOptions};
use influxdb3_dev_server::DevServer;

const HOME: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/home.csv");

fn options() -> WriteOptions {
    WriteOptions::default()
        .merge_waiting(false)
        .batch_size(10)
        .retry_interval(Duration::from_millis(1))
        .max_retries(2)
}

fn client(url: &str, options: WriteOptions) -> Client {
    let builder = Client::builder().host(url).database("db").precision(Precision::Second);
    builder.use_v2_api(false).write_options(options).build().unwrap()
}

#[test]
fn a_file_goes_in_batches_and_is_stored_when_the_call_returns() {
    let server = DevServer::start().unwrap();
    let batches = Arc::new(AtomicUsize::new(0));
    let counter = batches.clone();
    let client = client(
        &server.url(),
        options().success_callback(move |batch| {
            assert!(batch.lines() <= 10);
            counter.fetch_add(1, Ordering::SeqCst);
        }),
    );
    client.write("other f=1 1").send().unwrap();
    let report = client.write_file(HOME).measurement("home").tags(["room"]).send().unwrap();
    assert_eq!((report.lines, report.batches), (26, 3));
    assert_eq!(server.rows("db", "home"), 26);
    assert_eq!(batches.load(Ordering::SeqCst), 3, "the open batch of the client is not part of it");
    client.close().unwrap();
    assert_eq!(server.rows("db", "other"), 1);
}

#[test]
fn a_server_that_is_down_for_a_moment_is_not_noticed() {
    let server = Server::start(|n, _| if n == 1 { Reply::status(503) } else { Reply::status(204) });
    let client = client(&server.url(), options());
    let report = client.write_file(HOME).measurement("home").send().unwrap();
    assert_eq!(report.lines, 26);
    assert_eq!(server.requests().len(), 4);
    assert_eq!(client.write_stats().retries, 1);
}

#[test]
fn lines_that_are_refused_have_their_numbers_and_the_others_are_stored() {
    let partial = r#"{"error":"partial write of line protocol occurred","data":[
        {"error_message":"bad","line_number":2,"original_line":""}]}"#;
    let server = Server::start(
        move |n, _| if n == 1 { Reply::text(400, partial) } else { Reply::status(204) },
    );
    let client = client(&server.url(), options());
    let error = client.write_file(HOME).measurement("home").tags(["room"]).send().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PartialWrite, "{error}");
    assert_eq!(error.lines_written(), 25);
    let [line] = error.line_errors() else { panic!("{error:?}") };
    assert_eq!(line.line_number(), Some(12));
    assert!(line.line().unwrap().ends_with(" 1641042000"), "{line}");
    assert!(error.unsent().is_empty());
}

#[test]
fn what_could_not_be_sent_comes_back_and_the_file_can_be_taken_up_again() {
    let server = Server::start(|n, _| if n < 1 { Reply::status(204) } else { Reply::status(503) });
    let failing = client(&server.url(), options());
    let error = failing.write_file(HOME).measurement("home").tags(["room"]).send().unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::Server, Some(503)), "{error}");
    assert_eq!(error.lines_written(), 10);
    assert_eq!(error.unsent().iter().map(|batch| batch.lines()).sum::<usize>(), 16);
    assert!(error.to_string().contains("home.csv"), "{error}");

    let server = DevServer::start().unwrap();
    let client = client(&server.url(), options());
    let resume = error.resume_line().unwrap();
    let again = client.write_file(HOME).measurement("home").tags(["room"]).resume_from_line(resume);
    again.send().unwrap();
    assert_eq!(server.rows("db", "home"), 26 - resume);
    for batch in error.into_unsent() {
        client.write(batch).send().unwrap();
    }
    client.close().unwrap();
    assert_eq!(server.rows("db", "home"), 26 - resume, "none is there twice");
}
