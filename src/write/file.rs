//! Writing a file: read part by part, written batch by batch.

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::group::Group;
use super::sync::{self, Encoded};
use super::target::Target;
use super::{Batcher, WriteRequest};
use crate::columns::{Layout, layout_options};
use crate::file::{self, ColumnType, Reading, Source};
use crate::line_protocol::text::line_ends;
use crate::record::Lines;
use crate::{Client, Error, ErrorKind, LineError, Precision, Record, Result};

/// A file that is to be written; [`send`](Self::send) carries it out.
///
/// Made by [`Client::write_file`], which says what becomes of a file. What is not set here is as the client has it.
#[must_use = "nothing is written until `send` is called"]
pub struct WriteFile<'a> {
    client: &'a Client,
    request: WriteRequest<'a, Nothing>,
    path: PathBuf,
    reading: Reading,
    progress: Option<OnProgress<'a>>,
    resume_from_line: usize,
}

type OnProgress<'a> = Box<dyn FnMut(&Progress) + 'a>;

/// How far the writing of a file has come.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Progress {
    /// Bytes of the file that were read.
    pub bytes_read: u64,
    /// Bytes of the file.
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
    pub(crate) fn new(client: &'a Client, path: &Path) -> Self {
        let layout = Layout { needs_time: true, ..Layout::default() };
        Self {
            client,
            request: WriteRequest::new(client, Nothing),
            path: path.to_owned(),
            reading: Reading { layout, ..Reading::default() },
            progress: None,
            resume_from_line: 0,
        }
    }

    layout_options!(reading.layout);

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
    /// [`Error::resume_line`] of its error says. Everything else must be as it was.
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
    /// - [`ErrorKind::Config`]: a setting is wrong, or the feature of the format is off.
    /// - [`ErrorKind::File`]: the file cannot be read, or is damaged.
    /// - [`ErrorKind::InvalidRecord`]: a value is not of its type, or cannot be written.
    /// - [`ErrorKind::PartialWrite`]: the whole file was read, and the server refused some of its lines:
    ///   [`line_errors`](Error::line_errors) has the first thousand of them.
    /// - Anything else is what the server or the connection said to a batch. What is in
    ///   [`unsent`](Error::unsent) need not be written on its own: resuming writes it.
    ///
    /// If it is not `PartialWrite`, all rows before the error are written, unless it is their batch that failed.
    /// [`lines_written`](Error::lines_written) tells how many lines this call has written, and
    /// [`resume_line`](Error::resume_line) where [`resume_from_line`](Self::resume_from_line) goes on.
    pub fn send(mut self) -> Result<FileReport> {
        self.client.check_open()?;
        let path = self.path.display().to_string();
        let target = self.request.target()?;
        let mut progress = self.progress.take();
        let mut run = Run {
            client: self.client,
            target,
            group: self.client.batcher().map(Batcher::group),
            skip: self.resume_from_line,
            settled: 0,
            report: FileReport::default(),
            partial: None,
            line_errors: Vec::new(),
            rows: 0,
            longest: 0,
        };
        run.write(&self.path, &self.reading, progress.as_deref_mut())
            .map_err(|error| error.in_context(&path))?;
        match run.partial {
            None => Ok(run.report),
            Some(error) => Err(error
                .with_lines_written(run.report.lines)
                .with_line_errors(run.line_errors)
                .in_context(&path)),
        }
    }
}

/// The writing of one file.
struct Run<'a> {
    client: &'a Client,
    target: Target,
    /// The batches of the file, where the client batches.
    group: Option<Group>,
    /// Lines that are still to be left out.
    skip: usize,
    /// Lines of the file that are behind us.
    settled: usize,
    report: FileReport,
    /// The first answer that some lines were refused.
    partial: Option<Error>,
    line_errors: Vec<LineError>,
    /// Rows of the file that were read.
    rows: usize,
    /// The most bytes that were read at once, which the next ones will hardly exceed.
    longest: usize,
}

