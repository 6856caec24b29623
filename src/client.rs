use std::fmt;
#[cfg(feature = "query")]
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

use serde_json::Value;

use crate::config::Config;
use crate::line_protocol::TagRules;
#[cfg(feature = "query")]
use crate::query::{self, QueryClient, QueryRequest, TableColumn};
#[cfg(feature = "spool")]
use crate::write::no_spool;
use crate::write::{Answer, Batcher, Http, WriteRequest};
use crate::{ClientBuilder, Error, ErrorKind, Record, Result, WriteOptions, WriteStats};

/// A client of one InfluxDB 3 server, or of several that are one database.
///
/// Clones share everything: connections, the thread for queries, and whether it is closed. A client may be
/// used from any thread, also from inside an async runtime (whose thread it then blocks).
///
/// ```no_run
/// use influxdb3_blocking::{Client, Point};
///
/// let client = Client::builder()
///     .host("http://localhost:8181")
///     .database("sensors")
///     .build()?;
/// let point = Point::new("home").tag("room", "Kitchen").field("temp", 21.5);
/// client.write(point).send()?;
/// # Ok::<_, influxdb3_blocking::Error>(())
/// ```
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

/// A handle that does not keep its client alive. For callbacks: a client that owns itself, by way of a callback, is
/// there until it is closed.
///
/// ```
/// use influxdb3_blocking::{Client, WeakClient, WriteOptions};
/// use std::sync::{Arc, OnceLock};
///
/// let handle = Arc::new(OnceLock::<WeakClient>::new());
/// let options = WriteOptions::default().error_callback({
///     let handle = handle.clone();
///     move |batch, error| {
///         if let Some(client) = handle.get().and_then(WeakClient::upgrade) {
///             eprintln!("{} lines failed: {error}", batch.lines());
///             eprintln!("{:?}", client.write_stats());
///         }
///     }
/// });
/// let client = Client::builder()
///     .host("http://localhost:8181")
///     .database("d")
///     .write_options(options)
///     .build()?;
/// handle.set(client.downgrade()).ok();
/// # Ok::<_, influxdb3_blocking::Error>(())
/// ```
#[derive(Clone)]
pub struct WeakClient {
    inner: Weak<Inner>,
}

/// What clones share.
struct Inner {
    shared: Arc<Shared>,
    /// None if writes are synchronous.
    batcher: Option<Arc<Batcher>>,
    closed: AtomicBool,
}

/// What clients share that were made from one another.
struct Shared {
    config: Arc<Config>,
    rules: TagRules,
    http: Arc<Http>,
    #[cfg(feature = "query")]
    query: QueryClient,
    /// What a closed client queries with.
    #[cfg(feature = "query")]
    closed_query: OnceLock<QueryClient>,
    /// How many of the clients are not closed.
    open: AtomicUsize,
}

impl Client {
    /// A builder, which needs at least a [`host`](ClientBuilder::host).
    pub fn builder() -> ClientBuilder {
        ClientBuilder::new()
    }

