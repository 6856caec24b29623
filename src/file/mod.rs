//! Files of records: which reader takes a file, and what all readers have in common.

#[cfg(any(feature = "parquet", feature = "feather", feature = "orc"))]
mod batches;
mod counter;
#[cfg(feature = "csv")]
mod csv;
#[cfg(feature = "feather")]
mod feather;
mod format;
mod input;
#[cfg(feature = "json")]
mod json;
#[cfg(feature = "orc")]
mod orc;
mod packing;
#[cfg(any(feature = "parquet", feature = "feather"))]
mod pandas_index;
#[cfg(feature = "parquet")]
mod parquet;
#[cfg(any(feature = "parquet", feature = "feather", feature = "orc"))]
mod places;
mod types;
#[cfg(any(feature = "parquet", feature = "orc"))]
mod wide_times;

use std::path::Path;

use crate::columns::LayoutOptions;
use crate::line_protocol::TagRules;
use crate::record::Lines;
use crate::{Error, ErrorKind, Precision, Result};
pub use format::FileFormat;
pub(crate) use input::Origin;
use packing::Packing;
pub use types::ColumnType;

/// Reads a file part by part.
pub(crate) trait Source {
    /// Appends the lines of the next rows; false is the end of the file. With an error, the lines of the rows
    /// before it have been appended, and nothing more is to be read.
    fn read(&mut self, lines: &mut Lines<'_>) -> Result<bool>;

    /// Bytes of the file that were read.
    fn bytes_read(&self) -> u64;
}

/// How a file is to be read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reading {
    pub(crate) layout: LayoutOptions,
    pub(crate) types: Vec<(String, ColumnType)>,
    /// How many rows decide about types; all of them if there is none.
    pub(crate) infer_rows: Option<u64>,
    /// Between the cells of CSV.
    pub(crate) delimiter: Option<u8>,
    /// The names of the columns of CSV that has no header.
    pub(crate) column_names: Option<Vec<String>>,
    /// What is no value in CSV, in columns of any type.
    pub(crate) null_values: Option<Vec<String>>,
}

/// The format that the extension of a path says.
pub(crate) fn format_of(path: &Path) -> Result<FileFormat> {
    FileFormat::of(path)
}

/// Opens a file with the reader of its format.
pub(crate) fn open<'a>(
    origin: Origin<'a>,
    format: FileFormat,
    reading: &Reading,
    precision: Precision,
    rules: &TagRules,
) -> Result<Box<dyn Source + 'a>> {
    format.check(reading)?;
    #[cfg_attr(not(any(feature = "csv", feature = "json")), allow(unused_variables))]
    let packing = Packing::of(&origin, format)?;
    let opened: Result<Box<dyn Source + 'a>> = match format {
        #[cfg(feature = "csv")]
        FileFormat::Csv => csv::open(&origin, packing, reading, precision, rules),
        #[cfg(feature = "json")]
        FileFormat::Json => json::open(&origin, packing, reading, precision, rules),
        #[cfg(feature = "parquet")]
        FileFormat::Parquet => parquet::open(&origin, reading, precision, rules),
        #[cfg(feature = "feather")]
        FileFormat::Feather => return feather::open(origin, reading, precision, rules),
        #[cfg(feature = "orc")]
        FileFormat::Orc => orc::open(&origin, reading, precision, rules),
        #[allow(unreachable_patterns)] // reached unless all formats are on
        other => Err(other.is_off()),
    };
    // That it had to be read further than may be kept explains whatever else went wrong.
    origin.finish()?;
    opened
}

fn unreadable(what: impl Into<String>) -> Error {
    Error::new(ErrorKind::File, what)
}
