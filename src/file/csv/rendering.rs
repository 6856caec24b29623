//! Cells of CSV to the parts of lines, a column at a time.

use super::part::Part;
use crate::columns::{Cell, ColumnRole, RenderedColumn, Role};
use crate::file::cells::{self, Nulls};
use crate::file::time_format::TimeFormat;
use crate::line_protocol::escape;
use crate::{ColumnType, Error, Result};

/// How cells are judged.
pub(super) struct Settings {
    pub(super) nulls: Nulls,
    /// Whether numbers have a decimal comma.
    pub(super) swaps_marks: bool,
    pub(super) time_format: Option<TimeFormat>,
}

/// Rows of a part that cannot be written.
pub(super) struct BadRows {
    /// Whether all of them are wanted, or only the first.
    all: bool,
    found: Vec<(usize, Error)>,
}

impl BadRows {
    pub(super) fn new(all: bool) -> Self {
        Self { all, found: Vec::new() }
    }

    /// Takes note of a row, and tells whether the rows behind it matter.
    #[cold]
    pub(super) fn add(&mut self, row: usize, error: Error) -> bool {
        if self.all {
            self.found.push((row, error));
        } else if self.found.first().is_none_or(|(first, _)| row < *first) {
            self.found = vec![(row, error)];
        }
        self.all
    }

    /// Each row once, with the error of its first column.
    pub(super) fn in_order(mut self) -> Vec<(usize, Error)> {
        self.found.sort_by_key(|(row, _)| *row);
        self.found.dedup_by_key(|(row, _)| *row);
        self.found
    }
}

/// The pieces of one column.
pub(super) struct Rendering<'a> {
    pub(super) part: Part<'a>,
    pub(super) place: usize,
    pub(super) name: &'a str,
    pub(super) pieces: &'a mut RenderedColumn,
    pub(super) bad: &'a mut BadRows,
}

impl Rendering<'_> {
    pub(super) fn column(
        &mut self,
        role: &ColumnRole,
        column_type: ColumnType,
        settings: &Settings,
    ) {
        let nulls = &settings.nulls;
        match role {
            ColumnRole::Measurement(role) => self.texts(role, nulls),
            ColumnRole::Tag(role) => self.texts(role, nulls),
            ColumnRole::Time(role) => match &settings.time_format {
                None => self.texts(role, nulls),
                Some(format) => self.cells(|cell, is_quoted, pieces| {
                    let is_null = nulls.has_text(cell, is_quoted);
                    let cell = if is_null { Cell::Null } else { Cell::Instant(format.read(cell)?) };
                    pieces.push(role, cell)
                }),
            },
            ColumnRole::Field(role) if settings.swaps_marks && column_type != ColumnType::Text => {
                self.cells(|cell, is_quoted, pieces| {
                    if nulls.has_text(cell, is_quoted) {
                        return pieces.push(role, Cell::Null);
                    }
                    match cells::value(&cells::swap_marks(cell), is_quoted, column_type, nulls) {
                        Ok(value) => pieces.push(role, value),
                        // What the file has is shown.
                        Err(_) => Err(cells::no_value(cell, column_type)),
                    }
                });
            }
            ColumnRole::Field(role) => self.cells(|cell, is_quoted, pieces| {
                pieces.push(role, cells::value(cell, is_quoted, column_type, nulls)?)
            }),
        }
    }

    fn texts<R: Role>(&mut self, role: &R, nulls: &Nulls) {
        self.cells(|cell, is_quoted, pieces| {
            let cell = if nulls.has_text(cell, is_quoted) { Cell::Null } else { Cell::Text(cell) };
            pieces.push(role, cell)
        });
    }

    #[inline(always)]
    fn cells(&mut self, push: impl Fn(&str, bool, &mut RenderedColumn) -> Result<()>) {
        for row in 0..self.part.rows() {
            let (cell, is_quoted) = self.part.cell(row, self.place);
            if let Err(error) = push(&cell, is_quoted, self.pieces)
                && !self.leaves_out(row, error)
            {
                return;
            }
        }
    }

    /// Takes note of a row that cannot be written, and tells whether those behind it are wanted.
    #[cold]
    fn leaves_out(&mut self, row: usize, error: Error) -> bool {
        let place = format!("line {}, column {}", self.part.line(row), escape::quoted(self.name));
        self.pieces.push_again((0, 0));
        self.bad.add(row, error.in_context(&place))
    }
}
