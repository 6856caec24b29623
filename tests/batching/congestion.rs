//! A server under stress gets fewer requests at a time, and never smaller batches in place of them.

use std::thread;
use std::time::{Duration, Instant};

use crate::support::batching::{
    assert_adds_up, client, client_at, numbers, options, point, points,
};
use crate::support::http::{HANGS, Reply, Server};
use influxdb3_blocking::ThreadPoolScheduler;
use influxdb3_dev_server::{DevServer, Fault};

const WORKERS: usize = 4;
const POINTS: usize = 60;

/// How many requests may be on the way at most after so many successes since there was only one.
fn bound(successes: usize) -> usize {
    match successes {
        0..4 => 1,
        4..12 => 2,
        12..24 => 3,
        _ => WORKERS,
    }
}

/// Waits until that many writes wait for the WAL, or more.
fn wait_for_writes(server: &DevServer, count: usize) {
    let start = Instant::now();
    while server.waiting_writes() < count {
        assert!(start.elapsed() < HANGS, "{} of {count} writes came", server.waiting_writes());
        thread::yield_now();
    }
}

#[test]
fn requests_at_a_time_become_fewer_under_stress_and_slowly_more_again() {
    for fault in [Fault::WalFull, Fault::Stopping] {
        // A write is on the way until the WAL is flushed, which is in our hands.
        let server = DevServer::builder().wal_flush_interval(Duration::MAX).start().unwrap();
        let options = options()
            .batch_size(1)
            .max_retries(u32::MAX)
            .write_scheduler(ThreadPoolScheduler::new(WORKERS));
        let client = client_at(&server.url(), options);
        server.set_fault(fault);
        client.write(points(0..POINTS as i64)).send().unwrap();
        // Many times as many failures as can be on the way.
        let start = Instant::now();
        while client.write_stats().retries < 50 * WORKERS as u64 {
            assert!(start.elapsed() < HANGS);
            thread::yield_now();
        }
        server.set_fault(None);
        let mut has_grown = false;
        loop {
            let stats = client.write_stats();
            if stats.written.lines == POINTS as u64 {
                break;
            }
            // Whoever would come too early has the time to do so.
            for _ in 0..200 {
                let waiting = server.waiting_writes();
                // Read later, so at least as many were answered as were when that was read.
                let answered = server.rows("db", "m") - waiting;
                assert!(waiting <= bound(answered), "{waiting} after {answered} successes");
                thread::yield_now();
            }
            if !has_grown && stats.requests >= 24 {
                assert!(POINTS - server.rows("db", "m") >= WORKERS, "enough are left");
                wait_for_writes(&server, WORKERS);
                has_grown = true;
            }
            server.flush_wal();
        }
        assert!(has_grown);
        client.flush().unwrap();
        assert_eq!(server.rows("db", "m"), POINTS);
        assert_adds_up(&client);
    }
}

#[test]
fn a_timeout_never_cuts_a_batch() {
    let server = Server::start(|n, _| if n < 4 { Reply::Stall } else { Reply::status(204) });
    // On a busy machine the answer may come too late as well, any number of times.
    let client = client(&server, options().batch_size(8).max_retries(1000));
    client.write(points(0..8)).timeout(Duration::from_millis(30)).send().unwrap();
    client.flush().unwrap();
    let sent: Vec<_> = server.requests().iter().map(|request| numbers(&request.body)).collect();
    assert!(sent.len() >= 5 && sent.iter().all(|lines| lines.iter().copied().eq(0..8)), "{sent:?}");
}

#[test]
fn one_worker_has_one_request_on_the_way_whatever_happens() {
    let server = Server::start(|n, _| Reply::status(if n % 3 == 0 { 503 } else { 204 }));
    let client = client(&server, options().batch_size(1));
    for n in 0..30 {
        client.write(point(n)).send().unwrap();
    }
    client.close().unwrap();
    assert_eq!(client.write_stats().written.lines, 30);
}
