mod connecting;
mod connection_string;
mod hosts;
mod settings;
mod text_forms;
mod tokens;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::config::{Config, Endpoint, Headers, KeepAlive, Tokens};
use crate::line_protocol::TagRules;
use crate::transport::Proxy;
#[cfg(feature = "tls")]
use crate::transport::TlsSettings;
use crate::{Client, Error, Precision, Result, WriteOptions};

/// Makes a [`Client`]. Problems are collected, and [`build`](Self::build) names all of them at once.
///
/// ```
/// use influxdb3_blocking::{Client, Precision};
/// use std::time::Duration;
///
/// let client = Client::builder()
///     .host("https://cluster.example.io")
///     .token("apiv3_…".replace('…', "xyz"))
///     .database("sensors")
///     .precision(Precision::Second)
///     .default_tag("site", "lab")
///     .write_timeout(Duration::from_secs(60))
///     .build()?;
/// # Ok::<_, influxdb3_blocking::Error>(())
/// ```
#[derive(Clone)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct ClientBuilder {
    hosts: Vec<Endpoint>,
    write_hosts: Vec<Endpoint>,
    query_hosts: Vec<Endpoint>,
    tokens: Tokens,
    database: Option<Arc<str>>,
    organization: Arc<str>,
    auth_scheme: String,
    write_options: WriteOptions,
    default_tags: Vec<(String, String)>,
    tag_order: Vec<String>,
    connect_timeout: Duration,
    write_timeout: Duration,
    query_timeout: Option<Duration>,
    idle_timeout: Duration,
    keep_alive: KeepAlive,
    gzip_threshold: Option<usize>,
    headers: Headers,
    proxy: Option<Proxy>,
    proxy_from_env: bool,
    #[cfg(feature = "tls")]
    tls: TlsSettings,
    max_message_size: usize,
    max_request_bytes: usize,
    use_v2_api: bool,
    no_sync: bool,
    accept_partial: bool,
    precision: Precision,
    problems: Vec<String>,
}

impl ClientBuilder {
    pub(crate) fn new() -> Self {
        Self {
            hosts: Vec::new(),
            write_hosts: Vec::new(),
            query_hosts: Vec::new(),
            tokens: Tokens::None,
            database: None,
            organization: Arc::from(""),
            auth_scheme: "Token".into(),
            write_options: WriteOptions::synchronous(),
            default_tags: Vec::new(),
            tag_order: Vec::new(),
            connect_timeout: Duration::from_secs(10),
            write_timeout: Duration::from_secs(30),
            query_timeout: None,
            idle_timeout: Duration::from_secs(60),
            keep_alive: KeepAlive::default(),
            gzip_threshold: None,
            headers: Headers::default(),
            proxy: None,
            proxy_from_env: false,
            #[cfg(feature = "tls")]
            tls: TlsSettings::default(),
            max_message_size: 256 << 20,
            max_request_bytes: 10 << 20,
            use_v2_api: true,
            no_sync: false,
            accept_partial: true,
            precision: Precision::Nanosecond,
            problems: Vec::new(),
        }
    }

    /// The database (bucket) that is written and queried unless a request names another one. Blanks and newlines around
    /// the name are left out.
    ///
    /// With a retention policy it is `database/policy`, which is a database of its own.
    pub fn database(mut self, database: impl AsRef<str>) -> Self {
        self.set_database(database.as_ref());
        self
    }

    /// The organization, which only `/api/v2/write` of some products wants. Default: empty.
    pub fn organization(mut self, organization: impl AsRef<str>) -> Self {
        self.organization = Arc::from(organization.as_ref());
        self
    }

    /// The scheme of the `Authorization` header over HTTP: `Token` (the default) or `Bearer`.
    ///
    /// Queries over Flight are always `Bearer`.
    pub fn auth_scheme(mut self, scheme: impl Into<String>) -> Self {
        let set = self.set_auth_scheme(&scheme.into());
        self.problems.extend(set.err());
        self
    }

