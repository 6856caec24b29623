//! Queries over Arrow Flight: from a text to record batches.

mod catalog;
mod cell;
#[cfg(feature = "serde")]
mod cell_deserializer;
mod cell_text;
mod chunks;
mod column_index;
#[cfg(feature = "serde")]
mod deserialize;
mod flight;
#[cfg(feature = "polars")]
mod frame;
mod framer;
mod from_cell;
#[cfg(any(test, feature = "_fuzzing"))]
pub(crate) mod fuzz;
mod ipc;
mod kind;
#[cfg(any(feature = "chrono", feature = "jiff", feature = "time"))]
mod other_times;
mod params;
#[cfg(feature = "pretty")]
mod pretty;
mod reader;
mod request;
mod rows;
mod rpc;
mod runtime;
#[cfg(feature = "serde")]
mod serde_rows;
mod stats;
mod status;
mod stream;
mod table;
mod ticket;
mod time_units;
mod to_point;
mod values;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use catalog::TableColumn;
pub(crate) use catalog::{columns, tables};
pub use chunks::{Chunk, Chunks};
pub use column_index::ColumnIndex;
pub use from_cell::FromCell;
pub use kind::ColumnKind;
#[cfg(feature = "pretty")]
pub use pretty::TableDisplay;
pub use reader::{CancelHandle, Reader};
pub use request::QueryRequest;
pub use rows::{Row, Rows};
#[cfg(feature = "serde")]
pub use serde_rows::TypedRows;
pub use stats::QueryStats;
pub use table::Table;
pub use ticket::{Language, Param};
pub use values::Values;

use crate::config::Config;
use crate::{Error, ErrorKind, Result};
use rpc::{Call, Event, Rpc};
use runtime::{Driver, Task};

/// What a client has for queries: nothing at first; at the first query a thread and a connection, which
/// its clones share and keep.
///
/// Readers keep the thread alive, also when the client is gone.
#[derive(Clone)]
pub(crate) struct QueryClient {
    config: Arc<Config>,
    state: Arc<Mutex<State>>,
}

enum State {
    Idle,
    Open(Arc<Driver>, Arc<Rpc>),
    Closed,
}

impl QueryClient {
    /// Starts nothing.
    pub(crate) fn new(config: Arc<Config>) -> Self {
        Self { config, state: Arc::new(Mutex::new(State::Idle)) }
    }

    /// Ends the thread and closes the connection, for all clones. Readers that are still open end with
    /// [`ErrorKind::Closed`], and so does every later query.
    pub(crate) fn close(&self) {
        let state = std::mem::replace(&mut *self.lock(), State::Closed);
        if let State::Open(driver, _) = state {
            driver.stop();
        }
    }

    fn config(&self) -> &Config {
        &self.config
    }

    fn is_closed(&self) -> bool {
        matches!(*self.lock(), State::Closed)
    }

    fn start(&self, call: Call) -> Result<Task<Event>> {
        let (driver, rpc) = self.open()?;
        Ok(driver.spawn(|outbox| rpc.run(call, outbox)))
    }

    fn open(&self) -> Result<(Arc<Driver>, Arc<Rpc>)> {
        let mut state = self.lock();
        match &*state {
            State::Closed => return Err(Error::new(ErrorKind::Closed, "the client is closed")),
            State::Open(driver, rpc) if driver.is_usable() => {
                return Ok((Arc::clone(driver), Arc::clone(rpc)));
            }
            // The thread is gone: this is a forked child.
            State::Idle | State::Open(..) => {}
        }
        let driver = Arc::new(Driver::start()?);
        let rpc = Arc::new(Rpc::new(Arc::clone(&self.config)));
        *state = State::Open(Arc::clone(&driver), Arc::clone(&rpc));
        Ok((driver, rpc))
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
