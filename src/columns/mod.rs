//! Tables to lines, column by column: what each column becomes is decided once, its names are escaped once, and
//! each block of rows is written a column at a time before the pieces are put together into lines.

mod cell;
#[cfg(any(feature = "arrow", feature = "polars"))]
pub(crate) mod decimal;
#[cfg(any(feature = "arrow", feature = "polars"))]
mod encoder;
mod layout;
mod pieces;
mod plan;
mod tags;

pub(crate) use cell::{Cell, Name, Role, Time, field_value};
#[cfg(any(feature = "arrow", feature = "polars"))]
pub(crate) use encoder::{Column, Encoder, Rendered, RowError, Table, Values, render_each};
pub(crate) use layout::Layout;
#[cfg(any(feature = "arrow", feature = "polars", feature = "_files"))]
pub(crate) use layout::layout_options;
pub(crate) use pieces::Pieces;
pub(crate) use plan::{Duty, Plan};
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
