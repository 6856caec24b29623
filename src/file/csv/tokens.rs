//! CSV (RFC 4180) to rows of cells, part by part.

use std::cell::Cell;
use std::io::Read;

use memchr::{memchr, memchr_iter};

use super::part::{Part, RowStart, Rows, Span};
use super::scan::{self, Quoted, find, quoted, trim};
use crate::file::{encoding, unreadable};
use crate::{Error, Result};

/// How the text of a file is put together.
#[derive(Clone, Debug)]
pub(super) struct Dialect {
    /// Between cells; with none a line `sep=;` at the beginning says it, or it is a comma.
    pub(super) delimiter: Option<u8>,
    /// What lines that are left out begin with.
    pub(super) comment: Option<u8>,
    /// How many lines are left out at the beginning.
    pub(super) skip_lines: u64,
    /// Whether blanks around cells that are not in quotes are left out.
    pub(super) trims: bool,
}

/// How many cells a row has.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Width {
    /// Each row has its own number, and parts have one row.
    Any,
    Of(Columns),
}

/// The columns that all rows have.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Columns {
    pub(super) count: usize,
    /// Whether the caller has named them, and not the first row.
    pub(super) are_given: bool,
    /// How many more the first row has at its end, without a name: cells there are empty or missing.
    pub(super) unnamed: usize,
    /// Whether rows may have fewer cells, which then are empty, or empty ones too many.
    pub(super) are_ragged: bool,
}

/// Cuts text into rows. The rows of a part are all in memory, and nothing else.
pub(super) struct Tokens<R> {
    reader: R,
    delimiter: u8,
    dialect: Dialect,
    /// What lines end with: a carriage return if there is nothing else.
    newline: u8,
    /// Lines that are still to be left out.
    skip: u64,
    /// Bytes that were read; those before `start` are done.
    buffer: Vec<u8>,
    start: usize,
    has_begun: bool,
    is_at_end: bool,
    /// The number of the line at `start`, from 1.
    line: u64,
    rows: Rows,
    width: Width,
    /// The end of the row that an error was about.
    bad_end: Option<usize>,
    /// A row that was cut and not handed out, as it is not UTF-8, and its end.
    returned: Cell<Option<(RowStart, usize)>>,
    /// How much is read at once.
    step: usize,
}

/// What a row was.
enum Row {
    Whole {
        end: usize,
    },
    /// A line with nothing on it, a row of empty cells, or a comment.
    Blank {
        end: usize,
    },
    /// It goes on behind what was read.
    Cut,
}

