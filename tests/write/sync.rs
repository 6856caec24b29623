//! Synchronous writes: what is sent, and what comes back.

use std::io::Read;
use std::time::Duration;

use crate::support::http::{Reply, Request, Server};
use influxdb3_blocking::{
    Batch, Client, ErrorKind, LineBuffer, Lines, Point, Precision, Record, Result, Timestamp,
};

fn client(server: &Server) -> Client {
    Client::builder().host(server.url()).database("db").build().unwrap()
}

fn point(n: i64) -> Point {
    Point::new("m").tag("t", "x").field("f", n).time(Timestamp::seconds(n))
}

/// Sends one write and returns what arrived.
fn sent(write: impl FnOnce(&Client) -> Result<()>) -> Request {
    let server = Server::accepting();
    write(&client(&server)).unwrap();
    let requests = server.requests();
    assert_eq!(requests.len(), 1);
    requests[0].clone()
}

#[test]
fn the_default_is_v2_with_short_precision_and_no_organization() {
    let request = sent(|client| client.write("m f=1 1").send());
    assert_eq!(request.method, "POST");
    assert_eq!(request.path, "/api/v2/write?bucket=db&precision=ns");
    assert_eq!(request.text(), "m f=1 1\n");
    assert_eq!(request.header("content-type"), Some("text/plain; charset=utf-8"));
    assert_eq!(request.header("authorization"), None);
    assert!(request.header("user-agent").unwrap().starts_with("influxdb3-blocking/"));
    assert_eq!(request.header("transfer-encoding"), None);
}

#[test]
fn a_request_overrides_its_client() {
    let server = Server::accepting();
    let client = Client::builder()
        .host(server.url())
        .token("secret")
        .database("db")
        .organization("org")
        .header("x-a", "client")
        .header("x-b", "client")
        .precision(Precision::Second)
        .build()
        .unwrap();
    client.write(point(1)).send().unwrap();
    client
        .write(point(1))
        .database("other")
        .organization("")
        .precision(Precision::Microsecond)
        .header("X-A", "request")
        .send()
        .unwrap();
    client.write(point(1)).use_v2_api(false).no_sync(true).accept_partial(false).send().unwrap();
    let requests = server.requests();
    assert_eq!(requests[0].path, "/api/v2/write?bucket=db&org=org&precision=s");
    assert_eq!(requests[0].text(), "m,t=x f=1i 1\n");
    assert_eq!(requests[0].header("authorization"), Some("Token secret"));
    assert_eq!(requests[1].path, "/api/v2/write?bucket=other&precision=us");
    assert_eq!(requests[1].text(), "m,t=x f=1i 1000000\n");
    assert_eq!(requests[1].header("x-a"), Some("request"));
    assert_eq!(requests[1].header("x-b"), Some("client"));
    assert_eq!(
        requests[2].path,
        "/api/v3/write_lp?db=db&precision=second&accept_partial=false&no_sync=true"
    );
    assert_eq!(requests.iter().map(|r| r.connection).max(), Some(0), "one connection serves all");
}

struct Reading(i64);

impl Record for Reading {
    fn encode(self, lines: &mut Lines<'_>) -> Result<()> {
        point(self.0).encode(lines)
    }
}

