//! [`Client`], which writes and queries, its clones, and the clients that are made from it.

mod health;
#[cfg(feature = "query")]
mod querying;
mod shared_connections;
mod weak;
mod writing;
#[cfg(feature = "_files")]
mod writing_files;

use std::fmt;
use std::sync::Arc;

use self::shared_connections::SharedConnections;
pub use self::weak::WeakClient;
use crate::config::Config;
use crate::line_protocol::TagRules;
use crate::write::{StartBatching, Writer, start_batching};
use crate::{Error, Result, WriteOptions};

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
    state: Arc<ClientState>,
}

/// What clones of a client share.
struct ClientState {
    writer: Writer,
    connections: Arc<SharedConnections>,
}

impl Client {
    /// `start` makes the batches, if the options want any.
    ///
    /// # Errors
    /// [`ErrorKind::File`](crate::ErrorKind::File): the directory of the spool cannot be used.
    pub(crate) fn new(
        config: Config,
        rules: TagRules,
        options: &WriteOptions,
        start: Option<StartBatching>,
    ) -> Result<Self> {
        let idle = (options.workers() + 8).max(IDLE_CONNECTIONS);
        Self::over(Arc::new(SharedConnections::new(config, rules, idle)), options, start)
    }

    /// A client over `connections`, which have counted it already.
    ///
    /// # Errors
    /// [`ErrorKind::File`](crate::ErrorKind::File): the directory of the spool cannot be used.
    fn over(
        connections: Arc<SharedConnections>,
        options: &WriteOptions,
        start: Option<StartBatching>,
    ) -> Result<Self> {
        match connections.writer(options, start) {
            Ok(writer) => Ok(Self { state: Arc::new(ClientState { writer, connections }) }),
            Err(error) => {
                connections.http().retire(false);
                if connections.leave() {
                    connections.close_queries();
                }
                Err(error)
            }
        }
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
    /// [`ErrorKind::Config`](crate::ErrorKind::Config), naming every option that is wrong; [`ErrorKind::Closed`](crate::ErrorKind::Closed).
    pub fn with_write_options(&self, options: WriteOptions) -> Result<Self> {
        self.check_open()?;
        let problems = options.problems();
        if !problems.is_empty() {
            return Err(Error::config(problems.join("; ")));
        }
        let connections = &self.state.connections;
        // Counted first, so that a client that is closed meanwhile is not the last one.
        connections.join();
        let joined = self.check_open().and_then(|()| connections.http().join());
        if let Err(error) = joined {
            if connections.leave() {
                connections.close_queries();
            }
            return Err(error);
        }
        Self::over(Arc::clone(connections), &options, Some(start_batching))
    }

    /// A handle for callbacks, which does not keep the client alive.
    ///
    /// ```
    /// # let client = influxdb3_blocking::Client::builder().host("http://localhost:1").database("sensors").build()?;
    /// let handle = client.downgrade();
    /// assert!(handle.upgrade().is_some());
    /// drop(client);
    /// assert!(handle.upgrade().is_none());
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    #[must_use]
    pub fn downgrade(&self) -> WeakClient {
        WeakClient::of(&self.state)
    }

    /// Closes the client and all its clones: sends what is left, then releases threads and connections.
    ///
    /// In batching mode it waits at most [`max_close_wait`](WriteOptions::max_close_wait), and not for a retry that is
    /// due after that: such a batch gets one more try at once. In a callback it only starts the work and returns.
    /// A client that is dropped closes itself, but waits at most 10 seconds, and during a panic gives each batch one
    /// try without waits.
    ///
    /// A second `close` does nothing. Every other call of a closed client is an error.
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
    /// An error if lines could not be sent; they are in its [`unsent`](Error::unsent).
    pub fn close(&self) -> Result<()> {
        if self.state.retire() {
            self.connections().close_queries();
        }
        self.writer().batching().map_or(Ok(()), |batching| batching.close())
    }

    pub(crate) fn check_open(&self) -> Result<()> {
        self.writer().check_open()
    }

    pub(crate) fn writer(&self) -> &Writer {
        &self.state.writer
    }

    fn connections(&self) -> &SharedConnections {
        &self.state.connections
    }
}

impl ClientState {
    /// Refuses further calls. True if no other client shares the thread for queries.
    fn retire(&self) -> bool {
        self.writer.retire() && self.connections.leave()
    }
}

impl Drop for ClientState {
    fn drop(&mut self) {
        // A reader may go on without its client, and ends the thread for queries when it ends.
        self.retire();
        if let Some(batching) = self.writer.batching() {
            batching.close_for_drop();
        }
    }
}

/// Without secrets.
impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("write_hosts", &self.writer().http().hosts())
            .field("database", &self.writer().config().database)
            .finish_non_exhaustive()
    }
}

/// At least as many idle connections are kept, for clients that share them later. They cost nothing before they are
/// made.
const IDLE_CONNECTIONS: usize = 32;
