//! Batching: batches that wait go as one request, and each of them is told of by itself.

use std::io::Read;

use crate::support::batching::{
    Events, assert_adds_up, client, numbers, options as one_by_one, point, points,
};
use crate::support::http::{Gate, Reply, Request, Server};
use influxdb3_blocking::{Client, ErrorKind, OnFull, ThreadPoolScheduler, WriteOptions};

fn options() -> WriteOptions {
    one_by_one().merge_waiting(true)
}

/// Holds the first request back until the gate is open, and answers all later ones with `answer`.
fn held_then(answer: impl Fn(usize, &Request) -> Reply + Send + 'static) -> (Server, Gate) {
    let gate = Gate::default();
    let server = Server::start({
        let gate = gate.clone();
        move |n, request| match n {
            0 => Reply::After(gate.clone(), Box::new(Reply::status(204))),
            _ => answer(n, request),
        }
    });
    (server, gate)
}

fn held() -> (Server, Gate) {
    held_then(|_, _| Reply::status(204))
}

fn sent(server: &Server) -> Vec<Vec<i64>> {
    server.requests().iter().map(|request| numbers(&request.body)).collect()
}

/// Puts number 0 under way, and all others behind it.
fn write_behind(client: &Client, server: &Server, others: std::ops::Range<i64>) {
    client.write(point(0)).send().unwrap();
    server.wait_for(1);
    for n in others {
        client.write(point(n)).send().unwrap();
    }
}

#[test]
fn batches_that_wait_for_a_request_leave_as_the_next_one_and_are_told_one_by_one() {
    let (server, gate) = held();
    let events = Events::new();
    let client = client(&server, events.record(options().batch_size(1)));
    write_behind(&client, &server, 1..6);
    gate.open();
    client.flush().unwrap();
    assert_eq!(sent(&server), [vec![0], vec![1, 2, 3, 4, 5]]);
    assert_eq!(events.names(), ["success"; 6]);
    assert_eq!(events.numbers("success"), [0, 1, 2, 3, 4, 5]);
    assert!(events.all().iter().all(|event| event.batch.attempts() == 1));
    let stats = client.write_stats();
    assert_eq!((stats.batches, stats.requests, stats.written.lines), (6, 2, 6));
    client.close().unwrap();
    assert_adds_up(&client);
}

#[test]
fn a_batch_that_finds_nothing_on_the_way_leaves_at_once() {
    let server = Server::accepting();
    let client = client(&server, options().batch_size(1));
    for n in 0..5 {
        client.write(point(n)).send().unwrap();
        client.flush().unwrap();
    }
    assert_eq!(sent(&server), [[0], [1], [2], [3], [4]]);
}

#[test]
fn requests_are_limited_in_lines_and_in_bytes() {
    let (server, gate) = held();
    let client = client(&server, options().batch_size(2).max_request_lines(5));
    client.write(points(0..2)).send().unwrap();
    server.wait_for(1);
    client.write(points(2..12)).send().unwrap();
    gate.open();
    client.flush().unwrap();
    assert_eq!(sent(&server)[1..], [vec![2, 3, 4, 5], vec![6, 7, 8, 9], vec![10, 11]]);
    client.close().unwrap();

    let (server, gate) = held();
    // A line has nine bytes.
    let builder = Client::builder().host(server.url()).database("db").max_request_bytes(30);
    let client = builder.write_options(options().batch_size(1)).build().unwrap();
    write_behind(&client, &server, 1..8);
    gate.open();
    client.flush().unwrap();
    assert_eq!(sent(&server)[1..], [vec![1, 2, 3], vec![4, 5, 6], vec![7]]);
}

#[test]
fn without_it_each_batch_goes_alone() {
    let (server, gate) = held();
    let client = client(&server, options().batch_size(1).merge_waiting(false));
    write_behind(&client, &server, 1..4);
    gate.open();
    client.flush().unwrap();
    assert_eq!(sent(&server), [[0], [1], [2], [3]]);
}

