//! https for writes and queries: one setting, and errors that say what to do.
#![cfg(all(feature = "query", feature = "tls"))]

use crate::support::tls::{Authority, Leaf};
use influxdb3_blocking::{Client, ClientBuilder, Error, ErrorKind, Point, Timestamp};
use influxdb3_dev_server::DevServer;

fn start(leaf: &Leaf) -> DevServer {
    DevServer::builder().tls(leaf.certificate.clone(), leaf.key.clone()).start().unwrap()
}

fn builder(server: &DevServer) -> ClientBuilder {
    Client::builder().host(server.url()).database("db")
}

/// A write and a query, which must fail alike.
fn both_fail(client: &Client) -> [Error; 2] {
    let write = client.write(Point::new("m").field("f", 1)).send().unwrap_err();
    assert_eq!(write.unsent().len(), 1, "the lines come back");
    assert!(!write.in_doubt(), "nothing was sent");
    [write, client.query("SELECT 1").table().unwrap_err()]
}

fn both_work(client: &Client) {
    client.write(Point::new("m").field("f", 1.5).time(Timestamp::nanos(1))).send().unwrap();
    let table = client.query("SELECT f FROM m").table().unwrap();
    assert_eq!(table.rows().next().unwrap().get::<f64>("f").unwrap(), 1.5);
    assert_eq!(client.server_version().unwrap(), "3.6.0");
}

fn check(errors: [Error; 2], kind: ErrorKind, hint: &str) {
    for error in errors {
        assert_eq!(error.kind(), kind, "{error:#}");
        assert!(error.to_string().contains(hint), "{hint:?} is missing: {error:#}");
        assert!(!error.is_retryable(), "{error}");
    }
}

#[test]
fn a_root_of_a_bundle_is_enough_for_both_paths() {
    let (authority, other) = (Authority::new(), Authority::new());
    let server = start(&authority.sign("127.0.0.1", false));
    both_work(&builder(&server).tls_root_certs(authority.pem()).build().unwrap());
    let bundle = format!("# a comment\r\n{}{}", other.pem(), authority.pem()).replace('\n', "\r\n");
    both_work(&builder(&server).tls_root_certs(bundle).build().unwrap());
}

#[test]
fn a_certificate_signed_by_nobody_known_names_the_setting() {
    let server = start(&Authority::new().sign("127.0.0.1", false));
    check(both_fail(&builder(&server).build().unwrap()), ErrorKind::Tls, "tls_root_certs");
    let other = builder(&server).tls_root_certs(Authority::new().pem()).build().unwrap();
    check(both_fail(&other), ErrorKind::Tls, "tls_root_certs");
}

#[test]
fn an_expired_certificate_is_called_expired() {
    let authority = Authority::new();
    let server = start(&authority.sign("127.0.0.1", true));
    let client = builder(&server).tls_root_certs(authority.pem()).build().unwrap();
    check(both_fail(&client), ErrorKind::Tls, "expired");
}

#[test]
fn a_certificate_of_another_host_is_refused() {
    let authority = Authority::new();
    let server = start(&authority.sign("example.io", false));
    let client = builder(&server).tls_root_certs(authority.pem()).build().unwrap();
    check(both_fail(&client), ErrorKind::Tls, "for example.io, not for 127.0.0.1");
}

#[test]
fn danger_accepts_what_nobody_should() {
    let server = start(&Authority::new().sign("example.io", true));
    both_work(&builder(&server).danger_accept_invalid_certs(true).build().unwrap());
}

#[test]
fn tls_to_a_plain_port_says_so() {
    let server = DevServer::start().unwrap();
    let host = server.url().replace("http:", "https:");
    let client = Client::builder().host(host).database("db").build().unwrap();
    check(both_fail(&client), ErrorKind::Tls, "does not speak TLS");
}

#[test]
fn plain_to_a_tls_port_says_so() {
    let authority = Authority::new();
    let server = start(&authority.sign("127.0.0.1", false));
    let host = server.url().replace("https:", "http:");
    let client = Client::builder().host(host).database("db").build().unwrap();
    let write = client.write(Point::new("m").field("f", 1)).send().unwrap_err();
    assert!(write.to_string().contains("https://"), "{write:#}");
    let query = client.query("SELECT 1").table().unwrap_err();
    assert!(query.to_string().contains("https://"), "{query:#}");
}

#[test]
fn a_client_certificate_is_shown_to_a_server_that_wants_one() {
    let authority = Authority::new();
    let leaf = authority.sign("127.0.0.1", false);
    let client = |builder: ClientBuilder| {
        builder.database("db").tls_root_certs(authority.pem()).build().unwrap()
    };

    let (address, server) = crate::support::tls::mutual(&authority, &leaf);
    let me = authority.sign("me", false);
    let known = client(
        Client::builder().host(format!("https://{address}")).client_cert(&me.certificate, &me.key),
    );
    known.write("m f=1 1").send().unwrap();
    drop(known);
    server.join().unwrap().unwrap();

    let (address, server) = crate::support::tls::mutual(&authority, &leaf);
    let unknown = client(Client::builder().host(format!("https://{address}")));
    let error = unknown.write("m f=1 1").send().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Tls, "{error:#}");
    drop(unknown);
    assert!(server.join().unwrap().is_err());
}

#[test]
fn certificates_that_cannot_be_used_are_problems_of_build() {
    let authority = Authority::new();
    let (one, two) = (authority.sign("a", false), authority.sign("b", false));
    let problem = |builder: ClientBuilder, hint: &str| {
        let error = builder.host("https://example.io").build().unwrap_err();
        assert!(error.kind() == ErrorKind::Config && error.to_string().contains(hint), "{error}");
        assert!(!error.to_string().contains("PRIVATE"), "{error}");
    };
    problem(Client::builder().tls_root_certs(""), "no certificate");
    problem(Client::builder().tls_root_certs("-----BEGIN CERTIFICATE-----\nx"), "PEM");
    problem(
        Client::builder().client_cert(&one.certificate, &two.key),
        "certificate and key cannot be used",
    );
    problem(Client::builder().client_cert(&one.key, &one.key), "no certificate");
    problem(
        Client::builder().client_cert(&one.certificate, &one.certificate),
        "is a certificate: give the private key",
    );
    let shown = format!("{:?}", Client::builder().client_cert(&one.certificate, &one.key));
    assert!(!shown.contains("PRIVATE"));
}
