//! What a client is at: how much waits, how much is on the way, for how long, and how long requests take.

use std::time::{Duration, Instant};

use crate::support::batching::{Events, NEVER, client, numbers, options, point, points};
use crate::support::http::{Gate, HANGS, Reply, Server};
use influxdb3_blocking::{ThreadPoolScheduler, WriteStats};

/// Answers each request once its gate is open; those behind the gates at once.
fn gated(gates: Vec<Gate>) -> Server {
    Server::start(move |n, _| match gates.get(n) {
        Some(gate) => Reply::After(gate.clone(), Reply::status(204).into()),
        None => Reply::status(204),
    })
}

fn load(stats: WriteStats) -> (u64, u64) {
    (stats.queued, stats.in_flight)
}

#[test]
fn who_asks_while_the_client_closes_does_not_bring_jitter_back() {
    let gate = Gate::default();
    let server = gated(vec![gate.clone()]);
    let options = options().batch_size(1).jitter_interval(NEVER).max_close_wait(2 * HANGS);
    let client = client(&server, options);
    client.write(points(0..6)).send().unwrap();
    let begin = Instant::now();
    std::thread::scope(|scope| {
        let closing = scope.spawn(|| client.close());
        // The first one leaves as the client is closed, and the last ones are behind it in the channel.
        server.wait_for(1);
        assert_eq!(load(client.write_stats()), (5, 1));
        gate.open();
        closing.join().unwrap().unwrap();
    });
    assert!(begin.elapsed() < HANGS, "{:?}", begin.elapsed());
    assert_eq!(server.requests().len(), 6);
}

#[test]
fn what_waits_and_what_is_on_the_way_is_told() {
    let gate = Gate::default();
    let server = gated(vec![gate.clone()]);
    let client = client(&server, options().batch_size(10));
    assert_eq!(client.write_stats(), WriteStats::default());
    client.write(points(0..5)).send().unwrap();
    assert_eq!(load(client.write_stats()), (0, 0), "it takes lines still");
    client.write(points(5..10)).send().unwrap();
    server.wait_for(1);
    client.write(points(10..45)).send().unwrap();
    let stats = client.write_stats();
    assert_eq!(load(stats), (3, 1));
    assert_eq!(stats.pending.lines, 45);
    gate.open();
    client.flush().unwrap();
    let stats = client.write_stats();
    assert_eq!((load(stats), stats.oldest_pending), ((0, 0), None));
    assert_eq!((stats.written.lines, stats.requests), (45, 5));
}

#[test]
fn each_worker_has_a_request_on_the_way_and_batches_that_were_merged_are_one() {
    let gate = Gate::default();
    let server = gated(vec![gate.clone(); 3]);
    let options = options().batch_size(1).merge_waiting(true);
    let client = client(&server, options.write_scheduler(ThreadPoolScheduler::new(3)));
    for n in 0..3 {
        client.write(point(n)).send().unwrap();
        server.wait_for(n as usize + 1);
    }
    client.write(points(3..10)).send().unwrap();
    assert_eq!(load(client.write_stats()), (7, 3));
    gate.open();
    client.flush().unwrap();
    let all: Vec<_> = server.requests().iter().flat_map(|request| numbers(&request.body)).collect();
    assert_eq!(all.len(), 10);
    assert!(client.write_stats().requests < 10, "those that waited went together");
}

#[test]
fn a_batch_that_waits_for_its_retry_is_queued() {
    let server = Server::start(|_, _| Reply::status(503));
    let events = Events::new();
    let never = Duration::from_secs(100);
    let options =
        options().retry_interval(never).max_retry_delay(never).max_close_wait(Duration::ZERO);
    let client = client(&server, events.record(options));
    client.write(point(1)).send().unwrap();
    let flush = std::thread::spawn({
        let client = client.clone();
        move || client.flush()
    });
    events.wait_for("retry", 1);
    // While the callback runs, the request is not over.
    while load(client.write_stats()) != (1, 0) {
        assert_eq!(load(client.write_stats()).0 + load(client.write_stats()).1, 1);
        std::thread::yield_now();
    }
    assert_eq!(client.write_stats().retries, 1);
    assert!(client.close().is_err());
    flush.join().unwrap().unwrap_err();
    assert_eq!(load(client.write_stats()), (0, 0));
}

