//! Files of records: which reader takes a file, and what all readers have in common.

mod byte_counter;
mod column_type;
#[cfg(feature = "csv")]
mod csv;
#[cfg(any(feature = "parquet", feature = "feather", feature = "orc"))]
mod damaged;
#[cfg(any(feature = "csv", feature = "json"))]
mod encoding;
#[cfg(feature = "feather")]
mod feather;
mod file_compression;
mod format;
#[cfg(feature = "gzip")]
mod gunzip;
mod input;
#[cfg(feature = "json")]
mod json;
mod line_protocol;
#[cfg(any(feature = "csv", feature = "json"))]
mod null_texts;
#[cfg(feature = "orc")]
mod orc;
#[cfg(any(feature = "parquet", feature = "feather"))]
mod pandas_index;
#[cfg(feature = "parquet")]
mod parquet;
#[cfg(any(feature = "parquet", feature = "feather", feature = "orc"))]
mod random_access;
#[cfg(any(feature = "parquet", feature = "feather", feature = "orc"))]
mod record_batch_source;
#[cfg(any(feature = "csv", feature = "json"))]
mod seen_kinds;
mod summary;
#[cfg(any(feature = "csv", feature = "json"))]
mod text_values;
mod time_format;
#[cfg(any(feature = "csv", feature = "json"))]
mod type_inference;
#[cfg(any(feature = "parquet", feature = "orc"))]
mod wide_times;

use std::path::Path;

use crate::columns::LayoutOptions;
use crate::line_protocol::TagRules;
use crate::record::Lines;
use crate::{Error, ErrorKind, Precision, Result};
pub use column_type::ColumnType;
use file_compression::FileCompression;
pub use format::FileFormat;
pub(crate) use input::Origin;
pub(crate) use summary::Summary;
pub use summary::{FileColumn, SkippedRow};
pub(crate) use time_format::TimeFormat;

/// Reads a file part by part.
pub(crate) trait LineSource {
    /// Appends the lines of the next rows; false is the end of the file. With an error, the lines of the rows
    /// before it have been appended, and nothing more is to be read.
    fn read(&mut self, lines: &mut Lines<'_>) -> Result<bool>;

    /// Bytes of the file that were read.
    fn bytes_read(&self) -> u64;

    /// Whether the reader has no data at the moment (`WouldBlock`), so that the lines read so far should be written.
    fn is_paused(&self) -> bool {
        false
    }

    /// Types, skipped rows and other facts about the file so far.
    fn summary(&self) -> Summary {
        Summary::default()
    }
}

/// How a file is to be read.
#[derive(Clone, Debug, Default)]
pub(crate) struct ReadOptions {
    pub(crate) layout: LayoutOptions,
    pub(crate) types: Vec<(String, ColumnType)>,
    /// How many rows decide about types; all of them if there is none.
    pub(crate) infer_rows: Option<u64>,
    /// Texts that are no value, in columns of any type.
    pub(crate) null_values: Vec<String>,
    /// If true, the built-in null words (`NA`, `null`, …) are ordinary text.
    pub(crate) has_only_listed_nulls: bool,
    /// Whether rows that cannot be written are left out.
    pub(crate) skip_bad_rows: bool,
    /// The format of times, if it is none of the built-in ones.
    pub(crate) time_format: Option<TimeFormat>,
    /// Between the cells of CSV.
    pub(crate) delimiter: Option<u8>,
    /// The names of the columns of CSV that has no header.
    pub(crate) column_names: Option<Vec<String>>,
    /// What lines of CSV that are left out begin with.
    pub(crate) comment: Option<u8>,
    /// How many lines of CSV are left out at the beginning.
    pub(crate) skip_lines: u64,
    /// Whether blanks around cells of CSV are left out.
    pub(crate) trims: bool,
    /// Whether rows of CSV may have fewer cells than there are columns.
    pub(crate) ragged_rows: bool,
    /// Whether numbers in CSV have a comma where others have a point.
    pub(crate) decimal_comma: bool,
    /// Where the rows are in JSON.
    pub(crate) json_path: Option<String>,
    /// What stands between the keys of objects within rows of JSON.
    pub(crate) flatten: Option<String>,
}

impl ReadOptions {
    /// The type that the caller has chosen for a column.
    #[cfg(any(feature = "csv", feature = "json"))]
    fn column_type(&self, name: &str) -> Option<ColumnType> {
        let given = self.types.iter().rev().find(|(column, _)| column == name);
        given.map(|(_, column_type)| *column_type)
    }
}

/// The format that the extension of a path says.
pub(crate) fn format_of(path: &Path) -> Result<FileFormat> {
    FileFormat::of(path)
}

/// Opens a file with the reader of its format.
pub(crate) fn open<'a>(
    origin: Origin<'a>,
    format: FileFormat,
    read_options: &ReadOptions,
    precision: Precision,
    rules: &TagRules,
) -> Result<Box<dyn LineSource + 'a>> {
    format.check(read_options)?;
    let compression = FileCompression::of(&origin, format)?;
    let opened: Result<Box<dyn LineSource + 'a>> = match format {
        #[cfg(feature = "csv")]
        FileFormat::Csv => csv::open(&origin, compression, read_options, precision, rules),
        #[cfg(feature = "json")]
        FileFormat::Json => json::open(&origin, compression, read_options, precision, rules),
        #[cfg(feature = "parquet")]
        FileFormat::Parquet => parquet::open(&origin, read_options, precision, rules),
        #[cfg(feature = "feather")]
        FileFormat::Feather => return feather::open(origin, read_options, precision, rules),
        #[cfg(feature = "orc")]
        FileFormat::Orc => orc::open(&origin, read_options, precision, rules),
        FileFormat::LineProtocol => return line_protocol::open(origin, compression, read_options),
        #[allow(unreachable_patterns)] // reached unless all formats are on
        other => Err(other.is_off()),
    };
    // If more bytes were needed than may be kept, that is the error, and what it has led to is not.
    origin.finish()?;
    opened
}

fn unreadable(what: impl Into<String>) -> Error {
    Error::new(ErrorKind::File, what)
}
