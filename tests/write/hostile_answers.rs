//! Answers that no honest server gives: whatever comes, the caller gets an error that makes sense, in bounded text, and
//! the client can be used as before.

use std::time::Duration;

use crate::support::http::{Reply, Server};
use influxdb3_blocking::{Client, Error, ErrorKind, Point, Result, Timestamp, WriteOptions};

fn point(n: i64) -> Point {
    Point::new("m").field("f", n).time(Timestamp::nanos(n))
}

fn client(server: &Server) -> Client {
    Client::builder().host(server.url()).token("secret").database("d").build().unwrap()
}

/// What becomes of a write that gets this answer on v3; the next one, which is answered as it should be, must succeed.
fn write(answer: impl Into<Vec<u8>>) -> Result<()> {
    let answer = answer.into();
    let server = Server::start(move |number, _| match number {
        0 => Reply::Raw(answer.clone()),
        _ => Reply::status(204),
    });
    let client = client(&server);
    // Two lines without a time, so that nothing is sent twice behind the scenes.
    let result = client.write("m f=1\nm f=2").use_v2_api(false).send();
    client.write(point(3)).send().unwrap();
    result
}

fn failure(answer: impl Into<Vec<u8>>) -> Error {
    let error = write(answer).unwrap_err();
    let text = format!("{error} {error:?} {error:#}");
    assert!(text.len() < 32 << 10, "{} bytes of text", text.len());
    assert!(!text.contains("secret"), "{text}");
    error
}

#[test]
fn interim_answers_are_no_answers() {
    let interim = "HTTP/1.1 102 Processing\r\n\r\n".repeat(3);
    let whole = format!("{interim}HTTP/1.1 204 No Content\r\ncontent-length: 0\r\n\r\n");
    write(whole).unwrap();
    let error = failure(interim);
    assert!(error.kind() == ErrorKind::Connect && error.in_doubt(), "{error:#}");
}

#[test]
fn an_answer_whose_body_breaks_off_is_judged_by_its_status() {
    let error =
        failure("HTTP/1.1 503 Busy\r\ncontent-length: 1000\r\n\r\n{\"error\": \"the wal is f");
    assert_eq!((error.kind(), error.status()), (ErrorKind::Server, Some(503)));
    let error = failure("HTTP/1.1 400 Bad\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nnot a chunk");
    assert_eq!((error.kind(), error.status()), (ErrorKind::Rejected, Some(400)));
}

#[test]
fn an_error_of_a_hundred_megabytes_is_told_in_few_words() {
    let mut answer = b"HTTP/1.1 400 Bad\r\ncontent-length: 104857600\r\n\r\n".to_vec();
    answer.resize(answer.len() + (100 << 20), b'x');
    assert_eq!(failure(answer).status(), Some(400));
}

#[test]
fn a_hundred_thousand_headers_are_not_kept() {
    let mut answer = "HTTP/1.1 204 No Content\r\n".to_owned();
    (0..100_000).for_each(|n| answer.push_str(&format!("x-{n}: y\r\n")));
    answer.push_str("content-length: 0\r\n\r\n");
    let error = failure(answer);
    assert!(error.in_doubt(), "{error:#}");
}

#[test]
fn line_errors_that_name_lines_which_are_not_there_name_none() {
    for number in ["0", "3", "-1", "18446744073709551616", "1.5", "null", "[]"] {
        let body = format!(
            r#"{{"error": "partial write of line protocol occurred", "data": [{{"original_line": "m", "line_number": {number}, "error_message": "no"}}]}}"#
        );
        let head = format!("HTTP/1.1 400 Bad\r\ncontent-length: {}\r\n\r\n", body.len());
        let error = failure(head + &body);
        assert_eq!(
            (error.kind(), error.status()),
            (ErrorKind::PartialWrite, Some(400)),
            "{number}"
        );
        assert!(
            error.line_errors().iter().all(|line| line.line().is_none()),
            "{number}: {error:?}"
        );
        assert!(error.line_errors().iter().all(|line| line.index().is_none()), "{number}");
    }
}

/// A wait beyond what is left of `max_retry_time` fails at once, however long it is.
#[test]
fn an_absurd_wait_is_not_waited_for() {
    for wait in
        ["99999999999999999999999999", "18446744073709551615", "Fri, 31 Dec 9999 23:59:59 GMT"]
    {
        let server = Server::start(move |_, _| {
            Reply::Answer(503, vec![("retry-after", wait.into())], Vec::new())
        });
        let options = WriteOptions::default()
            .retry_interval(Duration::from_millis(1))
            .max_retry_delay(Duration::from_millis(2))
            .max_retries(2);
        let client = Client::builder().host(server.url()).database("d").write_options(options);
        let client = client.build().unwrap();
        client.write(point(1)).send().unwrap();
        let error = client.flush().unwrap_err();
        assert_eq!((error.kind(), error.unsent().len()), (ErrorKind::Server, 1), "{wait}");
        let stats = client.write_stats();
        assert_eq!((stats.accepted.lines, stats.pending.lines), (1, 0), "{wait}: {stats:?}");
        client.close().unwrap();
    }
}
