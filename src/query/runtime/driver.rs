//! The thread.

use std::sync::{Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use crossbeam_channel::bounded;
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

use super::process::Process;
use crate::{Error, ErrorKind, Result};

/// The thread and the way to it. Of one process: it is kept in an [`OfProcess`](super::OfProcess).
pub(crate) struct Driver {
    /// The process that the thread is in.
    process: Process,
    handle: Handle,
    stop: Mutex<Option<oneshot::Sender<()>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Driver {
    /// Starts the thread, named `influx-query`.
    pub(crate) fn start() -> Result<Self> {
        let (started, start) = bounded(1);
        let (stop, stopped) = oneshot::channel::<()>();
        let run = move || {
            // Built here: should something fail, the runtime must not be dropped on a thread that may be
            // inside of somebody else's.
            let runtime = match Builder::new_current_thread().enable_io().enable_time().build() {
                Ok(runtime) => runtime,
                Err(error) => return drop(started.send(Err(error))),
            };
            let _ = started.send(Ok(runtime.handle().clone()));
            // Drives every spawned task as well; a dropped sender ends it, too.
            let _ = runtime.block_on(stopped);
            // A name resolution that hangs must not hold up a drop.
            runtime.shutdown_background();
        };
        let failed = |error: std::io::Error| {
            Error::new(ErrorKind::Internal, "the thread for queries cannot be started")
                .with_source(error)
        };
        let thread =
            thread::Builder::new().name("influx-query".into()).spawn(run).map_err(failed)?;
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

impl Drop for Driver {
    fn drop(&mut self) {
        self.stop();
    }
}
