//! A blocking client for InfluxDB 3.

#![forbid(unsafe_code)]

mod config;
mod error;
mod precision;
#[cfg(feature = "query")]
mod query;
mod transport;
mod write;

pub use error::{Error, ErrorKind, LineError, Result};
pub use precision::Precision;
#[cfg(feature = "query")]
pub use query::{
    CancelHandle, ColumnIndex, FromCell, Language, Param, QueryRequest, Reader, Row, Rows, Table,
};
pub use write::Batch;
#[cfg(feature = "arrow")]
pub use {arrow_array, arrow_schema};
