//! What goes to the disk on trouble.

use std::time::Duration;

use influxdb3_blocking::{ErrorKind, OnFull, WriteOptions};

use crate::fixtures::{Directory, sent, server};
use crate::support::batching::{Events, assert_adds_up, client, numbers, options, point, points};
use crate::support::http::{Gate, HANGS, Reply, Server};

/// Two lines a batch, tried twice.
fn hasty(directory: &Directory) -> WriteOptions {
    options().batch_size(2).max_retries(1).spool(directory.spool())
}

#[test]
fn a_batch_whose_retries_are_used_up_waits_on_the_disk_and_is_sent_when_the_server_is_back() {
    let (server, switch) = server(503);
    let (directory, events) = (Directory::new(), Events::new());
    let client = client(&server, events.record(hasty(&directory)));
    client.write(points(0..6)).send().unwrap();
    client.flush().unwrap();
    let stats = client.write_stats();
    assert_eq!((stats.pending.lines, stats.failed.lines, stats.spool.on_disk.lines), (6, 0, 6));
    assert_adds_up(&client);
    assert_eq!(events.count("error"), 0);
    assert!(directory.text().contains("\nm f=5i 5\n"), "{}", directory.text());

    let before = server.requests().len();
    switch.turn_on();
    client.drain(HANGS).unwrap();
    // What was under way when the switch was turned was refused once more.
    let numbers = sent(&server, before);
    assert_eq!(numbers[numbers.len() - 6..], [0, 1, 2, 3, 4, 5]);
    assert_eq!(events.numbers("success"), [0, 1, 2, 3, 4, 5]);
    let stats = client.write_stats();
    assert_eq!((stats.written.lines, stats.pending.lines, stats.spool.disk_bytes), (6, 0, 0));
    assert_eq!(directory.names(), Vec::<String>::new(), "nothing is left");
    client.close().unwrap();
}

#[test]
fn while_the_server_is_there_nothing_touches_the_disk() {
    let (server, switch) = server(503);
    switch.turn_on();
    let directory = Directory::new();
    let client = client(&server, hasty(&directory));
    client.write(points(0..100)).send().unwrap();
    client.flush().unwrap();
    assert_eq!(directory.names(), Vec::<String>::new());
    client.close().unwrap();
    assert_eq!(sent(&server, 0), (0..100).collect::<Vec<_>>());
}

#[test]
fn a_full_buffer_goes_to_the_disk_instead_of_blocking_and_the_order_is_kept() {
    let gate = Gate::default();
    let own = gate.clone();
    let server = Server::start(move |_, _| Reply::After(own.clone(), Box::new(Reply::status(204))));
    let directory = Directory::new();
    let client =
        client(&server, options().batch_size(10).buffer_limit(4 << 10).spool(directory.spool()));
    for n in 0..1000 {
        client.write(point(n)).send().unwrap();
    }
    assert!(client.write_stats().spool.on_disk.lines > 500);
    assert_adds_up(&client);
    gate.open();
    client.drain(HANGS).unwrap();
    assert_eq!(sent(&server, 0), (0..1000).collect::<Vec<_>>());
    assert_eq!(client.write_stats().written.lines, 1000);
    assert_eq!(directory.names(), Vec::<String>::new());
}

#[test]
fn what_is_under_way_and_on_the_disk_leaves_its_room_in_memory_to_those_who_write() {
    let gate = Gate::default();
    let own = gate.clone();
    let server = Server::start(move |_, _| Reply::After(own.clone(), Box::new(Reply::status(204))));
    let directory = Directory::new();
    let client =
        client(&server, options().batch_size(200).buffer_limit(4 << 10).spool(directory.spool()));
    // Each takes more than half of the buffer.
    client.write(points(0..200)).send().unwrap();
    server.wait_for(1);
    let (taken, is_taken) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        scope.spawn(|| taken.send(client.write(points(200..400)).send()).unwrap());
        let result = is_taken.recv_timeout(HANGS);
        gate.open();
        result.expect("it does not wait for the server").unwrap();
    });
    client.drain(HANGS).unwrap();
    assert_eq!(sent(&server, 0), (0..400).collect::<Vec<_>>());
    assert_adds_up(&client);
    client.close().unwrap();
}

