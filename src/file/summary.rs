//! Facts about a file that was read, beside its lines.

use crate::ColumnType;
use crate::{Error, Result};

/// What a reader found out and decided.
#[derive(Clone, Debug, Default)]
pub(crate) struct Summary {
    /// The fields and their types.
    pub(crate) columns: Vec<FileColumn>,
    /// The column of CSV that has no name and was left out, from 1.
    pub(crate) unnamed_column: Option<usize>,
    pub(crate) skipped: Skipped,
}

/// A column of CSV or a key of JSON that is a field, and what it was taken as.
///
/// ```no_run
/// # let client = influxdb3_blocking::Client::from_env()?;
/// let report = client.write_file("home.csv").measurement("home").send()?;
/// for column in &report.columns {
///     println!("{} is {:?}", column.name, column.column_type);
/// }
/// # Ok::<_, influxdb3_blocking::Error>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct FileColumn {
    /// The name of the field.
    pub name: String,
    /// The type that its values suggested, or that was chosen with
    /// [`column_type`](crate::WriteFile::column_type).
    pub column_type: ColumnType,
}

/// A row that was left out because it cannot be written.
///
/// ```no_run
/// # let client = influxdb3_blocking::Client::from_env()?;
/// let file = client.write_file("home.csv").measurement("home");
/// for row in file.skip_bad_rows(true).send()?.skipped_rows {
///     println!("line {} was left out: {}", row.line, row.reason);
/// }
/// # Ok::<_, influxdb3_blocking::Error>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct SkippedRow {
    /// The line of the file on which it begins, from 1.
    pub line: u64,
    /// Why it cannot be written, with its place.
    pub reason: String,
}

/// The rows that were left out because they cannot be written.
#[derive(Clone, Debug, Default)]
pub(crate) struct Skipped {
    is_on: bool,
    pub(crate) count: usize,
    pub(crate) rows: Vec<SkippedRow>,
}

impl FileColumn {
    #[cfg(any(feature = "csv", feature = "json"))]
    pub(super) fn new(name: &str, column_type: ColumnType) -> Self {
        Self { name: name.to_owned(), column_type }
    }
}

impl Skipped {
    pub(super) fn new(is_on: bool) -> Self {
        Self { is_on, ..Self::default() }
    }

    pub(super) fn is_on(&self) -> bool {
        self.is_on
    }

    /// Takes note of a row that is left out, or gives its error back where none is to be left out.
    pub(super) fn take(&mut self, line: u64, error: Error) -> Result<()> {
        if !self.is_on {
            return Err(error);
        }
        self.count += 1;
        if self.rows.len() < SHOWN_ROWS {
            self.rows.push(SkippedRow { line, reason: error.to_string() });
        }
        Ok(())
    }
}

const SHOWN_ROWS: usize = 1000;
