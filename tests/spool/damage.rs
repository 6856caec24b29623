//! What disk buffers of others have lost, doubled or fallen over.

use std::fs::OpenOptions;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};

use influxdb3_blocking::{Client, WriteOptions};

use crate::fixtures::{Directory, Switch, sent, server};
use crate::support::batching::{client, options, point, points};
use crate::support::http::{HANGS, Server};

fn always(directory: &Directory) -> WriteOptions {
    options().batch_size(5).max_retries(0).spool(directory.spool().always(true))
}

/// Leaves the points of these calls in a directory, a batch for each, and a server that takes them from now on.
fn left_behind(directory: &Directory, calls: i64, each: i64) -> (Server, Switch, usize) {
    let (server, switch) = server(503);
    let client = client(&server, always(directory));
    for call in 0..calls {
        client.write(points(call * each..(call + 1) * each)).send().unwrap();
    }
    client.close().unwrap();
    assert_eq!(client.write_stats().pending.lines as i64, calls * each);
    switch.turn_on();
    let before = server.requests().len();
    (server, switch, before)
}

fn drained(server: &Server, directory: &Directory) -> Client {
    let client = client(server, always(directory));
    client.drain(HANGS).unwrap();
    client
}

#[test]
fn a_segment_that_was_written_in_part_is_cut_and_everything_before_it_is_sent() {
    let directory = Directory::new();
    let (server, _, before) = left_behind(&directory, 4, 5);
    let path = directory.path().join(&directory.names()[0]);
    let length = std::fs::metadata(&path).unwrap().len();
    OpenOptions::new().write(true).open(&path).unwrap().set_len(length - 3).unwrap();
    let client = drained(&server, &directory);
    assert_eq!(sent(&server, before), (0..15).collect::<Vec<_>>());
    let spool = client.write_stats().spool;
    assert_eq!((spool.found.lines, spool.damaged), (15, 0), "{spool:?}");
    client.close().unwrap();
    assert_eq!(directory.names(), Vec::<String>::new());
}

#[test]
fn a_damaged_middle_is_set_aside_and_everything_else_is_sent() {
    let directory = Directory::new();
    let (server, _, before) = left_behind(&directory, 4, 5);
    let name = directory.names()[0].clone();
    let path = directory.path().join(&name);
    let damaged = std::fs::read_to_string(&path).unwrap().replace("f=7i", "f=8i");
    std::fs::write(&path, damaged).unwrap();
    let client = drained(&server, &directory);
    let expected: Vec<_> = (0..5).chain(10..20).collect();
    assert_eq!(sent(&server, before), expected);
    let spool = client.write_stats().spool;
    assert_eq!((spool.found.lines, spool.found_written.lines), (20, 15), "{spool:?}");
    assert_eq!((spool.found_failed.lines, spool.found_pending.lines), (5, 0), "{spool:?}");
    assert_eq!(spool.damaged, 1);
    client.close().unwrap();
    assert_eq!(directory.names(), [format!("{name}.bad")], "nothing is removed in silence");
    assert!(directory.text().contains("m f=8i 7\n"));
    // It stays there, and holds up nobody.
    let next = drained(&server, &directory);
    assert_eq!((next.write_stats().spool.found.lines, next.write_stats().spool.damaged), (0, 1));
    next.close().unwrap();
    assert_eq!(directory.names().len(), 1);
}

#[test]
fn an_empty_file_that_was_left_behind_harms_nobody() {
    let directory = Directory::new();
    let (server, _, before) = left_behind(&directory, 1, 5);
    for name in ["00000000000000000002.lp", "00000000000000000009.lp"] {
        std::fs::write(directory.path().join(name), "").unwrap();
    }
    std::fs::write(directory.path().join("notes.txt"), "not ours").unwrap();
    let client = drained(&server, &directory);
    client.write(point(5)).send().unwrap();
    client.drain(HANGS).unwrap();
    assert_eq!(sent(&server, before), [0, 1, 2, 3, 4, 5]);
    client.close().unwrap();
    assert_eq!(directory.names(), ["notes.txt"], "what is not ours is left alone");
}

#[test]
fn a_file_that_is_no_segment_is_kept() {
    let directory = Directory::new();
    let (server, _, _) = left_behind(&directory, 1, 5);
    let path = directory.path().join("00000000000000000007.lp");
    std::fs::write(path, "m f=1i 1\nwhat is this\n").unwrap();
    let client = drained(&server, &directory);
    assert_eq!(client.write_stats().spool.damaged, 1);
    client.close().unwrap();
    assert_eq!(directory.names(), ["00000000000000000007.lp.bad"]);
}

