//! The cells of one column.

use std::{collections::HashMap, ops::Range, sync::Arc};

use datafusion::arrow::array::{
    ArrayRef, BooleanArray, DictionaryArray, Float64Array, Int32Array, Int64Array, StringArray,
    UInt64Array,
};

use super::{ColumnKind, Value};

/// The cells of one column, in the order of the table's rows; a cell is there once it was set.
#[derive(Debug)]
pub(crate) enum Column {
    Tag(Tags),
    Float(Vec<Option<f64>>),
    Integer(Vec<Option<i64>>),
    Unsigned(Vec<Option<u64>>),
    Text(Vec<Option<Box<str>>>),
    Boolean(Vec<Option<bool>>),
}

impl Column {
    pub(crate) fn new(kind: ColumnKind) -> Column {
        match kind {
            ColumnKind::Tag => Column::Tag(Tags::default()),
            ColumnKind::Float => Column::Float(Vec::new()),
            ColumnKind::Integer => Column::Integer(Vec::new()),
            ColumnKind::Unsigned => Column::Unsigned(Vec::new()),
            ColumnKind::Text => Column::Text(Vec::new()),
            ColumnKind::Boolean => Column::Boolean(Vec::new()),
        }
    }

    /// Sets one cell. Lines are validated before, so a value of another kind cannot come here.
    pub(crate) fn set(&mut self, row: usize, value: &Value<'_>) {
        match (self, value) {
            (Column::Tag(tags), Value::Tag(text)) => {
                let code = tags.code(text);
                put(&mut tags.codes, row, code);
            }
            (Column::Float(cells), Value::Float(v)) => put(cells, row, *v),
            (Column::Integer(cells), Value::Integer(v)) => put(cells, row, *v),
            (Column::Unsigned(cells), Value::Unsigned(v)) => put(cells, row, *v),
            (Column::Text(cells), Value::Text(v)) => put(cells, row, Box::from(v.as_str())),
            (Column::Boolean(cells), Value::Boolean(v)) => put(cells, row, *v),
            (column, value) => unreachable!("{value:?} for {column:?}"),
        }
    }

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

/// Tag values, each text kept once.
#[derive(Debug, Default)]
pub(crate) struct Tags {
    codes: Vec<Option<i32>>,
    names: Vec<Arc<str>>,
    by_name: HashMap<Arc<str>, i32>,
}

impl Tags {
    fn code(&mut self, text: &str) -> i32 {
        if let Some(code) = self.by_name.get(text) {
            return *code;
        }
        let code = i32::try_from(self.names.len()).expect("fewer than 2^31 tag values");
        let name: Arc<str> = Arc::from(text);
        self.names.push(name.clone());
        self.by_name.insert(name, code);
        code
    }
}

fn put<T>(cells: &mut Vec<Option<T>>, row: usize, value: T) {
    if row >= cells.len() {
        cells.resize_with(row + 1, || None);
    }
    cells[row] = Some(value);
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

pub(super) fn chunks(rows: usize, chunk: usize) -> impl Iterator<Item = Range<usize>> {
    (0..rows).step_by(chunk).map(move |start| start..rows.min(start + chunk))
}
