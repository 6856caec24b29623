//! Several hosts: which is next, what is never sent twice, and what errors say.

#[cfg(feature = "tls")]
use std::net::TcpListener;
use std::time::{Duration, Instant};

use crate::support::http::{Reply, Server, unused_port};
use influxdb3_blocking::{Client, ClientBuilder, ErrorKind};
use influxdb3_dev_server::DevServer;

const STOPPING: &str = r#"{"code":"invalid","message":"write buffer error: error from wal: wal is shutdown and not accepting writes"}"#;
const WRONG_ROLE: &str = r#"{"error":"cannot write to a compactor-only server"}"#;

fn builder<S: AsRef<str>>(hosts: impl IntoIterator<Item = S>) -> ClientBuilder {
    Client::builder().hosts(hosts).database("db")
}

fn nobody() -> String {
    format!("http://127.0.0.1:{}", unused_port())
}

/// How long a host is left alone that failed once.
const BACK_OFF: Duration = Duration::from_secs(1);

/// Always the same reply.
fn replying(reply: Reply) -> Server {
    Server::start(move |_, _| reply.clone())
}

const STAMPED: &str = "m f=1i 1";
const UNSTAMPED: &str = "m f=1i";

#[test]
fn what_certainly_was_not_stored_goes_to_the_next_host() {
    for first in [
        None,
        Some(Reply::status(503)),
        Some(Reply::status(401)),
        Some(Reply::text(400, STOPPING)),
        Some(Reply::text(500, WRONG_ROLE)),
    ] {
        let first = first.map(replying);
        let url = first.as_ref().map_or_else(nobody, Server::url);
        let second = Server::accepting();
        let client = builder([&url, &second.url()]).build().unwrap();
        let start = Instant::now();
        for text in [STAMPED, UNSTAMPED] {
            client.write(text).send().unwrap();
        }
        let bodies: Vec<_> = second.requests().iter().map(|request| request.text()).collect();
        assert_eq!(bodies, [format!("{STAMPED}\n"), format!("{UNSTAMPED}\n")]);
        // It is remembered: the second write does not ask it.
        let is_remembered = first.is_none_or(|first| first.requests().len() == 1);
        assert!(is_remembered || start.elapsed() > BACK_OFF);
    }
}

#[test]
fn what_may_be_stored_goes_to_the_next_host_only_if_its_lines_have_timestamps() {
    for first in [Reply::Close, Reply::status(502), Reply::status(504), Reply::Raw(b"HTT".to_vec())]
    {
        let (first, second) = (replying(first), Server::accepting());
        let client = builder([first.url(), second.url()]).build().unwrap();
        let error = client.write(UNSTAMPED).send().unwrap_err();
        assert!(second.requests().is_empty(), "it would be there twice");
        assert!(error.in_doubt(), "{error}");
        let reason = "not tried, as what was sent may be stored already";
        assert!(error.to_string().contains(&format!("{reason}: {}", second.url())), "{error}");
        assert_eq!(error.unsent()[0].line_protocol(), b"m f=1i\n");
        drop(client);

        let client = builder([first.url(), second.url()]).build().unwrap();
        client.write(STAMPED).send().unwrap();
        assert_eq!(second.requests().len(), 1);
    }
}

#[test]
fn what_is_wrong_with_the_request_is_wrong_at_every_host() {
    for status in [400, 403, 404, 413, 422, 429, 500] {
        let (first, second) = (replying(Reply::status(status)), Server::accepting());
        let client = builder([first.url(), second.url()]).build().unwrap();
        let error = client.write(STAMPED).send().unwrap_err();
        assert_eq!(error.status(), Some(status));
        assert!(second.requests().is_empty(), "{status}");
        assert!(error.to_string().starts_with(&first.url()), "{error}");
    }
}

#[test]
fn if_all_hosts_fail_the_error_says_why_each_of_them_did() {
    let refuses = replying(Reply::text(401, "who is this?"));
    let stopping = replying(Reply::text(400, STOPPING));
    let gone = nobody();
    let client = builder([&refuses.url(), &gone, &stopping.url()]).build().unwrap();
    let error = client.write(STAMPED).send().unwrap_err();
    let wal =
        "invalid: write buffer error: error from wal: wal is shutdown and not accepting writes";
    assert_eq!(
        error.to_string(),
        format!(
            "all 3 hosts failed: {}: the token is missing, wrong or expired (who is this?); cannot connect to {gone}: \
             nothing listens there; is the server running, and is this its port? (InfluxDB 3 itself: 8181); {}: the \
             server cannot take writes now (status 400): {wal}",
            refuses.url(),
            stopping.url(),
        )
    );
    assert!(error.is_retryable() && !error.in_doubt());
    assert_eq!(error.unsent()[0].lines(), 1);
    // Each further call tries all of them.
    client.write(STAMPED).send().unwrap_err();
    assert_eq!((refuses.requests().len(), stopping.requests().len()), (2, 2));
}

