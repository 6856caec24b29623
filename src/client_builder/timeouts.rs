use std::time::Duration;

use super::ClientBuilder;
use crate::config::KeepAlive;

/// How long things may take.
impl ClientBuilder {
    /// How long all of connecting may take: name resolution, TCP, the proxy and the TLS handshake together.
    /// Default: 10 seconds. A write or query that has other hosts left gives a single one no more than an equal share
    /// of its time.
    ///
    /// ```
    /// use influxdb3_blocking::Client;
    /// use std::time::Duration;
    ///
    /// let client = Client::builder()
    ///     .hosts(["https://a.example.io", "https://b.example.io"])
    ///     .connect_timeout(Duration::from_secs(2)) // then the next one
    ///     .build()?;
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// How long one write request may take, from name resolution to the end of the answer, with all hosts that are tried.
    /// Default: 30 seconds.
    ///
    /// A server answers a durable write when its write-ahead log is flushed, once a second by default.
    ///
    /// ```
    /// use influxdb3_blocking::Client;
    /// use std::time::Duration;
    ///
    /// let builder = Client::builder().host("http://localhost:8181");
    /// let client = builder.write_timeout(Duration::from_secs(5)).build()?;
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    pub fn write_timeout(mut self, timeout: Duration) -> Self {
        self.write_timeout = timeout;
        self
    }

    /// How long a query may take: a table up to its last row, a reader for each next batch. Default: no limit.
    ///
    /// ```
    /// use influxdb3_blocking::Client;
    /// use std::time::Duration;
    ///
    /// let builder = Client::builder().host("http://localhost:8181");
    /// let client = builder.query_timeout(Duration::from_secs(120)).build()?;
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    pub fn query_timeout(mut self, timeout: Duration) -> Self {
        self.query_timeout = Some(timeout);
        self
    }

    /// How long a running query's connection may be silent before it counts as dead. Default: 60 seconds.
    ///
    /// A server that is busy sends a sign of life every 5 seconds.
    ///
    /// ```
    /// use influxdb3_blocking::Client;
    /// use std::time::Duration;
    ///
    /// // A way that is often silent, such as a satellite's.
    /// let builder = Client::builder().host("https://cluster.example.io");
    /// let client = builder.idle_timeout(Duration::from_secs(300)).build()?;
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    pub fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.idle_timeout = timeout;
        self
    }

    /// How often a PING is sent on a connection for queries, or `None` for never. Default: three times in `idle_timeout`,
    /// at most every 20 seconds.
    ///
    /// PINGs keep the way through firewalls open, and detect a dead connection while a query is planned, when nothing
    /// else is sent: it counts as dead if a PING is not answered within two thirds of `idle_timeout`. Some gateways
    /// allow one PING in five minutes and close the connection otherwise (`too_many_pings`). The client then sends no
    /// more PINGs. Without PINGs, a query on a connection that is dead waits for its schema until its timeout, if it
    /// has one.
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
}
