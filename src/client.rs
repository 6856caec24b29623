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
