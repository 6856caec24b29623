use std::fmt;
#[cfg(any(feature = "arrow", feature = "polars", feature = "_files"))]
use std::ops::Range;

#[cfg(any(feature = "arrow", feature = "polars", feature = "_files"))]
use crate::columns::{RenderedColumn, RowSink, TableLayout};
use crate::line_protocol::TagRules;
use crate::line_protocol::encoder::Encoded;
#[cfg(feature = "serde")]
use crate::line_protocol::encoder::LineInProgress;
use crate::line_protocol::text::TextLine;
use crate::record::record_map::RecordMap;
#[cfg(feature = "_files")]
use crate::record::stamped;
#[cfg(feature = "write")]
use crate::record::stamped::Stamped;
use crate::{Error, Point, Precision, Result};

/// Where records are encoded to: the lines of one call.
///
/// It cannot be made outside this crate; a [`Record`](crate::Record) of your own hands it on.
///
/// ```
/// use influxdb3_blocking::{Lines, Point, Record, Result};
///
/// /// One call, several lines.
/// struct Cells(Vec<f64>);
///
/// impl Record for Cells {
///     fn encode(self, lines: &mut Lines<'_>) -> Result<()> {
///         for (number, volts) in self.0.into_iter().enumerate() {
///             let point = Point::new("cell").tag("n", number.to_string());
///             point.field("volts", volts).encode(&mut *lines)?;
///         }
///         Ok(())
///     }
/// }
/// # let client = influxdb3_blocking::Client::builder().host("http://localhost:1").database("d").build()?;
/// let request = client.write(Cells(vec![3.7, 3.65]));
/// # Ok::<_, influxdb3_blocking::Error>(())
/// ```
pub struct Lines<'a> {
    buffer: &'a mut Vec<u8>,
    precision: Precision,
    rules: &'a TagRules,
    /// None if lines without a timestamp are to get theirs from the server.
    #[cfg(feature = "write")]
    stamped: Option<&'a mut Stamped>,
    /// The database that records must belong to if they belong to one; none if the caller chose one.
    #[cfg(feature = "write")]
    database: Option<&'a str>,
    count: usize,
    skipped: usize,
    all_stamped: bool,
    /// Above zero inside a collection of records.
    depth: usize,
    /// The place of the record that is being encoded, in the outermost collection.
    record: usize,
    /// Rows of tables so far.
    #[cfg(any(feature = "arrow", feature = "polars", feature = "_files"))]
    rows: usize,
    map: RecordMap,
}

impl<'a> Lines<'a> {
    /// Lines without a timestamp stay so.
    pub(crate) fn new(buffer: &'a mut Vec<u8>, precision: Precision, rules: &'a TagRules) -> Self {
        Self {
            buffer,
            precision,
            rules,
            #[cfg(feature = "write")]
            stamped: None,
            #[cfg(feature = "write")]
            database: None,
            count: 0,
            skipped: 0,
            all_stamped: true,
            depth: 0,
            record: 0,
            #[cfg(any(feature = "arrow", feature = "polars", feature = "_files"))]
            rows: 0,
            map: RecordMap::default(),
        }
    }

    /// The precision of the timestamps of this call.
    ///
    /// ```
    /// use influxdb3_blocking::{Lines, Record, Result};
    ///
    /// /// A beat at this time, in nanoseconds.
    /// struct Beat(i64);
    ///
    /// impl Record for Beat {
    ///     fn encode(self, lines: &mut Lines<'_>) -> Result<()> {
    ///         let time = self.0 / lines.precision().nanos();
    ///         format!("beat n=1i {time}").encode(lines)
    ///     }
    /// }
    /// ```
    #[must_use]
    pub fn precision(&self) -> Precision {
        self.precision
    }

    /// How many lines there are so far.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Whether every line carries a timestamp, so that writing it twice changes nothing.
    pub(crate) fn all_stamped(&self) -> bool {
        self.all_stamped
    }

    pub(crate) fn push_point(&mut self, point: &Point) -> Result<()> {
        let start = self.buffer.len();
        match point.encode(self.precision, self.rules, self.buffer)? {
            Encoded::Line => {
                self.finish_line(start, point.timestamp().is_some());
                Ok(())
            }
            Encoded::NoFields if self.depth > 0 => {
                self.skipped += 1;
                Ok(())
            }
            Encoded::NoFields => Err(Error::invalid_record(format!(
                "the point of measurement {:?} has no fields: none was set, or none was finite",
                point.measurement()
            ))),
        }
    }

    pub(crate) fn push_text_line(&mut self, line: &TextLine<'_>) -> Result<()> {
        let start = self.buffer.len();
        self.buffer.extend_from_slice(line.bytes);
        self.buffer.push(b'\n');
        self.finish_line(start, line.has_timestamp);
        Ok(())
    }

    /// Appends a line of text; one without a timestamp gets this one, or the present.
    #[cfg(feature = "_files")]
    pub(crate) fn push_stamped_text_line(
        &mut self,
        line: &TextLine<'_>,
        time: Option<crate::Timestamp>,
    ) -> Result<()> {
        let start = self.buffer.len();
        self.buffer.extend_from_slice(line.bytes);
        if line.has_timestamp {
            self.buffer.push(b'\n');
        } else {
            let time = time.unwrap_or_else(|| crate::Timestamp::nanos(stamped::next()));
            let number = time.scaled(self.precision)?;
            self.buffer.push(b' ');
            self.buffer.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
            self.buffer.push(b'\n');
        }
        self.rows += 1;
        self.finish_line(start, true);
        Ok(())
    }