#[test]
fn only_batches_of_one_target_that_follow_each_other_go_together() {
    let (server, gate) = held();
    let client = client(&server, options().batch_size(1));
    client.write(point(0)).send().unwrap();
    server.wait_for(1);
    for (n, database) in [(1, "db"), (2, "db"), (3, "other"), (4, "db"), (5, "other"), (6, "other")]
    {
        client.write(point(n)).database(database).send().unwrap();
    }
    gate.open();
    client.flush().unwrap();
    assert_eq!(sent(&server), [vec![0], vec![1, 2], vec![3], vec![4], vec![5, 6]]);
}

#[test]
fn line_errors_are_told_with_their_batches() {
    let body = r#"{"error":"partial write of line protocol occurred","data":[
        {"error_message":"first","line_number":2},{"error_message":"second","line_number":5},
        {"error_message":"third","line_number":6}]}"#;
    let (server, gate) = held_then(move |_, _| Reply::text(400, body));
    let events = Events::new();
    let builder = Client::builder().host(server.url()).database("db").use_v2_api(false);
    let client = builder.write_options(events.record(options().batch_size(2))).build().unwrap();
    client.write(points(0..2)).send().unwrap();
    server.wait_for(1);
    client.write(points(2..10)).send().unwrap();
    gate.open();
    client.flush().unwrap();
    assert_eq!(sent(&server), [vec![0, 1], (2..10).collect()]);
    let told: Vec<_> = events
        .all()
        .iter()
        .map(|event| (event.name, numbers(event.batch.line_protocol())))
        .collect();
    let expected = [
        ("success", vec![0, 1]),
        ("success", vec![2]),
        ("error", vec![3]),
        ("success", vec![4, 5]),
        // All lines of a batch are bad.
        ("success", vec![8, 9]),
        ("error", vec![6, 7]),
    ];
    assert_eq!(told, expected);
    let texts: Vec<_> = events.all().iter().map(|event| event.text.clone()).collect();
    assert!(texts[2].contains("first (m f=3i 3)") && !texts[2].contains("second"), "{}", texts[2]);
    assert!(texts[5].contains("second (m f=6i 6)") && texts[5].contains("third (m f=7i 7)"));
    let stats = client.write_stats();
    assert_eq!((stats.written.lines, stats.rejected.lines), (7, 3));
    assert_adds_up(&client);
}

#[test]
fn a_failure_is_that_of_all_batches_and_each_of_them_comes_back() {
    let (server, gate) = held_then(|_, _| Reply::status(401));
    let client = client(&server, options().batch_size(2));
    client.write(points(0..2)).send().unwrap();
    server.wait_for(1);
    client.write(points(2..8)).send().unwrap();
    gate.open();
    let error = client.flush().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    let unsent: Vec<_> =
        error.unsent().iter().map(|batch| numbers(batch.line_protocol())).collect();
    assert_eq!(unsent, [[2, 3], [4, 5], [6, 7]]);
    assert_eq!(sent(&server).len(), 2);
    assert_adds_up(&client);
}

#[test]
fn a_retry_keeps_the_order_and_the_attempts_of_each_batch() {
    let (server, gate) = held_then(|n, _| Reply::status(if n < 3 { 503 } else { 204 }));
    let events = Events::new();
    let client = client(&server, events.record(options().batch_size(1)));
    write_behind(&client, &server, 1..4);
    gate.open();
    client.flush().unwrap();
    assert_eq!(sent(&server), [vec![0], vec![1, 2, 3], vec![1, 2, 3], vec![1, 2, 3]]);
    assert_eq!(events.numbers("retry"), [1, 2, 3, 1, 2, 3]);
    assert_eq!(events.numbers("success"), [0, 1, 2, 3]);
    let attempts: Vec<_> = events.all().iter().map(|event| event.batch.attempts()).collect();
    assert_eq!(attempts, [1, 1, 1, 1, 2, 2, 2, 3, 3, 3]);
    assert_eq!(client.write_stats().retries, 6);
}

#[test]
fn a_batch_that_is_out_of_retries_fails_alone() {
    let (server, gate) = held_then(|n, _| Reply::status(if n < 3 { 503 } else { 204 }));
    let events = Events::new();
    let client = client(&server, events.record(options().batch_size(1).max_retries(1)));
    client.write(point(0)).send().unwrap();
    server.wait_for(1);
    client.write(point(1)).send().unwrap();
    gate.open();
    // Number 2 joins number 1 at the latest when that is tried again.
    events.wait_for("retry", 1);
    client.flush().unwrap();
    client.write(point(2)).send().unwrap();
    client.flush().unwrap();
    assert_eq!(events.numbers("error"), [1]);
    assert_eq!(events.numbers("success"), [0, 2]);
    assert_adds_up(&client);
}

