//! The rows of one table.

use std::{collections::HashMap, sync::Arc};

use datafusion::arrow::{
    array::{ArrayRef, RecordBatch, TimestampNanosecondArray},
    datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit},
};

use super::{
    Cell, ColumnKind, Columns, Value,
    column::{Column, chunks},
};

/// Rows of a record batch: what DataFusion works on, and what a real server sends at once.
const ROWS_PER_BATCH: usize = 8192;

/// A table. A row is known by its tags and its time; writing it again merges the fields, and the
/// last value of a field wins.
#[derive(Debug, Default)]
pub(crate) struct Table {
    columns: Arc<Columns>,
    cells: Vec<Column>,
    times: Vec<i64>,
    /// Tags as bytes → number of the series.
    series: HashMap<Box<[u8]>, u32>,
    /// Series and time → row.
    rows: HashMap<(u32, i64), usize>,
    /// What the last query made of the rows, until the next write.
    snapshot: Option<Snapshot>,
}

/// A table's rows as Arrow.
#[derive(Debug, Clone)]
pub(crate) struct Snapshot {
    pub(crate) schema: SchemaRef,
    pub(crate) batches: Vec<RecordBatch>,
}

impl Table {
    pub(crate) fn columns(&self) -> &Arc<Columns> {
        &self.columns
    }

    pub(crate) fn len(&self) -> usize {
        self.times.len()
    }

    /// Takes columns that are new; those that were there keep their places.
    pub(crate) fn set_columns(&mut self, columns: Arc<Columns>) {
        for (_, kind) in columns.iter().skip(self.cells.len()) {
            self.cells.push(Column::new(kind));
        }
        self.columns = columns;
        self.snapshot = None;
    }

    /// Writes one row over what is there.
    pub(crate) fn upsert(&mut self, time: i64, cells: &[Cell<'_>]) {
        self.snapshot = None;
        let key = series_key(cells);
        let series = match self.series.get(key.as_slice()) {
            Some(series) => *series,
            None => {
                let new = u32::try_from(self.series.len()).expect("fewer than 2^32 series");
                self.series.insert(key.into_boxed_slice(), new);
                new
            }
        };
        let next = self.times.len();
        let row = *self.rows.entry((series, time)).or_insert(next);
        if row == next {
            self.times.push(time);
        }
        for cell in cells {
            self.cells[cell.column].set(row, &cell.value);
        }
    }

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

/// Two lines are of one series if they have the same tags, in whatever order.
fn series_key(cells: &[Cell<'_>]) -> Vec<u8> {
    let mut tags: Vec<(usize, &str)> = cells
        .iter()
        .filter_map(|cell| match &cell.value {
            Value::Tag(text) => Some((cell.column, text.as_str())),
            _ => None,
        })
        .collect();
    tags.sort_unstable();
    let mut key = Vec::with_capacity(tags.iter().map(|(_, text)| text.len() + 16).sum());
    for (column, text) in tags {
        key.extend_from_slice(&column.to_le_bytes());
        key.extend_from_slice(&text.len().to_le_bytes());
        key.extend_from_slice(text.as_bytes());
    }
    key
}
