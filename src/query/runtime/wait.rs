//! Waits inside of tasks.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, Instant};

use tokio::sync::watch;

/// What the future gives, or `None` if it takes longer than the limit.
pub(crate) async fn within<T>(limit: Duration, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    // What is there already needs no timer.
    match poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await {
        Poll::Ready(output) => Some(output),
        Poll::Pending => tokio::time::timeout(limit, future).await.ok(),
    }
}

pub(crate) async fn sleep_until(moment: Instant) {
    tokio::time::sleep_until(moment.into()).await;
}

/// The outcome of a task of its own, for which any number of others may wait. It runs to its end also if nobody
/// does.
#[derive(Clone)]
pub(crate) struct Shared<T>(watch::Receiver<Option<T>>);

impl<T: Clone + Send + Sync + 'static> Shared<T> {
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
