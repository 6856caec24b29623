//! A file as a write.

mod run;

use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use self::run::Run;
use super::WriteRequest;
use crate::columns::{LayoutOptions, layout_options};
use crate::file::{self, ColumnType, FileFormat, Origin, Reading};
use crate::record::Lines;
use crate::{Client, Precision, Record, Result};

/// A file that is to be written; [`send`](Self::send) carries it out.
///
/// Made by [`Client::write_file`], which says what becomes of a file, or by [`Client::write_reader`]. What is not set here is as the client has it.
#[must_use = "nothing is written until `send` is called"]
pub struct WriteFile<'a> {
    client: &'a Client,
    request: WriteRequest<'a, Nothing>,
    from: From<'a>,
    format: Option<FileFormat>,
    reader_limit: usize,
    reading: Reading,
    progress: Option<OnProgress<'a>>,
    resume_from_line: usize,
}

enum From<'a> {
    Path(PathBuf),
    Reader(Box<dyn Read + 'a>, FileFormat),
}

type OnProgress<'a> = Box<dyn FnMut(&Progress) + 'a>;

/// How far the writing of a file has come.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Progress {
    /// Bytes of the file that were read.
    pub bytes_read: u64,
    /// Bytes of the file; of a reader, which does not tell, as many as were read.
    pub bytes_total: u64,
    /// Lines that this call has written.
    pub lines_written: usize,
}

/// What was written of a file.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct FileReport {
    /// Lines that were written.
    pub lines: usize,
    /// Bytes of line protocol that were written.
    pub bytes: usize,
    /// Batches that the lines were written in.
    pub batches: usize,
    /// Rows that had no field, and so no line.
    pub rows_without_fields: usize,
}

impl<'a> WriteFile<'a> {
    pub(crate) fn path(client: &'a Client, path: &Path) -> Self {
        Self::new(client, From::Path(path.to_owned()))
    }

    pub(crate) fn reader(
        client: &'a Client,
        reader: Box<dyn Read + 'a>,
        format: FileFormat,
    ) -> Self {
        Self::new(client, From::Reader(reader, format))
    }

    fn new(client: &'a Client, from: From<'a>) -> Self {
        let layout = LayoutOptions { needs_time: true, ..LayoutOptions::default() };
        Self {
            client,
            request: WriteRequest::new(client, Nothing),
            from,
            format: None,
            reader_limit: READER_LIMIT,
            reading: Reading { layout, ..Reading::default() },
            progress: None,
            resume_from_line: 0,
        }
    }

    layout_options!(reading.layout);

    /// The format, in place of the one that the extension says.
    pub fn format(mut self, format: FileFormat) -> Self {
        self.format = Some(format);
        self
    }

    /// How many bytes of a reader, or of a file that is none on a disk (a named pipe, `/dev/stdin`), may be kept in
    /// memory: 256 MiB unless this is called. [`Client::write_reader`] says what is kept of which format. More is an error before anything
    /// is written.
    pub fn reader_limit(mut self, bytes: usize) -> Self {
        self.reader_limit = bytes;
        self
    }

    /// The type of a column of CSV or JSON, in place of the one that its values suggest.
    pub fn column_type(mut self, name: impl Into<String>, column_type: ColumnType) -> Self {
        self.reading.types.push((name.into(), column_type));
        self
    }

    /// Lets this many rows decide about the types of columns in CSV and JSON. Without it the whole file is read once
    /// before anything is written, so that the types are right whatever comes last. A value that does not fit is an
    /// error when it is met.
    pub fn infer_rows(mut self, rows: u64) -> Self {
        self.reading.infer_rows = Some(rows);
        self
    }

    /// What stands between the cells of CSV, `,` if this is not called: an ASCII character, but neither a quote nor the
    /// end of a line.
    pub fn delimiter(mut self, delimiter: u8) -> Self {
        self.reading.delimiter = Some(delimiter);
        self
    }

    /// The names of the columns of CSV that has no header, one for each column: its first line is a row like all others.
    pub fn column_names(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.reading.column_names = Some(names.into_iter().map(Into::into).collect());
        self
    }

    /// The cells of CSV that are no value, in columns of every type. Without it these are empty cells that are not in
    /// quotes, and in columns that are no text also `NA`, `N/A`, `n/a`, `#N/A`, `NULL`, `null`, `None`, `<NA>`, `NaT`
    /// and `-`.
    pub fn null_values(mut self, values: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.reading.null_values = Some(values.into_iter().map(Into::into).collect());
        self
    }

    /// Called after each batch, on the thread that called [`send`](Self::send).
    pub fn progress(mut self, progress: impl FnMut(&Progress) + 'a) -> Self {
        self.progress = Some(Box::new(progress));
        self
    }

