//! The model of the spool: random programs on a disk that crashes, and what must hold whatever it does.
//!
//! Every line has a number, which is in it, so that lines that are read can be matched with lines that were written.
//! After each program everything that is left is read, by a process that does not crash, and compared with what was
//! promised.

mod line;
mod process;
mod program;
#[path = "../../../../tests/random/mod.rs"]
mod random;
mod sim_disk;
mod totals;
mod unreadable;

use std::time::{Duration, Instant};

use program::Program;
use totals::Totals;

#[test]
fn whatever_crashes_what_was_promised_is_there() {
    let runs = std::env::var("MODEL_RUNS").ok().map_or(RUNS, |runs| runs.parse().unwrap());
    let start = Instant::now();
    let mut totals = Totals::default();
    let mut done = 0;
    for seed in 0..runs {
        // A slow machine sees fewer of the same programs.
        if start.elapsed() > LONGEST && runs == RUNS {
            break;
        }
        totals.add(&Program::new(seed).run());
        done += 1;
    }
    println!("seeds 0 to {done}, {:?}: {totals:?}", start.elapsed());
    totals.assert_everything_happened();
}

const RUNS: u64 = 4000;

const LONGEST: Duration = Duration::from_secs(20);
