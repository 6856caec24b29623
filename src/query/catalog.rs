//! What is in a database: its tables, and their columns.

use arrow_schema::DataType;

use super::request::QueryRequest;
use super::rows::{ColumnKind, Row};
use crate::{Error, ErrorKind, Result};

/// A column of a table: made by [`Client::columns`](crate::Client::columns).
///
/// ```no_run
/// # let client = influxdb3_blocking::Client::from_env()?;
/// for column in client.columns("home")? {
///     println!("{}: {:?}", column.name, column.kind);
/// }
/// # Ok::<_, influxdb3_blocking::Error>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct TableColumn {
    /// Its name, as it was written.
    pub name: String,
    /// Whether it is a tag, a field or the time.
    pub kind: ColumnKind,
    /// Its type. That of tags is a dictionary of text, also where the answers of queries have plain text.
    pub data_type: DataType,
}

/// The schema, in the sense of SQL, of the tables that were written. The server's own tables are in others.
const SCHEMA: &str = "iox";

/// The names of all tables, in their order. `query` makes the request for a text of SQL.
pub(crate) fn tables<'a>(query: impl FnOnce(&str) -> QueryRequest<'a>) -> Result<Vec<String>> {
    let sql = "SELECT table_name FROM information_schema.tables WHERE table_schema = $schema ORDER BY table_name";
    let table = query(sql).param("schema", SCHEMA).table()?;
    table.values("table_name")?.collect()
}

/// The columns of a table, in the order of their names. `query` makes the request for a text of SQL.
///
/// # Errors
///
/// [`ErrorKind::NotFound`] if there is no such table.
pub(crate) fn columns<'a>(
    query: impl FnOnce(&str) -> QueryRequest<'a>,
    table: &str,
) -> Result<Vec<TableColumn>> {
    let sql = "SELECT column_name, data_type FROM information_schema.columns \
               WHERE table_schema = $schema AND table_name = $table ORDER BY column_name";
    let found = query(sql).param("schema", SCHEMA).param("table", table).table()?;
    if found.num_rows() == 0 {
        return Err(Error::new(
            ErrorKind::NotFound,
            format!(
                "the database has no table {table:?} (upper and lower case are not the same; `client.tables()` has the \
                 names)"
            ),
        ));
    }
    let column = |row: Row<'_>| {
        let name: String = row.get("column_name")?;
        let text: &str = row.get("data_type")?;
        let data_type = text.parse().map_err(|error| {
            let what = format!("the column {name:?} of {table:?} has an unknown type: {error}");
            Error::new(ErrorKind::Decode, what)
        })?;
        let kind = match &data_type {
            DataType::Dictionary(..) => ColumnKind::Tag,
            DataType::Timestamp(..) if name == "time" => ColumnKind::Time,
            _ => ColumnKind::Field,
        };
        Ok(TableColumn { name, kind, data_type })
    };
    found.rows().map(column).collect()
}
