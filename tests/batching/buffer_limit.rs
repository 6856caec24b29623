//! Batching: the bound of the buffer, and what happens at it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use crate::support::batching::{
    Events, NEVER, assert_adds_up, client, numbers, options, point, points,
};
use crate::support::http::{Gate, HANGS, Reply, Server};
use influxdb3_blocking::{ErrorKind, OnFull, ThreadPoolScheduler};

/// Holds every request back until the gate is open.
fn held() -> (Server, Gate) {
    let gate = Gate::default();
    let server = Server::start({
        let gate = gate.clone();
        move |_, _| Reply::After(gate.clone(), Box::new(Reply::status(204)))
    });
    (server, gate)
}

fn stored(server: &Server) -> Vec<i64> {
    server.requests().iter().flat_map(|request| numbers(&request.body)).collect()
}

/// About a kilobyte.
fn long_line(n: i64) -> String {
    format!("m f=\"{}\" {n}", "x".repeat(1000))
}

#[test]
fn block_waits_for_room_and_loses_nothing() {
    let (server, gate) = held();
    let client = client(&server, options().buffer_limit(8 << 10));
    let is_done = AtomicBool::new(false);
    thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for n in 0..100 {
                client.write(long_line(n)).send().unwrap();
            }
            is_done.store(true, Ordering::SeqCst);
        });
        // The batch that is on the way and those behind it fill the buffer, and then the writer has to wait.
        server.wait_for(1);
        assert!(!is_done.load(Ordering::SeqCst));
        assert!(client.write_stats().pending.bytes <= 8 << 10);
        gate.open();
        writer.join().unwrap();
    });
    client.close().unwrap();
    assert_eq!(stored(&server), (0..100).collect::<Vec<_>>());
    assert_adds_up(&client);
}

#[test]
fn a_call_that_is_larger_than_the_buffer_is_taken_in_pieces() {
    let server = Server::accepting();
    let client = client(&server, options().buffer_limit(8 << 10));
    let lines: Vec<_> = (0..100).map(long_line).collect();
    client.write(lines.join("\n")).send().unwrap();
    client.close().unwrap();
    assert_eq!(stored(&server), (0..100).collect::<Vec<_>>());
}

#[test]
fn several_threads_wait_for_room_in_turn() {
    let server = Server::accepting();
    let options = options().buffer_limit(8 << 10).write_scheduler(ThreadPoolScheduler::new(2));
    let client = client(&server, options);
    thread::scope(|scope| {
        for thread in 0..4 {
            let client = &client;
            scope.spawn(move || {
                for n in 0..20 {
                    let first = thread * 1000 + 3 * n;
                    let lines: Vec<_> = (first..first + 3).map(long_line).collect();
                    client.write(lines.join("\n")).send().unwrap();
                }
            });
        }
    });
    client.close().unwrap();
    let mut all = stored(&server);
    all.sort_unstable();
    assert_eq!(all, (0..4).flat_map(|t| t * 1000..t * 1000 + 60).collect::<Vec<i64>>());
}

#[test]
fn room_that_only_open_batches_take_is_made() {
    let server = Server::accepting();
    let client = client(&server, options().buffer_limit(4 << 10));
    for n in 0..50 {
        client.write(point(n)).database(format!("db{n}")).send().unwrap();
    }
    client.close().unwrap();
    assert_eq!(server.requests().len(), 50);
}

#[test]
fn block_for_gives_up_after_its_time_and_gives_the_lines_back() {
    let (server, gate) = held();
    let patience = OnFull::BlockFor(Duration::from_millis(50));
    let client = client(&server, options().buffer_limit(4 << 10).on_full(patience));
    let refused = (0..).find_map(|n| client.write(long_line(n)).send().err()).unwrap();
    assert_eq!(refused.kind(), ErrorKind::BufferFull);
    assert!(refused.is_retryable());
    let accepted = client.write_stats().accepted.lines as i64;
    assert_eq!(numbers(refused.unsent()[0].line_protocol()), [accepted]);
    gate.open();
    client.flush().unwrap();
    client.write(refused.unsent()).send().unwrap();
    client.close().unwrap();
    assert_eq!(stored(&server), (0..=accepted).collect::<Vec<_>>());
    assert_adds_up(&client);
}

