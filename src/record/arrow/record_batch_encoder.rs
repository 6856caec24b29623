//! The lines of record batches.

use std::ops::Range;

use arrow_array::{Array, RecordBatch};
use arrow_schema::{DataType, Schema, TimeUnit};

use super::array;
use crate::columns::{
    ColumnDescription, LayoutOptions, RenderedColumn, Role, RowError, TableData, TableEncoder,
    ValueError, ValueKind, WrittenValues,
};
use crate::line_protocol::TagRules;
use crate::record::Lines;
use crate::{Error, Precision, Result};

/// Turns batches of one schema into lines, block by block.
pub(crate) struct RecordBatchEncoder {
    encoder: TableEncoder,
    names: Vec<String>,
    types: Vec<DataType>,
}

impl RecordBatchEncoder {
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
        let columns: Vec<ColumnDescription<'_>> = names
            .iter()
            .zip(&types)
            .map(|(name, data_type)| ColumnDescription {
                name,
                kind: kind_of(data_type),
                data_type,
            })
            .collect();
        let encoder = TableEncoder::new(&columns, layout, rules, precision)?;
        Ok(Self { encoder, names, types })
    }

    /// From now on takes batches that have only the columns that are written, in the order of the schema; returns their
    /// places in the schema as it was.
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

    /// Appends the lines of these rows of a batch; with an error, those of the rows before the one that it is about.
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

/// [`RecordBatchEncoder::encode`] has checked the schema, so that the columns are those that the encoder was made for.
impl TableData for RecordBatch {
    fn render<R: Role>(
        &self,
        column: usize,
        rows: Range<usize>,
        role: &R,
        written: &mut WrittenValues,
        rendered: &mut RenderedColumn,
    ) -> Result<(), ValueError> {
        array::render(self.column(column), rows, role, written, rendered)
    }

    fn is_shared(&self, column: usize) -> bool {
        matches!(
            self.column(column).data_type(),
            DataType::Dictionary(..) | DataType::RunEndEncoded(..)
        )
    }
}

fn kind_of(data_type: &DataType) -> ValueKind {
    match data_type {
        DataType::Dictionary(_, of) => shared_kind_of(of),
        DataType::RunEndEncoded(_, of) => shared_kind_of(of.data_type()),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => ValueKind::Text,
        DataType::Boolean
        | DataType::Time32(_)
        | DataType::Time64(_)
        | DataType::Duration(_)
        | DataType::Null => ValueKind::Plain,
        DataType::Binary
        | DataType::LargeBinary
        | DataType::BinaryView
        | DataType::FixedSizeBinary(_) => ValueKind::Binary,
        DataType::Interval(_) => ValueKind::Interval,
        data_type if data_type.is_nested() => ValueKind::Nested,
        _ => ValueKind::Times,
    }
}

/// The kind of a dictionary's or a run-end encoded array's values; these may not be such arrays themselves.
fn shared_kind_of(data_type: &DataType) -> ValueKind {
    match data_type {
        DataType::Dictionary(..) | DataType::RunEndEncoded(..) => ValueKind::Nested,
        data_type => kind_of(data_type),
    }
}
