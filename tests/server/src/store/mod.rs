//! Databases in memory.

#[cfg(feature = "query")]
mod arrow;
mod column;
mod lines;
mod schema;
mod table;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use influxdb_line_protocol::EscapedStr;

#[cfg(feature = "query")]
pub(crate) use self::arrow::Snapshot;
pub(crate) use self::{
    schema::{ColumnKind, Columns},
    table::Table,
};

/// All databases.
#[derive(Debug, Default)]
pub(crate) struct Store {
    databases: Mutex<Databases>,
}

type Databases = BTreeMap<String, BTreeMap<String, Table>>;

/// Rows that passed validation, with the columns that their tables need.
#[derive(Debug, Default)]
pub(crate) struct Rows<'a> {
    pub(crate) tables: Vec<(String, Arc<Columns>)>,
    pub(crate) rows: Vec<Row>,
    pub(crate) cells: Vec<Cell<'a>>,
}

/// One row: its table's place in [`Rows::tables`], and where its cells end; they begin where those
/// of the row before end.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) table: usize,
    pub(crate) time: i64,
    pub(crate) cells_end: usize,
}

/// One value and the place of its column in the table.
#[derive(Debug)]
pub(crate) struct Cell<'a> {
    pub(crate) column: usize,
    pub(crate) value: Value<'a>,
}

/// A value of a line.
#[derive(Debug)]
pub(crate) enum Value<'a> {
    Tag(EscapedStr<'a>),
    Float(f64),
    Integer(i64),
    Unsigned(u64),
    Text(EscapedStr<'a>),
    Boolean(bool),
}

impl Store {
    /// The columns of a table, if the table is there.
    pub(crate) fn columns(&self, database: &str, table: &str) -> Option<Arc<Columns>> {
        Some(self.lock().get(database)?.get(table)?.columns().clone())
    }

    /// Creates the database if it is not there, and writes the rows to it.
    pub(crate) fn write(&self, database: &str, rows: Rows<'_>) {
        let mut databases = self.lock();
        let tables = databases.entry(database.to_owned()).or_default();
        for (name, columns) in &rows.tables {
            tables.entry(name.clone()).or_default().set_columns(columns.clone());
        }
        let mut start = 0;
        for row in &rows.rows {
            let table = tables.get_mut(&rows.tables[row.table].0).expect("made above");
            table.upsert(row.time, &rows.cells[start..row.cells_end]);
            start = row.cells_end;
        }
    }

    #[cfg(feature = "query")]
    pub(crate) fn has_database(&self, database: &str) -> bool {
        self.lock().contains_key(database)
    }

    /// Tables of all databases.
    pub(crate) fn table_count(&self) -> usize {
        self.lock().values().map(BTreeMap::len).sum()
    }

    /// Names of a database's tables, sorted; none if there is no such database.
    pub(crate) fn tables(&self, database: &str) -> Vec<String> {
        self.lock().get(database).map(|t| t.keys().cloned().collect()).unwrap_or_default()
    }

    /// Rows of a table; 0 if it is not there.
    pub(crate) fn rows(&self, database: &str, table: &str) -> usize {
        self.lock().get(database).and_then(|t| t.get(table)).map_or(0, Table::len)
    }

    /// The rows of a table as line protocol, sorted; none if it is not there.
    pub(crate) fn lines(&self, database: &str, table: &str) -> Vec<String> {
        let databases = self.lock();
        let found = databases.get(database).and_then(|tables| tables.get(table));
        found.map(|found| lines::lines(table, found)).unwrap_or_default()
    }

    #[cfg(feature = "query")]
    pub(crate) fn snapshot(&self, database: &str, table: &str) -> Option<Snapshot> {
        Some(self.lock().get_mut(database)?.get_mut(table)?.snapshot())
    }

    // A panic with the lock held ends the server's thread, and that is reported where it ends.
    fn lock(&self) -> MutexGuard<'_, Databases> {
        self.databases.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
