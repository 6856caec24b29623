use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Instant;

use crossbeam_channel::Sender;

use super::threads::{Threads, WakeUp, WorkSource};
use super::worker_slots::WorkerSlot;
use crate::process::Process;
use crate::{Error, ErrorKind, Result};

/// Threads that send the batches of one client or of several.
///
/// Clones are handles of the same threads. A thread is started when it is needed, is named `influxdb3-write`, and ends
/// after ten idle seconds, except the last one. All end with the last client and the last handle.
///
/// With one worker, the batches of each client are sent strictly in order. With `n` workers, up to `n` requests of a
/// client are on the way at the same time, which counts with servers that answer a write after their log is flushed,
/// once a second. They arrive in any order, but for what
/// [`series_in_order`](crate::WriteOptions::series_in_order) keeps in its order.
///
/// Clients that share a scheduler do not delay each other: each may have as many requests in flight as there are
/// workers. A client that waits for a retry needs no thread. So there are at most
/// as many threads as requests that the clients may have in flight, and one more that waits.
///
/// ```
/// use influxdb3_blocking::{Client, ThreadPoolScheduler, WriteOptions};
///
/// let scheduler = ThreadPoolScheduler::new(4);
/// let client = |database: &str| {
///     let options = WriteOptions::default().write_scheduler(scheduler.clone());
///     let builder = Client::builder().host("http://localhost:8181");
///     builder.database(database).write_options(options).build()
/// };
/// let (first, second) = (client("first")?, client("second")?);
/// # Ok::<_, influxdb3_blocking::Error>(())
/// ```
#[derive(Clone)]
pub struct ThreadPoolScheduler {
    handle: Arc<PoolHandle>,
}

/// What clones share. The threads have only the receiver of the channel, so that they end when the last clone is
/// dropped.
struct PoolHandle {
    threads: Arc<Threads>,
    ready: Sender<WakeUp>,
    /// Whose threads they are.
    process: Process,
}

/// The registration of a client at a scheduler, which keeps the scheduler's threads until the client is closed.
pub(crate) struct Registration {
    id: u64,
    state: Mutex<RegistrationState>,
}

struct RegistrationState {
    scheduler: Option<ThreadPoolScheduler>,
    /// When the client is to be looked at.
    wakes_at: Option<Instant>,
}

impl ThreadPoolScheduler {
    /// A scheduler with `max_workers` workers for each client. [`build`](crate::ClientBuilder::build) refuses 0.
    ///
    /// ```
    /// use influxdb3_blocking::{ThreadPoolScheduler, WriteOptions};
    ///
    /// let scheduler = ThreadPoolScheduler::new(4);
    /// let options = WriteOptions::default().write_scheduler(scheduler);
    /// ```
    #[must_use]
    pub fn new(max_workers: usize) -> Self {
        let (ready, receiver) = crossbeam_channel::unbounded();
        let threads = Arc::new(Threads::new(max_workers, receiver));
        Self { handle: Arc::new(PoolHandle { threads, ready, process: Process::current() }) }
    }

    /// How many requests of a client are on the way at the same time.
    ///
    /// ```
    /// use influxdb3_blocking::ThreadPoolScheduler;
    ///
    /// let scheduler = ThreadPoolScheduler::new(4);
    /// assert_eq!(scheduler.max_workers(), 4);
    /// ```
    #[must_use]
    pub fn max_workers(&self) -> usize {
        self.handle.threads.max_workers()
    }

    /// The same number for all clones, and no other scheduler has it.
    pub(crate) fn id(&self) -> usize {
        self.handle.threads.id()
    }

    /// To be called before anything else is asked of it.
    ///
    /// # Errors
    /// [`ErrorKind::Closed`]: this is a forked child, and none of the threads is there.
    pub(crate) fn check_process(&self) -> Result<()> {
        if self.handle.process.is_current() {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Closed,
            "this process was forked, and the threads of the scheduler belong to its parent: make a scheduler after the \
             fork",
        ))
    }

    /// Registers one more client.
    pub(crate) fn register(self) -> Registration {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        self.handle.threads.join();
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        Registration {
            id,
            state: Mutex::new(RegistrationState { scheduler: Some(self), wakes_at: None }),
        }
    }
}

impl Registration {
    /// Starts a thread, if there is none.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`]: the system starts none.
    pub(crate) fn start(&self) -> Result<()> {
        let handle = self.handle().ok_or_else(Error::closed)?;
        handle.threads.start()
    }

    /// Has a thread work for the client with this slot. False if the registration has ended; the slot is given back
    /// then.
    pub(crate) fn submit(&self, source: Arc<dyn WorkSource>, slot: WorkerSlot) -> bool {
        let Some(handle) = self.handle() else { return false };
        let is_sent = handle.ready.send(WakeUp::Work(source, slot)).is_ok();
        handle.threads.call();
        is_sent
    }

    /// Has a thread look at the client at this time or earlier.
    pub(crate) fn wake_at<S: WorkSource + 'static>(&self, source: &Arc<S>, at: Instant) {
        let mut state = self.lock();
        if state.wakes_at.is_some_and(|before| before <= at) {
            return;
        }
        let Some(scheduler) = &state.scheduler else { return };
        let handle = scheduler.handle.clone();
        let before = state.wakes_at.replace(at);
        drop(state);
        let source: Weak<dyn WorkSource> = Arc::downgrade(source) as _;
        if handle.threads.wake_at((self.id, source), before, at) {
            let _ = handle.ready.send(WakeUp::Look);
        }
    }

    /// To be called when the client is looked at: the time that was set is over.
    pub(crate) fn is_awake(&self) {
        self.lock().wakes_at = None;
    }

    /// Ends the registration. May be called again.
    pub(crate) fn end(&self) {
        let mut state = self.lock();
        let (scheduler, wakes_at) = (state.scheduler.take(), state.wakes_at.take());
        drop(state);
        if let Some(scheduler) = scheduler {
            scheduler.handle.threads.leave(self.id, wakes_at);
        }
    }

    fn handle(&self) -> Option<Arc<PoolHandle>> {
        self.lock().scheduler.as_ref().map(|scheduler| scheduler.handle.clone())
    }

    fn lock(&self) -> MutexGuard<'_, RegistrationState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.end();
    }
}

impl fmt::Debug for ThreadPoolScheduler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ThreadPoolScheduler")
            .field("max_workers", &self.max_workers())
            .finish_non_exhaustive()
    }
}
