use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;

use crate::config::Config;
use crate::line_protocol::TagRules;
#[cfg(feature = "query")]
use crate::query::{QueryClient, QueryRequest};
use crate::write::{Http, WriteRequest};
use crate::{ClientBuilder, Error, ErrorKind, Record, Result, WriteOptions};

/// A client of one InfluxDB 3 server.
///
/// Clones share everything: connections, the thread for queries, and whether it is closed. A client may be
/// used from any thread, also from inside an async runtime (whose thread it then blocks).
///
/// ```no_run
/// use influxdb3_blocking::{Client, Point};
///
/// let client = Client::builder().host("http://localhost:8181").database("sensors").build()?;
/// client.write(Point::new("home").tag("room", "Kitchen").field("temp", 21.5)).send()?;
/// # Ok::<_, influxdb3_blocking::Error>(())
/// ```
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    config: Arc<Config>,
    rules: TagRules,
    http: Http,
    #[cfg(feature = "query")]
    query: QueryClient,
    closed: AtomicBool,
}

impl Client {
    /// A builder, which needs at least a [`host`](ClientBuilder::host).
    pub fn builder() -> ClientBuilder {
        ClientBuilder::new()
    }

    /// A client as the environment describes it; see [`ClientBuilder::with_env`].
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
    ///     "https://cluster.example.io:8181/?token=secret&database=sensors&precision=ms",
    /// )?;
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Config`], naming every value that is wrong.
    pub fn from_connection_string(text: impl AsRef<str>) -> Result<Self> {
        Self::builder().with_connection_string(text).build()
    }

    pub(crate) fn new(config: Config, rules: TagRules, _options: WriteOptions) -> Result<Self> {
        let http = Http::new(&config, IDLE_CONNECTIONS)?;
        let config = Arc::new(config);
        let inner = Inner {
            rules,
            http,
            #[cfg(feature = "query")]
            query: QueryClient::new(config.clone()),
            config,
            closed: AtomicBool::new(false),
        };
        Ok(Self { inner: Arc::new(inner) })
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
    /// let table = client.query("SELECT * FROM home WHERE room = $room").param("room", "Kitchen").table()?;
    /// for row in table.rows() {
    ///     println!("{}", row.get::<f64>("temp")?);
    /// }
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    #[cfg(feature = "query")]
    pub fn query(&self, text: impl AsRef<str>) -> QueryRequest<'_> {
        QueryRequest::new(&self.inner.query, text.as_ref())
    }

    /// A write of a file: each of its rows becomes a line.
    ///
    /// The extension, in any case, says the format, and each format is a feature of this crate: `.csv`, `.json`,
    /// `.parquet`, `.feather` (and `.arrow`, `.arrows`, `.ipc`) and `.orc`; `.jsonl` and `.ndjson` are JSON. CSV and JSON
    /// may be packed with gzip, with `.gz` behind the extension.
    ///
    /// A file of any size is read part by part and written in batches of up to
    /// [`max_request_bytes`](ClientBuilder::max_request_bytes); nothing else is in memory. (Of JSON that pandas has
    /// written by column or split, all of it is; of Parquet, Feather and ORC a row group, a record batch or a stripe.)
    ///
    /// # What becomes of a column
    ///
    /// - The **measurement** is what [`measurement`](crate::WriteFile::measurement) says, or else the text in the column
    ///   `measurement`, or in `iox::measurement`. One file can have many.
    /// - The **timestamp** is the column [`timestamp_column`](crate::WriteFile::timestamp_column), `time` by default.
    ///   It must be there, with a value in each row. Integers are in the write's precision or in
    ///   [`date_unit`](crate::WriteFile::date_unit); text is `2022-01-01T08:00:00Z` or close to it, and UTC if it has
    ///   no offset; timestamps of Parquet, Feather and ORC count by their own unit.
    /// - **Tags** are the columns listed in [`tags`](crate::WriteFile::tags).
    /// - **Fields** are all others. Parquet, Feather and ORC know their types (the table is that of `Columns`). In CSV
    ///   and JSON the values of the whole file decide: integers are an integer column, one number with a
    ///   point or an exponent makes it floats, `true` and `false` are booleans, everything else is text, and
    ///   integers beyond 64 bits are text as well. See [`column_type`](crate::WriteFile::column_type) and
    ///   [`infer_rows`](crate::WriteFile::infer_rows).
    ///
    /// Nulls, NaN and infinities are left out, and so are rows without a field.
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
    ///     .progress(|progress| eprintln!("{} of {} bytes", progress.bytes_read, progress.bytes_total))
    ///     .send()?;
    /// println!("{} lines", report.lines);
    /// # }
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    #[cfg(feature = "_files")]
    pub fn write_file(&self, path: impl AsRef<std::path::Path>) -> crate::WriteFile<'_> {
        crate::WriteFile::new(self, path.as_ref())
    }

    /// Asks whether the server is there and the token is good, which some servers want for this.
    ///
    /// Bounded by [`write_timeout`](ClientBuilder::write_timeout).
    ///
    /// # Errors
    /// [`ErrorKind::Connect`] and its like if nobody answers, [`ErrorKind::Unauthorized`] if the server wants
    /// a token.
    pub fn ping(&self) -> Result<()> {
        self.server_version().map(drop)
    }

    /// The version of the server, such as `3.6.0`.
    ///
    /// # Errors
    /// As [`ping`](Self::ping), and [`ErrorKind::Server`] if the answer names no version.
    pub fn server_version(&self) -> Result<String> {
        self.check_open()?;
        let answer = self.inner.http.get("/ping", self.inner.config.write_timeout)?;
        let answer = answer.into_body("ping")?;
        if let Some(version) = answer.header("x-influxdb-version") {
            return Ok(version.to_owned());
        }
        let json: Option<Value> = serde_json::from_slice(&answer.body).ok();
        match json.as_ref().and_then(|json| json.get("version")).and_then(Value::as_str) {
            Some(version) => Ok(version.to_owned()),
            None => Err(Error::new(
                ErrorKind::Server,
                format!(
                    "{} answered /ping without a version; is it an InfluxDB server?",
                    self.inner.config.endpoint
                ),
            )
            .with_status(answer.status)),
        }
    }

    /// Closes the client and all its clones: sends what is left, then releases threads and connections.
    ///
    /// Closing twice is fine. Whatever is asked of a closed client is an error.
    ///
    /// # Errors
    /// What could not be sent comes back in [`unsent`](Error::unsent).
    pub fn close(&self) -> Result<()> {
        self.inner.closed.store(true, Ordering::Release);
        #[cfg(feature = "query")]
        self.inner.query.close();
        Ok(())
    }

    pub(crate) fn check_open(&self) -> Result<()> {
        if self.inner.closed.load(Ordering::Acquire) {
            return Err(Error::new(ErrorKind::Closed, "the client is closed"));
        }
        Ok(())
    }

    pub(crate) fn config(&self) -> &Config {
        &self.inner.config
    }

    pub(crate) fn tag_rules(&self) -> &TagRules {
        &self.inner.rules
    }

    pub(crate) fn http(&self) -> &Http {
        &self.inner.http
    }
}

/// Without secrets.
impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("host", &self.inner.config.endpoint.to_string())
            .field("database", &self.inner.config.database)
            .finish_non_exhaustive()
    }
}

const IDLE_CONNECTIONS: usize = 8;
