//! Rows as Arrow.

use std::{collections::HashMap, ops::Range, sync::Arc};

use datafusion::arrow::{
    array::{
        ArrayRef, BooleanArray, DictionaryArray, Float64Array, Int32Array, Int64Array, RecordBatch,
        StringArray, TimestampNanosecondArray, UInt64Array,
    },
    datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit},
};

use super::{ColumnKind, column::Column, table::Table};

/// Rows of a record batch: what DataFusion works on, and what a real server sends at once.
const ROWS_PER_BATCH: usize = 8192;

/// A table's rows as Arrow.
#[derive(Debug, Clone)]
pub(crate) struct Snapshot {
    pub(crate) schema: SchemaRef,
    pub(crate) batches: Vec<RecordBatch>,
}

impl Table {
    /// All rows as Arrow, columns sorted by name.
    pub(crate) fn snapshot(&mut self) -> Snapshot {
        if let Some(snapshot) = &self.snapshot {
            return snapshot.clone();
        }
        let rows = self.times.len();
        let mut fields: Vec<(Field, Vec<ArrayRef>)> = self
            .columns
            .iter()
            .zip(&self.cells)
            .map(|((name, kind), cells)| (field(name, kind), cells.to_arrow(rows, ROWS_PER_BATCH)))
            .collect();
        let times = chunks(rows, ROWS_PER_BATCH)
            .map(|range| {
                Arc::new(TimestampNanosecondArray::from_iter_values(
                    self.times[range].iter().copied(),
                )) as ArrayRef
            })
            .collect();
        fields.push((time_field(), times));
        fields.sort_by(|(a, _), (b, _)| a.name().cmp(b.name()));

        let (fields, arrays): (Vec<Field>, Vec<Vec<ArrayRef>>) = fields.into_iter().unzip();
        let schema = Arc::new(Schema::new(fields));
        let batches = (0..rows.div_ceil(ROWS_PER_BATCH))
            .map(|n| {
                let columns = arrays.iter().map(|chunks| chunks[n].clone()).collect();
                RecordBatch::try_new(schema.clone(), columns).expect("columns of one length")
            })
            .collect();
        let snapshot = Snapshot { schema, batches };
        self.snapshot = Some(snapshot.clone());
        snapshot
    }
}

impl Column {
    /// Cells of `rows` as Arrow arrays of up to `chunk` rows: arrays of their own, for slices of
    /// one big array would weigh as much as all of it when a message is cut to size.
    pub(crate) fn to_arrow(&self, rows: usize, chunk: usize) -> Vec<ArrayRef> {
        match self {
            Column::Tag(tags) => {
                let names: ArrayRef =
                    Arc::new(StringArray::from_iter_values(tags.names.iter().map(|n| &**n)));
                chunks(rows, chunk)
                    .map(|range| {
                        let keys = Int32Array::from_iter(cells(&tags.codes, range));
                        Arc::new(DictionaryArray::new(keys, names.clone())) as ArrayRef
                    })
                    .collect()
            }
            Column::Float(v) => primitive(v, rows, chunk, |c| Arc::new(Float64Array::from_iter(c))),
            Column::Integer(v) => primitive(v, rows, chunk, |c| Arc::new(Int64Array::from_iter(c))),
            Column::Unsigned(v) => {
                primitive(v, rows, chunk, |c| Arc::new(UInt64Array::from_iter(c)))
            }
            Column::Boolean(v) => {
                primitive(v, rows, chunk, |c| Arc::new(BooleanArray::from_iter(c)))
            }
            Column::Text(v) => chunks(rows, chunk)
                .map(|range| {
                    let texts = range.map(|row| v.get(row).and_then(|cell| cell.as_deref()));
                    Arc::new(StringArray::from_iter(texts)) as ArrayRef
                })
                .collect(),
        }
    }
}

fn field(name: &str, kind: ColumnKind) -> Field {
    let data_type = match kind {
        ColumnKind::Tag => {
            DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
        }
        ColumnKind::Float => DataType::Float64,
        ColumnKind::Integer => DataType::Int64,
        ColumnKind::Unsigned => DataType::UInt64,
        ColumnKind::Text => DataType::Utf8,
        ColumnKind::Boolean => DataType::Boolean,
    };
    with_type(Field::new(name, data_type, true), kind.name())
}

fn time_field() -> Field {
    let time = Field::new("time", DataType::Timestamp(TimeUnit::Nanosecond, None), false);
    with_type(time, "iox::column_type::timestamp")
}

fn with_type(field: Field, name: &str) -> Field {
    field.with_metadata(HashMap::from([("iox::column::type".to_owned(), name.to_owned())]))
}

/// Cells of a range, null where nothing was ever set.
fn cells<T: Copy>(cells: &[Option<T>], range: Range<usize>) -> impl Iterator<Item = Option<T>> {
    range.map(move |row| cells.get(row).copied().flatten())
}

fn primitive<T: Copy>(
    values: &[Option<T>],
    rows: usize,
    chunk: usize,
    build: impl Fn(&mut dyn Iterator<Item = Option<T>>) -> ArrayRef,
) -> Vec<ArrayRef> {
    chunks(rows, chunk).map(|range| build(&mut cells(values, range))).collect()
}

fn chunks(rows: usize, chunk: usize) -> impl Iterator<Item = Range<usize>> {
    (0..rows).step_by(chunk).map(move |start| start..rows.min(start + chunk))
}
