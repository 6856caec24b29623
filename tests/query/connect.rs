//! The way to the server: what stands in it is named, for queries as for writes.
#![cfg(all(feature = "query", feature = "tls"))]

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use crate::support::batches::{answer, numbers};
use crate::support::flight::{FlightServer, Io};
use crate::support::http::unused_port;
use influxdb3_blocking::{Client, ClientBuilder, Error, ErrorKind};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

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

/// Answers every connection with these bytes, once it was spoken to.
fn raw_server(answer: &'static [u8]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 1024]);
            let _ = stream.write_all(answer);
            let _ = stream.shutdown(Shutdown::Write);
            // The rest is read, so that no reset overtakes the answer.
            let _ = stream.read_to_end(&mut Vec::new());
        }
    });
    address
}

#[test]
fn a_host_that_does_not_exist() {
    let error = error_of(builder("http://no-such-host.invalid:8181"));
    check(
        &error,
        ErrorKind::Connect,
        "http://no-such-host.invalid:8181: the host name does not resolve",
    );
    assert!(error.is_retryable());
}

#[test]
fn a_port_where_nobody_listens() {
    let error = error_of(builder(format!("http://127.0.0.1:{}", unused_port())));
    check(&error, ErrorKind::Connect, "nothing listens there");
    assert!(error.is_retryable() && !error.in_doubt());
    assert!(format!("{error:#}").contains("refused"), "{error:#}");
}

#[test]
fn a_server_that_speaks_http_1_only() {
    let page = b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\n\r\n<html>no</html>";
    let error = error_of(builder(format!("http://{}", raw_server(page))));
    check(&error, ErrorKind::Server, "HTTP/1.1 only");
    assert_eq!((error.status(), error.header("content-type")), (Some(400), Some("text/html")));
    assert!(error.to_string().contains("<html>no</html>"), "{error}");
}

#[test]
fn a_server_that_closes_at_once() {
    let error = error_of(builder(format!("http://{}", raw_server(b""))));
    check(&error, ErrorKind::Connect, "https://");
}

