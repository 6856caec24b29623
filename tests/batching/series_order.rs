//! Series that stay in order although there are several workers.

use std::collections::BTreeSet;
use std::thread;

use crate::support::batching::{Events, assert_adds_up, client_at, options};
use crate::support::http::{Gate, Reply, Server};
use influxdb3_blocking::{
    Client, OnFull, Point, Precision, ThreadPoolScheduler, Timestamp, WriteOptions,
};
use influxdb3_dev_server::DevServer;

/// Four workers, each line a batch of its own.
fn four_workers() -> WriteOptions {
    options().batch_size(1).write_scheduler(ThreadPoolScheduler::new(4))
}

/// A value of the one point of a series.
fn point(series: &str, value: i64) -> Point {
    Point::new("m").tag("series", series).field("f", value).time(Timestamp::nanos(1))
}

fn wait_until(mut done: impl FnMut() -> bool) {
    while !done() {
        thread::yield_now();
    }
}

/// What the point has in the end, and whether the second write overtook the first while that was held back.
#[cfg(feature = "query")]
fn race(options: WriteOptions) -> (i64, bool) {
    let server = DevServer::start().unwrap();
    let events = Events::new();
    let client = client_at(&server.url(), events.record(options));
    let held = server.hold_next_write();
    client.write(point("raced", 1)).send().unwrap();
    wait_until(|| held.has_come());
    client.write(point("raced", 2)).send().unwrap();
    // Other series go on, but for those of its shard.
    for other in 0..32 {
        client.write(point(&format!("other {other}"), 1)).send().unwrap();
    }
    events.wait_for("success", 10);
    let value = || {
        let sql = "SELECT f FROM m WHERE series = 'raced'";
        let table = client.query(sql).table().unwrap();
        table.rows().next().map(|row| row.get::<i64>("f").unwrap())
    };
    // The second one was sealed before the others, and has had its time.
    let has_overtaken = value() == Some(2);
    held.release();
    client.flush().unwrap();
    assert_eq!(server.rows("db", "m"), 33);
    assert_adds_up(&client);
    (value().unwrap(), has_overtaken)
}

#[test]
#[cfg(feature = "query")]
fn a_write_that_is_slow_is_not_overtaken_by_the_next_of_its_series() {
    assert_eq!(race(four_workers().series_in_order(true)), (2, false));
}

/// So the test above could fail.
#[test]
#[cfg(feature = "query")]
fn without_the_option_a_later_value_is_lost() {
    assert_eq!(race(four_workers()), (1, true));
}

/// The values of a series as they were sent, tries that failed included.
fn sent(server: &Server, series: &str) -> Vec<i64> {
    let requests = server.requests();
    let texts = requests.iter().map(|request| request.text());
    let tag = format!("m,series={series} f=");
    let value = |line: &str| line.strip_prefix(&tag)?.split('i').next()?.parse().ok();
    texts.flat_map(|text| text.lines().filter_map(value).collect::<Vec<_>>()).collect()
}

#[test]
fn a_retry_is_waited_for_by_its_series_alone() {
    let gate = Gate::default();
    let server = Server::start({
        let gate = gate.clone();
        let mut refusals = 3;
        move |_, request| match request.text().contains("series=a f=1i") && refusals > 0 {
            true => {
                refusals -= 1;
                // The last refusal waits until the others are done.
                let refusal = Reply::status(503);
                if refusals == 0 { Reply::After(gate.clone(), refusal.into()) } else { refusal }
            }
            false => Reply::status(204),
        }
    });
    let events = Events::new();
    let options = events.record(four_workers().series_in_order(true));
    let client = client_at(&server.url(), options);
    for value in 1..=3 {
        client.write(point("a", value)).send().unwrap();
        for other in 0..8 {
            client.write(point(&format!("other{other}"), value)).send().unwrap();
        }
    }
    events.wait_for("success", 3);
    assert!(!sent(&server, "a").contains(&2), "{:?}", sent(&server, "a"));
    gate.open();
    client.flush().unwrap();
    assert_eq!(sent(&server, "a"), [1, 1, 1, 1, 2, 3]);
    for other in 0..8 {
        assert_eq!(sent(&server, &format!("other{other}")), [1, 2, 3]);
    }
    assert_adds_up(&client);
}

