use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::query::runtime::AbortHandle;

/// Cancels a query, from any thread: made by [`QueryRequest::cancel_handle`](crate::QueryRequest::cancel_handle) before
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
pub struct CancelHandle(Arc<CancelState>);

#[derive(Default)]
struct CancelState {
    is_cancelled: AtomicBool,
    /// Aborts the task that runs the query now; `None` before the query is sent.
    task: Mutex<Option<AbortHandle>>,
}

impl CancelHandle {
    /// Cancels the query; a second call does nothing. Never waits.
    ///
    /// The call that waits for the query, or that sends it later, fails with
    /// [`ErrorKind::Cancelled`](crate::ErrorKind::Cancelled). The query's stream is reset, so that the server can stop.
    ///
    /// ```
    /// # let client = influxdb3_blocking::Client::builder().host("http://localhost:1").database("sensors").build()?;
    /// use influxdb3_blocking::ErrorKind;
    ///
    /// let query = client.query("SELECT * FROM home");
    /// query.cancel_handle().cancel();
    /// if let Err(error) = query.table() {
    ///     assert_eq!(error.kind(), ErrorKind::Cancelled);
    /// }
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    pub fn cancel(&self) {
        self.0.is_cancelled.store(true, Ordering::Release);
        if let Some(task) = &*self.task() {
            task.abort();
        }
    }

    /// Whether [`cancel`](Self::cancel) was called.
    ///
    /// ```
    /// # let client = influxdb3_blocking::Client::builder().host("http://localhost:1").database("sensors").build()?;
    /// let cancel = client.query("SELECT * FROM home").cancel_handle();
    /// let of_another_thread = cancel.clone();
    /// of_another_thread.cancel();
    /// assert!(cancel.is_cancelled());
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.is_cancelled.load(Ordering::Acquire)
    }

    /// From now on, this is the task to abort: at once if the query was cancelled before.
    pub(super) fn attach(&self, task: AbortHandle) {
        let mut current = self.task();
        let task = current.insert(task);
        // `cancel` may have been called after the sender asked and before there was a task to abort.
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