#[test]
fn every_kind_of_record_is_written() {
    const ONE: &str = "m,t=x f=1i 1000000000\n";
    const TWO: &str = "m,t=x f=1i 1000000000\nm,t=x f=2i 2000000000\n";
    let points = [point(1), point(2)];
    let vector = points.to_vec();
    let text = TWO.to_owned();
    let mut buffer = LineBuffer::new();
    for n in [1, 2] {
        let line = buffer.measurement("m").unwrap().tag("t", "x").unwrap();
        line.field("f", n).unwrap().at(Timestamp::seconds(n)).unwrap();
    }
    assert_eq!(sent(|c| c.write(point(1)).send()).text(), ONE);
    assert_eq!(sent(|c| c.write(&point(1)).send()).text(), ONE);
    assert_eq!(sent(|c| c.write(&points).send()).text(), TWO);
    assert_eq!(sent(|c| c.write(&points[..]).send()).text(), TWO);
    assert_eq!(sent(|c| c.write(points.clone()).send()).text(), TWO);
    assert_eq!(sent(|c| c.write(&vector).send()).text(), TWO);
    assert_eq!(sent(|c| c.write(vector.clone()).send()).text(), TWO);
    assert_eq!(sent(|c| c.write(points.iter()).send()).text(), TWO);
    assert_eq!(sent(|c| c.write([1, 2].into_iter().map(point)).send()).text(), TWO);
    assert_eq!(sent(|c| c.write([1, 2].iter().map(|n| Reading(*n))).send()).text(), TWO);
    assert_eq!(sent(|c| c.write(vec![Reading(1), Reading(2)]).send()).text(), TWO);
    assert_eq!(sent(|c| c.write(vec![vec![point(1)], vec![point(2)]]).send()).text(), TWO);
    assert_eq!(sent(|c| c.write(TWO).send()).text(), TWO);
    assert_eq!(sent(|c| c.write(&text).send()).text(), TWO);
    assert_eq!(sent(|c| c.write(text.clone()).send()).text(), TWO);
    assert_eq!(sent(|c| c.write(TWO.as_bytes()).send()).text(), TWO);
    assert_eq!(sent(|c| c.write(TWO.as_bytes().to_vec()).send()).text(), TWO);
    assert_eq!(sent(|c| c.write(b"m,t=x f=1i 1000000000").send()).text(), ONE);
    assert_eq!(sent(|c| c.write(TWO.lines()).send()).text(), TWO);
    assert_eq!(
        sent(|c| c.write(["m,t=x f=1i 1000000000", "m,t=x f=2i 2000000000"]).send()).text(),
        TWO
    );
    assert_eq!(sent(|c| c.write(&["m,t=x f=1i 1000000000"][..]).send()).text(), ONE);
    assert_eq!(sent(|c| c.write(&buffer).send()).text(), TWO);
    assert_eq!(sent(|c| c.write(buffer.clone()).send()).text(), TWO);
}

#[test]
fn text_is_tidied_before_it_is_sent() {
    let text = "# a comment\n\n  m f=1 1\r\n\tm f=\"two\nlines\" 2\n   \n";
    assert_eq!(sent(|c| c.write(text).send()).text(), "m f=1 1\nm f=\"two\nlines\" 2\n");
}

#[test]
fn where_no_line_is_left_nothing_is_sent() {
    let server = Server::accepting();
    let client = client(&server);
    client.write("").send().unwrap();
    client.write("\n# only a comment\n").send().unwrap();
    client.write(Vec::<Point>::new()).send().unwrap();
    client.write(&LineBuffer::new()).send().unwrap();
    client.write([Point::new("m"), Point::new("m").field("f", f64::NAN)]).send().unwrap();
    assert!(server.requests().is_empty());
}

#[test]
fn points_without_fields_are_skipped_in_bulk_and_an_error_alone() {
    let points = [Point::new("m"), point(1), Point::new("m").field("f", f64::INFINITY)];
    assert_eq!(sent(|c| c.write(&points).send()).text(), "m,t=x f=1i 1000000000\n");
    let server = Server::accepting();
    let error = client(&server).write(Point::new("m").tag("a", "b")).send().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRecord);
    assert!(error.to_string().contains("no fields"), "{error}");
    assert!(server.requests().is_empty());
}

#[test]
fn a_bad_record_among_good_ones_stops_the_call_before_anything_is_sent() {
    let server = Server::accepting();
    let points = [point(1), Point::new("m").tag("t", "a\nb").field("f", 1)];
    let error = client(&server).write(&points).send().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRecord);
    assert!(error.to_string().starts_with("record 1: "), "{error}");
    assert!(server.requests().is_empty());
}