#[test]
fn a_server_that_speaks_something_else() {
    let error =
        error_of(builder(format!("http://{}", raw_server(b"220 smtp.example.io ESMTP\r\n"))));
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
fn plain_to_a_tls_port() {
    let tls = Tls::new();
    let server = tls.server(tls.certificate(&["localhost"], 2100), None);
    let error = error_of(builder(server.url()));
    check(&error, ErrorKind::Tls, "https://");
}

#[test]
fn tls_to_a_plain_port() {
    let server = FlightServer::replay(answer(vec![numbers(1)]));
    let error = error_of(builder(server.url().replace("http://", "https://")));
    check(&error, ErrorKind::Tls, "http://");
    let page = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";
    let error = error_of(builder(format!("https://{}", raw_server(page))));
    check(&error, ErrorKind::Tls, "http://");
}

#[test]
fn certificates_are_checked_and_roots_are_the_callers() {
    let tls = Tls::new();
    let server = tls.server(tls.certificate(&["localhost", "127.0.0.1"], 2100), None);
    let (name, address) = (
        format!("https://localhost:{}", server.port()),
        format!("https://127.0.0.1:{}", server.port()),
    );
    check(&error_of(builder(&name)), ErrorKind::Tls, "tls_root_certs");
    // The root is the second one of the bundle.
    let bundle = format!("{}{}", Tls::new().root.pem(), tls.root.pem());
    for host in [&name, &address] {
        let client = builder(host).tls_root_certs(&bundle).build().unwrap();
        assert_eq!(client.query("SELECT 1").table().unwrap().num_rows(), 1);
    }
    let client = builder(&name).danger_accept_invalid_certs(true).build().unwrap();
    assert_eq!(client.query("SELECT 1").table().unwrap().num_rows(), 1);
}

#[test]
fn certificates_for_other_names_and_expired_ones_are_refused() {
    let tls = Tls::new();
    let server = tls.server(tls.certificate(&["example.io"], 2100), None);
    let host = format!("https://localhost:{}", server.port());
    let error = error_of(builder(&host).tls_root_certs(tls.root.pem()));
    check(&error, ErrorKind::Tls, "name");
    let server = tls.server(tls.certificate(&["localhost"], 2001), None);
    let host = format!("https://localhost:{}", server.port());
    let error = error_of(builder(&host).tls_root_certs(tls.root.pem()));
    check(&error, ErrorKind::Tls, "expired");
}

#[test]
fn a_client_certificate_is_shown_when_it_is_wanted() {
    let tls = Tls::new();
    let server = tls.server(tls.certificate(&["localhost"], 2100), Some(&tls.root));
    let host = format!("https://localhost:{}", server.port());
    let without = builder(&host).tls_root_certs(tls.root.pem());
    check(&error_of(without), ErrorKind::Tls, "client_cert");
    let (certificate, key) = tls.certificate(&["me"], 2100);
    let client = builder(&host)
        .tls_root_certs(tls.root.pem())
        .client_cert(certificate, key)
        .build()
        .unwrap();
    assert_eq!(client.query("SELECT 1").table().unwrap().num_rows(), 1);
}

#[test]
fn a_proxy_is_gone_through_and_told_its_password() {
    let server = FlightServer::replay(answer(vec![numbers(1)]));
    let proxy = Proxy::start(b"HTTP/1.1 200 Connection established\r\nX-Via: test\r\n\r\n");
    let client =
        builder(server.url()).proxy(format!("http://me:p%40ss@{}", proxy.address)).build().unwrap();
    assert_eq!(client.query("SELECT 1").table().unwrap().num_rows(), 1);
    let head = proxy.heads.lock().unwrap()[0].clone();
    let target = format!("127.0.0.1:{}", server.port());
    assert!(
        head.starts_with(&format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n")),
        "{head}"
    );
    assert!(head.contains("Proxy-Authorization: Basic bWU6cEBzcw==\r\n"), "{head}");
}

#[test]
fn tls_goes_through_a_proxy() {
    let tls = Tls::new();
    let server = tls.server(tls.certificate(&["localhost"], 2100), None);
    let proxy = Proxy::start(b"HTTP/1.0 200 OK\r\n\r\n");
    let client = builder(format!("https://localhost:{}", server.port()))
        .tls_root_certs(tls.root.pem())
        .proxy(format!("http://{}", proxy.address))
        .build()
        .unwrap();
    assert_eq!(client.query("SELECT 1").table().unwrap().num_rows(), 1);
}

#[test]
fn what_a_proxy_refuses_is_the_proxys() {
    let server = FlightServer::replay(answer(vec![numbers(1)]));
    for (answer, hint) in [
        (&b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"[..], "does not accept the user"),
        (b"HTTP/1.1 403 Forbidden\r\n\r\n", "403 Forbidden"),
        (b"", "closed the connection"),
        (b"HTTP/1.1 200", "closed the connection"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", "SSH-2.0-OpenSSH"),
    ] {
        let proxy = format!("http://me:s3cret@{}", raw_server(answer));
        let error = error_of(builder(server.url()).proxy(proxy));
        check(&error, ErrorKind::Proxy, hint);
        assert!(!format!("{error:#} {error:?}").contains("s3cret"), "{error:?}");
    }
    let nobody = format!("http://127.0.0.1:{}", unused_port());
    check(&error_of(builder(server.url()).proxy(nobody)), ErrorKind::Proxy, "nothing listens");
}

#[test]
fn a_proxy_that_never_answers_is_bounded_by_the_connect_timeout() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = format!("http://{}", listener.local_addr().unwrap());
    let silent =
        builder("http://127.0.0.1:1").proxy(proxy).connect_timeout(Duration::from_millis(50));
    check(&error_of(silent), ErrorKind::Timeout, "connect_timeout");
}

/// A CONNECT proxy that answers as it is told to, and then lets bytes pass.
struct Proxy {
    address: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    fn start(answer: &'static [u8]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let heads: Arc<Mutex<Vec<String>>> = Arc::default();
        let seen = Arc::clone(&heads);
        thread::spawn(move || {
            for client in listener.incoming() {
                let mut client = client.unwrap();
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    let mut byte = [0];
                    client.read_exact(&mut byte).unwrap();
                    head.push(byte[0]);
                }
                let head = String::from_utf8(head).unwrap();
                let target = head.split(' ').nth(1).unwrap().to_owned();
                seen.lock().unwrap().push(head);
                let server = TcpStream::connect(target).unwrap();
                client.write_all(answer).unwrap();
                for (mut from, mut to) in
                    [(client.try_clone().unwrap(), server.try_clone().unwrap()), (server, client)]
                {
                    thread::spawn(move || {
                        let _ = std::io::copy(&mut from, &mut to);
                        let _ = to.shutdown(Shutdown::Write);
                    });
                }
            }
        });
        Self { address, heads }
    }
}

/// An authority.
struct Tls {
    root: CertifiedIssuer<'static, KeyPair>,
}

type Pem = (String, String);

impl Tls {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        Self { root }
    }

    /// A certificate and its key.
    fn certificate(&self, names: &[&str], until: i32) -> Pem {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.not_before = date_time_ymd(2000, 1, 1);
        params.not_after = date_time_ymd(until, 1, 1);
        let key = KeyPair::generate().unwrap();
        (params.signed_by(&key, &self.root).unwrap().pem(), key.serialize_pem())
    }

    /// A server with one row, which wants a certificate of `clients`, if that is given.
    fn server(
        &self,
        (certificate, key): Pem,
        clients: Option<&CertifiedIssuer<'static, KeyPair>>,
    ) -> FlightServer {
        let provider = Arc::new(default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .unwrap();
        let builder = match clients {
            None => builder.with_no_client_auth(),
            Some(root) => {
                let mut roots = RootCertStore::empty();
                roots.add(root.der().clone()).unwrap();
                let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider);
                builder.with_client_cert_verifier(verifier.build().unwrap())
            }
        };
        let chain = CertificateDer::pem_slice_iter(certificate.as_bytes());
        let chain = chain.collect::<Result<_, _>>().unwrap();
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
        let mut config = builder.with_single_cert(chain, key).unwrap();
        config.alpn_protocols.push(b"h2".to_vec());
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let steps = answer(vec![numbers(1)]);
        FlightServer::start_with(
            move |_, _| steps.clone(),
            Arc::new(move |stream| {
                let acceptor = acceptor.clone();
                Box::pin(async move {
                    let stream = acceptor.accept(stream).await.ok()?;
                    Some(Box::new(stream) as Box<dyn Io>)
                })
            }),
        )
    }
}
