//! The driver: one thread that owns a current-thread runtime and all network I/O of queries.
//!
//! Rules that keep the blocking facade free of panics and hangs, in whatever context the caller is:
//!
//! 1. The caller's thread never enters a runtime and never waits on a tokio type: it waits on a crossbeam
//!    channel. Spawning, aborting and returning credits do not wait, and work on any thread.
//! 2. The runtime is built and dropped on the driver's own thread. No user code runs there, and nothing
//!    that runs there owns the [`Driver`], whose drop joins the thread.
//! 3. What needs a runtime to be made (connections, sockets) is made inside a task.
//! 4. What depends on the thread is kept in an [`OfProcess`](crate::process::OfProcess): a forked child has no such thread.

mod addresses;
mod connect;
mod driver;
mod driver_task;
#[cfg(feature = "parquet")]
mod http1;
mod observe;
mod wait;

pub(crate) use connect::{HostConnector, HostStream};
pub(crate) use driver::Driver;
pub(crate) use driver_task::{AbortHandle, DriverTask, EventSender, NoEvent};
#[cfg(feature = "parquet")]
pub(crate) use http1::{Http1Body, Http1Client};
pub(crate) use hyper_util::rt::TokioIo;
pub(crate) use observe::{Observation, Observed, ObservedStream};
pub(crate) use wait::{SharedOutcome, sleep_until, within};

/// An error of a stack of services: hyper and tonic take and give it.
pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;
