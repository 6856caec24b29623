//! From record batches to rows, and from their values to types of Rust.

mod cell;
#[cfg(feature = "serde")]
mod cell_deserializer;
mod cell_text;
#[cfg(any(feature = "chrono", feature = "jiff", feature = "time"))]
mod clocks;
mod column_index;
mod column_kind;
#[cfg(feature = "serde")]
mod deserialize;
mod from_cell;
mod row;
mod to_point;
#[cfg(feature = "serde")]
mod unfit;
mod values;

#[cfg(feature = "pretty")]
pub(crate) use cell::Cell;
pub use column_index::ColumnIndex;
pub(crate) use column_index::sealed::FindColumn;
pub use column_kind::ColumnKind;
pub use from_cell::FromCell;
pub use row::{Row, Rows};
pub use values::Values;
