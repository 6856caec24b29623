//! How large an answer was and how long it took, as text.

use std::time::Duration;

use crate::amounts;

/// How much it was, and how long it took.
#[derive(Clone, Debug)]
pub(crate) struct Totals {
    pub(crate) rows: u64,
    pub(super) batches: u64,
    pub(super) bytes: u64,
    pub(super) first: Duration,
    pub(crate) elapsed: Duration,
    /// What the server says behind the last row; none if the answer was not read to its end.
    pub(super) server: Option<influxdb3_blocking::QueryStats>,
}

impl Totals {
    /// Those of an answer of which only the columns were asked for.
    pub(super) fn nothing(elapsed: Duration) -> Self {
        let server = None;
        Self { rows: 0, batches: 0, bytes: 0, first: elapsed, elapsed, server }
    }
}

/// For a person.
pub(super) fn text(totals: &Totals) -> String {
    let mut text = format!(
        "{} in {}, {}, {}; first row after {}\n",
        amounts::counted(totals.rows, "row"),
        // Not a word with a plain plural.
        match totals.batches {
            1 => "1 batch".to_owned(),
            batches => format!("{} batches", amounts::count(batches)),
        },
        amounts::size(totals.bytes),
        amounts::time(totals.elapsed),
        amounts::time(totals.first),
    );
    let Some(server) = &totals.server else {
        text.push_str("  the server            was not heard: --max-rows has cut the answer\n");
        return text;
    };
    let mut add = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            text.push_str(&format!("  {name:20} {value}\n"));
        }
    };
    let time = |duration: Option<Duration>| duration.map(|duration| format!("{duration:.3?}"));
    add("waiting for a slot", time(server.queue_duration));
    add("planning", time(server.planning_duration));
    add("execution", time(server.execution_duration));
    add("all processors", time(server.compute_duration));
    add("most memory", server.max_memory_bytes.map(amounts::size));
    add("partitions", server.partitions.map(amounts::count));
    add("Parquet files", server.parquet_files.map(amounts::count));
    if server.is_empty() {
        add("the server", Some("tells nothing (Core does not)".to_owned()));
    }
    text
}
