//! The lines of a table that is in memory, block by block.

use std::fmt;
use std::ops::Range;

use super::{
    BLOCK_ROWS, ColumnRole, LaidColumn, LayoutOptions, RenderedColumn, Role, RowSink, TableLayout,
    ValueError, WrittenValues,
};
use crate::line_protocol::{TagRules, escape};
use crate::{Error, Precision, Result};

/// A table in memory, as its library has it: columns, each of values of one type.
pub(crate) trait TableData {
    /// Appends these rows of a column to `rendered`. The type of the column is looked at once, and then there is a loop over
    /// its values. `written` is for columns whose rows [share](Self::is_shared) values, and is kept from call to call.
    ///
    /// # Errors
    /// A value cannot be written; the rows before it are rendered.
    fn render<R: Role>(
        &self,
        column: usize,
        rows: Range<usize>,
        role: &R,
        written: &mut WrittenValues,
        rendered: &mut RenderedColumn,
    ) -> Result<(), ValueError>;

    /// Whether the rows of a column refer to values by number, so that what is rendered of a value is kept for later blocks.
    fn is_shared(&self, column: usize) -> bool;
}

/// Turns tables of the same columns into lines.
pub(crate) struct TableEncoder {
    layout: TableLayout,
    written: Vec<WrittenValues>,
    rendered: Vec<RenderedColumn>,
}

/// What decides whether a column can be a tag, a field, the measurement or the timestamp.
pub(crate) struct ColumnDescription<'a> {
    pub(crate) name: &'a str,
    pub(crate) kind: ValueKind,
    /// The name of the type in its library, for errors.
    pub(crate) data_type: &'a dyn fmt::Display,
}

/// What the values of a column can be in a line.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum ValueKind {
    /// Text: anything.
    Text,
    /// Instants, dates and numbers: tags, fields and timestamps, not the measurement.
    Times,
    /// Booleans, times of the day, durations and nulls: tags and fields only.
    Plain,
    /// Bytes: what text can be, if the caller says that they are UTF-8, and otherwise nothing.
    Binary,
    /// Lists, structs and maps: nothing.
    Nested,
    /// Spans of months and days, which have no fixed length: nothing.
    Interval,
    /// A type that this crate has no rule for, such as polars' objects, or one that a later polars adds: nothing.
    #[cfg(feature = "polars")]
    Unknown,
}

