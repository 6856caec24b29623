//! What the rows of a block have for one column.

use super::{ColumnValue, Role};
use crate::Result;
use crate::line_protocol::short_bytes;

/// For each row of a block the bytes that its line has for one column: `,key=value`, or nothing.
#[derive(Clone, Debug, Default)]
pub(crate) struct RenderedColumn {
    bytes: Vec<u8>,
    ranges: Vec<(usize, usize)>,
}

impl RenderedColumn {
    /// Removes all rows and keeps the memory.
    #[inline]
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.ranges.clear();
    }

    /// Removes all rows, but keeps what [`push_again`](Self::push_again) can refer to.
    #[inline]
    pub(crate) fn clear_rows(&mut self) {
        self.ranges.clear();
    }

    /// Makes room for `rows` more rows, each with a value of its own unless `is_shared`.
    pub(crate) fn reserve(&mut self, rows: usize, is_shared: bool) {
        self.ranges.reserve(rows);
        if !is_shared {
            self.bytes.reserve(rows * USUAL_BYTES);
        }
    }

    /// How many rows there are.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.ranges.len()
    }

    /// Adds the next row.
    #[inline(always)]
    pub(crate) fn push<R: Role>(&mut self, role: &R, value: ColumnValue<'_>) -> Result<()> {
        let range = self.write(role, value)?;
        self.ranges.push(range);
        Ok(())
    }

    /// Writes what any number of rows will have, and says where it is.
    #[inline(always)]
    pub(crate) fn write<R: Role>(
        &mut self,
        role: &R,
        value: ColumnValue<'_>,
    ) -> Result<(usize, usize)> {
        let start = self.bytes.len();
        match role.write(&mut self.bytes, value) {
            Ok(true) => {}
            Ok(false) => {
                self.bytes.truncate(start);
                self.bytes.extend_from_slice(role.default());
            }
            Err(error) => {
                self.bytes.truncate(start);
                return Err(error);
            }
        }
        Ok((start, self.bytes.len()))
    }

    /// Adds a row that has what was written before.
    #[inline]
    pub(crate) fn push_again(&mut self, range: (usize, usize)) {
        self.ranges.push(range);
    }

    /// Removes the rows from this one on.
    pub(crate) fn truncate(&mut self, rows: usize) {
        self.ranges.truncate(rows);
    }

    /// What the last row has.
    #[inline]
    pub(crate) fn last(&self) -> Option<(usize, usize)> {
        self.ranges.last().copied()
    }

    /// Appends what a row has.
    #[inline(always)]
    pub(crate) fn append(&self, row: usize, out: &mut Vec<u8>) {
        if let Some(&(start, end)) = self.ranges.get(row) {
            short_bytes::append_part(out, &self.bytes, start, end - start);
        }
    }
}

/// As many as a number has with the name of its column.
const USUAL_BYTES: usize = 24;
