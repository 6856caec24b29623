//! The lines of record batches.

use std::ops::Range;

use arrow_array::{Array, RecordBatch};
use arrow_schema::{DataType, Schema, TimeUnit};

use super::array;
use crate::columns::{
    CellError, Column, Encoder, LayoutOptions, RenderedColumn, Role, RowError, Table, Values,
    WrittenValues,
};
use crate::line_protocol::TagRules;
use crate::record::Lines;
use crate::{Error, Precision, Result};

/// Turns batches of one schema into lines, block by block.
pub(crate) struct BatchEncoder {
    encoder: Encoder,
    names: Vec<String>,
    types: Vec<DataType>,
}

impl BatchEncoder {
    pub(crate) fn new(
        schema: &Schema,
        layout: &LayoutOptions,
        rules: &TagRules,
        precision: Precision,
    ) -> Result<Self> {
        let fields = schema.fields();
        let column =
            |field: &arrow_schema::FieldRef| (field.name().clone(), field.data_type().clone());
        let (names, types): (Vec<String>, Vec<DataType>) = fields.iter().map(column).unzip();
        let columns: Vec<Column<'_>> = names
            .iter()
            .zip(&types)
            .map(|(name, data_type)| Column { name, values: values(data_type), data_type })
            .collect();
        let encoder = Encoder::new(&columns, layout, rules, precision)?;
        Ok(Self { encoder, names, types })
    }

    /// From now on batches have nothing but the columns that are written; returns their places in the schema as it was.
    #[cfg(any(feature = "parquet", feature = "feather", feature = "orc"))]
    pub(crate) fn narrow(&mut self) -> Vec<usize> {
        let places = self.encoder.narrow();
        let keep = |place: &usize| places.binary_search(place).is_ok();
        let mut place = 0..;
        self.names.retain(|_| place.next().as_ref().is_some_and(keep));
        let mut place = 0..;
        self.types.retain(|_| place.next().as_ref().is_some_and(keep));
        places
    }

    /// Appends the lines of some rows of a batch, and with an error those of the rows before it.
    pub(crate) fn encode(
        &mut self,
        batch: &RecordBatch,
        rows: Range<usize>,
        lines: &mut Lines<'_>,
    ) -> Result<(), RowError> {
        self.check_schema(batch.schema_ref()).map_err(RowError::whole)?;
        self.encoder.encode(batch, rows, lines)
    }

    /// Readers promise one schema, but batches of a list may differ.
    fn check_schema(&self, schema: &Schema) -> Result<()> {
        let fields = schema.fields();
        let same = fields.len() == self.names.len()
            && fields.iter().zip(self.names.iter().zip(&self.types)).all(
                |(field, (name, data_type))| {
                    field.name() == name && is_same(data_type, field.data_type())
                },
            );
        if same {
            return Ok(());
        }
        Err(Error::invalid_record(
            "a record batch has other columns than the first one of its reader: write it in a call of its own",
        ))
    }
}

/// Whether a column of a batch is of the type that it was said to have. Readers of files give times that nanoseconds
/// cannot hold as text, which is what a field and a tag of them are, and what can be a time.
fn is_same(said: &DataType, found: &DataType) -> bool {
    said == found
        || matches!((said, found), (DataType::Timestamp(TimeUnit::Nanosecond, _), DataType::Utf8))
}

/// The schema was checked, so that the columns are those of the plan.
impl Table for RecordBatch {
    fn render<R: Role>(
        &self,
        column: usize,
        rows: Range<usize>,
        role: &R,
        written: &mut WrittenValues,
        rendered: &mut RenderedColumn,
    ) -> Result<(), CellError> {
        array::render(self.column(column), rows, role, written, rendered)
    }

    fn is_shared(&self, column: usize) -> bool {
        matches!(
            self.column(column).data_type(),
            DataType::Dictionary(..) | DataType::RunEndEncoded(..)
        )
    }
}

fn values(data_type: &DataType) -> Values {
    match data_type {
        DataType::Dictionary(_, of) => shared_values(of),
        DataType::RunEndEncoded(_, of) => shared_values(of.data_type()),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Values::Text,
        DataType::Boolean
        | DataType::Time32(_)
        | DataType::Time64(_)
        | DataType::Duration(_)
        | DataType::Null => Values::Plain,
        DataType::Binary
        | DataType::LargeBinary
        | DataType::BinaryView
        | DataType::FixedSizeBinary(_) => Values::Binary,
        DataType::Interval(_) => Values::Interval,
        data_type if data_type.is_nested() => Values::Nested,
        _ => Values::Times,
    }
}

/// Of what rows refer to, which may not refer to something else.
fn shared_values(data_type: &DataType) -> Values {
    match data_type {
        DataType::Dictionary(..) | DataType::RunEndEncoded(..) => Values::Nested,
        data_type => values(data_type),
    }
}
