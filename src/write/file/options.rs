//! How a file of text is to be read.

use super::WriteFile;
use crate::Timestamp;
use crate::file::{ColumnType, TimeFormat};

/// How rows, cells and values are read.
impl WriteFile<'_> {
    /// The type of a column of CSV or JSON, in place of the one that its values suggest.
    ///
    /// Without it, a column of integers is one of integers (unsigned if some need it), one with a decimal among them one
    /// of floats, and `true` and `false` make one of booleans. Integers that fit no 64 bits are texts, as a float would
    /// change them. A column in which numbers, booleans and texts stand together is refused before anything is written,
    /// with the line and the value that does not go with the others: InfluxDB keeps the type of the first write for good.
    /// Only a column of CSV that begins with a thousand texts is a column of texts, whatever its later values are.
    /// [`FileReport::columns`](crate::FileReport::columns) lists the chosen types.
    ///
    /// ```
    /// # let client = influxdb3_blocking::Client::builder().host("http://localhost:1").database("sensors").build()?;
    /// use influxdb3_blocking::{ColumnType, FileFormat};
    ///
    /// // Whole numbers today and decimals tomorrow: 21 is a float, 21i is not.
    /// let csv = "time,temp\n1,21\n";
    /// let file = client.write_reader(csv.as_bytes(), FileFormat::Csv);
    /// let file = file.measurement("home").column_type("temp", ColumnType::Float);
    /// file.each_line(|line| Ok(assert_eq!(line, "home temp=21 1")))?;
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    pub fn column_type(mut self, name: impl Into<String>, column_type: ColumnType) -> Self {
        self.read_options.types.push((name.into(), column_type));
        self
    }

    /// Lets this many rows decide about the types of columns in CSV and JSON. Without it the whole file is read once
    /// before anything is written, so that the last row counts as well. A value that does not fit is an
    /// error when it is met.
    ///
    /// ```
    /// # let client = influxdb3_blocking::Client::builder().host("http://localhost:1").database("d").build()?;
    /// let file = client.write_file("large.csv").measurement("home");
    /// let request = file.infer_rows(10_000);
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    pub fn infer_rows(mut self, rows: u64) -> Self {
        self.read_options.infer_rows = Some(rows);
        self
    }

    /// Texts in CSV and JSON that are no value, in columns of every type, beside the built-in ones.
    ///
    /// The built-in ones are, in columns of every type and if they are not in quotes, the empty cell and what pandas
    /// takes for nothing: `NA`, `N/A`, `n/a`, `NaN`, `nan`, `-NaN`, `-nan`, `#NA`, `#N/A`, `#N/A N/A`, `<NA>`, `NULL`,
    /// `Null`, `null`, `None`, `NaT`, `1.#IND`, `1.#QNAN` and their negatives. Among numbers and booleans they are no
    /// value in quotes either, and so are `-`, `--`, `?`, `\N`, `none`, `nil`, `unavailable`, `unknown` and the errors
    /// of spreadsheets, such as `#DIV/0!`. The texts of JSON are in quotes.
    ///
    /// ```
    /// # let client = influxdb3_blocking::Client::builder().host("http://localhost:1").database("d").build()?;
    /// let file = client.write_file("home.csv").measurement("home");
    /// let request = file.null_values(["-999", "missing"]);
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    pub fn null_values(mut self, values: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.read_options.null_values = values.into_iter().map(Into::into).collect();
        self
    }

    /// Texts in CSV and JSON that are no value, in place of the built-in ones that [`null_values`](Self::null_values)
    /// lists: `NA` can be a text then. In columns of numbers and booleans an empty cell is no value still.
    ///
    /// ```
    /// # let client = influxdb3_blocking::Client::builder().host("http://localhost:1").database("sensors").build()?;
    /// use influxdb3_blocking::FileFormat;
    ///
    /// let csv = "time,country\n1,NA\n2,-\n"; // Namibia, and none
    /// let file = client.write_reader(csv.as_bytes(), FileFormat::Csv);
    /// let file = file.measurement("visits").only_null_values(["-"]);
    /// file.each_line(|line| Ok(assert_eq!(line, "visits country=\"NA\" 1")))?;
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    pub fn only_null_values(mut self, values: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.read_options.has_only_listed_nulls = true;
        self.null_values(values)
    }

    /// Leaves out rows of CSV and JSON that cannot be written: with a value that is not of its type, without a time,
    /// with too many or too few cells, that are no JSON or not UTF-8. [`FileReport`](crate::FileReport) counts them and
    /// has the first thousand, each with its line and the reason. Without it, the first of them ends the write.
    ///
    /// ```no_run
    /// # let client = influxdb3_blocking::Client::from_env()?;
    /// let file = client.write_file("home.csv").measurement("home");
    /// let report = file.skip_bad_rows(true).send()?;
    /// println!("{} rows were left out", report.rows_skipped);
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    pub fn skip_bad_rows(mut self, skip: bool) -> Self {
        self.read_options.skip_bad_rows = skip;
        self
    }

    /// How times are written in the timestamp column of CSV or JSON, in the conversions of `strftime`: `%Y %y %m %b %d
    /// %e %j %H %I %p %M %S %f %z %s %F %T %R %D %a` and `%%`. A blank stands for any number of blanks, and leading zeros
    /// may be missing. Without `%z` it is UTC.
    ///
    /// Without it, times are integers and decimals in the [`date_unit`](Self::date_unit), and dates as RFC 3339 and its
    /// relatives write them.
    ///
    /// ```
    /// # let client = influxdb3_blocking::Client::builder().host("http://localhost:1").database("d").build()?;
    /// let file = client.write_file("home.csv").measurement("home");
    /// let request = file.time_format("%d.%m.%Y %H:%M");
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    pub fn time_format(mut self, format: impl AsRef<str>) -> Self {
        self.time_format = Some(TimeFormat::strftime(format.as_ref()));
        self
    }

    /// The time of rows that have none, in files of any format: the timestamp column may be missing, or be empty in some
    /// rows. Rows of one series that share it replace each other, and writing the file again changes nothing.
    ///
    /// ```
    /// # let client = influxdb3_blocking::Client::builder().host("http://localhost:1").database("d").build()?;
    /// use influxdb3_blocking::Timestamp;
    ///
    /// let file = client.write_file("home.csv").measurement("home");
    /// let request = file.default_time(Timestamp::seconds(1_641_024_000));
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    pub fn default_time(mut self, time: impl Into<Timestamp>) -> Self {
        self.read_options.layout.default_time = Some(time.into());
        self
    }
}