impl<R: Read> Tokens<R> {
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
            rows: Rows::default(),
            width: Width::Any,
            bad_end: None,
            returned: Cell::new(None),
            step: FIRST_STEP,
        }
    }

    /// Lets the rows from here on have these columns.
    pub(super) fn set_columns(&mut self, columns: Columns) {
        self.width = Width::Of(columns);
        self.rows.columns = columns.count;
    }

    /// The next rows, at most so many; none at the end. With an error, the rows before it have been handed out, and it
    /// comes again until [`pass_over`](Self::pass_over) is called.
    pub(super) fn next(&mut self, most: usize) -> Result<Option<Part<'_>>> {
        if !self.has_begun {
            self.begin()?;
        }
        let most = if self.width == Width::Any { 1 } else { most };
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
            // Not one row was whole.
            self.buffer.drain(..end);
            self.start = 0;
            self.fill()?;
        };
        let Some(first) = self.rows.starts.first() else { return failed.map_or(Ok(None), Err) };
        // An error is met again, with no rows before it, when more is asked for.
        let base = first.place;
        match std::str::from_utf8(self.buffer.get(base..end).unwrap_or_default()) {
            Ok(text) => {
                Ok(Some(Part { text, base, rows: &self.rows, count: self.rows.starts.len() }))
            }
            Err(error) => self.rows_before(base, base + error.valid_up_to()).map(Some),
        }
    }

    /// Goes on behind the row that the last error was about. False if there is no such row.
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

    /// Reads the beginning, and looks at what only stands there.
    fn begin(&mut self) -> Result<()> {
        self.fill()?;
        self.has_begun = true;
        if self.delimiter != 0
            && let Some(what) = encoding::wide(&self.buffer)
        {
            return Err(unreadable(what));
        }
        if self.buffer.starts_with(BYTE_ORDER_MARK) {
            self.start = BYTE_ORDER_MARK.len();
        }
        let rest = self.buffer.get(self.start..).unwrap_or_default();
        if memchr(b'\n', rest).is_none()
            && memchr(b'\r', rest).is_some_and(|place| place + 1 < rest.len())
        {
            self.newline = b'\r';
        }
        // What Excel writes, and reads.
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

    /// Cuts whole rows from a place on; says where it stopped, and why if it was an error.
    fn cut_rows(&mut self, mut at: usize, most: usize) -> (usize, Option<Error>) {
        while self.rows.starts.len() < most && at < self.buffer.len() {
            let known = self.rows.cells.len();
            match self.cut_row(at) {
                Ok(Row::Whole { end }) => {
                    if let Err(error) = self.fit(known) {
                        self.rows.cells.truncate(known);
                        self.bad_end = Some(end);
                        return (at, Some(error));
                    }
                    self.rows.starts.push(RowStart { place: at, line: self.line });
                    self.count_lines(at, end);
                    at = end;
                }
                Ok(Row::Blank { end }) => {
                    self.rows.cells.truncate(known);
                    if !self.rows.starts.is_empty() && !self.is_line_end(at) {
                        // It need not be UTF-8, so it is no part of this one.
                        break;
                    }
                    self.count_lines(at, end);
                    at = end;
                }
                Ok(Row::Cut) => {
                    self.rows.cells.truncate(known);
                    break;
                }
                Err(error) => {
                    self.rows.cells.truncate(known);
                    self.bad_end = Some(self.line_end(at).unwrap_or(self.buffer.len()));
                    return (at, Some(error));
                }
            }
        }
        (at, None)
    }

    /// Makes the cells from `known` on as many as a row has.
    #[inline]
    fn fit(&mut self, known: usize) -> Result<()> {
        let count = self.rows.cells.len() - known;
        match self.width {
            Width::Any => self.rows.columns = count,
            Width::Of(columns) if count == columns.count => {}
            Width::Of(columns) => self.refit(known, count, columns)?,
        }
        Ok(())
    }

    #[cold]
    fn refit(&mut self, known: usize, count: usize, columns: Columns) -> Result<()> {
        let wanted = columns.count;
        let extra = self.rows.cells.get(known + wanted..).unwrap_or_default();
        let are_extra_empty = extra.iter().all(|cell| cell.start == cell.end);
        let is_taken = match count < wanted {
            true => columns.are_ragged,
            false => are_extra_empty && (columns.are_ragged || count <= wanted + columns.unnamed),
        };
        if is_taken {
            let end = self.rows.cells.last().map_or(0, |cell| cell.end);
            let empty = Span { start: end, end, is_quoted: false, is_escaped: false };
            self.rows.cells.resize(known + wanted, empty);
            return Ok(());
        }
        let what = if count > wanted && count <= wanted + columns.unnamed {
            format!(
                "the cell {} is not empty, but its column has no name in the first row",
                wanted + 1
            )
        } else {
            let source =
                if columns.are_given { "column_names" } else { "the first row of the file" };
            format!("there are {count} cells, but {source} has {wanted}")
        };
        let advice = match count < wanted {
            true => " (ragged_rows(true) takes rows that are shorter)",
            false => "",
        };
        Err(self.at_line(&(what + advice)))
    }

    fn cut_row(&mut self, start: usize) -> Result<Row> {
        if self.skip > 0 || self.is_comment(start) {
            return Ok(self.leave_out_line(start));
        }
        let (delimiter, newline, trims) = (self.delimiter, self.newline, self.dialect.trims);
        let is_usual = newline == b'\n' && !trims;
        let known = self.rows.cells.len();
        let mut at = start;
        loop {
            let rest = self.buffer.get(at..).unwrap_or_default();
            // Behind blanks, line ends and the quote in ASCII: nothing has to be looked at but where the cell ends.
            if is_usual
                && matches!(rest.first(), Some(b'#'..))
                && let Some(length) = find(rest, delimiter, b'\n')
            {
                if rest.get(length) == Some(&delimiter) {
                    self.rows.cells.push(Span::new(at, at + length, false, false));
                    at += length + 1;
                    continue;
                }
                let cell = rest.get(..length).unwrap_or_default();
                let cell = cell.strip_suffix(b"\r").unwrap_or(cell);
                self.rows.cells.push(Span::new(at, at + cell.len(), false, false));
                return Ok(Row::Whole { end: at + length + 1 });
            }
            let blanks = match rest.first() {
                Some(b'"') => 0,
                Some(b' ' | b'\t') => scan::blanks(rest, delimiter),
                _ => NO_QUOTE,
            };
            let (span, length) = if blanks != NO_QUOTE && rest.get(blanks) == Some(&b'"') {
                match quoted(rest.get(blanks..).unwrap_or_default(), self.is_at_end) {
                    Quoted::Whole { length, is_escaped } => {
                        let (start, end) = (at + blanks, at + blanks + length);
                        let behind = match rest.get(blanks + length..) {
                            Some(behind @ [b' ' | b'\t', ..]) => scan::blanks(behind, delimiter),
                            _ => 0,
                        };
                        (Span::new(start + 1, end - 1, true, is_escaped), blanks + length + behind)
                    }
                    Quoted::Cut if self.is_at_end => {
                        return Err(self.at_line("a quote is opened and never closed"));
                    }
                    Quoted::Cut => return Ok(Row::Cut),
                }
            } else {
                let length = match find(rest, delimiter, newline) {
                    Some(length) => length,
                    None if self.is_at_end => rest.len(),
                    None => return Ok(Row::Cut),
                };
                let is_last = rest.get(length) != Some(&delimiter);
                let cell = rest.get(..length).unwrap_or_default();
                let trimmed = if is_last { cell.strip_suffix(b"\r").unwrap_or(cell) } else { cell };
                if is_last && at == start && trimmed.iter().all(|byte| matches!(byte, b' ' | b'\t'))
                {
                    let newline = usize::from(length < rest.len());
                    return Ok(Row::Blank { end: at + length + newline });
                }
                let (from, to) = if trims { trim(trimmed) } else { (0, trimmed.len()) };
                (Span::new(at + from, at + to, false, false), length)
            };
            self.rows.cells.push(span);
            at += length;
            let end = match self.buffer.get(at..).unwrap_or_default() {
                [byte, ..] if *byte == delimiter => {
                    at += 1;
                    continue;
                }
                [byte, ..] if *byte == newline => at + 1,
                [b'\r', b'\n', ..] => at + 2,
                [b'\r'] if self.is_at_end => at + 1,
                [b'\r'] if !self.is_at_end => return Ok(Row::Cut),
                [] if self.is_at_end => at,
                [] => return Ok(Row::Cut),
                _ => {
                    return Err(self.at_line(
                        "there is something between a closing quote and the end of its cell (a quote in a quoted cell \
                         is written twice)",
                    ));
                }
            };
            return Ok(if self.is_empty_row(known) {
                Row::Blank { end }
            } else {
                Row::Whole { end }
            });
        }
    }

    /// Whether the row of the cells from `known` on has several, and nothing in any of them.
    #[inline]
    fn is_empty_row(&self, known: usize) -> bool {
        let cells = self.rows.cells.get(known..).unwrap_or_default();
        let is_empty = |cell: &Span| cell.start == cell.end && !cell.is_quoted;
        cells.first().is_some_and(is_empty) && cells.len() > 1 && cells.iter().all(is_empty)
    }

    #[cold]
    fn leave_out_line(&mut self, start: usize) -> Row {
        match self.line_end(start) {
            Some(end) => {
                self.skip = self.skip.saturating_sub(1);
                Row::Blank { end }
            }
            None if self.is_at_end => Row::Blank { end: self.buffer.len() },
            None => Row::Cut,
        }
    }

    #[inline]
    fn is_comment(&self, start: usize) -> bool {
        self.dialect.comment.is_some_and(|comment| self.buffer.get(start) == Some(&comment))
    }

    fn is_line_end(&self, place: usize) -> bool {
        matches!(self.buffer.get(place), Some(b'\n' | b'\r'))
    }

    /// The place behind the line that a place is in.
    fn line_end(&self, from: usize) -> Option<usize> {
        let rest = self.buffer.get(from..).unwrap_or_default();
        memchr(self.newline, rest).map(|place| from + place + 1)
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
        let mut part = self.reader.by_ref().take(wanted as u64);
        let result = part.read_to_end(&mut self.buffer);
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

    /// The rows from `base` on that come before the one with this place, which is not UTF-8. An error if there are none.
    #[cold]
    fn rows_before(&self, base: usize, place: usize) -> Result<Part<'_>> {
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
        // It was found valid up to a place behind it.
        Ok(Part { text: text.unwrap_or_default(), base, rows: &self.rows, count })
    }
}

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
/// A place at which there is no quote.
const NO_QUOTE: usize = usize::MAX;
/// A small beginning, so that small files take little.
const FIRST_STEP: usize = 64 << 10;
const STEP: usize = 256 << 10;
const MAX_ROW: usize = 64 << 20;
