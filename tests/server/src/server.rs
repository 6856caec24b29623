//! The server, for the one who started it.

use std::{
    fmt, io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio_rustls::TlsAcceptor;

use crate::{
    Answer, DevServerBuilder, Fault, HeldWrite, Request,
    serving::{Port, Serving},
    shared::Shared,
    tokens::Tokens,
};

/// A running server: HTTP and Flight on one port, on a thread of its own.
///
/// Dropping it closes all connections and waits for the thread. If the server has panicked, the
/// drop panics with the same words, so that the test fails which caused it.
///
/// It can be started anywhere, inside a tokio runtime too: nothing of the caller's runtime is used.
///
/// ```
/// use influxdb3_dev_server::DevServer;
///
/// let server = DevServer::start()?;
/// println!("listening on {}", server.url());
/// assert_eq!(server.tables("sensors"), Vec::<String>::new());
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct DevServer {
    addr: SocketAddr,
    tls: Option<TlsAcceptor>,
    shared: Arc<Shared>,
    state: Mutex<State>,
}

#[derive(Debug)]
enum State {
    Up(Serving),
    /// Stopped, with the port if it could be kept.
    Down(Option<Port>),
}

impl DevServer {
    /// Starts a server on a free port of 127.0.0.1, without authentication and without TLS.
    ///
    /// # Errors
    /// No port can be listened on, or the system gives no thread.
    pub fn start() -> io::Result<DevServer> {
        DevServer::builder().start()
    }

    /// Settings for a server, to be started with [`DevServerBuilder::start`].
    pub fn builder() -> DevServerBuilder {
        DevServerBuilder::default()
    }

    /// `http://127.0.0.1:PORT`, or `https://…` with TLS.
    pub fn url(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.addr)
    }

    /// The address that the server listens on, with the port that the system chose.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// All requests so far in the order in which they were received, if the server was started with
    /// [`DevServerBuilder::record_requests`]; else none.
    pub fn requests(&self) -> Vec<Request> {
        self.shared.requests.all()
    }

    /// Names of a database's tables, sorted; none if there is no such database.
    pub fn tables(&self, database: &str) -> Vec<String> {
        self.shared.store.tables(database)
    }

    /// The rows of a table as line protocol: the earliest first, tags and fields sorted by their names, times in
    /// nanoseconds. None if there is no such table.
    ///
    /// It says what the server has stored, however it was written: lines of one series and time are one row.
    ///
    /// ```
    /// use influxdb3_blocking::{Client, Point, Timestamp};
    /// use influxdb3_dev_server::DevServer;
    ///
    /// let server = DevServer::start()?;
    /// let builder = Client::builder().host(server.url()).database("sensors");
    /// let client = builder.build()?;
    /// let time = Timestamp::seconds(1_735_545_600);
    /// let point = Point::new("home").tag("room", "Kitchen").time(time);
    /// client.write(point.clone().field("temp", 21.5)).send()?;
    /// client.write(point.field("hum", 35)).send()?;
    ///
    /// let line = "home,room=Kitchen hum=35i,temp=21.5 1735545600000000000";
    /// assert_eq!(server.lines("sensors", "home"), [line]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn lines(&self, database: &str, table: &str) -> Vec<String> {
        self.shared.store.lines(database, table)
    }

    /// Rows of a table; 0 if there is no such table.
    pub fn rows(&self, database: &str, table: &str) -> usize {
        self.shared.store.rows(database, table)
    }

    pub(crate) fn tokens(&self) -> &Tokens {
        &self.shared.tokens
    }

    /// From now on writes are answered as a server with this fault answers them; with none, they are taken again.
    ///
    /// ```
    /// use influxdb3_dev_server::{DevServer, Fault};
    ///
    /// let server = DevServer::start()?;
    /// server.set_fault(Fault::WalFull);
    /// // … the client under test waits and tries again …
    /// server.set_fault(None);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn set_fault(&self, fault: impl Into<Option<Fault>>) {
        let fault = fault.into();
        self.shared.set_fault(fault);
        if fault == Some(Fault::Stopping) {
            self.shared.wal.flush();
        }
    }

    /// The next `writes` writes get this answer, of any content and any client. A second call is for the writes after
    /// those.
    pub fn answer_writes(&self, writes: usize, answer: Answer) {
        self.shared.write_answers.add(writes, &answer);
    }

    /// The next `queries` queries get this answer, over Flight and over HTTP. A second call is for the queries after
    /// those. Queries over Flight are not in [`requests`](Self::requests) if they are not run.
    pub fn answer_queries(&self, queries: usize, answer: Answer) {
        self.shared.query_answers.add(queries, &answer);
    }

    /// Holds back the next write: it is neither stored nor answered until the returned value is dropped. Others
    /// pass it. Called twice, it holds back the next two writes, the first the first.
    ///
    /// ```
    /// use influxdb3_dev_server::DevServer;
    ///
    /// let server = DevServer::start()?;
    /// let held = server.hold_next_write();
    /// // … the client under test writes one point twice, by two workers …
    /// held.release();
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn hold_next_write(&self) -> HeldWrite {
        self.shared.holds.add()
    }

    /// Answers the writes that wait for the WAL, as if its interval were over: see
    /// [`DevServerBuilder::wal_flush_interval`].
    pub fn flush_wal(&self) {
        self.shared.wal.flush();
    }

    /// How many writes wait for the WAL: they are stored and not answered.
    pub fn waiting_writes(&self) -> usize {
        self.shared.wal.waiting()
    }

    /// Goes away as a process that is killed: the port and all connections are closed, whatever is under way on them,
    /// and further connections are refused. Does nothing if it is stopped already.
    ///
    /// The data stay, also those of writes that were received as a whole and not answered. The port is kept from
    /// other programs, as far as the system allows, until [`resume`](Self::resume).
    pub fn stop(&self) {
        let mut state = self.lock();
        if let State::Up(serving) = std::mem::replace(&mut *state, State::Down(None)) {
            drop(serving);
            *state = State::Down(Port::reserve(self.addr).ok());
        }
    }

    /// Starts again on the same port with the same data and settings, as another process: see
    /// [`stop`](Self::stop). Does nothing if it is up.
    ///
    /// # Errors
    /// The port is in use, or the system cannot start a thread.
    pub fn resume(&self) -> io::Result<()> {
        let mut state = self.lock();
        if let State::Down(port) = &mut *state {
            let port = port.take().map_or_else(|| Port::listen_at(self.addr), Ok)?;
            self.shared.renew_process_id();
            *state = State::Up(Serving::start(port, self.tls.clone(), self.shared.clone())?);
        }
        Ok(())
    }

    /// Stops and resumes at once: every connection breaks, and for a moment clients cannot connect.
    ///
    /// ```
    /// use influxdb3_dev_server::DevServer;
    ///
    /// let server = DevServer::start()?;
    /// let url = server.url();
    /// server.restart()?;
    /// assert_eq!(server.url(), url);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// As of [`resume`](Self::resume).
    pub fn restart(&self) -> io::Result<()> {
        self.stop();
        self.resume()
    }

    /// Blocks until the server ends, which it does only by a panic of its own; at once if it is stopped.
    pub fn wait(self) {
        if let State::Up(serving) = self.state.into_inner().unwrap_or_else(PoisonError::into_inner)
        {
            serving.wait();
        }
    }

    pub(crate) fn listen_at(
        addr: SocketAddr,
        tls: Option<TlsAcceptor>,
        shared: Arc<Shared>,
    ) -> io::Result<DevServer> {
        let port = Port::listen_at(addr)?;
        let addr = port.addr()?;
        let serving = Serving::start(port, tls.clone(), shared.clone())?;
        Ok(DevServer { addr, tls, shared, state: Mutex::new(State::Up(serving)) })
    }

    // A panic with the lock held is that of the server, which has been passed on.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for DevServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DevServer")
            .field("url", &self.url())
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}
