//! What goes wrong around a program: each a clear error that names what to do, and nothing is lost.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;

use crate::support::http::{Reply, Server, unused_port};
use influxdb3_blocking::{Client, Error, ErrorKind, Point, Timestamp};

fn write_to(host: &str) -> Error {
    let client = Client::builder().host(host).database("db").build().unwrap();
    client.write(Point::new("m").field("f", 1)).send().unwrap_err()
}

fn check(error: &Error, kind: ErrorKind, hint: &str) {
    assert_eq!(error.kind(), kind, "{error:#}");
    assert!(error.to_string().contains(hint), "{hint:?} is missing: {error}");
    assert_eq!(error.unsent().len(), 1, "the lines come back");
    assert_eq!(error.unsent()[0].line_protocol(), b"m f=1i\n");
    assert_eq!(error.lines_written(), 0);
}

#[test]
fn a_host_that_does_not_exist() {
    let error = write_to("http://no-such-host.invalid");
    check(&error, ErrorKind::Connect, "does not resolve");
    assert!(error.is_retryable() && !error.in_doubt());
}

#[test]
fn a_port_where_nobody_listens() {
    let error = write_to(&format!("http://127.0.0.1:{}", unused_port()));
    check(&error, ErrorKind::Connect, "is the server running");
    assert!(error.is_retryable() && !error.in_doubt());
    assert!(std::error::Error::source(&error).is_some(), "the cause is kept");
}

#[test]
fn a_server_that_speaks_html() {
    let page = "<html><body>Welcome to nginx</body></html>";
    let server = Server::start(move |_, _| {
        Reply::Answer(404, vec![("content-type", "text/html".into())], page.into())
    });
    check(&write_to(&server.url()), ErrorKind::NotFound, "a web page");
    let server = Server::start(move |_, _| Reply::text(200, page));
    check(&write_to(&server.url()), ErrorKind::Server, "Is the host right");
}

#[test]
fn a_port_that_does_not_speak_http() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 1024]);
        // A TLS alert, as a TLS port answers to plain HTTP.
        let _ = stream.write_all(&[0x15, 0x03, 0x01, 0x00, 0x02, 0x02, 0x46]);
        // Read on until the client goes, so that the alert is not lost to a reset.
        let _ = stream.read_to_end(&mut Vec::new());
    });
    check(&write_to(&format!("http://{address}")), ErrorKind::Server, "https://");
    server.join().unwrap();
}

#[test]
#[cfg(feature = "tls")]
fn tls_to_a_plain_port() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let plain = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 1024]);
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n");
        let _ = stream.read_to_end(&mut Vec::new());
    });
    let error = write_to(&format!("https://{address}"));
    check(&error, ErrorKind::Tls, "http://");
    assert!(!error.in_doubt(), "nothing was sent");
    plain.join().unwrap();
}

#[test]
fn records_that_cannot_be_written_are_refused_before_anything_is_sent() {
    let server = Server::accepting();
    let client = Client::builder().host(server.url()).database("db").build().unwrap();
    let refused = |point: Point, hint: &str| {
        let error = client.write(point).send().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRecord, "{error}");
        assert!(error.to_string().contains(hint), "{hint:?} is missing: {error}");
    };
    refused(Point::new("m").tag("room", "a\nb").field("f", 1), "room");
    refused(Point::new("m"), "no fields");
    refused(Point::new("m").field("f", 1).time(Timestamp::seconds(i64::MAX)), "time");
    refused(Point::new("").field("f", 1), "measurement");
    let error = client.write("m,a=1,a=2 f=1").send().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRecord);
    assert!(
        error.to_string().contains("twice") || error.to_string().contains("duplicate"),
        "{error}"
    );
    let error = client.write(&b"m f=1\nm,t=\xff f=1"[..]).send().unwrap_err();
    assert!(
        error.kind() == ErrorKind::InvalidRecord && error.to_string().contains("UTF-8"),
        "{error}"
    );
    assert!(server.requests().is_empty());
}