/// How CSV is put together.
///
/// A byte order mark, blank lines and rows of nothing but empty cells are left out, and a line `sep=;` at the beginning
/// names the delimiter, as in Excel. Lines end with `\n`, `\r\n` or, if there is nothing else, `\r`. Blanks around a cell in
/// quotes mean nothing. What InfluxDB 2 exports, annotated CSV, and what `influx write` takes of it is recognised.
impl WriteFile<'_> {
    /// What stands between the cells of CSV, `,` if this is not called: an ASCII character, but neither a quote nor the
    /// end of a line.
    ///
    /// ```
    /// # let client = influxdb3_blocking::Client::builder().host("http://localhost:1").database("sensors").build()?;
    /// use influxdb3_blocking::FileFormat;
    ///
    /// let csv = "time;temp\n1;21.5\n";
    /// let file = client.write_reader(csv.as_bytes(), FileFormat::Csv);
    /// let file = file.measurement("home").delimiter(b';');
    /// file.each_line(|line| Ok(assert_eq!(line, "home temp=21.5 1")))?;
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    pub fn delimiter(mut self, delimiter: u8) -> Self {
        self.read_options.delimiter = Some(delimiter);
        self
    }

    /// The names of the columns of CSV that has no header, one for each column: its first line is a row like all others.
    ///
    /// ```
    /// # let client = influxdb3_blocking::Client::builder().host("http://localhost:1").database("d").build()?;
    /// let file = client.write_file("no-header.csv").measurement("home");
    /// let request = file.column_names(["time", "room", "temp"]);
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    pub fn column_names(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.read_options.column_names = Some(names.into_iter().map(Into::into).collect());
        self
    }

    /// Leaves out lines of CSV that begin with this ASCII character, such as `b'#'`; annotations of InfluxDB 2 are
    /// comments, then.
    ///
    /// ```
    /// # let client = influxdb3_blocking::Client::builder().host("http://localhost:1").database("d").build()?;
    /// let file = client.write_file("export.csv").measurement("home");
    /// let request = file.comment(b'#').skip_lines(2).trim(true);
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    pub fn comment(mut self, first: u8) -> Self {
        self.read_options.comment = Some(first);
        self
    }

    /// Leaves out this many lines of CSV at the beginning, a line `sep=;` included; the names of the columns follow
    /// them.
    ///
    /// ```
    /// # let client = influxdb3_blocking::Client::builder().host("http://localhost:1").database("sensors").build()?;
    /// use influxdb3_blocking::FileFormat;
    ///
    /// let csv = "Report of 2022\n\ntime,temp\n1,21.5\n";
    /// let file = client.write_reader(csv.as_bytes(), FileFormat::Csv);
    /// let file = file.measurement("home").skip_lines(2);
    /// file.each_line(|line| Ok(assert_eq!(line, "home temp=21.5 1")))?;
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    pub fn skip_lines(mut self, lines: u64) -> Self {
        self.read_options.skip_lines = lines;
        self
    }

    /// Leaves out blanks around the cells and names of CSV. Those in quotes stay as they are. Around numbers blanks never
    /// mean anything.
    ///
    /// ```
    /// # let client = influxdb3_blocking::Client::builder().host("http://localhost:1").database("sensors").build()?;
    /// use influxdb3_blocking::FileFormat;
    ///
    /// let csv = "time, room\n1, Kitchen\n";
    /// let file = client.write_reader(csv.as_bytes(), FileFormat::Csv);
    /// let file = file.measurement("home").trim(true);
    /// file.each_line(|line| Ok(assert_eq!(line, "home room=\"Kitchen\" 1")))?;
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    pub fn trim(mut self, trim: bool) -> Self {
        self.read_options.trims = trim;
        self
    }

    /// Takes rows of CSV that have fewer cells than there are columns, the others being empty, and leaves out empty cells
    /// that are too many. A cell too many that is not empty is an error still.
    ///
    /// ```
    /// # let client = influxdb3_blocking::Client::builder().host("http://localhost:1").database("d").build()?;
    /// let file = client.write_file("export.csv").measurement("home");
    /// let request = file.ragged_rows(true);
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    pub fn ragged_rows(mut self, ragged: bool) -> Self {
        self.read_options.ragged_rows = ragged;
        self
    }

    /// Reads numbers in CSV with a decimal comma, as `21,5`, for which the [`delimiter`](Self::delimiter) is mostly `;`.
    /// A number with a point is an error, then.
    ///
    /// ```
    /// # let client = influxdb3_blocking::Client::builder().host("http://localhost:1").database("d").build()?;
    /// let file = client.write_file("export.csv").measurement("home");
    /// let request = file.delimiter(b';').decimal_comma(true);
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    pub fn decimal_comma(mut self, comma: bool) -> Self {
        self.read_options.decimal_comma = comma;
        self
    }
}