impl Run<'_> {
    fn write(
        &mut self,
        path: &Path,
        reading: &Reading,
        mut progress: Option<&mut (dyn FnMut(&Progress) + '_)>,
    ) -> Result<()> {
        let rules = self.client.tag_rules();
        let mut source = file::open(path, reading, self.target.precision, rules)?;
        let bytes_total = std::fs::metadata(path).map_or(0, |metadata| metadata.len());
        let mut buffer = Vec::new();
        loop {
            buffer.clear();
            let end = self.batch(source.as_mut(), &mut buffer)?;
            // Where there is an error in the file, what stands before it has been written.
            match end {
                Ok(true) => {}
                Ok(false) => return Ok(()),
                Err(error) => return Err(self.stopped(error, 0)),
            }
            if let Some(progress) = &mut progress {
                progress(&Progress {
                    bytes_read: source.bytes_read().min(bytes_total),
                    bytes_total,
                    lines_written: self.report.lines,
                });
            }
        }
    }

    /// Reads lines for a batch and writes them. The inner result is what reading came to.
    fn batch(&mut self, source: &mut dyn Source, buffer: &mut Vec<u8>) -> Result<Result<bool>> {
        let config = self.client.config();
        let limit = config.max_request_bytes.min(BATCH_BYTES);
        let rules = self.client.tag_rules();
        let mut lines =
            Lines::new(buffer, self.target.precision, rules, None, None).starting_at_row(self.rows);
        let end = loop {
            let before = lines.byte_len();
            match source.read(&mut lines) {
                Ok(true) => {}
                end => break end,
            }
            self.longest = self.longest.max(lines.byte_len() - before);
            if lines.byte_len() + self.longest > limit {
                break Ok(true);
            }
        };
        self.rows = lines.rows();
        self.report.rows_without_fields += lines.skipped();
        let (count, repeatable) = (lines.count(), lines.all_stamped());
        let map = lines.into_map();
        let skip = self.skip.min(count);
        self.skip -= skip;
        self.settled += skip;
        if skip == count {
            return Ok(end);
        }
        if skip > 0 {
            let bytes = line_ends(buffer).nth(skip - 1).unwrap_or(buffer.len());
            buffer.drain(..bytes);
        }
        let (bytes, count) = (buffer.len(), count - skip);
        let map = if skip == 0 { map } else { Default::default() };
        let encoded = Encoded { buffer: std::mem::take(buffer), count, repeatable, map };
        self.settle(encoded, bytes, count)?;
        Ok(end)
    }

    /// Writes a batch, and waits until each of its lines is either written or refused.
    fn settle(&mut self, encoded: Encoded, bytes: usize, count: usize) -> Result<()> {
        if let Some(group) = self.group.take() {
            let result = self.settle_batches(&group, &encoded.buffer, count);
            self.group = Some(group);
            result?;
            self.settled += count;
            return Ok(());
        }
        let result = sync::send(self.client.http(), self.client.config(), &self.target, encoded);
        self.report.batches += 1;
        match result {
            Ok(()) => {
                self.report.lines += count;
                self.report.bytes += bytes;
            }
            Err(error) if error.kind() == ErrorKind::PartialWrite => {
                self.report.lines += error.lines_written();
                self.report.bytes += bytes;
                let room = SHOWN_LINE_ERRORS.saturating_sub(self.line_errors.len());
                let in_file = error.line_errors().iter().take(room).map(|line_error| {
                    let number = line_error.line_number().map(|number| self.settled + number);
                    line_error.clone().with_line_number(number)
                });
                self.line_errors.extend(in_file);
                self.partial.get_or_insert(error);
            }
            Err(error) => {
                let written = error.lines_written();
                return Err(self.stopped(error, written));
            }
        }
        self.settled += count;
        Ok(())
    }

    /// The same by way of the client's batches: with its retries and callbacks, none of them mixed with other lines.
    fn settle_batches(&mut self, group: &Group, lines: &[u8], count: usize) -> Result<()> {
        let result =
            group.submit(&self.target, lines, count).and_then(|()| group.settle().map(drop));
        let report = group.report();
        self.report.lines = usize::try_from(report.written.lines).unwrap_or(usize::MAX);
        self.report.bytes = usize::try_from(report.written.bytes).unwrap_or(usize::MAX);
        self.report.batches = usize::try_from(report.batches).unwrap_or(usize::MAX);
        let Err(error) = result else { return Ok(()) };
        let located = locate(error.line_errors(), lines, self.settled);
        // Lines that are there to be sent again make it more than some lines that were refused.
        if !error.unsent().is_empty() || error.line_errors().is_empty() {
            return Err(self.stopped(error.with_line_errors(located), 0));
        }
        let room = SHOWN_LINE_ERRORS.saturating_sub(self.line_errors.len());
        self.line_errors.extend(located.into_iter().take(room));
        self.partial.get_or_insert(error);
        Ok(())
    }

    /// The error that ends it, `written` lines of the last batch having been written.
    fn stopped(&self, error: Error, written: usize) -> Error {
        let mut line_errors = self.line_errors.clone();
        line_errors.extend_from_slice(error.line_errors());
        error
            .with_lines_written(self.report.lines + written)
            .with_line_errors(line_errors)
            .with_resume_line(self.settled + written)
    }
}

/// Finds the numbers of lines that are known by their texts, `before` being the lines before these.
fn locate(errors: &[LineError], lines: &[u8], before: usize) -> Vec<LineError> {
    let mut numbers: HashMap<&[u8], usize> = HashMap::new();
    let mut start = 0;
    for (place, end) in line_ends(lines).enumerate() {
        let line = lines.get(start..end).unwrap_or_default();
        numbers.entry(line.strip_suffix(b"\n").unwrap_or(line)).or_insert(before + place + 1);
        start = end;
    }
    let number = |error: &LineError| numbers.get(error.line()?.as_bytes()).copied();
    errors.iter().map(|error| error.clone().with_line_number(number(error))).collect()
}

impl fmt::Debug for WriteFile<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WriteFile")
            .field("path", &self.path)
            .field("reading", &self.reading)
            .finish_non_exhaustive()
    }
}

/// Lends the settings of a request to a file.
struct Nothing;

impl Record for Nothing {
    fn encode(self, _: &mut Lines<'_>) -> Result<()> {
        Ok(())
    }
}

/// As much as a request may have by default: a durable write takes its time however little it writes.
const BATCH_BYTES: usize = 10 << 20;
const SHOWN_LINE_ERRORS: usize = 1000;