#[test]
fn what_is_left_at_close_is_sent_by_the_next_client_and_counted_apart() {
    let (server, switch) = server(503);
    let directory = Directory::new();
    let first = client(&server, hasty(&directory).max_retries(1000));
    first.write(points(0..7)).send().unwrap();
    first.close().unwrap();
    let stats = first.write_stats();
    assert_eq!((stats.accepted.lines, stats.pending.lines, stats.returned.lines), (7, 7, 0));
    assert_adds_up(&first);

    let second = client(&server, hasty(&directory));
    assert_eq!(second.write_stats().spool.found.lines, 7);
    let before = server.requests().len();
    switch.turn_on();
    second.write(points(7..9)).send().unwrap();
    second.drain(HANGS).unwrap();
    let numbers = sent(&server, before);
    assert_eq!(numbers[numbers.len() - 9..], [0, 1, 2, 3, 4, 5, 6, 7, 8], "the oldest first");
    let stats = second.write_stats();
    assert_eq!((stats.accepted.lines, stats.written.lines), (2, 2));
    let spool = stats.spool;
    assert_eq!((spool.found_written.lines, spool.found_pending.lines), (7, 0), "{spool:?}");
    assert_eq!((spool.on_disk.lines, spool.oldest), (0, None));
    second.close().unwrap();
}

#[test]
fn a_dropped_client_leaves_its_lines_on_the_disk() {
    let (server, _) = server(503);
    let (directory, events) = (Directory::new(), Events::new());
    let client = client(&server, events.record(hasty(&directory)));
    client.write(points(0..5)).send().unwrap();
    drop(client);
    assert_eq!(events.count("error"), 0, "nothing is lost");
    assert!(directory.text().contains("m f=4i 4\n"));
}

/// Refuses what is older than this while the switch is off.
const FRESH: i64 = 1000;

#[test]
fn fresh_data_goes_first_if_it_is_to() {
    let switch = crate::fixtures::Switch::default();
    let own = switch.clone();
    let server = Server::start(move |_, request| {
        let is_old = numbers(&request.body).iter().any(|number| *number < FRESH);
        Reply::status(if is_old && !own.is_on() { 503 } else { 204 })
    });
    let directory = Directory::new();
    let first = client(&server, hasty(&directory));
    first.write(points(0..6)).send().unwrap();
    first.close().unwrap();

    let options = hasty(&directory).spool(directory.spool().fresh_first(true));
    let second = client(&server, options);
    second.write(points(FRESH..FRESH + 10)).send().unwrap();
    // Nothing old is written yet, and what is fresh does not wait for it.
    let all_fresh = |client: &influxdb3_blocking::Client| client.write_stats().written.lines == 10;
    let start = std::time::Instant::now();
    while !all_fresh(&second) {
        assert!(start.elapsed() < HANGS, "{:?}", second.write_stats());
        std::thread::yield_now();
    }
    assert_eq!(second.write_stats().spool.found_written.lines, 0);
    switch.turn_on();
    second.drain(HANGS).unwrap();
    assert_eq!(second.write_stats().spool.found_written.lines, 6);
    second.close().unwrap();
}

#[test]
fn a_refused_token_is_no_end_of_what_waits() {
    let (server, switch) = server(401);
    let (directory, events) = (Directory::new(), Events::new());
    let client = client(&server, events.record(hasty(&directory)));
    client.write(points(0..4)).send().unwrap();
    client.flush().unwrap();
    assert_eq!(client.write_stats().spool.on_disk.lines, 4);
    assert!(events.count("retry") > 0 && events.count("error") == 0);
    switch.turn_on();
    client.drain(HANGS).unwrap();
    assert_eq!(client.write_stats().written.lines, 4);
}

#[test]
fn what_the_server_refuses_for_its_lines_ends_and_is_told() {
    let (server, switch) = server(503);
    let (directory, events) = (Directory::new(), Events::new());
    let client = client(&server, events.record(hasty(&directory)));
    client.write(points(0..2)).send().unwrap();
    client.flush().unwrap();
    drop(server);
    assert_eq!(client.write_stats().spool.on_disk.lines, 2);
    let _ = switch;
    client.close().unwrap();

    const PARTIAL: &str = r#"{"error":"partial write of line protocol occurred","data":[
        {"error_message":"bad","line_number":2}]}"#;
    let server = Server::start(|_, _| Reply::text(400, PARTIAL));
    let events = Events::new();
    let client = crate::support::batching::client(&server, events.record(hasty(&directory)));
    client.drain(HANGS).unwrap();
    assert_eq!((events.numbers("success"), events.numbers("error")), (vec![0], vec![1]));
    let spool = client.write_stats().spool;
    assert_eq!((spool.found_written.lines, spool.found_rejected.lines), (1, 1), "{spool:?}");
    assert_eq!((spool.on_disk.lines, directory.names().len()), (0, 0));
}

