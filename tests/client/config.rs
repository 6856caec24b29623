//! Configuration: what is understood, what is refused, and that secrets are not shown.

use std::time::Duration;

use influxdb3_blocking::{Client, ErrorKind};
use log::Level;

use crate::support::http::Server;
use crate::support::logged::{keep_lines, logged, of};
use crate::support::own_process::{self, in_own_process};

fn problems_of(text: &str) -> String {
    let error = Client::from_connection_string(text).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    error.to_string()
}

#[test]
fn build_names_every_problem_at_once() {
    let error = Client::builder()
        .host("ftp://example.io")
        .token("two words")
        .proxy("socks4://proxy:1")
        .header("bad name", "x")
        .auth_scheme("Basic auth")
        .default_tag("a\nb", "c")
        .no_sync(true)
        .write_timeout(Duration::ZERO)
        .max_request_bytes(0)
        .build()
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    let text = error.to_string();
    for part in [
        "\"ftp\"",
        "the token has blanks",
        "socks4",
        "\"bad…\" is no header name",
        "\"Basic…\" is no auth scheme",
        "default_tag",
        "use_v2_api(false)",
        "write_timeout is 0",
        "max_request_bytes is 0",
    ] {
        assert!(text.contains(part), "{part} is missing: {text}");
    }
    assert!(!text.contains("two words"), "{text}");
}

#[test]
fn a_host_is_all_that_is_required() {
    let error = Client::builder().build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains(".host(") && error.to_string().contains("INFLUX_HOST"));
    Client::builder().host("localhost").build().unwrap();
}

#[test]
fn a_connection_string_sets_everything_and_decodes_it() {
    let server = Server::accepting();
    let client = Client::from_connection_string(format!(
        "{}/prefix/?token=t%2Bo%3D&database=my%20db&org=o+rg&authScheme=Bearer&precision=ms&gzipThreshold=5\
         &writeNoSync=TRUE&writeAcceptPartial=no&writeUseV2Api=off&writeTimeout=20s&queryTimeout=500&unknown=1",
        server.url()
    ))
    .unwrap();
    client.write("m f=1 1700000000000").send().unwrap();
    let request = &server.requests()[0];
    assert_eq!(
        request.path,
        "/prefix/api/v3/write_lp?db=my%20db&precision=millisecond&accept_partial=false&no_sync=true"
    );
    assert_eq!(request.header("authorization"), Some("Bearer t+o="));
    assert_eq!(request.header("content-encoding"), Some("gzip"));
}

#[test]
fn values_of_a_connection_string_that_are_wrong_are_all_named() {
    let text = problems_of(
        "http://example.io?precision=h&gzipThreshold=-1&writeNoSync=maybe&writeTimeout=1y&database=a&database=b&org=%zz",
    );
    for part in [
        "precision",
        "\"h\"",
        "gzipThreshold",
        "writeNoSync",
        "\"maybe\"",
        "writeTimeout",
        "\"database\" twice",
        "percent",
    ] {
        assert!(text.contains(part), "{part} is missing: {text}");
    }
    assert!(problems_of("http://user:hunter2@example.io?token=x").contains(".token("));
    assert!(problems_of("?token=x").contains("host is empty"));
}

#[test]
fn headers_that_would_not_do_what_they_say_are_refused_where_they_are_set() {
    let client = Client::builder().host("http://example.io").database("db").build().unwrap();
    for (name, why) in [
        (
            "gRPC-Timeout",
            "it belongs to gRPC, by which queries are made; the time limit of a query is its timeout",
        ),
        (
            "grpc-accept-encoding",
            "it belongs to gRPC, by which queries are made; the time limit of a query is its timeout",
        ),
        ("Upgrade", "it is about one connection (hop by hop), which the client keeps itself"),
        ("keep-alive", "it is about one connection (hop by hop), which the client keeps itself"),
        ("connection", "it is about one connection (hop by hop), which the client keeps itself"),
        ("te", "it is about one connection (hop by hop), which the client keeps itself"),
        ("trailer", "it is about one connection (hop by hop), which the client keeps itself"),
        (
            "transfer-encoding",
            "it is about one connection (hop by hop), which the client keeps itself",
        ),
        (
            "proxy-connection",
            "it is about one connection (hop by hop), which the client keeps itself",
        ),
        (
            "http2-settings",
            "it is about one connection (hop by hop), which the client keeps itself",
        ),
        (
            "proxy-authorization",
            "it is for the proxy and would be sent to the server; give .proxy(\"http://user:password@host:port\")",
        ),
        ("host", "it is what .host(…) says"),
        ("content-length", "it says what the body of a request is, which the client does itself"),
        ("content-encoding", "it says what the body of a request is, which the client does itself"),
        ("expect", "it says what the body of a request is, which the client does itself"),
        ("accept-encoding", "answers are read as they are, so they must not be compressed"),
    ] {
        let expected = format!("the header {} cannot be set: {why}", name.to_ascii_lowercase());
        let mut errors = vec![
            Client::builder().host("http://example.io").header(name, "x").build().unwrap_err(),
            client.write("m f=1").header(name, "x").send().unwrap_err(),
        ];
        #[cfg(feature = "query")]
        errors.push(client.query("SELECT 1").header(name, "x").table().unwrap_err());
        for error in errors {
            assert_eq!((error.kind(), error.to_string()), (ErrorKind::Config, expected.clone()));
        }
    }
}

