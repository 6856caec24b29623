//! A blocking client for InfluxDB 3.

#![forbid(unsafe_code)]

mod config;
mod error;
mod line_protocol;
mod point;
mod precision;
mod timestamp;
mod transport;
mod write;

pub use error::{Error, ErrorKind, LineError, Result};
pub use line_protocol::{FieldValue, Line, LineBuffer};
pub use point::Point;
pub use precision::Precision;
pub use timestamp::Timestamp;
pub use write::Batch;
