//! What a person is told who made a mistake: for each mistake the exact text, of a write and of a query.
#![cfg(all(feature = "query", feature = "tls"))]

use influxdb3_blocking::{Client, ClientBuilder, Error};
use influxdb3_dev_server::DevServer;

use crate::support::flight::{FlightServer, Step};
use crate::support::http::{Reply, Server, unused_port};
use crate::support::proxy::Socks;
use crate::support::raw;
use crate::support::tls::{Authority, Leaf};

fn builder(host: impl AsRef<str>) -> ClientBuilder {
    Client::builder().host(host).database("db")
}

fn write(builder: ClientBuilder) -> String {
    told(builder.build().unwrap().write("m f=1 1").send().unwrap_err())
}

fn query(builder: ClientBuilder) -> String {
    told(builder.build().unwrap().query("SELECT 1").table().unwrap_err())
}

fn build(builder: ClientBuilder) -> String {
    told(builder.build().unwrap_err())
}

/// The text, with an address of this test in place of its port.
fn told(error: Error) -> String {
    let text = error.to_string();
    let mut parts = text.split("127.0.0.1:");
    let mut told = parts.next().unwrap().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_digit());
        told.push_str(if rest.len() == part.len() { "127.0.0.1:" } else { "HERE" });
        told.push_str(rest);
    }
    told
}

/// A host that answers so, whatever it hears.
fn answering(answer: &'static str) -> String {
    format!("http://{}", raw::answering(answer.as_bytes()))
}

fn secure(leaf: &Leaf) -> DevServer {
    DevServer::builder().tls(leaf.certificate.clone(), leaf.key.clone()).start().unwrap()
}

fn status(code: i32, message: &str) -> FlightServer {
    FlightServer::replay(vec![Step::StatusOnly(code, message.to_owned())])
}

#[test]
fn http_to_a_port_that_speaks_tls() {
    let server = secure(&Authority::new().sign("127.0.0.1", false));
    let host = server.url().replace("https:", "http:");
    assert_eq!(
        write(builder(&host)),
        "http://HERE answered something that is not HTTP; does the port speak TLS (then use https://), or another \
         protocol?"
    );
    assert_eq!(query(builder(&host)), "the port of http://HERE speaks TLS: use https://");
}

#[test]
fn http_to_a_port_that_speaks_tls_and_says_so_in_http() {
    for page in [
        "HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\n\r\n<html><head><title>400 The plain HTTP request was \
         sent to HTTPS port</title></head></html>",
        "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n",
        "HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\n\r\n<p>Reason: You're speaking plain HTTP to an \
         SSL-enabled server port.<br />",
    ] {
        let host = answering(page);
        assert_eq!(
            write(builder(&host)),
            "the server refused the write: the port of the host speaks TLS: use https://"
        );
        assert_eq!(query(builder(&host)), "the port of http://HERE speaks TLS: use https://");
    }
}

#[test]
fn https_to_a_port_that_does_not() {
    let text = "no TLS connection to https://HERE: the server does not speak TLS on this port; use http:// or the TLS port";
    // As nginx has it.
    let host =
        answering("HTTP/1.1 400 Bad Request\r\nServer: nginx\r\n\r\n").replace("http:", "https:");
    assert_eq!((write(builder(&host)), query(builder(&host))), (text.into(), text.into()));
}

#[test]
fn a_proxy_in_front_of_the_server_that_speaks_http_1_only() {
    let host = answering(
        "HTTP/1.1 400 Bad Request\r\nServer: nginx\r\nContent-Type: text/html\r\n\r\n\
         <html>\r\n<center><h1>400 Bad Request</h1></center>\r\n</html>",
    );
    assert_eq!(
        query(builder(host)),
        "http://HERE speaks HTTP/1.1 only, and queries need HTTP/2: what stands in front of the server has to pass gRPC \
         on, or ask with .over_http(true) (status 400, text/html: <html> <center><h1>400 Bad Request</h1></center> </html>)"
    );
}

#[test]
fn influxdb_1_or_2() {
    let host = answering(
        "HTTP/1.1 404 Not Found\r\nX-Influxdb-Build: OSS\r\nX-Influxdb-Version: v2.7.11\r\n\r\n404 page not found",
    );
    assert_eq!(
        query(builder(host)),
        "http://HERE is InfluxDB v2.7.11: queries need InfluxDB 3 (whose port is 8181 unless it was told otherwise)"
    );
}

#[test]
fn a_self_signed_certificate() {
    let server = secure(&Authority::self_signed("127.0.0.1"));
    let text = "no TLS connection to https://HERE: the server's certificate is self-signed; give that certificate itself \
                with tls_root_certs";
    let client = builder(server.url());
    assert_eq!((write(client.clone()), query(client)), (text.into(), text.into()));
}