#[test]
fn a_refusal_after_a_failure_names_both_hosts() {
    let gone = nobody();
    let second = replying(Reply::text(404, r#"{"error":"bucket \"db\" not found"}"#));
    let client = builder([&gone, &second.url()]).build().unwrap();
    let error = client.write(STAMPED).send().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(!error.is_retryable());
    let text = error.to_string();
    assert!(text.starts_with(&second.url()) && text.contains("(asked in place of"), "{text}");
    assert!(text.contains(&format!("cannot connect to {gone}")), "{text}");
}

#[test]
fn a_host_that_is_slow_costs_one_call_and_the_next_goes_elsewhere() {
    let slow = Server::start(|n, _| if n == 0 { Reply::Stall } else { Reply::status(204) });
    let (second, start) = (Server::accepting(), Instant::now());
    let client = builder([slow.url(), second.url()]).build().unwrap();
    let error = client.write(STAMPED).timeout(Duration::from_millis(50)).send().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(error.in_doubt() && error.is_retryable());
    assert_eq!(
        error.to_string(),
        format!(
            "no answer from {} within 50ms (write_timeout); what was sent may be stored or not; not tried, as the time \
             is up: {}",
            slow.url(),
            second.url()
        )
    );
    client.write(STAMPED).send().unwrap();
    assert!(second.requests().len() == 1 || start.elapsed() > BACK_OFF);
}

#[cfg(feature = "tls")]
#[test]
fn a_host_that_never_ends_connecting_leaves_time_for_the_others() {
    // It accepts connections, and does not answer to the handshake.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = format!("https://{}", listener.local_addr().unwrap());
    let (second, gone) = (Server::accepting(), nobody());
    let client = builder([&silent, &second.url()]).build().unwrap();
    client.write(UNSTAMPED).timeout(Duration::from_secs(4)).send().unwrap();
    assert_eq!(second.requests().len(), 1);
    let client = builder([&silent, &gone]).build().unwrap();
    let error = client.write(UNSTAMPED).timeout(Duration::from_millis(200)).send().unwrap_err();
    let limit = "within 100ms (its share of write_timeout)";
    assert!(error.to_string().contains(limit), "{error}");
    assert!(!error.in_doubt() && error.to_string().starts_with("all 2 hosts failed: "), "{error}");
}

#[test]
fn ping_and_version_ask_the_next_host() {
    let (gone, server) = (nobody(), DevServer::start().unwrap());
    let client = builder([&gone, &server.url()]).build().unwrap();
    client.ping().unwrap();
    assert_eq!(client.server_version().unwrap(), "3.6.0");
    drop(server);
    let error = client.ping().unwrap_err();
    assert!(!error.in_doubt() && error.to_string().starts_with("all 2 hosts failed: "), "{error}");
}

#[test]
fn one_of_three_servers_dies_and_comes_back_then_all_die() {
    let servers = [(); 3].map(|()| DevServer::start().unwrap());
    let client = builder(servers.iter().map(DevServer::url)).build().unwrap();
    let mut sent = 0;
    let mut write = |count: usize| {
        for _ in 0..count {
            sent += 1;
            client.write(format!("m f=1i {sent}")).send().unwrap();
        }
        servers.iter().map(|server| server.rows("db", "m")).collect::<Vec<_>>()
    };
    assert_eq!(write(10), [10, 0, 0]);
    servers[0].stop();
    assert_eq!(write(10), [10, 10, 0]);
    servers[1].stop();
    assert_eq!(write(10), [10, 10, 10]);
    servers[0].resume().unwrap();
    servers[2].stop();
    assert_eq!(write(10), [20, 10, 10]);
    servers[0].stop();
    let error = client.write("m f=1i 99").send().unwrap_err();
    for server in &servers {
        assert!(error.to_string().contains(&server.url()), "{error}");
    }
    servers[1].resume().unwrap();
    client.write(&error.unsent()[0]).send().unwrap();
    assert_eq!(servers[1].rows("db", "m"), 11, "what came back can be written");
}

#[test]
fn a_host_whose_token_is_another_one_is_left_out() {
    let servers = ["good-token", "other-token", "good-token"]
        .map(|token| DevServer::builder().token(token).start().unwrap());
    let client = builder(servers.iter().map(DevServer::url)).token("good-token").build().unwrap();
    client.write("m f=1i 1").send().unwrap();
    servers[0].stop();
    client.write("m f=1i 2").send().unwrap();
    assert_eq!([0, 1, 2].map(|place| servers[place].rows("db", "m")), [1, 0, 1]);
}

#[test]
fn each_path_has_its_own_host_and_says_so_if_there_is_none() {
    let (ingest, query) = (DevServer::start().unwrap(), DevServer::start().unwrap());
    let client = Client::builder()
        .write_host(ingest.url())
        .query_host(query.url())
        .database("db")
        .build()
        .unwrap();
    client.write("m f=1i 1").send().unwrap();
    assert_eq!((ingest.rows("db", "m"), query.rows("db", "m")), (1, 0));
    #[cfg(feature = "query")]
    {
        assert_eq!(client.query("SELECT 1").table().unwrap_err().kind(), ErrorKind::NotFound);
        Client::builder()
            .host(query.url())
            .database("db")
            .build()
            .unwrap()
            .write("m f=2i 2")
            .send()
            .unwrap();
        assert_eq!(client.query("SELECT f FROM m").table().unwrap().num_rows(), 1);
        let client = Client::builder().write_host(ingest.url()).database("db").build().unwrap();
        let error = client.query("SELECT 1").table().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert_eq!(
            error.to_string(),
            "there is no host for queries: set .query_host(…) or .host(…)"
        );
    }
    let client = Client::builder().query_host(query.url()).database("db").build().unwrap();
    for error in [client.write("m f=1").send().unwrap_err(), client.ping().unwrap_err()] {
        assert_eq!(error.kind(), ErrorKind::Config);
        assert_eq!(
            error.to_string(),
            "there is no host for writes: set .write_host(…) or .host(…)"
        );
    }
}
