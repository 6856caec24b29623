//! What a write came to.

use std::time::Duration;

use influxdb3_blocking::{ColumnType, FileReport, SkippedRow, WriteStats};
use serde_json::{Value, json};

use crate::amounts;

/// What a write came to.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) files: Vec<(String, FileReport)>,
    pub(crate) stats: WriteStats,
    pub(crate) elapsed: Duration,
}

impl Report {
    /// One line for people.
    pub(crate) fn text(&self) -> String {
        let WriteStats { written, rejected, requests, retries, .. } = self.stats;
        let mut text = format!(
            "wrote {} ({}) in {}, {}: {} lines/s, {}/s",
            amounts::counted(written.lines, "line"),
            amounts::size(written.bytes),
            amounts::counted(requests, "request"),
            amounts::time(self.elapsed),
            amounts::count(amounts::rate(written.lines, self.elapsed)),
            amounts::size(amounts::rate(written.bytes, self.elapsed)),
        );
        let sum = |count: fn(&FileReport) -> usize| {
            self.files.iter().map(|(_, file)| count(file) as u64).sum::<u64>()
        };
        for (number, what) in [
            (retries, "retried"),
            (rejected.lines, "refused by the server"),
            (sum(|file| file.rows_without_fields), "without fields"),
            (sum(|file| file.rows_skipped), "skipped as bad"),
        ] {
            if number > 0 {
                text.push_str(&format!("; {} {what}", amounts::count(number)));
            }
        }
        text
    }

    /// The rows that were left out, with their files.
    pub(crate) fn skipped_rows(&self) -> impl Iterator<Item = (&str, &SkippedRow)> {
        let files = self.files.iter();
        files.flat_map(|(name, file)| file.skipped_rows.iter().map(move |row| (&**name, row)))
    }

    /// For machines.
    pub(crate) fn to_json(&self) -> Value {
        let WriteStats { written, rejected, requests, batches, retries, .. } = self.stats;
        let file = |(name, file): &(String, FileReport)| {
            let columns = file.columns.iter().map(
                |column| json!({ "name": column.name, "type": type_name(column.column_type) }),
            );
            json!({
                "file": name,
                "lines": file.lines,
                "bytes": file.bytes,
                "rows_without_fields": file.rows_without_fields,
                "rows_skipped": file.rows_skipped,
                "columns": columns.collect::<Vec<_>>(),
            })
        };
        json!({
            "lines": written.lines,
            "bytes": written.bytes,
            "requests": requests,
            "batches": batches,
            "retries": retries,
            "rejected": rejected.lines,
            "seconds": self.elapsed.as_secs_f64(),
            "files": self.files.iter().map(file).collect::<Vec<_>>(),
        })
    }
}

fn type_name(column_type: ColumnType) -> &'static str {
    match column_type {
        ColumnType::Integer => "i64",
        ColumnType::Unsigned => "u64",
        ColumnType::Float => "f64",
        ColumnType::Boolean => "bool",
        _ => "string",
    }
}
