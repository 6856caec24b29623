//! The builder of clients: its methods, by what they are about, and the same settings as texts.

mod build;
mod client;
mod connecting;
mod connection_string;
mod from_text;
mod hosts;
mod settings;
mod text_forms;
mod timeouts;
mod tokens;
mod writes;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::config::{Headers, KeepAlive, Tokens};
#[cfg(feature = "tls")]
use crate::transport::TlsSettings;
use crate::transport::{Endpoint, Proxy, harmless_name};
use crate::write::StartBatching;
use crate::{Precision, Result, WriteOptions};

/// Makes a [`Client`](crate::Client). Problems are collected, and [`build`](Self::build) names all of them at once.
///
/// ```
/// use influxdb3_blocking::{Client, Precision};
/// use std::time::Duration;
///
/// let client = Client::builder()
///     .host("https://cluster.example.io")
///     .token("apiv3_xyz")
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
    /// Set with the options, so that a program that sets none is linked without batching.
    start_batching: Option<StartBatching>,
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
            start_batching: None,
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
    ///
    /// ```
    /// use influxdb3_blocking::Client;
    ///
    /// let builder = Client::builder().host("http://localhost:8181");
    /// let client = builder.clone().database("sensors").build()?;
    /// let of_a_year = builder.database("sensors/one_year").build()?;
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    pub fn database(mut self, database: impl AsRef<str>) -> Self {
        self.set_database(database.as_ref());
        self
    }

    /// The organization, which only `/api/v2/write` of some products wants. Default: empty.
    ///
    /// ```
    /// use influxdb3_blocking::Client;
    ///
    /// // Cloud Serverless, with buckets in organizations.
    /// let builder = Client::builder().host("https://cloud.example.io");
    /// let client = builder.organization("lab").database("sensors").build()?;
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    pub fn organization(mut self, organization: impl AsRef<str>) -> Self {
        self.organization = Arc::from(organization.as_ref());
        self
    }

    /// The scheme of the `Authorization` header over HTTP: `Token` (the default) or `Bearer`.
    ///
    /// Queries over Flight are always `Bearer`.
    ///
    /// ```
    /// use influxdb3_blocking::Client;
    ///
    /// let builder = Client::builder().host("https://cluster.example.io");
    /// let client = builder.auth_scheme("Bearer").token("secret").build()?;
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    pub fn auth_scheme(mut self, scheme: impl Into<String>) -> Self {
        let set = self.set_auth_scheme(&scheme.into());
        self.problems.extend(set.err());
        self
    }

    /// A header of every request, writes and queries, in place of an earlier one of that name.
    ///
    /// [`build`](Self::build) refuses headers that this client sets itself or that cannot work: about one connection
    /// (`upgrade`), about the body (`content-length`, `content-type`), of gRPC (`grpc-…`), and `host`.
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
    ///
    /// ```
    /// use influxdb3_blocking::Client;
    ///
    /// let builder = Client::builder().host("http://localhost:8181");
    /// let client = builder.max_message_size(64 << 20).build()?; // 64 MiB
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    pub fn max_message_size(mut self, bytes: usize) -> Self {
        self.max_message_size = bytes;
        self
    }

    fn set_database(&mut self, name: &str) {
        self.database = Some(Arc::from(name.trim())).filter(|name: &Arc<str>| !name.is_empty());
    }

    fn set_auth_scheme(&mut self, scheme: &str) -> Result<(), String> {
        let is_scheme = |c: char| c.is_ascii_alphanumeric() || c == '-';
        if scheme.is_empty() || !scheme.chars().all(is_scheme) {
            // The token may have been given with it, or in its place.
            let shown = harmless_name(scheme, is_scheme);
            return Err(format!("{shown:?} is no auth scheme: use Token or Bearer"));
        }
        scheme.clone_into(&mut self.auth_scheme);
        Ok(())
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
