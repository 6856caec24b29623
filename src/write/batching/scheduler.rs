use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Instant;

use crossbeam_channel::Sender;

use super::Batcher;
use super::threads::{Lane, Ready, Threads};
use super::tokens::Token;
use crate::{Error, Result};

/// Threads that send the batches of one client or of several.
///
/// Clones are handles of the same threads. They are started when they are needed, are named `influxdb3-write`, end when
/// they have had nothing to do for ten seconds, the last one excepted, and all of them with the last client and the last
/// handle.
///
/// With one worker, the batches of each client are sent strictly in order. With `n` workers, up to `n` requests of a
/// client are on the way at the same time, which counts with servers that answer a write after their log is flushed,
/// once a second. They arrive in any order, but for what
/// [`series_in_order`](crate::WriteOptions::series_in_order) keeps in its order.
///
/// Clients that share a scheduler do not hold up each other: each of them may have as many requests on the way as there
/// are workers, whatever the others do. A client that waits for a retry needs no thread. So there are never more threads
/// than requests that the clients may have on the way, and one that watches.
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
    handle: Arc<Handle>,
}

/// What clones share. The threads have the receiving end of the channel only, so that they end with the last handle.
struct Handle {
    threads: Arc<Threads>,
    ready: Sender<Ready>,
}

/// A client's registration at a scheduler, and a handle of it, until the client is closed.
pub(super) struct Registration {
    id: u64,
    state: Mutex<State>,
}

struct State {
    scheduler: Option<ThreadPoolScheduler>,
    /// When the client is to be woken.
    wakes_at: Option<Instant>,
}

impl ThreadPoolScheduler {
    /// A scheduler of so many workers for each client, at least one.
    #[must_use]
    pub fn new(max_workers: usize) -> Self {
        let (ready, receiver) = crossbeam_channel::unbounded();
        let threads = Arc::new(Threads::new(max_workers, receiver));
        Self { handle: Arc::new(Handle { threads, ready }) }
    }

    /// How many requests of a client are on the way at the same time.
    #[must_use]
    pub fn max_workers(&self) -> usize {
        self.handle.threads.max_workers()
    }

    /// Tells handles of different threads apart.
    pub(super) fn id(&self) -> usize {
        self.handle.threads.id()
    }

    /// Registers one more client.
    pub(super) fn register(self) -> Registration {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        self.handle.threads.join();
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        Registration { id, state: Mutex::new(State { scheduler: Some(self), wakes_at: None }) }
    }
}

impl Registration {
    /// Makes sure that there is a thread.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`](crate::ErrorKind::Internal): the system starts none.
    pub(super) fn start(&self) -> Result<()> {
        let handle = self.handle().ok_or_else(Error::closed)?;
        handle.threads.start()
    }

    /// Has one of the threads work on the client with this token; false if the client is closed.
    pub(super) fn submit(&self, batcher: Arc<Batcher>, token: Token) -> bool {
        let Some(handle) = self.handle() else { return false };
        let is_sent = handle.ready.send(Ready::Work(batcher, token)).is_ok();
        handle.threads.call();
        is_sent
    }

    /// Has one of the threads look at the client at `at` or earlier.
    pub(super) fn wake_at(&self, batcher: &Arc<Batcher>, at: Instant) {
        let mut state = self.lock();
        if state.wakes_at.is_some_and(|before| before <= at) {
            return;
        }
        let Some(scheduler) = &state.scheduler else { return };
        let handle = scheduler.handle.clone();
        let before = state.wakes_at.replace(at);
        drop(state);
        let lane: Weak<dyn Lane> = Arc::downgrade(batcher) as _;
        if handle.threads.wake_at((self.id, lane), before, at) {
            let _ = handle.ready.send(Ready::Look);
        }
    }

    /// The client is being looked at.
    pub(super) fn is_awake(&self) {
        self.lock().wakes_at = None;
    }

    /// The client needs no threads any more.
    pub(super) fn end(&self) {
        let mut state = self.lock();
        let (scheduler, wakes_at) = (state.scheduler.take(), state.wakes_at.take());
        drop(state);
        if let Some(scheduler) = scheduler {
            scheduler.handle.threads.leave(self.id, wakes_at);
        }
    }

    fn handle(&self) -> Option<Arc<Handle>> {
        self.lock().scheduler.as_ref().map(|scheduler| scheduler.handle.clone())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.end();
    }
}

impl Lane for Batcher {
    fn work(self: Arc<Self>, token: Token) {
        self.work_with(token);
    }

    fn look(self: Arc<Self>) {
        self.registration.is_awake();
        self.look_around();
    }
}

impl fmt::Debug for ThreadPoolScheduler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ThreadPoolScheduler")
            .field("max_workers", &self.max_workers())
            .finish_non_exhaustive()
    }
}