#[test]
fn default_tags_and_tag_order_are_for_points_only() {
    let server = Server::accepting();
    let client = Client::builder()
        .host(server.url())
        .database("db")
        .default_tag("site", "lab")
        .default_tag("t", "default")
        .tag_order(["site", "room"])
        .build()
        .unwrap();
    client.write(point(1).tag("room", "K").tag("a", "1")).send().unwrap();
    client.write("m,b=1,a=2 f=1 1").send().unwrap();
    assert_eq!(server.requests()[0].text(), "m,site=lab,room=K,a=1,t=x f=1i 1000000000\n");
    assert_eq!(server.requests()[1].text(), "m,b=1,a=2 f=1 1\n");
}

#[test]
fn a_fixed_precision_wins_over_the_client_and_quarrels_with_the_request() {
    let mut buffer = LineBuffer::with_precision(Precision::Millisecond);
    buffer.measurement("m").unwrap().field("f", 1).unwrap().at(Timestamp::seconds(1)).unwrap();
    let request = sent(|c| c.write(&buffer).send());
    assert_eq!(request.path, "/api/v2/write?bucket=db&precision=ms");
    assert_eq!(request.text(), "m f=1i 1000\n");
    let server = Server::accepting();
    let client = client(&server);
    let error = client.write(&buffer).precision(Precision::Second).send().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRecord);
    let nanos = LineBuffer::new();
    let error = client.write([&buffer, &nanos].into_iter()).send().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRecord);
    client.write([&buffer, &buffer]).send().unwrap();
    assert_eq!(server.requests().len(), 1);
}

#[test]
#[cfg(feature = "gzip")]
fn bodies_from_the_threshold_on_are_one_gzip_member() {
    let server = Server::accepting();
    let client =
        Client::builder().host(server.url()).database("db").gzip_threshold(100).build().unwrap();
    let line = format!("m f=\"{}\" 1\n", "x".repeat(100 - 10));
    assert_eq!(line.len(), 100 - 1);
    client.write(&line).send().unwrap();
    let longer = line.replace('x', "xx");
    client.write(&longer).send().unwrap();
    let requests = server.requests();
    assert_eq!(requests[0].header("content-encoding"), None);
    assert_eq!(requests[0].text(), line);
    assert_eq!(requests[1].header("content-encoding"), Some("gzip"));
    let mut text = String::new();
    let mut member = flate2::bufread::GzDecoder::new(&requests[1].body[..]);
    member.read_to_string(&mut text).unwrap();
    assert_eq!(text, longer);
    assert!(member.into_inner().is_empty(), "a second member");
}

/// Fifty lines of 20 bytes, in requests of at most 200.
fn in_parts(
    reply: impl FnMut(usize, &Request) -> Reply + Send + 'static,
) -> (Server, Client, Vec<Point>) {
    let server = Server::start(reply);
    let client = Client::builder()
        .host(server.url())
        .database("db")
        .use_v2_api(false)
        .max_request_bytes(200)
        .build()
        .unwrap();
    let points = (0..50).map(|n| Point::new("m").field("f", 10 + n).time(Timestamp::seconds(10)));
    (server, client, points.collect())
}

#[test]
fn a_large_write_is_cut_at_line_boundaries() {
    let (server, client, points) = in_parts(|_, _| Reply::status(204));
    client.write(&points).send().unwrap();
    let requests = server.requests();
    assert_eq!(requests.len(), 5);
    let whole: String = requests.iter().map(Request::text).collect();
    assert_eq!(whole.lines().count(), 50);
    assert!(requests.iter().all(|r| r.body.len() <= 200 && r.body.ends_with(b"\n")));
    let text = "m f=\"a\nb\" 1\n".repeat(100);
    client.write(&text).send().unwrap();
    let cut: Vec<_> = server.requests()[5..].iter().map(Request::text).collect();
    assert!(cut.iter().all(|part| part.starts_with("m f=") && part.ends_with("\" 1\n")));
    assert_eq!(cut.concat(), text);
}