    /// Appends what this crate encoded before, in this call's precision.
    pub(crate) fn push_encoded(&mut self, bytes: &[u8], lines: usize) {
        self.buffer.extend_from_slice(bytes);
        #[cfg(feature = "write")]
        if self.stamped.is_some() {
            self.count += lines;
            return;
        }
        self.map.add(self.count, lines, self.record);
        self.count += lines;
    }

    /// Appends one line, which `write` writes without its time and end; one without a field is left out and counted.
    #[cfg(feature = "serde")]
    pub(crate) fn push_line(
        &mut self,
        time: Option<crate::Timestamp>,
        write: impl FnOnce(&mut LineInProgress<'_>),
    ) -> Result<()> {
        let start = self.buffer.len();
        let mut line = LineInProgress::begin(self.buffer);
        write(&mut line);
        match line.finish(time, self.precision)? {
            Encoded::Line => self.finish_line(start, time.is_some()),
            Encoded::NoFields => self.skipped += 1,
        }
        Ok(())
    }

    /// Appends the line of a row that is a point; one without a field is left out.
    #[cfg(feature = "csv")]
    pub(crate) fn push_row(&mut self, point: &Point) -> Result<()> {
        self.record = self.rows;
        self.depth += 1;
        let result = self.push_point(point);
        self.depth -= 1;
        self.rows += usize::from(result.is_ok());
        result
    }

    /// Counts a row that makes no line.
    #[cfg(any(feature = "csv", feature = "json"))]
    pub(crate) fn skip_row(&mut self) {
        self.rows += 1;
    }

    /// Rows of tables so far, those without fields included.
    #[cfg(feature = "_files")]
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// Lets the rows be counted from another number than 0.
    #[cfg(feature = "_files")]
    pub(crate) fn starting_at_row(mut self, row: usize) -> Self {
        self.rows = row;
        self
    }

    #[cfg(any(feature = "arrow", feature = "polars", feature = "serde"))]
    pub(crate) fn rules(&self) -> &'a TagRules {
        self.rules
    }

    /// The bytes of the lines so far.
    #[cfg(feature = "_files")]
    pub(crate) fn byte_len(&self) -> usize {
        self.buffer.len()
    }

    /// Encodes the records of a collection. An error names the record by its number, the first one being 1, as lines and
    /// rows are counted; what is for programs, such as [`LineError::index`](crate::LineError::index), is a place, from 0.
    pub(crate) fn push_all<R>(
        &mut self,
        records: impl Iterator<Item = R>,
        mut encode: impl FnMut(R, &mut Self) -> Result<()>,
    ) -> Result<()> {
        let outermost = self.depth == 0;
        self.depth += 1;
        for (place, record) in records.enumerate() {
            if outermost {
                self.record = place;
            }
            match encode(record, self) {
                Err(error) if outermost => {
                    return Err(error.in_context(&format!("record {}", place + 1)));
                }
                other => other?,
            }
        }
        self.depth -= 1;
        Ok(())
    }

    /// Counts the line that begins at `start`, and stamps it if it needs that.
    fn finish_line(&mut self, start: usize, has_timestamp: bool) {
        self.finish_line_of(start, has_timestamp, self.record);
    }

    #[inline]
    #[cfg_attr(not(feature = "write"), allow(unused_variables))] // it is where a line to be stamped begins
    fn finish_line_of(&mut self, start: usize, has_timestamp: bool, record: usize) {
        // In batching mode lines are not traced to records: a batch has lines of many calls.
        #[cfg(feature = "write")]
        if let Some(stamped) = &mut self.stamped {
            let stays = has_timestamp || stamped.stamp(self.buffer, start, self.precision);
            self.count += usize::from(stays);
            return;
        }
        self.all_stamped &= has_timestamp;
        self.map.add(self.count, 1, record);
        self.count += 1;
    }
}

/// What the call of a client adds.
#[cfg(feature = "write")]
impl<'a> Lines<'a> {
    /// Lines without a timestamp get one now.
    pub(crate) fn stamping(mut self, stamped: &'a mut Stamped) -> Self {
        self.stamped = Some(stamped);
        self
    }

    /// Records of another database are refused.
    pub(crate) fn of_database(mut self, database: Option<&'a str>) -> Self {
        self.database = database;
        self
    }

    /// How many points were left out because they have no fields.
    pub(crate) fn skipped(&self) -> usize {
        self.skipped
    }

    pub(crate) fn into_map(self) -> RecordMap {
        self.map
    }

    /// Refuses a record of another database than this call's, unless the caller chose the latter.
    pub(crate) fn check_database(&self, database: &str) -> Result<()> {
        match self.database {
            Some(ours) if ours != database => Err(Error::invalid_record(format!(
                "the record belongs to the database {database:?} and the call's is {ours:?}: write it in a \
                 call of its own, or choose one with .database(…)"
            ))),
            _ => Ok(()),
        }
    }
}

#[cfg(any(feature = "arrow", feature = "polars", feature = "_files"))]
impl RowSink for Lines<'_> {
    fn push_rows(&mut self, layout: &TableLayout, rendered: &[RenderedColumn], rows: Range<usize>) {
        let first = self.rows;
        self.rows += rows.len();
        for (number, row) in rows.enumerate() {
            let start = self.buffer.len();
            if layout.line(rendered, row, self.buffer) {
                // If the table is the whole call, the record of a line is its row.
                let record = if self.depth == 0 { first + number } else { self.record };
                self.finish_line_of(start, layout.has_time(), record);
            } else {
                self.skipped += 1;
            }
        }
    }
}

impl fmt::Debug for Lines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lines")
            .field("precision", &self.precision)
            .field("lines", &self.count)
            .finish_non_exhaustive()
    }
}
