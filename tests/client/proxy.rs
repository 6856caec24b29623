//! One proxy setting for writes and queries.
#![cfg(feature = "query")]

use std::ffi::OsStr;

use crate::support::http::unused_port;
use crate::support::own_process;
use crate::support::proxy::{Proxy, Socks};
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
    let client = client.proxy(format!("http://{}", proxy.address())).build().unwrap();
    use_both_paths(&client);
    // What was connected once is used again.
    use_both_paths(&client);
    client.write("other f=1 1").send().unwrap();
    assert_eq!(proxy.heads().len(), 2);
}

#[test]
#[cfg(feature = "tls")]
fn a_proxy_may_speak_tls_itself_and_tls_goes_through_that() {
    let authority = crate::support::tls::Authority::new();
    let leaf = authority.sign("127.0.0.1", false);
    let proxy = Proxy::start(Some("Basic dXNlcjpwQHNz"));
    let address = crate::support::proxy::behind_tls(&leaf, proxy.address());
    let plain = DevServer::start().unwrap();
    let secure = DevServer::builder().tls(leaf.certificate, leaf.key).start().unwrap();
    for server in [&plain, &secure] {
        let client = Client::builder().host(server.url()).database("db");
        let client = client.proxy(format!("https://user:p%40ss@{address}"));
        use_both_paths(&client.clone().tls_root_certs(authority.pem()).build().unwrap());
        let distrusting = client.build().unwrap();
        for error in [
            distrusting.write("m f=1 1").send().unwrap_err(),
            distrusting.query("SELECT 1").table().unwrap_err(),
        ] {
            assert_eq!(error.kind(), ErrorKind::Proxy, "{error:#}");
            assert!(error.to_string().contains("the proxy's certificate is signed by nobody"));
        }
    }
    assert_eq!(proxy.heads().len(), 4);
}

#[test]
fn socks_5_is_spoken_with_and_without_a_password() {
    let server = DevServer::start().unwrap();
    let open = Socks::start(None, None);
    use_both_paths(&client(&server.url(), &format!("socks5://{}", open.address())));
    use_both_paths(&client(&server.url(), &format!("socks5h://me:unasked@{}", open.address())));
    let closed = Socks::start(Some(("user", "p@ss")), None);
    use_both_paths(&client(&server.url(), &format!("socks5://user:p%40ss@{}", closed.address())));
    assert_eq!(open.targets(), vec![server.addr().to_string(); 4]);
    assert_eq!(closed.targets(), vec![server.addr().to_string(); 2]);
}

#[test]
fn a_socks_proxy_resolves_the_name_of_the_server() {
    let server = DevServer::start().unwrap();
    let proxy = Socks::start(None, Some(server.addr()));
    let (address, port) = (proxy.address(), server.addr().port());
    let host = format!("http://influx.invalid:{port}");
    use_both_paths(&client(&host, &format!("socks5://{address}")));
    assert_eq!(proxy.targets(), vec![format!("influx.invalid:{port}"); 2]);
}

#[test]
fn an_ipv6_address_is_one_for_socks_as_well() {
    let proxy = Socks::start(None, None);
    let host = format!("http://[::1]:{}", unused_port());
    let client = client(&host, &format!("socks5://{}", proxy.address()));
    let errors = [
        client.write("m f=1 1").send().unwrap_err(),
        client.query("SELECT 1").table().unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), ErrorKind::Proxy, "{error:#}");
        assert!(error.to_string().contains("SOCKS reply 5"), "{error}");
    }
    assert_eq!(proxy.targets(), vec![host.replace("http://", ""); 2]);
}

#[test]
#[cfg(feature = "tls")]
fn tls_goes_through_a_socks_proxy() {
    let authority = crate::support::tls::Authority::new();
    let leaf = authority.sign("influx.invalid", false);
    let server = DevServer::builder().tls(leaf.certificate, leaf.key).start().unwrap();
    let proxy = Socks::start(None, Some(server.addr()));
    let client = Client::builder()
        .host(format!("https://influx.invalid:{}", server.addr().port()))
        .database("db")
        .tls_root_certs(authority.pem())
        .proxy(format!("socks5://{}", proxy.address()));
    use_both_paths(&client.build().unwrap());
}

#[test]
fn the_environments_proxy_is_taken_when_asked_for() {
    let (plain, socks) = (Proxy::start(None), Socks::start(None, None));
    let http = format!("http://{}", plain.address());
    let all = format!("socks5://{}", socks.address());
    let variables = [
        ("http_proxy", OsStr::new(&http)),
        ("ALL_PROXY", OsStr::new(&all)),
        ("NO_PROXY", OsStr::new("example.io, localhost")),
        ("INFLUX_PROXY_FROM_ENV", OsStr::new("on")),
    ];
    let name = "proxy::the_environments_proxy_is_taken_when_asked_for";
    let is_parent = own_process::with_variables(name, &variables, || {
        let server = DevServer::start().unwrap();
        let builder = || Client::builder().host(server.url()).database("db");
        use_both_paths(&builder().build().unwrap());
        use_both_paths(&builder().proxy_from_env(true).build().unwrap());
        use_both_paths(&builder().with_env().build().unwrap());
        let excepted = builder().host(format!("http://localhost:{}", server.addr().port()));
        use_both_paths(&excepted.proxy_from_env(true).build().unwrap());
        let all = std::env::var("ALL_PROXY").unwrap();
        use_both_paths(&builder().proxy_from_env(true).proxy(all).build().unwrap());
    });
    if is_parent {
        assert_eq!((plain.heads().len(), socks.targets().len()), (4, 2));
    }
}

#[test]
fn a_variable_that_is_no_proxy_is_a_problem_of_build_without_its_value() {
    let name = "proxy::a_variable_that_is_no_proxy_is_a_problem_of_build_without_its_value";
    let variables = [("HTTP_PROXY", OsStr::new("ftp://me:s3cret@proxy"))];
    own_process::with_variables(name, &variables, || {
        let builder = Client::builder().host("http://example.io");
        builder.clone().build().unwrap();
        let error = builder.proxy_from_env(true).build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert_eq!(
            error.to_string(),
            "HTTP_PROXY: the proxy has the scheme \"ftp\": use http://, https:// or socks5://"
        );
    });
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