#[test]
fn one_bad_line_costs_no_other_batch() {
    const HIDDEN: &str =
        r#"{"code":"invalid","message":"write buffer error: parsing for line protocol failed"}"#;
    let (server, gate) = held_then(|_, request| {
        let has_bad = numbers(&request.body).contains(&37);
        if has_bad { Reply::text(400, HIDDEN) } else { Reply::status(204) }
    });
    let events = Events::new();
    let client = client(&server, events.record(options().batch_size(10)));
    client.write(points(0..10)).send().unwrap();
    server.wait_for(1);
    client.write(points(10..90)).send().unwrap();
    gate.open();
    client.flush().unwrap();
    assert_eq!(events.numbers("error"), [37]);
    let expected: Vec<_> = (0..90).filter(|n| *n != 37).collect();
    assert_eq!(events.numbers("success"), expected);
    // The batches without it go in halves of what was refused, and not line by line.
    let whole = events.all().iter().filter(|event| event.batch.lines() == 10).count();
    assert_eq!(whole, 8);
    assert!(server.requests().len() <= 1 + 2 * 3 + 1 + 2 * 4, "{}", server.requests().len());
    assert_adds_up(&client);
}

#[test]
fn without_partial_writes_a_bad_line_costs_its_own_batch_only() {
    let (server, gate) = held_then(|_, request| {
        let bad = numbers(&request.body).iter().position(|number| *number == 37);
        match bad.map(|place| place + 1) {
            Some(line) => Reply::text(
                400,
                &format!(
                    r#"{{"error":"parsing failed for write_lp endpoint","data":{{"error_message":"bad","line_number":{line}}}}}"#
                ),
            ),
            None => Reply::status(204),
        }
    });
    let events = Events::new();
    let builder = Client::builder().host(server.url()).database("db").use_v2_api(false);
    let builder = builder.accept_partial(false);
    let client = builder.write_options(events.record(options().batch_size(10))).build().unwrap();
    client.write(points(0..10)).send().unwrap();
    server.wait_for(1);
    client.write(points(10..90)).send().unwrap();
    gate.open();
    client.flush().unwrap();
    assert_eq!(events.numbers("error"), (30..40).collect::<Vec<_>>());
    let error = events.all().into_iter().find(|event| event.name == "error").unwrap();
    assert!(error.text.contains("line 8"), "the number in its own batch: {}", error.text);
    let expected: Vec<_> = (0..30).chain(40..90).collect();
    assert_eq!(events.numbers("success"), expected);
    assert!(server.requests().len() <= 1 + 2 * 3 + 1, "{}", server.requests().len());
    assert_adds_up(&client);
}

#[test]
fn what_is_too_large_together_goes_in_smaller_requests_from_then_on() {
    let (server, gate) = held_then(|_, request| {
        Reply::status(if numbers(&request.body).len() > 4 { 413 } else { 204 })
    });
    let client = client(&server, options().batch_size(1));
    write_behind(&client, &server, 1..9);
    gate.open();
    client.flush().unwrap();
    assert_eq!(
        sent(&server)[1..],
        [(1..9).collect::<Vec<_>>(), vec![1, 2, 3, 4], vec![5, 6, 7, 8]]
    );
    let refused = |server: &Server| sent(server).iter().filter(|numbers| numbers.len() > 4).count();
    assert_eq!(refused(&server), 1);
    client.write(points(10..100)).send().unwrap();
    client.close().unwrap();
    assert_eq!(refused(&server), 1, "it is remembered");
    assert_eq!(client.write_stats().written.lines, 99);
}

#[test]
fn a_connection_that_is_cut_twice_parts_the_batches() {
    let (server, gate) = held_then(|_, request| {
        if numbers(&request.body).contains(&5) { Reply::Close } else { Reply::status(204) }
    });
    let events = Events::new();
    let client = client(&server, events.record(options().batch_size(1)));
    write_behind(&client, &server, 1..9);
    gate.open();
    client.flush().unwrap();
    assert_eq!(events.numbers("error"), [5]);
    assert_eq!(events.numbers("success"), [0, 1, 2, 3, 4, 6, 7, 8]);
    assert_adds_up(&client);
}

