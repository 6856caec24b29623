//! Queries over Arrow Flight: from a text to record batches.

mod answer;
mod attempts;
mod body;
mod call;
mod cancel;
mod catalog;
mod cell;
#[cfg(feature = "serde")]
mod cell_deserializer;
mod cell_text;
mod chunks;
mod client;
mod column_index;
mod connections;
#[cfg(feature = "serde")]
mod deserialize;
mod dictionaries;
mod failure;
mod flight;
#[cfg(feature = "polars")]
mod frame;
mod from_cell;
#[cfg(any(test, feature = "_fuzzing"))]
pub(crate) mod fuzz;
mod gathered;
mod http1;
mod ipc;
mod kind;
mod limits;
mod message;
#[cfg(any(feature = "chrono", feature = "jiff", feature = "time"))]
mod other_times;
#[cfg(feature = "parquet")]
mod over_http;
mod params;
#[cfg(feature = "pretty")]
mod pretty;
mod progress;
mod reader;
mod request;
mod retry;
mod rows;
mod runtime;
#[cfg(feature = "serde")]
mod serde_rows;
mod source;
mod stats;
mod status;
mod table;
mod ticket;
mod time_units;
mod to_point;
mod values;

pub use cancel::CancelHandle;
pub use catalog::TableColumn;
pub(crate) use catalog::{columns, tables};
pub use chunks::{Chunk, Chunks};
pub(crate) use client::QueryClient;
pub use column_index::ColumnIndex;
pub use from_cell::FromCell;
pub use kind::ColumnKind;
#[cfg(feature = "pretty")]
pub use pretty::TableDisplay;
pub use progress::QueryProgress;
pub use reader::Reader;
pub use request::QueryRequest;
pub use rows::{Row, Rows};
#[cfg(feature = "serde")]
pub use serde_rows::TypedRows;
pub use stats::QueryStats;
pub use table::Table;
pub use ticket::{Language, Param};
pub use values::Values;
