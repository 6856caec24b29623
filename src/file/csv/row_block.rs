//! Some rows of a CSV file.

use std::borrow::Cow;

/// Where rows and their cells are in the buffer of a reader. All rows have the same number of cells.
#[derive(Debug, Default)]
pub(super) struct RowSpans {
    pub(super) cells: Vec<Span>,
    pub(super) starts: Vec<RowStart>,
    pub(super) columns: usize,
}

/// Where a row begins.
#[derive(Clone, Copy, Debug)]
pub(super) struct RowStart {
    pub(super) place: usize,
    pub(super) line: u64,
}

/// Where a cell is in the buffer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) start: u32,
    pub(super) end: u32,
    pub(super) is_quoted: bool,
    /// Whether quotes in it are written twice.
    pub(super) is_escaped: bool,
}

/// Rows that a reader hands out together.
#[derive(Clone, Copy)]
pub(super) struct RowBlock<'a> {
    pub(super) text: &'a str,
    /// Where the text is in the buffer.
    pub(super) base: usize,
    pub(super) rows: &'a RowSpans,
    /// How many rows of `rows` these are; the rows behind them are not handed out yet.
    pub(super) count: usize,
}

impl Span {
    /// The places in a buffer fit 32 bits, as a row has at most 64 MiB.
    pub(super) fn new(start: usize, end: usize, is_quoted: bool, is_escaped: bool) -> Self {
        Self { start: start as u32, end: end as u32, is_quoted, is_escaped }
    }
}

impl<'a> RowBlock<'a> {
    /// How many rows there are.
    pub(super) fn rows(&self) -> usize {
        self.count
    }

    pub(super) fn columns(&self) -> usize {
        self.rows.columns
    }

    /// The number of the line on which a row begins, from 1.
    pub(super) fn line(&self, row: usize) -> u64 {
        self.rows.starts.get(row).map_or(0, |start| start.line)
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
