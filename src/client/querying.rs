use crate::query::{self, QueryRequest, TableColumn};
use crate::{Client, Result};

/// Queries.
impl Client {
    /// A query in SQL, or in InfluxQL if it [says so](QueryRequest::language).
    ///
    /// Nothing happens before one of the methods that fetch a result is called. The first query starts the
    /// client's thread and opens its connection.
    ///
    /// ```no_run
    /// # let client = influxdb3_blocking::Client::from_env()?;
    /// let sql = "SELECT * FROM home WHERE room = $room";
    /// let table = client.query(sql).param("room", "Kitchen").table()?;
    /// for row in table.rows() {
    ///     println!("{}", row.get::<f64>("temp")?);
    /// }
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    pub fn query(&self, text: impl AsRef<str>) -> QueryRequest<'_> {
        let query = match self.check_open() {
            Ok(()) => self.connections().query(),
            Err(_) => self.connections().closed_query(),
        };
        QueryRequest::new(query, text.as_ref())
    }

    /// The names of the tables of the client's database, sorted. Those of the server itself (`system`,
    /// `information_schema`) are left out.
    ///
    /// It is a query, with all that holds for [`query`](Self::query). For another database:
    /// `client.query("SHOW TABLES").database("other")`.
    ///
    /// ```no_run
    /// # let client = influxdb3_blocking::Client::from_env()?;
    /// for table in client.tables()? {
    ///     println!("{table}: {} columns", client.columns(&table)?.len());
    /// }
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`QueryRequest::table`].
    pub fn tables(&self) -> Result<Vec<String>> {
        query::tables(|sql| self.query(sql))
    }

    /// The columns of a table of the client's database, sorted by name. The name of the table is taken as it is,
    /// without quotes.
    ///
    /// ```no_run
    /// # let client = influxdb3_blocking::Client::from_env()?;
    /// use influxdb3_blocking::ColumnKind;
    ///
    /// let columns = client.columns("home")?;
    /// let tags = columns.iter().filter(|column| column.kind == ColumnKind::Tag);
    /// println!("{:?}", tags.map(|column| &column.name).collect::<Vec<_>>());
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) if there is no such table, and as [`QueryRequest::table`].
    pub fn columns(&self, table: impl AsRef<str>) -> Result<Vec<TableColumn>> {
        query::columns(|sql| self.query(sql), table.as_ref())
    }
}
