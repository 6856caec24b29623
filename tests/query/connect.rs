//! The way to the server: what stands in it is named. (What queries share with writes: `tests/client`.)
#![cfg(all(feature = "query", feature = "tls"))]

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crate::support::batches::{answer, messages, numbers};
use crate::support::flight::{FlightServer, Io, Step};
use crate::support::proxy::Proxy;
use crate::support::raw;
use crate::support::tls::{Authority, Leaf, Wanted, server_config};
use influxdb3_blocking::{Client, ClientBuilder, Error, ErrorKind};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::TlsAcceptor;

fn builder(host: impl AsRef<str>) -> ClientBuilder {
    Client::builder().host(host).database("sensors")
}

fn error_of(builder: ClientBuilder) -> Error {
    builder.build().unwrap().query("SELECT 1").table().unwrap_err()
}

fn check(error: &Error, kind: ErrorKind, hint: &str) {
    assert_eq!(error.kind(), kind, "{error:#}");
    assert!(error.to_string().contains(hint), "{error:#}");
}

/// Goes through these steps over TLS, and offers these protocols. If there are no steps, it ends after the handshake.
fn secure(leaf: &Leaf, wanted: Wanted<'_>, protocols: &[&str], steps: Vec<Step>) -> FlightServer {
    let mut config = server_config(leaf, wanted);
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let has_steps = !steps.is_empty();
    FlightServer::start_with(
        move |_, _| steps.clone(),
        Arc::new(move |stream| {
            let acceptor = acceptor.clone();
            Box::pin(async move {
                let mut stream = acceptor.accept(stream).await.ok()?;
                if has_steps {
                    return Some(Box::new(stream) as Box<dyn Io>);
                }
                // What the client has to say is heard, so that no reset overtakes the end.
                let _ = stream.read(&mut [0; 1024]).await;
                let _ = stream.shutdown().await;
                let _ = stream.read_to_end(&mut Vec::new()).await;
                None
            })
        }),
    )
}

fn one_row() -> Vec<Step> {
    answer(vec![numbers(1)])
}

#[test]
fn what_broke_is_kept_as_the_cause() {
    let host = format!("http://127.0.0.1:{}", crate::support::http::unused_port());
    let error = error_of(builder(host));
    assert!(error.is_retryable() && !error.in_doubt());
    assert!(format!("{error:#}").contains("refused"), "{error:#}");
    let server =
        secure(&Authority::new().sign("localhost", false), Wanted::Nobody, &["h2"], one_row());
    let error = error_of(builder(format!("https://localhost:{}", server.port())));
    let mut cause = std::error::Error::source(&error);
    let mut is_found = false;
    while let Some(error) = cause {
        is_found |= error.to_string().contains("UnknownIssuer");
        cause = error.source();
    }
    assert!(is_found, "{error:#}");
}

#[test]
fn a_server_that_speaks_http_1_only() {
    let page = b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\n\r\n<html>no</html>";
    let error = error_of(builder(format!("http://{}", raw::answering(page))));
    check(&error, ErrorKind::Server, "HTTP/1.1 only");
    assert_eq!((error.status(), error.header("content-type")), (Some(400), Some("text/html")));
    assert!(error.to_string().contains("<html>no</html>"), "{error}");
}

#[test]
fn a_server_that_closes_at_once() {
    let error = error_of(builder(format!("http://{}", raw::answering(b""))));
    check(&error, ErrorKind::Connect, "https://");
}

#[test]
fn a_server_that_speaks_something_else() {
    let error =
        error_of(builder(format!("http://{}", raw::answering(b"220 smtp.example.io ESMTP\r\n"))));
    assert!(matches!(error.kind(), ErrorKind::Connect | ErrorKind::Server), "{error:#}");
}

#[test]
fn a_connection_that_does_not_answer_to_pings_is_dead() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = format!("http://{}", listener.local_addr().unwrap());
    let error = error_of(builder(host).idle_timeout(Duration::from_millis(10)));
    check(&error, ErrorKind::Timeout, "PINGs");
    assert!(error.is_retryable());
    drop(listener);
}

#[test]
fn tls_without_http_2_says_so() {
    let authority = Authority::new();
    let leaf = authority.sign("localhost", false);
    for protocols in [&[][..], &["http/1.1"]] {
        let server = secure(&leaf, Wanted::Nobody, protocols, one_row());
        let host = format!("https://localhost:{}", server.port());
        let error = error_of(builder(&host).tls_root_certs(authority.pem()));
        check(&error, ErrorKind::Tls, "not offer HTTP/2");
        assert!(!error.is_retryable());
    }
}

#[test]
fn a_certificate_is_for_a_name_or_for_an_address() {
    let authority = Authority::new();
    for host in ["localhost", "127.0.0.1"] {
        let server = secure(&authority.sign(host, false), Wanted::Nobody, &["h2"], one_row());
        let client = builder(format!("https://{host}:{}", server.port()));
        let client = client.tls_root_certs(authority.pem()).build().unwrap();
        assert_eq!(client.query("SELECT 1").table().unwrap().num_rows(), 1);
    }
}

