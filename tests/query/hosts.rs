//! Queries over several hosts: they move on until the first row, and never after it.
#![cfg(feature = "query")]

#[cfg(feature = "parquet")]
use std::io::{Read as _, Write as _};
#[cfg(any(feature = "parquet", feature = "tls"))]
use std::net::TcpListener;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crate::support::batches::{answer, messages, numbers};
use crate::support::flight::{FlightServer, Step};
use crate::support::http::unused_port;
use influxdb3_blocking::{Client, Error, ErrorKind};
use influxdb3_dev_server::DevServer;
use tokio::sync::Notify;

fn client<S: AsRef<str>>(hosts: impl IntoIterator<Item = S>) -> Client {
    Client::builder().hosts(hosts).database("db").build().unwrap()
}

fn nobody() -> String {
    format!("http://127.0.0.1:{}", unused_port())
}

/// A host to which no connection comes about: the system takes what is sent to it, and nobody answers.
#[cfg(feature = "tls")]
fn silent() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = format!("https://{}", listener.local_addr().unwrap());
    (listener, host)
}

/// A server with one row.
fn with_row() -> DevServer {
    let server = DevServer::start().unwrap();
    client([server.url()]).write("m f=1i 1").send().unwrap();
    server
}

#[test]
fn a_host_that_does_not_answer_queries_is_left_for_the_next_before_the_first_row() {
    let rows = answer(vec![numbers(3)]);
    let schema = messages(&[numbers(3)]).remove(0);
    for first in [
        vec![Step::StatusOnly(14, "the node is stopping".into())],
        vec![Step::StatusOnly(12, "not a query node".into())],
        vec![Step::StatusOnly(16, "who is this?".into())],
        vec![Step::HttpHead(503, Vec::new()), Step::End],
        vec![Step::HttpHead(405, Vec::new()), Step::End],
        vec![Step::Hangup],
        vec![Step::Head, Step::Hangup],
        // The schema is no row.
        vec![Step::Head, Step::Message(schema), Step::Hangup],
    ] {
        let (first, second) = (FlightServer::replay(first), FlightServer::replay(rows.clone()));
        let client = client([first.url(), second.url()]);
        let mut reader = client.query("SELECT 1").reader().unwrap();
        assert_eq!(reader.next().unwrap().unwrap().num_rows(), 3);
        assert!(reader.next().is_none());
        assert!(!first.calls().is_empty());
        assert_eq!(second.calls().len(), 1);
    }
}

/// With less time than `connect_timeout`, as well.
#[cfg(feature = "tls")]
#[test]
fn a_host_that_cannot_be_connected_to_leaves_time_for_the_next() {
    // A half of it is for each, and more than either needs.
    const TIME: Duration = Duration::from_secs(6);
    let ((_silent, first), second) = (silent(), with_row());
    let client = || client([&first, &second.url()]);
    thread::scope(|scope| {
        scope.spawn(|| {
            let client = client();
            let table = client.query("SELECT f FROM m").timeout(TIME).table().unwrap();
            assert_eq!(table.num_rows(), 1);
        });
        scope.spawn(|| {
            let client = client();
            let mut reader = client.query("SELECT f FROM m").timeout(TIME).reader().unwrap();
            assert_eq!(reader.next().unwrap().unwrap().num_rows(), 1);
        });
        #[cfg(feature = "parquet")]
        scope.spawn(|| {
            let client = client();
            let query = client.query("SELECT f FROM m").timeout(TIME).over_http(true);
            assert_eq!(query.table().unwrap().num_rows(), 1);
        });
    });
}

#[cfg(feature = "tls")]
#[test]
fn a_query_whose_time_ends_while_it_connects_names_all_hosts_that_it_tried() {
    let ((_first, first), (_second, second)) = (silent(), silent());
    for over_http in [false, cfg!(feature = "parquet")] {
        let client = client([&first, &second]);
        let query = client.query("SELECT 1").timeout(Duration::from_secs(2));
        #[cfg(feature = "parquet")]
        let query = query.over_http(over_http);
        let error = query.table().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout, "{over_http}: {error}");
        let text = error.to_string();
        for part in [
            "all 2 hosts failed: ".to_owned(),
            format!("no connection to {first} came about within "),
            "(its share of query_timeout)".to_owned(),
            format!(
                "{second}: the query took longer than its timeout (query_timeout): it ended while connecting"
            ),
        ] {
            assert!(text.contains(&part), "{part} is missing: {text}");
        }
    }
}

