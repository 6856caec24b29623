//! The server as a thing: its thread, its port, its settings.

mod support;

use std::{
    io::{Read, Write},
    net::{IpAddr, Ipv6Addr, TcpListener, TcpStream},
    sync::Arc,
    thread,
};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use influxdb3_dev_server::DevServer;
use support::{http, post, write};
use tokio_rustls::rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject},
};
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint};

const CERT: &str = include_str!("tls/localhost.pem");
const KEY: &str = include_str!("tls/localhost.key");
const CA: &str = include_str!("tls/ca.pem");

#[test]
fn dropping_it_closes_connections() {
    let server = DevServer::start().unwrap();
    let mut open = TcpStream::connect(server.addr()).unwrap();
    drop(server);
    assert!(matches!(open.read(&mut [0]), Ok(0) | Err(_)));
}

#[test]
fn it_can_be_started_and_dropped_inside_a_runtime() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let server = DevServer::start().unwrap();
        write(&server, "db", "m f=1 1");
        assert_eq!(server.rows("db", "m"), 1);
    });
}

#[test]
fn dropping_it_does_not_wait_for_a_query() {
    let server = DevServer::builder().record_requests(true).start().unwrap();
    write(&server, "db", "m f=1 1");
    let endpoint = Endpoint::new(server.url()).unwrap();
    let client = thread::spawn(|| {
        let query = "SELECT count(*) FROM generate_series(1, 30000) a, generate_series(1, 30000) b \
                     WHERE a.value + b.value > 10";
        let ticket = serde_json::json!({"database": "db", "sql_query": query}).to_string();
        support::get_from(endpoint, ticket, &[]).end
    });
    while server.requests().len() < 2 {
        thread::yield_now();
    }
    drop(server);
    client.join().unwrap().unwrap_err();
}

#[test]
fn a_port_in_use_is_an_error() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    assert!(DevServer::builder().port(port).start().is_err());
}

#[test]
fn other_addresses_stand_in_the_url_as_they_must() {
    // Not every machine has IPv6.
    if let Ok(server) = DevServer::builder().host(IpAddr::V6(Ipv6Addr::LOCALHOST)).start() {
        assert!(server.url().starts_with("http://[::1]:"), "{}", server.url());
        write(&server, "db", "m f=1 1");
    }
}

#[test]
fn requests_are_kept_if_wanted() {
    let server = DevServer::builder().record_requests(true).start().unwrap();
    http(&server, "POST", "/api/v3/write_lp?db=a%2Fb&x=", &[("x-trace", "1")], b"m f=1").unwrap();
    post(&server, "/nowhere", "");
    let ticket = r#"{"database":"a/b","sql_query":"SELECT 1"}"#;
    support::get(&server, ticket, &[("x-trace", "2")]);

    let requests = server.requests();
    let [write, nowhere, query] = &requests[..] else { panic!("{requests:?}") };
    assert_eq!((write.method.as_str(), write.path.as_str()), ("POST", "/api/v3/write_lp"));
    assert_eq!((write.query.as_str(), &write.body[..]), ("db=a%2Fb&x=", &b"m f=1"[..]));
    assert_eq!(write.headers["x-trace"], "1");
    assert_eq!(write.encoded_len, 5);
    assert_eq!((nowhere.path.as_str(), nowhere.query.as_str()), ("/nowhere", ""));
    assert_eq!(query.headers["x-trace"], "2");
    assert_eq!(query.body, ticket.as_bytes());
    assert!(query.path.ends_with("FlightService/DoGet"));

    let server = DevServer::start().unwrap();
    post(&server, "/nowhere", "");
    assert!(server.requests().is_empty());
}

#[test]
fn options_are_answered_before_anybody_asks_for_a_token() {
    let server = DevServer::builder().token("secret").start().unwrap();
    let answer = http(&server, "OPTIONS", "/anything", &[], b"").unwrap();
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (204, Some("*")));
    assert_eq!(http(&server, "GET", "/health", &[], b"").unwrap().status, 401);
    let malformed = [("authorization", "secret")];
    assert_eq!(http(&server, "GET", "/health", &malformed, b"").unwrap().status, 400);
    let open = DevServer::start().unwrap();
    assert_eq!(http(&open, "GET", "/health", &malformed, b"").unwrap().status, 400);
    assert_eq!(http(&open, "HEAD", "/ping", &[], b"").unwrap().status, 404);
}

#[test]
fn grpc_is_what_says_so_over_http_2() {
    let server = DevServer::start().unwrap();
    let grpc = [("content-type", "application/grpc")];
    let answer = http(&server, "POST", "/health", &grpc, b"").unwrap();
    assert_eq!((answer.status, answer.text()), (404, "not found"));

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let stream = tokio::net::TcpStream::connect(server.addr()).await.unwrap();
        let (mut requests, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
                .await
                .unwrap();
        tokio::spawn(connection);
        let mut ask = async |content_type: &str| {
            let request = ::http::Request::get(format!("{}/health", server.url()))
                .header("content-type", content_type)
                .body(Full::<Bytes>::default())
                .unwrap();
            requests.send_request(request).await.unwrap()
        };
        let answer = ask("text/plain").await;
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "OK");
        let answer = ask("application/grpc+proto").await;
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["grpc-status"], "12");
        assert!(!answer.headers().contains_key("grpc-message"));
    });
}

#[test]
fn tls_carries_both_paths() {
    let server = DevServer::builder().tls(CERT, KEY).start().unwrap();
    assert!(server.url().starts_with("https://"));

    let answer = support::exchange(tls(&server), "POST", "/api/v3/write_lp?db=db", &[], b"m f=1");
    assert_eq!(answer.unwrap().status, 204);

    let authority = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(CA));
    let endpoint = Endpoint::new(server.url()).unwrap().tls_config(authority).unwrap();
    let ticket = r#"{"database":"db","sql_query":"SELECT f FROM m"}"#;
    assert_eq!(support::get_from(endpoint, ticket, &[]).batches()[0].num_rows(), 1);

    // Somebody who cannot speak TLS does no harm.
    let mut plain = TcpStream::connect(server.addr()).unwrap();
    plain.write_all(b"GET /health HTTP/1.1\r\n\r\n").unwrap();
    let answer = support::exchange(tls(&server), "GET", "/health", &[], b"").unwrap();
    assert_eq!(answer.text(), "OK");

    let error = DevServer::builder().tls(CERT, "nonsense").start().unwrap_err();
    assert!(error.to_string().starts_with("private key"), "{error}");
}

/// A connection for HTTP/1.1.
fn tls(server: &DevServer) -> StreamOwned<ClientConnection, TcpStream> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(CA.as_bytes()).unwrap()).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let name = "localhost".try_into().unwrap();
    let connection = ClientConnection::new(Arc::new(config), name).unwrap();
    StreamOwned::new(connection, TcpStream::connect(server.addr()).unwrap())
}
