//! Progress and the final report of a file write.

use crate::file::{FileColumn, SkippedRow, Summary};

/// The progress of a file write.
///
/// ```no_run
/// # let client = influxdb3_blocking::Client::from_env()?;
/// let file = client.write_file("home.csv").measurement("home");
/// file.progress(|p| eprintln!("{} lines", p.lines_written)).send()?;
/// # Ok::<_, influxdb3_blocking::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Progress {
    /// Bytes of the file that were read.
    pub bytes_read: u64,
    /// Bytes of the file; for a reader, whose length is unknown, `bytes_read`.
    pub bytes_total: u64,
    /// Lines that this call has written.
    pub lines_written: usize,
}

/// What was written of a file.
///
/// ```no_run
/// # let client = influxdb3_blocking::Client::from_env()?;
/// let report = client.write_file("home.csv").measurement("home").send()?;
/// println!("{} lines, {} batches", report.lines, report.batches);
/// # Ok::<_, influxdb3_blocking::Error>(())
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct FileReport {
    /// Lines that were written.
    pub lines: usize,
    /// Bytes of line protocol that were written.
    pub bytes: usize,
    /// Batches that the lines were written in.
    pub batches: usize,
    /// Rows without a field, which are not lines.
    pub rows_without_fields: usize,
    /// The fields of CSV and JSON and the types that they were taken as. Empty for other formats and for annotated CSV,
    /// which say the types themselves.
    pub columns: Vec<FileColumn>,
    /// The column of CSV that has no name and was left out, from 1: the numbers of rows that pandas and R write.
    pub unnamed_column: Option<usize>,
    /// How many rows [`skip_bad_rows`](crate::WriteFile::skip_bad_rows) has left out.
    pub rows_skipped: usize,
    /// The first thousand of these rows.
    pub skipped_rows: Vec<SkippedRow>,
}

impl FileReport {
    pub(super) fn add(&mut self, summary: Summary) {
        self.columns = summary.columns;
        self.unnamed_column = summary.unnamed_column;
        self.rows_skipped = summary.skipped.count;
        self.skipped_rows = summary.skipped.rows;
    }
}
