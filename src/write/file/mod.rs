//! A file as a write.

mod options;
mod report;
mod run;

use std::fmt;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use self::report::{FileReport, Progress};
use self::run::Run;
use super::{WriteRequest, Writer};
use crate::columns::{LayoutOptions, layout_options};
use crate::file::{self, FileFormat, Origin, ReadOptions, TimeFormat};
use crate::record::Lines;
use crate::{Precision, Record, Result};

/// A file that is to be written; [`send`](Self::send) carries it out.
///
/// Made by [`Client::write_file`](crate::Client::write_file), which documents how a file is read, or by [`Client::write_reader`](crate::Client::write_reader). What is not set here is as the client has it.
///
/// ```no_run
/// # let client = influxdb3_blocking::Client::from_env()?;
/// // time,room,temp
/// // 2022-01-01T08:00:00Z,Kitchen,21.5
/// let file = client.write_file("home.csv");
/// let report = file.measurement("home").tags(["room"]).send()?;
/// println!("{} lines are written", report.lines);
/// # Ok::<_, influxdb3_blocking::Error>(())
/// ```
#[must_use = "nothing is written until `send` is called"]
pub struct WriteFile<'a> {
    writer: &'a Writer,
    request: WriteRequest<'a, Nothing>,
    source: FileSource<'a>,
    format: Option<FileFormat>,
    reader_limit: usize,
    read_options: ReadOptions,
    time_format: Option<Result<TimeFormat>>,
    progress: Option<OnProgress<'a>>,
    resume_from_line: usize,
}

enum FileSource<'a> {
    Path(PathBuf),
    Reader(Box<dyn Read + 'a>, FileFormat),
}

