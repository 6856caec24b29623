use std::io::Read;
use std::path::Path;

use crate::{Client, FileFormat, WriteFile};

/// Writes of files.
impl Client {
    /// A write of a file: each of its rows becomes a line.
    ///
    /// The extension, in any case, says the format, and each format is a feature of this crate: `.csv`, `.json`,
    /// `.parquet`, `.feather` (and `.arrow`, `.arrows`, `.ipc`) and `.orc`; `.jsonl` and `.ndjson` are JSON, and `.lp`
    /// is line protocol, which each of these features adds. Other names need [`format`](crate::WriteFile::format). CSV,
    /// JSON and line protocol may be packed with gzip (feature `gzip`) or zstd (feature `zstd`), which is recognized by
    /// their first bytes; `.gz` or `.zst` may follow the extension.
    ///
    /// A file of any size is read part by part and written in batches of up to
    /// [`max_request_bytes`](crate::ClientBuilder::max_request_bytes); nothing else is in memory. (Of JSON that pandas has
    /// written by column or split, all of it is; of Parquet, Feather and ORC a row group, a record batch or a stripe.)
    ///
    /// # How columns are used
    ///
    /// - The **measurement** is what [`measurement`](crate::WriteFile::measurement) says, or else the text in the column
    ///   `measurement`, or in `iox::measurement`. One file can have many.
    /// - The **timestamp** is the column [`timestamp_column`](crate::WriteFile::timestamp_column), `time` by default, or
    ///   without one of that name the index of the frame, if pandas has written Parquet or Feather and it has times.
    ///   It must be there, with a value in each row. Integers are in the write's precision or in
    ///   [`date_unit`](crate::WriteFile::date_unit); text is `2022-01-01T08:00:00Z` or close to it, and UTC if it has
    ///   no offset; timestamps of Parquet, Feather and ORC count by their own unit.
    /// - **Tags** are the columns listed in [`tags`](crate::WriteFile::tags).
    /// - **Fields** are all others, or those listed in [`fields`](crate::WriteFile::fields); a column can be
    ///   [left out](crate::WriteFile::exclude) and [renamed](crate::WriteFile::rename). Parquet, Feather and ORC know their types (the table is that of `Columns`). In CSV
    ///   and JSON the values of the whole file decide: integers are an integer column, one number with a
    ///   point or an exponent makes it floats, `true` and `false` are booleans, everything else is text, and
    ///   integers beyond 64 bits are text as well. Where these stand together in one column, it is an error that names the
    ///   line, before anything is written. No digit of a number is changed. See
    ///   [`column_type`](crate::WriteFile::column_type) and [`infer_rows`](crate::WriteFile::infer_rows).
    ///
    /// Annotated CSV, which InfluxDB 2 exports and `influx write` takes, says all that itself: measurements, tags, fields
    /// and their types are those of its annotations, and integers in its time column are nanoseconds unless
    /// [`date_unit`](crate::WriteFile::date_unit) says otherwise. Each of its rows is a line.
    ///
    /// Line protocol says everything itself, but for the precision of its timestamps, which is that of the write. A line
    /// without a timestamp gets one when it is read.
    ///
    /// Nulls, NaN and infinities are left out, and so are rows without a field. What
    /// [counts as null](crate::WriteFile::null_values) in text is what pandas takes for it.
    ///
    /// ```no_run
    /// # #[cfg(feature = "csv")] {
    /// # let client = influxdb3_blocking::Client::from_env()?;
    /// use influxdb3_blocking::Precision;
    ///
    /// let report = client
    ///     .write_file("home.csv")
    ///     .measurement("home")
    ///     .tags(["room"])
    ///     .timestamp_column("time")
    ///     .precision(Precision::Second)
    ///     .progress(|p| eprintln!("{} of {}", p.bytes_read, p.bytes_total))
    ///     .send()?;
    /// println!("{} lines", report.lines);
    /// # }
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    pub fn write_file(&self, path: impl AsRef<Path>) -> WriteFile<'_> {
        WriteFile::path(self.writer(), path.as_ref())
    }

    /// A write of what a reader gives, such as standard input, a pipe or a socket: as [`write_file`](Self::write_file),
    /// with all its options, in the given format. CSV, JSON and line protocol may be packed.
    ///
    /// It is read to its end, and written in batches. What must be read twice is kept in memory, up to
    /// [`reader_limit`](crate::WriteFile::reader_limit) bytes:
    ///
    /// | format | kept |
    /// |---|---|
    /// | CSV | everything, as all rows decide about types; with [`infer_rows`](crate::WriteFile::infer_rows) as many rows, with a type for each field the header |
    /// | JSON | the same, but that a table that pandas has written is kept whole |
    /// | Arrow IPC stream, line protocol | nothing |
    /// | Arrow IPC file (Feather), Parquet, ORC | everything, as they are read from their end |
    ///
    /// Line protocol is written when there is enough of it for a request, at the end, and when the reader returns
    /// [`WouldBlock`](std::io::ErrorKind::WouldBlock); after that the reader is read again.
    ///
    /// ```no_run
    /// # #[cfg(feature = "csv")] {
    /// # let client = influxdb3_blocking::Client::from_env()?;
    /// use std::io;
    ///
    /// use influxdb3_blocking::FileFormat;
    ///
    /// let input = client.write_reader(io::stdin(), FileFormat::Csv);
    /// let input = input.measurement("home").tags(["room"]);
    /// println!("{} lines", input.infer_rows(1000).send()?.lines);
    /// # }
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    pub fn write_reader<'a>(&'a self, reader: impl Read + 'a, format: FileFormat) -> WriteFile<'a> {
        WriteFile::reader(self.writer(), Box::new(reader), format)
    }
}