impl TableEncoder {
    pub(crate) fn new(
        columns: &[ColumnDescription<'_>],
        options: &LayoutOptions,
        rules: &TagRules,
        precision: Precision,
    ) -> Result<Self> {
        let names: Vec<&str> = columns.iter().map(|column| column.name).collect();
        let layout = TableLayout::new(options, &names, rules, precision)?;
        for laid in layout.columns() {
            if let Some(column) = columns.get(laid.index) {
                column.check(laid, options.binary_as_text)?;
            }
        }
        let count = layout.columns().len();
        Ok(Self {
            layout,
            written: vec![WrittenValues::default(); count],
            rendered: vec![RenderedColumn::default(); count],
        })
    }

    /// As [`TableLayout::narrow`].
    #[cfg(any(feature = "parquet", feature = "feather", feature = "orc"))]
    pub(crate) fn narrow(&mut self) -> Vec<usize> {
        self.layout.narrow()
    }

    /// Appends the lines of these rows.
    ///
    /// # Errors
    /// A value cannot be written; the lines of the rows before it were appended.
    pub(crate) fn encode<T: TableData>(
        &mut self,
        table: &T,
        rows: Range<usize>,
        lines: &mut impl RowSink,
    ) -> Result<(), RowError> {
        for (written, rendered) in self.written.iter_mut().zip(&mut self.rendered) {
            written.clear();
            rendered.clear();
        }
        let mut start = rows.start;
        while start < rows.end {
            let end = rows.end.min(start + BLOCK_ROWS);
            let result = self.block(table, start..end);
            let whole = match &result {
                Err(error) => error.row.unwrap_or(start) - start,
                Ok(()) => end - start,
            };
            lines.push_rows(&self.layout, &self.rendered, 0..whole);
            result?;
            start = end;
        }
        Ok(())
    }

    fn block<T: TableData>(&mut self, table: &T, rows: Range<usize>) -> Result<(), RowError> {
        let columns = self.layout.columns().iter().zip(&mut self.written).zip(&mut self.rendered);
        // Of several errors the one of the first row is returned, as if rows were read one by one.
        let mut first: Option<RowError> = None;
        for ((column, written), rendered) in columns {
            let is_shared = table.is_shared(column.index);
            if is_shared {
                rendered.clear_rows();
            } else {
                rendered.clear();
            }
            rendered.reserve(rows.len(), is_shared);
            let (index, rows) = (column.index, rows.clone());
            let result = match &column.role {
                ColumnRole::Measurement(role) => table.render(index, rows, role, written, rendered),
                ColumnRole::Tag(role) => table.render(index, rows, role, written, rendered),
                ColumnRole::Field(role) => table.render(index, rows, role, written, rendered),
                ColumnRole::Time(role) => table.render(index, rows, role, written, rendered),
            };
            if let Err(ValueError { row, error }) = result
                && first.as_ref().and_then(|first| first.row).is_none_or(|first| row < first)
            {
                first = Some(RowError { row: Some(row), column: column.name.clone(), error });
            }
        }
        first.map_or(Ok(()), Err)
    }
}

impl ColumnDescription<'_> {
    /// Refuses a column whose type cannot be what the layout has made of it.
    fn check(&self, laid: &LaidColumn, binary_as_text: bool) -> Result<()> {
        let data_type = self.data_type;
        let problem = match (self.kind, &laid.role) {
            (ValueKind::Binary, _) if binary_as_text => return Ok(()),
            (ValueKind::Binary, _) => format!(
                "is of type {data_type}, which no column of InfluxDB can hold: take it for text with \
                 .binary_as_text(true), or leave it out with .exclude(…)"
            ),
            (ValueKind::Nested, _) => format!(
                "is of the nested type {data_type}: make a column of each of its parts, or leave it out with .exclude(…)"
            ),
            (ValueKind::Interval, _) => format!(
                "is of type {data_type}, which has no fixed length: make it a duration or text, or leave it out with \
                 .exclude(…)"
            ),
            #[cfg(feature = "polars")]
            (ValueKind::Unknown, _) => format!(
                "is of type {data_type}, which cannot be written: make it another, or leave it out with .exclude(…)"
            ),
            (ValueKind::Times | ValueKind::Plain, ColumnRole::Measurement(_)) => {
                format!("names the measurement and must be text, but is {data_type}")
            }
            (ValueKind::Plain, ColumnRole::Time(_)) => format!(
                "has the timestamps and must be a timestamp, a date, an integer or text, but is {data_type}"
            ),
            (ValueKind::Text | ValueKind::Times | ValueKind::Plain, _) => return Ok(()),
        };
        Err(Error::invalid_record(format!("the column {} {problem}", escape::quoted(&laid.name))))
    }
}

/// Why a row, or the whole table, cannot be written.
#[derive(Debug)]
pub(crate) struct RowError {
    /// The row in the table, from 0; none if it is about all of it.
    row: Option<usize>,
    column: String,
    error: Error,
}

impl RowError {
    /// An error of the whole table.
    pub(crate) fn whole(error: Error) -> Self {
        Self { row: None, column: String::new(), error }
    }

    /// The error for the caller, with row and column; `before` is the number of rows before this table.
    pub(crate) fn at_row(self, before: usize) -> Error {
        match self.row {
            None => self.error,
            Some(row) => self.error.in_context(&format!(
                "row {}, column {}",
                before + row + 1,
                escape::quoted(&self.column)
            )),
        }
    }
}
