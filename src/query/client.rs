//! What a client has for queries.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use super::call::{Call, Server};
use super::flight::{DoGet, Event};
#[cfg(feature = "parquet")]
use super::over_http::{HttpEvent, HttpQuery, HttpServer};
use super::runtime::{Driver, OfProcess, Task};
use crate::config::Config;
use crate::transport::{Host, Hosts};
use crate::{Error, ErrorKind, Result};

/// What a client has for queries: nothing at first; at the first query a thread and a connection, which
/// its clones share and keep.
///
/// Readers keep the thread alive, also when the client is gone.
#[derive(Clone)]
pub(crate) struct QueryClient {
    config: Arc<Config>,
    hosts: Arc<Hosts>,
    state: Arc<Mutex<State>>,
}

enum State {
    Idle,
    Open(OfProcess<Open>),
    Closed,
}

#[derive(Clone)]
struct Open {
    driver: Arc<Driver>,
    /// One for each host, in their order.
    servers: Arc<[Arc<Server>]>,
    #[cfg(feature = "parquet")]
    http_servers: Arc<[Arc<HttpServer>]>,
}

impl QueryClient {
    /// Starts nothing.
    pub(crate) fn new(config: Arc<Config>) -> Self {
        let hosts = Hosts::new(config.query_hosts.clone());
        Self { config, hosts, state: Arc::new(Mutex::new(State::Idle)) }
    }

    /// Ends the thread and closes the connection, for all clones. Readers that are still open end with
    /// [`ErrorKind::Closed`], and so does every later query.
    pub(crate) fn close(&self) {
        let state = std::mem::replace(&mut *self.lock(), State::Closed);
        if let State::Open(open) = state
            && let Some(open) = open.get()
        {
            open.driver.stop();
        }
    }

    pub(super) fn config(&self) -> &Config {
        &self.config
    }

    pub(super) fn is_closed(&self) -> bool {
        matches!(*self.lock(), State::Closed)
    }

    pub(super) fn hosts(&self) -> &Arc<Hosts> {
        &self.hosts
    }

    /// Sends a query to the host at a place; the answer comes out of the task.
    pub(super) fn start(&self, place: usize, ticket: Bytes, call: Call) -> Result<Task<Event>> {
        let Open { driver, servers, .. } = self.open()?;
        let server = Arc::clone(&servers[place]);
        let max_message_size = self.config.max_message_size;
        Ok(Task::spawn(&driver, |outbox| async move {
            let get = DoGet { ticket, max_message_size, outbox };
            let last = match server.call(&get, &call).await {
                Ok(trailers) => Event::End(trailers),
                Err(error) => Event::Failed(error),
            };
            get.outbox.send(last, None);
        }))
    }

    /// Sends a query over HTTP; the answer comes out of the task.
    #[cfg(feature = "parquet")]
    pub(super) fn start_http(
        &self,
        place: usize,
        query: HttpQuery,
        call: Call,
    ) -> Result<Task<HttpEvent>> {
        let Open { driver, http_servers, .. } = self.open()?;
        let http_server = Arc::clone(&http_servers[place]);
        Ok(Task::spawn(&driver, |outbox| async move {
            let last = match http_server.query(&query, &call, &outbox).await {
                Ok(()) => HttpEvent::End,
                Err(error) => HttpEvent::Failed(error),
            };
            outbox.send(last, None);
        }))
    }

    fn open(&self) -> Result<Open> {
        let mut state = self.lock();
        let open = match &*state {
            State::Closed => return Err(Error::new(ErrorKind::Closed, "the client is closed")),
            State::Open(open) => open.get().filter(|open| open.driver.is_running()),
            State::Idle => None,
        };
        if let Some(open) = open {
            return Ok(open.clone());
        }
        let driver = Arc::new(Driver::start()?);
        let hosts = self.hosts.list().iter();
        let server = |host: &Arc<Host>| Server::new(Arc::clone(&self.config), Arc::clone(host));
        let servers = hosts.map(server).map(Arc::new).collect();
        #[cfg(feature = "parquet")]
        let http_servers = {
            let server =
                |host: &Arc<Host>| HttpServer::new(Arc::clone(&self.config), Arc::clone(host));
            self.hosts.list().iter().map(server).map(Arc::new).collect()
        };
        let open = Open {
            driver,
            servers,
            #[cfg(feature = "parquet")]
            http_servers,
        };
        let process = open.driver.process();
        *state = State::Open(OfProcess::new(open.clone(), process));
        Ok(open)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for QueryClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &*self.lock() {
            State::Idle => "idle",
            State::Open(..) => "open",
            State::Closed => "closed",
        };
        f.debug_tuple("QueryClient").field(&state).finish()
    }
}
