//! Answers of proxies, and of the server by way of proxies: what is read of them, and what to do is said.

use crate::support::batching::{Events, client as batching, numbers, options, points};
use crate::support::http::{Reply, Server};
use influxdb3_blocking::{Batch, Client, Error, ErrorKind};

const NGINX_413: &str = "<html>\r\n<head><title>413 Request Entity Too Large</title></head>\r\n<body>\r\n\
                         <center><h1>413 Request Entity Too Large</h1></center>\r\n<hr><center>nginx</center>\r\n";

fn html(status: u16, page: &str) -> Reply {
    let content_type = ("content-type", "text/html; charset=UTF-8".to_owned());
    Reply::Answer(status, vec![content_type], page.as_bytes().to_vec())
}

fn page(status: u16, title: &str) -> Reply {
    html(status, &format!("<!DOCTYPE html>\n<html><head><title>{title}</title></head></html>"))
}

/// A proxy that takes bodies of up to so many bytes.
fn limiting(most: usize) -> Server {
    Server::start(
        move |_, request| {
            if request.body.len() > most { html(413, NGINX_413) } else { Reply::status(204) }
        },
    )
}

fn client(server: &Server) -> Client {
    Client::builder().host(server.url()).database("db").build().unwrap()
}

fn answered(reply: Reply) -> Error {
    let server = Server::start(move |_, _| reply.clone());
    client(&server).write("m f=1 1").send().unwrap_err()
}

/// The lines of the requests that were taken.
fn taken(server: &Server, most: usize) -> Vec<i64> {
    let requests = server.requests();
    let taken = requests.iter().filter(|request| request.body.len() <= most);
    taken.flat_map(|request| numbers(&request.body)).collect()
}

#[test]
fn a_synchronous_write_that_a_proxy_does_not_let_through_is_cut_until_it_does() {
    let server = limiting(100);
    client(&server).write(points(0..1000)).send().unwrap();
    assert_eq!(taken(&server, 100), (0..1000).collect::<Vec<_>>(), "each line once, and in order");
    let refused = server.requests().iter().filter(|request| request.body.len() > 100).count();
    assert!(refused < 10, "{refused} refusals: what is refused once is not asked for again");
}

#[test]
fn a_line_that_is_too_large_by_itself_ends_the_write_and_names_the_limit() {
    let server = limiting(100);
    let long = format!("m f=\"{}\" 3", "x".repeat(200));
    let text = ["m f=1 1", "m f=2 2", &long, "m f=4 4", "m f=5 5"].join("\n");
    let error = client(&server).write(text).send().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert_eq!(
        error.to_string(),
        "the request is too large: a web page (\"413 Request Entity Too Large\") of a proxy in front of the server; \
         make max_request_bytes what the server and the proxies in front of it take"
    );
    assert!(!error.is_retryable() && !error.in_doubt());
    assert_eq!(error.lines_written(), 2);
    let unsent = error.unsent();
    assert_eq!(unsent[0].line_protocol(), format!("{long}\n").as_bytes());
    assert!(unsent[0].attempts() > 1, "as a part of the others, and alone");
    let rest: usize = unsent[1..].iter().map(Batch::lines).sum();
    assert_eq!(rest, 2);
    let again = limiting(1000);
    unsent.iter().for_each(|batch| client(&again).write(batch).send().unwrap());
    assert_eq!(taken(&again, 1000), [3, 4, 5]);
}

#[test]
fn a_page_of_a_proxy_says_what_is_wrong_and_may_pass() {
    for (status, title, in_doubt, text) in [
        (
            502,
            "502 Bad Gateway",
            true,
            "a proxy in front of the server has no answer of it, status 502: a web page (\"502 Bad Gateway\"); is the \
             server running?",
        ),
        (
            503,
            "503 Service Unavailable",
            false,
            "the server failed with status 503: a web page (\"503 Service Unavailable\"), as proxies send it; is the \
             server behind it running?",
        ),
        (
            504,
            "504 Gateway Time-out",
            true,
            "a proxy in front of the server has no answer of it, status 504: a web page (\"504 Gateway Time-out\"); the \
             server took too long",
        ),
        (
            521,
            "example.io | 521: Web server is down",
            false,
            "a proxy in front of the server has no answer of it, status 521: a web page (\"example.io | 521: Web server \
             is down\"); is the server running?",
        ),
    ] {
        let error = answered(page(status, title));
        assert_eq!(error.to_string(), text);
        assert_eq!((error.kind(), error.status()), (ErrorKind::Server, Some(status)));
        assert_eq!((error.is_retryable(), error.in_doubt()), (true, in_doubt), "{status}");
    }
    let error = answered(page(404, "404 Not Found"));
    assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::NotFound, false));
    assert!(error.to_string().contains("(\"404 Not Found\"), status 404; is the host"), "{error}");
}

