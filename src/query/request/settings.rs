//! The settings of a query.

use std::time::Duration;

use super::QueryRequest;
use crate::query::answer::{CancelHandle, ProgressCallback, QueryProgress, Retries};
use crate::query::statement::{Language, Param};

impl QueryRequest<'_> {
    /// The language of the query. Default: SQL.
    ///
    /// ```no_run
    /// # let client = influxdb3_blocking::Client::from_env()?;
    /// use influxdb3_blocking::Language;
    ///
    /// let query = client.query("SHOW MEASUREMENTS");
    /// let names = query.language(Language::InfluxQl).table()?;
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    pub fn language(mut self, language: Language) -> Self {
        self.statement.language = language;
        self
    }

    /// Sets the parameter that the query calls `$name`, in place of an earlier one of that name.
    ///
    /// Numbers that are not finite are refused: parameters are sent as JSON, which has none of them.
    ///
    /// ```no_run
    /// # let client = influxdb3_blocking::Client::from_env()?;
    /// let sql = "SELECT * FROM home WHERE room = $room AND temp > $least";
    /// let query = client.query(sql).param("room", "Kitchen").param("least", 21.5);
    /// println!("{} rows", query.table()?.num_rows());
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    pub fn param(mut self, name: impl Into<String>, value: impl Into<Param>) -> Self {
        if let Err(problem) = self.statement.set(name.into(), value.into()) {
            self.problems.push(problem);
        }
        self
    }

    /// Sets several parameters.
    ///
    /// ```no_run
    /// # let client = influxdb3_blocking::Client::from_env()?;
    /// let sql = "SELECT * FROM home WHERE room = $room AND floor = $floor";
    /// let query = client.query(sql);
    /// let table = query.params([("room", "Kitchen"), ("floor", "1")]).table()?;
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    pub fn params<N, V>(self, params: impl IntoIterator<Item = (N, V)>) -> Self
    where
        N: Into<String>,
        V: Into<Param>,
    {
        params.into_iter().fold(self, |request, (name, value)| request.param(name, value))
    }

    /// The database to query, in place of the client's. Blanks and newlines around the name are left out.
    ///
    /// ```no_run
    /// # let client = influxdb3_blocking::Client::from_env()?;
    /// let query = client.query("SELECT * FROM home").database("archive");
    /// let table = query.table()?;
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    pub fn database(mut self, database: impl AsRef<str>) -> Self {
        let database = database.as_ref().trim();
        if database.is_empty() {
            self.problems.push("the name of the database is empty".into());
        }
        self.database = Some(database.into());
        self
    }

    /// The time limit, in place of the client's `query_timeout`.
    ///
    /// It bounds a table up to its last row, and a reader's wait for its schema and for each batch. Without
    /// one, only a connection that is dead ends a query (`idle_timeout`).
    ///
    /// ```no_run
    /// # let client = influxdb3_blocking::Client::from_env()?;
    /// use std::time::Duration;
    ///
    /// let query = client.query("SELECT count(*) FROM home");
    /// let table = query.timeout(Duration::from_secs(10)).table()?;
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    pub fn timeout(mut self, timeout: Duration) -> Self {
        if timeout.is_zero() {
            self.problems.push("the timeout of the query is zero".into());
        }
        self.timeout = Some(timeout);
        self
    }

    /// Sends a header with the query, in place of the client's header of that name.
    ///
    /// ```no_run
    /// # let client = influxdb3_blocking::Client::from_env()?;
    /// let query = client.query("SELECT * FROM home");
    /// let table = query.header("x-trace", "17").table()?;
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    pub fn header(mut self, name: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        if let Err(problem) = self.headers.set(name.as_ref(), value.as_ref()) {
            self.problems.push(problem);
        }
        self
    }

    /// Sends the query up to this many times more while the server does not take it. Default: none.
    ///
    /// That is so if there is no connection to it (none comes about within `connect_timeout` or by way of the proxy, or it is
    /// dead), if it says UNAVAILABLE (over HTTP 502, 503 or 504), and if it has too many requests (429, RESOURCE_EXHAUSTED). Nothing of an answer has been handed out then: once it has, no query is
    /// sent again. The wait is what the server asks for (`Retry-After`), or else about half a second, and longer each
    /// time; a wait that would end after the timeout is not begun, and its error is returned at once.
    ///
    /// Without this, too, a query is sent once more if its connection broke before any part of the answer was received.
    ///
    /// ```no_run
    /// # use std::time::Duration;
    /// # fn main() -> Result<(), influxdb3_blocking::Error> {
    /// # let client = influxdb3_blocking::Client::from_env()?;
    /// let query = client.query("SELECT * FROM home").retries(3);
    /// let table = query.timeout(Duration::from_secs(60)).table()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn retries(mut self, most: u32) -> Self {
        self.retries = Retries::new(most);
        self
    }

    /// The most rows that the answer may have. Default: any number.
    ///
    /// With more, the query ends with [`ErrorKind::TooLarge`](crate::ErrorKind::TooLarge), so that a mistaken query
    /// does not fill the memory. A reader hands out the batches before the one with which there are too many.
    ///
    /// ```no_run
    /// # let client = influxdb3_blocking::Client::from_env()?;
    /// use influxdb3_blocking::ErrorKind;
    ///
    /// let query = client.query("SELECT * FROM home").max_rows(1_000_000);
    /// match query.table() {
    ///     Ok(table) => println!("{} rows", table.num_rows()),
    ///     Err(error) if error.kind() == ErrorKind::TooLarge => {
    ///         println!("more than a million");
    ///     }
    ///     Err(error) => return Err(error),
    /// }
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    pub fn max_rows(mut self, rows: u64) -> Self {
        self.limits.rows = Some(rows);
        self
    }

    /// The most bytes that the answer may have, as it is sent: compressed, if it is. Default: any number.
    ///
    /// With more, the query ends with [`ErrorKind::TooLarge`](crate::ErrorKind::TooLarge).
    ///
    /// ```no_run
    /// # let client = influxdb3_blocking::Client::from_env()?;
    /// let query = client.query("SELECT * FROM home").max_bytes(100 << 20);
    /// let table = query.table()?; // 100 MiB are enough, or it is an error
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.limits.bytes = Some(bytes);
        self
    }

    /// Calls this on the thread that waits for the answer, after each message and each batch of it. If the query is sent once
    /// more, to another host or as its connection broke, the counts begin again.
    ///
    /// ```no_run
    /// # fn main() -> Result<(), influxdb3_blocking::Error> {
    /// # let client = influxdb3_blocking::Client::from_env()?;
    /// let table = client
    ///     .query("SELECT * FROM home")
    ///     .progress(|p| eprintln!("{} rows, {} bytes", p.rows, p.bytes_received))
    ///     .table()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn progress(mut self, progress: impl FnMut(&QueryProgress) + Send + 'static) -> Self {
        self.on_progress = Some(ProgressCallback::new(progress));
        self
    }

    /// Sends the query over HTTP/1.1 (`/api/v3/query_sql`, `/api/v3/query_influxql`) and not over Flight, for networks
    /// that do not pass HTTP/2. Default: over Flight.
    ///
    /// The answer is asked for as a file of Parquet, which has the types that Flight has, and each form of an answer can
    /// be taken. Some things are different:
    ///
    /// - The server sends nothing before the query has run to its end, and the file has to be here as a whole, compressed
    ///   as it is, before its first row can be read: a reader waits for that, and holds all of it.
    ///   [`max_bytes`](Self::max_bytes) bounds it.
    /// - A server that has died meanwhile is only noticed by [`timeout`](Self::timeout): HTTP/1.1 has no PINGs.
    /// - For an answer without rows servers send no file, and so there is no schema: it has no columns.
    /// - Tags are dictionaries of text, where Flight has plain text; rows read both alike.
    /// - Parquet lacks intervals and unions: CAST them to text.
    /// - The token is sent in the scheme of writes ([`auth_scheme`](crate::ClientBuilder::auth_scheme)).
    ///
    /// InfluxDB 3 Core and Enterprise have these endpoints.
    ///
    /// ```no_run
    /// # fn main() -> Result<(), influxdb3_blocking::Error> {
    /// # let client = influxdb3_blocking::Client::from_env()?;
    /// let table = client.query("SELECT * FROM home").over_http(true).table()?;
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "parquet")]
    pub fn over_http(mut self, over_http: bool) -> Self {
        self.over_http = over_http;
        self
    }

    /// A handle that cancels the query from another thread, for every form of its answer, and also before the query is
    /// sent: the call that waits then fails with [`ErrorKind::Cancelled`](crate::ErrorKind::Cancelled).
    ///
    /// ```no_run
    /// # use std::{thread, time::Duration};
    /// # fn main() -> Result<(), influxdb3_blocking::Error> {
    /// # let client = influxdb3_blocking::Client::from_env()?;
    /// let query = client.query("SELECT * FROM home");
    /// let cancel = query.cancel_handle();
    /// thread::spawn(move || {
    ///     thread::sleep(Duration::from_secs(5));
    ///     cancel.cancel();
    /// });
    /// let table = query.table()?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn cancel_handle(&self) -> CancelHandle {
        self.cancel.clone()
    }
}