#[test]
fn a_line_over_the_limit_is_refused_before_anything_is_sent() {
    let (server, client, mut points) = in_parts(|_, _| Reply::status(204));
    points.push(Point::new("m").field("f", "x".repeat(300)));
    let error = client.write(&points).send().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert!(
        error.to_string().contains("line 51") && error.to_string().contains("max_request_bytes"),
        "{error}"
    );
    assert!(server.requests().is_empty());
}

#[test]
fn a_failure_in_the_middle_says_how_far_it_came_and_hands_back_the_rest() {
    let (server, client, points) = in_parts(|n, _| match n {
        2 => Reply::text(503, "tired"),
        _ => Reply::status(204),
    });
    let error = client.write(&points).send().unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::Server, Some(503)));
    assert!(error.is_retryable() && !error.in_doubt());
    let written: usize = server.requests()[..2].iter().map(|r| r.text().lines().count()).sum();
    assert_eq!(error.lines_written(), written);
    assert_eq!(error.unsent().iter().map(Batch::lines).sum::<usize>(), 50 - written);
    assert_eq!(error.unsent()[0].attempts(), 1);
    assert_eq!(error.unsent()[1].attempts(), 0);
    for batch in error.into_unsent() {
        client.write(&batch).send().unwrap();
    }
    let mut stored: Vec<_> = server.requests().iter().map(Request::text).collect();
    stored.remove(2);
    let expected: String =
        points.iter().map(|p| p.to_line_protocol(Precision::Nanosecond).unwrap() + "\n").collect();
    assert_eq!(stored.concat(), expected);
}

#[test]
fn line_errors_have_the_numbers_lines_and_records_of_the_whole_call() {
    let partial = r#"{"error":"partial write of line protocol occurred","data":[
        {"error_message":"bad","line_number":2,"original_line":"m"},
        {"error_message":"worse","line_number":10,"original_line":""}]}"#;
    let (server, client, mut points) = in_parts(move |n, _| match n {
        1 => Reply::text(400, partial),
        3 => Reply::text(422, partial),
        _ => Reply::status(204),
    });
    // A point that is left out moves the lines behind it.
    points.insert(5, Point::new("m"));
    let error = client.write(&points).send().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PartialWrite);
    assert_eq!(
        server.requests().len(),
        5,
        "the parts behind a partial write are sent all the same"
    );
    let per_part = server.requests()[0].text().lines().count();
    assert_eq!(per_part, 10);
    let numbers: Vec<_> = error.line_errors().iter().map(|e| e.line_number().unwrap()).collect();
    assert_eq!(numbers, [12, 20, 32, 40]);
    let records: Vec<_> = error.line_errors().iter().map(|e| e.index().unwrap()).collect();
    assert_eq!(records, [12, 20, 32, 40], "one was left out before, and records count from 0");
    for line_error in error.line_errors() {
        let record = &points[line_error.index().unwrap()];
        assert_eq!(
            line_error.line(),
            Some(&*record.to_line_protocol(Precision::Nanosecond).unwrap())
        );
    }
    assert_eq!(error.lines_written(), 46);
    assert!(error.unsent().is_empty());
}

#[test]
fn a_batch_that_came_back_goes_where_it_belongs() {
    let server = Server::start(|n, _| if n == 0 { Reply::status(503) } else { Reply::status(204) });
    let client = client(&server);
    let request = client.write(point(1)).database("special").precision(Precision::Second);
    let error = request.send().unwrap_err();
    let batch = &error.unsent()[0];
    assert_eq!((batch.database(), batch.precision()), ("special", Precision::Second));
    client.write(batch).send().unwrap();
    assert_eq!(server.requests()[1].path, "/api/v2/write?bucket=special&precision=s");
    client.write(error.unsent()).send().unwrap();
    assert_eq!(server.requests()[2].path, "/api/v2/write?bucket=special&precision=s");
    client.write(batch).database("elsewhere").send().unwrap();
    assert_eq!(server.requests()[3].path, "/api/v2/write?bucket=elsewhere&precision=s");
    let mixed = client.write(vec![batch.clone()].into_iter()).precision(Precision::Second).send();
    assert_eq!(
        mixed.unwrap_err().kind(),
        ErrorKind::InvalidRecord,
        "an iterator cannot be asked first"
    );
}

