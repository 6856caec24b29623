use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;

use super::answer::{Answer, Question, Wait};
use super::call::Call;
use super::cancel::CancelHandle;
use super::chunks::Chunks;
use super::client::QueryClient;
use super::failure::StageCell;
use super::limits::Limits;
#[cfg(feature = "parquet")]
use super::over_http::{HttpAnswer, HttpQuery};
use super::progress::{OnProgress, QueryProgress};
use super::reader::Reader;
use super::retry::Retries;
use super::source::Source;
use super::stats::QueryStats;
use super::table::Table;
use super::ticket::{Language, Param, Ticket};
use crate::config::Headers;
use crate::{Error, Result};

/// A query that has not been sent: made by [`Client::query`](crate::Client::query).
///
/// Its last call decides how the answer comes: [`table`](Self::table) for everything at once,
/// [`reader`](Self::reader) for one batch after the other. A mistake in a setting is reported there, before
/// anything is sent.
///
/// ```no_run
/// use influxdb3_blocking::{Client, Language};
///
/// # fn main() -> Result<(), influxdb3_blocking::Error> {
/// let client = Client::from_env()?;
/// let sql = "SELECT * FROM home WHERE room = $room";
/// let table = client.query(sql).param("room", "Kitchen").table()?;
/// let names = client.query("SHOW MEASUREMENTS");
/// let names = names.language(Language::InfluxQl).table()?;
/// # Ok(())
/// # }
/// ```
#[must_use = "a query does nothing until `.table()` or `.reader()` sends it"]
pub struct QueryRequest<'a> {
    client: &'a QueryClient,
    ticket: Ticket,
    database: Option<Arc<str>>,
    timeout: Option<Duration>,
    headers: Headers,
    retries: Retries,
    limits: Limits,
    cancel: CancelHandle,
    on_progress: Option<OnProgress>,
    #[cfg(feature = "parquet")]
    over_http: bool,
    problems: Vec<String>,
}

impl<'a> QueryRequest<'a> {
    pub(crate) fn new(client: &'a QueryClient, text: &str) -> Self {
        Self {
            client,
            ticket: Ticket::new(text),
            database: client.config().database.clone(),
            timeout: client.config().query_timeout,
            headers: Headers::default(),
            retries: Retries::default(),
            limits: Limits::default(),
            cancel: CancelHandle::default(),
            on_progress: None,
            #[cfg(feature = "parquet")]
            over_http: false,
            problems: Vec::new(),
        }
    }

