//! What a spool costs, and how fast it drains: points a second into a server that does nothing but count them.
//!
//! `cargo run --release --bin spool` prints the tables, with words such as `none` those rows alone; `-- backlog 2000` fills a directory with so many MiB, drains it from
//! another process, and prints the memory of that. Each measurement has a process of its own.

#[allow(dead_code)] // each bench uses a part
#[path = "../batching/process.rs"]
mod process;
#[allow(dead_code)] // each bench uses a part
#[path = "../report.rs"]
mod report;
#[allow(dead_code)] // each bench uses a part
#[path = "../sink.rs"]
mod sink;

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use influxdb3_blocking::{Client, LineBuffer, Spool, SpoolSync, Timestamp, WriteOptions};
use report::{Rounds, Selection, Table, rate};
use sink::Sink;

const POINTS: u64 = 2_000_000;
const ROUNDS: usize = 3;

/// The ways to write, by name: whether there is a spool, and how it is set.
const WAYS: [&str; 5] = ["none", "on-trouble", "always-never", "always-every", "always-each"];

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["run", way, points] => println!("{}", write(way, points.parse().expect("a number"))),
        ["backlog"] => backlog(1000),
        ["backlog", mib] => backlog(mib.parse().expect("a number of MiB")),
        ["fill", directory, mib] => fill(directory.as_ref(), mib.parse().expect("a number")),
        ["drain", directory] => drain(directory.as_ref()),
        _ => compare(&Selection::new(&words)),
    }
}

fn compare(selection: &Selection) {
    let ways: Vec<&str> = WAYS.into_iter().filter(|way| selection.has(way)).collect();
    let table = Table::begin(
        "spool",
        "The spool: points that reach a server which is there",
        &["points/s, 1 a call", "of none's", "points/s, 1000 a call", "of none's"],
    );
    // The time of a point, in turns.
    let [one, many] = ["1", "1000"].map(|points_a_call| {
        let mut rounds = Rounds::new(ways.len());
        for _ in 0..ROUNDS {
            for (number, way) in ways.iter().enumerate() {
                let text = in_a_process(&["run", way, points_a_call]);
                rounds.add(number, 1.0 / text.trim().parse::<f64>().expect("points a second"));
            }
        }
        rounds
    });
    let none = ways.iter().position(|way| *way == "none");
    for (number, way) in ways.iter().enumerate() {
        let share = |rounds: &Rounds| {
            none.map_or_else(String::new, |none| {
                format!("{:.2}", rounds.times_as_fast(number, none))
            })
        };
        let cells = [
            rate(1.0 / one.best(number)),
            share(&one),
            rate(1.0 / many.best(number)),
            share(&many),
        ];
        table.row(way, &cells, &format!("{way} none"));
    }
    if selection.has("backlog") {
        backlog(500);
    }
}

/// Points a second, until all of them are at the server.
fn write(way: &str, points_a_call: u64) -> f64 {
    let directory = directory("run");
    let sink = Sink::start();
    let spool = Spool::directory(&directory).limit(8 << 30);
    let spool = match way {
        "none" => None,
        "on-trouble" => Some(spool),
        "always-never" => Some(spool.always(true).sync(SpoolSync::Never)),
        "always-every" => Some(spool.always(true).sync(SpoolSync::Every(Duration::from_secs(1)))),
        "always-each" => Some(spool.always(true).sync(SpoolSync::EveryBatch)),
        _ => panic!("no such way: {way}"),
    };
    // A sync for each call takes its time, so there are fewer.
    let points = match (way, points_a_call) {
        ("always-each", 1) => 2_000,
        ("always-each", _) => POINTS / 10,
        _ => POINTS,
    };
    let options = WriteOptions::default().batch_size(5000);
    let client = client(&sink.url(), spool.map_or(options.clone(), |spool| options.spool(spool)));
    let start = Instant::now();
    send(&client, points, points_a_call);
    client.flush().expect("flushed");
    let elapsed = start.elapsed();
    let stats = client.write_stats();
    assert_eq!((stats.written.lines, stats.pending.lines), (points, 0), "{stats:?}");
    client.close().expect("closed");
    let _ = std::fs::remove_dir_all(directory);
    points as f64 / elapsed.as_secs_f64()
}