#[test]
fn a_connection_that_went_stale_is_replaced_once_if_that_cannot_double_lines() {
    let server = Server::start(|n, _| match n {
        0 => Reply::AnswerThenClose(204),
        _ => Reply::status(204),
    });
    let client = client(&server);
    client.write(point(1)).send().unwrap();
    client.write(point(2)).send().unwrap();
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn lines_without_a_timestamp_are_not_sent_twice() {
    let server = Server::start(|_, _| Reply::Close);
    let client = client(&server);
    let error = client.write("m f=1").send().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert!(error.in_doubt() && error.is_retryable());
    assert_eq!(server.requests().len(), 1);
    assert_eq!(error.unsent()[0].line_protocol(), b"m f=1\n");
    client.write("m f=1 1").send().unwrap_err();
    assert_eq!(server.requests().len(), 3, "with a timestamp there is one more try");
}

#[test]
fn a_second_try_does_not_hide_that_the_first_may_have_been_carried_out() {
    let server = Server::start(|n, _| if n == 0 { Reply::Close } else { Reply::status(503) });
    let error = client(&server).write("m f=1 1").send().unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::Server, Some(503)));
    assert!(error.in_doubt());
}

#[test]
fn a_server_that_never_answers_is_left_after_the_timeout() {
    let server = Server::start(|_, _| Reply::Stall);
    let error =
        client(&server).write(point(1)).timeout(Duration::from_millis(200)).send().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(error.in_doubt() && error.is_retryable());
    assert!(error.to_string().contains("200ms"), "{error}");
    assert_eq!(error.unsent().len(), 1);
}

#[test]
fn retry_after_is_read_in_both_forms() {
    let at = |value: &'static str| {
        let server = Server::start(move |_, _| {
            Reply::Answer(429, vec![("retry-after", value.into())], vec![])
        });
        client(&server).write(point(1)).send().unwrap_err()
    };
    let error = at("7");
    assert_eq!(error.kind(), ErrorKind::RateLimited);
    assert_eq!(error.retry_after(), Some(Duration::from_secs(7)));
    assert_eq!(error.header("Retry-After"), Some("7"));
    assert!(error.is_retryable() && !error.in_doubt());
    assert_eq!(at("Wed, 21 Oct 2015 07:28:00 GMT").retry_after(), Some(Duration::ZERO));
    let future = at("Fri, 31 Dec 2100 23:59:59 GMT").retry_after().unwrap();
    assert!(future > Duration::from_secs(86_400 * 365));
    assert_eq!(at("soon").retry_after(), None);
}

#[test]
fn retries_and_doubts_follow_the_status() {
    for (status, kind, retryable, in_doubt) in [
        (408, ErrorKind::Timeout, true, true),
        (409, ErrorKind::Rejected, false, false),
        (429, ErrorKind::RateLimited, true, false),
        (500, ErrorKind::Server, true, true),
        (501, ErrorKind::Server, false, false),
        (502, ErrorKind::Server, true, true),
        (503, ErrorKind::Server, true, false),
        (504, ErrorKind::Server, true, true),
        (301, ErrorKind::Redirect, false, false),
        (403, ErrorKind::Unauthorized, false, false),
        (405, ErrorKind::NotFound, false, false),
        (413, ErrorKind::TooLarge, false, false),
        (422, ErrorKind::Rejected, false, false),
    ] {
        let server = Server::start(move |_, _| Reply::status(status));
        let error = client(&server).write(point(1)).send().unwrap_err();
        assert_eq!(error.kind(), kind, "{status}: {error}");
        assert_eq!((error.is_retryable(), error.in_doubt()), (retryable, in_doubt), "{status}");
        assert_eq!(server.requests().len(), 1, "{status}: a synchronous write is tried once");
    }
}

