//! Rendering the rows of a column, each by itself or by a value that several rows share.

use std::ops::Range;

use super::{ColumnValue, RenderedColumn, Role};
use crate::{Error, Result};

/// A value that cannot be written, and where it is.
#[derive(Debug)]
pub(crate) struct ValueError {
    /// The row within its table, from 0.
    pub(crate) row: usize,
    pub(crate) error: Error,
}

/// Appends these rows to a rendered column.
///
/// # Errors
/// A value cannot be written; the rows before it are in `rendered`.
#[inline(always)]
pub(crate) fn render_each<'a, R: Role>(
    rows: Range<usize>,
    role: &R,
    rendered: &mut RenderedColumn,
    value_at: impl Fn(usize) -> ColumnValue<'a>,
) -> Result<(), ValueError> {
    for row in rows {
        rendered.push(role, value_at(row)).map_err(|error| ValueError { row, error })?;
    }
    Ok(())
}

/// As [`render_each`], of values that may be an error.
#[inline(always)]
pub(crate) fn try_render_each<'a, R: Role>(
    rows: Range<usize>,
    role: &R,
    rendered: &mut RenderedColumn,
    value_at: impl Fn(usize) -> Result<ColumnValue<'a>>,
) -> Result<(), ValueError> {
    for row in rows {
        let pushed = value_at(row).and_then(|value| rendered.push(role, value));
        pushed.map_err(|error| ValueError { row, error })?;
    }
    Ok(())
}

/// Where in a [`RenderedColumn`] each value stands that rows refer to by number (the values of a dictionary, the runs of a
/// run-end encoded array, categories): it is written when a row refers to it first, and found here by later rows, also
/// those of later blocks of the table.
#[derive(Clone, Debug, Default)]
pub(crate) struct WrittenValues(Vec<Option<(usize, usize)>>);

impl WrittenValues {
    /// Forgets all values and keeps the memory.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Appends rows to a rendered column: `number` gives the number of the value of a row, none for a null, and `write`
    /// renders the value of a number.
    #[inline(always)]
    pub(crate) fn render<R: Role>(
        &mut self,
        rows: Range<usize>,
        role: &R,
        rendered: &mut RenderedColumn,
        number: impl Fn(usize) -> Option<usize>,
        write: impl Fn(usize, &mut RenderedColumn) -> Result<(), ValueError>,
    ) -> Result<(), ValueError> {
        for row in rows {
            let Some(number) = number(row) else {
                rendered
                    .push(role, ColumnValue::Null)
                    .map_err(|error| ValueError { row, error })?;
                continue;
            };
            match self.0.get(number).copied().flatten() {
                Some(range) => rendered.push_again(range),
                None => {
                    write(number, rendered).map_err(|error| ValueError { row, ..error })?;
                    if self.0.len() <= number {
                        self.0.resize(number + 1, None);
                    }
                    if let Some(known) = self.0.get_mut(number) {
                        *known = rendered.last();
                    }
                }
            }
        }
        Ok(())
    }
}