#[test]
fn the_type_of_a_body_is_for_a_write_to_set() {
    let hint = "the header content-type cannot be set here: queries over gRPC have their own; set it on a single write";
    let server = Server::accepting();
    let client = Client::builder().host(server.url()).database("db");
    let error = client.clone().header("Content-Type", "x/y").build().unwrap_err();
    assert_eq!(error.to_string(), hint);
    let client = client.build().unwrap();
    #[cfg(feature = "query")]
    assert_eq!(
        client.query("SELECT 1").header("content-type", "x/y").table().unwrap_err().to_string(),
        hint
    );
    client.write("m f=1").header("content-type", "x/y").send().unwrap();
    assert_eq!(server.requests()[0].header("content-type"), Some("x/y"));
}

#[test]
#[cfg(unix)]
fn a_variable_that_is_not_utf_8_is_named_and_its_value_is_not_shown() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let variables = [
        ("INFLUX_HOST", OsStr::new("http://example.io")),
        ("INFLUX_TOKEN", OsStr::from_bytes(b"s3cret\xff")),
        ("INFLUX_DATABASE", OsStr::from_bytes(b"caf\xe9")),
        ("INFLUX_ORG", OsStr::new("")),
    ];
    let name = "config::a_variable_that_is_not_utf_8_is_named_and_its_value_is_not_shown";
    own_process::with_variables(name, &variables, || {
        let error = Client::from_env().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert_eq!(error.to_string(), "INFLUX_TOKEN is not UTF-8; INFLUX_DATABASE is not UTF-8");
    });
}

#[test]
fn every_variable_is_read_and_has_its_key_in_connection_strings() {
    use std::ffi::OsStr;
    let server = Server::start(|_, _| crate::support::http::Reply::status(204));
    let proxy = crate::support::proxy::Proxy::start(None);
    let host = format!("{}/prefix", server.url());
    let via = format!("http://{}", proxy.address());
    let values = [
        ("INFLUX_HOST", "host", host.as_str()),
        ("INFLUX_TOKEN", "token", "tok"),
        ("INFLUX_DATABASE", "database", "my db"),
        ("INFLUX_ORG", "org", "o"),
        ("INFLUX_AUTH_SCHEME", "authScheme", "Bearer"),
        ("INFLUX_PRECISION", "precision", "ms"),
        ("INFLUX_GZIP_THRESHOLD", "gzipThreshold", "1"),
        ("INFLUX_WRITE_NO_SYNC", "writeNoSync", "yes"),
        ("INFLUX_WRITE_ACCEPT_PARTIAL", "writeAcceptPartial", "off"),
        ("INFLUX_WRITE_USE_V2_API", "writeUseV2Api", "false"),
        ("INFLUX_CONNECT_TIMEOUT", "connectTimeout", "5s"),
        ("INFLUX_WRITE_TIMEOUT", "writeTimeout", "6s"),
        ("INFLUX_QUERY_TIMEOUT", "queryTimeout", "7s"),
        ("INFLUX_PROXY", "proxy", via.as_str()),
        ("INFLUX_PROXY_FROM_ENV", "proxyFromEnv", "no"),
        ("INFLUX_TLS_SERVER_NAME", "tlsServerName", "example.io"),
        ("INFLUX_TLS_NO_VERIFY", "tlsNoVerify", "yes"),
    ];
    let write = |client: Client| client.write("m f=1 1").send().unwrap();
    let name = "config::every_variable_is_read_and_has_its_key_in_connection_strings";
    let variables = values.map(|(variable, _, value)| (variable, OsStr::new(value)));
    if own_process::with_variables(name, &variables, || write(Client::from_env().unwrap())) {
        let keys = values[1..].iter().map(|(_, key, value)| format!("{key}={value}"));
        let text = format!("{host}?{}", keys.collect::<Vec<_>>().join("&"));
        write(Client::from_connection_string(text).unwrap());
        let requests = server.requests();
        assert_eq!((requests.len(), proxy.heads().len()), (2, 2));
        for request in requests {
            assert_eq!(
                request.path,
                "/prefix/api/v3/write_lp?db=my%20db&precision=millisecond&accept_partial=false&no_sync=true"
            );
            assert_eq!(request.header("authorization"), Some("Bearer tok"));
            assert_eq!(request.header("content-encoding"), Some("gzip"));
        }
        // Each of them is understood, as each nonsense is refused.
        for (_, key, _) in &values[5..] {
            let error = Client::from_connection_string(format!("{host}?{key}=%20")).unwrap_err();
            assert!(error.to_string().starts_with(key), "{error}");
        }
    }
}

