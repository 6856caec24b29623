//! Tables to lines, column by column: what each column becomes is decided once, its names are escaped once, and
//! each block of rows is written a column at a time before the pieces are put together into lines.

mod cell;
#[cfg(feature = "_columns")]
mod layout;
#[cfg(feature = "_columns")]
mod pieces;
#[cfg(feature = "_columns")]
mod plan;

pub(crate) use cell::{Cell, Time};
#[cfg(feature = "_columns")]
pub(crate) use {
    cell::{Role, field_value},
    layout::Layout,
    pieces::Pieces,
    plan::{Duty, Plan, Planned},
};

/// A value that cannot be written, and where it is.
#[cfg(feature = "_columns")]
#[derive(Debug)]
pub(crate) struct CellError {
    /// The row within its block, from 0.
    pub(crate) row: usize,
    pub(crate) error: crate::Error,
}

/// How many rows a block has: enough to keep the loops tight, few enough for their pieces to stay in the cache.
#[cfg(feature = "_columns")]
pub(crate) const BLOCK_ROWS: usize = 1024;
