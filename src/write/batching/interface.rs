//! The interface between a client and its batching.

use std::sync::Arc;

use super::Batcher;
use super::accepting::CallLines;
#[cfg(feature = "_files")]
use super::file_batches::FileBatches;
use crate::config::Config;
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
    Ok(Box::new(Batcher::new(options, http, config)?))
}

impl Batching for Arc<Batcher> {
    fn usual_target(&self) -> Option<&Arc<Target>> {
        Batcher::usual_target(self)
    }

    fn accept(&self, lines: &mut [CallLines<'_>]) -> Result<()> {
        Batcher::accept(self, lines)
    }

    #[cfg(feature = "_files")]
    fn file_batches(&self) -> Result<FileBatches> {
        Batcher::file_batches(self)
    }

    fn stats(&self) -> WriteStats {
        Batcher::stats(self)
    }

    fn flush(&self) -> Result<()> {
        Batcher::flush(self)
    }

    #[cfg(feature = "spool")]
    fn flush_to_disk(&self) -> Result<()> {
        Batcher::flush_to_disk(self)
    }

    #[cfg(feature = "spool")]
    fn drain(&self, patience: std::time::Duration) -> Result<()> {
        Batcher::drain(self, patience)
    }

    fn close(&self) -> Result<()> {
        Batcher::close(self)
    }

    fn close_for_drop(&self) {
        Batcher::close_for_drop(self);
    }
}
