//! The outcome of a write, as text and as JSON.

use std::path::PathBuf;
use std::time::Duration;

use influxdb3_blocking::{Amount, ColumnType, FileReport, SkippedRow, WriteStats};
use serde_json::{Value, json};

use crate::amounts;
use crate::terminal::quoted;

/// The outcome of a write.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) files: Vec<(String, FileReport)>,
    /// Files of which the server has refused lines, and how many.
    pub(crate) refused: Vec<(String, usize)>,
    pub(crate) stats: WriteStats,
    pub(crate) elapsed: Duration,
    pub(crate) spool: Option<Waiting>,
}

/// The spool, beside its statistics.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) directory: PathBuf,
    /// Why a request failed, the last one that did.
    pub(crate) reason: Option<String>,
}

impl Report {
    /// One line for people.
    pub(crate) fn text(&self) -> String {
        let WriteStats { requests, retries, .. } = self.stats;
        let (written, rejected) = (self.written(), self.rejected());
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
            (self.stats.spool.found_written.lines, "from the spool"),
            (rejected, "refused by the server"),
            (sum(|file| file.rows_without_fields), "without fields"),
            (sum(|file| file.rows_skipped), "skipped as bad"),
        ] {
            if number > 0 {
                text.push_str(&format!("; {} {what}", amounts::count(number)));
            }
        }
        text
    }

    /// Lines that the server has stored, those that an earlier run left in the spool included.
    pub(crate) fn written(&self) -> Amount {
        let mut written = self.stats.written;
        written += self.stats.spool.found_written;
        written
    }

    /// The same of lines that the server has refused.
    pub(crate) fn rejected(&self) -> u64 {
        self.stats.rejected.lines + self.stats.spool.found_rejected.lines
    }

    /// What waits in the spool, and how it is sent.
    pub(crate) fn waiting(&self) -> Option<String> {
        let Waiting { directory, reason } = self.spool.as_ref()?;
        let waiting = self.stats.spool.on_disk;
        if waiting.lines == 0 {
            return None;
        }
        let reason = reason.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
        Some(format!(
            "{} ({}) {} in {directory}{reason}\n  to send what is there: influx3 write --spool {directory} --drain",
            amounts::counted(waiting.lines, "line"),
            amounts::size(waiting.bytes),
            if waiting.lines == 1 { "waits" } else { "wait" },
            directory = quoted(directory),
        ))
    }

    /// Files of the spool that cannot be read.
    pub(crate) fn damaged(&self) -> Option<String> {
        let directory = &self.spool.as_ref()?.directory;
        let damaged = self.stats.spool.damaged;
        (damaged > 0).then(|| {
            format!(
                "{} of {} cannot be read as a whole, and are kept with the ending .bad",
                amounts::counted(damaged, "file"),
                directory.display()
            )
        })
    }

    /// The rows that were left out, with their files.
    pub(crate) fn skipped_rows(&self) -> impl Iterator<Item = (&str, &SkippedRow)> {
        let files = self.files.iter();
        files.flat_map(|(name, file)| file.skipped_rows.iter().map(move |row| (&**name, row)))
    }

    /// For machines.
    pub(crate) fn to_json(&self) -> Value {
        let WriteStats { requests, batches, retries, spool, .. } = self.stats;
        let written = self.written();
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
        let refused = |(name, lines): &(String, usize)| json!({ "file": name, "rejected": lines });
        let files = self.files.iter().map(file).chain(self.refused.iter().map(refused));
        let mut report = json!({
            "lines": written.lines,
            "bytes": written.bytes,
            "requests": requests,
            "batches": batches,
            "retries": retries,
            "rejected": self.rejected(),
            "seconds": self.elapsed.as_secs_f64(),
            "files": files.collect::<Vec<_>>(),
        });
        if let Some(Waiting { directory, reason }) = &self.spool {
            report["spool"] = json!({
                "directory": directory.to_string_lossy(),
                "lines": spool.on_disk.lines,
                "bytes": spool.on_disk.bytes,
                "oldest_seconds": spool.oldest.map(|age| age.as_secs_f64()),
                "reason": reason,
                "found_lines": spool.found.lines,
                "found_lines_written": spool.found_written.lines,
                "damaged_files": spool.damaged,
            });
        }
        report
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
