//! How fast rows become line protocol: this crate beside its peers, on the same rows, in one run.
//!
//! `cargo run --release --bin encode` prints nanoseconds, allocations and ratios; `./callgrind.sh` counts
//! instructions, which are the same on every run. `encode floats` holds the text of every `f32`, as it is and as an `f64`,
//! and of very many decimals against `zmij`, which takes minutes.

mod allocations;
mod contenders;
mod floats;
mod shapes;
mod watch;

use std::env;
use std::time::Duration;

use contenders::{CONTENDERS, Contender};
use shapes::Shape;
use watch::Watch;

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match &arguments[..] {
        [] => compare(),
        [word] if word == "list" => {
            CONTENDERS.iter().for_each(|contender| println!("{}", contender.id));
        }
        [word, contender, shape, batches] if word == "run" => run(contender, shape, batches),
        [word] if word == "floats" => floats::check(1),
        [word, step] if word == "floats" => floats::check(step.parse().expect("a number")),
        _ => eprintln!("usage: encode [list | run CONTENDER SHAPE BATCHES | floats [STEP]]"),
    }
}

/// One contender for a profiler: nothing else runs inside of `timed_section`.
fn run(contender: &str, shape: &str, batches: &str) {
    let contender = CONTENDERS.iter().find(|c| c.id == contender).expect("a contender of `list`");
    let shapes = shapes::all();
    let shape = shapes.iter().find(|s| s.id == shape).expect("a shape");
    let mut watch = Watch::default();
    for _ in 0..batches.parse().expect("a number of batches") {
        (contender.run)(shape, &mut watch);
    }
    println!("{}", watch.rows);
}

fn compare() {
    for shape in shapes::all() {
        let bytes = shape.lines.len() as f64 / shape.rows.len() as f64;
        println!("\n{} ({bytes:.0} bytes a line)", shape.title);
        println!(
            "{:54} {:>9} {:>11} {:>7} {:>11}  of",
            "", "ns/point", "points/s", "MB/s", "allocs/point"
        );
        let best = best_of_rounds(&shape);
        for (contender, watch) in CONTENDERS.iter().zip(&best) {
            let nanos = watch.nanos_a_row();
            let peer = CONTENDERS.iter().position(|peer| Some(peer.id) == contender.against);
            let ratio = peer.map(|peer| {
                format!("{:.2} {}", nanos / best[peer].nanos_a_row(), CONTENDERS[peer].id)
            });
            println!(
                "{:54} {nanos:9.1} {:11.0} {:7.0} {:11.2}  {}",
                contender.title,
                1e9 / nanos,
                bytes / nanos * 1e3,
                watch.allocations as f64 / watch.rows as f64,
                ratio.unwrap_or_default(),
            );
        }
        let (ours, theirs) = contenders::bytes_of_a_point(&shape);
        println!("bytes a point that is kept: {ours}, of influxdb3-client {theirs}");
    }
}

/// Everyone takes turns, so that a busy machine is unfair to nobody; the fastest turn of each counts.
fn best_of_rounds(shape: &Shape) -> Vec<Watch> {
    let turn = |contender: &Contender| {
        let mut watch = Watch::default();
        while watch.time < TURN {
            (contender.run)(shape, &mut watch);
        }
        watch
    };
    let mut best: Vec<Watch> = CONTENDERS.iter().map(turn).collect();
    for _ in 1..ROUNDS {
        for (contender, best) in CONTENDERS.iter().zip(&mut best) {
            let watch = turn(contender);
            if watch.nanos_a_row() < best.nanos_a_row() {
                *best = watch;
            }
        }
    }
    best
}

const ROUNDS: usize = 15;
const TURN: Duration = Duration::from_millis(30);