#[test]
fn the_age_of_the_oldest_is_that_of_its_first_line_wherever_it_is() {
    let gate = Gate::default();
    let server = gated(vec![gate.clone()]);
    let client = client(&server, options().batch_size(2));
    let (before, start) = (Instant::now(), client.write(point(1)).send());
    start.unwrap();
    let after = Instant::now();
    let check = || {
        let asked = after.elapsed();
        let oldest = client.write_stats().oldest_pending.unwrap();
        assert!((asked..=before.elapsed()).contains(&oldest), "{asked:?} {oldest:?}");
    };
    check();
    client.write(point(2)).send().unwrap();
    check();
    server.wait_for(1);
    check();
    client.write(points(3..6)).send().unwrap();
    check();
    let younger = Instant::now();
    gate.open();
    server.wait_for(2);
    // Of the third batch only the last line is left, which was written before this.
    while client.write_stats().pending.lines > 1 {
        std::thread::yield_now();
    }
    let least = younger.elapsed();
    let oldest = client.write_stats().oldest_pending.unwrap();
    assert!((least..=before.elapsed()).contains(&oldest), "{least:?} {oldest:?}");
    client.flush().unwrap();
    assert_eq!(client.write_stats().oldest_pending, None);
}

#[test]
fn the_last_and_the_slowest_request_are_told_whatever_came_of_them() {
    let gate = Gate::default();
    let server = gated(vec![gate.clone()]);
    let client = client(&server, options());
    assert_eq!(
        (client.write_stats().last_latency, client.write_stats().slowest_latency),
        (None, None)
    );
    client.write(point(1)).send().unwrap();
    let begin = Instant::now();
    let flush = std::thread::spawn({
        let client = client.clone();
        move || client.flush()
    });
    server.wait_for(1);
    let arrived = Instant::now();
    std::thread::sleep(Duration::from_millis(20));
    let least = arrived.elapsed();
    gate.open();
    flush.join().unwrap().unwrap();
    let first = client.write_stats();
    let slowest = first.slowest_latency.unwrap();
    assert!((least..=begin.elapsed()).contains(&slowest), "{least:?} {slowest:?}");
    assert_eq!(first.last_latency, first.slowest_latency);
    client.write(point(2)).send().unwrap();
    client.flush().unwrap();
    let second = client.write_stats();
    assert!(
        second.slowest_latency >= first.slowest_latency
            && second.last_latency > Some(Duration::ZERO)
    );
    // One that fails counts as well.
    let refusing = Server::start(|_, _| Reply::status(400));
    let client = crate::support::batching::client(&refusing, options());
    client.write(point(1)).send().unwrap();
    client.flush().unwrap_err();
    assert!(client.write_stats().last_latency > Some(Duration::ZERO));
}

#[test]
fn asking_often_while_much_is_written_harms_nothing() {
    let server = Server::accepting();
    let client =
        client(&server, options().batch_size(7).write_scheduler(ThreadPoolScheduler::new(3)));
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            (0..2000).for_each(|n| client.write(point(n)).send().unwrap());
            client.flush().unwrap();
        });
        while !writer.is_finished() {
            let stats = client.write_stats();
            assert!(stats.in_flight <= 3, "{stats:?}");
            assert!(stats.queued <= 2000 / 7 + 1, "{stats:?}");
        }
    });
    let mut all: Vec<_> =
        server.requests().iter().flat_map(|request| numbers(&request.body)).collect();
    all.sort_unstable();
    assert_eq!(all, (0..2000).collect::<Vec<_>>());
}
