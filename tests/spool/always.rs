//! Lines that are on the disk when `send` returns.

use std::thread;
use std::time::Duration;

use influxdb3_blocking::{
    Client, ErrorKind, OnFull, Precision, SpoolSync, ThreadPoolScheduler, WriteOptions,
};

use crate::fixtures::{Directory, sent, server};
use crate::support::batching::{
    Events, NEVER, assert_adds_up, client, numbers, options, point, points,
};
use crate::support::http::{HANGS, Reply, Server};

fn always(directory: &Directory) -> WriteOptions {
    options().batch_size(10).max_retries(1).spool(directory.spool().always(true))
}

#[test]
fn what_was_sent_is_on_the_disk_before_anything_else() {
    let (server, _) = server(503);
    for sync in [SpoolSync::EveryBatch, SpoolSync::Every(NEVER), SpoolSync::Never] {
        let directory = Directory::new();
        let options = always(&directory).spool(directory.spool().always(true).sync(sync));
        let client = client(&server, options);
        for n in 0..25 {
            client.write(point(n)).send().unwrap();
            assert!(directory.text().contains(&format!("\nm f={n}i {n}\n")), "{sync:?}");
        }
        assert_eq!(client.write_stats().accepted.lines, 25);
        assert_adds_up(&client);
        client.close().unwrap();
    }
}

#[test]
fn lines_leave_in_batches_and_in_order() {
    let (server, switch) = server(503);
    switch.turn_on();
    let (directory, events) = (Directory::new(), Events::new());
    let client = client(&server, events.record(always(&directory)));
    for n in 0..95 {
        client.write(point(n)).send().unwrap();
    }
    client.flush().unwrap();
    assert_eq!(sent(&server, 0), (0..95).collect::<Vec<_>>());
    assert_eq!(events.numbers("success"), (0..95).collect::<Vec<_>>());
    assert!(events.all().iter().all(|event| event.batch.lines() <= 10));
    client.close().unwrap();
    assert_eq!(directory.names(), Vec::<String>::new(), "close leaves nothing that has ended");
    assert_eq!(client.write_stats().written.lines, 95);
}

#[test]
fn lines_leave_at_their_age() {
    let (server, switch) = server(503);
    switch.turn_on();
    let (directory, events) = (Directory::new(), Events::new());
    let options = events.record(always(&directory)).flush_interval(Duration::from_millis(5));
    let client = client(&server, options);
    client.write(point(1)).send().unwrap();
    events.wait_for("success", 1);
    client.write(point(2)).send().unwrap();
    events.wait_for("success", 2);
}

#[test]
fn close_sends_what_is_left_if_the_server_takes_it_and_leaves_it_otherwise() {
    let (server, switch) = server(503);
    let directory = Directory::new();
    let first = client(&server, always(&directory));
    first.write(points(0..25)).send().unwrap();
    first.close().unwrap();
    assert_eq!(first.write_stats().pending.lines, 25);
    switch.turn_on();
    let before = server.requests().len();
    let second = client(&server, always(&directory));
    second.write(points(25..30)).send().unwrap();
    second.close().unwrap();
    assert_eq!(sent(&server, before), (0..30).collect::<Vec<_>>());
    assert_eq!(second.write_stats().pending.lines, 0);
}

#[test]
fn several_threads_and_workers_lose_nothing() {
    let (server, switch) = server(503);
    let directory = Directory::new();
    let options = always(&directory).write_scheduler(ThreadPoolScheduler::new(3));
    let client = client(&server, options);
    thread::scope(|scope| {
        for part in 0..4 {
            let client = &client;
            scope.spawn(move || {
                for n in 0..250 {
                    client.write(point(part * 250 + n)).send().unwrap();
                }
            });
        }
        switch.turn_on();
    });
    client.drain(HANGS).unwrap();
    let stats = client.write_stats();
    assert_eq!((stats.accepted.lines, stats.written.lines), (1000, 1000), "{stats:?}");
    let mut all = sent(&server, 0);
    all.sort_unstable();
    all.dedup();
    assert_eq!(all, (0..1000).collect::<Vec<_>>());
}

