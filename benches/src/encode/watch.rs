use std::hint::black_box;
use std::time::{Duration, Instant};

use crate::allocations;

/// What the timed sections of one contender took together.
#[derive(Default)]
pub struct Watch {
    pub time: Duration,
    pub allocations: u64,
    pub rows: usize,
}

impl Watch {
    pub fn nanos_a_row(&self) -> f64 {
        self.time.as_nanos() as f64 / self.rows as f64
    }

    /// Runs what counts.
    pub fn measure<T>(&mut self, rows: usize, section: impl FnOnce() -> T) -> T {
        let allocations = allocations::count();
        let start = Instant::now();
        let result = black_box(timed_section(section));
        self.time += start.elapsed();
        self.allocations += allocations::count() - allocations;
        self.rows += rows;
        result
    }
}

/// callgrind collects between entering and leaving this function.
#[inline(never)]
fn timed_section<T>(section: impl FnOnce() -> T) -> T {
    section()
}