    /// A client as the environment describes it; see [`ClientBuilder::with_env`].
    ///
    /// ```no_run
    /// use influxdb3_blocking::Client;
    ///
    /// // INFLUX_HOST, INFLUX_TOKEN, INFLUX_DATABASE, …
    /// let client = Client::from_env()?;
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Config`] if `INFLUX_HOST` is missing or a value is wrong.
    pub fn from_env() -> Result<Self> {
        Self::builder().with_env().build()
    }

    /// A client as a connection string describes it; see [`ClientBuilder::with_connection_string`].
    ///
    /// ```
    /// let client = influxdb3_blocking::Client::from_connection_string(
    ///     "https://cluster.example.io/?token=secret&database=sensors",
    /// )?;
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Config`], naming every value that is wrong.
    pub fn from_connection_string(text: impl AsRef<str>) -> Result<Self> {
        Self::builder().with_connection_string(text).build()
    }

    pub(crate) fn new(config: Config, rules: TagRules, options: &WriteOptions) -> Result<Self> {
        let connections = (options.workers() + 8).max(IDLE_CONNECTIONS);
        let http = Arc::new(Http::new(&config, connections));
        let config = Arc::new(config);
        let shared = Shared {
            rules,
            http,
            #[cfg(feature = "query")]
            query: QueryClient::new(config.clone()),
            #[cfg(feature = "query")]
            closed_query: OnceLock::new(),
            config,
            open: AtomicUsize::new(1),
        };
        Self::over(Arc::new(shared), options)
    }

    /// A client that `shared` counts already.
    ///
    /// # Errors
    /// [`ErrorKind::File`]: the directory of the spool cannot be used.
    fn over(shared: Arc<Shared>, options: &WriteOptions) -> Result<Self> {
        let batcher = options
            .is_batching()
            .then(|| Batcher::new(options, shared.http.clone(), shared.config.clone()))
            .transpose();
        let batcher = match batcher {
            Ok(batcher) => batcher,
            Err(error) => {
                shared.http.retire(false);
                if shared.leave() {
                    shared.close_queries();
                }
                return Err(error);
            }
        };
        Ok(Self { inner: Arc::new(Inner { shared, batcher, closed: AtomicBool::new(false) }) })
    }

    /// A client of the same server, over the same connections, that writes differently.
    ///
    /// It has a buffer and a scheduler of its own, and is closed by itself.
    ///
    /// ```
    /// use influxdb3_blocking::{Client, WriteOptions};
    ///
    /// let client = Client::builder()
    ///     .host("http://localhost:8181")
    ///     .database("sensors")
    ///     .build()?;
    /// let options = WriteOptions::default().batch_size(500);
    /// let batching = client.with_write_options(options)?;
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Config`], naming every option that is wrong; [`ErrorKind::Closed`].
    pub fn with_write_options(&self, options: WriteOptions) -> Result<Self> {
        self.check_open()?;
        let problems = options.problems();
        if !problems.is_empty() {
            return Err(Error::config(problems.join("; ")));
        }
        let shared = &self.inner.shared;
        // Counted first, so that whoever closes meanwhile is not the last one.
        shared.open.fetch_add(1, Ordering::AcqRel);
        let joined = self.check_open().and_then(|()| shared.http.join());
        if let Err(error) = joined {
            if shared.leave() {
                shared.close_queries();
            }
            return Err(error);
        }
        Self::over(shared.clone(), &options)
    }

    /// A handle for callbacks, which does not keep the client alive.
    #[must_use]
    pub fn downgrade(&self) -> WeakClient {
        WeakClient { inner: Arc::downgrade(&self.inner) }
    }

    /// A write of `record`: line protocol text, a point, or a collection of them; see [`Record`].
    ///
    /// Nothing happens before [`send`](WriteRequest::send).
    ///
    /// ```no_run
    /// # let client = influxdb3_blocking::Client::from_env()?;
    /// use influxdb3_blocking::Precision;
    ///
    /// client
    ///     .write("home,room=Living\\ Room temp=21.1,hum=35.9,co=0i 1641024000")
    ///     .precision(Precision::Second)
    ///     .send()?;
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    pub fn write<R: Record<K>, K>(&self, record: R) -> WriteRequest<'_, R, K> {
        WriteRequest::new(self, record)
    }

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
    #[cfg(feature = "query")]
    pub fn query(&self, text: impl AsRef<str>) -> QueryRequest<'_> {
        let Shared { query, closed_query, config, .. } = &*self.inner.shared;
        if self.check_open().is_ok() {
            return QueryRequest::new(query, text.as_ref());
        }
        // The clients that share the connection may be open still.
        let closed = closed_query.get_or_init(|| {
            let closed = QueryClient::new(config.clone());
            closed.close();
            closed
        });
        QueryRequest::new(closed, text.as_ref())
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
    #[cfg(feature = "query")]
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
    /// [`ErrorKind::NotFound`] if there is no such table, and as [`QueryRequest::table`].
    #[cfg(feature = "query")]
    pub fn columns(&self, table: impl AsRef<str>) -> Result<Vec<TableColumn>> {
        query::columns(|sql| self.query(sql), table.as_ref())
    }

    /// A write of a file: each of its rows becomes a line.
    ///
    /// The extension, in any case, says the format, and each format is a feature of this crate: `.csv`, `.json`,
    /// `.parquet`, `.feather` (and `.arrow`, `.arrows`, `.ipc`) and `.orc`; `.jsonl` and `.ndjson` are JSON, and `.lp` is
    /// line protocol, which any of the features brings. Other names
    /// take [`format`](crate::WriteFile::format). CSV, JSON and line protocol may be packed with gzip (feature `gzip`) or zstd (feature
    /// `zstd`), which their first bytes tell; `.gz` and `.zst` behind the extension do no harm.
    ///
    /// A file of any size is read part by part and written in batches of up to
    /// [`max_request_bytes`](ClientBuilder::max_request_bytes); nothing else is in memory. (Of JSON that pandas has
    /// written by column or split, all of it is; of Parquet, Feather and ORC a row group, a record batch or a stripe.)
    ///
    /// # What becomes of a column
    ///
    /// - The **measurement** is what [`measurement`](crate::WriteFile::measurement) says, or else the text in the column
    ///   `measurement`, or in `iox::measurement`. One file can have many.
    /// - The **timestamp** is the column [`timestamp_column`](crate::WriteFile::timestamp_column), `time` by default, or
    ///   without one of that name the index of the frame, if pandas has written Parquet or Feather and it has times.
    ///   It must be there, with a value in each row. Integers are in the write's precision or in
    ///   [`date_unit`](crate::WriteFile::date_unit); text is `2022-01-01T08:00:00Z` or close to it, and UTC if it has
    ///   no offset; timestamps of Parquet, Feather and ORC count by their own unit.
    /// - **Tags** are the columns listed in [`tags`](crate::WriteFile::tags).
    /// - **Fields** are all others, or those listed in [`fields`](crate::WriteFile::fields); a column can be
    ///   [left out](crate::WriteFile::exclude) and [renamed](crate::WriteFile::rename). Parquet, Feather and ORC know their types (the table is that of `Columns`). In CSV
    ///   and JSON the values of the whole file decide: integers are an integer column, one number with a
    ///   point or an exponent makes it floats, `true` and `false` are booleans, everything else is text, and
    ///   integers beyond 64 bits are text as well. Where these stand together in one column, it is an error that names the
    ///   line, before anything is written. No digit of a number is changed. See
    ///   [`column_type`](crate::WriteFile::column_type) and [`infer_rows`](crate::WriteFile::infer_rows).
    ///
    /// Annotated CSV, which InfluxDB 2 exports and `influx write` takes, says all that itself: measurements, tags, fields
    /// and their types are those of its annotations, and integers in its time column are nanoseconds unless
    /// [`date_unit`](crate::WriteFile::date_unit) says otherwise. Each of its rows is a line.
    ///
    /// Line protocol says everything itself, but for the precision of its timestamps, which is that of the write. A line
    /// without a timestamp gets one when it is read.
    ///
    /// Nulls, NaN and infinities are left out, and so are rows without a field. What
    /// [counts as null](crate::WriteFile::null_values) in text is what pandas takes for it.
    ///
    /// ```no_run
    /// # #[cfg(feature = "csv")] {
    /// # let client = influxdb3_blocking::Client::from_env()?;
    /// use influxdb3_blocking::Precision;
    ///
    /// let report = client
    ///     .write_file("home.csv")
    ///     .measurement("home")
    ///     .tags(["room"])
    ///     .timestamp_column("time")
    ///     .precision(Precision::Second)
    ///     .progress(|p| eprintln!("{} of {}", p.bytes_read, p.bytes_total))
    ///     .send()?;
    /// println!("{} lines", report.lines);
    /// # }
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    #[cfg(feature = "_files")]
    pub fn write_file(&self, path: impl AsRef<std::path::Path>) -> crate::WriteFile<'_> {
        crate::WriteFile::path(self, path.as_ref())
    }

    /// A write of what a reader gives, such as standard input, a pipe or a socket: as [`write_file`](Self::write_file),
    /// with all its options, of a format that no name tells. CSV and JSON may be packed.
    ///
    /// It is read to its end, and written in batches. What must be read twice is kept in memory, up to
    /// [`reader_limit`](crate::WriteFile::reader_limit) bytes:
    ///
    /// | format | kept |
    /// |---|---|
    /// | CSV | everything, as all rows decide about types; with [`infer_rows`](crate::WriteFile::infer_rows) as many rows, with a type for each field the header |
    /// | JSON | the same, but that a table that pandas has written is kept whole |
    /// | Arrow IPC stream, line protocol | nothing |
    /// | Arrow IPC file (Feather), Parquet, ORC | everything, as they are read from their end |
    ///
    /// What has come of line protocol is written when there is enough of it for a request, at the end, and when the reader
    /// says [`WouldBlock`](std::io::ErrorKind::WouldBlock), after which it is asked again.
    ///
    /// ```no_run
    /// # #[cfg(feature = "csv")] {
    /// # let client = influxdb3_blocking::Client::from_env()?;
    /// use std::io;
    ///
    /// use influxdb3_blocking::FileFormat;
    ///
    /// let input = client.write_reader(io::stdin(), FileFormat::Csv);
    /// let input = input.measurement("home").tags(["room"]);
    /// println!("{} lines", input.infer_rows(1000).send()?.lines);
    /// # }
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    #[cfg(feature = "_files")]
    pub fn write_reader<'a>(
        &'a self,
        reader: impl std::io::Read + 'a,
        format: crate::FileFormat,
    ) -> crate::WriteFile<'a> {
        crate::WriteFile::reader(self, Box::new(reader), format)
    }

    /// Asks whether the server is there and the token is good, which some servers want for this. Of several hosts, those
    /// for writes are asked until one answers.
    ///
    /// Bounded by [`write_timeout`](ClientBuilder::write_timeout).
    ///
    /// ```no_run
    /// # let client = influxdb3_blocking::Client::from_env()?;
    /// client.ping()?;
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Connect`] and its like if nobody answers, [`ErrorKind::Unauthorized`] if the server wants
    /// a token.
    pub fn ping(&self) -> Result<()> {
        self.server_version().map(drop)
    }

    /// The version of the server, such as `3.6.0`.
    ///
    /// ```no_run
    /// # let client = influxdb3_blocking::Client::from_env()?;
    /// println!("InfluxDB {}", client.server_version()?);
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`ping`](Self::ping), and [`ErrorKind::Server`] if the answer names no version.
    pub fn server_version(&self) -> Result<String> {
        self.check_open()?;
        let Shared { http, config, .. } = &*self.inner.shared;
        let (answer, host) = http.get("/ping", "ping", config.write_timeout)?;
        if let Some(version) = answer.header("x-influxdb-version") {
            return Ok(version.to_owned());
        }
        let json: Option<Value> = serde_json::from_slice(&answer.body).ok();
        match json.as_ref().and_then(|json| json.get("version")).and_then(Value::as_str) {
            Some(version) => Ok(version.to_owned()),
            None => Err(is_no_server("/ping", &answer, &host)),
        }
    }

    /// Asks whether the server is ready for work, as a load balancer would.
    ///
    /// It asks `/ready`, which servers from 3.10 on have: they can reach their object store. Those that do not have it
    /// are asked for `/health`, and those without that (Cloud Dedicated) for `/ping`, which says no more than that they
    /// are there. Of several hosts, those for writes are asked until one is ready. Bounded by
    /// [`write_timeout`](ClientBuilder::write_timeout) each.
    ///
    /// ```no_run
    /// # let client = influxdb3_blocking::Client::from_env()?;
    /// while let Err(error) = client.ready() {
    ///     if !error.is_retryable() {
    ///         return Err(error);
    ///     }
    ///     std::thread::sleep(std::time::Duration::from_secs(1));
    /// }
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Server`], and [retryable](Error::is_retryable), if the server says that it is not ready;
    /// [`ErrorKind::Connect`] and its like if nobody answers, and [`ErrorKind::Unauthorized`] if it wants a token.
    pub fn ready(&self) -> Result<()> {
        self.check_open()?;
        let Shared { http, config, .. } = &*self.inner.shared;
        for path in ["/ready", "/health"] {
            match http.get(path, "not ready", config.write_timeout) {
                Ok((answer, host)) if answer.is_html() => {
                    return Err(is_no_server(path, &answer, &host));
                }
                Ok(_) => return Ok(()),
                Err(error) if matches!(error.status(), Some(404 | 405)) => {}
                Err(error) => return Err(error),
            }
        }
        self.ping()
    }

    /// Waits until everything that was accepted before is settled: written, or given up after its retries; with a spool,
    /// written, or on the disk because the server does not take it.
    ///
    /// For batching; synchronous writes have nothing to wait for. Other threads may write and flush meanwhile, which
    /// does not prolong the wait. In a callback it only starts the work and returns.
    ///
    /// ```no_run
    /// # let client = influxdb3_blocking::Client::from_env()?;
    /// client.write("home,room=Kitchen temp=21.5").send()?;
    /// client.flush()?; // now a query sees it
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    ///
    /// # Errors
    /// Without an error callback, what failed of it and was told to no call before, as one error: the kind and the text of the
    /// first failure, the lines of all in [`unsent`](Error::unsent) and the bad ones in
    /// [`line_errors`](Error::line_errors).
    /// [`ErrorKind::Closed`] if the client is closed.
    pub fn flush(&self) -> Result<()> {
        self.check_open()?;
        self.inner.batcher.as_ref().map_or(Ok(()), Batcher::flush)
    }

    /// Puts everything on the disk of the [`Spool`](crate::Spool) that was accepted before and is not at the server, without
    /// waiting for the server. It is safe there when this returns, as far as the spool [syncs](crate::Spool::sync) at all.
    ///
    /// What is on the way is waited for, and goes to the disk if it fails.
    ///
    /// # Errors
    /// [`ErrorKind::File`] if it cannot be put there: what could not is in memory still. [`ErrorKind::Config`] without a spool,
    /// or in a callback; [`ErrorKind::Closed`].
    #[cfg(feature = "spool")]
    pub fn flush_to_disk(&self) -> Result<()> {
        self.check_open()?;
        self.inner.batcher.as_ref().ok_or_else(no_spool)?.flush_to_disk()
    }

    /// Waits until the server has everything that was accepted before, and everything that was on the disk of the
    /// [`Spool`](crate::Spool), whoever left it there. What waits for a retry is tried at once.
    ///
    /// ```no_run
    /// # let client = influxdb3_blocking::Client::from_env()?;
    /// use std::time::Duration;
    ///
    /// if let Err(error) = client.drain(Duration::from_secs(60)) {
    ///     eprintln!("{error}; {:?}", client.write_stats().spool);
    /// }
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Timeout`] if it takes longer; what is left is tried on. What failed for good, as
    /// [`flush`](Self::flush) has it. [`ErrorKind::Config`] without a spool, or in a callback; [`ErrorKind::Closed`].
    #[cfg(feature = "spool")]
    pub fn drain(&self, patience: std::time::Duration) -> Result<()> {
        self.check_open()?;
        self.inner.batcher.as_ref().ok_or_else(no_spool)?.drain(patience)
    }

    /// What became of the lines that were written in batching mode, as of now.
    ///
    /// ```
    /// # use influxdb3_blocking::{Client, WriteOptions};
    /// # let options = WriteOptions::default();
    /// # let client = Client::builder().host("http://localhost:1").write_options(options).build()?;
    /// let stats = client.write_stats();
    /// println!("{} lines are written", stats.written.lines);
    /// println!("{} wait", stats.pending.lines);
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    #[must_use]
    pub fn write_stats(&self) -> WriteStats {
        self.inner.batcher.as_ref().map_or_else(WriteStats::default, |batcher| batcher.stats())
    }

    /// Closes the client and all its clones: sends what is left, then releases threads and connections.
    ///
    /// In batching mode it waits at most [`max_close_wait`](WriteOptions::max_close_wait), and not for a retry that is
    /// due after that: such a batch gets one more try at once. In a callback it only starts the work and returns.
    /// A client that is dropped closes itself, but waits at most 10 seconds, and during a panic gives each batch one
    /// try without waits.
    ///
    /// Closing twice is fine. Whatever else is asked of a closed client is an error.
    ///
    /// ```no_run
    /// # let client = influxdb3_blocking::Client::from_env()?;
    /// if let Err(error) = client.close() {
    ///     for batch in error.unsent() {
    ///         eprintln!("{} lines were not sent: {error}", batch.lines());
    ///     }
    /// }
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    ///
    /// # Errors
    /// What could not be sent comes back in [`unsent`](Error::unsent).
    pub fn close(&self) -> Result<()> {
        if self.inner.retire() {
            self.inner.shared.close_queries();
        }
        self.inner.batcher.as_ref().map_or(Ok(()), Batcher::close)
    }

    pub(crate) fn check_open(&self) -> Result<()> {
        if self.inner.closed.load(Ordering::Acquire) {
            return Err(Error::closed());
        }
        Ok(())
    }

    pub(crate) fn config(&self) -> &Config {
        &self.inner.shared.config
    }

    pub(crate) fn tag_rules(&self) -> &TagRules {
        &self.inner.shared.rules
    }

    pub(crate) fn batcher(&self) -> Option<&Arc<Batcher>> {
        self.inner.batcher.as_ref()
    }

    pub(crate) fn http(&self) -> &Http {
        &self.inner.shared.http
    }
}