#[test]
fn targets_come_back_as_they_were_and_tokens_are_nowhere() {
    let directory = Directory::new();
    let server = Server::start(|_, _| Reply::status(503));
    let build = |server: &Server, token: &str| {
        Client::builder()
            .host(server.url())
            .database("db")
            .token(token)
            .write_options(always(&directory))
            .build()
            .unwrap()
    };
    let first = build(&server, "s3cret-one");
    let write = first.write("m f=1i 1").database("other one").precision(Precision::Second);
    let write = write.use_v2_api(false).no_sync(true).header("x-trace", "7");
    write.header("authorization", "Token s3cret-two").send().unwrap();
    first.write(points(0..2)).send().unwrap();
    first.close().unwrap();
    let text = directory.text();
    assert!(text.contains("x-trace") && text.contains("\"other one\""), "{text}");
    assert!(!text.contains("s3cret"), "{text}");

    let server = Server::start(|_, _| Reply::status(204));
    let second = build(&server, "s3cret-three");
    second.drain(HANGS).unwrap();
    let requests = server.requests();
    let other = requests.iter().find(|request| request.path.contains("other")).unwrap();
    assert!(
        other.path.starts_with("/api/v3/write_lp?db=other%20one&precision=second"),
        "{}",
        other.path
    );
    assert!(other.path.contains("no_sync=true"), "{}", other.path);
    assert_eq!(other.header("x-trace"), Some("7"));
    assert_eq!(other.header("authorization"), Some("Token s3cret-three"), "that of the client");
    let usual = requests.iter().find(|request| request.path.contains("bucket=db")).unwrap();
    assert_eq!(numbers(&usual.body), [0, 1]);
}

#[test]
fn at_its_limit_it_does_what_a_full_buffer_does() {
    let (server, switch) = server(503);
    let limited = |on_full, directory: &Directory| {
        let spool = directory.spool().always(true).limit(64 << 10);
        client(&server, always(directory).on_full(on_full).spool(spool))
    };
    let fill = |client: &Client| -> (i64, Option<influxdb3_blocking::Error>) {
        for n in 0..20_000 {
            if let Err(error) = client.write(point(n)).send() {
                return (n, Some(error));
            }
        }
        (20_000, None)
    };

    let directory = Directory::new();
    let failing = limited(OnFull::Error, &directory);
    let (taken, error) = fill(&failing);
    let error = error.unwrap();
    assert_eq!(error.kind(), ErrorKind::BufferFull);
    assert!(error.to_string().contains("on the disk"), "{error}");
    assert_eq!(numbers(error.unsent()[0].line_protocol()), [taken]);
    assert_eq!(failing.write_stats().accepted.lines, taken as u64);
    failing.close().unwrap();

    let directory = Directory::new();
    let dropping = limited(OnFull::DropNewest, &directory);
    assert!(fill(&dropping).1.is_none());
    let stats = dropping.write_stats();
    assert_eq!(stats.dropped.lines + stats.spool.on_disk.lines, 20_000, "{stats:?}");
    assert!(directory.text().contains("\nm f=0i 0\n"));
    dropping.close().unwrap();

    let directory = Directory::new();
    let blocking = limited(OnFull::Block, &directory);
    thread::scope(|scope| {
        let filling = scope.spawn(|| fill(&blocking));
        while blocking.write_stats().spool.disk_bytes < 60 << 10 {
            thread::yield_now();
        }
        assert!(!filling.is_finished());
        switch.turn_on();
        assert_eq!(filling.join().unwrap().0, 20_000);
    });
    blocking.drain(HANGS).unwrap();
    assert_eq!(blocking.write_stats().written.lines, 20_000);
}

#[test]
fn nothing_is_lost_where_segments_end_while_they_are_read() {
    let (server, switch) = server(503);
    switch.turn_on();
    let directory = Directory::new();
    let spool = directory.spool().always(true).limit(1 << 20).sync(SpoolSync::Never);
    let client = client(&server, always(&directory).merge_waiting(true).spool(spool));
    for n in 0..3000 {
        client.write(points(n * 30..(n + 1) * 30)).send().unwrap();
    }
    client.drain(HANGS).unwrap();
    let stats = client.write_stats();
    assert_eq!((stats.written.lines, stats.failed.lines), (90_000, 0), "{stats:?}");
    assert_eq!(sent(&server, 0), (0..90_000).collect::<Vec<_>>());
}
