use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use super::call::{Call, GrpcServer};
use super::flight::{DoGet, FlightEvent};
#[cfg(feature = "parquet")]
use super::over_http::{HttpEvent, HttpServer, HttpStatement};
use super::runtime::{Driver, DriverTask};
use crate::config::Config;
use crate::process::OfProcess;
use crate::transport::{Host, Hosts};
use crate::{Error, ErrorKind, Result};

/// What a client has for queries: nothing at first, and from the first query on a thread and connections, which its clones
/// share and keep.
///
/// Answers that are being read keep the thread alive, also when the client was dropped.
#[derive(Clone)]
pub(crate) struct QueryClient {
    config: Arc<Config>,
    hosts: Arc<Hosts>,
    state: Arc<Mutex<QueryClientState>>,
}

enum QueryClientState {
    /// No query was made.
    Idle,
    Open(OfProcess<Network>),
    Closed,
}

/// The thread for queries, and the servers that it speaks to.
#[derive(Clone)]
struct Network {
    driver: Arc<Driver>,
    /// One for each host, in the order of the hosts.
    servers: Arc<[Arc<GrpcServer>]>,
    #[cfg(feature = "parquet")]
    http_servers: Arc<[Arc<HttpServer>]>,
}

impl QueryClient {
    /// Starts nothing.
    pub(crate) fn new(config: Arc<Config>) -> Self {
        let hosts = Hosts::new(config.query_hosts.clone());
        Self { config, hosts, state: Arc::new(Mutex::new(QueryClientState::Idle)) }
    }

    /// Ends the thread and closes the connection, for all clones. Readers that are still open end with
    /// [`ErrorKind::Closed`], and so does every later query.
    pub(crate) fn close(&self) {
        let state = std::mem::replace(&mut *self.lock(), QueryClientState::Closed);
        if let QueryClientState::Open(open) = state
            && let Some(open) = open.get()
        {
            open.driver.stop();
        }
    }

    pub(super) fn config(&self) -> &Config {
        &self.config
    }

    pub(super) fn is_closed(&self) -> bool {
        matches!(*self.lock(), QueryClientState::Closed)
    }

    pub(super) fn hosts(&self) -> &Arc<Hosts> {
        &self.hosts
    }

    /// Starts a task that sends a query to the host at this place of the list, over Flight.
    ///
    /// # Errors
    ///
    /// The client is closed, or the thread cannot be started.
    pub(super) fn start(
        &self,
        place: usize,
        ticket: Bytes,
        call: Call,
    ) -> Result<DriverTask<FlightEvent>> {
        let Network { driver, servers, .. } = self.open()?;
        let server = Arc::clone(&servers[place]);
        let max_message_size = self.config.max_message_size;
        Ok(DriverTask::spawn(&driver, |events| async move {
            let get = DoGet { ticket, max_message_size, events };
            let last = match server.call(&get, &call).await {
                Ok(trailers) => FlightEvent::End(trailers),
                Err(error) => FlightEvent::Failed(error),
            };
            get.events.send(last, None);
        }))
    }

    /// As [`start`](Self::start), over HTTP.
    #[cfg(feature = "parquet")]
    pub(super) fn start_http(
        &self,
        place: usize,
        statement: HttpStatement,
        call: Call,
    ) -> Result<DriverTask<HttpEvent>> {
        let Network { driver, http_servers, .. } = self.open()?;
        let http_server = Arc::clone(&http_servers[place]);
        Ok(DriverTask::spawn(&driver, |events| async move {
            let last = match http_server.query(&statement, &call, &events).await {
                Ok(()) => HttpEvent::End,
                Err(error) => HttpEvent::Failed(error),
            };
            events.send(last, None);
        }))
    }

    /// The thread and the servers; starts the thread if there is none in this process.
    fn open(&self) -> Result<Network> {
        let mut state = self.lock();
        let open = match &*state {
            QueryClientState::Closed => {
                return Err(Error::new(ErrorKind::Closed, "the client is closed"));
            }
            QueryClientState::Open(open) => open.get().filter(|open| open.driver.is_running()),
            QueryClientState::Idle => None,
        };
        if let Some(open) = open {
            return Ok(open.clone());
        }
        let driver = Arc::new(Driver::start()?);
        let open = Network {
            driver,
            servers: self.each_host(GrpcServer::new),
            #[cfg(feature = "parquet")]
            http_servers: self.each_host(HttpServer::new),
        };
        let process = open.driver.process();
        *state = QueryClientState::Open(OfProcess::new(open.clone(), process));
        Ok(open)
    }

    /// What `new` makes for each host, in the order of the hosts.
    fn each_host<T>(&self, new: impl Fn(Arc<Config>, Arc<Host>) -> T) -> Arc<[Arc<T>]> {
        let hosts = self.hosts.list().iter();
        hosts.map(|host| Arc::new(new(Arc::clone(&self.config), Arc::clone(host)))).collect()
    }

    fn lock(&self) -> MutexGuard<'_, QueryClientState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for QueryClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &*self.lock() {
            QueryClientState::Idle => "idle",
            QueryClientState::Open(..) => "open",
            QueryClientState::Closed => "closed",
        };
        f.debug_tuple("QueryClient").field(&state).finish()
    }
}
