#![cfg_attr(feature = "query", doc = include_str!("../README.md"))]
#![cfg_attr(not(feature = "query"), doc = "A blocking client for InfluxDB 3, without queries.")]
#![forbid(unsafe_code)]
#![warn(clippy::expect_used, clippy::unwrap_used)]

#[cfg(feature = "arbitrary")]
mod arbitrary;
mod calendar;
mod client;
mod client_builder;
#[cfg(feature = "_columns")]
#[cfg_attr(not(all(feature = "files", feature = "serde")), allow(dead_code, unused_imports))]
// each uses a part
mod columns;
mod config;
mod error;
#[cfg(feature = "_files")]
#[cfg_attr(not(feature = "files"), allow(dead_code))] // each uses a part
mod file;
#[cfg(feature = "_fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod line_protocol;
mod point;
mod precision;
#[cfg(feature = "query")]
mod query;
mod record;
mod timestamp;
mod transport;
mod write;

pub use client::{Client, WeakClient};
pub use client_builder::ClientBuilder;
pub use error::{Error, ErrorKind, LineError, Result};
#[cfg(feature = "_files")]
pub use file::ColumnType;
pub use line_protocol::{FieldValue, Line, LineBuffer};
pub use point::Point;
#[cfg(feature = "polars")]
pub use polars_core;
pub use precision::Precision;
#[cfg(feature = "pretty")]
pub use query::TableDisplay;
#[cfg(all(feature = "query", feature = "serde"))]
pub use query::TypedRows;
#[cfg(feature = "query")]
pub use query::{
    CancelHandle, Chunk, Chunks, ColumnIndex, ColumnKind, FromCell, Language, Param, QueryProgress,
    QueryRequest, QueryStats, Reader, Row, Rows, Table, TableColumn, Values,
};
#[cfg(feature = "arrow")]
pub use record::Columns;
#[cfg(feature = "polars")]
pub use record::Frame;
#[cfg(feature = "serde")]
pub use record::Structs;
pub use record::{Iter, Lines, One, Record, Seq};
pub use timestamp::Timestamp;
pub use write::{
    Amount, Batch, OnFull, ThreadPoolScheduler, WriteOptions, WriteRequest, WriteStats,
};
#[cfg(feature = "_files")]
pub use write::{FileReport, Progress, WriteFile};
#[cfg(feature = "arrow")]
pub use {arrow_array, arrow_schema};