fn send(client: &Client, points: u64, points_a_call: u64) {
    let mut buffer = LineBuffer::new();
    let mut sent = 0;
    while sent < points {
        buffer.clear();
        for n in sent..sent + points_a_call {
            let line = buffer.measurement("m").and_then(|line| line.tag("room", "kitchen"));
            let time = Timestamp::nanos(1_700_000_000_000_000_000 + n as i64);
            line.and_then(|line| line.field("f", n as f64)?.at(time)).expect("a line");
        }
        client.write(&buffer).send().expect("sent");
        sent += points_a_call;
    }
}

/// Fills a directory while there is no server, and drains it.
fn backlog(mib: u64) {
    let directory = directory("backlog");
    let path = directory.to_str().expect("a path in UTF-8");
    let title = format!("The spool: a backlog of {mib} MiB, in another process each");
    let table = Table::begin("spool", &title, &["points/s", "MiB/s", "peak MiB", "ms to open"]);
    let command = format!("backlog {mib}");
    for (title, text) in [
        ("filled while there is no server", in_a_process(&["fill", path, &mib.to_string()])),
        ("drained", in_a_process(&["drain", path])),
    ] {
        let numbers: Vec<f64> = text.split_whitespace().filter_map(|n| n.parse().ok()).collect();
        let [points, mebibytes, peak, open] = numbers[..] else { panic!("{text}") };
        let cells =
            [rate(points), format!("{mebibytes:.0}"), format!("{peak:.1}"), format!("{open:.1}")];
        table.row(title, &cells, &command);
    }
    let _ = std::fs::remove_dir_all(directory);
}

fn fill(directory: &Path, mib: u64) {
    // Nobody listens there.
    let spool = Spool::directory(directory).always(true).limit(1 << 40).sync(SpoolSync::Never);
    let client =
        client("http://127.0.0.1:1", WriteOptions::default().batch_size(5000).spool(spool));
    let start = Instant::now();
    let mut points = 0;
    while client.write_stats().spool.disk_bytes < mib << 20 {
        send(&client, 100_000, 1000);
        points += 100_000;
    }
    let bytes = client.write_stats().spool.disk_bytes;
    client.close().expect("closed");
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "{} {} {} 0",
        points as f64 / seconds,
        mebibytes(bytes) / seconds,
        process::peak_mib()
    );
}

fn drain(directory: &Path) {
    let sink = Sink::start();
    let start = Instant::now();
    let spool = Spool::directory(directory).limit(1 << 40);
    let client = client(&sink.url(), WriteOptions::default().batch_size(5000).spool(spool));
    let opened = start.elapsed();
    let found = client.write_stats().spool.found;
    client.drain(Duration::from_secs(3600)).expect("drained");
    let elapsed = (start.elapsed() - opened).as_secs_f64();
    let spool = client.write_stats().spool;
    assert_eq!((spool.found_written.lines, spool.on_disk.lines), (found.lines, 0), "{spool:?}");
    println!(
        "{} {} {} {}",
        found.lines as f64 / elapsed,
        mebibytes(found.bytes) / elapsed,
        process::peak_mib(),
        opened.as_secs_f64() * 1e3
    );
    client.close().expect("closed");
}

fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

fn client(url: &str, options: WriteOptions) -> Client {
    Client::builder().host(url).database("bench").write_options(options).build().expect("a client")
}

fn directory(name: &str) -> PathBuf {
    // Of the working directory, as directories for temporary files may be in memory.
    let current = env::current_dir().expect("a directory");
    current.join(format!("spool-bench-{name}-{}", std::process::id()))
}

fn in_a_process(arguments: &[&str]) -> String {
    let program = env::current_exe().expect("a path");
    let output = Command::new(program).args(arguments).output().expect("a process");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}
