use std::ops::Range;

use super::{RenderedColumn, TableLayout};

/// What takes the lines of the rows of a table.
pub(crate) trait RowSink {
    /// Appends the lines of these rows of a block, which begin at row 0 of `rendered`. A row without a field makes no line.
    fn push_rows(&mut self, layout: &TableLayout, rendered: &[RenderedColumn], rows: Range<usize>);
}
