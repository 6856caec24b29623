//! CSV (RFC 4180) to rows of cells, part by part.

use std::borrow::Cow;
use std::io::Read;

use memchr::{memchr, memchr_iter};

use crate::file::unreadable;
use crate::{Error, Result};

/// Cuts text into rows. The rows of a part are all in memory, and nothing else.
pub(super) struct Tokens<R> {
    reader: R,
    delimiter: u8,
    /// Bytes that were read; those before `start` are done.
    buffer: Vec<u8>,
    start: usize,
    is_at_end: bool,
    /// The number of the line at `start`, from 1.
    line: u64,
    rows: Rows,
    /// Whether the caller has said how many columns there are.
    are_columns_given: bool,
    /// How much is read at once.
    step: usize,
}

/// The rows of a part, all with the same number of cells.
#[derive(Debug, Default)]
struct Rows {
    cells: Vec<Span>,
    /// The line on which each row begins.
    lines: Vec<u64>,
    columns: usize,
}

/// Where a cell is in the buffer.
#[derive(Clone, Copy, Debug)]
struct Span {
    start: u32,
    end: u32,
    is_quoted: bool,
    /// Whether quotes in it are written twice.
    is_escaped: bool,
}

/// A part of the file.
#[derive(Clone, Copy)]
pub(super) struct Part<'a> {
    text: &'a str,
    /// Where the text is in the buffer.
    base: usize,
    rows: &'a Rows,
}

/// What a row was.
enum Row {
    Whole {
        end: usize,
    },
    /// A line with nothing on it.
    Blank {
        end: usize,
    },
    /// It goes on behind what was read.
    Cut,
}

impl<R: Read> Tokens<R> {
    /// Rows have so many columns, or as many as the first of them.
    pub(super) fn new(reader: R, delimiter: u8, columns: Option<usize>) -> Self {
        Self {
            reader,
            delimiter,
            buffer: Vec::new(),
            start: 0,
            is_at_end: false,
            line: 1,
            rows: Rows { columns: columns.unwrap_or_default(), ..Rows::default() },
            are_columns_given: columns.is_some(),
            step: FIRST_STEP,
        }
    }

