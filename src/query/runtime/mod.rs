//! The driver: one thread that owns a current-thread runtime and all network I/O of queries.
//!
//! Rules that keep the blocking facade free of panics and hangs, in whatever context the caller is:
//!
//! 1. The caller's thread never enters a runtime and never waits on a tokio type: it waits on a crossbeam
//!    channel. Spawning, aborting and returning credits do not wait, and work on any thread.
//! 2. The runtime is built and dropped on the driver's own thread. No user code runs there, and nothing
//!    that runs there owns the [`Driver`], whose drop joins the thread.
//! 3. What needs a runtime to be made (the channel, sockets) is made inside a task.
//! 4. A forked child has no driver thread: [`Driver::is_usable`] tells, and a new driver is started.

mod addresses;
mod connect;

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded, unbounded};
use tokio::runtime::{Builder, Handle};
use tokio::sync::{Semaphore, oneshot};
use tokio::task::AbortHandle;
use tokio::time::Sleep;

pub(crate) use connect::Connector;

use crate::{Error, ErrorKind, Result};

/// What may be read ahead of the caller, in bytes; a single message may be larger.
const CREDITS: u32 = 32 << 20;

/// The thread and the way to it.
pub(crate) struct Driver {
    handle: Handle,
    stop: Mutex<Option<oneshot::Sender<()>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    process: u32,
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
            handle,
            stop: Mutex::new(Some(stop)),
            thread: Mutex::new(Some(thread)),
            process: std::process::id(),
        })
    }

    /// Whether the thread lives, in this process.
    pub(crate) fn is_usable(&self) -> bool {
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        self.process == std::process::id()
            && thread.as_ref().is_some_and(|thread| !thread.is_finished())
    }

    /// Runs a task that answers through its outbox. The task lives as long as the [`Task`].
    pub(crate) fn spawn<T, F>(self: &Arc<Self>, run: impl FnOnce(Outbox<T>) -> F) -> Task<T>
    where
        T: Send + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let (events, inbox) = unbounded();
        let credits = Arc::new(Semaphore::new(CREDITS as usize));
        let outbox = Outbox { events, credits: Arc::clone(&credits) };
        let abort = self.handle.spawn(run(outbox)).abort_handle();
        Task { inbox, credits, abort: Aborter(abort), _driver: Arc::clone(self) }
    }

    /// Ends the thread and all of its tasks, and waits for that. A second call does nothing.
    pub(crate) fn stop(&self) {
        let stop = self.stop.lock().unwrap_or_else(PoisonError::into_inner).take();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if self.process != std::process::id() {
            // In a forked child there is no such thread: joining it would never end.
            std::mem::forget((stop, thread));
            return;
        }
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

/// The caller's end of a task. Dropping it aborts the task, which resets its stream.
pub(crate) struct Task<T> {
    inbox: Receiver<Parcel<T>>,
    credits: Arc<Semaphore>,
    abort: Aborter,
    _driver: Arc<Driver>,
}

/// Why nothing came.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Silence {
    /// The deadline passed.
    TimedOut,
    /// The task is gone without a last word: aborted, or the driver was stopped.
    Gone,
}

impl<T> Task<T> {
    /// Waits for what the task sends next.
    pub(crate) fn receive(&self, deadline: Option<Instant>) -> Result<T, Silence> {
        let parcel = match deadline {
            Some(deadline) => self.inbox.recv_deadline(deadline),
            None => self.inbox.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        match parcel {
            Ok(parcel) => {
                self.credits.add_permits(parcel.cost as usize);
                Ok(parcel.item)
            }
            Err(RecvTimeoutError::Timeout) => Err(Silence::TimedOut),
            Err(RecvTimeoutError::Disconnected) => Err(Silence::Gone),
        }
    }

    pub(crate) fn aborter(&self) -> Aborter {
        self.abort.clone()
    }
}

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        self.abort.abort();
    }
}

/// Aborts a task, from any thread.
#[derive(Clone)]
pub(crate) struct Aborter(AbortHandle);

impl Aborter {
    pub(crate) fn abort(&self) {
        self.0.abort();
    }
}

/// The task's end.
pub(crate) struct Outbox<T> {
    events: Sender<Parcel<T>>,
    credits: Arc<Semaphore>,
}

struct Parcel<T> {
    item: T,
    cost: u32,
}

