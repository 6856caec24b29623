use super::{ClientBuilder, connection_string, settings};

/// Settings that are given as texts.
impl ClientBuilder {
    /// Sets what the variables of the environment say.
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

    /// Sets what a connection string says: `https://host:8181?token=…&database=…`.
    ///
    /// Several hosts are separated by commas: `https://a:8181,https://b:8181?token=…`. The keys are in the table of
    /// [`with_env`](Self::with_env), with the same values, form-encoded (`+` is a blank, `%2B` a plus). Other keys are
    /// ignored, with a warning in the log. What is set later wins.
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
}
