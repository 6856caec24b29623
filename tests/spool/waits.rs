//! How long what is on the disk waits for its next try, whatever the server and what is before it say.

use std::sync::mpsc;
use std::time::{Duration, Instant};

use influxdb3_blocking::{ThreadPoolScheduler, WriteOptions};

use crate::fixtures::{Directory, Switch, sent};
use crate::support::batching::{NEVER, assert_adds_up, client, options, point, points};
use crate::support::http::{HANGS, Reply, Server};

fn refused(retry_after: &str) -> Reply {
    Reply::Answer(503, vec![("retry-after", retry_after.to_owned())], Vec::new())
}

/// Everything is on the disk after its first failure.
fn at_once(directory: &Directory) -> WriteOptions {
    options().max_retries(0).spool(directory.spool())
}

#[test]
fn a_server_that_asks_for_no_wait_is_not_asked_without_end() {
    const WAIT: Duration = Duration::from_millis(50);
    let (tried, tries) = mpsc::channel();
    let server = Server::start(move |n, _| {
        // Nobody may listen any more.
        let _ = tried.send(Instant::now());
        if n < 6 { refused("0") } else { Reply::status(204) }
    });
    let directory = Directory::new();
    let options = at_once(&directory).retry_interval(WAIT).max_retry_delay(WAIT);
    let client = client(&server, options);
    client.write(point(1)).send().unwrap();
    client.flush().unwrap();
    let tries: Vec<_> = (0..7).map(|_| tries.recv_timeout(HANGS).unwrap()).collect();
    for (before, after) in tries.iter().zip(&tries[1..]) {
        let wait = *after - *before;
        assert!(wait >= WAIT, "{wait:?} between two tries: {tries:?}");
    }
}

#[test]
fn no_server_keeps_what_is_on_the_disk_waiting_for_years() {
    // The first answer is for what is in memory, the second for what was read from the disk.
    for asked in ["99999999", "18446744073709551615", "Fri, 31 Dec 9999 23:59:59 GMT"] {
        let server = Server::start(move |n, _| match n {
            0 | 1 => refused(asked),
            _ => Reply::status(204),
        });
        let directory = Directory::new();
        let options = at_once(&directory).max_retry_time(Duration::from_millis(5));
        let client = client(&server, options);
        client.write(point(1)).send().unwrap();
        client.flush().unwrap();
        server.wait_for(3);
        client.drain(HANGS).unwrap();
        assert_eq!(client.write_stats().written.lines, 1, "{asked}");
    }
}

#[test]
fn a_peer_that_takes_connections_and_closes_them_costs_nothing_that_is_on_the_disk() {
    let switch = Switch::default();
    let own = switch.clone();
    let server =
        Server::start(move |_, _| if own.is_on() { Reply::status(204) } else { Reply::Close });
    let directory = Directory::new();
    let options = options()
        .max_retries(u32::MAX)
        .max_retry_time(NEVER)
        .write_scheduler(ThreadPoolScheduler::new(4))
        .spool(directory.spool());
    let client = client(&server, options);
    client.write(points(0..1000)).send().unwrap();
    client.flush_to_disk().unwrap();
    // More than it takes to cut a batch as often as it may be.
    server.wait_for(1000);
    let stats = client.write_stats();
    assert_eq!((stats.failed.lines, stats.pending.lines), (0, 1000), "{stats:?}");
    switch.turn_on();
    client.drain(HANGS).unwrap();
    assert_eq!(client.write_stats().written.lines, 1000);
    assert_adds_up(&client);
    let mut all = sent(&server, 0);
    all.sort_unstable();
    all.dedup();
    assert_eq!(all, (0..1000).collect::<Vec<_>>());
    client.close().unwrap();
}
