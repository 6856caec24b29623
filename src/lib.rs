// With the features that the guides need, the names in the readme link to items. For readers of the repository the
// readme has links of its own at its end.
#![cfg_attr(
    all(
        feature = "arbitrary",
        feature = "files",
        feature = "polars",
        feature = "query",
        feature = "serde"
    ),
    doc = include_str!("guide/readme_links.md")
)]
#![cfg_attr(
    all(feature = "query", any(not(doctest), feature = "csv")),
    doc = include_str!("../README.md")
)]
#![cfg_attr(
    all(feature = "write", not(feature = "query")),
    doc = "A blocking client for InfluxDB 3, without queries."
)]
#![cfg_attr(
    not(feature = "write"),
    doc = "Line protocol for InfluxDB 3, in memory: points, line buffers and tables as lines, without a client."
)]
#![forbid(unsafe_code)]
#![warn(clippy::expect_used, clippy::unwrap_used)]

#[cfg(feature = "arbitrary")]
mod arbitrary;
#[cfg(feature = "write")]
mod back_off;
#[cfg(feature = "write")]
mod batch;
mod calendar;
#[cfg(feature = "write")]
mod client;
#[cfg(feature = "write")]
mod client_builder;
#[cfg(feature = "_columns")]
#[cfg_attr(not(all(feature = "files", feature = "serde")), allow(dead_code, unused_imports))]
// each uses a part
mod columns;
#[cfg(feature = "write")]
mod config;
#[cfg(feature = "write")]
mod contain;
mod error;
#[cfg(feature = "_files")]
#[cfg_attr(not(feature = "files"), allow(dead_code))] // each uses a part
mod file;
#[cfg(feature = "_fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
#[cfg(all(
    doc,
    feature = "arbitrary",
    feature = "files",
    feature = "polars",
    feature = "query",
    feature = "serde"
))]
pub mod guide;
#[cfg_attr(not(feature = "write"), allow(dead_code, unused_imports))] // a client uses more
mod line_protocol;
mod point;
mod precision;
#[cfg(feature = "write")]
mod process;
#[cfg(feature = "query")]
mod query;
mod record;
#[cfg_attr(not(feature = "write"), allow(dead_code))] // JSON, tables and files use more
mod timestamp;
#[cfg(feature = "write")]
mod transport;
#[cfg(feature = "write")]
mod write;

#[cfg(feature = "write")]
pub use batch::Batch;
#[cfg(feature = "write")]
pub use client::{Client, WeakClient};
#[cfg(feature = "write")]
pub use client_builder::ClientBuilder;
#[cfg(feature = "write")]
pub use error::LineError;
pub use error::{Error, ErrorKind, Result};
#[cfg(feature = "_files")]
pub use file::{ColumnType, FileColumn, FileFormat, SkippedRow};
#[cfg(feature = "derive")]
pub use influxdb3_blocking_derive::Record;
pub use line_protocol::{FieldValue, Line, LineBuffer, Optional, Required, TagValue};
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
#[cfg(feature = "write")]
pub use write::{Amount, OnFull, ThreadPoolScheduler, WriteOptions, WriteRequest, WriteStats};
#[cfg(feature = "_files")]
pub use write::{FileReport, Progress, WriteFile};
#[cfg(feature = "spool")]
pub use write::{Spool, SpoolStats, SpoolSync};
#[cfg(feature = "arrow")]
pub use {arrow_array, arrow_schema};
