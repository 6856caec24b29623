//! A blocking client for InfluxDB 3.

#![forbid(unsafe_code)]

#[cfg(feature = "arbitrary")]
mod arbitrary;
mod error;
#[cfg(feature = "_fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod line_protocol;
mod point;
mod precision;
mod timestamp;
mod write;

pub use error::{Error, ErrorKind, LineError, Result};
pub use line_protocol::{FieldValue, Line, LineBuffer};
pub use point::Point;
pub use precision::Precision;
pub use timestamp::Timestamp;
pub use write::Batch;