type OnProgress<'a> = Box<dyn FnMut(&Progress) + 'a>;
/// Receives lines in place of the server.
type EachLine<'a> = &'a mut (dyn FnMut(&str) -> io::Result<()> + 'a);

impl<'a> WriteFile<'a> {
    pub(crate) fn path(writer: &'a Writer, path: &Path) -> Self {
        Self::new(writer, FileSource::Path(path.to_owned()))
    }

    pub(crate) fn reader(
        writer: &'a Writer,
        reader: Box<dyn Read + 'a>,
        format: FileFormat,
    ) -> Self {
        Self::new(writer, FileSource::Reader(reader, format))
    }

    fn new(writer: &'a Writer, source: FileSource<'a>) -> Self {
        let layout = LayoutOptions { needs_time: true, ..LayoutOptions::default() };
        Self {
            writer,
            request: WriteRequest::new(writer, Nothing),
            source,
            format: None,
            reader_limit: READER_LIMIT,
            read_options: ReadOptions { layout, ..ReadOptions::default() },
            time_format: None,
            progress: None,
            resume_from_line: 0,
        }
    }

    layout_options!(
        read_options.layout,
        r#"# use influxdb3_blocking::{Client, FileFormat, Precision, WriteFile};
# fn written(home: WriteFile<'_>) -> influxdb3_blocking::Result<String> {
#     let mut lines = String::new();
#     home.each_line(|line| Ok(lines.extend([line, "\n"])))?;
#     Ok(lines)
# }
# let client = Client::builder().host("http://localhost:1").database("d").build()?;
# let csv = "time,measurement,room,temp,until\n1,home,Kitchen,21.5,2\n";
// time: 1, until: 2, measurement: home, room: Kitchen, temp: 21.5
let home = client.write_file("home.parquet");
# let home = client.write_reader(csv.as_bytes(), FileFormat::Csv);"#
    );

    /// The format, in place of the one that the extension says.
    ///
    /// ```
    /// # let client = influxdb3_blocking::Client::builder().host("http://localhost:1").database("d").build()?;
    /// use influxdb3_blocking::FileFormat;
    ///
    /// let file = client.write_file("export.txt").measurement("home");
    /// let request = file.format(FileFormat::Csv);
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    pub fn format(mut self, format: FileFormat) -> Self {
        self.format = Some(format);
        self
    }

    /// How many bytes of a reader, or of a file that is none on a disk (a named pipe, `/dev/stdin`), may be kept in
    /// memory: 256 MiB unless this is called. [`Client::write_reader`](crate::Client::write_reader) says what is kept of which format. More is an error before anything
    /// is written.
    ///
    /// ```
    /// # let client = influxdb3_blocking::Client::builder().host("http://localhost:1").database("sensors").build()?;
    /// use influxdb3_blocking::FileFormat;
    ///
    /// let input = client.write_reader(std::io::stdin(), FileFormat::Parquet);
    /// let request = input.measurement("home").reader_limit(2 << 30);
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    pub fn reader_limit(mut self, bytes: usize) -> Self {
        self.reader_limit = bytes;
        self
    }

    /// Called after each batch, on the thread that called [`send`](Self::send).
    ///
    /// ```
    /// # let client = influxdb3_blocking::Client::builder().host("http://localhost:1").database("sensors").build()?;
    /// let file = client.write_file("large.csv").measurement("home");
    /// let request = file.progress(|p| {
    ///     eprintln!("{} of {} bytes", p.bytes_read, p.bytes_total);
    /// });
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    pub fn progress(mut self, progress: impl FnMut(&Progress) + 'a) -> Self {
        self.progress = Some(Box::new(progress));
        self
    }

    /// Leaves out this many lines at the beginning: those that an earlier call has written, as
    /// [`Error::resume_line`](crate::Error::resume_line) of its error says. Everything else must be as it was, but for
    /// [`skip_bad_rows`](Self::skip_bad_rows): with it the write goes on behind the row that it stopped at.
    ///
    /// ```no_run
    /// # let client = influxdb3_blocking::Client::from_env()?;
    /// let file = client.write_file("home.csv").measurement("home");
    /// file.resume_from_line(5000).send()?;
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    pub fn resume_from_line(mut self, line: usize) -> Self {
        self.resume_from_line = line;
        self
    }

    /// The database to write to.
    ///
    /// ```
    /// # let client = influxdb3_blocking::Client::builder().host("http://localhost:1").database("sensors").build()?;
    /// let file = client.write_file("2021.csv").measurement("home");
    /// let request = file.database("archive");
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    pub fn database(mut self, database: impl AsRef<str>) -> Self {
        self.request = self.request.database(database);
        self
    }

    /// The organization, which only `/api/v2/write` of some products wants.
    ///
    /// ```
    /// # let client = influxdb3_blocking::Client::builder().host("http://localhost:1").database("sensors").build()?;
    /// let file = client.write_file("home.csv").measurement("home");
    /// let request = file.organization("lab");
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    pub fn organization(mut self, organization: impl AsRef<str>) -> Self {
        self.request = self.request.organization(organization);
        self
    }

    /// The precision to write timestamps in; integers in the timestamp column are taken to be in it.
    ///
    /// ```
    /// # let client = influxdb3_blocking::Client::builder().host("http://localhost:1").database("sensors").build()?;
    /// use influxdb3_blocking::{FileFormat, Precision};
    ///
    /// let csv = "time,temp\n1641024000,21.5\n";
    /// let file = client.write_reader(csv.as_bytes(), FileFormat::Csv);
    /// file.measurement("home").precision(Precision::Second).each_line(|line| {
    ///     assert_eq!(line, "home temp=21.5 1641024000");
    ///     Ok(())
    /// })?;
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    pub fn precision(mut self, precision: Precision) -> Self {
        self.request = self.request.precision(precision);
        self
    }

    /// See [`WriteRequest::use_v2_api`].
    ///
    /// ```
    /// # let client = influxdb3_blocking::Client::builder().host("http://localhost:1").database("sensors").build()?;
    /// let file = client.write_file("home.csv").measurement("home");
    /// let request = file.use_v2_api(false); // bad lines are named
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    pub fn use_v2_api(mut self, v2: bool) -> Self {
        self.request = self.request.use_v2_api(v2);
        self
    }

    /// See [`WriteRequest::no_sync`].
    ///
    /// ```
    /// # let client = influxdb3_blocking::Client::builder().host("http://localhost:1").database("sensors").build()?;
    /// let file = client.write_file("home.csv").measurement("home");
    /// let request = file.use_v2_api(false).no_sync(true);
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    pub fn no_sync(mut self, no_sync: bool) -> Self {
        self.request = self.request.no_sync(no_sync);
        self
    }

    /// See [`WriteRequest::accept_partial`].
    ///
    /// ```
    /// # let client = influxdb3_blocking::Client::builder().host("http://localhost:1").database("sensors").build()?;
    /// let file = client.write_file("home.csv").measurement("home");
    /// let request = file.use_v2_api(false).accept_partial(false);
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    pub fn accept_partial(mut self, accept: bool) -> Self {
        self.request = self.request.accept_partial(accept);
        self
    }

    /// See [`WriteRequest::header`].
    ///
    /// ```
    /// # let client = influxdb3_blocking::Client::builder().host("http://localhost:1").database("sensors").build()?;
    /// let file = client.write_file("home.csv").measurement("home");
    /// let request = file.header("x-source", "home.csv");
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    pub fn header(mut self, name: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    /// How long a request may take; see [`WriteRequest::timeout`].
    ///
    /// ```
    /// # let client = influxdb3_blocking::Client::builder().host("http://localhost:1").database("sensors").build()?;
    /// use std::time::Duration;
    ///
    /// let file = client.write_file("large.csv").measurement("home");
    /// let request = file.timeout(Duration::from_secs(120));
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.request = self.request.timeout(timeout);
        self
    }

    /// Writes the file.
    ///
    /// ```no_run
    /// # let client = influxdb3_blocking::Client::from_env()?;
    /// let file = client.write_file("home.csv").measurement("home");
    /// match file.tags(["room"]).send() {
    ///     Ok(report) => println!("{} lines", report.lines),
    ///     Err(error) => eprintln!("{error}; settled: {:?}", error.resume_line()),
    /// }
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
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
    ///   callback, it may be the failure of an earlier write, with its lines in `unsent` as well.
    /// - [`ErrorKind::Closed`](crate::ErrorKind::Closed): the client was closed meanwhile. The lines not written
    ///   are in the error of that `close`.
    /// - In a callback of a batching client, which cannot wait for batches, [`ErrorKind::Config`](crate::ErrorKind::Config).
    ///
    /// If it is not `PartialWrite`, all rows before the error are written, unless it is their batch that failed.
    /// [`lines_written`](crate::Error::lines_written) is the number of lines that this call has written, and
    /// [`resume_line`](crate::Error::resume_line) where [`resume_from_line`](Self::resume_from_line) goes on.
    pub fn send(self) -> Result<FileReport> {
        self.run(None)
    }

    /// Hands each line, without its newline, to `each` in place of the server: nothing is sent. To see what would be
    /// written, or to make line protocol of a file.
    ///
    /// ```no_run
    /// # let client = influxdb3_blocking::Client::from_env()?;
    /// let file = client.write_file("home.csv").measurement("home");
    /// file.tags(["room"]).each_line(|line| {
    ///     println!("{line}");
    ///     Ok(())
    /// })?;
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`send`](Self::send), without errors of a server. An error of `each` ends the call and is the
    /// [source](std::error::Error::source) of one of the kind [`ErrorKind::File`](crate::ErrorKind::File).
    pub fn each_line(self, mut each: impl FnMut(&str) -> io::Result<()>) -> Result<FileReport> {
        self.run(Some(&mut each))
    }

    fn run(mut self, each: Option<EachLine<'_>>) -> Result<FileReport> {
        self.writer.check_open()?;
        let name = match &self.source {
            FileSource::Path(path) => path.display().to_string(),
            FileSource::Reader(..) => "the reader".to_owned(),
        };
        self.read_options.time_format = self.time_format.take().transpose()?;
        let target = self.request.target()?;
        let mut progress = self.progress.take();
        let mut run = Run::new(self.writer, target, self.resume_from_line, each)?;
        let open = || {
            Ok(match self.source {
                FileSource::Path(path) => {
                    let format = self.format.map_or_else(|| file::format_of(&path), Ok)?;
                    (Origin::path(&path, self.reader_limit)?, format)
                }
                FileSource::Reader(reader, format) => {
                    (Origin::reader(reader, self.reader_limit), self.format.unwrap_or(format))
                }
            })
        };
        open()
            .and_then(|(origin, format)| {
                run.write(origin, format, &self.read_options, progress.as_deref_mut())
            })
            .map_err(|error| error.in_context(&name))?;
        run.end().map_err(|error| error.in_context(&name))
    }
}

impl fmt::Debug for WriteFile<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WriteFile")
            .field("format", &self.format)
            .field("read_options", &self.read_options)
            .finish_non_exhaustive()
    }
}

/// The default of [`WriteFile::reader_limit`], in bytes.
const READER_LIMIT: usize = 256 << 20;

/// Lends the settings of a request to a file.
struct Nothing;

impl Record for Nothing {
    fn encode(self, _: &mut Lines<'_>) -> Result<()> {
        Ok(())
    }
}
