//! The lines of a record batch.

use std::ops::Range;

use arrow_array::{Array, RecordBatch};
use arrow_schema::{DataType, Schema};

use super::array::{self, Rendered};
use crate::columns::{BLOCK_ROWS, CellError, Duty, Layout, Pieces, Plan};
use crate::line_protocol::{TagRules, escape};
use crate::record::Lines;
use crate::{Error, Precision, Result};

/// Turns batches of one schema into lines, block by block.
pub(crate) struct BatchEncoder {
    plan: Plan,
    names: Vec<String>,
    types: Vec<DataType>,
    rendered: Vec<Rendered>,
    pieces: Vec<Pieces>,
}

impl BatchEncoder {
    pub(crate) fn new(
        schema: &Schema,
        layout: &Layout,
        rules: &TagRules,
        precision: Precision,
    ) -> Result<Self> {
        let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        let plan = Plan::new(layout, &names, rules, precision)?;
        for column in plan.columns() {
            let field = schema.field(column.index); // the plan has made its places of these fields
            check_type(field.data_type(), &column.duty).map_err(|problem| {
                Error::invalid_record(format!(
                    "the column {} {problem}",
                    escape::quoted(&column.name)
                ))
            })?;
        }
        let count = plan.columns().len();
        Ok(Self {
            plan,
            names: names.into_iter().map(str::to_owned).collect(),
            types: schema.fields().iter().map(|field| field.data_type().clone()).collect(),
            rendered: vec![Rendered::default(); count],
            pieces: vec![Pieces::default(); count],
        })
    }

    /// Appends the lines of some rows of a batch, and with an error those of the rows before it.
    pub(crate) fn encode(
        &mut self,
        batch: &RecordBatch,
        rows: Range<usize>,
        lines: &mut Lines<'_>,
    ) -> Result<(), BatchError> {
        self.check_schema(batch.schema_ref()).map_err(BatchError::whole)?;
        for (rendered, pieces) in self.rendered.iter_mut().zip(&mut self.pieces) {
            rendered.forget();
            pieces.clear();
        }
        let mut start = rows.start;
        while start < rows.end {
            let end = rows.end.min(start + BLOCK_ROWS);
            let result = self.block(batch, start..end);
            let whole = match &result {
                Err(error) => error.row.unwrap_or(start) - start,
                Ok(()) => end - start,
            };
            lines.push_rows(&self.plan, &self.pieces, whole);
            result?;
            start = end;
        }
        Ok(())
    }

    fn block(&mut self, batch: &RecordBatch, rows: Range<usize>) -> Result<(), BatchError> {
        let columns = self.plan.columns().iter().zip(&mut self.rendered).zip(&mut self.pieces);
        // Of several errors the one of the first row is told, as it would be if rows were read one by one.
        let mut first: Option<BatchError> = None;
        for ((column, rendered), pieces) in columns {
            let array = batch.column(column.index); // the schema is that of the plan
            if rendered.is_shared(array.data_type()) {
                pieces.clear_rows();
            } else {
                pieces.clear();
            }
            let rows = rows.clone();
            let result = match &column.duty {
                Duty::Name(role) => array::render(array, rows, role, rendered, pieces),
                Duty::Tag(role) => array::render(array, rows, role, rendered, pieces),
                Duty::Field(role) => array::render(array, rows, role, rendered, pieces),
                Duty::Time(role) => array::render(array, rows, role, rendered, pieces),
            };
            if let Err(CellError { row, error }) = result
                && first.as_ref().and_then(|first| first.row).is_none_or(|first| row < first)
            {
                first = Some(BatchError { row: Some(row), column: column.name.clone(), error });
            }
        }
        first.map_or(Ok(()), Err)
    }

    /// Readers promise one schema, but batches of a list may differ.
    fn check_schema(&self, schema: &Schema) -> Result<()> {
        let fields = schema.fields();
        let same = fields.len() == self.names.len()
            && fields.iter().zip(self.names.iter().zip(&self.types)).all(
                |(field, (name, data_type))| field.name() == name && field.data_type() == data_type,
            );
        if same {
            return Ok(());
        }
        Err(Error::invalid_record(
            "a record batch has other columns than the first one of its reader: write it in a call of its own",
        ))
    }
}

/// A batch that cannot be written, and where that is.
#[derive(Debug)]
pub(crate) struct BatchError {
    /// The row in the batch, from 0.
    pub(crate) row: Option<usize>,
    pub(crate) column: String,
    pub(crate) error: Error,
}

impl BatchError {
    fn whole(error: Error) -> Self {
        Self { row: None, column: String::new(), error }
    }

    /// Names row and column; `before` is the number of rows before the batch.
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

/// Whether a column of this type can be what it shall be.
fn check_type(data_type: &DataType, duty: &Duty) -> Result<(), String> {
    let values = match data_type {
        DataType::Dictionary(_, values) => values,
        other => other,
    };
    match values {
        DataType::Binary
        | DataType::LargeBinary
        | DataType::BinaryView
        | DataType::FixedSizeBinary(_) => {
            return Err(format!(
                "is of type {data_type}, which no column of InfluxDB can hold: make it text"
            ));
        }
        DataType::List(_)
        | DataType::LargeList(_)
        | DataType::ListView(_)
        | DataType::LargeListView(_)
        | DataType::FixedSizeList(..)
        | DataType::Struct(_)
        | DataType::Map(..)
        | DataType::Union(..)
        | DataType::RunEndEncoded(..)
        | DataType::Dictionary(..) => {
            return Err(format!(
                "is of the nested type {data_type}: make a column of each of its parts, or leave it out"
            ));
        }
        DataType::Interval(_) => {
            return Err(format!(
                "is of type {data_type}, which has no fixed length: make it a duration or text"
            ));
        }
        _ => {}
    }
    let is_text = matches!(values, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
    match duty {
        Duty::Name(_) if !is_text => {
            Err(format!("names the measurement and must be text, but is {data_type}"))
        }
        Duty::Time(_)
            if matches!(
                values,
                DataType::Boolean
                    | DataType::Time32(_)
                    | DataType::Time64(_)
                    | DataType::Duration(_)
                    | DataType::Null
            ) =>
        {
            Err(format!(
                "has the timestamps and must be a timestamp, a date, an integer or text, but is {data_type}"
            ))
        }
        _ => Ok(()),
    }
}
