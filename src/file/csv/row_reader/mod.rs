//! CSV (RFC 4180) to rows of cells, some rows at a time.

mod cut;

use std::cell::Cell;
use std::io::Read;

use memchr::{memchr, memchr_iter};

use super::dialect::{CellCounts, Dialect, RowWidth};
use super::row_block::{RowBlock, RowSpans, RowStart};
use crate::file::{encoding, unreadable};
use crate::{Error, Result};

/// Reads the text of a file and cuts it into rows. Only the rows that are handed out together are in memory.
pub(super) struct RowReader<R> {
    reader: R,
    delimiter: u8,
    dialect: Dialect,
    /// What lines end with: a carriage return if there is nothing else.
    newline: u8,
    /// Lines that are still to be left out.
    skip: u64,
    /// Bytes that were read. The rows before `start` were handed out.
    buffer: Vec<u8>,
    start: usize,
    has_begun: bool,
    is_at_end: bool,
    /// The number of the line at `start`, from 1.
    line: u64,
    rows: RowSpans,
    width: RowWidth,
    /// Where the row ends that the last error was about, for [`pass_over`](Self::pass_over).
    bad_end: Option<usize>,
    /// A row that was cut and is not handed out, as it is not UTF-8, and where it ends.
    returned: Cell<Option<(RowStart, usize)>>,
    /// How much is read at once.
    step: usize,
}

impl<R: Read> RowReader<R> {
    /// Rows have any number of cells until [`set_columns`](Self::set_columns) is called.
    pub(super) fn new(reader: R, dialect: Dialect) -> Self {
        Self {
            reader,
            delimiter: dialect.delimiter.unwrap_or(b','),
            skip: dialect.skip_lines,
            dialect,
            newline: b'\n',
            buffer: Vec::new(),
            start: 0,
            has_begun: false,
            is_at_end: false,
            line: 1,
            rows: RowSpans::default(),
            width: RowWidth::Any,
            bad_end: None,
            returned: Cell::new(None),
            step: FIRST_STEP,
        }
    }

    /// From here on each row has these columns.
    pub(super) fn set_columns(&mut self, columns: CellCounts) {
        self.width = RowWidth::Of(columns);
        self.rows.columns = columns.count;
    }

