//! What can be said about a write.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use influxdb3_blocking::{Client, ColumnType, Precision, Timestamp, WriteFile};

use super::format::InputFormat;
use super::inputs::Input;
use super::stdin::Stdin;
use crate::amounts;

/// Writes files, folders or standard input
///
/// Line protocol, CSV (annotated as well), JSON, JSON lines, Parquet, Feather and ORC; text may be packed with gzip or
/// zstd (--version tells what this influx3 was built with). Files are read part by part. Each row becomes a line: its
/// measurement is --measurement or the column `measurement`, its time the column `time`, its tags the columns named
/// with --tag, and every other column is a field.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  influx3 write -d sensors home.lp
  influx3 write -d sensors home.csv --measurement home --tag room --precision s
  influx3 write -d sensors 'export/*.parquet' --measurement home --tag room
  zcat old.lp.gz | influx3 write -d sensors -
  influx3 write -d sensors big.csv --measurement m --rejects bad.lp
  influx3 write -d sensors bad.lp                      # once it is mended
  influx3 write -d sensors home.lp --spool waiting     # what cannot be sent now is kept in waiting
  influx3 write --spool waiting --drain                # sends it
  influx3 write home.csv --measurement home --tag room --dry-run=summary")]
pub(crate) struct Arguments {
    /// Files, folders, patterns in quotes, or - for standard input
    #[arg(value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,

    /// The format, in place of what the name says; the default of standard input is lp
    ///
    /// Of a folder, only files are taken whose names say this format.
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub(crate) format: Option<InputFormat>,

    /// Print what would be written as line protocol, or a summary of it, and send nothing
    #[arg(long, value_enum, value_name = "FORM", num_args = 0..=1, require_equals = true,
        default_missing_value = "lines")]
    pub(crate) dry_run: Option<DryRun>,

    /// Print a summary as JSON on standard output
    #[arg(long)]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) columns: ColumnArguments,

    #[command(flatten)]
    pub(crate) reading: ReadingArguments,

    #[command(flatten)]
    pub(crate) sending: SendingArguments,
}

/// What a dry run prints.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum DryRun {
    /// Line protocol
    Lines,
    /// Points, tables, columns and their types, times, and points that are there twice
    Summary,
}

/// What becomes of columns.
#[derive(Args, Debug)]
#[command(next_help_heading = "Columns")]
pub(crate) struct ColumnArguments {
    /// The measurement of all rows
    #[arg(short, long, value_name = "NAME")]
    measurement: Option<String>,

    /// The column that names the measurement of each row
    #[arg(long, value_name = "COL", conflicts_with = "measurement")]
    measurement_column: Option<String>,

    /// A column that is a tag; can be given several times
    #[arg(short, long = "tag", value_name = "COL")]
    tags: Vec<String>,

    /// A column that is a field; once one is named, columns that are not named are left out
    #[arg(long = "field", value_name = "COL")]
    fields: Vec<String>,

    /// A column that is left out
    #[arg(long = "exclude", value_name = "COL")]
    exclude: Vec<String>,

    /// Another name for a column
    #[arg(long = "rename", value_name = "OLD=NEW", value_parser = pair)]
    renames: Vec<(String, String)>,

    /// The type of a column (i64, u64, f64, bool, string), or its role (tag, time)
    #[arg(long = "column", value_name = "NAME:TYPE", value_parser = column)]
    columns: Vec<(String, ColumnAs)>,

    /// The column of times
    #[arg(long, value_name = "COL")]
    time_column: Option<String>,

    /// The unit of times in the request, and of numbers in the time column: ns, us, ms or s
    #[arg(short, long, value_name = "UNIT", value_parser = unit)]
    pub(crate) precision: Option<Precision>,

    /// The unit of numbers in the time column, if it is another one
    #[arg(long, value_name = "UNIT", value_parser = unit)]
    date_unit: Option<Precision>,

    /// How times are written, such as '%d.%m.%Y %H:%M'
    #[arg(long, value_name = "FORMAT")]
    time_format: Option<String>,

    /// The time of rows and lines that have none, such as 2024-01-01T00:00:00Z; `now` is the time of the start
    #[arg(long, value_name = "TIME", value_parser = timestamp)]
    default_time: Option<Timestamp>,
}

/// How text is read.
#[derive(Args, Debug)]
#[command(next_help_heading = "Reading")]
pub(crate) struct ReadingArguments {
    /// What stands between the cells of CSV; \t is a tab
    #[arg(long, value_name = "CHAR", value_parser = byte, hide_short_help = true)]
    delimiter: Option<u8>,

