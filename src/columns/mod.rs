//! Tables to lines, column by column, for Arrow, polars and files alike.
//!
//! A [`TableLayout`] decides once what each column becomes, and escapes the names. Then each block of rows is rendered a
//! column at a time into [`RenderedColumn`]s, and the lines of the block are put together from these.

mod candidate_columns;
mod column_value;
#[cfg(any(feature = "arrow", feature = "polars"))]
pub(crate) mod decimal;
mod options;
#[cfg(any(feature = "arrow", feature = "polars"))]
mod render;
mod rendered_column;
mod role;
mod row_sink;
#[cfg(any(feature = "arrow", feature = "polars"))]
mod table_encoder;
mod table_layout;
mod tags;
mod time_role;

pub(crate) use column_value::{ColumnValue, binary_text, field_value};
pub(crate) use options::{LayoutOptions, layout_options};
#[cfg(any(feature = "arrow", feature = "polars"))]
pub(crate) use render::{ValueError, WrittenValues, render_each, try_render_each};
pub(crate) use rendered_column::RenderedColumn;
pub(crate) use role::{MeasurementRole, Role};
pub(crate) use row_sink::RowSink;
#[cfg(any(feature = "arrow", feature = "polars"))]
pub(crate) use table_encoder::{ColumnDescription, RowError, TableData, TableEncoder, ValueKind};
pub(crate) use table_layout::{ColumnRole, LaidColumn, TableLayout};
pub(crate) use tags::{LineTag, in_order as tags_in_order};
pub(crate) use time_role::TimeRole;

/// How many rows a block has: enough to keep the loops tight, few enough for what is rendered to stay in the cache.
pub(crate) const BLOCK_ROWS: usize = 1024;
