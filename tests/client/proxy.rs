//! One proxy setting for writes and queries.
#![cfg(feature = "query")]

use crate::support::http::unused_port;
use crate::support::proxy::Proxy;
use influxdb3_blocking::{Client, ErrorKind, Point, Timestamp};
use influxdb3_dev_server::DevServer;

fn client(host: &str, proxy: &str) -> Client {
    Client::builder().host(host).database("db").proxy(proxy).build().unwrap()
}

fn use_both_paths(client: &Client) {
    client.write(Point::new("m").field("f", 1.5).time(Timestamp::nanos(1))).send().unwrap();
    assert_eq!(client.query("SELECT f FROM m").table().unwrap().num_rows(), 1);
}

#[test]
fn writes_and_queries_go_through_the_proxy() {
    let (server, proxy) = (DevServer::start().unwrap(), Proxy::start(None));
    use_both_paths(&client(&server.url(), &format!("http://{}", proxy.address())));
    let heads = proxy.heads();
    assert_eq!(heads.len(), 2, "{heads:?}");
    assert!(
        heads.iter().all(|head| head.starts_with(&format!("CONNECT {} ", server.addr()))),
        "{heads:?}"
    );
}

#[test]
fn the_proxy_is_shown_user_and_password_and_the_server_is_not() {
    // user:p@ss
    let proxy = Proxy::start(Some("Basic dXNlcjpwQHNz"));
    let server = DevServer::builder().record_requests(true).start().unwrap();
    use_both_paths(&client(&server.url(), &format!("http://user:p%40ss@{}", proxy.address())));
    let seen = server.requests();
    assert_eq!(seen.len(), 2);
    assert!(
        seen.iter()
            .all(|request| !format!("{request:?}").to_ascii_lowercase().contains("proxy-auth"))
    );
}

#[test]
#[cfg(feature = "tls")]
fn tls_goes_through_the_proxy() {
    let authority = crate::support::tls::Authority::new();
    let leaf = authority.sign("127.0.0.1", false);
    let server = DevServer::builder().tls(leaf.certificate, leaf.key).start().unwrap();
    let proxy = Proxy::start(None);
    let client =
        Client::builder().host(server.url()).database("db").tls_root_certs(authority.pem());
    use_both_paths(&client.proxy(format!("http://{}", proxy.address())).build().unwrap());
    assert_eq!(proxy.heads().len(), 2);
}

#[test]
fn a_proxy_that_refuses_or_is_not_there_is_named_without_its_password() {
    let server = DevServer::start().unwrap();
    let proxy = Proxy::start(Some("Basic nobody"));
    let refused = client(&server.url(), &format!("http://user:s3cret@{}", proxy.address()));
    let absent = client(&server.url(), &format!("http://user:s3cret@127.0.0.1:{}", unused_port()));
    for client in [&refused, &absent] {
        let write = client.write("m f=1 1").send().unwrap_err();
        assert_eq!(write.unsent().len(), 1);
        for error in [write, client.query("SELECT 1").table().unwrap_err()] {
            assert_eq!(error.kind(), ErrorKind::Proxy, "{error:#}");
            assert!(!error.in_doubt());
            let shown = format!("{error:#} {error:?}");
            assert!(shown.contains("proxy") && !shown.contains("s3cret"), "{shown}");
        }
    }
    assert_eq!(server.tables("db"), Vec::<String>::new());
}
