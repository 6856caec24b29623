//! How fast points get to a server that does nothing but count them: this crate's batching beside its peer, the same
//! points, in one run.
//!
//! `cargo run --release --bin batching` prints points a second, processor time and peak memory, with words such as
//! `1-plain/points` for those rows alone. Each measurement has a process of its own; the counting server is a thread of it, for
//! everyone alike. `durable` prints what is left of that where the server answers when its write-ahead log is flushed, once a
//! second, as InfluxDB 3 Core does.

mod contenders;
mod durable;
mod latency;
mod outage;
mod process;
#[allow(dead_code)] // each bench uses a part
#[path = "../report.rs"]
mod report;
#[path = "../sink.rs"]
mod sink;

use std::env;
use std::process::Command;
use std::time::Instant;

use contenders::{CONTENDERS, Contender, Load};
use report::{Rounds, Selection, Table, rate, times};
use sink::Sink;

const POINTS: usize = 1_000_000;
const ROUNDS: usize = 3;

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["run", contender, producers, gzip, points] => {
            let contender = CONTENDERS.iter().find(|c| c.id == contender).expect("a contender");
            let load = Load {
                producers: producers.parse().expect("a number of producers"),
                gzip: gzip == "gzip",
                points: points.parse().expect("a number of points"),
            };
            println!("{}", Measured::new(contender, &load).to_line());
        }
        ["durable"] => durable::print(50_000),
        ["durable", points] => durable::print(points.parse().expect("a number of points")),
        ["latency"] => latency::print(),
        ["outage"] => outage::print(),
        _ => compare(&Selection::new(&words)),
    }
}

fn compare(selection: &Selection) {
    for (producers, body) in [(1, "plain"), (4, "plain"), (1, "gzip"), (4, "gzip")] {
        let name = |contender: &Contender| format!("{producers}-{body}/{}", contender.id);
        let wanted = CONTENDERS.iter().filter(|contender| selection.has(&name(contender)));
        let contenders: Vec<&Contender> = wanted.collect();
        if contenders.is_empty() {
            continue;
        }
        let mut rounds = Rounds::new(contenders.len());
        let mut best: Vec<Option<Measured>> = contenders.iter().map(|_| None).collect();
        for _ in 0..ROUNDS {
            for (number, contender) in contenders.iter().enumerate() {
                let measured = Measured::in_a_process(contender, producers, body);
                rounds.add(number, measured.nanos);
                if best[number].as_ref().is_none_or(|best| measured.nanos < best.nanos) {
                    best[number] = Some(measured);
                }
            }
        }
        let plural = if producers == 1 { "" } else { "s" };
        let title = format!("Batching: {producers} producer{plural}, {body}");
        let columns =
            ["points/s, best", "median", "times as fast", "CPU ns/point", "peak MiB", "requests"];
        let table = Table::begin("batching", &title, &columns);
        let peer = contenders.iter().position(|contender| contender.id == PEER);
        for (number, (contender, best)) in contenders.iter().zip(best.iter().flatten()).enumerate()
        {
            let ratio = peer.filter(|peer| *peer != number);
            let cells = [
                rate(1e9 / best.nanos),
                rate(1e9 / rounds.median(number)),
                ratio.map_or_else(String::new, |peer| {
                    times(rounds.times_as_fast(number, peer), PEER)
                }),
                format!("{:.0}", best.cpu_nanos),
                format!("{:.1}", best.peak_mib),
                best.requests.to_string(),
            ];
            table.row(
                contender.title,
                &cells,
                &format!("{} {producers}-{body}/{PEER}", name(contender)),
            );
        }
    }
}

/// Whom the others are compared with.
const PEER: &str = "peer";

/// What one process found.
struct Measured {
    /// A point.
    nanos: f64,
    /// A point, all threads together.
    cpu_nanos: f64,
    peak_mib: f64,
    requests: u64,
}

impl Measured {
    fn new(contender: &Contender, load: &Load) -> Self {
        let sink = Sink::start();
        let start = Instant::now();
        let cpu = process::cpu_time();
        (contender.run)(&sink.url(), load);
        let points = load.points as f64;
        let (requests, bytes) = sink.counted();
        assert!(requests > 0 && bytes > 0);
        Self {
            nanos: start.elapsed().as_nanos() as f64 / points,
            cpu_nanos: (process::cpu_time() - cpu).as_nanos() as f64 / points,
            peak_mib: process::peak_mib(),
            requests,
        }
    }

    fn in_a_process(contender: &Contender, producers: usize, gzip: &str) -> Self {
        let output = Command::new(env::current_exe().expect("a path"))
            .args(["run", contender.id, &producers.to_string(), gzip, &POINTS.to_string()])
            .output()
            .expect("a process");
        let text = String::from_utf8_lossy(&output.stdout);
        let numbers: Vec<f64> = text.split_whitespace().filter_map(|n| n.parse().ok()).collect();
        let [nanos, cpu_nanos, peak_mib, requests] = numbers[..] else {
            panic!("{}: {text}{}", contender.id, String::from_utf8_lossy(&output.stderr));
        };
        Self { nanos, cpu_nanos, peak_mib, requests: requests as u64 }
    }

    fn to_line(&self) -> String {
        format!("{} {} {} {}", self.nanos, self.cpu_nanos, self.peak_mib, self.requests)
    }
}
