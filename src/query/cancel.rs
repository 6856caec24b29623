use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::runtime::AbortHandle;

/// Cancels a query, from any thread: made by [`QueryRequest::cancel_handle`](super::QueryRequest::cancel_handle) before
/// the query is sent, or by what its answer is read with.
///
/// Clones cancel the same query. A handle of a query that has ended does nothing.
///
/// ```no_run
/// # let client = influxdb3_blocking::Client::from_env()?;
/// let query = client.query("SELECT * FROM home");
/// let cancel = query.cancel_handle();
/// let answer = std::thread::scope(|scope| {
///     let answer = scope.spawn(|| query.table());
///     cancel.cancel();
///     answer.join()
/// });
/// # Ok::<_, influxdb3_blocking::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct CancelHandle(Arc<Inner>);

#[derive(Default)]
struct Inner {
    is_cancelled: AtomicBool,
    /// Of the task that runs the query, if it was sent.
    task: Mutex<Option<AbortHandle>>,
}

impl CancelHandle {
    /// Cancels the query; a second call does nothing. Never waits.
    ///
    /// Whoever waits for the query then gets an error of the kind
    /// [`ErrorKind::Cancelled`](crate::ErrorKind::Cancelled), and so does whoever sends it later. The server is told.
    pub fn cancel(&self) {
        self.0.is_cancelled.store(true, Ordering::Release);
        if let Some(task) = &*self.task() {
            task.abort();
        }
    }

    /// Whether [`cancel`](Self::cancel) was called.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.is_cancelled.load(Ordering::Acquire)
    }

    /// From now on, this is the task to abort.
    pub(super) fn attach(&self, task: AbortHandle) {
        let mut current = self.task();
        let task = current.insert(task);
        // Between the check of the one who sends and now.
        if self.is_cancelled() {
            task.abort();
        }
    }

    fn task(&self) -> MutexGuard<'_, Option<AbortHandle>> {
        self.0.task.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for CancelHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CancelHandle")
            .field("cancelled", &self.is_cancelled())
            .finish_non_exhaustive()
    }
}
