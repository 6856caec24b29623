//! Queries over Arrow Flight: from a text to record batches.

mod answer;
mod body;
mod call;
mod cancel;
mod cell;
mod chunks;
mod client;
mod connections;
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
#[cfg(feature = "pretty")]
mod pretty;
mod progress;
mod reader;
mod request;
mod retry;
mod rfc3339;
mod rows;
mod runtime;
mod stats;
mod status;
mod table;
mod ticket;
mod to_point;
#[cfg(feature = "serde")]
mod typed;

pub use cancel::CancelHandle;
pub use chunks::{Chunk, Chunks};
pub(crate) use client::QueryClient;
pub use from_cell::FromCell;
pub use kind::ColumnKind;
pub use progress::QueryProgress;
pub use reader::Reader;
pub use request::QueryRequest;
pub use rows::{ColumnIndex, Row, Rows};
pub use stats::QueryStats;
pub use table::Table;
pub use ticket::{Language, Param};
#[cfg(feature = "serde")]
pub use typed::TypedRows;
