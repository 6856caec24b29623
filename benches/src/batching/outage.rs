//! What an outage at full input rate takes of memory, with each policy.

use std::env;
use std::process::Command;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use influxdb3_blocking::{Client, LineBuffer, OnFull, Timestamp, WriteOptions};

use crate::process;
use crate::report::Table;
use crate::sink::Sink;

const DOWN: Duration = Duration::from_secs(3);
const POLICIES: [(&str, OnFull); 5] = [
    ("Block", OnFull::Block),
    ("BlockFor", OnFull::BlockFor(Duration::from_millis(1))),
    ("Error", OnFull::Error),
    ("DropNewest", OnFull::DropNewest),
    ("DropOldest", OnFull::DropOldest),
];

pub fn print() {
    if let Ok(policy) = env::var("BATCHING_OUTAGE") {
        return run(&policy);
    }
    let title = format!(
        "Batching: {DOWN:?} without a server at full input rate, 16 MiB of buffer (the default)"
    );
    let columns = ["peak MiB", "before", "lines", "written", "dropped", "refused"];
    let table = Table::begin("batching", &title, &columns);
    for (name, _) in POLICIES {
        let program = env::current_exe().expect("a path");
        let output = Command::new(program).arg("outage").env("BATCHING_OUTAGE", name).output();
        let output = output.expect("a process");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8_lossy(&output.stdout);
        let cells: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
        table.row(name, &cells, "outage");
    }
}

fn run(policy: &str) {
    let (_, on_full) = POLICIES.into_iter().find(|(name, _)| *name == policy).expect("a policy");
    let sink = Arc::new(Sink::start());
    let options = WriteOptions::default()
        .on_full(on_full)
        .retry_interval(Duration::from_millis(100))
        .max_retry_delay(Duration::from_millis(100))
        .max_retries(u32::MAX);
    let client = Client::builder()
        .host(sink.url())
        .database("bench")
        .write_options(options)
        .build()
        .expect("a client");
    let before = process::peak_mib();
    sink.set_down(true);
    let start = Instant::now();
    thread::spawn({
        let sink = sink.clone();
        move || {
            thread::sleep(DOWN);
            sink.set_down(false);
        }
    });
    let mut buffer = LineBuffer::new();
    let (mut sent, mut refused) = (0u64, 0u64);
    while start.elapsed() < DOWN + DOWN {
        buffer.clear();
        for n in 0..100 {
            let line = buffer.measurement("m").and_then(|line| line.tag("room", "kitchen"));
            let time = Timestamp::nanos((sent + n) as i64);
            line.and_then(|line| line.field("f", n as f64)?.at(time)).expect("a line");
        }
        sent += 100;
        refused += client.write(&buffer).send().map_or(100, |()| 0);
    }
    client.close().expect("closed");
    let stats = client.write_stats();
    assert_eq!(stats.accepted.lines + refused, sent);
    assert_eq!(stats.written.lines + stats.dropped.lines, stats.accepted.lines);
    println!(
        "{:.1} {before:.1} {sent} {} {} {refused}",
        process::peak_mib(),
        stats.written.lines,
        stats.dropped.lines,
    );
}