    /// The language of the query: SQL unless told otherwise.
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
        self.ticket.language = language;
        self
    }

    /// Sets the parameter that the query calls `$name`, in place of an earlier one of that name.
    ///
    /// Numbers that are not finite are refused: parameters are sent as JSON, which has none of them.
    pub fn param(mut self, name: impl Into<String>, value: impl Into<Param>) -> Self {
        if let Err(problem) = self.ticket.set(name.into(), value.into()) {
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
    /// That is so if there is no connection to it, if it says UNAVAILABLE (over HTTP 502, 503 or 504), and if it has too
    /// many requests (429, RESOURCE_EXHAUSTED). Nothing of an answer has been handed out then: once it has, no query is
    /// sent again. The wait is what the server asks for (`Retry-After`), or else about half a second, and longer each
    /// time; a wait that would end after the timeout is not begun, and its error comes at once.
    ///
    /// Without this, too, a query is sent once more if its connection broke before anything of the answer came.
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
    /// With more, the query ends with [`ErrorKind::TooLarge`](crate::ErrorKind::TooLarge): so a query that was meant
    /// otherwise does not fill the memory. A reader hands out the batches before the one with which there are too many.
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
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.limits.bytes = Some(bytes);
        self
    }

    /// Calls this on the thread that waits for the answer, after each message and each batch of it.
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
        self.on_progress = Some(OnProgress::new(progress));
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

    /// A handle that cancels the query from another thread, in whatever form its answer is taken, and also before it has
    /// begun: the call that waits then fails with [`ErrorKind::Cancelled`](crate::ErrorKind::Cancelled).
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

    /// Sends the query and waits for the whole answer.
    ///
    /// ```no_run
    /// # let client = influxdb3_blocking::Client::from_env()?;
    /// let table = client.query("SELECT * FROM home").table()?;
    /// println!("{} rows of {}", table.num_rows(), table.num_columns());
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if a setting is wrong or the database is missing ([`ErrorKind::Config`](crate::ErrorKind::Config)),
    /// if the server cannot be reached or refuses, if the time is up, or if the answer breaks off or cannot be
    /// decoded. No part of an answer is returned then: see [`reader`](Self::reader).
    pub fn table(self) -> Result<Table> {
        let mut answer = self.whole()?;
        let mut batches: Vec<RecordBatch> = Vec::new();
        while let Some(delivery) = answer.next() {
            let batch = delivery?.batch;
            if batch.num_rows() > 0 {
                batches.push(batch);
            }
        }
        let stats = answer.trailers().map(QueryStats::read).unwrap_or_default();
        Ok(Table::new(Arc::clone(answer.schema()), batches, stats))
    }

    /// Sends the query and makes a data frame of its whole answer, which is in memory once: columns grow while the
    /// answer comes in, and each of them is one piece. See [`Table::dataframe`] for the types.
    ///
    /// ```no_run
    /// # fn main() -> Result<(), influxdb3_blocking::Error> {
    /// # let client = influxdb3_blocking::Client::from_env()?;
    /// let df = client.query("SELECT room, temp, time FROM home").dataframe()?;
    /// println!("{:?}", df.shape());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`table`](Self::table), and as [`Table::dataframe`].
    #[cfg(feature = "polars")]
    pub fn dataframe(self) -> Result<polars_core::frame::DataFrame> {
        Ok(self.dataframe_and_stats()?.0)
    }

    /// As [`dataframe`](Self::dataframe), with what the server said about the query.
    ///
    /// # Errors
    ///
    /// As [`dataframe`](Self::dataframe).
    #[cfg(feature = "polars")]
    pub fn dataframe_and_stats(self) -> Result<(polars_core::frame::DataFrame, QueryStats)> {
        let mut answer = self.whole()?;
        let mut frame = super::frame::FrameBuilder::new(answer.schema())?;
        while let Some(delivery) = answer.next() {
            frame.push(&delivery?.batch)?;
        }
        let stats = answer.trailers().map(QueryStats::read).unwrap_or_default();
        Ok((frame.finish()?, stats))
    }

    /// Sends the query, waits for the schema, and hands out the rest as it comes.
    ///
    /// ```no_run
    /// # let client = influxdb3_blocking::Client::from_env()?;
    /// let mut rows = 0;
    /// for batch in client.query("SELECT * FROM home").reader()? {
    ///     rows += batch?.num_rows();
    /// }
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`table`](Self::table), for what happens up to the schema; later errors come out of the reader.
    pub fn reader(self) -> Result<Reader> {
        let wait = Wait::Each(self.timeout);
        Ok(Reader::new(self.open(wait, None)?))
    }

    /// Sends the query and hands out its answer message by message, with the metadata beside the data.
    ///
    /// ```no_run
    /// # let client = influxdb3_blocking::Client::from_env()?;
    /// for chunk in client.query("SELECT * FROM home").chunks()? {
    ///     println!("{} rows", chunk?.data.num_rows());
    /// }
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`reader`](Self::reader).
    pub fn chunks(self) -> Result<Chunks> {
        let wait = Wait::Each(self.timeout);
        Ok(Chunks::new(self.open(wait, None)?))
    }

    /// Sends the query and takes nothing but the schema of its answer; the server need not run it to its end.
    ///
    /// ```no_run
    /// # let client = influxdb3_blocking::Client::from_env()?;
    /// for field in client.query("SELECT * FROM home").schema()?.fields() {
    ///     println!("{}: {}", field.name(), field.data_type());
    /// }
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`reader`](Self::reader).
    pub fn schema(self) -> Result<SchemaRef> {
        Ok(Arc::clone(self.whole()?.schema()))
    }

    /// Sends the query and reads its rows into values of `T`, one after the other as they come.
    ///
    /// A struct takes columns by their names; see [`Row::deserialize`](super::Row::deserialize).
    ///
    /// ```no_run
    /// #[derive(serde::Deserialize)]
    /// struct Home {
    ///     room: String,
    ///     temp: Option<f64>,
    ///     time: i64,
    /// }
    ///
    /// # fn main() -> Result<(), influxdb3_blocking::Error> {
    /// # let client = influxdb3_blocking::Client::from_env()?;
    /// for home in client.query("SELECT * FROM home").rows::<Home>()? {
    ///     let Home { room, temp, time } = home?;
    ///     println!("{time} {room} {temp:?}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`reader`](Self::reader). A row that does not fit is an error of its own, and the next row may fit.
    #[cfg(feature = "serde")]
    pub fn rows<T: serde_core::de::DeserializeOwned>(self) -> Result<super::TypedRows<T>> {
        Ok(super::TypedRows::new(self.reader()?))
    }

    /// An answer that is wanted as a whole: the server may be told when it comes too late.
    fn whole(self) -> Result<Source> {
        let deadline = self.timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        self.open(Wait::Until(deadline), deadline)
    }

    fn open(self, wait: Wait, deadline: Option<Instant>) -> Result<Source> {
        let mut problems = self.problems;
        if self.database.is_none() {
            problems.push(
                "there is no database to query: set .database(…) on the client or on the query, or the variable INFLUX_DATABASE"
                    .into(),
            );
        }
        let (Some(database), true) = (self.database, problems.is_empty()) else {
            return Err(Error::config(problems.join("; ")));
        };
        #[cfg(feature = "parquet")]
        let http = self.over_http.then(|| HttpQuery {
            language: self.ticket.language,
            body: self.ticket.encode_for_http(&database).into(),
        });
        let ticket = self.ticket.encode(&database).into();
        let stage = StageCell::default();
        let call =
            Call { database, headers: self.headers, begin: None, deadline, token: None, stage };
        let question = Question {
            ticket,
            call,
            wait,
            retries: self.retries,
            limits: self.limits,
            cancel: self.cancel,
            on_progress: self.on_progress,
        };
        #[cfg(feature = "parquet")]
        if let Some(query) = http {
            return HttpAnswer::open(self.client, question, query).map(Source::Http);
        }
        Answer::open(self.client, question).map(Source::Flight)
    }
}

/// Without the values of parameters and headers, which may be secrets.
impl fmt::Debug for QueryRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QueryRequest")
            .field("text", &self.ticket.text)
            .field("language", &self.ticket.language)
            .field("database", &self.database)
            .field("timeout", &self.timeout)
            .field("headers", &self.headers)
            .finish_non_exhaustive()
    }
}
