//! The cells of one column.

use std::{collections::HashMap, sync::Arc};

use super::{ColumnKind, Value, lines::Shown};

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

    /// Sets one cell. Lines are validated before, so the value is of the column's kind.
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

    /// The cell of a row, if it was ever set.
    pub(super) fn show(&self, row: usize) -> Option<Shown<'_>> {
        Some(match self {
            Column::Tag(tags) => Shown::Tag(&tags.names[*at(&tags.codes, row)? as usize]),
            Column::Float(cells) => Shown::Float(*at(cells, row)?),
            Column::Integer(cells) => Shown::Integer(*at(cells, row)?),
            Column::Unsigned(cells) => Shown::Unsigned(*at(cells, row)?),
            Column::Text(cells) => Shown::Text(at(cells, row)?),
            Column::Boolean(cells) => Shown::Boolean(*at(cells, row)?),
        })
    }
}

/// Tag values, each text kept once.
#[derive(Debug, Default)]
pub(crate) struct Tags {
    pub(super) codes: Vec<Option<i32>>,
    pub(super) names: Vec<Arc<str>>,
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

fn at<T>(cells: &[Option<T>], row: usize) -> Option<&T> {
    cells.get(row)?.as_ref()
}

fn put<T>(cells: &mut Vec<Option<T>>, row: usize, value: T) {
    if row >= cells.len() {
        cells.resize_with(row + 1, || None);
    }
    cells[row] = Some(value);
}
