//! Whether a server is ready, asked of servers that have an answer to that and of those that do not.

use crate::support::http::{Reply, Server};
use influxdb3_blocking::{Client, ErrorKind};

fn client(server: &Server) -> Client {
    Client::builder().host(server.url()).build().unwrap()
}

/// A server that has these paths, with these answers, and no others.
fn having(paths: &'static [(&'static str, u16)]) -> Server {
    Server::start(move |_, request| {
        assert_eq!(request.method, "GET");
        let found = paths.iter().find(|(path, _)| request.path == *path);
        let version = ("x-influxdb-version", "3.6.0".to_owned());
        match found {
            Some((_, status)) => Reply::Answer(*status, vec![version], b"OK".to_vec()),
            None => Reply::text(404, "Not found"),
        }
    })
}

fn asked(server: &Server) -> Vec<String> {
    server.requests().into_iter().map(|request| request.path).collect()
}

#[test]
fn each_server_is_asked_for_the_best_that_it_has() {
    let new = having(&[("/ready", 200), ("/health", 503), ("/ping", 503)]);
    client(&new).ready().unwrap();
    assert_eq!(asked(&new), ["/ready"]);
    let core_3_6 = having(&[("/health", 200), ("/ping", 503)]);
    client(&core_3_6).ready().unwrap();
    assert_eq!(asked(&core_3_6), ["/ready", "/health"]);
    let dedicated = having(&[("/ping", 204)]);
    client(&dedicated).ready().unwrap();
    assert_eq!(asked(&dedicated), ["/ready", "/health", "/ping"]);
}

#[test]
fn a_server_that_is_not_ready_says_so_and_may_be_later() {
    for paths in [&[("/ready", 503), ("/health", 200)], &[("/health", 503), ("/ping", 200)]] {
        let error = client(&having(paths)).ready().unwrap_err();
        assert_eq!((error.kind(), error.status()), (ErrorKind::Server, Some(503)));
        assert!(error.is_retryable() && error.to_string().starts_with("not ready: "), "{error}");
    }
    let error = client(&having(&[("/ready", 401)])).ready().unwrap_err();
    assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Unauthorized, false));
}

#[test]
fn what_is_no_influxdb_is_not_ready() {
    let nothing = client(&having(&[])).ready().unwrap_err();
    assert_eq!(nothing.kind(), ErrorKind::NotFound, "{nothing}");
    let login = Server::start(|_, _| Reply::text(200, "<html><title>Log in</title></html>"));
    let error = client(&login).ready().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Server);
    assert!(error.to_string().contains("/ready with a web page"), "{error}");
}

#[test]
fn a_closed_client_asks_nobody() {
    let server = having(&[("/ready", 200)]);
    let client = client(&server);
    client.close().unwrap();
    assert_eq!(client.ready().unwrap_err().kind(), ErrorKind::Closed);
    assert!(server.requests().is_empty());
}

#[test]
fn of_several_hosts_one_that_is_ready_is_enough() {
    let (stopping, ready) = (having(&[("/ready", 503)]), having(&[("/ready", 200)]));
    let client = Client::builder().hosts([stopping.url(), ready.url()]).build().unwrap();
    client.ready().unwrap();
    assert_eq!(asked(&stopping), ["/ready"]);
    let another = having(&[("/ready", 503)]);
    let client = Client::builder().hosts([stopping.url(), another.url()]).build().unwrap();
    assert!(client.ready().unwrap_err().is_retryable());
}