    /// The next rows, at most so many; none at the end. With an error, the rows before it have been handed out.
    pub(super) fn next(&mut self, most: usize) -> Result<Option<Part<'_>>> {
        self.rows.cells.clear();
        self.rows.lines.clear();
        let (base, end, failed) = loop {
            let (end, failed) = self.cut_rows(self.start, most);
            let base = std::mem::replace(&mut self.start, end);
            if failed.is_some() || !self.rows.lines.is_empty() || self.is_at_end {
                break (base, end, failed);
            }
            // Not one row was whole.
            self.buffer.drain(..end);
            self.start = 0;
            self.fill()?;
        };
        if self.rows.lines.is_empty() {
            return failed.map_or(Ok(None), Err);
        }
        // An error is met again, with no rows before it, when more is asked for.
        let bytes = self.buffer.get(base..end).unwrap_or_default();
        match std::str::from_utf8(bytes) {
            Ok(text) => Ok(Some(Part { text, base, rows: &self.rows })),
            Err(error) => Err(self.not_utf8(base + error.valid_up_to())),
        }
    }

    /// Cuts whole rows from a place on; says where it stopped, and why if it was an error.
    fn cut_rows(&mut self, mut at: usize, most: usize) -> (usize, Option<Error>) {
        if self.line == 1 && at == 0 && self.buffer.starts_with(BYTE_ORDER_MARK) {
            at = BYTE_ORDER_MARK.len();
        }
        while self.rows.lines.len() < most && at < self.buffer.len() {
            let known = self.rows.cells.len();
            match self.cut_row(at) {
                Ok(Row::Whole { end }) => {
                    let count = self.rows.cells.len() - known;
                    if self.rows.columns == 0 {
                        self.rows.columns = count;
                    }
                    if count != self.rows.columns {
                        self.rows.cells.truncate(known);
                        let wanted = match (self.are_columns_given, self.rows.columns) {
                            (true, columns) => format!("column_names has {columns}"),
                            (false, columns) => format!("the first row of the file has {columns}"),
                        };
                        let what = format!("there are {count} cells, but {wanted}");
                        return (at, Some(self.at_line(&what)));
                    }
                    self.rows.lines.push(self.line);
                    self.count_lines(at, end);
                    at = end;
                }
                Ok(Row::Blank { end }) => {
                    self.count_lines(at, end);
                    at = end;
                }
                Ok(Row::Cut) => {
                    self.rows.cells.truncate(known);
                    break;
                }
                Err(error) => {
                    self.rows.cells.truncate(known);
                    return (at, Some(error));
                }
            }
        }
        (at, None)
    }

    fn cut_row(&mut self, start: usize) -> Result<Row> {
        let mut at = start;
        loop {
            let rest = self.buffer.get(at..).unwrap_or_default();
            let (span, length) = if rest.first() == Some(&b'"') {
                match quoted(rest, self.is_at_end) {
                    Quoted::Whole { length, is_escaped } => {
                        let end = at + length;
                        (span(at + 1, end - 1, true, is_escaped), length)
                    }
                    Quoted::Cut if self.is_at_end => {
                        return Err(self.at_line("a quote is opened and never closed"));
                    }
                    Quoted::Cut => return Ok(Row::Cut),
                }
            } else {
                let delimiter = self.delimiter;
                let length = find(rest, delimiter, b'\n');
                let length = match length {
                    Some(length) => length,
                    None if self.is_at_end => rest.len(),
                    None => return Ok(Row::Cut),
                };
                let is_last = rest.get(length) != Some(&delimiter);
                let cell = rest.get(..length).unwrap_or_default();
                let trimmed = if is_last { cell.strip_suffix(b"\r").unwrap_or(cell) } else { cell };
                if is_last && trimmed.is_empty() && at == start {
                    let newline = usize::from(length < rest.len());
                    return Ok(Row::Blank { end: at + length + newline });
                }
                (span(at, at + trimmed.len(), false, false), length)
            };
            self.rows.cells.push(span);
            at += length;
            match self.buffer.get(at..).unwrap_or_default() {
                [byte, ..] if *byte == self.delimiter => at += 1,
                [b'\n', ..] => return Ok(Row::Whole { end: at + 1 }),
                [b'\r', b'\n', ..] => return Ok(Row::Whole { end: at + 2 }),
                [b'\r'] if self.is_at_end => return Ok(Row::Whole { end: at + 1 }),
                [b'\r'] if !self.is_at_end => return Ok(Row::Cut),
                [] if self.is_at_end => return Ok(Row::Whole { end: at }),
                [] => return Ok(Row::Cut),
                _ => {
                    return Err(self.at_line(
                        "there is something between a closing quote and the end of its cell (a quote in a quoted cell \
                         is written twice)",
                    ));
                }
            }
        }
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
        self.line += match memchr(b'\n', bytes) {
            Some(place) if place + 1 == bytes.len() => 1,
            None => 0,
            Some(_) => memchr_iter(b'\n', bytes).count() as u64,
        };
    }

    fn at_line(&self, what: &str) -> Error {
        unreadable(format!("line {}: {what}", self.line))
    }

    fn not_utf8(&self, place: usize) -> Error {
        let starts = self.rows.cells.chunks(self.rows.columns.max(1)).filter_map(<[_]>::first);
        let row = starts.take_while(|cell| cell.start as usize <= place).count();
        let line = row.checked_sub(1).and_then(|row| self.rows.lines.get(row));
        unreadable(format!(
            "line {}: it is not UTF-8: convert the file",
            line.copied().unwrap_or(self.line)
        ))
    }
}

