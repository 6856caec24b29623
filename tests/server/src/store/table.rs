//! The rows of one table.

use std::{collections::HashMap, sync::Arc};

#[cfg(feature = "query")]
use super::Snapshot;
use super::{Cell, Columns, Value, column::Column};

/// A table. A row is known by its tags and its time; writing it again merges the fields, and the
/// last value of a field wins.
#[derive(Debug, Default)]
pub(crate) struct Table {
    pub(super) columns: Arc<Columns>,
    pub(super) cells: Vec<Column>,
    pub(super) times: Vec<i64>,
    /// Tags as bytes → number of the series.
    series: HashMap<Box<[u8]>, u32>,
    /// Series and time → row.
    rows: HashMap<(u32, i64), usize>,
    /// What the last query made of the rows, until the next write.
    #[cfg(feature = "query")]
    pub(super) snapshot: Option<Snapshot>,
}

impl Table {
    pub(crate) fn columns(&self) -> &Arc<Columns> {
        &self.columns
    }

    pub(crate) fn len(&self) -> usize {
        self.times.len()
    }

    /// The times of all rows.
    pub(super) fn times(&self) -> &[i64] {
        &self.times
    }

    /// The columns but for the time, each with its name.
    pub(super) fn cells(&self) -> impl Iterator<Item = (&str, &Column)> {
        self.columns.iter().map(|(name, _)| name).zip(&self.cells)
    }

    /// Takes columns that are new; those that were there keep their places.
    pub(crate) fn set_columns(&mut self, columns: Arc<Columns>) {
        for (_, kind) in columns.iter().skip(self.cells.len()) {
            self.cells.push(Column::new(kind));
        }
        self.columns = columns;
        self.forget_snapshot();
    }

    /// Writes one row over what is there.
    pub(crate) fn upsert(&mut self, time: i64, cells: &[Cell<'_>]) {
        self.forget_snapshot();
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

    /// The rows are other ones than the last query has seen.
    fn forget_snapshot(&mut self) {
        #[cfg(feature = "query")]
        {
            self.snapshot = None;
        }
    }
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
