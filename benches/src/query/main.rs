//! How fast an answer is read: this crate beside its peers, on the same bytes, in one run, taking turns.
//!
//! `cargo run --release --bin query` compares, with words such as `numbers-65536/reader` for those rows alone; with `PYTHON=…`
//! naming a Python that has `influxdb3-python` (see `python/install.sh`), it is in the comparison. `latency` compares small
//! queries, `rows` ways to the values of an answer that is there; `query run CONTENDER QUERY TIMES` is for profilers.

mod contenders;
mod latency;
#[allow(dead_code)] // each bench uses a part
#[path = "../report.rs"]
mod report;
mod rows;
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
use report::{Rounds, Selection, Table, rate, times};
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
        ["rows"] => rows::run(&Server::start()),
        _ => compare(&Server::start(), python.as_deref(), &Selection::new(&words)),
    }
}

fn compare(server: &Server, python: Option<&str>, selection: &Selection) {
    for (shape, rows) in SHAPES.iter().flat_map(|shape| [(shape, 8_192), (shape, 65_536)]) {
        let name = |id: &str| format!("{}-{rows}/{id}", shape.id);
        let mut contenders = contenders::all(server.flight, server.plain, python);
        contenders.retain(|contender| selection.has(&name(contender.id)));
        if contenders.is_empty() {
            continue;
        }
        let bytes = shape.encode(rows).batch.len();
        let batches = BYTES.div_ceil(bytes);
        let query = format!("..{} {rows} {batches}..", shape.id);
        let mut rounds = Rounds::new(contenders.len());
        let mut failures = vec![None; contenders.len()];
        for round in 0..=ROUNDS {
            for (number, contender) in contenders.iter_mut().enumerate() {
                let start = Instant::now();
                match (contender.run)(&query) {
                    Ok(read) => {
                        assert!(read == 0 || read == rows * batches, "{}: {read}", contender.title);
                    }
                    Err(error) => failures[number] = Some(error),
                }
                // The first round warms up.
                if round > 0 {
                    rounds.add(number, start.elapsed().as_secs_f64());
                }
            }
        }
        let megabytes = (bytes * batches) as f64 / 1e6;
        let title = format!(
            "A query: {}; {batches} batches of {rows} rows, {:.1} MB each, {megabytes:.0} MB",
            shape.title,
            bytes as f64 / 1e6,
        );
        let columns = ["MB/s, best", "median", "rows/s", "times as fast"];
        let table = Table::begin("query", &title, &columns);
        for (number, contender) in contenders.iter().enumerate() {
            let against = peer_of(contender.id);
            let peer = contenders.iter().position(|peer| Some(peer.id) == against);
            let command =
                format!("{} {}", name(contender.id), against.map_or_else(String::new, name));
            if let Some(failure) = &failures[number] {
                let failure = failure.chars().take(60).collect::<String>().replace('|', "/");
                let cells = [failure, String::new(), String::new(), String::new()];
                table.row(contender.title, &cells, &command);
                continue;
            }
            let peer = peer.filter(|peer| failures[*peer].is_none());
            let ratio =
                peer.map(|peer| times(rounds.times_as_fast(number, peer), contenders[peer].id));
            let cells = [
                format!("{:.0}", megabytes / rounds.best(number)),
                format!("{:.0}", megabytes / rounds.median(number)),
                rate((rows * batches) as f64 / rounds.best(number)),
                ratio.unwrap_or_default(),
            ];
            table.row(contender.title, &cells, &command);
        }
    }
}

/// Whom a contender is compared with, by ids.
fn peer_of(contender: &str) -> Option<&'static str> {
    match contender {
        "reader" | "python-reader" => Some("peer-stream"),
        "table" | "python-all" => Some("peer-all"),
        _ => None,
    }
}

fn run(contender: &str, query: &str, times: usize) {
    let server = Server::start();
    let mut contenders = contenders::all(server.flight, server.plain, None);
    let contender = contenders.iter_mut().find(|known| known.id == contender).expect("a contender");
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
