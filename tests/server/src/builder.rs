//! Settings of a server.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex},
    time::Duration,
};

use crate::{
    DevServer, Fault, answers::Answers, held::Holds, release::Release, request::Requests,
    shared::Shared, store::Store, tls, tls::Pem, tokens::Tokens, uuid::Uuid, wal::Wal,
};

/// Settings of a [`DevServer`]; made by [`DevServer::builder`].
///
/// ```
/// use influxdb3_dev_server::DevServer;
///
/// let builder = DevServer::builder().token("secret").record_requests(true);
/// let server = builder.start()?;
/// assert!(server.url().starts_with("http://127.0.0.1:"));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Clone)]
#[must_use = "a builder does nothing until `start`"]
pub struct DevServerBuilder {
    host: IpAddr,
    port: u16,
    version: Option<String>,
    token: Option<String>,
    tls: Option<Pem>,
    max_request_bytes: usize,
    #[cfg(feature = "query")]
    keep_alive_interval: Duration,
    record_requests: bool,
    panics_like_3_6: bool,
    wal_flush_interval: Duration,
    fault: Option<Fault>,
}

impl Default for DevServerBuilder {
    fn default() -> DevServerBuilder {
        DevServerBuilder {
            host: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: 0,
            version: None,
            token: None,
            tls: None,
            max_request_bytes: 10 * 1024 * 1024,
            #[cfg(feature = "query")]
            keep_alive_interval: Duration::from_secs(5),
            record_requests: false,
            panics_like_3_6: false,
            wal_flush_interval: Duration::ZERO,
            fault: None,
        }
    }
}

impl DevServerBuilder {
    /// The address to listen on. Default: 127.0.0.1.
    pub fn host(mut self, host: IpAddr) -> Self {
        self.host = host;
        self
    }