    /// Leave out lines of CSV that begin with this
    #[arg(long, value_name = "CHAR", value_parser = byte, hide_short_help = true)]
    comment: Option<u8>,

    /// Leave out so many lines of CSV at the beginning
    #[arg(long, value_name = "N", hide_short_help = true)]
    skip_lines: Option<u64>,

    /// The names of the columns of CSV without a header, with commas between them
    #[arg(long, value_name = "NAMES", value_delimiter = ',', hide_short_help = true)]
    column_names: Vec<String>,

    /// Numbers with a decimal comma
    #[arg(long, hide_short_help = true)]
    decimal_comma: bool,

    /// Take rows of CSV with too few cells
    #[arg(long, hide_short_help = true)]
    ragged_rows: bool,

    /// Leave out blanks around cells
    #[arg(long, hide_short_help = true)]
    trim: bool,

    /// A text that is no value, beside the usual ones
    #[arg(long = "null", value_name = "TEXT", hide_short_help = true)]
    nulls: Vec<String>,

    /// Decide the types of columns by the first N rows, in place of all
    #[arg(long, value_name = "N", hide_short_help = true)]
    infer_rows: Option<u64>,

    /// Where the rows of JSON are, such as data.items
    #[arg(long, value_name = "PATH", hide_short_help = true)]
    json_path: Option<String>,

    /// Make columns of nested objects of JSON, with this between the keys
    #[arg(long, value_name = "TEXT", hide_short_help = true)]
    flatten: Option<String>,

    /// Take binary values for text
    #[arg(long, hide_short_help = true)]
    binary_as_text: bool,

    /// Leave out rows that cannot be written, and count them; the exit code is 0 all the same
    #[arg(long)]
    pub(crate) skip_bad_rows: bool,

    /// How much of standard input may be kept in memory, in MB
    #[arg(long, value_name = "MB", default_value_t = 256, hide_short_help = true)]
    memory_limit: usize,
}

/// How lines are sent.
#[derive(Args, Debug)]
#[command(next_help_heading = "Sending")]
pub(crate) struct SendingArguments {
    /// The most lines of one request, which has at most 10 MB
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = amounts::one_or_more)]
    pub(crate) batch_size: usize,

    /// Requests that may be under way at once
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = amounts::one_or_more)]
    pub(crate) workers: usize,

    /// Compress requests; `auto` does if the server is on another machine
    #[arg(long, value_enum, value_name = "WHEN", num_args = 0..=1, require_equals = true,
        default_value = "auto", default_missing_value = "always")]
    pub(crate) gzip: GzipChoice,

    /// How often a request is tried again
    ///
    /// The first wait is about 5 seconds and each further one twice as long, within three minutes in all. With --spool
    /// the first wait is 0.2 seconds, and it is half a minute in all.
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub(crate) max_retries: u32,

    /// Write to /api/v3/write_lp, which names bad lines (Core and Enterprise)
    #[arg(long)]
    pub(crate) v3: bool,

    /// Let the server answer before lines are durable; implies --v3
    #[arg(long)]
    pub(crate) no_sync: bool,

    /// Append lines that the server refuses to a file, which can be written again
    #[arg(long, value_name = "FILE")]
    pub(crate) rejects: Option<PathBuf>,

    /// Leave out so many lines of the first file, as the failure of an earlier run says
    #[arg(long, value_name = "LINE", default_value_t = 0)]
    pub(crate) resume_from: usize,

    /// Send no more than this, such as '5 MB/min'
    #[arg(long, value_name = "RATE", value_parser = amounts::byte_rate)]
    pub(crate) rate_limit: Option<f64>,

    /// Keep in a directory what cannot be sent now, and send what an earlier run has left there
    ///
    /// A request is tried again as --max-retries says, within half a minute, and its lines are put into the directory
    /// then. The exit code is 0 if every line is at the server or in the directory.
    #[arg(long, value_name = "DIR", conflicts_with = "rate_limit")]
    pub(crate) spool: Option<PathBuf>,

    /// Read nothing, and send what waits in the directory of --spool
    ///
    /// Without FILE on a terminal, that is done as well.
    #[arg(long, requires = "spool", conflicts_with_all = ["files", "dry_run", "resume_from"])]
    pub(crate) drain: bool,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum GzipChoice {
    Auto,
    Always,
    Never,
}

/// What --column says of a column.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum ColumnAs {
    Type(ColumnType),
    Tag,
    Time,
}

