//! Waits inside of tasks.

use std::future::Future;
use std::time::{Duration, Instant};

use tokio::sync::watch;

/// What the future gives, or `None` if it takes longer than the limit; the future is dropped then.
pub(crate) async fn within<T>(limit: Duration, future: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(limit, future).await.ok()
}

/// Waits until this moment; not at all if it has passed.
pub(crate) async fn sleep_until(moment: Instant) {
    tokio::time::sleep_until(moment.into()).await;
}

/// The outcome of a task, for which any number of other tasks may wait. The task runs to its end also if none does.
#[derive(Clone)]
pub(crate) struct SharedOutcome<T>(watch::Receiver<Option<T>>);

impl<T: Clone + Send + Sync + 'static> SharedOutcome<T> {
    /// Starts the task. Needs the runtime: only in a task.
    pub(crate) fn spawn(future: impl Future<Output = T> + Send + 'static) -> Self {
        let (done, outcome) = watch::channel(None);
        tokio::spawn(async move { done.send_replace(Some(future.await)) });
        Self(outcome)
    }

    /// Waits for the outcome; `None` if the task died.
    pub(crate) async fn outcome(mut self) -> Option<T> {
        self.0.wait_for(Option::is_some).await.ok()?.clone()
    }
}