    /// The next rows, at least one and at most `most`; none at the end.
    ///
    /// # Errors
    /// The file cannot be read, or the next row is none. All rows before it were handed out, and the same error is
    /// returned again until [`pass_over`](Self::pass_over) is called.
    pub(super) fn next(&mut self, most: usize) -> Result<Option<RowBlock<'_>>> {
        if !self.has_begun {
            self.begin()?;
        }
        let most = if self.width == RowWidth::Any { 1 } else { most };
        self.rows.cells.clear();
        self.rows.starts.clear();
        self.bad_end = None;
        if let Some((row, _)) = self.returned.take() {
            (self.start, self.line) = (row.place, row.line);
        }
        let (end, failed) = loop {
            let (end, failed) = self.cut_rows(self.start, most);
            self.start = end;
            if failed.is_some() || !self.rows.starts.is_empty() || self.is_at_end {
                break (end, failed);
            }
            // The buffer does not have one whole row.
            self.buffer.drain(..end);
            self.start = 0;
            self.fill()?;
        };
        let Some(first) = self.rows.starts.first() else { return failed.map_or(Ok(None), Err) };
        // The rows before an error are handed out first; the next call meets the error again.
        let base = first.place;
        match std::str::from_utf8(self.buffer.get(base..end).unwrap_or_default()) {
            Ok(text) => {
                Ok(Some(RowBlock { text, base, rows: &self.rows, count: self.rows.starts.len() }))
            }
            Err(error) => self.rows_before(base, base + error.valid_up_to()).map(Some),
        }
    }

    /// Goes on behind the row that the last error was about. False if the error was about no single row.
    pub(super) fn pass_over(&mut self) -> bool {
        if let Some((row, end)) = self.returned.take() {
            (self.start, self.line) = (row.place, row.line);
            self.bad_end = Some(end);
        }
        let Some(end) = self.bad_end.take().filter(|end| *end > self.start) else { return false };
        self.count_lines(self.start, end);
        self.start = end;
        true
    }

    /// The number of the line on which the next row is looked for.
    pub(super) fn line(&self) -> u64 {
        self.returned.get().map_or(self.line, |(row, _)| row.line)
    }

    /// Reads the beginning of the file, and what only stands there: a byte order mark, the end of lines, `sep=;`.
    fn begin(&mut self) -> Result<()> {
        self.fill()?;
        self.has_begun = true;
        if self.delimiter != 0
            && let Some(what) = encoding::wide(&self.buffer)
        {
            return Err(unreadable(what));
        }
        if self.buffer.starts_with(encoding::BYTE_ORDER_MARK) {
            self.start = encoding::BYTE_ORDER_MARK.len();
        }
        let rest = self.buffer.get(self.start..).unwrap_or_default();
        if memchr(b'\n', rest).is_none()
            && memchr(b'\r', rest).is_some_and(|place| place + 1 < rest.len())
        {
            self.newline = b'\r';
        }
        // Excel names the delimiter by a first line `sep=;`.
        if let [a, b, c, b'=', delimiter, end @ ..] = rest
            && [*a, *b, *c].eq_ignore_ascii_case(b"sep")
            && matches!(end, [] | [b'\n' | b'\r', ..])
        {
            if self.dialect.delimiter.is_none() && delimiter.is_ascii() && *delimiter != b'"' {
                self.delimiter = *delimiter;
            }
            self.skip = self.skip.max(1);
        }
        Ok(())
    }

    /// Reads more.
    fn fill(&mut self) -> Result<()> {
        if self.buffer.len() > MAX_ROW {
            return Err(self.at_line(&format!(
                "the row has more than {} MiB: is there a quote that is never closed?",
                MAX_ROW >> 20
            )));
        }
        let known = self.buffer.len();
        let wanted = self.step.max(known);
        self.step = STEP;
        let mut block = self.reader.by_ref().take(wanted as u64);
        let result = block.read_to_end(&mut self.buffer);
        match result {
            Ok(count) => self.is_at_end = count < wanted,
            Err(error) => {
                let text = format!("it cannot be read: {error}");
                return Err(self.at_line(&text).with_source(error));
            }
        }
        Ok(())
    }

    fn count_lines(&mut self, start: usize, end: usize) {
        let bytes = self.buffer.get(start..end).unwrap_or_default();
        // Most rows are one line.
        self.line += match memchr(self.newline, bytes) {
            Some(place) if place + 1 == bytes.len() => 1,
            None => 0,
            Some(_) => memchr_iter(self.newline, bytes).count() as u64,
        };
    }

    fn at_line(&self, what: &str) -> Error {
        unreadable(format!("line {}: {what}", self.line))
    }

    /// The rows from `base` on that are before the row with this place, which is not UTF-8. An error if there are none.
    #[cold]
    fn rows_before(&self, base: usize, place: usize) -> Result<RowBlock<'_>> {
        let count = self.rows.starts.partition_point(|row| row.place <= place).saturating_sub(1);
        let bad =
            self.rows.starts.get(count).copied().unwrap_or(RowStart { place, line: self.line });
        let end = self.rows.starts.get(count + 1).map_or(self.start, |next| next.place);
        self.returned.set(Some((bad, end)));
        if count == 0 {
            let row = self.buffer.get(bad.place..end).unwrap_or_default();
            return Err(unreadable(encoding::not_utf8(row, bad.line).unwrap_or_default()));
        }
        let text = std::str::from_utf8(self.buffer.get(base..bad.place).unwrap_or_default());
        // This cannot fail: the text was found valid up to a place behind it.
        Ok(RowBlock { text: text.unwrap_or_default(), base, rows: &self.rows, count })
    }
}

/// A small beginning, so that small files take little.
const FIRST_STEP: usize = 64 << 10;
const STEP: usize = 256 << 10;
const MAX_ROW: usize = 64 << 20;
