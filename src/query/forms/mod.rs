//! The forms in which a caller takes an answer: a table, a reader of batches, chunks, values of a type, a data frame.

mod chunks;
#[cfg(feature = "polars")]
mod data_frame;
mod reader;
mod table;
#[cfg(feature = "pretty")]
mod table_display;
#[cfg(feature = "pretty")]
mod text_columns;
#[cfg(feature = "serde")]
mod typed_rows;

pub use chunks::{Chunk, Chunks};
#[cfg(feature = "polars")]
pub(crate) use data_frame::DataFrameBuilder;
pub use reader::Reader;
pub use table::Table;
#[cfg(feature = "pretty")]
pub use table_display::TableDisplay;
#[cfg(feature = "serde")]
pub use typed_rows::TypedRows;
