//! What the system knows of this process (Linux).

use std::fs;
use std::time::Duration;

/// The largest resident set so far.
pub fn peak_mib() -> f64 {
    let status = fs::read_to_string("/proc/self/status").expect("/proc");
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("VmHWM");
    let kib: f64 = line.split_whitespace().nth(1).and_then(|n| n.parse().ok()).expect("a number");
    kib / 1024.0
}

/// Processor time of all threads.
pub fn cpu_time() -> Duration {
    let stat = fs::read_to_string("/proc/self/stat").expect("/proc");
    let numbers: Vec<i64> = stat
        .rsplit(')')
        .next()
        .into_iter()
        .flat_map(str::split_whitespace)
        .filter_map(|word| word.parse().ok())
        .collect();
    // The state, a letter, is left out: utime and stime are the fields 14 and 15, counted in hundredths of a second.
    Duration::from_millis((numbers[10] + numbers[11]).unsigned_abs() * 10)
}
