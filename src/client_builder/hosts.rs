use std::sync::Arc;

use super::ClientBuilder;
use crate::transport::{Endpoint, Host, proxy_from_variables};

/// Which servers there are.
impl ClientBuilder {
    /// The server: `https://cluster.example.io`, with a port and a path prefix if it has them. Required, unless there are
    /// a [`write_host`](Self::write_host) or a [`query_host`](Self::query_host).
    ///
    /// Without a scheme, a loopback host is plain HTTP, on port 8181 by default, and any other host is HTTPS. IPv6
    /// addresses work with and without brackets.
    ///
    /// ```
    /// use influxdb3_blocking::Client;
    ///
    /// let local = Client::builder().host("localhost").build()?; // http, 8181
    /// let remote = Client::builder().host("cluster.example.io").build()?; // https
    /// let behind = Client::builder().host("https://example.io/influx").build()?;
    /// assert!(Client::builder().host("ftp://example.io").build().is_err());
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    pub fn host(self, host: impl AsRef<str>) -> Self {
        self.hosts([host])
    }

    /// Several servers that are one database, such as the nodes of a cluster, or one server by several names: each is
    /// as [`host`](Self::host) is.
    ///
    /// The first one that works is used, so put the one that you prefer first. If it cannot be connected to, is
    /// stopping, answers 401, 502 to 504 or 520 to 524, or does not serve such requests (a node of another mode), the
    /// next one gets the same request at once. A host that failed is skipped for a second, twice as long each time up
    /// to a minute, and then tried by one request. If all fail, the error says why each of them did. Within one write,
    /// [`write_timeout`](Self::write_timeout) is for all of them together, and so is
    /// [`query_timeout`](Self::query_timeout) within one query, if it has one.
    ///
    /// Lines without a timestamp are not sent to a second host if the first may have stored them (a 502, or no answer),
    /// because each host would give them a different time. The error then has [`in_doubt()`](crate::Error::in_doubt)
    /// `== true`. In batching mode each line has a timestamp. A query goes to the next host until its first row is
    /// received. With one worker, batches stay in order whichever host takes them.
    ///
    /// ```
    /// use influxdb3_blocking::Client;
    ///
    /// let client = Client::builder()
    ///     .hosts(["https://a.example.io:8181", "https://b.example.io:8181"])
    ///     .database("sensors")
    ///     .build()?;
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    pub fn hosts<I>(mut self, hosts: I) -> Self
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        if let Some(hosts) = self.parse_hosts(hosts) {
            self.hosts = hosts;
        }
        self
    }

    /// The server to write to, in place of [`host`](Self::host): a node of mode `ingest`, for example.
    ///
    /// `ping` and `server_version` ask it, too.
    ///
    /// ```
    /// use influxdb3_blocking::Client;
    ///
    /// let client = Client::builder()
    ///     .write_host("https://ingest.example.io:8181")
    ///     .query_host("https://query.example.io:8181")
    ///     .build()?;
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    pub fn write_host(self, host: impl AsRef<str>) -> Self {
        self.write_hosts([host])
    }

    /// Several servers to write to, in place of [`hosts`](Self::hosts), with all that holds for those.
    ///
    /// ```
    /// use influxdb3_blocking::Client;
    ///
    /// let client = Client::builder()
    ///     .write_hosts(["https://ingest-1.example.io", "https://ingest-2.example.io"])
    ///     .query_host("https://query.example.io")
    ///     .build()?;
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    pub fn write_hosts<I>(mut self, hosts: I) -> Self
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        if let Some(hosts) = self.parse_hosts(hosts) {
            self.write_hosts = hosts;
        }
        self
    }

    /// The server to query, in place of [`host`](Self::host): a node of mode `query`, for example.
    ///
    /// ```
    /// use influxdb3_blocking::Client;
    ///
    /// let client = Client::builder()
    ///     .host("https://ingest.example.io:8181")
    ///     .query_host("https://query.example.io:8181")
    ///     .build()?;
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    pub fn query_host(self, host: impl AsRef<str>) -> Self {
        self.query_hosts([host])
    }

    /// Several servers to query, in place of [`hosts`](Self::hosts), with all that holds for those.
    ///
    /// ```
    /// use influxdb3_blocking::Client;
    ///
    /// let client = Client::builder()
    ///     .host("https://ingest.example.io")
    ///     .query_hosts(["https://query-1.example.io", "https://query-2.example.io"])
    ///     .build()?;
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    pub fn query_hosts<I>(mut self, hosts: I) -> Self
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        if let Some(hosts) = self.parse_hosts(hosts) {
            self.query_hosts = hosts;
        }
        self
    }

    fn parse_hosts<I>(&mut self, hosts: I) -> Option<Vec<Endpoint>>
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        let parsed = parse_all(hosts);
        parsed.map_err(|problem| self.problems.push(problem)).ok()
    }

    /// Each path has its hosts, where something was said about them.
    pub(super) fn settle_hosts(&mut self) {
        let Self { hosts, write_hosts, query_hosts, problems, .. } = self;
        if hosts.is_empty() && write_hosts.is_empty() && query_hosts.is_empty() {
            if problems.is_empty() {
                problems.push("no host: call .host(…) or set INFLUX_HOST".into());
            }
            return;
        }
        for of_path in [write_hosts, query_hosts] {
            if of_path.is_empty() {
                of_path.clone_from(hosts);
            }
            #[cfg(not(feature = "tls"))]
            if of_path.iter().any(Endpoint::is_tls) {
                let problem = "the host is https, which needs the feature `tls` of this crate";
                if !problems.iter().any(|known| known == problem) {
                    problems.push(problem.into());
                }
            }
        }
    }

    /// The hosts, with the proxy that each is reached through.
    pub(super) fn with_proxies(&mut self, endpoints: &[Endpoint]) -> Vec<Arc<Host>> {
        let mut hosts = Vec::with_capacity(endpoints.len());
        for endpoint in endpoints {
            let proxy = match &self.proxy {
                None if self.proxy_from_env => {
                    proxy_from_variables(endpoint, |name| std::env::var_os(name))
                }
                proxy => Ok(proxy.clone()),
            };
            match proxy {
                Ok(proxy) => hosts.push(Arc::new(Host { endpoint: endpoint.clone(), proxy })),
                Err(problem) if self.problems.contains(&problem) => {}
                Err(problem) => self.problems.push(problem),
            }
        }
        hosts
    }
}

/// Hosts that are separated by commas.
pub(super) fn parse_list(text: &str) -> Result<Vec<Endpoint>, String> {
    parse_all(text.split(','))
}

/// At least one, each of them once.
fn parse_all<I>(hosts: I) -> Result<Vec<Endpoint>, String>
where
    I: IntoIterator,
    I::Item: AsRef<str>,
{
    let mut endpoints = Vec::new();
    for host in hosts {
        let endpoint = Endpoint::parse(host.as_ref())?;
        if !endpoints.contains(&endpoint) {
            endpoints.push(endpoint);
        }
    }
    if endpoints.is_empty() {
        return Err("there is no host in the list: give one at least".into());
    }
    Ok(endpoints)
}
