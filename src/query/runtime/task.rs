//! A task on the driver's thread and the two ends of its channel.

use std::future::Future;
use std::sync::Arc;
use std::time::Instant;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, unbounded};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::driver::Driver;
use super::process::{OfProcess, Process};

/// What may be read ahead of the caller, in bytes; a single message may be larger.
const CREDITS: u32 = 32 << 20;

/// The caller's end of a task. Dropping it aborts the task, which resets its stream.
pub(crate) struct Task<T> {
    parts: OfProcess<Parts<T>>,
    abort: AbortHandle,
}

struct Parts<T> {
    inbox: Receiver<Parcel<T>>,
    abort: tokio::task::AbortHandle,
    _driver: Arc<Driver>,
}

impl<T> Drop for Parts<T> {
    fn drop(&mut self) {
        self.abort.abort();
    }
}

/// Why nothing came.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum NoEvent {
    /// The deadline passed.
    TimedOut,
    /// The task is gone without a last word: aborted, or the driver was stopped.
    Gone,
    /// This is a forked child, and the task is its parent's.
    Forked,
}

impl<T> Task<T> {
    /// Runs a task that answers through its outbox. The task lives as long as this does.
    pub(crate) fn spawn<F>(driver: &Arc<Driver>, run: impl FnOnce(Outbox<T>) -> F) -> Self
    where
        T: Send + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let (outbox, inbox) = Outbox::new();
        // In a box: several kilobytes that would be moved three times on their way into the runtime.
        let abort = driver.handle().spawn(Box::pin(run(outbox))).abort_handle();
        let process = driver.process();
        let parts = Parts { inbox, abort: abort.clone(), _driver: Arc::clone(driver) };
        Self { parts: OfProcess::new(parts, process), abort: AbortHandle { task: abort, process } }
    }

    /// Waits for what the task sends next, whose credit is given back then.
    pub(crate) fn receive(&self, deadline: Option<Instant>) -> Result<T, NoEvent> {
        let Parts { inbox, .. } = self.parts.get().ok_or(NoEvent::Forked)?;
        let parcel = match deadline {
            Some(deadline) => inbox.recv_deadline(deadline),
            None => inbox.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        match parcel {
            Ok(parcel) => Ok(parcel.item),
            Err(RecvTimeoutError::Timeout) => Err(NoEvent::TimedOut),
            Err(RecvTimeoutError::Disconnected) => Err(NoEvent::Gone),
        }
    }

    pub(crate) fn abort_handle(&self) -> AbortHandle {
        self.abort.clone()
    }
}

/// Aborts a task, from any thread of its process.
#[derive(Clone)]
pub(crate) struct AbortHandle {
    /// In a forked child it may be dropped, but not used.
    task: tokio::task::AbortHandle,
    process: Process,
}

impl AbortHandle {
    /// Does nothing in a forked child.
    pub(crate) fn abort(&self) {
        if self.process.is_current() {
            self.task.abort();
        }
    }
}

/// The task's end.
pub(crate) struct Outbox<T> {
    events: Sender<Parcel<T>>,
    credits: Arc<Semaphore>,
}

/// Leave to hold a number of bytes for the caller. Given back when it is dropped.
pub(crate) struct Credit {
    /// The semaphore is never closed.
    _permit: Option<OwnedSemaphorePermit>,
}

struct Parcel<T> {
    item: T,
    _credit: Option<Credit>,
}

impl<T> Outbox<T> {
    fn new() -> (Self, Receiver<Parcel<T>>) {
        let (events, inbox) = unbounded();
        (Self { events, credits: Arc::new(Semaphore::new(CREDITS as usize)) }, inbox)
    }

    /// Waits until so many more bytes may be held for the caller.
    pub(crate) async fn reserve(&self, bytes: usize) -> Credit {
        let cost = u32::try_from(bytes).unwrap_or(u32::MAX).min(CREDITS);
        Credit { _permit: Arc::clone(&self.credits).acquire_many_owned(cost).await.ok() }
    }

    /// Hands over to the caller, with the credit that it takes; never waits.
    pub(crate) fn send(&self, item: T, credit: Option<Credit>) {
        // If nobody listens any more, the task is about to be aborted.
        let _ = self.events.send(Parcel { item, _credit: credit });
    }
}

#[cfg(test)]
mod tests {
    use std::thread;
    use std::time::Duration;

    use super::*;

    fn parts<T>(task: &Task<T>) -> &Parts<T> {
        task.parts.get().unwrap()
    }

    #[test]
    fn read_ahead_is_bounded_in_bytes_but_one_message_always_fits() {
        let driver = Arc::new(Driver::start().unwrap());
        let mut credits = None;
        let task = Task::spawn(&driver, |outbox: Outbox<usize>| {
            credits = Some(Arc::clone(&outbox.credits));
            async move {
                for (number, bytes) in [64 << 20, 16 << 20, 16 << 20, 1].into_iter().enumerate() {
                    let credit = outbox.reserve(bytes).await;
                    outbox.send(number, Some(credit));
                }
            }
        });
        while parts(&task).inbox.is_empty() {
            thread::yield_now();
        }
        // The first message took all credits.
        assert_eq!(credits.unwrap().available_permits(), 0);
        assert_eq!(parts(&task).inbox.len(), 1);
        assert_eq!(task.receive(None), Ok(0));
        while parts(&task).inbox.len() < 2 {
            thread::yield_now();
        }
        assert_eq!((task.receive(None), task.receive(None)), (Ok(1), Ok(2)));
        assert_eq!((task.receive(None), task.receive(None)), (Ok(3), Err(NoEvent::Gone)));
    }

    #[test]
    fn a_credit_that_was_not_used_is_given_back() {
        let driver = Arc::new(Driver::start().unwrap());
        let task = Task::spawn(&driver, |outbox: Outbox<usize>| async move {
            for number in 0..3 {
                drop(outbox.reserve(usize::MAX).await);
                outbox.send(number, None);
            }
        });
        assert_eq!([0, 1, 2].map(|_| task.receive(None)), [Ok(0), Ok(1), Ok(2)]);
    }

    #[test]
    fn a_panicking_task_ends_without_an_event_and_the_driver_lives_on() {
        let driver = Arc::new(Driver::start().unwrap());
        let task = Task::spawn(&driver, |_: Outbox<()>| async { panic!("told to") });
        assert_eq!(task.receive(None), Err(NoEvent::Gone));
        let task = Task::spawn(&driver, |outbox| async move { outbox.send(7, None) });
        assert_eq!(task.receive(None), Ok(7));
        assert!(driver.is_running());
    }

    #[test]
    fn a_stopped_driver_is_noticed_by_its_tasks_and_stopping_twice_is_harmless() {
        let driver = Arc::new(Driver::start().unwrap());
        let task = Task::spawn(&driver, |_: Outbox<()>| std::future::pending());
        let late = Arc::clone(&driver);
        driver.stop();
        driver.stop();
        assert_eq!(task.receive(None), Err(NoEvent::Gone));
        assert!(!driver.is_running());
        let task = Task::spawn(&late, |outbox| async move { outbox.send(7, None) });
        assert_eq!(task.receive(None), Err(NoEvent::Gone));
    }

    #[test]
    fn a_deadline_ends_the_wait() {
        let driver = Arc::new(Driver::start().unwrap());
        let task = Task::spawn(&driver, |outbox: Outbox<()>| async move {
            let _outbox = outbox;
            std::future::pending::<()>().await;
        });
        let deadline = Instant::now() + Duration::from_millis(5);
        assert_eq!(task.receive(Some(deadline)), Err(NoEvent::TimedOut));
    }
}
