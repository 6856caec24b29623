//! What is told of a query that has ended.

use std::time::Duration;

use super::run::Came;
use crate::amounts;

pub(super) fn text(came: &Came) -> String {
    let mut text = format!(
        "{} in {}, {}, {}; first row after {}\n",
        amounts::counted(came.rows, "row"),
        // Not a word with a plain plural.
        match came.batches {
            1 => "1 batch".to_owned(),
            batches => format!("{} batches", amounts::count(batches)),
        },
        amounts::size(came.bytes),
        amounts::time(came.elapsed),
        amounts::time(came.first),
    );
    let server = &came.server;
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