    /// Leaves out this many lines at the beginning: those that an earlier call has written, as
    /// [`Error::resume_line`](crate::Error::resume_line) of its error says. Everything else must be as it was.
    pub fn resume_from_line(mut self, line: usize) -> Self {
        self.resume_from_line = line;
        self
    }

    /// The database to write to.
    pub fn database(mut self, database: impl AsRef<str>) -> Self {
        self.request = self.request.database(database);
        self
    }

    /// The organization, which only `/api/v2/write` of some products wants.
    pub fn organization(mut self, organization: impl AsRef<str>) -> Self {
        self.request = self.request.organization(organization);
        self
    }

    /// The precision to write timestamps in; integers in the timestamp column are taken to be in it.
    pub fn precision(mut self, precision: Precision) -> Self {
        self.request = self.request.precision(precision);
        self
    }

    /// See [`WriteRequest::use_v2_api`].
    pub fn use_v2_api(mut self, v2: bool) -> Self {
        self.request = self.request.use_v2_api(v2);
        self
    }

    /// See [`WriteRequest::no_sync`].
    pub fn no_sync(mut self, no_sync: bool) -> Self {
        self.request = self.request.no_sync(no_sync);
        self
    }

    /// See [`WriteRequest::accept_partial`].
    pub fn accept_partial(mut self, accept: bool) -> Self {
        self.request = self.request.accept_partial(accept);
        self
    }

    /// See [`WriteRequest::header`].
    pub fn header(mut self, name: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    /// How long a request may take; see [`WriteRequest::timeout`].
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.request = self.request.timeout(timeout);
        self
    }

    /// Writes the file.
    ///
    /// # Errors
    /// The text of the error names the file, and the line or row and the column where that is known.
    /// - [`ErrorKind::Config`](crate::ErrorKind::Config): a setting is wrong, or the feature of the format is off.
    /// - [`ErrorKind::File`](crate::ErrorKind::File): the file cannot be read, or is damaged.
    /// - [`ErrorKind::InvalidRecord`](crate::ErrorKind::InvalidRecord): a value is not of its type, or cannot be written.
    /// - [`ErrorKind::PartialWrite`](crate::ErrorKind::PartialWrite): the whole file was read, and the server refused some of its lines:
    ///   [`line_errors`](crate::Error::line_errors) has the first thousand of them.
    /// - Anything else is what the server or the connection said to a batch. What is in
    ///   [`unsent`](crate::Error::unsent) need not be written on its own: resuming writes it. In batching mode without an error
    ///   callback, it may be what became of an earlier write, with its lines in `unsent` as well.
    /// - [`ErrorKind::Closed`](crate::ErrorKind::Closed): the client was closed meanwhile; what could not be written comes back from that.
    /// - In a callback of a batching client, which cannot wait for batches, [`ErrorKind::Config`](crate::ErrorKind::Config).
    ///
    /// If it is not `PartialWrite`, all rows before the error are written, unless it is their batch that failed.
    /// [`lines_written`](crate::Error::lines_written) tells how many lines this call has written, and
    /// [`resume_line`](crate::Error::resume_line) where [`resume_from_line`](Self::resume_from_line) goes on.
    pub fn send(mut self) -> Result<FileReport> {
        self.client.check_open()?;
        let name = match &self.from {
            From::Path(path) => path.display().to_string(),
            From::Reader(..) => "the reader".to_owned(),
        };
        let target = self.request.target()?;
        let mut progress = self.progress.take();
        let mut run = Run::new(self.client, target, self.resume_from_line)?;
        let open = || {
            Ok(match self.from {
                From::Path(path) => {
                    let format = self.format.map_or_else(|| file::format_of(&path), Ok)?;
                    (Origin::path(&path, self.reader_limit)?, format)
                }
                From::Reader(reader, format) => {
                    (Origin::reader(reader, self.reader_limit), self.format.unwrap_or(format))
                }
            })
        };
        open()
            .and_then(|(origin, format)| {
                run.write(origin, format, &self.reading, progress.as_deref_mut())
            })
            .map_err(|error| error.in_context(&name))?;
        run.end().map_err(|error| error.in_context(&name))
    }
}

impl fmt::Debug for WriteFile<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WriteFile")
            .field("format", &self.format)
            .field("reading", &self.reading)
            .finish_non_exhaustive()
    }
}

/// What is kept of a reader.
const READER_LIMIT: usize = 256 << 20;

/// Lends the settings of a request to a file.
struct Nothing;

impl Record for Nothing {
    fn encode(self, _: &mut Lines<'_>) -> Result<()> {
        Ok(())
    }
}