#[test]
fn a_certificate_that_nobody_known_has_signed() {
    let server = secure(&Authority::new().sign("127.0.0.1", false));
    let text = "no TLS connection to https://HERE: the server's certificate is signed by nobody known; give its root with \
                tls_root_certs (or the certificate itself, if it is self-signed)";
    let client = builder(server.url());
    assert_eq!((write(client.clone()), query(client)), (text.into(), text.into()));
}

#[test]
fn a_certificate_for_another_name() {
    let authority = Authority::new();
    let server = secure(&authority.sign("influx.example.io", false));
    let text = "no TLS connection to https://HERE: the server's certificate is for influx.example.io, not for 127.0.0.1; \
                use that name as the host, or as tls_server_name";
    let client = builder(server.url()).tls_root_certs(authority.pem());
    assert_eq!((write(client.clone()), query(client)), (text.into(), text.into()));
}

#[test]
fn an_encrypted_key_and_what_is_no_key() {
    let leaf = Authority::new().sign("me", false);
    let told = |key: &str| build(builder("https://example.io").client_cert(&leaf.certificate, key));
    for mark in ["BEGIN ENCRYPTED PRIVATE KEY", "Proc-Type: 4,ENCRYPTED"] {
        assert_eq!(
            told(&format!("-----{mark}-----\nMIIF\n")),
            "the key of client_cert is encrypted, and a password cannot be given: decrypt it once, for example with \
             `openssl pkey -in key.pem -out decrypted.pem`"
        );
    }
    assert_eq!(
        told("key.pem"),
        "the key of client_cert is no PEM private key: give PEM text with BEGIN PRIVATE KEY"
    );
    assert_eq!(
        told(&leaf.certificate),
        "the key of client_cert is a certificate: give the private key second"
    );
}

#[test]
fn a_token_with_the_scheme_of_its_header() {
    for (token, scheme) in [("Bearer x", "Bearer"), ("token x", "Token"), ("BASIC x", "Basic")] {
        assert_eq!(
            build(builder("http://example.io").token(token)),
            format!(
                "the token begins with {scheme:?}, which is the scheme of a header: leave it out (the scheme of writes \
                 is auth_scheme, queries always have Bearer)"
            )
        );
    }
    builder("http://example.io").token("Bearerlike").build().unwrap();
}

#[test]
fn a_port_where_nobody_listens() {
    let host = format!("http://127.0.0.1:{}", unused_port());
    let text = "cannot connect to http://HERE: nothing listens there; is the server running, and is this its port? \
                (InfluxDB 3 itself: 8181)";
    assert_eq!((write(builder(&host)), query(builder(&host))), (text.into(), text.into()));
}

#[test]
fn a_name_that_does_not_resolve() {
    let host = "http://no-such-host.invalid:8181";
    let text = "cannot connect to http://no-such-host.invalid:8181: the host name does not resolve; is it spelled right?";
    assert_eq!((write(builder(host)), query(builder(host))), (text.into(), text.into()));
}

#[test]
fn a_proxy_that_tunnels_to_few_ports_only() {
    let proxy = raw::answering(b"HTTP/1.1 403 Forbidden\r\n\r\n");
    let client = builder("http://example.io:8181").proxy(proxy.to_string());
    let text = "the proxy http://HERE refuses a tunnel to http://example.io:8181 (\"HTTP/1.1 403 Forbidden\"): it has to \
                allow CONNECT to port 8181 (http:// goes through a tunnel, too)";
    assert_eq!((write(client.clone()), query(client)), (text.into(), text.into()));
}