#[test]
fn everything_can_be_put_on_the_disk_at_once() {
    let gate = Gate::default();
    let own = gate.clone();
    let server = Server::start(move |_, _| Reply::After(own.clone(), Box::new(Reply::status(204))));
    let directory = Directory::new();
    let client = client(&server, hasty(&directory));
    client.write(points(0..5)).send().unwrap();
    // The first batch is under way, and nobody answers.
    client.flush_to_disk().unwrap();
    assert_eq!(client.write_stats().spool.on_disk.lines, 5);
    for n in 0..5 {
        assert!(directory.text().contains(&format!("m f={n}i {n}\n")), "{n}");
    }
    gate.open();
    client.drain(HANGS).unwrap();
    assert_eq!(sent(&server, 0), [0, 1, 2, 3, 4], "each once");
}

#[test]
fn draining_has_an_end() {
    let (server, _) = server(503);
    let directory = Directory::new();
    let client = client(&server, hasty(&directory));
    client.write(point(1)).send().unwrap();
    let error = client.drain(Duration::from_millis(50)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(error.is_retryable());
}

#[test]
fn without_a_spool_there_is_nothing_to_drain() {
    let (server, _) = server(503);
    let client = client(&server, options());
    assert_eq!(client.drain(HANGS).unwrap_err().kind(), ErrorKind::Config);
    assert_eq!(client.flush_to_disk().unwrap_err().kind(), ErrorKind::Config);
    client.close().unwrap();
}

#[test]
fn at_its_limit_the_oldest_go_and_are_counted() {
    let (server, switch) = server(503);
    let directory = Directory::new();
    let options = hasty(&directory)
        .batch_size(50)
        .on_full(OnFull::DropOldest)
        .spool(directory.spool().limit(64 << 10));
    let client = client(&server, options);
    for n in 0..200 {
        client.write(points(n * 50..(n + 1) * 50)).send().unwrap();
        client.flush().unwrap();
    }
    let stats = client.write_stats();
    assert!(stats.dropped.lines > 0, "{stats:?}");
    assert!(stats.spool.disk_bytes <= 64 << 10, "{stats:?}");
    assert_eq!(stats.dropped.lines + stats.spool.on_disk.lines, 10_000, "{stats:?}");
    assert_adds_up(&client);
    let before = server.requests().len();
    switch.turn_on();
    client.drain(HANGS).unwrap();
    assert_eq!(sent(&server, before).last(), Some(&9999), "the newest are there");
    assert_eq!(client.write_stats().written.lines + stats.dropped.lines, 10_000);
}

#[test]
fn a_batch_beside_one_that_is_out_of_retries_goes_to_the_disk_once_and_behind_it() {
    let (server, switch) = server(503);
    let (directory, events) = (Directory::new(), Events::new());
    let (first, second) = (Gate::default(), Gate::default());
    let recorder = events.clone();
    let (own_first, own_second) = (first.clone(), second.clone());
    let calls = std::sync::atomic::AtomicUsize::new(0);
    let options = hasty(&directory).merge_waiting(true).retry_callback(move |batch, reason| {
        recorder.push("retry", batch, Some(reason));
        match calls.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
            0 => own_first.pass(),
            _ => own_second.pass(),
        }
    });
    let client = client(&server, options);
    client.write(points(0..2)).send().unwrap();
    events.wait_for("retry", 1);
    // They join the others for their second try, after which those are out of retries.
    client.write(points(2..4)).send().unwrap();
    first.open();
    events.wait_for("retry", 2);
    std::thread::scope(|scope| {
        let moved = scope.spawn(|| client.flush_to_disk());
        let start = std::time::Instant::now();
        while client.write_stats().spool.on_disk.lines < 4 {
            assert!(start.elapsed() < HANGS, "{:?}", client.write_stats());
            std::thread::yield_now();
        }
        second.open();
        moved.join().unwrap().unwrap();
    });
    assert_eq!(client.write_stats().spool.on_disk.lines, 4, "each line once");
    assert_adds_up(&client);
    let before = server.requests().len();
    switch.turn_on();
    client.drain(HANGS).unwrap();
    let numbers = sent(&server, before);
    assert_eq!(numbers[numbers.len() - 4..], [0, 1, 2, 3]);
    let stats = client.write_stats();
    assert_eq!((stats.written.lines, stats.accepted.lines), (4, 4));
    assert_adds_up(&client);
    client.close().unwrap();
}