#[test]
fn a_redirect_shows_where_to_and_is_not_followed() {
    let server = Server::start(|_, _| {
        Reply::Answer(302, vec![("location", "https://login.example.io/".into())], vec![])
    });
    let error = client(&server).write(point(1)).send().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Redirect);
    assert!(error.to_string().contains("https://login.example.io/"), "{error}");
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn a_login_page_is_no_success() {
    let server = Server::start(|_, _| Reply::text(200, "<!DOCTYPE html><html>sign in</html>"));
    let error = client(&server).write(point(1)).send().unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::Server, Some(200)));
    assert!(error.to_string().contains("web page"), "{error}");
    assert_eq!(error.unsent().len(), 1);
}

#[test]
fn the_errors_of_other_products_are_read() {
    let told = |status, body: &'static str| {
        let server = Server::start(move |_, _| Reply::text(status, body));
        client(&server).write("m f=1 1\nm f=x 2\n").send().unwrap_err()
    };
    // Serverless and Dedicated name the line in the v2 shape.
    let error =
        told(400, r#"{"code":"invalid","line":2,"message":"failed to parse line protocol"}"#);
    assert_eq!(error.kind(), ErrorKind::Rejected);
    assert_eq!(error.line_errors()[0].line(), Some("m f=x 2"));
    // 3.10 says it in other words.
    let error = told(
        400,
        r#"{"error":"line protocol parsing error","data":{"error_message":"bad","line_number":2}}"#,
    );
    assert_eq!((error.kind(), error.line_errors().len()), (ErrorKind::Rejected, 1));
    let error = told(404, r#"{"error":"the database does not exist"}"#);
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().contains("database's name"), "{error}");
    // Odd shapes end in a text, never in a panic.
    for body in [
        "{}",
        "[]",
        "null",
        "{\"data\":[1,null,{}]}",
        "{\"data\":[{\"error_message\":\"x\",\"line_number\":99}]}",
        "{\"error\":{}}",
        "\u{fffd}",
    ] {
        assert!(!told(400, body).to_string().is_empty(), "{body}");
    }
}

#[test]
fn a_closed_client_says_so() {
    let server = Server::accepting();
    let first = client(&server);
    let second = first.clone();
    first.close().unwrap();
    first.close().unwrap();
    for error in [second.write(point(1)).send().unwrap_err(), second.ping().unwrap_err()] {
        assert_eq!(error.kind(), ErrorKind::Closed);
    }
    assert!(server.requests().is_empty());
}

#[test]
fn contradictions_are_named_before_anything_is_sent() {
    let server = Server::accepting();
    let nowhere = Client::builder().host(server.url()).build().unwrap();
    let error = nowhere.write(point(1)).send().unwrap_err();
    assert!(
        error.kind() == ErrorKind::Config && error.to_string().contains(".database("),
        "{error}"
    );
    let error = client(&server).write(point(1)).no_sync(true).send().unwrap_err();
    assert!(
        error.kind() == ErrorKind::Config && error.to_string().contains("use_v2_api(false)"),
        "{error}"
    );
    let error = client(&server).write(point(1)).header("a b", "c").send().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(server.requests().is_empty());
}

#[test]
fn a_line_with_several_errors_is_one_line_that_was_not_written() {
    const TWICE: &str = r#"{"error":"partial write of line protocol occurred","data":[
        {"error_message":"bad field","line_number":2},{"error_message":"and a bad tag","line_number":2}]}"#;
    let server = Server::start(|_, _| Reply::text(400, TWICE));
    let client = Client::builder().host(server.url()).database("db").build().unwrap();
    let error = client.write("m f=1 1\nm f=2 2\nm f=3 3").use_v2_api(false).send().unwrap_err();
    assert_eq!((error.lines_written(), error.line_errors().len()), (2, 2));
}
