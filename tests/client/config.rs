//! Configuration: what is understood, what is refused, and that secrets are not shown.

use std::time::Duration;

use influxdb3_blocking::{Client, ErrorKind};

use crate::support::http::Server;

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
        "\"bad name\"",
        "\"Basic auth\"",
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
        "database twice",
        "percent",
    ] {
        assert!(text.contains(part), "{part} is missing: {text}");
    }
    assert!(problems_of("http://user:hunter2@example.io?token=x").contains(".token("));
    assert!(problems_of("?token=x").contains("host is empty"));
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

#[test]
fn public_types_cross_threads() {
    fn check<T: Send + Sync + 'static>() {}
    check::<Client>();
    check::<influxdb3_blocking::ClientBuilder>();
    check::<influxdb3_blocking::Point>();
    check::<influxdb3_blocking::Batch>();
    check::<influxdb3_blocking::LineBuffer>();
}