#[test]
fn a_client_certificate_is_shown_when_it_is_wanted() {
    let authority = Authority::new();
    let leaf = authority.sign("localhost", false);
    let server = secure(&leaf, Wanted::ClientsOf(&authority), &["h2"], one_row());
    let host = format!("https://localhost:{}", server.port());
    let without = builder(&host).tls_root_certs(authority.pem());
    check(&error_of(without), ErrorKind::Tls, "client_cert");
    let me = authority.sign("me", false);
    let client = builder(&host)
        .tls_root_certs(authority.pem())
        .client_cert(me.certificate, me.key)
        .build()
        .unwrap();
    assert_eq!(client.query("SELECT 1").table().unwrap().num_rows(), 1);
}

#[test]
fn a_break_is_blamed_on_tls_only_if_nothing_came_after_the_handshake() {
    let authority = Authority::new();
    let leaf = authority.sign("localhost", false);
    let schema = messages(&[numbers(3)])[0].clone();
    for (steps, kind, hint) in [
        (
            vec![],
            ErrorKind::Tls,
            "right after the TLS handshake: does the server want a client_cert?",
        ),
        (vec![Step::Hangup], ErrorKind::Connect, "while waiting for the server to answer"),
        (vec![Step::Head, Step::Hangup], ErrorKind::Connect, "while waiting for the schema"),
        (
            vec![Step::Head, Step::Message(schema), Step::Hangup],
            ErrorKind::Connect,
            "in the middle of the answer",
        ),
    ] {
        let server = secure(&leaf, Wanted::Nobody, &["h2"], steps);
        let host = format!("https://localhost:{}", server.port());
        let error = error_of(builder(&host).tls_root_certs(authority.pem()));
        check(&error, kind, hint);
        assert!(error.is_retryable(), "{error:#}");
        assert_eq!(error.to_string().contains("client_cert"), kind == ErrorKind::Tls, "{error:#}");
    }
}

#[test]
fn what_is_asked_of_a_proxy() {
    let server = FlightServer::replay(answer(vec![numbers(1)]));
    let proxy = Proxy::start(Some("Basic bWU6cEBzcw=="));
    let via = format!("http://me:p%40ss@{}", proxy.address());
    let client = builder(server.url()).proxy(via).build().unwrap();
    assert_eq!(client.query("SELECT 1").table().unwrap().num_rows(), 1);
    let target = format!("127.0.0.1:{}", server.port());
    assert_eq!(
        proxy.heads(),
        [format!(
            "CONNECT {target} HTTP/1.1\r\nHost: {target}\r\nProxy-Authorization: Basic bWU6cEBzcw==\r\n\r\n"
        )]
    );
}

#[test]
fn a_proxy_whose_answer_is_none_is_named() {
    let server = FlightServer::replay(answer(vec![numbers(1)]));
    for (answer, hint) in [
        (&b""[..], "closed the connection"),
        (b"HTTP/1.1 200", "closed the connection"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", "SSH-2.0-OpenSSH"),
        (b"HTTP/1.1 503 Service Unavailable\r\n\r\n", "503 Service Unavailable"),
    ] {
        let proxy = format!("http://me:s3cret@{}", raw::answering(answer));
        let error = error_of(builder(server.url()).proxy(proxy));
        check(&error, ErrorKind::Proxy, hint);
        assert!(!format!("{error:#} {error:?}").contains("s3cret"), "{error:?}");
    }
}

#[test]
fn what_a_server_says_at_once_is_not_lost_in_a_tunnel() {
    let server = FlightServer::replay(answer(vec![numbers(1)]));
    let target = format!("127.0.0.1:{}", server.port());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = listener.local_addr().unwrap();
    thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        let mut head = [0; 1024];
        assert!(client.read(&mut head).unwrap() > 0);
        let mut server = TcpStream::connect(target).unwrap();
        // A server of HTTP/2 begins with its settings, without being asked: they come with the answer of the proxy.
        let mut piece = b"HTTP/1.0 200 OK\r\nVia: x\r\n\r\n".to_vec();
        let mut first = [0; 9];
        server.read_exact(&mut first).unwrap();
        piece.extend_from_slice(&first);
        client.write_all(&piece).unwrap();
        for (mut from, mut to) in
            [(client.try_clone().unwrap(), server.try_clone().unwrap()), (server, client)]
        {
            thread::spawn(move || {
                let _ = std::io::copy(&mut from, &mut to);
                let _ = to.shutdown(Shutdown::Write);
            });
        }
    });
    let client = builder("http://example.invalid").proxy(proxy.to_string()).build().unwrap();
    assert_eq!(client.query("SELECT 1").table().unwrap().num_rows(), 1);
}
