//! Tables to lines, column by column: what each column becomes is decided once, its names are escaped once, and
//! each block of rows is rendered a column at a time before lines are put together from that.

mod cell;
#[cfg(any(feature = "arrow", feature = "polars"))]
pub(crate) mod decimal;
#[cfg(any(feature = "arrow", feature = "polars"))]
mod encoder;
mod options;
mod rendered_column;
mod table_layout;
mod tags;

pub(crate) use cell::{Cell, Measurement, Role, Time, binary_text, field_value};
#[cfg(any(feature = "arrow", feature = "polars"))]
pub(crate) use encoder::{
    Column, Encoder, RowError, RowSink, Table, Values, WrittenValues, render_each, try_render_each,
};
pub(crate) use options::{LayoutOptions, layout_options};
pub(crate) use rendered_column::RenderedColumn;
pub(crate) use table_layout::{ColumnRole, LaidColumn, TableLayout};
pub(crate) use tags::{LineTag, in_order as tags_in_order};

/// A value that cannot be written, and where it is.
#[derive(Debug)]
pub(crate) struct CellError {
    /// The row within its table, from 0.
    pub(crate) row: usize,
    pub(crate) error: crate::Error,
}

/// How many rows a block has: enough to keep the loops tight, few enough for their pieces to stay in the cache.
pub(crate) const BLOCK_ROWS: usize = 1024;