    /// How writes are made. Default: [`WriteOptions::synchronous`].
    pub fn write_options(mut self, options: WriteOptions) -> Self {
        self.write_options = options;
        self
    }

    /// A tag of every point that has no tag of that name. Text and line buffers are left alone.
    ///
    /// ```no_run
    /// use influxdb3_blocking::{Client, Point};
    ///
    /// let client = Client::builder()
    ///     .host("http://localhost:8181")
    ///     .database("sensors")
    ///     .default_tag("site", "lab")
    ///     .tag_order(["site", "room"])
    ///     .build()?;
    /// let point = Point::new("home").tag("room", "Kitchen").field("co", 4);
    /// client.write(point).send()?; // home,site=lab,room=Kitchen co=4i
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    pub fn default_tag(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.default_tags.push((key.into(), value.into()));
        self
    }

    /// The tags that come first in a line, in this order; the others follow, sorted. Default: all sorted.
    ///
    /// The order in the first write of a table decides how Enterprise sorts its files, so put the tags that
    /// queries filter by first.
    pub fn tag_order<I>(mut self, keys: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        self.tag_order = keys.into_iter().map(Into::into).collect();
        self
    }

    /// How long all of connecting may take: name resolution, TCP, the proxy and the TLS handshake together.
    /// Default: 10 seconds. A write that has other hosts left gives a single one no more than an equal share of its time.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// How long one write request may take, from name resolution to the end of the answer, with all hosts that are tried.
    /// Default: 30 seconds.
    ///
    /// A server answers a durable write when its write-ahead log is flushed, once a second by default.
    pub fn write_timeout(mut self, timeout: Duration) -> Self {
        self.write_timeout = timeout;
        self
    }

    /// How long a query may take: a table up to its last row, a reader for each next batch. Default: no limit.
    pub fn query_timeout(mut self, timeout: Duration) -> Self {
        self.query_timeout = Some(timeout);
        self
    }

