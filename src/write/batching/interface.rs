//! The interface between a client and its batching.

use std::sync::Arc;

use super::accepting::CallLines;
#[cfg(feature = "_files")]
use super::file_batches::FileBatches;
use super::{Batcher, forked};
use crate::config::Config;
use crate::process::{OfProcess, Process};
use crate::write::http::Http;
use crate::write::stats::WriteStats;
use crate::write::target::Target;
use crate::{Result, WriteOptions};

/// The [`Batcher`] of a client, behind a trait: so a program is linked with batching only if it calls a function that
/// names [`start_batching`], which are those that take `WriteOptions`.
pub(crate) trait Batching: Send + Sync {
    /// The target of lines for which neither the call nor the record names another one.
    fn usual_target(&self) -> Option<&Arc<Target>>;

    /// [`Batcher::accept`].
    fn accept(&self, lines: &mut [CallLines<'_>]) -> Result<()>;

    /// [`Batcher::file_batches`].
    #[cfg(feature = "_files")]
    fn file_batches(&self) -> Result<FileBatches>;

    /// [`Batcher::stats`].
    fn stats(&self) -> WriteStats;

    /// [`Batcher::flush`].
    fn flush(&self) -> Result<()>;

    /// [`Batcher::flush_to_disk`].
    #[cfg(feature = "spool")]
    fn flush_to_disk(&self) -> Result<()>;

    /// [`Batcher::drain`].
    #[cfg(feature = "spool")]
    fn drain(&self, patience: std::time::Duration) -> Result<()>;

    /// [`Batcher::close`].
    fn close(&self) -> Result<()>;

    /// [`Batcher::close_for_drop`].
    fn close_for_drop(&self);
}

/// The type of [`start_batching`], for code that must not name the function.
pub(crate) type StartBatching =
    fn(&WriteOptions, Arc<Http>, Arc<Config>) -> Result<Box<dyn Batching>>;

/// A client's batching, with these options.
///
/// # Errors
/// [`ErrorKind::File`](crate::ErrorKind::File): the directory of the spool cannot be used.
pub(crate) fn start_batching(
    options: &WriteOptions,
    http: Arc<Http>,
    config: Arc<Config>,
) -> Result<Box<dyn Batching>> {
    let process = Process::current();
    Ok(Box::new(OfProcess::new(Batcher::new(options, http, config)?, process)))
}

/// The batcher of this process.
///
/// # Errors
/// [`ErrorKind::Closed`](crate::ErrorKind::Closed): this is a forked child. None of the threads is there that send
/// batches, and what waits for them is the parent's to send.
fn own(batcher: &OfProcess<Arc<Batcher>>) -> Result<&Arc<Batcher>> {
    batcher.get().ok_or_else(forked)
}

impl Batching for OfProcess<Arc<Batcher>> {
    fn usual_target(&self) -> Option<&Arc<Target>> {
        // What is done with it tells whether this is a forked child.
        self.in_any_process().and_then(|batcher| batcher.usual_target())
    }

    fn accept(&self, lines: &mut [CallLines<'_>]) -> Result<()> {
        // The system call would double what one line costs, so there the batcher makes it now and then.
        let is_line = matches!(lines, [only] if only.left().lines == 1);
        match self.in_any_process().filter(|_| is_line) {
            Some(batcher) => batcher.accept(lines),
            None => own(self)?.accept(lines),
        }
    }

    #[cfg(feature = "_files")]
    fn file_batches(&self) -> Result<FileBatches> {
        own(self)?.file_batches()
    }

    fn stats(&self) -> WriteStats {
        self.get().map_or_else(WriteStats::default, |batcher| batcher.stats())
    }

    fn flush(&self) -> Result<()> {
        own(self)?.flush()
    }

    #[cfg(feature = "spool")]
    fn flush_to_disk(&self) -> Result<()> {
        own(self)?.flush_to_disk()
    }

    #[cfg(feature = "spool")]
    fn drain(&self, patience: std::time::Duration) -> Result<()> {
        own(self)?.drain(patience)
    }

    fn close(&self) -> Result<()> {
        own(self)?.close()
    }

    fn close_for_drop(&self) {
        // A forked child leaves everything to its parent.
        if let Some(batcher) = self.get() {
            batcher.close_for_drop();
        }
    }
}
