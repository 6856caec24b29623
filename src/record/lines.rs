use std::fmt;

use crate::line_protocol::TagRules;
use crate::line_protocol::encoder::Encoded;
use crate::line_protocol::text::TextLine;
use crate::{Error, Point, Precision, Result, Timestamp};

/// Where records are encoded to: the lines of one call.
///
/// It cannot be made outside this crate; a [`Record`](crate::Record) of your own hands it on.
pub struct Lines<'a> {
    buffer: &'a mut Vec<u8>,
    precision: Precision,
    rules: &'a TagRules,
    stamp: Option<Timestamp>,
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
    #[cfg(any(feature = "arrow", feature = "_files"))]
    rows: usize,
    map: RecordMap,
}

impl<'a> Lines<'a> {
    /// Lines without a timestamp get `stamp`, if there is one.
    pub(crate) fn new(
        buffer: &'a mut Vec<u8>,
        precision: Precision,
        rules: &'a TagRules,
        stamp: Option<Timestamp>,
        database: Option<&'a str>,
    ) -> Self {
        Self {
            buffer,
            precision,
            rules,
            stamp,
            database,
            count: 0,
            skipped: 0,
            all_stamped: true,
            depth: 0,
            record: 0,
            #[cfg(any(feature = "arrow", feature = "_files"))]
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
        match point.encode(self.precision, self.rules, self.buffer)? {
            Encoded::Line => {
                if point.timestamp().is_none() {
                    self.stamp_last_line()?;
                }
                self.count_line();
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
        self.buffer.extend_from_slice(line.bytes);
        self.buffer.push(b'\n');
        if !line.has_timestamp {
            self.stamp_last_line()?;
        }
        self.count_line();
        Ok(())
    }

    /// Appends what this crate encoded before, in this call's precision.
    pub(crate) fn push_encoded(&mut self, bytes: &[u8], lines: usize) {
        self.buffer.extend_from_slice(bytes);
        self.map.add(self.count, lines, self.record);
        self.count += lines;
    }

    /// Appends one line, which `write` writes without its end; false from it is a row without fields. What it leaves
    /// behind then, or with an error, is taken back.
    #[cfg(feature = "serde")]
    pub(crate) fn push_line(
        &mut self,
        time: Option<Timestamp>,
        write: impl FnOnce(&mut Vec<u8>) -> Result<bool>,
    ) -> Result<bool> {
        let start = self.buffer.len();
        let time = time.or(self.stamp);
        let written = write(self.buffer).and_then(|has_fields| {
            if has_fields {
                crate::line_protocol::encoder::end(self.buffer, time, self.precision)?;
            }
            Ok(has_fields)
        });
        match written {
            Ok(true) => {
                self.all_stamped &= time.is_some();
                self.count_line();
            }
            Ok(false) | Err(_) => self.buffer.truncate(start),
        }
        self.skipped += usize::from(matches!(written, Ok(false)));
        written
    }

    /// Appends the lines of a block of rows; rows without a field are left out.
    #[cfg(any(feature = "arrow", feature = "_files"))]
    pub(crate) fn push_rows(
        &mut self,
        plan: &crate::columns::Plan,
        pieces: &[crate::columns::Pieces],
        rows: usize,
    ) -> Result<()> {
        let end = self.end_without_time()?;
        for row in 0..rows {
            if plan.line(pieces, row, &end, self.buffer) {
                self.count_row(row);
            } else {
                self.skipped += 1;
            }
        }
        self.all_stamped &= plan.has_time() || self.stamp.is_some();
        self.rows += rows;
        Ok(())
    }

    /// How a line without a time of its own ends.
    #[cfg(any(feature = "arrow", feature = "_files"))]
    fn end_without_time(&self) -> Result<Vec<u8>> {
        let mut end = Vec::new();
        crate::line_protocol::encoder::end(&mut end, self.stamp, self.precision)?;
        Ok(end)
    }

    /// A table that is the whole of the call is traced to its rows.
    #[cfg(any(feature = "arrow", feature = "_files"))]
    #[inline]
    fn count_row(&mut self, row: usize) {
        let record = if self.depth == 0 { self.rows + row } else { self.record };
        self.map.add(self.count, 1, record);
        self.count += 1;
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

    #[cfg(any(feature = "arrow", feature = "serde"))]
    pub(crate) fn rules(&self) -> &'a TagRules {
        self.rules
    }

    /// The bytes of the lines so far.
    #[cfg(feature = "_files")]
    pub(crate) fn byte_len(&self) -> usize {
        self.buffer.len()
    }

    /// Encodes the records of a collection.
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
                Err(error) if outermost => return Err(error.in_context(&format!("record {place}"))),
                other => other?,
            }
        }
        self.depth -= 1;
        Ok(())
    }

    fn count_line(&mut self) {
        self.map.add(self.count, 1, self.record);
        self.count += 1;
    }

    fn stamp_last_line(&mut self) -> Result<()> {
        let Some(stamp) = self.stamp else {
            self.all_stamped = false;
            return Ok(());
        };
        let stamp = stamp.scaled(self.precision)?;
        self.buffer.pop();
        self.buffer.push(b' ');
        self.buffer.extend_from_slice(itoa::Buffer::new().format(stamp).as_bytes());
        self.buffer.push(b'\n');
        Ok(())
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
