//! Where rows and their cells begin and end.

use std::io::Read;

use memchr::memchr;

use super::RowReader;
use crate::file::csv::dialect::{CellCounts, RowWidth};
use crate::file::csv::row_block::{RowStart, Span};
use crate::file::csv::scan::{self, Quoted, find, quoted, trim};
use crate::{Error, Result};

/// Where a row ends.
enum RowEnd {
    Whole {
        end: usize,
    },
    /// A line with nothing on it, a row of empty cells, or a comment.
    Blank {
        end: usize,
    },
    /// It goes on behind the bytes that were read.
    Cut,
}

impl<R: Read> RowReader<R> {
    /// Cuts whole rows from a place on, until there are `most` of them or the buffer ends. Gives the place where it stopped,
    /// and the error if it was one.
    pub(super) fn cut_rows(&mut self, mut at: usize, most: usize) -> (usize, Option<Error>) {
        while self.rows.starts.len() < most && at < self.buffer.len() {
            let known = self.rows.cells.len();
            match self.cut_row(at) {
                Ok(RowEnd::Whole { end }) => {
                    if let Err(error) = self.fit(known) {
                        self.rows.cells.truncate(known);
                        self.bad_end = Some(end);
                        return (at, Some(error));
                    }
                    self.rows.starts.push(RowStart { place: at, line: self.line });
                    self.count_lines(at, end);
                    at = end;
                }
                Ok(RowEnd::Blank { end }) => {
                    self.rows.cells.truncate(known);
                    if !self.rows.starts.is_empty() && !self.is_line_end(at) {
                        // The line is left out whatever its bytes are: it must not be in the text of the block, which is UTF-8.
                        break;
                    }
                    self.count_lines(at, end);
                    at = end;
                }
                Ok(RowEnd::Cut) => {
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

    /// Makes the cells from `known` on, those of the last row, as many as a row has columns, or refuses the row.
    #[inline]
    fn fit(&mut self, known: usize) -> Result<()> {
        let count = self.rows.cells.len() - known;
        match self.width {
            RowWidth::Any => self.rows.columns = count,
            RowWidth::Of(columns) if count == columns.count => {}
            RowWidth::Of(columns) => self.refit(known, count, columns)?,
        }
        Ok(())
    }

    #[cold]
    fn refit(&mut self, known: usize, count: usize, columns: CellCounts) -> Result<()> {
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

    fn cut_row(&mut self, start: usize) -> Result<RowEnd> {
        if self.skip > 0 || self.is_comment(start) {
            return Ok(self.leave_out_line(start));
        }
        let (delimiter, newline, trims) = (self.delimiter, self.newline, self.dialect.trims);
        let is_usual = newline == b'\n' && !trims;
        let known = self.rows.cells.len();
        let mut at = start;
        loop {
            let rest = self.buffer.get(at..).unwrap_or_default();
            // A cell that begins with `#` or a byte behind it in ASCII is neither quoted nor blank, so that only its end has to
            // be found.
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
                return Ok(RowEnd::Whole { end: at + length + 1 });
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
                    Quoted::Cut => return Ok(RowEnd::Cut),
                }
            } else {
                let length = match find(rest, delimiter, newline) {
                    Some(length) => length,
                    None if self.is_at_end => rest.len(),
                    None => return Ok(RowEnd::Cut),
                };
                let is_last = rest.get(length) != Some(&delimiter);
                let cell = rest.get(..length).unwrap_or_default();
                let trimmed = if is_last { cell.strip_suffix(b"\r").unwrap_or(cell) } else { cell };
                if is_last && at == start && trimmed.iter().all(|byte| matches!(byte, b' ' | b'\t'))
                {
                    let newline = usize::from(length < rest.len());
                    return Ok(RowEnd::Blank { end: at + length + newline });
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
                [b'\r'] if !self.is_at_end => return Ok(RowEnd::Cut),
                [] if self.is_at_end => at,
                [] => return Ok(RowEnd::Cut),
                _ => {
                    return Err(self.at_line(
                        "there is something between a closing quote and the end of its cell (a quote in a quoted cell \
                         is written twice)",
                    ));
                }
            };
            return Ok(if self.is_empty_row(known) {
                RowEnd::Blank { end }
            } else {
                RowEnd::Whole { end }
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
    fn leave_out_line(&mut self, start: usize) -> RowEnd {
        match self.line_end(start) {
            Some(end) => {
                self.skip = self.skip.saturating_sub(1);
                RowEnd::Blank { end }
            }
            None if self.is_at_end => RowEnd::Blank { end: self.buffer.len() },
            None => RowEnd::Cut,
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
}

/// A place at which there is no quote.
const NO_QUOTE: usize = usize::MAX;
