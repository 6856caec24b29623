//! The thread for queries.

use std::sync::{Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use crossbeam_channel::bounded;
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

use crate::process::Process;
use crate::{Error, ErrorKind, Result};

/// The thread, and the handle to run tasks on it. It is of use only in the process that started it, so it is kept in an
/// [`OfProcess`](crate::process::OfProcess).
pub(crate) struct Driver {
    /// The process that the thread is in.
    process: Process,
    handle: Handle,
    stop: Mutex<Option<oneshot::Sender<()>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Driver {
    /// Starts the thread, named `influxdb3-query`, and waits until its runtime is there.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Internal`] if the system has no thread, or no event queue (epoll) for it.
    pub(crate) fn start() -> Result<Self> {
        let (started, start) = bounded(1);
        let (stop, stopped) = oneshot::channel::<()>();
        let run = move || {
            // Built here, so that it is dropped here, too: tokio panics if a runtime is dropped on a thread of another
            // runtime, as the caller's thread may be.
            let runtime = match Builder::new_current_thread().enable_io().enable_time().build() {
                Ok(runtime) => runtime,
                Err(error) => return drop(started.send(Err(error))),
            };
            let _ = started.send(Ok(runtime.handle().clone()));
            // Drives the spawned tasks, until `stop` drops the other end.
            let _ = runtime.block_on(stopped);
            // Does not wait for a name resolution, which runs on a thread of its own and cannot be aborted.
            runtime.shutdown_background();
        };
        let failed = |error: std::io::Error| {
            Error::new(ErrorKind::Internal, "the thread for queries cannot be started")
                .with_source(error)
        };
        let thread = thread::Builder::new().name(THREAD_NAME.into()).spawn(run).map_err(failed)?;
        let handle = match start.recv() {
            Ok(Ok(handle)) => handle,
            Ok(Err(error)) => return Err(failed(error)),
            Err(_) => {
                return Err(Error::new(ErrorKind::Internal, "the thread for queries died"));
            }
        };
        Ok(Self {
            process: Process::current(),
            handle,
            stop: Mutex::new(Some(stop)),
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Whether the thread lives.
    pub(crate) fn is_running(&self) -> bool {
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        thread.as_ref().is_some_and(|thread| !thread.is_finished())
    }

    pub(crate) fn process(&self) -> Process {
        self.process
    }

    /// What tasks are spawned with. It works on any thread.
    pub(super) fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Ends the thread and all of its tasks, and waits for that. A second call does nothing.
    pub(crate) fn stop(&self) {
        let stop = self.stop.lock().unwrap_or_else(PoisonError::into_inner).take();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(stop);
        if let Some(thread) = thread.filter(|thread| thread.thread().id() != thread::current().id())
        {
            let _ = thread.join();
        }
    }
}

/// 15 bytes: Linux cuts off what is longer.
const THREAD_NAME: &str = "influxdb3-query";

impl Drop for Driver {
    fn drop(&mut self) {
        self.stop();
    }
}