#[test]
fn on_error_nothing_of_the_call_is_taken() {
    let (server, gate) = held();
    let client = client(&server, options().buffer_limit(8 << 10).on_full(OnFull::Error));
    client.write(long_line(0)).send().unwrap();
    let lines: Vec<_> = (1..8).map(long_line).collect();
    let error = client.write(lines.join("\n")).send().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BufferFull);
    assert!(error.to_string().contains("buffer_limit"), "{error}");
    assert_eq!(numbers(error.unsent()[0].line_protocol()), (1..8).collect::<Vec<_>>());
    assert_eq!(client.write_stats().accepted.lines, 1);
    client.write(long_line(1)).send().unwrap();
    gate.open();
    client.close().unwrap();
    assert_eq!(stored(&server), [0, 1]);
}

#[test]
fn drop_newest_keeps_what_came_first() {
    let (server, gate) = held();
    let events = Events::new();
    let options = options().buffer_limit(8 << 10).batch_size(1).on_full(OnFull::DropNewest);
    let client = client(&server, events.record(options));
    for n in 0..50 {
        client.write(long_line(n)).send().unwrap();
    }
    let stats = client.write_stats();
    assert_eq!(stats.accepted.lines, 50);
    assert!(stats.dropped.lines > 40, "{stats:?}");
    gate.open();
    client.close().unwrap();
    let kept = 50 - stats.dropped.lines as i64;
    assert_eq!(stored(&server), (0..kept).collect::<Vec<_>>());
    assert_eq!(events.numbers("error"), (kept..50).collect::<Vec<_>>());
    assert!(
        events.all().iter().all(|e| e.name == "success" || e.kind == Some(ErrorKind::BufferFull))
    );
    assert_adds_up(&client);
}

#[test]
fn drop_oldest_keeps_what_came_last() {
    let (server, gate) = held();
    let events = Events::new();
    let options = options().buffer_limit(8 << 10).batch_size(1).on_full(OnFull::DropOldest);
    let client = client(&server, events.record(options));
    client.write(long_line(0)).send().unwrap();
    server.wait_for(1);
    for n in 1..50 {
        client.write(long_line(n)).send().unwrap();
    }
    let dropped = client.write_stats().dropped.lines as i64;
    assert!(dropped > 40, "{dropped}");
    gate.open();
    client.close().unwrap();
    let mut kept = vec![0];
    kept.extend(dropped + 1..50);
    assert_eq!(stored(&server), kept, "what was on the way, and the newest");
    assert_eq!(events.numbers("error"), (1..=dropped).collect::<Vec<_>>());
    assert_adds_up(&client);
}

#[test]
fn drop_oldest_takes_open_batches_as_well() {
    let server = Server::accepting();
    let client = client(&server, options().buffer_limit(8 << 10).on_full(OnFull::DropOldest));
    for n in 0..50 {
        client.write(long_line(n)).database(format!("db{n}")).send().unwrap();
    }
    client.close().unwrap();
    let stored = stored(&server);
    assert!(stored.len() < 10 && stored.ends_with(&[48, 49]), "{stored:?}");
    assert_adds_up(&client);
}

#[test]
fn dropping_the_batch_that_others_wait_for_ends_their_wait() {
    let server = Server::start(|n, _| Reply::status(if n == 0 { 503 } else { 204 }));
    let events = Events::new();
    let options = events.record(
        options()
            .buffer_limit(4 << 10)
            .on_full(OnFull::DropOldest)
            .retry_interval(NEVER)
            .max_retry_delay(NEVER)
            .max_retry_time(NEVER * 10),
    );
    let client = client(&server, options);
    client.write(long_line(0)).send().unwrap();
    let (sender, flushed) = mpsc::channel();
    thread::spawn({
        let client = client.clone();
        move || sender.send(client.flush())
    });
    events.wait_for("retry", 1);
    // The first batch is tried again in an hour, unless it is thrown away.
    let mut next = 1..;
    while !events.numbers("error").contains(&0) {
        client.write(long_line(next.next().unwrap())).send().unwrap();
    }
    flushed.recv_timeout(HANGS).expect("flush waits for what was dropped").unwrap();
    client.close().unwrap();
    assert_adds_up(&client);
}

