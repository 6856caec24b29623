//! Connections that break, hang or are full: what a query makes of them, and what others notice.
#![cfg(feature = "query")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crate::support::batches::{answer, messages, numbers};
use crate::support::flight::{FlightServer, Step, grpc_message};
use crate::support::frames::Tap;
use crate::support::own_process::in_own_process;
use h2::Reason;
use influxdb3_blocking::{Client, ClientBuilder, Error, ErrorKind};

/// Longer than anything here takes: it only tells a hang from a pass.
const LONG: Duration = Duration::from_secs(120);

fn builder(host: &str) -> ClientBuilder {
    Client::builder().host(host).database("sensors")
}

fn client(server: &FlightServer) -> Client {
    builder(&server.url()).build().unwrap()
}

#[test]
fn a_broken_exchange_says_what_was_being_waited_for() {
    let schema = messages(&[numbers(3)])[0].clone();
    for (steps, text) in [
        (vec![], "waiting for the server to answer"),
        (vec![Step::Head], "waiting for the schema"),
        (vec![Step::Head, Step::Message(schema)], "in the middle of the answer"),
    ] {
        for end in [Step::Hangup, Step::Reset(Reason::INTERNAL_ERROR)] {
            let steps: Vec<_> = steps.iter().cloned().chain([end]).collect();
            let server = FlightServer::replay(steps);
            let error = client(&server).query("SELECT 1").table().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Connect, "{error:#}");
            assert!(error.to_string().contains(text), "{error:#}");
            assert!(error.is_retryable() && !error.in_doubt());
        }
    }
}

#[test]
fn a_query_that_times_out_says_what_was_being_waited_for() {
    let schema = messages(&[numbers(3)])[0].clone();
    // Nobody accepts: the system takes the connection, and no more.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = format!("http://{}", listener.local_addr().unwrap());
    let proxied = builder("http://example.com:8181").proxy(&silent);
    let text_of = |builder: &ClientBuilder, limit| {
        let client = builder.clone().build().unwrap();
        let error = client.query("SELECT 1").timeout(limit).table().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout, "{error:#}");
        let text = error.to_string();
        assert!(text.contains("query_timeout"), "{text}");
        text
    };
    let text = text_of(&proxied, Duration::from_millis(100));
    assert!(text.contains("connecting"), "{text}");
    for (steps, waited_for) in [
        (vec![Step::Head, Step::Stall], "waiting for the schema"),
        (vec![Step::Head, Step::Message(schema), Step::Stall], "in the middle of the answer"),
    ] {
        let server = FlightServer::replay(steps);
        let builder = builder(&server.url());
        // However slow this machine is: with one of these limits the call has come so far.
        let limits = [50, 200, 1_000, 5_000, 30_000].map(Duration::from_millis);
        assert!(limits.iter().any(|limit| text_of(&builder, *limit).contains(waited_for)));
    }
}

/// A proxy whose first connection is never answered; all others lead to the server.
fn hangs_once(server: SocketAddr) -> SocketAddr {
    fails_once(server, Some)
}

/// A proxy that does this with its first connection, and keeps what it gives; all others lead to the server.
fn fails_once(server: SocketAddr, first: fn(TcpStream) -> Option<TcpStream>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let mut connections = listener.incoming().map(Result::unwrap);
        let _first = connections.next().and_then(first);
        for mut client in connections {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                client.read_exact(&mut byte).unwrap();
                head.extend(byte);
            }
            client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").unwrap();
            let server = TcpStream::connect(server).unwrap();
            for (mut from, mut to) in [
                (client.try_clone().unwrap(), server.try_clone().unwrap()),
                (server.try_clone().unwrap(), client.try_clone().unwrap()),
            ] {
                thread::spawn(move || std::io::copy(&mut from, &mut to));
            }
        }
    });
    address
}

#[test]
fn a_connection_that_could_not_be_made_is_no_reason_for_a_later_query_to_fail() {
    let server = FlightServer::replay(answer(vec![numbers(3)]));
    let proxy = hangs_once(server.address());
    let client = builder(&server.url())
        .proxy(format!("http://{proxy}"))
        .connect_timeout(Duration::from_secs(2))
        .build()
        .unwrap();
    let hasty = client.query("SELECT 1").timeout(Duration::from_millis(50)).table().unwrap_err();
    assert_eq!(hasty.kind(), ErrorKind::Timeout);
    thread::sleep(Duration::from_millis(2500)); // Longer than connect_timeout: this is what is tested.
    assert_eq!(client.query("SELECT 1").table().unwrap().num_rows(), 3);
}

#[test]
fn a_query_that_joins_an_older_attempt_to_connect_makes_one_of_its_own_when_that_fails() {
    let server = FlightServer::replay(answer(vec![numbers(3)]));
    let proxy = hangs_once(server.address());
    let client = builder(&server.url())
        .proxy(format!("http://{proxy}"))
        .connect_timeout(Duration::from_secs(2))
        .build()
        .unwrap();
    let hasty = client.query("SELECT 1").timeout(Duration::from_millis(50)).table().unwrap_err();
    assert_eq!(hasty.kind(), ErrorKind::Timeout);
    // The first attempt is still on.
    assert_eq!(client.query("SELECT 1").table().unwrap().num_rows(), 3);
}