/// The error of an answer that no InfluxDB server gives.
fn is_no_server(path: &str, answer: &Answer, host: &str) -> Error {
    let what = if answer.is_html() { "with a web page" } else { "without a version" };
    let message = format!("{host} answered {path} {what}; is it an InfluxDB server?");
    Error::new(ErrorKind::Server, message).with_status(answer.status)
}

impl WeakClient {
    /// The client, if it is still there.
    ///
    /// ```
    /// use influxdb3_blocking::Client;
    ///
    /// let builder = Client::builder().host("http://localhost:8181");
    /// let client = builder.database("sensors").build()?;
    /// let weak = client.downgrade();
    /// assert!(weak.upgrade().is_some());
    /// drop(client);
    /// assert!(weak.upgrade().is_none());
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    #[must_use]
    pub fn upgrade(&self) -> Option<Client> {
        self.inner.upgrade().map(|inner| Client { inner })
    }
}

impl fmt::Debug for WeakClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WeakClient").finish_non_exhaustive()
    }
}

impl Inner {
    /// Lets go of the connections for writes, but for those that batches need. Says whether no other client shares the
    /// thread for queries.
    fn retire(&self) -> bool {
        if self.closed.swap(true, Ordering::AcqRel) {
            return false;
        }
        if self.batcher.is_none() {
            self.shared.http.retire(false);
        }
        self.shared.leave()
    }
}

impl Shared {
    /// One client less; says whether it was the last one.
    fn leave(&self) -> bool {
        self.open.fetch_sub(1, Ordering::AcqRel) == 1
    }

    /// Ends the thread for queries.
    fn close_queries(&self) {
        #[cfg(feature = "query")]
        self.query.close();
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // A reader may go on without its client, and ends the thread for queries when it ends.
        self.retire();
        if let Some(batcher) = &self.batcher {
            batcher.close_for_drop();
        }
    }
}

/// Without secrets.
impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("write_hosts", &self.inner.shared.http.hosts())
            .field("database", &self.inner.shared.config.database)
            .finish_non_exhaustive()
    }
}

/// At least as many idle connections are kept, for clients that share them later. They cost nothing before they are
/// made.
const IDLE_CONNECTIONS: usize = 32;