#[test]
fn secrets_are_in_no_debug_output() {
    const SECRETS: [&str; 4] = ["t0ken-secret", "pr0xy-secret", "h3ader-secret", "user-secret"];
    let builder = Client::builder()
        .host("http://example.io")
        .token("t0ken-secret")
        .proxy("http://user-secret:pr0xy-secret@proxy:1")
        .header("x-key", "h3ader-secret");
    let client = builder.clone().build().unwrap();
    let request = client.write("m f=1").header("x-key", "h3ader-secret");
    let shown = format!("{builder:?} {client:?} {request:?}");
    for secret in SECRETS {
        assert!(!shown.contains(secret), "{shown}");
    }
    let error =
        Client::from_connection_string("http://user-secret:x@h?token=t0ken-secret%20x&precision=q");
    let error = error.unwrap_err();
    for shown in [format!("{error}"), format!("{error:?}"), format!("{error:#}")] {
        assert!(!shown.contains("secret"), "{shown}");
    }
}

/// A name is shown up to where it is none, as it may be a secret that stands in its place.
#[test]
fn a_secret_in_the_place_of_a_name_is_not_shown() {
    let host = || Client::builder().host("http://example.io");
    let from = |text| Client::builder().with_connection_string(text);
    let long = "s3cret".repeat(8);
    for (builder, shown) in [
        (host().auth_scheme("Token s3cret"), "\"Token…\" is no auth scheme"),
        (host().auth_scheme(format!("{long}==")), "\"…\" is no auth scheme"),
        (from("http://a?authScheme=Bearer+s3cret"), "authScheme: \"Bearer…\" is no auth"),
        (host().header("Authorization: Bearer s3cret", ""), "\"Authorization…\" is no header name"),
        (
            host().header(format!("{long}=="), "x").header("", ""),
            "\"…\" is no header name; \"\" is",
        ),
        (host().proxy("me:s3cret://x@proxy:1"), "the proxy has the scheme \"me…\""),
        (host().proxy("http://me:s3cret"), "the proxy has the port \"…\""),
        (from("me:s3cret://x@example.io"), "the host contains user information"),
        (from("me:s3cret://example.io"), "the host has the scheme \"me…\""),
        (from("http://me:s3cret"), "the host has the port \"…\""),
        (from("http://a?apiv3_s3cret=&apiv3_s3cret="), "the connection string has \"…\" twice"),
        (from("http://a?token=x&s3cret&s3cret"), "the connection string has \"…\" twice"),
    ] {
        let error = builder.build().unwrap_err();
        assert!(error.to_string().contains(shown), "{shown}: {error}");
        assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
    }
}

#[test]
fn a_token_in_the_place_of_a_key_is_not_logged() {
    in_own_process("config::a_token_in_the_place_of_a_key_is_not_logged", || {
        keep_lines();
        let long = "s3cret".repeat(8);
        for key in ["apiv3_s3cret", "APIv3_s3cret=", "s3cret", &format!("{long}="), "+/s3cret="] {
            Client::from_connection_string(format!("http://a?{key}&other=1")).unwrap();
            let lines = logged();
            assert_eq!(of(&lines, Level::Warn, "which means nothing to this client"), 2);
            assert_eq!(of(&lines, Level::Warn, "the key \"other\""), 1, "{lines:?}");
            assert_eq!(of(&lines, Level::Warn, "s3cret"), 0, "{lines:?}");
        }
    });
}

#[test]
fn public_types_cross_threads() {
    fn check<T: Send + Sync + 'static>() {}
    check::<Client>();
    check::<influxdb3_blocking::ClientBuilder>();
    check::<influxdb3_blocking::Point>();
    check::<influxdb3_blocking::Batch>();
    check::<influxdb3_blocking::LineBuffer>();
}