impl<'a> Part<'a> {
    /// How many rows there are.
    pub(super) fn rows(&self) -> usize {
        self.rows.lines.len()
    }

    pub(super) fn columns(&self) -> usize {
        self.rows.columns
    }

    /// The number of the line on which a row begins, from 1.
    pub(super) fn line(&self, row: usize) -> u64 {
        self.rows.lines.get(row).copied().unwrap_or_default()
    }

    /// A cell, and whether it was in quotes.
    #[inline(always)]
    pub(super) fn cell(&self, row: usize, column: usize) -> (Cow<'a, str>, bool) {
        let Some(span) = self.rows.cells.get(row * self.rows.columns + column) else {
            return (Cow::Borrowed(""), false);
        };
        let (start, end) = (span.start as usize - self.base, span.end as usize - self.base);
        let text = self.text.get(start..end).unwrap_or_default();
        if span.is_escaped {
            return (Cow::Owned(text.replace("\"\"", "\"")), true);
        }
        (Cow::Borrowed(text), span.is_quoted)
    }
}

/// The place of the first of two bytes. Cells are short: eight bytes at once are enough, and setting up more costs more.
#[inline(always)]
fn find(bytes: &[u8], first: u8, second: u8) -> Option<usize> {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    const TOPS: u64 = ONES << 7;
    let (chunks, rest) = bytes.as_chunks::<8>();
    for (number, chunk) in chunks.iter().enumerate() {
        let word = u64::from_le_bytes(*chunk);
        let (a, b) = (word ^ (ONES * u64::from(first)), word ^ (ONES * u64::from(second)));
        // The lowest bit that is left is that of the first byte that is zero.
        let zeros = (a.wrapping_sub(ONES) & !a | b.wrapping_sub(ONES) & !b) & TOPS;
        if zeros != 0 {
            return Some(number * 8 + zeros.trailing_zeros() as usize / 8);
        }
    }
    let place = rest.iter().position(|&byte| byte == first || byte == second)?;
    Some(chunks.len() * 8 + place)
}

enum Quoted {
    /// The cell with its quotes.
    Whole {
        length: usize,
        is_escaped: bool,
    },
    Cut,
}

/// Finds the quote that closes the cell at the beginning of `bytes`.
fn quoted(bytes: &[u8], is_at_end: bool) -> Quoted {
    let mut at = 1;
    let mut is_escaped = false;
    while let Some(place) = bytes.get(at..).and_then(|rest| memchr(b'"', rest)) {
        let behind = at + place + 1;
        match bytes.get(behind) {
            Some(b'"') => {
                is_escaped = true;
                at = behind + 1;
            }
            // Whether it closes is known with the next byte.
            None if !is_at_end => return Quoted::Cut,
            _ => return Quoted::Whole { length: behind, is_escaped },
        }
    }
    Quoted::Cut
}

/// The buffer is never longer than 32 bits can tell.
fn span(start: usize, end: usize, is_quoted: bool, is_escaped: bool) -> Span {
    Span { start: start as u32, end: end as u32, is_quoted, is_escaped }
}

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
/// A small beginning, so that small files take little.
const FIRST_STEP: usize = 64 << 10;
const STEP: usize = 256 << 10;
const MAX_ROW: usize = 64 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_two_bytes_is_found_wherever_it_is() {
        let mut state = 1_u64;
        for _ in 0..20_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let length = (state >> 40) as usize % 30;
            let alphabet = [b',', b'\n', b'-', b'+', 0x80, 0xac, b'\x0b', 0, 0xff, b'a'];
            let byte = |n: usize| alphabet[(state.rotate_left(n as u32 * 5) % 10) as usize];
            let bytes: Vec<u8> = (0..length).map(byte).collect();
            let expected = bytes.iter().position(|byte| matches!(byte, b',' | b'\n'));
            assert_eq!(find(&bytes, b',', b'\n'), expected, "{bytes:?}");
        }
    }
}
