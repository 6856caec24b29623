//! A task on the driver's thread, and the channel on which its events reach the caller.

use std::future::Future;
use std::sync::Arc;
use std::time::Instant;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, unbounded};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::driver::Driver;
use crate::process::{OfProcess, Process};

/// The most bytes that events may hold which the caller has not received. A single event may hold more: it waits until no
/// other is there, and takes all.
const CREDITS: u32 = 32 << 20;

/// The caller's end of a task that sends events `T`. Dropping it aborts the task, which resets its stream.
pub(crate) struct DriverTask<T> {
    parts: OfProcess<Parts<T>>,
    abort: AbortHandle,
}

struct Parts<T> {
    events: Receiver<Sent<T>>,
    _driver: Arc<Driver>,
}

impl<T> Drop for DriverTask<T> {
    fn drop(&mut self) {
        self.abort.abort();
    }
}

/// Why waiting for an event ended without one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum NoEvent {
    /// The deadline passed.
    TimedOut,
    /// The task has ended without a last event: it was aborted or panicked, or the driver was stopped.
    Gone,
    /// This is a forked child, and the task is its parent's.
    Forked,
}

impl<T> DriverTask<T> {
    /// Runs a task that answers by events. It is aborted when this is dropped.
    pub(crate) fn spawn<F>(driver: &Arc<Driver>, run: impl FnOnce(EventSender<T>) -> F) -> Self
    where
        T: Send + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let (sender, events) = EventSender::new();
        // In a box: several kilobytes that would be moved three times on their way into the runtime.
        let task = driver.handle().spawn(Box::pin(run(sender))).abort_handle();
        let process = driver.process();
        let parts = Parts { events, _driver: Arc::clone(driver) };
        Self { parts: OfProcess::new(parts, process), abort: AbortHandle { task, process } }
    }

    /// Waits for the next event of the task, until the deadline if there is one. Gives back the event's credit.
    pub(crate) fn receive(&self, deadline: Option<Instant>) -> Result<T, NoEvent> {
        let Parts { events, .. } = self.parts.get().ok_or(NoEvent::Forked)?;
        let sent = match deadline {
            Some(deadline) => events.recv_deadline(deadline),
            None => events.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        match sent {
            Ok(sent) => Ok(sent.event),
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

/// The task's end of the channel.
pub(crate) struct EventSender<T> {
    sender: Sender<Sent<T>>,
    credits: Arc<Semaphore>,
}

/// The permission to hold a number of bytes for the caller. Given back when it is dropped.
pub(crate) struct Credit {
    /// `None` only if the semaphore were closed, which it never is.
    _permit: Option<OwnedSemaphorePermit>,
}

/// An event in the channel, with what it may hold.
struct Sent<T> {
    event: T,
    _credit: Option<Credit>,
}

impl<T> EventSender<T> {
    fn new() -> (Self, Receiver<Sent<T>>) {
        let (sender, receiver) = unbounded();
        (Self { sender, credits: Arc::new(Semaphore::new(CREDITS as usize)) }, receiver)
    }

    /// Waits until this many more bytes may be held for the caller.
    pub(crate) async fn reserve(&self, bytes: usize) -> Credit {
        let cost = u32::try_from(bytes).unwrap_or(u32::MAX).min(CREDITS);
        Credit { _permit: Arc::clone(&self.credits).acquire_many_owned(cost).await.ok() }
    }

    /// Hands an event over to the caller, with the credit for what it holds. Never waits.
    pub(crate) fn send(&self, event: T, credit: Option<Credit>) {
        // It fails if the caller has dropped its end, and then the task is being aborted.
        let _ = self.sender.send(Sent { event, _credit: credit });
    }
}

#[cfg(test)]
mod tests {
    use std::thread;
    use std::time::Duration;

    use super::*;

    fn parts<T>(task: &DriverTask<T>) -> &Parts<T> {
        task.parts.get().unwrap()
    }

    #[test]
    fn read_ahead_is_bounded_in_bytes_but_one_message_always_fits() {
        let driver = Arc::new(Driver::start().unwrap());
        let mut credits = None;
        let task = DriverTask::spawn(&driver, |events: EventSender<usize>| {
            credits = Some(Arc::clone(&events.credits));
            async move {
                for (number, bytes) in [64 << 20, 16 << 20, 16 << 20, 1].into_iter().enumerate() {
                    let credit = events.reserve(bytes).await;
                    events.send(number, Some(credit));
                }
            }
        });
        while parts(&task).events.is_empty() {
            thread::yield_now();
        }
        // The first message took all credits.
        assert_eq!(credits.unwrap().available_permits(), 0);
        assert_eq!(parts(&task).events.len(), 1);
        assert_eq!(task.receive(None), Ok(0));
        while parts(&task).events.len() < 2 {
            thread::yield_now();
        }
        assert_eq!((task.receive(None), task.receive(None)), (Ok(1), Ok(2)));
        assert_eq!((task.receive(None), task.receive(None)), (Ok(3), Err(NoEvent::Gone)));
    }

    #[test]
    fn a_credit_that_was_not_used_is_given_back() {
        let driver = Arc::new(Driver::start().unwrap());
        let task = DriverTask::spawn(&driver, |events: EventSender<usize>| async move {
            for number in 0..3 {
                drop(events.reserve(usize::MAX).await);
                events.send(number, None);
            }
        });
        assert_eq!([0, 1, 2].map(|_| task.receive(None)), [Ok(0), Ok(1), Ok(2)]);
    }

    #[test]
    fn a_panicking_task_ends_without_an_event_and_the_driver_lives_on() {
        let driver = Arc::new(Driver::start().unwrap());
        let task = DriverTask::spawn(&driver, |_: EventSender<()>| async { panic!("told to") });
        assert_eq!(task.receive(None), Err(NoEvent::Gone));
        let task = DriverTask::spawn(&driver, |events| async move { events.send(7, None) });
        assert_eq!(task.receive(None), Ok(7));
        assert!(driver.is_running());
    }

    #[test]
    fn a_stopped_driver_is_noticed_by_its_tasks_and_stopping_twice_is_harmless() {
        let driver = Arc::new(Driver::start().unwrap());
        let task = DriverTask::spawn(&driver, |_: EventSender<()>| std::future::pending());
        let late = Arc::clone(&driver);
        driver.stop();
        driver.stop();
        assert_eq!(task.receive(None), Err(NoEvent::Gone));
        assert!(!driver.is_running());
        let task = DriverTask::spawn(&late, |events| async move { events.send(7, None) });
        assert_eq!(task.receive(None), Err(NoEvent::Gone));
    }

    #[test]
    fn a_deadline_ends_the_wait() {
        let driver = Arc::new(Driver::start().unwrap());
        let task = DriverTask::spawn(&driver, |events: EventSender<()>| async move {
            let _events = events;
            std::future::pending::<()>().await;
        });
        let deadline = Instant::now() + Duration::from_millis(5);
        assert_eq!(task.receive(Some(deadline)), Err(NoEvent::TimedOut));
    }
}
