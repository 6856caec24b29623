//! https for writes and queries: one setting, and errors that say what to do.
#![cfg(all(feature = "query", feature = "tls"))]

use std::collections::HashSet;
use std::ffi::OsStr;
use std::sync::Arc;

use crate::support::own_process;
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
fn roots_are_added_to_those_that_are_there() {
    let (one, two) = (Authority::new(), Authority::new());
    let (first, second) =
        (start(&one.sign("127.0.0.1", false)), start(&two.sign("127.0.0.1", false)));
    for server in [&first, &second] {
        both_work(
            &builder(server)
                .tls_add_root_certs(one.pem())
                .tls_add_root_certs(two.pem())
                .build()
                .unwrap(),
        );
        both_work(
            &builder(server)
                .tls_add_root_certs(one.pem())
                .tls_root_certs(two.pem())
                .build()
                .unwrap(),
        );
    }
    let replaced = builder(&first).tls_root_certs(one.pem()).tls_root_certs(two.pem());
    check(both_fail(&replaced.build().unwrap()), ErrorKind::Tls, "tls_root_certs");
}

#[test]
#[cfg(feature = "native-certs")]
fn the_systems_roots_and_ones_own_are_trusted_together() {
    let (system, own) = (Authority::new(), Authority::new());
    let path = std::env::temp_dir().join(format!("system-roots-{}.pem", std::process::id()));
    std::fs::write(&path, system.pem()).unwrap();
    let (first, second) =
        (start(&system.sign("127.0.0.1", false)), start(&own.sign("127.0.0.1", false)));
    let (first_url, second_url, own) = (first.url(), second.url(), own.pem());
    // The variables by which rustls-native-certs is told what the system's store is.
    let variables = [
        ("SSL_CERT_FILE", path.as_os_str()),
        ("SSL_CERT_DIR", OsStr::new("")),
        ("FIRST", OsStr::new(&first_url)),
        ("SECOND", OsStr::new(&second_url)),
        ("OWN", OsStr::new(&own)),
    ];
    let name = "tls::the_systems_roots_and_ones_own_are_trusted_together";
    own_process::with_variables(name, &variables, || {
        let variable = |name| std::env::var(name).unwrap();
        let builder = |name| Client::builder().host(variable(name)).database("db");
        for server in ["FIRST", "SECOND"] {
            let both = builder(server).tls_native_roots(true).tls_add_root_certs(variable("OWN"));
            both_work(&both.build().unwrap());
        }
        let client = builder("SECOND").tls_native_roots(true).build().unwrap();
        check(both_fail(&client), ErrorKind::Tls, "tls_root_certs");
        let either = builder("FIRST").tls_native_roots(true).tls_root_certs(variable("OWN"));
        assert!(either.build().unwrap_err().to_string().contains("tls_add_root_certs"));
    });
    let _ = std::fs::remove_file(path);
}

#[test]
fn a_servers_own_certificate_is_accepted_exactly() {
    let self_signed = Authority::self_signed("127.0.0.1");
    let elsewhere = Authority::self_signed("example.io");
    let expired = Authority::new().sign("example.io", true);
    for leaf in [&self_signed, &elsewhere, &expired] {
        let server = start(leaf);
        both_work(&builder(&server).tls_root_certs(&leaf.certificate).build().unwrap());
        both_work(&builder(&server).tls_add_root_certs(&leaf.certificate).build().unwrap());
        // One of the same kind and for the same name is another one.
        let other = Authority::self_signed("127.0.0.1").certificate;
        both_fail(&builder(&server).tls_root_certs(other).build().unwrap());
    }
}

#[test]
fn a_server_is_called_by_the_name_that_is_set() {
    let authority = Authority::new();
    let server = start(&authority.sign("influx.example.io", false));
    let client = builder(&server).tls_root_certs(authority.pem());
    both_work(&client.clone().tls_server_name("influx.example.io").build().unwrap());
    let other = client.clone().tls_server_name("other.example.io").build().unwrap();
    check(both_fail(&other), ErrorKind::Tls, "not for other.example.io");
    let server = start(&authority.sign("127.0.0.2", false));
    let address = builder(&server).tls_root_certs(authority.pem()).tls_server_name("127.0.0.2");
    both_work(&address.build().unwrap());
    let error = client.tls_server_name("no name").build().unwrap_err();
    assert_eq!(error.to_string(), "tls_server_name \"no name\" is no host name or address");
}

#[test]
fn secrets_are_logged_when_that_is_asked_for_and_only_then() {
    let path = std::env::temp_dir().join(format!("key-log-{}", std::process::id()));
    let name = "tls::secrets_are_logged_when_that_is_asked_for_and_only_then";
    own_process::with_variables(name, &[("SSLKEYLOGFILE", path.as_os_str())], || {
        let authority = Authority::new();
        let server = start(&authority.sign("127.0.0.1", false));
        let path = std::env::var_os("SSLKEYLOGFILE").unwrap();
        let client = || builder(&server).tls_root_certs(authority.pem());
        both_work(&client().build().unwrap());
        assert!(!std::path::Path::new(&path).exists());
        both_work(&client().tls_key_log(true).build().unwrap());
        let log = std::fs::read_to_string(path).unwrap();
        let secrets = log.lines().filter(|line| line.starts_with("CLIENT_TRAFFIC_SECRET_0 "));
        let connections: HashSet<_> = secrets.map(|line| line.split(' ').nth(1).unwrap()).collect();
        assert_eq!(connections.len(), 2, "one of writes and one of queries: {log}");
    });
    let _ = std::fs::remove_file(path);
}

#[test]
fn the_provider_that_a_program_installs_is_not_ours() {
    let name = "tls::the_provider_that_a_program_installs_is_not_ours";
    own_process::in_own_process(name, || {
        // With this one no handshake can be made.
        let useless = rustls::crypto::CryptoProvider {
            cipher_suites: Vec::new(),
            kx_groups: Vec::new(),
            ..rustls::crypto::ring::default_provider()
        };
        useless.install_default().unwrap();
        let default = rustls::crypto::CryptoProvider::get_default().unwrap();
        assert!(Arc::clone(default).cipher_suites.is_empty());
        let authority = Authority::new();
        let server = start(&authority.sign("127.0.0.1", false));
        both_work(&builder(&server).tls_root_certs(authority.pem()).build().unwrap());
        let me = authority.sign("me", false);
        let client = builder(&server).client_cert(me.certificate, me.key);
        both_work(&client.danger_accept_invalid_certs(true).build().unwrap());
    });
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