#[test]
fn cloudflare_has_statuses_of_its_own_for_a_server_that_is_not_there() {
    for (status, in_doubt) in [(520, true), (521, false), (522, true), (523, false), (524, true)] {
        let error = answered(Reply::text(status, &format!("error code: {status}")));
        assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Server, true), "{status}");
        assert_eq!(error.in_doubt(), in_doubt, "{status}");
        assert!(error.to_string().contains(&format!("error code: {status}")), "{error}");
        let server = Server::start(move |n, _| Reply::status(if n == 0 { status } else { 204 }));
        let client = batching(&server, options());
        client.write(points(0..3)).send().unwrap();
        client.flush().unwrap();
        assert_eq!(server.requests().len(), 2, "{status} is tried again");
    }
    for status in [525, 526, 530] {
        assert!(!answered(Reply::status(status)).is_retryable(), "{status}");
    }
}

#[test]
fn what_the_server_says_is_read_also_where_a_proxy_announces_it_as_a_page() {
    for (body, kind, text) in [
        (
            r#"{"code":"invalid","message":"write buffer error: error from wal: wal is shutdown and not accepting writes"}"#,
            ErrorKind::Server,
            "cannot take writes now",
        ),
        (r#"{"error":"db name cannot be empty"}"#, ErrorKind::Rejected, "db name cannot be empty"),
        ("no healthy upstream, says html", ErrorKind::Rejected, "no healthy upstream"),
    ] {
        let error = answered(html(400, body));
        assert_eq!(error.kind(), kind, "{error}");
        assert!(
            error.to_string().contains(text) && !error.to_string().contains("web page"),
            "{error}"
        );
    }
}

#[test]
fn a_missing_database_is_named_whatever_the_status() {
    for body in [
        r#"{"code":"not found","message":"bucket \"d\" not found"}"#,
        r#"{"error_code":"NOT_FOUND","message":"database not found: d"}"#,
        r#"{"error":"query error: database not found: d"}"#,
        "database not found: d",
    ] {
        for status in [400, 403, 404, 500] {
            let error = answered(Reply::text(status, body));
            assert_eq!(error.kind(), ErrorKind::NotFound, "{status} {error}");
            assert!(error.to_string().ends_with("check the database's name"), "{error}");
            assert!(!error.is_retryable() && !error.in_doubt(), "{status} {error}");
        }
    }
    // Not so what users have written and what only sounds like it.
    for body in [
        r#"{"error":"line protocol parsing error: m,t=database\\ not\\ found f=1"}"#,
        r#"{"message":"bucket \"d\" not found in the cache, retrying"}"#,
    ] {
        assert_eq!(answered(Reply::text(400, body)).kind(), ErrorKind::Rejected, "{body}");
    }
}

#[test]
fn the_code_of_an_error_is_told_wherever_it_stands() {
    for body in [
        r#"{"code":"invalid","message":"no such thing"}"#,
        r#"{"error_code":"invalid","message":"no such thing"}"#,
        r#"{"error":{"code":"invalid","message":"no such thing"}}"#,
    ] {
        let error = answered(Reply::text(400, body));
        assert_eq!(error.to_string(), "the server refused the write: invalid: no such thing");
    }
}

const HIDDEN: &str =
    r#"{"code":"invalid","message":"write buffer error: parsing for line protocol failed"}"#;

#[test]
fn a_bad_line_that_was_found_by_halving_does_not_say_that_nothing_is_stored() {
    let server = Server::start(|_, request| {
        let is_bad = numbers(&request.body).contains(&5);
        if is_bad { Reply::text(400, HIDDEN) } else { Reply::status(204) }
    });
    let events = Events::new();
    let client = batching(&server, events.record(options()));
    client.write(points(0..8)).send().unwrap();
    client.flush().unwrap();
    assert_eq!(events.numbers("error"), [5]);
    let told = events.all().into_iter().find(|event| event.name == "error").unwrap();
    assert_eq!(
        told.text,
        "bad lines were not stored; the others of their batch are sent without them (invalid: write buffer error: \
         parsing for line protocol failed); with use_v2_api(false) the server says what is wrong with a line\n\
         \tinvalid: write buffer error: parsing for line protocol failed (m f=5i 5)"
    );
    assert_eq!(client.write_stats().written.lines, 7);
}

#[test]
fn a_synchronous_write_of_bad_lines_says_that_nothing_of_the_request_is_stored() {
    let error = answered(Reply::text(400, HIDDEN));
    assert_eq!(
        error.to_string(),
        "invalid: write buffer error: parsing for line protocol failed; nothing of the request is stored. With \
         use_v2_api(false) the server names the bad lines and stores the good ones"
    );
    assert!(format!("{error:?}").contains("use_v2_api(false)"), "{error:?}");
}
