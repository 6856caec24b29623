//! The lines of a table that is in memory, block by block.

use std::fmt;
use std::ops::Range;

use super::{
    BLOCK_ROWS, Cell, CellError, ColumnRole, LaidColumn, LayoutOptions, RenderedColumn, Role,
    TableLayout,
};
use crate::line_protocol::{TagRules, escape};
use crate::{Error, Precision, Result};

/// Columns of values. The type of a column is looked at once a block, and then there is a loop over its values.
pub(crate) trait Table {
    /// Renders some rows of a column.
    fn render<R: Role>(
        &self,
        column: usize,
        rows: Range<usize>,
        role: &R,
        written: &mut WrittenValues,
        rendered: &mut RenderedColumn,
    ) -> Result<(), CellError>;

    /// Whether the rows of a column refer to values, so that blocks share what is rendered.
    fn is_shared(&self, column: usize) -> bool;
}

/// What takes the lines of rows.
pub(crate) trait RowSink {
    /// Appends the lines of some rows of a block; rows without a field are left out.
    fn push_rows(&mut self, layout: &TableLayout, rendered: &[RenderedColumn], rows: Range<usize>);
}

/// Turns tables of the same columns into lines.
pub(crate) struct Encoder {
    layout: TableLayout,
    written: Vec<WrittenValues>,
    rendered: Vec<RenderedColumn>,
}

/// A column, as far as it matters for what it can be.
pub(crate) struct Column<'a> {
    pub(crate) name: &'a str,
    pub(crate) values: Values,
    pub(crate) data_type: &'a dyn fmt::Display,
}

/// What the values of a column are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Values {
    Text,
    /// What can be a time: instants, dates and numbers.
    Times,
    /// What can be a tag or a field, and no time.
    Plain,
    Binary,
    Nested,
    Interval,
    /// What nobody has thought of.
    #[cfg(feature = "polars")]
    Unknown,
}

impl Encoder {
    pub(crate) fn new(
        columns: &[Column<'_>],
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

    /// Appends the lines of some rows, and with an error those of the rows before it.
    pub(crate) fn encode<T: Table>(
        &mut self,
        table: &T,
        rows: Range<usize>,
        lines: &mut impl RowSink,
    ) -> Result<(), RowError> {
        for (written, rendered) in self.written.iter_mut().zip(&mut self.rendered) {
            written.0.clear();
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

    fn block<T: Table>(&mut self, table: &T, rows: Range<usize>) -> Result<(), RowError> {
        let columns = self.layout.columns().iter().zip(&mut self.written).zip(&mut self.rendered);
        // Of several errors the one of the first row is told, as it would be if rows were read one by one.
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
            if let Err(CellError { row, error }) = result
                && first.as_ref().and_then(|first| first.row).is_none_or(|first| row < first)
            {
                first = Some(RowError { row: Some(row), column: column.name.clone(), error });
            }
        }
        first.map_or(Ok(()), Err)
    }
}

impl Column<'_> {
    /// Whether the column can be what it shall be.
    fn check(&self, laid: &LaidColumn, binary_as_text: bool) -> Result<()> {
        let data_type = self.data_type;
        let problem = match (self.values, &laid.role) {
            (Values::Binary, _) if binary_as_text => return Ok(()),
            (Values::Binary, _) => format!(
                "is of type {data_type}, which no column of InfluxDB can hold: take it for text with \
                 .binary_as_text(true), or leave it out with .exclude(…)"
            ),
            (Values::Nested, _) => format!(
                "is of the nested type {data_type}: make a column of each of its parts, or leave it out with .exclude(…)"
            ),
            (Values::Interval, _) => format!(
                "is of type {data_type}, which has no fixed length: make it a duration or text, or leave it out with \
                 .exclude(…)"
            ),
            #[cfg(feature = "polars")]
            (Values::Unknown, _) => format!(
                "is of type {data_type}, which cannot be written: make it another, or leave it out with .exclude(…)"
            ),
            (Values::Times | Values::Plain, ColumnRole::Measurement(_)) => {
                format!("names the measurement and must be text, but is {data_type}")
            }
            (Values::Plain, ColumnRole::Time(_)) => format!(
                "has the timestamps and must be a timestamp, a date, an integer or text, but is {data_type}"
            ),
            (Values::Text | Values::Times | Values::Plain, _) => return Ok(()),
        };
        Err(Error::invalid_record(format!("the column {} {problem}", escape::quoted(&laid.name))))
    }
}

/// As [`render_each`], of values that may be an error.
#[inline(always)]
pub(crate) fn try_render_each<'a, R: Role>(
    rows: Range<usize>,
    role: &R,
    rendered: &mut RenderedColumn,
    cell: impl Fn(usize) -> Result<Cell<'a>>,
) -> Result<(), CellError> {
    for row in rows {
        let pushed = cell(row).and_then(|cell| rendered.push(role, cell));
        pushed.map_err(|error| CellError { row, error })?;
    }
    Ok(())
}

/// A row that cannot be written, and where that is.
#[derive(Debug)]
pub(crate) struct RowError {
    /// The row in the table, from 0; none if it is about all of it.
    row: Option<usize>,
    column: String,
    error: Error,
}

impl RowError {
    /// It is about the table and none of its rows.
    pub(crate) fn whole(error: Error) -> Self {
        Self { row: None, column: String::new(), error }
    }

    /// Names row and column; `before` is the number of rows before the table.
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

/// Renders some rows.
#[inline(always)]
pub(crate) fn render_each<'a, R: Role>(
    rows: Range<usize>,
    role: &R,
    rendered: &mut RenderedColumn,
    cell: impl Fn(usize) -> Cell<'a>,
) -> Result<(), CellError> {
    for row in rows {
        rendered.push(role, cell(row)).map_err(|error| CellError { row, error })?;
    }
    Ok(())
}

/// For each value that rows refer to where it was written, once it was. It is kept between the blocks of a table.
#[derive(Clone, Debug, Default)]
pub(crate) struct WrittenValues(Vec<Option<(usize, usize)>>);

impl WrittenValues {
    /// Adds rows that refer to values by number; each value is written once.
    #[inline(always)]
    pub(crate) fn render<R: Role>(
        &mut self,
        rows: Range<usize>,
        role: &R,
        rendered: &mut RenderedColumn,
        number: impl Fn(usize) -> Option<usize>,
        write: impl Fn(usize, &mut RenderedColumn) -> Result<(), CellError>,
    ) -> Result<(), CellError> {
        for row in rows {
            let Some(number) = number(row) else {
                rendered.push(role, Cell::Null).map_err(|error| CellError { row, error })?;
                continue;
            };
            match self.0.get(number).copied().flatten() {
                Some(range) => rendered.push_again(range),
                None => {
                    write(number, rendered).map_err(|error| CellError { row, ..error })?;
                    if self.0.len() <= number {
                        self.0.resize(number + 1, None);
                    }
                    if let Some(known) = self.0.get_mut(number) {
                        *known = rendered.last();
                    }
                }
            }
        }
        Ok(())
    }
}