#[test]
fn a_query_that_may_be_sent_again_is_so_whatever_stage_of_connecting_failed() {
    let server = FlightServer::replay(answer(vec![numbers(3)]));
    let closes = |_| None;
    for (first, kind) in [(Some as fn(_) -> _, ErrorKind::Timeout), (closes, ErrorKind::Proxy)] {
        let client = || {
            let proxy = fails_once(server.address(), first);
            let builder = builder(&server.url()).proxy(format!("http://{proxy}"));
            builder.connect_timeout(Duration::from_secs(2)).build().unwrap()
        };
        let error = client().query("SELECT 1").table().unwrap_err();
        assert_eq!((error.kind(), error.is_retryable()), (kind, true), "{error}");
        assert_eq!(client().query("SELECT 1").retries(1).table().unwrap().num_rows(), 3);
    }
}

#[test]
fn queries_that_lose_their_connection_share_the_next_one() {
    const QUERIES: usize = 8;
    let whole = answer(vec![numbers(3)]);
    let server = FlightServer::start(move |_, n| match n {
        // A connection that all of them use.
        0 => whole.clone(),
        n if n < QUERIES => vec![Step::Stall],
        QUERIES => vec![Step::Hangup],
        _ => whole.clone(),
    });
    let client = client(&server);
    client.query("SELECT 1").table().unwrap();
    thread::scope(|scope| {
        for _ in 0..QUERIES {
            scope.spawn(|| {
                let table = client.query("SELECT 1").timeout(LONG).table().unwrap();
                assert_eq!(table.num_rows(), 3);
            });
        }
    });
    assert_eq!((server.calls().len(), server.connections()), (1 + 2 * QUERIES, 2));
}

#[test]
fn queries_that_start_together_share_one_connection_and_one_failure() {
    let server = FlightServer::replay(answer(vec![numbers(3)]));
    let (good, closed) = (client(&server), TcpListener::bind("127.0.0.1:0").unwrap());
    let nobody = format!("http://{}", closed.local_addr().unwrap());
    drop(closed);
    let bad = builder(&nobody).build().unwrap();
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| assert_eq!(good.query("SELECT 1").table().unwrap().num_rows(), 3));
            scope.spawn(|| {
                let error = bad.query("SELECT 1").table().unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Connect, "{error:#}");
                assert!(error.to_string().contains("nothing listens"), "{error:#}");
            });
        }
    });
    assert_eq!(server.connections(), 1);
}

#[test]
fn paused_readers_with_full_windows_do_not_hold_up_other_queries() {
    // More than the window of one connection has room for.
    const PAUSED: usize = 80;
    in_own_process(
        "connections::paused_readers_with_full_windows_do_not_hold_up_other_queries",
        || {
            let schema = messages(&[numbers(3)])[0].clone();
            // Empty messages take all that may be read ahead, and what follows fills the window to the brim.
            let empty = bytes::Bytes::from(grpc_message(&[]).repeat(128 << 10));
            let filling = bytes::Bytes::from(vec![0; 16 << 20]);
            let endless =
                [Step::Shared(empty), Step::Shared(filling.clone()), Step::Shared(filling)];
            let large: Vec<_> =
                [Step::Head, Step::Message(schema)].into_iter().chain(endless).collect();
            let small = answer(vec![numbers(1)]);
            let server = FlightServer::start(move |call, _| {
                if call.ticket.contains("large") { large.clone() } else { small.clone() }
            });
            let client = client(&server);
            let paused: Vec<_> = (0..PAUSED)
                .map(|_| client.query("SELECT large").timeout(LONG).reader().unwrap())
                .collect();
            // Until as many windows are full as one connection has room for.
            while server.sent().iter().sum::<usize>() < 64 * (16 << 20) {
                thread::yield_now();
            }
            for _ in 0..3 {
                let table = client.query("SELECT small").timeout(LONG).table().unwrap();
                assert_eq!(table.num_rows(), 1);
            }
            drop(paused);
        },
    );
}

#[test]
fn more_readers_than_one_connection_has_room_for_are_all_served_and_what_is_idle_is_closed() {
    let mut steps = answer(vec![numbers(3)]);
    let rest = steps.split_off(2);
    let go = Arc::new(tokio::sync::Notify::new());
    steps.push(Step::WaitFor(Arc::clone(&go)));
    steps.extend(rest);
    let server = FlightServer::replay(steps);
    let client = client(&server);
    let readers: Vec<_> = (0..150).map(|_| client.query("SELECT 1").reader().unwrap()).collect();
    assert_eq!(server.connections(), 3);
    for mut reader in readers {
        go.notify_one();
        let rows: usize = reader.by_ref().map(|batch| batch.unwrap().num_rows()).sum();
        assert_eq!(rows, 3);
    }
    server.wait_for_open_connections(1);
}

