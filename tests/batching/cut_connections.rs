//! Batching: connections that are closed without an answer, as by a balancer or a tunnel without a server behind it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::support::batching::{Events, NEVER, assert_adds_up, client, numbers, options, points};
use crate::support::http::{Reply, Server};
use influxdb3_blocking::ThreadPoolScheduler;

/// Closes all connections until it is told that there is a server.
fn tunnel() -> (Server, Arc<AtomicBool>) {
    let is_there = Arc::new(AtomicBool::new(false));
    let own = is_there.clone();
    let server =
        Server::start(
            move |_, _| {
                if own.load(Ordering::SeqCst) { Reply::status(204) } else { Reply::Close }
            },
        );
    (server, is_there)
}

#[test]
fn a_peer_that_takes_connections_and_closes_them_is_no_reason_to_give_lines_up() {
    let (server, is_there) = tunnel();
    let options = options()
        .max_retries(u32::MAX)
        .max_retry_time(NEVER)
        .write_scheduler(ThreadPoolScheduler::new(4));
    let client = client(&server, options);
    client.write(points(0..1000)).send().unwrap();
    // More than it takes to cut a batch as often as it may be.
    server.wait_for(1000);
    let stats = client.write_stats();
    assert_eq!((stats.failed.lines, stats.pending.lines), (0, 1000), "{stats:?}");
    is_there.store(true, Ordering::SeqCst);
    client.flush().unwrap();
    assert_eq!(client.write_stats().written.lines, 1000);
    assert_adds_up(&client);
}

#[test]
fn lines_that_are_given_up_for_it_are_out_of_retries_and_not_called_bad() {
    let ((server, _), events) = (tunnel(), Events::new());
    let options = options().max_retries(3).write_scheduler(ThreadPoolScheduler::new(4));
    let client = client(&server, events.record(options));
    client.write(points(0..1000)).send().unwrap();
    client.flush().unwrap();
    let mut failed = events.numbers("error");
    failed.sort_unstable();
    assert_eq!(failed, (0..1000).collect::<Vec<_>>());
    for event in events.all().iter().filter(|event| event.name == "error") {
        assert!(!event.text.contains("bad lines"), "{}", event.text);
    }
    // What was not cut down to a line has had all its retries since the last cut.
    let requests = server.requests();
    for event in events.all().iter().filter(|event| event.name == "error") {
        let lines = numbers(event.batch.line_protocol());
        let tries = requests.iter().filter(|request| numbers(&request.body) == lines).count();
        assert!(tries >= 4, "{tries} tries of {lines:?}");
    }
    assert_adds_up(&client);
}
