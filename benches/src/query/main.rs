//! How fast an answer is read: this crate beside its peers, on the same bytes, in one run, taking turns.
//!
//! `cargo run --release --bin query` compares; with `PYTHON=…` naming a Python that has `influxdb3-python` (see
//! `python/install.sh`), it is in the comparison. `query run CONTENDER QUERY TIMES` is for profilers.

mod contenders;
mod latency;
mod serve;
mod shapes;
#[allow(dead_code)] // each bench uses a part
#[path = "../sink.rs"]
mod sink;

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use influxdb3_blocking::{Point, Timestamp};
use shapes::SHAPES;

/// An answer has about so many bytes.
const BYTES: usize = 160 << 20;
const ROUNDS: usize = 5;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<_> = arguments.iter().map(String::as_str).collect();
    let python = std::env::var("PYTHON").ok();
    match words[..] {
        ["serve"] => serve::run(),
        ["latency"] => {
            let server = Server::start();
            latency::run(server.flight, python.as_deref());
        }
        ["run", contender, query, times] => run(contender, query, times.parse().unwrap()),
        ["long", rows] => long(rows.parse().unwrap()),
        [] | ["shape", _] => {
            let server = Server::start();
            compare(&server, python.as_deref(), words.get(1).copied());
            if words.is_empty() {
                latency::run(server.flight, python.as_deref());
            }
        }
        _ => eprintln!(
            "usage: query [latency | shape SHAPE | run CONTENDER QUERY TIMES | long ROWS]"
        ),
    }
}

fn compare(server: &Server, python: Option<&str>, only: Option<&str>) {
    for shape in SHAPES.iter().filter(|shape| only.is_none_or(|only| shape.id == only)) {
        for rows in [8_192, 65_536] {
            let bytes = shape.encode(rows).batch.len();
            let batches = BYTES.div_ceil(bytes);
            let query = format!("..{} {rows} {batches}..", shape.id);
            println!(
                "\n{}: {batches} batches of {rows} rows, {:.1} MB each, {:.0} MB",
                shape.title,
                bytes as f64 / 1e6,
                (bytes * batches) as f64 / 1e6
            );
            println!("{:44} {:>10} {:>10} {:>10}", "", "MB/s best", "median", "Mrows/s");
            let mut contenders = contenders::all(server.flight, server.plain, python);
            let mut times = vec![Vec::new(); contenders.len()];
            let mut failures = vec![None; contenders.len()];
            for round in 0..=ROUNDS {
                for (number, contender) in contenders.iter_mut().enumerate() {
                    let start = Instant::now();
                    match (contender.run)(&query) {
                        Ok(read) => assert!(
                            read == 0 || read == rows * batches,
                            "{}: {read}",
                            contender.title
                        ),
                        Err(error) => failures[number] = Some(error),
                    }
                    // The first round warms up.
                    if round > 0 {
                        times[number].push(start.elapsed().as_secs_f64());
                    }
                }
            }
            for ((contender, times), failure) in contenders.iter().zip(&mut times).zip(failures) {
                if let Some(failure) = failure {
                    println!("{:44} {failure:.80}", contender.title);
                    continue;
                }
                times.sort_by(f64::total_cmp);
                let (best, median) = (times[0], times[times.len() / 2]);
                let megabytes = (bytes * batches) as f64 / 1e6;
                println!(
                    "{:44} {:10.0} {:10.0} {:10.1}",
                    contender.title,
                    megabytes / best,
                    megabytes / median,
                    (rows * batches) as f64 / best / 1e6
                );
            }
        }
    }
}

fn run(contender: &str, query: &str, times: usize) {
    let server = Server::start();
    let mut contenders = contenders::all(server.flight, server.plain, None);
    let contender =
        contenders.iter_mut().find(|known| known.title == contender).expect("a contender");
    for _ in 0..times {
        let start = Instant::now();
        let rows = (contender.run)(query).unwrap();
        println!("{rows} rows in {:?}", start.elapsed());
    }
}

/// Streams so many rows, and shows that the memory does not grow. Meanwhile another thread queries with the
/// same client, and a third writes.
fn long(rows: usize) {
    let server = Server::start();
    let sink = sink::Sink::start();
    let client = contenders::client(&format!("http://127.0.0.1:{}", server.flight));
    let writer = contenders::client(&sink.url());
    let query = format!("..numbers 65536 {}..", rows.div_ceil(65_536));
    let done = AtomicBool::new(false);
    let start = Instant::now();
    let (queries, writes) = std::thread::scope(|scope| {
        let queries = scope.spawn(|| {
            let mut count = 0_u64;
            while !done.load(Ordering::Relaxed) {
                assert_eq!(client.query("..numbers 100 1..").table().unwrap().num_rows(), 100);
                count += 1;
            }
            count
        });
        let writes = scope.spawn(|| {
            let mut count = 0_u64;
            while !done.load(Ordering::Relaxed) {
                let points = (0..1000_i64).map(|n| {
                    Point::new("home").tag("room", "Hall").field("n", n).time(Timestamp::nanos(n))
                });
                writer.write(points).send().unwrap();
                count += 1000;
            }
            count
        });
        let (mut read, mut shown) = (0, 0);
        for batch in client.query(query).reader().unwrap() {
            read += batch.unwrap().num_rows();
            if read >= shown {
                println!("{:>5} million rows, {} MB resident", read / 1_000_000, resident());
                shown += rows / 10;
            }
        }
        println!("{read} rows in {:?}, {} MB resident", start.elapsed(), resident());
        done.store(true, Ordering::Relaxed);
        (queries.join().unwrap(), writes.join().unwrap())
    });
    println!("meanwhile: {queries} queries of 100 rows, {writes} points written");
}

fn resident() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    pages.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok()).unwrap_or(0) * 4096
        / 1_000_000
}

/// The server's process; its end ends it.
struct Server {
    _process: Child,
    flight: u16,
    plain: u16,
}

impl Server {
    fn start() -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .arg("serve")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ports: Vec<_> = line.split_whitespace().map(|port| port.parse().unwrap()).collect();
        Self { _process: process, flight: ports[0], plain: ports[1] }
    }
}
