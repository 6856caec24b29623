//! Work beside the listening: connections and queries.

use std::{any::Any, future::Future, panic::AssertUnwindSafe};

use futures::FutureExt;
use hyper::rt::Executor;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// Runs tasks on the server's runtime and brings their panics to the one who listens.
#[derive(Debug, Clone)]
pub(crate) struct Tasks {
    panics: UnboundedSender<Panic>,
}

/// The payload of a task's panic.
pub(crate) type Panic = Box<dyn Any + Send>;

impl Tasks {
    pub(crate) fn new() -> (Tasks, UnboundedReceiver<Panic>) {
        let (panics, panicked) = unbounded_channel();
        (Tasks { panics }, panicked)
    }

    /// Runs something that computes for long on a thread of its own, so that connections are served
    /// meanwhile.
    #[cfg(feature = "query")]
    pub(crate) fn compute(&self, work: impl Future<Output = ()> + Send + 'static) {
        let runtime = tokio::runtime::Handle::current();
        let panics = self.panics.clone();
        tokio::task::spawn_blocking(move || runtime.block_on(report(panics, work)));
    }
}

impl<F> Executor<F> for Tasks
where
    F: Future + Send + 'static,
{
    fn execute(&self, task: F) {
        tokio::spawn(report(self.panics.clone(), task));
    }
}

async fn report(panics: UnboundedSender<Panic>, task: impl Future) {
    if let Err(panic) = AssertUnwindSafe(task).catch_unwind().await {
        // The receiver is gone only when the server is going down.
        let _ = panics.send(panic);
    }
}

#[cfg(test)]
mod tests {
    use std::panic::resume_unwind;

    use super::*;

    #[tokio::test]
    async fn a_panic_in_a_task_reaches_the_listener() {
        let (tasks, mut panicked) = Tasks::new();
        tasks.execute(async { resume_unwind(Box::new("in a connection")) });
        let panic = panicked.recv().await.unwrap();
        assert_eq!(panic.downcast_ref(), Some(&"in a connection"));
        #[cfg(feature = "query")]
        {
            tasks.compute(async { resume_unwind(Box::new("in a query")) });
            let panic = panicked.recv().await.unwrap();
            assert_eq!(panic.downcast_ref(), Some(&"in a query"));
        }
    }
}