#[test]
fn a_proxy_that_wants_credentials() {
    // tinyproxy wants its own with 401.
    for (answer, status) in [
        (
            "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"x\"\r\n\r\n",
            407,
        ),
        ("HTTP/1.0 401 Unauthorized\r\nServer: tinyproxy/1.11\r\n\r\n", 401),
    ] {
        let proxy = raw::answering(answer.as_bytes());
        let client = builder("http://example.io:8181").proxy(format!("http://{proxy}"));
        let text = format!(
            "the proxy http://HERE wants a user and password (status {status}): give http://user:password@host:port"
        );
        assert_eq!((write(client.clone()), query(client)), (text.clone(), text));
        let client = builder("http://example.io:8181").proxy(format!("http://me:wrong@{proxy}"));
        let text = format!(
            "the proxy http://HERE does not accept the user and password that it was given (status {status})"
        );
        assert_eq!((write(client.clone()), query(client)), (text.clone(), text));
    }
    let proxy = raw::answering(b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Negotiate\r\nproxy-authenticate: NTLM\r\n\r\n");
    let client = builder("http://example.io:8181").proxy(proxy.to_string());
    let text = "the proxy http://HERE wants a user and password (status 407): give http://user:password@host:port; it \
                knows Negotiate, NTLM only, and this client Basic only";
    assert_eq!((write(client.clone()), query(client)), (text.into(), text.into()));
}

#[test]
fn a_socks_proxy_that_wants_credentials() {
    let proxy = Socks::start(Some(("user", "password")), None).address();
    let client = builder("http://example.io:8181").proxy(format!("socks5://{proxy}"));
    let text =
        "the proxy socks5://HERE wants a user and password: give socks5://user:password@host:port";
    assert_eq!((write(client.clone()), query(client)), (text.into(), text.into()));
    let client = builder("http://example.io:8181").proxy(format!("socks5://user:wrong@{proxy}"));
    let text = "the proxy socks5://HERE does not accept the user and password that it was given";
    assert_eq!((write(client.clone()), query(client)), (text.into(), text.into()));
}

#[test]
fn a_proxy_of_another_kind() {
    let server = DevServer::start().unwrap();
    let smtp = answering("220 mail.example.io ESMTP\r\n").replace("http://", "");
    let tls = answering("\u{15}\u{3}\u{1}\0\u{2}\u{2}F").replace("http://", "");
    for (proxy, text) in [
        (
            format!(
                "socks5://{}",
                answering("HTTP/1.1 400 Bad Request\r\n\r\n").replace("http://", "")
            ),
            "the proxy socks5://HERE does not speak SOCKS 5; is it an HTTP proxy? (then give http://host:port)",
        ),
        (
            format!("http://{smtp}"),
            "the proxy http://HERE answered \"220 mail.example.io ESMTP\": is it an HTTP proxy?",
        ),
        (format!("http://{tls}"), "the proxy http://HERE speaks TLS: give https://host:port"),
        (
            format!("http://127.0.0.1:{}", unused_port()),
            "cannot connect to the proxy http://HERE: nothing listens there; is the proxy running, and are host and \
             port right?",
        ),
        (
            format!(
                "https://{}",
                answering("HTTP/1.1 400 Bad Request\r\n\r\n").replace("http://", "")
            ),
            "no TLS connection to the proxy https://HERE: it does not speak TLS on this port; give http://host:port",
        ),
    ] {
        let client = builder(server.url()).proxy(proxy);
        assert_eq!((write(client.clone()), query(client)), (text.into(), text.into()));
    }
}

#[test]
fn a_login_in_the_way() {
    let login = "https://login.example.io/?next=%2F";
    let server = Server::start(move |_, _| {
        Reply::Answer(302, vec![("location", login.to_owned())], Vec::new())
    });
    assert_eq!(
        write(builder(server.url())),
        "the server redirects to https://login.example.io/?next=%2F; a write follows no redirect, so make that the host \
         if it is the InfluxDB server (is a login or http:// in the way?)"
    );
    let text = "http://HERE redirects queries to \"https://login.example.io/?next=%2F\" (status 302): make that the host if \
                it is the InfluxDB server (is a login or http:// in the way?)";
    let headers = vec![("location", login.to_owned())];
    let server = FlightServer::replay(vec![Step::HttpHead(302, headers), Step::End]);
    assert_eq!(query(builder(server.url())), text);
    let host = answering(
        "HTTP/1.1 302 Found\r\nLocation: https://login.example.io/?next=%2F\r\nContent-Length: 0\r\n\r\n",
    );
    assert_eq!(query(builder(host)), text);
}

#[test]
fn no_database() {
    let client = Client::builder().host("http://example.io").build().unwrap();
    let told_by_query = told(client.query("SELECT 1").table().unwrap_err());
    let told_by_write = told(client.write("m f=1").send().unwrap_err());
    assert_eq!(
        told_by_query,
        "there is no database to query: set .database(…) on the client or on the query, or the variable INFLUX_DATABASE"
    );
    assert_eq!(
        told_by_write,
        "no database: call .database(…) on the client's builder or on the request, or set the variable INFLUX_DATABASE"
    );
}

#[test]
fn a_query_of_too_many_files() {
    let told_by_server = "Error while planning query: External error: Query would exceed file limit of 432 parquet \
                          files. Please specify a smaller time range for your query.";
    assert_eq!(
        query(builder(status(13, told_by_server).url())),
        format!(
            "the query reads more files than the server allows: narrow its range of time, or raise the server's \
             --query-file-limit (INTERNAL): {told_by_server}"
        )
    );
}

#[test]
fn a_node_that_takes_no_queries() {
    assert_eq!(
        query(builder(status(12, "").url())),
        "the server does not answer such queries: is it InfluxDB 3, a node with the mode query (.query_host(…)), \
         and does it know this query language? (UNIMPLEMENTED)"
    );
    let server = FlightServer::replay(vec![Step::HttpHead(405, Vec::new()), Step::End]);
    assert_eq!(
        query(builder(server.url())),
        "http://HERE takes no queries (status 405): if it is a node of a cluster, name one of mode query with \
         .query_host(…)"
    );
}