#[test]
fn a_close_that_is_out_of_time_hands_back_what_went_together() {
    let (server, gate) = held_then(|_, _| Reply::Stall);
    let wait = std::time::Duration::from_millis(50);
    let client = client(&server, options().batch_size(1).max_close_wait(wait));
    write_behind(&client, &server, 1..4);
    gate.open();
    server.wait_for(2);
    client.write(points(4..6)).send().unwrap();
    let error = client.close().unwrap_err();
    let unsent: Vec<_> =
        error.unsent().iter().map(|batch| numbers(batch.line_protocol())).collect();
    assert_eq!(unsent, [[1], [2], [3], [4], [5]]);
    assert!(error.in_doubt());
    assert_adds_up(&client);
}

#[test]
fn drop_oldest_takes_single_batches_of_what_waits_for_its_retry() {
    let (server, gate) = held_then(|_, _| Reply::status(503));
    let events = Events::new();
    let options = events.record(
        options()
            .batch_size(1)
            .buffer_limit(8 << 10)
            .on_full(OnFull::DropOldest)
            .retry_interval(crate::support::batching::NEVER)
            .max_retry_delay(crate::support::batching::NEVER)
            .max_retry_time(crate::support::batching::NEVER * 10)
            .max_close_wait(std::time::Duration::ZERO),
    );
    let client = client(&server, options);
    write_behind(&client, &server, 1..4);
    gate.open();
    events.wait_for("retry", 3);
    let mut next = 4..;
    // Until its callbacks are done it counts as under way, and is not dropped.
    while !events.numbers("error").contains(&3) {
        client.write(point(next.next().unwrap())).send().unwrap();
    }
    let dropped = events.all().into_iter().filter(|event| event.name == "error");
    let of_group = dropped.map(|event| numbers(event.batch.line_protocol()));
    let of_group: Vec<_> = of_group.filter(|numbers| numbers[0] < 4).collect();
    assert_eq!(of_group, [[1], [2], [3]]);
    client.close().unwrap_err();
    assert_adds_up(&client);
}

#[test]
fn several_workers_merge_what_waits_for_all_of_them() {
    let gate = Gate::default();
    let server = Server::start({
        let gate = gate.clone();
        move |n, _| match n {
            0 | 1 => Reply::After(gate.clone(), Box::new(Reply::status(204))),
            _ => Reply::status(204),
        }
    });
    let options = options().batch_size(1).write_scheduler(ThreadPoolScheduler::new(2));
    let client = client(&server, options);
    client.write(point(0)).send().unwrap();
    server.wait_for(1);
    client.write(point(1)).send().unwrap();
    server.wait_for(2);
    client.write(points(2..20)).send().unwrap();
    gate.open();
    client.flush().unwrap();
    assert!(server.requests().len() <= 4, "{:?}", sent(&server));
    let mut all = sent(&server).concat();
    all.sort_unstable();
    assert_eq!(all, (0..20).collect::<Vec<_>>());
}

#[cfg(feature = "gzip")]
#[test]
fn what_goes_together_is_one_compressed_member() {
    let (server, gate) = held();
    let builder = Client::builder().host(server.url()).database("db").gzip_threshold(300);
    let client = builder.write_options(options().batch_size(20)).build().unwrap();
    client.write(points(0..20)).send().unwrap();
    server.wait_for(1);
    client.write(points(20..100)).send().unwrap();
    gate.open();
    client.close().unwrap();
    let requests = server.requests();
    assert_eq!(requests[0].header("content-encoding"), None, "it is below the threshold");
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[1].header("content-encoding"), Some("gzip"), "together they are not");
    let mut text = Vec::new();
    // A decoder that reads one member only, as that of InfluxDB 3 Core.
    let mut decoder = flate2::read::GzDecoder::new(&requests[1].body[..]);
    decoder.read_to_end(&mut text).unwrap();
    assert_eq!(numbers(&text), (20..100).collect::<Vec<_>>());
}
