//! A blocking client for InfluxDB 3.

#![forbid(unsafe_code)]

mod config;
mod error;
mod precision;
mod transport;
mod write;

pub use error::{Error, ErrorKind, LineError, Result};
pub use precision::Precision;
pub use write::Batch;