#[test]
fn a_line_over_the_limit_is_refused_at_once() {
    let server = Server::accepting();
    for policy in [OnFull::Block, OnFull::Error, OnFull::DropNewest, OnFull::DropOldest] {
        let client = client(&server, options().buffer_limit(4 << 10).on_full(policy));
        let long = format!("m f=1 1\nm f=\"{}\" 2", "x".repeat(4 << 10));
        let error = client.write(long).send().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TooLarge);
        assert!(
            error.to_string().contains("line 2") && error.to_string().contains("buffer_limit"),
            "{error}"
        );
        assert_eq!(client.write_stats().accepted.lines, 0);
        client.close().unwrap();
    }
    assert!(server.requests().is_empty());
}

#[test]
fn a_line_over_the_servers_limit_is_refused_at_once() {
    let server = Server::accepting();
    let client = influxdb3_blocking::Client::builder()
        .host(server.url())
        .database("db")
        .max_request_bytes(1000)
        .write_options(options())
        .build()
        .unwrap();
    let error = client.write(long_line(1)).send().unwrap_err();
    assert!(
        error.kind() == ErrorKind::TooLarge && error.to_string().contains("max_request_bytes"),
        "{error}"
    );
    client.write(points(0..200)).send().unwrap();
    client.close().unwrap();
    assert!(server.requests().iter().all(|request| request.body.len() <= 1000));
}

#[test]
fn a_writer_that_waits_is_told_when_the_client_is_closed_or_fails() {
    let (server, _gate) = held();
    let closing = options().buffer_limit(4 << 10).max_close_wait(Duration::from_millis(50));
    let client = client(&server, closing);
    let told = Mutex::new(None);
    thread::scope(|scope| {
        scope.spawn(|| {
            let error = (0..).find_map(|n| client.write(long_line(n)).send().err());
            *told.lock().unwrap() = error;
        });
        server.wait_for(1);
        client.close().unwrap_err();
    });
    let error = told.into_inner().unwrap().unwrap();
    assert_eq!((error.kind(), error.unsent().len()), (ErrorKind::Closed, 1));

    let server = Server::start(|_, _| Reply::status(401));
    let client = crate::support::batching::client(&server, options().buffer_limit(4 << 10));
    let error = (0..).find_map(|n| client.write(long_line(n)).send().err()).unwrap();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    assert!(error.unsent().len() >= 2);
}

#[test]
fn an_outage_at_full_input_rate_stays_within_the_limit() {
    const LIMIT: u64 = 64 << 10;
    for policy in [
        OnFull::Block,
        OnFull::BlockFor(Duration::from_millis(1)),
        OnFull::Error,
        OnFull::DropNewest,
        OnFull::DropOldest,
    ] {
        let is_down = Arc::new(AtomicBool::new(true));
        let server = Server::start({
            let is_down = is_down.clone();
            move |_, _| Reply::status(if is_down.load(Ordering::SeqCst) { 503 } else { 204 })
        });
        let options = options().buffer_limit(LIMIT as usize).batch_size(100).on_full(policy);
        let client = client(&server, options.max_retries(u32::MAX));
        let mut refused = 0;
        thread::scope(|scope| {
            scope.spawn(|| {
                server.wait_for(20);
                is_down.store(false, Ordering::SeqCst);
            });
            for n in 0..10_000 {
                if client.write(point(n)).send().is_err() {
                    refused += 1;
                }
                let stats = client.write_stats();
                assert!(stats.pending.bytes <= LIMIT, "{stats:?}");
            }
        });
        client.close().unwrap();
        let stats = client.write_stats();
        assert_eq!(stats.accepted.lines + refused, 10_000, "{policy:?}");
        assert_eq!(stats.written.lines + stats.dropped.lines, stats.accepted.lines, "{policy:?}");
        assert_eq!(stats.pending.lines, 0);
        if policy == OnFull::Block {
            assert_eq!((refused, stats.dropped.lines), (0, 0));
        }
        assert_adds_up(&client);
    }
}

/// Lines of about 100 or 1000 bytes, so that calls of all sizes meet little room.
fn call(first: i64, count: i64, bytes: usize) -> String {
    let line = |n| format!("m f=\"{}\" {n}\n", "x".repeat(bytes));
    (first..first + count).map(line).collect()
}