impl Arguments {
    /// The write of an input, with all that was said about it.
    pub(crate) fn request<'a>(&self, client: &'a Client, input: &Input) -> WriteFile<'a> {
        let mut request = match input {
            Input::File { path, format } => {
                let request = client.write_file(path);
                match format {
                    Some(format) => request.format((*format).into()),
                    None => request,
                }
            }
            Input::Stdin { format } => client.write_reader(Stdin::read(*format), (*format).into()),
        };
        let ColumnArguments { columns, .. } = &self.columns;
        request = self.reading.apply(self.columns.apply(request));
        for (name, column) in columns {
            if let ColumnAs::Type(column_type) = column {
                request = request.column_type(name, *column_type);
            }
        }
        request
    }
}

impl ColumnArguments {
    fn apply<'a>(&self, mut request: WriteFile<'a>) -> WriteFile<'a> {
        let named = |wanted: ColumnAs| {
            let columns = self.columns.iter().filter(move |(_, column)| *column == wanted);
            columns.map(|(name, _)| name.clone())
        };
        if let Some(name) = &self.measurement {
            request = request.measurement(name);
        }
        if let Some(name) = &self.measurement_column {
            request = request.measurement_column(name);
        }
        let tags: Vec<_> = self.tags.iter().cloned().chain(named(ColumnAs::Tag)).collect();
        if !tags.is_empty() {
            request = request.tags(tags);
        }
        if !self.fields.is_empty() {
            request = request.fields(&self.fields);
        }
        if !self.exclude.is_empty() {
            request = request.exclude(&self.exclude);
        }
        for (old, new) in &self.renames {
            request = request.rename(old, new);
        }
        if let Some(name) = self.time_column.clone().or_else(|| named(ColumnAs::Time).next()) {
            request = request.timestamp_column(name);
        }
        if let Some(precision) = self.precision {
            request = request.precision(precision);
        }
        if let Some(unit) = self.date_unit {
            request = request.date_unit(unit);
        }
        if let Some(format) = &self.time_format {
            request = request.time_format(format);
        }
        match self.default_time {
            Some(time) => request.default_time(time),
            None => request,
        }
    }
}

impl ReadingArguments {
    fn apply<'a>(&self, mut request: WriteFile<'a>) -> WriteFile<'a> {
        if let Some(delimiter) = self.delimiter {
            request = request.delimiter(delimiter);
        }
        if let Some(comment) = self.comment {
            request = request.comment(comment);
        }
        if let Some(lines) = self.skip_lines {
            request = request.skip_lines(lines);
        }
        if !self.column_names.is_empty() {
            request = request.column_names(&self.column_names);
        }
        if !self.nulls.is_empty() {
            request = request.null_values(&self.nulls);
        }
        if let Some(rows) = self.infer_rows {
            request = request.infer_rows(rows);
        }
        if let Some(path) = &self.json_path {
            request = request.json_path(path);
        }
        if let Some(between) = &self.flatten {
            request = request.flatten(between);
        }
        request
            .decimal_comma(self.decimal_comma)
            .ragged_rows(self.ragged_rows)
            .trim(self.trim)
            .binary_as_text(self.binary_as_text)
            .skip_bad_rows(self.skip_bad_rows)
            .reader_limit(self.memory_limit.saturating_mul(1_000_000))
    }
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (old, new) = text.split_once('=').ok_or("write OLD=NEW")?;
    Ok((old.to_owned(), new.to_owned()))
}

fn column(text: &str) -> Result<(String, ColumnAs), String> {
    let (name, kind) = text.rsplit_once(':').ok_or("write NAME:TYPE")?;
    let kind = match kind {
        "i64" | "int" | "integer" => ColumnAs::Type(ColumnType::Integer),
        "u64" | "uint" | "unsigned" => ColumnAs::Type(ColumnType::Unsigned),
        "f64" | "float" => ColumnAs::Type(ColumnType::Float),
        "bool" | "boolean" => ColumnAs::Type(ColumnType::Boolean),
        "string" | "text" => ColumnAs::Type(ColumnType::Text),
        "tag" => ColumnAs::Tag,
        "time" => ColumnAs::Time,
        other => {
            return Err(format!(
                "{other:?} is no type: there are i64, u64, f64, bool, string, tag and time"
            ));
        }
    };
    Ok((name.to_owned(), kind))
}

fn unit(text: &str) -> Result<Precision, String> {
    text.parse().map_err(|_| format!("{text:?} is no unit: there are ns, us, ms and s"))
}

fn timestamp(text: &str) -> Result<Timestamp, String> {
    if text == "now" {
        return Ok(Timestamp::now());
    }
    text.parse().map_err(|error: influxdb3_blocking::Error| error.to_string())
}

fn byte(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        [byte] => Ok(*byte),
        b"\\t" | b"tab" => Ok(b'\t'),
        _ => Err(format!("{text:?} is not one ASCII character")),
    }
}