    /// How long a running query's connection may be silent before it counts as dead. Default: 60 seconds.
    ///
    /// A server that is busy sends a sign of life every 5 seconds.
    pub fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.idle_timeout = timeout;
        self
    }

    /// How often a PING is sent on a connection for queries, or `None` for never. Default: three times in `idle_timeout`,
    /// at most every 20 seconds.
    ///
    /// PINGs keep the way through firewalls open, and tell that a connection is dead while a query is planned, when nothing
    /// else is sent: if a PING is not answered within two thirds of `idle_timeout`, it is. Some gateways allow one in five
    /// minutes and close the connection otherwise (`too_many_pings`). A client that is told so sends none any more.
    /// Without PINGs, a query on a connection that is dead waits for its schema until its timeout, if it has one.
    ///
    /// ```
    /// use influxdb3_blocking::Client;
    ///
    /// let builder = Client::builder().host("https://cluster.example.io");
    /// let client = builder.keep_alive_interval(None).build()?;
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    pub fn keep_alive_interval(mut self, interval: impl Into<Option<Duration>>) -> Self {
        self.keep_alive = match interval.into() {
            Some(interval) => KeepAlive::Every(interval),
            None => KeepAlive::Off,
        };
        self
    }

    /// Compresses request bodies of at least this many bytes. Default: none. Needs the feature `gzip`.
    ///
    /// In batching mode the workers do it; where they are behind, a write that fills a batch compresses one that waits.
    ///
    /// ```
    /// use influxdb3_blocking::Client;
    ///
    /// let builder = Client::builder().host("https://cluster.example.io");
    /// let client = builder.gzip_threshold(1000).build()?;
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    #[cfg(feature = "gzip")]
    pub fn gzip_threshold(mut self, bytes: usize) -> Self {
        self.gzip_threshold = Some(bytes);
        self
    }

    /// A header of every request, writes and queries, in place of an earlier one of that name.
    ///
    /// What would not do what it says is a problem of [`build`](Self::build): headers about one connection (`upgrade`),
    /// about the body (`content-length`, `content-type`), of gRPC (`grpc-…`), and `host`.
    ///
    /// ```
    /// use influxdb3_blocking::Client;
    ///
    /// let builder = Client::builder().host("https://cluster.example.io");
    /// let builder = builder.header("x-team", "sensors");
    /// let client = builder.clone().build()?;
    /// assert!(builder.header("content-length", "1").build().is_err());
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    pub fn header(mut self, name: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        if let Err(problem) = self.headers.set(name.as_ref(), value.as_ref()) {
            self.problems.push(problem);
        }
        self
    }

    /// The largest message of a query's answer, in bytes. Default: 256 MiB.
    ///
    /// A server cuts results into messages of about 2 MiB, but a single row is one message however long.
    pub fn max_message_size(mut self, bytes: usize) -> Self {
        self.max_message_size = bytes;
        self
    }

    /// The largest body of a write request, in bytes before compression. Default: 10 MiB, the server's limit.
    ///
    /// A larger write is cut at line boundaries into several requests.
    pub fn max_request_bytes(mut self, bytes: usize) -> Self {
        self.max_request_bytes = bytes;
        self
    }

    /// Writes to `/api/v2/write` (true, the default) or to `/api/v3/write_lp` (false).
    ///
    /// Every product has the former. On InfluxDB 3 Core and Enterprise it stores all lines or none and does
    /// not name the bad ones; the latter stores the good lines, names the bad ones, and knows
    /// [`no_sync`](Self::no_sync).
    ///
    /// ```
    /// use influxdb3_blocking::Client;
    ///
    /// let builder = Client::builder().host("http://localhost:8181");
    /// let client = builder.use_v2_api(false).no_sync(true).build()?;
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    pub fn use_v2_api(mut self, v2: bool) -> Self {
        self.use_v2_api = v2;
        self
    }

    /// Lets the server answer before a write is durable. Default: false. Needs `use_v2_api(false)`.
    pub fn no_sync(mut self, no_sync: bool) -> Self {
        self.no_sync = no_sync;
        self
    }

    /// Stores the good lines of a request that has bad ones. Default: true. Matters with `use_v2_api(false)`
    /// only.
    pub fn accept_partial(mut self, accept: bool) -> Self {
        self.accept_partial = accept;
        self
    }

    /// The precision that timestamps are written in. Default: nanoseconds.
    pub fn precision(mut self, precision: Precision) -> Self {
        self.precision = precision;
        self
    }

    /// Takes what the environment has.
    ///
    /// | variable | key of a connection string | sets |
    /// |---|---|---|
    /// | `INFLUX_HOST`, or else `INFLUXDB3_HOST_URL` | before the `?` | [`hosts`](Self::hosts) |
    /// | `INFLUX_WRITE_HOST`, or else `INFLUXDB3_WRITE_HOST_URL` | `writeHost` | [`write_hosts`](Self::write_hosts) |
    /// | `INFLUX_QUERY_HOST`, or else `INFLUXDB3_QUERY_HOST_URL` | `queryHost` | [`query_hosts`](Self::query_hosts) |
    /// | `INFLUX_TOKEN`, or else `INFLUXDB3_AUTH_TOKEN` | `token` | [`token`](Self::token) |
    /// | `INFLUX_TOKEN_FILE` | `tokenFile` | [`token_file`](Self::token_file), which wins over a token |
    /// | `INFLUX_DATABASE`, or else `INFLUXDB3_DATABASE_NAME` | `database` | [`database`](Self::database) |
    /// | `INFLUX_ORG` | `org` | [`organization`](Self::organization) |
    /// | `INFLUX_AUTH_SCHEME` | `authScheme` | [`auth_scheme`](Self::auth_scheme) |
    /// | `INFLUX_PRECISION` | `precision` | [`precision`](Self::precision) |
    /// | `INFLUX_GZIP_THRESHOLD` | `gzipThreshold` | `gzip_threshold` |
    /// | `INFLUX_WRITE_NO_SYNC` | `writeNoSync` | [`no_sync`](Self::no_sync) |
    /// | `INFLUX_WRITE_ACCEPT_PARTIAL` | `writeAcceptPartial` | [`accept_partial`](Self::accept_partial) |
    /// | `INFLUX_WRITE_USE_V2_API` | `writeUseV2Api` | [`use_v2_api`](Self::use_v2_api) |
    /// | `INFLUX_CONNECT_TIMEOUT` | `connectTimeout` | [`connect_timeout`](Self::connect_timeout) |
    /// | `INFLUX_WRITE_TIMEOUT` | `writeTimeout` | [`write_timeout`](Self::write_timeout) |
    /// | `INFLUX_QUERY_TIMEOUT` | `queryTimeout` | [`query_timeout`](Self::query_timeout) |
    /// | `INFLUX_PROXY` | `proxy` | [`proxy`](Self::proxy) |
    /// | `INFLUX_PROXY_FROM_ENV` | `proxyFromEnv` | [`proxy_from_env`](Self::proxy_from_env) |
    /// | `INFLUX_TLS_SERVER_NAME` | `tlsServerName` | `tls_server_name` |
    /// | `INFLUX_TLS_CA`, or else `INFLUXDB3_TLS_CA` | `tlsCa` | `tls_add_root_certs`, with what this file holds |
    /// | `INFLUX_TLS_NO_VERIFY`, or else `INFLUXDB3_TLS_NO_VERIFY` | `tlsNoVerify` | `danger_accept_invalid_certs` |
    ///
    /// The second names are those that the server's own command line reads. An empty variable counts as unset; one that
    /// is not UTF-8 is a problem. Several hosts are separated by commas. Booleans are true/false/1/0/yes/no/on/off in any
    /// case. Timeouts have a unit (`10s`, `500ms`); a bare number is milliseconds. What is set later wins.
    ///
    /// ```no_run
    /// use influxdb3_blocking::Client;
    ///
    /// // INFLUX_HOST=https://a.example.io,https://b.example.io
    /// // INFLUX_TOKEN_FILE=/run/secrets/influx
    /// let client = Client::builder().with_env().database("sensors").build()?;
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    pub fn with_env(mut self) -> Self {
        settings::set_from_env(&mut self, |name| std::env::var_os(name));
        self
    }

    /// Takes what a connection string has: `https://host:8181?token=…&database=…`.
    ///
    /// Several hosts are separated by commas: `https://a:8181,https://b:8181?token=…`. The keys are in the table of
    /// [`with_env`](Self::with_env), with the same values, form-encoded (`+` is a blank, `%2B` a plus). Other keys are left
    /// alone with a warning in the log. What is set later wins.
    ///
    /// ```
    /// use influxdb3_blocking::Client;
    ///
    /// let text = "https://ingest:8181?queryHost=https://query:8181\
    ///             &database=sensors&tokenFile=/run/token";
    /// let client = Client::builder().with_connection_string(text).build()?;
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    pub fn with_connection_string(mut self, text: impl AsRef<str>) -> Self {
        connection_string::set_from_connection_string(&mut self, text.as_ref());
        self
    }

    /// The client. Nothing is sent, and no thread is started, before it is used.
    ///
    /// ```
    /// use influxdb3_blocking::{Client, ErrorKind};
    ///
    /// let builder = Client::builder().host("ftp://example.io").token("a b");
    /// let error = builder.build().unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Config);
    /// let text = error.to_string();
    /// assert!(text.contains("use http:// or https://"));
    /// assert!(text.contains("the token has blanks"));
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config), naming every problem.
    pub fn build(mut self) -> Result<Client> {
        self.check();
        let rules = TagRules::new(
            std::mem::take(&mut self.default_tags),
            std::mem::take(&mut self.tag_order),
        );
        if let Err(error) = &rules {
            self.problems.push(format!("default_tag: {}", error.message()));
        }
        let write_hosts = self.with_proxies(&self.write_hosts.clone());
        #[cfg(feature = "query")]
        let query_hosts = self.with_proxies(&self.query_hosts.clone());
        #[cfg(feature = "tls")]
        let tls = self.tls.build();
        #[cfg(feature = "tls")]
        self.problems.extend(tls.as_ref().err().cloned());
        match rules {
            Ok(rules) if self.problems.is_empty() => {
                let config = Config {
                    write_hosts,
                    #[cfg(feature = "query")]
                    query_hosts,
                    tokens: self.tokens,
                    auth_scheme: self.auth_scheme,
                    database: self.database,
                    organization: self.organization,
                    headers: self.headers,
                    connect_timeout: self.connect_timeout,
                    write_timeout: self.write_timeout,
                    #[cfg(feature = "query")]
                    query_timeout: self.query_timeout,
                    #[cfg(feature = "query")]
                    idle_timeout: self.idle_timeout,
                    #[cfg(feature = "query")]
                    keep_alive: self.keep_alive,
                    #[cfg(feature = "tls")]
                    tls: tls.map_err(Error::config)?,
                    #[cfg(feature = "query")]
                    max_message_size: self.max_message_size,
                    max_request_bytes: self.max_request_bytes,
                    gzip_threshold: self.gzip_threshold,
                    precision: self.precision,
                    use_v2_api: self.use_v2_api,
                    no_sync: self.no_sync,
                    accept_partial: self.accept_partial,
                };
                Client::new(config, rules, &self.write_options)
            }
            _ => Err(Error::config(self.problems.join("; "))),
        }
    }

    fn set_database(&mut self, name: &str) {
        self.database = Some(Arc::from(name.trim())).filter(|name: &Arc<str>| !name.is_empty());
    }

    fn set_auth_scheme(&mut self, scheme: &str) -> Result<(), String> {
        let is_scheme = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        if scheme.is_empty() || !scheme.bytes().all(is_scheme) {
            return Err(format!("{scheme:?} is no auth scheme: use Token or Bearer"));
        }
        scheme.clone_into(&mut self.auth_scheme);
        Ok(())
    }

    /// What is wrong with the whole rather than with one setting.
    fn check(&mut self) {
        self.settle_hosts();
        if self.no_sync && self.use_v2_api {
            self.problems
                .push("no_sync needs use_v2_api(false): /api/v2/write does not know it".into());
        }
        if self.max_request_bytes == 0 {
            self.problems.push("max_request_bytes is 0: no line fits".into());
        }
        self.problems.extend(self.write_options.problems());
        if self.max_message_size == 0 {
            self.problems.push("max_message_size is 0: no answer fits".into());
        }
        if matches!(self.keep_alive, KeepAlive::Every(Duration::ZERO)) {
            self.problems.push("keep_alive_interval is 0: None turns PINGs off".into());
        }
        for (name, timeout) in [
            ("connect_timeout", Some(self.connect_timeout)),
            ("write_timeout", Some(self.write_timeout)),
            ("query_timeout", self.query_timeout),
            ("idle_timeout", Some(self.idle_timeout)),
        ] {
            if timeout.is_some_and(|timeout| timeout.is_zero()) {
                self.problems.push(format!("{name} is 0: nothing can be done in no time"));
            }
        }
    }
}

/// Secrets are not shown.
impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("hosts", &self.hosts)
            .field("write_hosts", &self.write_hosts)
            .field("query_hosts", &self.query_hosts)
            .field("tokens", &self.tokens)
            .field("database", &self.database)
            .field("headers", &self.headers)
            .field("proxy", &self.proxy)
            .field("problems", &self.problems)
            .finish_non_exhaustive()
    }
}