#[test]
fn a_call_that_does_not_fit_is_refused_whole_and_in_order() {
    let (server, gate) = held();
    let client =
        client(&server, options().buffer_limit(16 << 10).batch_size(7).on_full(OnFull::Error));
    // Somebody waits for room all the time, as files do.
    let (mut next, mut refused, mut taken) = (0, 0, Vec::new());
    for round in 0..300 {
        let (count, bytes) = (1 + round % 9, if round % 4 == 0 { 1000 } else { 100 });
        let database = if round % 3 == 0 { "other" } else { "db" };
        let before = client.write_stats().accepted.lines;
        let request = client.write(call(next, count, bytes)).database(database);
        let accepted = match request.send() {
            Ok(()) => count as u64,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::BufferFull);
                let unsent = error.unsent().iter().flat_map(|batch| numbers(batch.line_protocol()));
                assert_eq!(unsent.collect::<Vec<_>>(), (next..next + count).collect::<Vec<_>>());
                refused += 1;
                0
            }
        };
        assert_eq!(client.write_stats().accepted.lines, before + accepted);
        if accepted > 0 {
            taken.extend(next..next + count);
        }
        next += count;
    }
    assert!(refused > 100 && taken.len() > 20, "{refused} refused, {} taken", taken.len());
    gate.open();
    client.close().unwrap();
    let mut stored = stored(&server);
    stored.sort_unstable();
    assert_eq!(stored, taken);
    assert_adds_up(&client);
}

#[cfg(feature = "csv")]
#[test]
fn a_call_is_refused_whole_while_another_one_waits() {
    let (server, gate) = held();
    let client =
        client(&server, options().buffer_limit(8 << 10).batch_size(5).on_full(OnFull::Error));
    let path = std::path::PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("refused-whole.csv");
    let rows: String = (0..2000).map(|n| format!("{n},{n}\n")).collect();
    std::fs::write(&path, format!("time,f\n{rows}")).unwrap();
    thread::scope(|scope| {
        let file = scope.spawn(|| client.write_file(&path).measurement("file").send());
        server.wait_for(1);
        let mut refused = 0;
        for round in 0..200 {
            let (first, count) = (10_000 + round * 10, 1 + round % 8);
            let bytes = if round % 2 == 0 { 1000 } else { 100 };
            if let Err(error) = client.write(call(first, count, bytes)).send() {
                let unsent = error.unsent().iter().flat_map(|batch| numbers(batch.line_protocol()));
                assert_eq!(unsent.collect::<Vec<_>>(), (first..first + count).collect::<Vec<_>>());
                refused += 1;
            }
        }
        assert!(refused > 0);
        gate.open();
        assert_eq!(file.join().unwrap().unwrap().lines, 2000);
    });
    client.close().unwrap();
    assert_adds_up(&client);
    std::fs::remove_file(path).unwrap();
}

#[test]
fn drop_oldest_drops_an_open_batch_that_is_older_than_those_that_wait() {
    let (server, gate) = held();
    let events = Events::new();
    let options = options().buffer_limit(8 << 10).batch_size(2).on_full(OnFull::DropOldest);
    let client = client(&server, events.record(options));
    client.write([point(-2), point(-1)]).send().unwrap();
    server.wait_for(1);
    // It stays open, and is the oldest of those that are not on the way.
    client.write(long_line(0)).database("open").send().unwrap();
    let mut next = 1..;
    while events.count("error") < 3 {
        let n = next.next().unwrap();
        client.write(long_line(n)).send().unwrap();
    }
    assert_eq!(events.numbers("error")[..3], [0, 1, 2]);
    gate.open();
    client.close().unwrap();
    assert_adds_up(&client);
}

#[cfg(feature = "csv")]
#[test]
fn drop_oldest_drops_nothing_of_a_file() {
    let (server, gate) = held();
    let client =
        client(&server, options().buffer_limit(8 << 10).batch_size(20).on_full(OnFull::DropOldest));
    let path = std::path::PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("drop-oldest.csv");
    let rows: String = (0..2000).map(|n| format!("{n},{n}\n")).collect();
    std::fs::write(&path, format!("time,f\n{rows}")).unwrap();
    thread::scope(|scope| {
        let file = scope.spawn(|| client.write_file(&path).measurement("file").send());
        server.wait_for(1);
        for n in 10_000..10_200 {
            client.write(long_line(n)).send().unwrap();
        }
        gate.open();
        assert_eq!(file.join().unwrap().unwrap().lines, 2000);
    });
    client.close().unwrap();
    let of_file = stored(&server).into_iter().filter(|n| *n < 10_000);
    assert_eq!(of_file.collect::<Vec<_>>(), (0..2000).collect::<Vec<_>>());
    assert!(client.write_stats().dropped.lines > 0);
    assert_adds_up(&client);
    std::fs::remove_file(path).unwrap();
}