    /// The port to listen on. Default: 0, a free one.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// The release of InfluxDB 3 Core that the server answers as: `3.6` or `3.12`. Default: 3.6.
    ///
    /// The answers of 3.6 are recorded. Those of 3.12 are 3.6's with what is known to have changed, from the source of
    /// 3.10 and the release notes since:
    ///
    /// - a body that is too large is answered with 413 on both endpoints, one that is no gzip or no UTF-8 with 400;
    /// - all members of a gzip body are read;
    /// - names of databases may have 511 bytes and texts 1 MiB, and there may be 4000 tables;
    /// - a line with one tag twice is an error of that line;
    /// - a line that is refused leaves no trace: neither its table nor its columns;
    /// - `/api/v2/write` answers 503 while the server [is being stopped](Fault::Stopping);
    /// - `GET /ready` answers 200, and 503 while [the object store fails](Fault::ObjectStore);
    /// - each answer over HTTP has a `cluster-uuid`, and `/ping` names the product;
    /// - 401 has a body, and queries over HTTP that cannot be planned are answered with 400.
    ///
    /// What is not known, and is a guess: the text about a repeated tag, the body of 503 (that of 400 up to
    /// 3.10), those of `/ready`, the name of the product, whether a server that is being stopped is `/ready` (here it
    /// is not), and whether a write of nothing but refused lines still makes its database (here it does). Texts of the
    /// parser are those of the published one, in any release.
    ///
    /// Of two writes of one series and time, the one that was stored last wins, which is the one that was acknowledged
    /// last. Up to 3.11.3 a real server may let either of them win.
    ///
    /// ```
    /// use influxdb3_dev_server::DevServer;
    ///
    /// let server = DevServer::builder().version("3.12").start()?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.version = Some(version.into());
        self
    }

    /// Turns authentication on, with this token, which never expires. See also
    /// [`DevServer::issue_token_for`]. Default: off.
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.token = Some(token.into());
        self
    }

    /// Serves TLS (HTTP/2 and HTTP/1.1 by ALPN) with a certificate chain and its private key, both
    /// as PEM. Default: plain TCP.
    pub fn tls(mut self, cert_pem: impl Into<Vec<u8>>, key_pem: impl Into<Vec<u8>>) -> Self {
        self.tls = Some(Pem { certs: cert_pem.into(), key: key_pem.into() });
        self
    }

    /// The largest body of a write in bytes, as sent and again when decoded. Default: 10 MiB.
    pub fn max_request_bytes(mut self, bytes: usize) -> Self {
        self.max_request_bytes = bytes;
        self
    }

    /// How long a query may have no rows before the server sends a record batch without
    /// rows, and between two of them. Default: 5 s. Needs the feature `query`.
    #[cfg(feature = "query")]
    pub fn keep_alive_interval(mut self, interval: Duration) -> Self {
        self.keep_alive_interval = interval;
        self
    }

    /// Keeps every request, bodies included, for [`DevServer::requests`]. Default: off, for the
    /// memory is not bounded.
    pub fn record_requests(mut self, on: bool) -> Self {
        self.record_requests = on;
        self
    }

    /// Closes the connection without an answer where release 3.6 panics: when a faulty line of a
    /// `/api/v3/write_lp` request has its 20th byte inside a character. The lines without fault
    /// are stored by then. Default: off, an answer like that of 3.10.
    pub fn panics_like_3_6(mut self, on: bool) -> Self {
        self.panics_like_3_6 = on;
        self
    }

    /// How often the WAL is flushed, which is when durable writes are answered: all writes since
    /// the previous flush, together. Durable are those on `/api/v2/write`, and those on
    /// `/api/v3/write_lp` without `no_sync=true`. Default: zero, each is answered at once; a real
    /// server has one second.
    ///
    /// The lines are stored, and can be queried, as soon as they are received: a real server shows
    /// them with the flush. With [`Duration::MAX`] the WAL is flushed only by
    /// [`flush_wal`](DevServer::flush_wal).
    ///
    /// ```
    /// use std::time::Duration;
    /// use influxdb3_dev_server::DevServer;
    ///
    /// let builder = DevServer::builder();
    /// let server = builder.wal_flush_interval(Duration::from_secs(1)).start()?;
    /// // … a client that waits for each answer now gets one write done in a second …
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn wal_flush_interval(mut self, interval: Duration) -> Self {
        self.wal_flush_interval = interval;
        self
    }

    /// The fault of the server, until [`DevServer::set_fault`] sets another one. Default: none.
    pub fn fault(mut self, fault: impl Into<Option<Fault>>) -> Self {
        self.fault = fault.into();
        self
    }

    /// Starts the server on a thread of its own; it is ready when this returns.
    ///
    /// # Errors
    /// The address cannot be listened on, the certificate or key cannot be used, the version is
    /// none that it knows, or the system gives no thread.
    pub fn start(self) -> io::Result<DevServer> {
        let release = match &self.version {
            None => Release::default(),
            Some(version) => Release::parse(version).ok_or_else(|| {
                let message = format!("the dev server answers as 3.6 or 3.12, not as {version:?}");
                io::Error::new(io::ErrorKind::InvalidInput, message)
            })?,
        };
        let tls = self.tls.map(|pem| tls::acceptor(&pem)).transpose()?;
        let shared = Shared {
            release,
            store: Store::default(),
            wal: Wal::new(self.wal_flush_interval),
            holds: Holds::default(),
            write_answers: Answers::default(),
            query_answers: Answers::default(),
            fault: Mutex::new(self.fault),
            tokens: Tokens::new(self.token),
            max_request_bytes: self.max_request_bytes,
            #[cfg(feature = "query")]
            keep_alive_interval: self.keep_alive_interval,
            panics_like_3_6: self.panics_like_3_6,
            requests: Requests::new(self.record_requests),
            process_id: Mutex::new(Uuid::v4()),
            cluster: Uuid::v4(),
        };
        DevServer::listen_at(SocketAddr::new(self.host, self.port), tls, Arc::new(shared))
    }
}
