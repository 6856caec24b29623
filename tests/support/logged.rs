//! What the crate logs. A process has one logger, so whoever keeps lines has a process of its own.

use std::sync::{LazyLock, Mutex};

use log::{Level, LevelFilter, Log, Metadata, Record};

/// Keeps what this crate logs.
struct Kept;

static LINES: LazyLock<Mutex<Vec<(Level, String)>>> = LazyLock::new(Mutex::default);

impl Log for Kept {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("influxdb3_blocking")
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            LINES.lock().unwrap().push((record.level(), record.args().to_string()));
        }
    }

    fn flush(&self) {}
}

pub fn keep_lines() {
    log::set_logger(&Kept).unwrap();
    log::set_max_level(LevelFilter::Trace);
}

/// What was logged since the last call.
pub fn logged() -> Vec<(Level, String)> {
    std::mem::take(&mut LINES.lock().unwrap())
}

/// Those lines of a level, to be found by a part of their text.
pub fn of(lines: &[(Level, String)], level: Level, part: &str) -> usize {
    lines.iter().filter(|(own, text)| *own == level && text.contains(part)).count()
}