#[test]
fn a_server_that_has_enough_of_pings_gets_none_any_more_and_the_query_succeeds() {
    let mut steps = answer(vec![numbers(3)]);
    let go = Arc::new(tokio::sync::Notify::new());
    steps.insert(0, Step::WaitFor(Arc::clone(&go)));
    let server = FlightServer::replay(steps);
    let tap = Tap::start(server.address(), 1);
    let client =
        builder(&tap.url()).keep_alive_interval(Duration::from_millis(20)).build().unwrap();
    thread::scope(|scope| {
        let table = scope.spawn(|| client.query("SELECT 1").timeout(LONG).table());
        while server.calls().is_empty() {
            thread::yield_now();
        }
        thread::sleep(Duration::from_millis(300)); // Time for many PINGs: this is what is tested.
        go.notify_one();
        assert_eq!(table.join().unwrap().unwrap().num_rows(), 3);
    });
    assert!(tap.pings().is_empty());
}

#[test]
fn pings_are_sent_while_a_query_is_planned_and_can_be_turned_off() {
    let mut steps = answer(vec![numbers(3)]);
    let go = Arc::new(tokio::sync::Notify::new());
    steps.insert(0, Step::WaitFor(Arc::clone(&go)));
    let server = FlightServer::replay(steps);
    let tap = Tap::start(server.address(), 0);
    let often = builder(&tap.url()).keep_alive_interval(Duration::from_millis(20)).build().unwrap();
    thread::scope(|scope| {
        let table = scope.spawn(|| often.query("SELECT 1").timeout(LONG).table());
        assert_eq!(tap.wait_for_ping(), 0);
        go.notify_one();
        assert_eq!(table.join().unwrap().unwrap().num_rows(), 3);
    });
    drop(often);
    tap.pings();
    // Without an interval of its own it would be 1 second here.
    let never = builder(&tap.url())
        .keep_alive_interval(None)
        .idle_timeout(Duration::from_secs(3))
        .build()
        .unwrap();
    thread::scope(|scope| {
        let table = scope.spawn(|| never.query("SELECT 1").timeout(LONG).table());
        while server.calls().len() < 2 {
            thread::yield_now();
        }
        thread::sleep(Duration::from_millis(1500)); // Time for a PING: this is what is tested.
        go.notify_one();
        assert_eq!(table.join().unwrap().unwrap().num_rows(), 3);
    });
    assert!(!tap.pings().contains(&1));
    let error = builder(&tap.url()).keep_alive_interval(Duration::ZERO).build().unwrap_err();
    assert!(error.to_string().contains("keep_alive_interval"), "{error}");
}

#[test]
fn limits_that_nothing_reaches_are_none() {
    let server = FlightServer::replay(answer(vec![numbers(3)]));
    let client = builder(&server.url())
        .connect_timeout(Duration::MAX)
        .query_timeout(Duration::MAX)
        .keep_alive_interval(Duration::MAX)
        .build()
        .unwrap();
    assert_eq!(client.query("SELECT 1").table().unwrap().num_rows(), 3);
    // PINGs are sent, and their answers may take as long as they like.
    let mut steps = answer(vec![numbers(3)]);
    let go = Arc::new(tokio::sync::Notify::new());
    steps.insert(1, Step::WaitFor(Arc::clone(&go)));
    let server = FlightServer::replay(steps);
    let tap = Tap::start(server.address(), 0);
    let client = builder(&tap.url())
        .keep_alive_interval(Duration::from_millis(20))
        .idle_timeout(Duration::MAX)
        .build()
        .unwrap();
    thread::scope(|scope| {
        let table = scope.spawn(|| client.query("SELECT 1").timeout(LONG).table());
        while tap.pings().is_empty() && !table.is_finished() {
            thread::yield_now();
        }
        go.notify_one();
        assert_eq!(table.join().unwrap().unwrap().num_rows(), 3);
    });
}

#[test]
fn the_wait_that_a_server_asks_for_is_told() {
    let wait = |name| vec![(name, "7".to_owned())];
    let over_http = vec![Step::HttpHead(429, wait("retry-after")), Step::End];
    let over_grpc = vec![Step::Head, Step::Status(8, "slow down".into(), wait("retry-after"))];
    let mut unavailable = over_grpc.clone();
    unavailable[1] = Step::Status(14, "restarting".into(), wait("retry-after"));
    for (steps, kind) in [
        (over_http, ErrorKind::RateLimited),
        (over_grpc, ErrorKind::RateLimited),
        (unavailable, ErrorKind::Server),
    ] {
        let error: Error =
            client(&FlightServer::replay(steps)).query("SELECT 1").table().unwrap_err();
        assert_eq!(error.kind(), kind, "{error:#}");
        assert_eq!(error.retry_after(), Some(Duration::from_secs(7)), "{error:#}");
    }
}