#[test]
fn after_an_outage_of_ten_thousand_batches_the_first_comes_first_and_none_is_missing() {
    const BATCHES: i64 = 10_000;
    let (server, switch) = server(503);
    let directory = Directory::new();
    let options = options().batch_size(3).merge_waiting(true).max_retries(0);
    let client = client(&server, options.spool(directory.spool()));
    for batch in 0..BATCHES {
        client.write(points(batch * 3..(batch + 1) * 3)).send().unwrap();
    }
    client.flush().unwrap();
    assert_eq!(client.write_stats().spool.on_disk.lines as i64, 3 * BATCHES);
    switch.turn_on();
    client.drain(HANGS).unwrap();
    let all = sent(&server, 0);
    assert_eq!(all[all.len() - 3 * BATCHES as usize..], (0..3 * BATCHES).collect::<Vec<_>>());
    assert_eq!(client.write_stats().written.lines as i64, 3 * BATCHES);
    assert_eq!(directory.names(), Vec::<String>::new());
}

#[test]
fn restarts_between_half_drained_backlogs_neither_lose_nor_mix_anything() {
    let directory = Directory::new();
    let (server, switch, _) = left_behind(&directory, 20, 5);
    for round in 1..5 {
        // It is closed while it drains, and has new lines each time.
        let client = client(&server, always(&directory));
        switch.turn_off();
        client.write(points(round * 1000..round * 1000 + 5)).send().unwrap();
        client.close().unwrap();
        switch.turn_on();
    }
    drained(&server, &directory).close().unwrap();
    let mut all = sent(&server, 0);
    all.sort_unstable();
    all.dedup();
    let expected: Vec<_> =
        (0..100).chain((1..5).flat_map(|round| round * 1000..round * 1000 + 5)).collect();
    assert_eq!(all, expected);
    assert_eq!(directory.names(), Vec::<String>::new());
}

#[test]
fn a_panic_while_it_is_open_leaves_everything_on_the_disk() {
    let (server, switch) = server(503);
    let directory = Directory::new();
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let client = client(&server, options().spool(directory.spool()));
        client.write(points(0..50)).send().unwrap();
        panic!("of the program");
    }));
    assert!(panicked.is_err());
    let before = server.requests().len();
    switch.turn_on();
    drained(&server, &directory).close().unwrap();
    assert_eq!(sent(&server, before), (0..50).collect::<Vec<_>>());
}

#[test]
fn a_disk_that_fails_is_an_error_of_the_call_and_memory_goes_on() {
    let (server, switch) = server(503);
    let directory = Directory::new();
    let gone = client(&server, always(&directory));
    std::fs::remove_dir_all(directory.path()).unwrap();
    let error = gone.write(point(1)).send().unwrap_err();
    assert_eq!(error.kind(), influxdb3_blocking::ErrorKind::File);
    assert_eq!(error.unsent()[0].line_protocol(), b"m f=1i 1\n");
    assert_eq!(gone.write_stats().accepted.lines, 0);
    assert!(gone.write_stats().spool.errors > 0);
    gone.close().unwrap();

    let directory = Directory::new();
    let trouble = client(&server, options().max_retries(0).spool(directory.spool()));
    std::fs::remove_dir_all(directory.path()).unwrap();
    trouble.write(point(1)).send().unwrap();
    let error = trouble.flush().unwrap_err();
    assert!(error.to_string().contains("cannot wait on the disk"), "{error}");
    assert_eq!(error.unsent()[0].line_protocol(), b"m f=1i 1\n");
    switch.turn_on();
    trouble.write(point(2)).send().unwrap();
    trouble.flush().unwrap();
    assert_eq!((trouble.write_stats().written.lines, trouble.write_stats().failed.lines), (1, 1));
}

#[test]
fn a_segment_is_line_protocol_that_any_tool_can_write() {
    let directory = Directory::new();
    let (server, switch) = server(503);
    let spooling = client(&server, always(&directory));
    spooling.write(points(0..7)).send().unwrap();
    spooling.close().unwrap();
    let text = directory.text();
    assert!(text.starts_with("# influxdb3-blocking spool 1 "), "{text}");
    let (before, after) = (server.requests().len(), Directory::new());
    switch.turn_on();
    let tool = client(&server, options().spool(after.spool()));
    tool.write(&*text).send().unwrap();
    tool.close().unwrap();
    assert_eq!(sent(&server, before), (0..7).collect::<Vec<_>>());
}

#[test]
fn junk_behind_the_last_batch_is_kept() {
    let directory = Directory::new();
    let (server, _, before) = left_behind(&directory, 2, 5);
    let path = directory.path().join(&directory.names()[0]);
    let mut file = OpenOptions::new().append(true).open(path).unwrap();
    file.write_all(b"somebody's line\nand another\n").unwrap();
    drop(file);
    let client = drained(&server, &directory);
    assert_eq!(sent(&server, before), (0..10).collect::<Vec<_>>());
    client.close().unwrap();
    assert!(directory.names()[0].ends_with(".bad"), "{:?}", directory.names());
}