/// Where the rows of JSON are.
///
/// A file is an array of objects, objects one behind the other, or a table as pandas writes it with any `orient` but
/// `values`. The names of its rows are a column if `timestamp_column("index")` or another option names it. Numbers are
/// judged as those of CSV are, by their text: no digit is changed. `NaN` and `Infinity`, which Python writes, are no
/// value.
impl WriteFile<'_> {
    /// The part of a JSON document at which the rows are: keys, and numbers of elements from 0, with points between them,
    /// as in `data.items`. The document is held in memory.
    ///
    /// ```
    /// # let client = influxdb3_blocking::Client::builder().host("http://localhost:1").database("d").build()?;
    /// // {"status": "ok", "data": {"items": [{"time": 1, "main": {"temp": 20.5}}]}}
    /// let file = client.write_file("answer.json").measurement("home");
    /// let request = file.json_path("data.items").flatten(".");
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    pub fn json_path(mut self, path: impl Into<String>) -> Self {
        self.read_options.json_path = Some(path.into());
        self
    }

    /// Makes keys of the parts of objects within rows of JSON, with this text between them: `{"main": {"temp": 20.5}}` has
    /// the key `main.temp` with `flatten(".")`. Without it such a value is an error, as arrays always are.
    ///
    /// ```
    /// # let client = influxdb3_blocking::Client::builder().host("http://localhost:1").database("sensors").build()?;
    /// use influxdb3_blocking::FileFormat;
    ///
    /// let json = r#"[{"time": 1, "main": {"temp": 21.5}}]"#;
    /// let file = client.write_reader(json.as_bytes(), FileFormat::Json);
    /// let file = file.measurement("home").flatten(".");
    /// file.each_line(|line| Ok(assert_eq!(line, "home main.temp=21.5 1")))?;
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    pub fn flatten(mut self, between: impl Into<String>) -> Self {
        self.read_options.flatten = Some(between.into());
        self
    }
}