#[test]
fn a_batch_has_lines_of_one_shard_in_their_order_and_none_is_lost() {
    let server = Server::accepting();
    let options = options().batch_size(50).write_scheduler(ThreadPoolScheduler::new(4));
    let client = client_at(&server.url(), options.series_in_order(true));
    let line = |n: i64| format!("m,series=s{} f={n}i {n}", n % 20);
    // In calls of one line, of many, and of lines that get their time here.
    let text: Vec<_> = (0..1000).map(line).collect();
    client.write(text.join("\n")).send().unwrap();
    for n in 1000..1200 {
        client.write(line(n)).send().unwrap();
    }
    client
        .write(
            (0..100).map(|n| {
                Point::new("m").tag("series", format!("s{}", n % 20)).field("f", 1200 + n)
            }),
        )
        .send()
        .unwrap();
    client.flush().unwrap();
    let mut all = BTreeSet::new();
    for series in 0..20 {
        let sent = sent(&server, &format!("s{series}"));
        assert!(sent.is_sorted(), "{series}: {sent:?}");
        all.extend(sent);
    }
    assert_eq!(all, (0..1300).collect());
    // Which series go together is the same for each batch.
    let mut shards: Vec<BTreeSet<String>> = Vec::new();
    for request in server.requests() {
        let text = request.text();
        let series = text.lines().map(|line| line.split(' ').next().unwrap().to_owned());
        let series: BTreeSet<_> = series.collect();
        match shards.iter_mut().find(|shard| !shard.is_disjoint(&series)) {
            Some(shard) => shard.extend(series),
            None => shards.push(series),
        }
    }
    assert!((2..=4).contains(&shards.len()), "{shards:?}");
    assert_eq!(shards.iter().map(BTreeSet::len).sum::<usize>(), 20, "{shards:?}");
    assert_adds_up(&client);
}

#[test]
fn tags_in_another_order_are_the_same_series() {
    let server = Server::accepting();
    let client = client_at(&server.url(), four_workers().series_in_order(true));
    for n in 0..100 {
        let tags = if n % 2 == 0 { r"a=x\ y,b=2" } else { r"b=2,a=x\ y" };
        client.write(format!("m,{tags} f={n}i {n}")).send().unwrap();
    }
    client.flush().unwrap();
    let requests = server.requests();
    let numbers: Vec<i64> = requests
        .iter()
        .map(|request| request.text().rsplit(' ').next().unwrap().trim().parse().unwrap())
        .collect();
    assert_eq!(numbers, (0..100).collect::<Vec<_>>());
}

#[test]
fn what_the_buffer_has_no_room_for_comes_back_or_goes_as_ever() {
    let lines: Vec<_> =
        (0..400).map(|n| format!("m,series=s{n} f=\"{}\" {n}", "x".repeat(50))).collect();
    let text = lines.join("\n");
    let count = |text: &[u8]| text.iter().filter(|byte| **byte == b'\n').count();
    for on_full in [OnFull::Error, OnFull::DropNewest, OnFull::DropOldest, OnFull::Block] {
        let gate = Gate::default();
        let server = Server::start({
            let gate = gate.clone();
            move |_, _| Reply::After(gate.clone(), Reply::status(204).into())
        });
        let options = four_workers().batch_size(20).buffer_limit(16 << 10).on_full(on_full);
        let client = client_at(&server.url(), options.series_in_order(true));
        let opener = (on_full == OnFull::Block).then(|| {
            thread::spawn({
                let gate = gate.clone();
                move || gate.open()
            })
        });
        let result = client.write(&text).send();
        gate.open();
        if let Some(opener) = opener {
            opener.join().unwrap();
        }
        client.flush().unwrap();
        let returned = result.err().map_or(0, |error| {
            error.unsent().iter().map(|batch| count(batch.line_protocol())).sum()
        });
        let stored: usize = server.requests().iter().map(|request| count(&request.body)).sum();
        let dropped = client.write_stats().dropped.lines as usize;
        assert_eq!(stored + dropped + returned, 400, "{on_full:?}");
        match on_full {
            OnFull::Error => assert_eq!((stored, dropped), (0, 0)),
            OnFull::Block => assert_eq!(stored, 400),
            _ => assert!(dropped > 0 && stored > 0, "{on_full:?}: {dropped} {stored}"),
        }
        assert_adds_up(&client);
    }
}

#[test]
fn a_line_that_is_too_large_is_named_by_its_place_in_the_call() {
    let server = Server::accepting();
    let client = Client::builder().host(server.url()).database("db").max_request_bytes(100);
    let client = client.write_options(four_workers().series_in_order(true)).build().unwrap();
    let text = format!("m,a=1 f=1 1\nm,a=2 f=1 1\nm,a=3 f=\"{}\" 1\nm,a=4 f=1 1", "x".repeat(200));
    let error = client.write(text).precision(Precision::Nanosecond).send().unwrap_err();
    assert!(error.to_string().starts_with("line 3 has 21"), "{error}");
    assert_eq!(error.unsent().iter().map(|batch| batch.lines()).sum::<usize>(), 4);
    assert!(server.requests().is_empty());
}