impl<T> Outbox<T> {
    /// Waits until so many more bytes may be held for the caller. Their cost goes to [`send`](Self::send).
    pub(crate) async fn reserve(&self, bytes: usize) -> u32 {
        let cost = u32::try_from(bytes).unwrap_or(u32::MAX).min(CREDITS);
        // The semaphore is never closed.
        if let Ok(permit) = self.credits.acquire_many(cost).await {
            permit.forget();
        }
        cost
    }

    /// Hands over to the caller; never waits.
    pub(crate) fn send(&self, item: T, cost: u32) {
        // Nobody listens any more: the task is about to be aborted.
        let _ = self.events.send(Parcel { item, cost });
    }
}

/// A limit of the time that passes without a sign of life, while one is waited for.
pub(crate) struct Idle {
    limit: Duration,
    sleep: Pin<Box<Sleep>>,
}

impl Idle {
    /// Needs the runtime: only in a task.
    pub(crate) fn new(limit: Duration) -> Self {
        Self { limit, sleep: Box::pin(tokio::time::sleep(limit)) }
    }

    /// What `poll` gives, or `None` if nothing comes for longer than the limit.
    pub(crate) async fn watch<T>(
        &mut self,
        mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>,
    ) -> Option<T> {
        let mut waiting_since = None;
        poll_fn(|cx| {
            if let Poll::Ready(value) = poll(cx) {
                return Poll::Ready(Some(value));
            }
            // The timer is moved only when it fires: frames come far more often than it does.
            let since = *waiting_since.get_or_insert_with(tokio::time::Instant::now);
            loop {
                ready!(self.sleep.as_mut().poll(cx));
                let due = since + self.limit;
                if due <= tokio::time::Instant::now() {
                    return Poll::Ready(None);
                }
                self.sleep.as_mut().reset(due);
            }
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn read_ahead_is_bounded_in_bytes_but_one_message_always_fits() {
        let driver = Arc::new(Driver::start().unwrap());
        let task = driver.spawn(|outbox: Outbox<usize>| async move {
            for (number, bytes) in [64 << 20, 16 << 20, 16 << 20, 1].into_iter().enumerate() {
                let cost = outbox.reserve(bytes).await;
                outbox.send(number, cost);
            }
        });
        while task.inbox.is_empty() {
            thread::yield_now();
        }
        // The first message took all credits.
        assert_eq!(task.credits.available_permits(), 0);
        assert_eq!(task.inbox.len(), 1);
        assert_eq!(task.receive(None), Ok(0));
        while task.inbox.len() < 2 {
            thread::yield_now();
        }
        assert_eq!((task.receive(None), task.receive(None)), (Ok(1), Ok(2)));
        assert_eq!((task.receive(None), task.receive(None)), (Ok(3), Err(Silence::Gone)));
    }

    #[test]
    fn a_panicking_task_ends_in_silence_and_the_driver_lives_on() {
        let driver = Arc::new(Driver::start().unwrap());
        let task = driver.spawn(|_: Outbox<()>| async { panic!("told to") });
        assert_eq!(task.receive(None), Err(Silence::Gone));
        let task = driver.spawn(|outbox| async move { outbox.send(7, 0) });
        assert_eq!(task.receive(None), Ok(7));
        assert!(driver.is_usable());
    }

    #[test]
    fn a_stopped_driver_is_noticed_by_its_tasks_and_stopping_twice_is_harmless() {
        let driver = Arc::new(Driver::start().unwrap());
        let task = driver.spawn(|_: Outbox<()>| std::future::pending());
        let late = Arc::clone(&driver);
        driver.stop();
        driver.stop();
        assert_eq!(task.receive(None), Err(Silence::Gone));
        assert!(!driver.is_usable());
        let task = late.spawn(|outbox| async move { outbox.send(7, 0) });
        assert_eq!(task.receive(None), Err(Silence::Gone));
    }

    #[test]
    fn a_deadline_ends_the_wait() {
        let driver = Arc::new(Driver::start().unwrap());
        let task = driver.spawn(|outbox: Outbox<()>| async move {
            let _outbox = outbox;
            std::future::pending::<()>().await;
        });
        let deadline = Instant::now() + Duration::from_millis(5);
        assert_eq!(task.receive(Some(deadline)), Err(Silence::TimedOut));
    }
}
