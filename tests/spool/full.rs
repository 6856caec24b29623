//! A spool that takes nothing more, as it is at its limit or its disk refuses to be written.

use std::time::{Duration, Instant};

use influxdb3_blocking::{Client, ErrorKind, OnFull, WriteOptions};

use crate::fixtures::{Directory, sent, server};
use crate::support::batching::{assert_adds_up, client, numbers, options, points};
use crate::support::http::HANGS;

const LIMIT: u64 = 64 << 10;

fn limited(directory: &Directory) -> WriteOptions {
    options()
        .batch_size(20)
        .max_retries(1)
        .buffer_limit(8 << 10)
        .on_full(OnFull::Error)
        .spool(directory.spool().limit(LIMIT))
}

/// Writes until neither memory nor the disk has room; returns how many lines were taken.
fn fill(client: &Client) -> i64 {
    for n in 0.. {
        match client.write(points(n * 20..(n + 1) * 20)).send() {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::BufferFull => return n * 20,
            Err(error) => panic!("{error:?}"),
        }
    }
    unreachable!("it is never full")
}

#[test]
fn a_flush_has_an_end_although_the_server_is_away_and_nothing_is_given_up() {
    let (server, switch) = server(503);
    let directory = Directory::new();
    let client = client(&server, limited(&directory));
    let taken = fill(&client);
    let error = std::thread::scope(|scope| {
        let (tell, told) = std::sync::mpsc::channel();
        let client = &client;
        scope.spawn(move || tell.send(client.flush()));
        let result = told.recv_timeout(HANGS);
        switch.turn_on();
        result.expect("it does not wait for the server").unwrap_err()
    });
    assert_eq!(error.kind(), ErrorKind::BufferFull, "{error}");
    assert!(error.is_retryable() && error.unsent().is_empty(), "{error:?}");
    client.drain(HANGS).unwrap();
    client.flush().unwrap();
    assert_eq!(client.write_stats().written.lines as i64, taken);
    assert_adds_up(&client);
    client.close().unwrap();
}

#[test]
fn where_the_disk_refuses_to_be_written_batches_fail_after_their_last_retry() {
    let (server, switch) = server(503);
    let directory = Directory::new();
    let client = client(&server, limited(&directory).spool(directory.spool().limit(8 * LIMIT)));
    client.write(points(0..20)).send().unwrap();
    client.flush().unwrap();
    assert_eq!(client.write_stats().spool.on_disk.lines, 20);
    // Somebody else has files of the names that would be next.
    for number in 2..1000 {
        std::fs::write(directory.path().join(format!("{number:020}.lp")), "").unwrap();
    }
    let (tell, told) = std::sync::mpsc::channel();
    let error = std::thread::scope(|scope| {
        let client = &client;
        scope.spawn(move || {
            for n in 1..1000 {
                if let Err(error) =
                    client.write(points(n * 20..(n + 1) * 20)).send().and_then(|()| client.flush())
                {
                    return tell.send(error).unwrap();
                }
            }
        });
        let result = told.recv_timeout(HANGS);
        switch.turn_on();
        result.expect("it does not wait for the server")
    });
    assert!(error.to_string().contains("cannot wait on the disk"), "{error}");
    assert!(!error.unsent().is_empty(), "{error:?}");
    client.drain(HANGS).unwrap();
    let stats = client.write_stats();
    assert!(stats.spool.errors > 0, "{stats:?}");
    assert_eq!(stats.written.lines + stats.failed.lines, stats.accepted.lines, "{stats:?}");
    assert_adds_up(&client);
}

#[test]
fn closing_does_not_wait_for_a_server_that_is_away() {
    for jitter in [Duration::ZERO, Duration::from_millis(1)] {
        let (server, switch) = server(503);
        let directory = Directory::new();
        let options = limited(&directory).jitter_interval(jitter).max_close_wait(2 * HANGS);
        let first = client(&server, options);
        let taken = fill(&first);
        let begin = Instant::now();
        let error = first.close().unwrap_err();
        assert!(begin.elapsed() < HANGS, "{:?}", begin.elapsed());
        let unsent: Vec<_> =
            error.unsent().iter().flat_map(|batch| numbers(batch.line_protocol())).collect();
        let stats = first.write_stats();
        assert_eq!(stats.returned.lines, unsent.len() as u64);
        assert!(!unsent.is_empty(), "{stats:?}");
        assert_eq!((stats.pending, stats.failed.lines), (stats.spool.on_disk, 0), "{stats:?}");
        assert_adds_up(&first);

        let before = server.requests().len();
        switch.turn_on();
        let second = client(&server, limited(&directory));
        second.drain(HANGS).unwrap();
        let mut all = sent(&server, before);
        all.extend(unsent);
        all.sort_unstable();
        assert_eq!(all, (0..taken).collect::<Vec<_>>());
        second.close().unwrap();
    }
}
