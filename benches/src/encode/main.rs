//! How fast rows become line protocol: this crate beside its peers, on the same rows, in one run.
//!
//! `cargo run --release --bin encode` prints nanoseconds, allocations and ratios, with words such as `sensor/point` for those
//! rows alone; `./callgrind.sh` counts instructions, which are the same on every run. `encode floats` holds the text of every `f32`, as it is and as an `f64`,
//! and of very many decimals against `zmij`, which takes minutes.

mod allocations;
mod contenders;
mod floats;
#[allow(dead_code)] // each bench uses a part
#[path = "../report.rs"]
mod report;
mod shapes;
mod watch;

use std::env;
use std::time::Duration;

use contenders::{CONTENDERS, Contender};
use report::{Rounds, Selection, Table, rate, times};
use shapes::Shape;
use watch::Watch;

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["list"] => CONTENDERS.iter().for_each(|contender| println!("{}", contender.id)),
        ["run", contender, shape, batches] => run(contender, shape, batches),
        ["floats"] => floats::check(1),
        ["floats", step] => floats::check(step.parse().expect("a number")),
        _ => compare(&Selection::new(&words)),
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

/// Everyone takes turns, so that a busy machine is unfair to nobody.
fn compare(selection: &Selection) {
    for shape in shapes::all() {
        let name = |contender: &Contender| format!("{}/{}", shape.id, contender.id);
        let wanted = CONTENDERS.iter().filter(|contender| selection.has(&name(contender)));
        let contenders: Vec<&Contender> = wanted.collect();
        if contenders.is_empty() {
            continue;
        }
        let mut rounds = Rounds::new(contenders.len());
        let mut allocations = vec![0.0; contenders.len()];
        for _ in 0..ROUNDS {
            for (number, contender) in contenders.iter().enumerate() {
                let watch = turn(contender, &shape);
                rounds.add(number, watch.nanos_a_row());
                allocations[number] = watch.allocations as f64 / watch.rows as f64;
            }
        }
        let bytes = shape.lines.len() as f64 / shape.rows.len() as f64;
        let title = format!("Encoding: {} ({bytes:.0} bytes a line)", shape.title);
        let columns =
            ["ns/point, best", "median", "points/s", "MB/s", "allocations/point", "times as fast"];
        let table = Table::begin("encode", &title, &columns);
        for (number, contender) in contenders.iter().enumerate() {
            let nanos = rounds.best(number);
            let peer = contenders.iter().position(|peer| Some(peer.id) == contender.against);
            let ratio =
                peer.map(|peer| times(rounds.times_as_fast(number, peer), contenders[peer].id));
            let against = contender.against.map(|peer| format!("{}/{peer}", shape.id));
            let cells = [
                format!("{nanos:.1}"),
                format!("{:.1}", rounds.median(number)),
                rate(1e9 / nanos),
                format!("{:.0}", bytes / nanos * 1e3),
                format!("{:.2}", allocations[number]),
                ratio.unwrap_or_default(),
            ];
            let command = format!("{} {}", name(contender), against.unwrap_or_default());
            table.row(contender.title, &cells, &command);
        }
        let (ours, theirs) = contenders::bytes_of_a_point(&shape);
        println!("\nA point that is kept takes {ours} bytes, one of influxdb3-client {theirs}.");
    }
}

fn turn(contender: &Contender, shape: &Shape) -> Watch {
    let mut watch = Watch::default();
    while watch.time < TURN {
        (contender.run)(shape, &mut watch);
    }
    watch
}

const ROUNDS: usize = 15;
const TURN: Duration = Duration::from_millis(30);
