//! Queries, over Arrow Flight or over HTTP: from a text to record batches, rows, tables and data frames.
//!
//! The inner rooms use those above them in this list, and not the other way round:
//!
//! - [`runtime`]: the thread that owns the network
//! - [`call`]: a call of a server: its connection, request, deadline, status and errors
//! - [`statement`]: what is asked
//! - [`flight`], [`over_http`]: how it is sent, and how answers are read
//! - [`client`]: what a client has for queries; it starts the tasks that make the calls
//! - [`answer`]: the answer on its way: tries, limits, progress, batches
//! - [`rows`]: from record batches to rows and values of Rust's types
//! - [`forms`]: the forms in which an answer is taken
//! - [`request`]: a query that is being put together; [`catalog`]: queries for tables and columns

mod answer;
mod call;
mod catalog;
mod client;
mod flight;
mod forms;
#[cfg(any(test, feature = "_fuzzing"))]
pub(crate) mod fuzz;
#[cfg(feature = "parquet")]
mod over_http;
mod request;
mod rows;
mod runtime;
mod statement;
mod time_units;
mod unreadable;

pub use answer::{CancelHandle, QueryProgress, QueryStats};
pub use catalog::TableColumn;
pub(crate) use catalog::{columns, tables};
pub(crate) use client::QueryClient;
#[cfg(feature = "pretty")]
pub use forms::TableDisplay;
#[cfg(feature = "serde")]
pub use forms::TypedRows;
pub use forms::{Chunk, Chunks, Reader, Table};
pub use request::QueryRequest;
pub use rows::{ColumnIndex, ColumnKind, FromCell, Row, Rows, Values};
pub use statement::{Language, Param};
