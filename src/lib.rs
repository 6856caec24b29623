//! A blocking client for InfluxDB 3.

#![forbid(unsafe_code)]

mod config;
mod error;
mod line_protocol;
mod point;
mod precision;
#[cfg(feature = "query")]
mod query;
mod timestamp;
mod transport;
mod write;

pub use error::{Error, ErrorKind, LineError, Result};
pub use line_protocol::{FieldValue, Line, LineBuffer};
pub use point::Point;
pub use precision::Precision;
#[cfg(feature = "query")]
pub use query::{
    CancelHandle, ColumnIndex, FromCell, Language, Param, QueryRequest, Reader, Row, Rows, Table,
};
pub use timestamp::Timestamp;
pub use write::Batch;
#[cfg(feature = "arrow")]
pub use {arrow_array, arrow_schema};
