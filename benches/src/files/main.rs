//! How fast tables and files are written to a server that takes everything and stores nothing.
//!
//! `cargo run --release --bin files` writes record batches and files of a million rows.
//! `cargo run --release --bin files -- big 4` makes a CSV of that many GB in the system's folder for temporary files,
//! writes it, and prints the peak of resident memory.
//!
//! The sink is in the same process, on a thread of its own, so its work is part of what is measured.

mod sink;
mod tables;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use arrow_array::RecordBatch;
use influxdb3_blocking::{Client, Columns, Precision};
use sink::Sink;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match &arguments[..] {
        [] => all(),
        [word, gigabytes] if word == "big" => big(gigabytes.parse().expect("a number of GB")),
        _ => eprintln!("usage: files [big GIGABYTES]"),
    }
}

fn all() {
    let sink = Sink::start();
    let client = Client::builder().host(sink.url()).database("db").build().expect("a client");
    println!("{:44} {:>12} {:>9}", "", "rows/s", "ns/row");
    for (name, batch) in tables::all(ROWS) {
        columns(&client, &sink, name, &batch);
    }
    let folder = Folder::new();
    let batch = tables::home(ROWS);
    let csv = folder.0.join("home.csv");
    tables::write_csv(&csv, ROWS).expect("a file");
    let parquet = folder.0.join("home.parquet");
    tables::write_parquet(&parquet, &batch).expect("a file");
    report("CSV, two tags and three fields", ROWS, best(|| file(&client, &csv)));
    report(
        "the same, types given",
        ROWS,
        best(|| {
            use influxdb3_blocking::ColumnType::{Float, Integer};
            let request = client.write_file(&csv).measurement("home").tags(["room", "floor"]);
            let types = request.column_type("temp", Float).column_type("hum", Float);
            types.column_type("co", Integer).send().expect("a written file");
        }),
    );
    report("Parquet (snappy), the same rows", ROWS, best(|| file(&client, &parquet)));
}

fn columns(client: &Client, sink: &Sink, name: &str, batch: &RecordBatch) {
    let before = sink.bytes();
    let write = || {
        let columns = Columns::new(batch).measurement("home").tags(tables::tags(batch));
        client.write(columns).send().expect("a written batch");
    };
    write();
    let bytes = sink.bytes() - before;
    report(&format!("Arrow, {name} ({} bytes a line)", bytes as usize / ROWS), ROWS, best(write));
}

fn file(client: &Client, path: &Path) {
    let request = client.write_file(path).measurement("home").tags(["room", "floor"]);
    let report = request.precision(Precision::Nanosecond).send().expect("a written file");
    assert_eq!(report.lines, ROWS);
}

fn big(gigabytes: u64) {
    let folder = Folder::new();
    let path = folder.0.join("big.csv");
    let rows = tables::write_csv_of(&path, gigabytes << 30).expect("a file");
    let sink = Sink::start();
    let client = Client::builder().host(sink.url()).database("db").build().expect("a client");
    let before = peak();
    let start = Instant::now();
    let request = client.write_file(&path).measurement("home").tags(["room", "floor"]);
    let report = request.send().expect("a written file");
    let time = start.elapsed();
    assert_eq!(report.lines, rows);
    let megabytes = std::fs::metadata(&path).expect("the file").len() as f64 / 1e6;
    println!(
        "{rows} rows, {megabytes:.0} MB of CSV in {:.1} s: {:.0} rows/s, {:.0} MB/s",
        time.as_secs_f64(),
        rows as f64 / time.as_secs_f64(),
        megabytes / time.as_secs_f64()
    );
    println!("peak of resident memory: {} KiB before, {} KiB after", before, peak());
}

/// The fastest of a few turns.
fn best(mut run: impl FnMut()) -> Duration {
    let turn = |_| {
        let start = Instant::now();
        run();
        start.elapsed()
    };
    (0..TURNS).map(turn).min().unwrap_or_default()
}

fn report(name: &str, rows: usize, time: Duration) {
    let nanos = time.as_nanos() as f64 / rows as f64;
    println!("{name:44} {:12.0} {nanos:9.1}", 1e9 / nanos);
}

/// The most memory this process has had, in KiB, where the system says it.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse().ok()).unwrap_or(0)
}

/// A folder that is gone when it is dropped.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("influxdb3-files-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left behind is in the folder for temporary files.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

const ROWS: usize = 1_000_000;
const TURNS: usize = 5;
