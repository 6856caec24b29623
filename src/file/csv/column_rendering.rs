//! The cells of a column of CSV, as the lines of their rows have them.

use super::row_block::RowBlock;
use crate::columns::{ColumnRole, ColumnValue, RenderedColumn, Role};
use crate::file::null_texts::NullTexts;
use crate::file::text_values;
use crate::file::time_format::TimeFormat;
use crate::line_protocol::escape;
use crate::{ColumnType, Error, Result};

/// What the caller says about the text of cells.
pub(super) struct CellRules {
    pub(super) nulls: NullTexts,
    /// Whether numbers have a decimal comma.
    pub(super) swaps_marks: bool,
    pub(super) time_format: Option<TimeFormat>,
}

/// Rows of a block that cannot be written.
pub(super) struct BadRows {
    /// Whether all of them are wanted, or only the first.
    all: bool,
    found: Vec<(usize, Error)>,
}

impl BadRows {
    pub(super) fn new(all: bool) -> Self {
        Self { all, found: Vec::new() }
    }

    /// Adds a row; false if the rows behind it need not be looked at, as only the first bad row counts.
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

/// Renders one column of a block of rows.
pub(super) struct ColumnRendering<'a> {
    pub(super) block: RowBlock<'a>,
    pub(super) place: usize,
    pub(super) name: &'a str,
    pub(super) rendered: &'a mut RenderedColumn,
    pub(super) bad: &'a mut BadRows,
}

impl ColumnRendering<'_> {
    pub(super) fn column(
        &mut self,
        role: &ColumnRole,
        column_type: ColumnType,
        cell_rules: &CellRules,
    ) {
        let nulls = &cell_rules.nulls;
        match role {
            ColumnRole::Measurement(role) => self.texts(role, nulls),
            ColumnRole::Tag(role) => self.texts(role, nulls),
            ColumnRole::Time(role) => match &cell_rules.time_format {
                None => self.texts(role, nulls),
                Some(format) => self.cells(|cell, is_quoted, rendered| {
                    let is_null = nulls.has_text(cell, is_quoted);
                    let cell = if is_null {
                        ColumnValue::Null
                    } else {
                        ColumnValue::Instant(format.read(cell)?)
                    };
                    rendered.push(role, cell)
                }),
            },
            ColumnRole::Field(role)
                if cell_rules.swaps_marks && column_type != ColumnType::Text =>
            {
                self.cells(|cell, is_quoted, rendered| {
                    if nulls.has_text(cell, is_quoted) {
                        return rendered.push(role, ColumnValue::Null);
                    }
                    match text_values::value(
                        &text_values::swap_marks(cell),
                        is_quoted,
                        column_type,
                        nulls,
                    ) {
                        Ok(value) => rendered.push(role, value),
                        // The error shows the cell as it stands in the file.
                        Err(_) => Err(text_values::no_value(cell, column_type)),
                    }
                });
            }
            ColumnRole::Field(role) => self.cells(|cell, is_quoted, rendered| {
                rendered.push(role, text_values::value(cell, is_quoted, column_type, nulls)?)
            }),
        }
    }

    fn texts<R: Role>(&mut self, role: &R, nulls: &NullTexts) {
        self.cells(|cell, is_quoted, rendered| {
            let cell = if nulls.has_text(cell, is_quoted) {
                ColumnValue::Null
            } else {
                ColumnValue::Text(cell)
            };
            rendered.push(role, cell)
        });
    }

    #[inline(always)]
    fn cells(&mut self, push: impl Fn(&str, bool, &mut RenderedColumn) -> Result<()>) {
        for row in 0..self.block.rows() {
            let (cell, is_quoted) = self.block.cell(row, self.place);
            if let Err(error) = push(&cell, is_quoted, self.rendered)
                && !self.leaves_out(row, error)
            {
                return;
            }
        }
    }

    /// Notes a row that cannot be written. True if later rows are still to be read.
    #[cold]
    fn leaves_out(&mut self, row: usize, error: Error) -> bool {
        let place = format!("line {}, column {}", self.block.line(row), escape::quoted(self.name));
        self.rendered.push_again((0, 0));
        self.bad.add(row, error.in_context(&place))
    }
}