#[test]
fn after_the_first_row_a_query_ends_with_its_host() {
    let mut steps = answer(vec![numbers(3)]);
    steps.pop();
    let has_row = Arc::new(Notify::new());
    steps.extend([Step::WaitFor(has_row.clone()), Step::Hangup]);
    let (first, second) =
        (FlightServer::replay(steps), FlightServer::replay(answer(vec![numbers(3)])));
    let client = client([first.url(), second.url()]);
    let mut reader = client.query("SELECT 1").reader().unwrap();
    assert_eq!(reader.next().unwrap().unwrap().num_rows(), 3);
    has_row.notify_one();
    let error = Error::from(reader.next().unwrap().unwrap_err());
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert!(reader.next().is_none() && second.calls().is_empty());
}

#[test]
fn what_is_wrong_with_the_query_is_wrong_at_every_host() {
    for code in [3, 5, 7, 8] {
        let first = FlightServer::replay(vec![Step::StatusOnly(code, "no".into())]);
        let second = FlightServer::replay(answer(vec![numbers(3)]));
        let error = client([first.url(), second.url()]).query("SELECT 1").table().unwrap_err();
        assert_eq!(error.grpc_status(), Some(code));
        assert!(second.calls().is_empty(), "{code}");
        assert!(error.to_string().starts_with(&first.url()), "{error}");
    }
}

#[test]
fn if_all_hosts_fail_the_error_says_why_each_of_them_did() {
    let stopping = FlightServer::replay(vec![Step::StatusOnly(14, "stopping".into())]);
    let gone = nobody();
    let error = client([&gone, &stopping.url()]).query("SELECT 1").table().unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "all 2 hosts failed: cannot connect to {gone}: nothing listens there; is the server running, and is this its \
             port? (InfluxDB 3 itself: 8181); {}: the server failed (UNAVAILABLE): stopping",
            stopping.url()
        )
    );
    assert!(error.is_retryable() && !error.in_doubt());
}

#[test]
fn retries_that_are_asked_for_begin_with_all_hosts_again() {
    let host = || {
        FlightServer::start(|_, n| match n {
            0 => vec![Step::StatusOnly(14, String::new())],
            _ => answer(vec![numbers(3)]),
        })
    };
    let (first, second) = (host(), host());
    let client = client([first.url(), second.url()]);
    assert_eq!(client.query("SELECT 1").retries(1).table().unwrap().num_rows(), 3);
    assert_eq!(first.calls().len() + second.calls().len(), 3);
}

#[test]
fn what_came_of_a_host_that_was_left_is_not_counted() {
    let rows = answer(vec![numbers(3)]);
    let schema = messages(&[numbers(3)]).remove(0);
    let first = FlightServer::replay(vec![Step::Head, Step::Message(schema), Step::Hangup]);
    let second = FlightServer::replay(rows);
    let progress = |hosts: &[String]| {
        let client = client(hosts);
        let mut reader = client.query("SELECT 1").reader().unwrap();
        assert_eq!(reader.by_ref().map(|batch| batch.unwrap().num_rows()).sum::<usize>(), 3);
        reader.progress()
    };
    assert_eq!(progress(&[first.url(), second.url()]), progress(&[second.url()]));
}

