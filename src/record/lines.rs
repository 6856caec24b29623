use std::fmt;

use crate::line_protocol::TagRules;
use crate::line_protocol::encoder::Encoded;
#[cfg(feature = "serde")]
use crate::line_protocol::encoder::LineInProgress;
use crate::line_protocol::text::TextLine;
use crate::write::stamp;
use crate::{Error, Point, Precision, Result};

/// Where records are encoded to: the lines of one call.
///
/// It cannot be made outside this crate; a [`Record`](crate::Record) of your own hands it on.
pub struct Lines<'a> {
    buffer: &'a mut Vec<u8>,
    precision: Precision,
    rules: &'a TagRules,
    /// None if lines without a timestamp are to get theirs from the server.
    stamped: Option<&'a mut Stamped>,
    /// The database that records must belong to if they belong to one; none if the caller chose one.
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

/// Lines that got a timestamp here, where the others have a coarser precision than nanoseconds.
///
/// A timestamp of that precision would be the same for many of them, and those of one series would replace each other.
#[derive(Debug, Default)]
pub(crate) struct Stamped {
    pub(crate) buffer: Vec<u8>,
    pub(crate) count: usize,
}

impl<'a> Lines<'a> {
    /// With `stamped`, lines without a timestamp get one now.
    pub(crate) fn new(
        buffer: &'a mut Vec<u8>,
        precision: Precision,
        rules: &'a TagRules,
        stamped: Option<&'a mut Stamped>,
        database: Option<&'a str>,
    ) -> Self {
        Self {
            buffer,
            precision,
            rules,
            stamped,
            database,
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
    #[must_use]
    pub fn precision(&self) -> Precision {
        self.precision
    }

    /// How many lines there are so far.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// How many points had no fields and were left out.
    pub(crate) fn skipped(&self) -> usize {
        self.skipped
    }

    /// Whether every line carries a timestamp, so that writing it twice changes nothing.
    pub(crate) fn all_stamped(&self) -> bool {
        self.all_stamped
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

    /// Appends what this crate encoded before, in this call's precision.
    pub(crate) fn push_encoded(&mut self, bytes: &[u8], lines: usize) {
        self.buffer.extend_from_slice(bytes);
        if self.stamped.is_none() {
            self.map.add(self.count, lines, self.record);
        }
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

    /// Appends the lines of some rows of a block; rows without a field are left out.
    #[cfg(any(feature = "arrow", feature = "polars", feature = "_files"))]
    pub(crate) fn push_rows(
        &mut self,
        layout: &crate::columns::TableLayout,
        pieces: &[crate::columns::RenderedColumn],
        rows: std::ops::Range<usize>,
    ) {
        let first = self.rows;
        self.rows += rows.len();
        for (number, row) in rows.enumerate() {
            let start = self.buffer.len();
            if layout.line(pieces, row, self.buffer) {
                // A table that is the whole of the call is traced to its rows.
                let record = if self.depth == 0 { first + number } else { self.record };
                self.finish_line_of(start, layout.has_time(), record);
            } else {
                self.skipped += 1;
            }
        }
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
    fn finish_line_of(&mut self, start: usize, has_timestamp: bool, record: usize) {
        match &mut self.stamped {
            // Batches have lines of many calls, so places in one of them are of no use there.
            None => {
                self.all_stamped &= has_timestamp;
                self.map.add(self.count, 1, record);
            }
            Some(_) if has_timestamp => {}
            Some(_) if self.precision == Precision::Nanosecond => stamp(self.buffer),
            Some(stamped) => {
                stamped.buffer.extend_from_slice(&self.buffer[start..]);
                self.buffer.truncate(start);
                stamp(&mut stamped.buffer);
                stamped.count += 1;
                return;
            }
        }
        self.count += 1;
    }
}

#[cfg(any(feature = "arrow", feature = "polars"))]
impl crate::columns::RowSink for Lines<'_> {
    fn push_rows(
        &mut self,
        layout: &crate::columns::TableLayout,
        rendered: &[crate::columns::RenderedColumn],
        rows: std::ops::Range<usize>,
    ) {
        Lines::push_rows(self, layout, rendered, rows);
    }
}

/// Gives the last line a timestamp in nanoseconds.
fn stamp(buffer: &mut Vec<u8>) {
    buffer.pop();
    buffer.push(b' ');
    buffer.extend_from_slice(itoa::Buffer::new().format(stamp::next()).as_bytes());
    buffer.push(b'\n');
}

impl fmt::Debug for Lines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lines")
            .field("precision", &self.precision)
            .field("lines", &self.count)
            .finish_non_exhaustive()
    }
}

/// Which record each line comes from, in as few numbers as it takes: points of which none was left out take
/// one entry, however many they are.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct RecordMap(Vec<Run>);

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Run {
    first_line: usize,
    first_record: usize,
    /// One record a line, or all lines of the run from one record.
    one_to_one: bool,
}

impl RecordMap {
    /// Lines from `first_line` (from 0) come from `record`; calls are in order.
    fn add(&mut self, first_line: usize, lines: usize, record: usize) {
        if lines == 0 {
            return;
        }
        if let Some(run) = self.0.last_mut() {
            let before = first_line - run.first_line;
            if run.one_to_one && lines == 1 && run.first_record + before == record {
                return;
            }
            if run.first_record == record && (!run.one_to_one || before == 1) {
                run.one_to_one = false;
                return;
            }
        }
        self.0.push(Run { first_line, first_record: record, one_to_one: lines == 1 });
    }

    /// The place of the record that `line` (from 0) comes from.
    pub(crate) fn record_of(&self, line: usize) -> Option<usize> {
        let after = self.0.partition_point(|run| run.first_line <= line);
        let run = self.0.get(after.checked_sub(1)?)?;
        let offset = if run.one_to_one { line - run.first_line } else { 0 };
        Some(run.first_record + offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_traced_to_records() {
        // (lines of the record, its place); a place without lines was left out.
        let records = [1, 1, 0, 1, 3, 1, 1, 2, 2, 0, 1];
        let mut map = RecordMap::default();
        let mut expected = Vec::new();
        for (place, &lines) in records.iter().enumerate() {
            for _ in 0..lines {
                map.add(expected.len(), 1, place);
                expected.push(place);
            }
        }
        for (line, &place) in expected.iter().enumerate() {
            assert_eq!(map.record_of(line), Some(place), "line {line} of {map:?}");
        }
        let mut bulk = RecordMap::default();
        bulk.add(0, 5, 0);
        bulk.add(5, 1, 1);
        bulk.add(6, 4, 2);
        assert_eq!(
            (0..10).map(|l| bulk.record_of(l).unwrap()).collect::<Vec<_>>(),
            [0, 0, 0, 0, 0, 1, 2, 2, 2, 2]
        );
    }

    #[test]
    fn a_million_points_take_one_entry() {
        let mut map = RecordMap::default();
        (0..1_000_000).for_each(|n| map.add(n, 1, n));
        assert_eq!(map.0.len(), 1);
        assert_eq!(map.record_of(999_999), Some(999_999));
        assert_eq!(RecordMap::default().record_of(0), None);
    }
}