/// Its answer is handed out when it is whole, so that nothing of it was.
#[cfg(feature = "parquet")]
#[test]
fn over_http_a_host_that_falls_silent_in_its_answer_is_left_for_the_next() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let first = format!("http://{}", silent.local_addr().unwrap());
    let serving = thread::spawn(move || {
        let (mut stream, _) = silent.accept().unwrap();
        let mut head = [0; 4096];
        assert!(stream.read(&mut head).unwrap() > 0);
        let answer = "HTTP/1.1 200 OK\r\ncontent-type: application/vnd.apache.parquet\r\n\
                      content-length: 1000\r\n\r\nPAR1";
        stream.write_all(answer.as_bytes()).unwrap();
        // Until the client is gone.
        while stream.read(&mut head).is_ok_and(|count| count > 0) {}
    });
    let second = with_row();
    let client = Client::builder()
        .hosts([first, second.url()])
        .database("db")
        .idle_timeout(Duration::from_millis(200))
        .build()
        .unwrap();
    let query = client.query("SELECT f FROM m").over_http(true);
    assert_eq!(query.table().unwrap().num_rows(), 1);
    drop(client);
    serving.join().unwrap();
}

#[test]
fn three_servers_that_die_in_turn_answer_every_query_on_either_path() {
    let servers = [(); 3].map(|()| with_row());
    let client = client(servers.iter().map(DevServer::url));
    let ask = || {
        let rows = client.query("SELECT f FROM m").table()?.num_rows();
        #[cfg(feature = "parquet")]
        assert_eq!(client.query("SELECT f FROM m").over_http(true).table()?.num_rows(), 1);
        Ok::<_, Error>(rows)
    };
    assert_eq!(ask().unwrap(), 1);
    for round in 0..4 {
        servers[round % 3].stop();
        assert_eq!(ask().unwrap(), 1, "{round}");
        servers[(round + 1) % 3].stop();
        assert_eq!(ask().unwrap(), 1, "{round}");
        servers[round % 3].resume().unwrap();
        servers[(round + 1) % 3].resume().unwrap();
    }
    servers.iter().for_each(DevServer::stop);
    let error = ask().unwrap_err();
    assert!(error.to_string().starts_with("all 3 hosts failed: "), "{error}");
    servers[2].resume().unwrap();
    assert_eq!(ask().unwrap(), 1);
}

#[test]
fn many_queries_at_once_share_what_is_known_of_the_hosts() {
    let (gone, server) = (nobody(), with_row());
    let client = client([&gone, &server.url()]);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..10 {
                    let table = client.query("SELECT f FROM m").table().unwrap();
                    assert_eq!(table.num_rows(), 1);
                }
            });
        }
    });
}

/// And not as many: then the host would be left alone for a minute.
#[test]
fn an_outage_that_many_queries_see_at_once_is_one() {
    const QUERIES: usize = 8;
    let go = Arc::new(Notify::new());
    let first = {
        let go = go.clone();
        FlightServer::start(move |_, n| match n < QUERIES {
            true => {
                vec![Step::WaitFor(go.clone()), Step::StatusOnly(14, "the node is stopping".into())]
            }
            false => answer(vec![numbers(3)]),
        })
    };
    let second = FlightServer::replay(answer(vec![numbers(3)]));
    let client = client([first.url(), second.url()]);
    let ask = || assert_eq!(client.query("SELECT 1").table().unwrap().num_rows(), 3);
    thread::scope(|scope| {
        let asking: Vec<_> = (0..QUERIES).map(|_| scope.spawn(ask)).collect();
        while first.calls().len() < QUERIES {
            thread::yield_now();
        }
        while !asking.iter().all(thread::ScopedJoinHandle::is_finished) {
            go.notify_one();
            thread::yield_now();
        }
    });
    let begin = Instant::now();
    while first.calls().len() == QUERIES {
        ask();
        assert!(begin.elapsed() < Duration::from_secs(30), "the first host is left alone");
    }
}

#[test]
fn a_server_whose_token_is_another_one_is_left_out() {
    let (other, server) =
        (DevServer::builder().token("another-token").start().unwrap(), with_row());
    server.set_token("good-token");
    let client = Client::builder()
        .hosts([other.url(), server.url()])
        .token("good-token")
        .database("db")
        .build()
        .unwrap();
    assert_eq!(client.query("SELECT f FROM m").table().unwrap().num_rows(), 1);
}
