use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Instant;

use super::pool::{Lane, Pool};
use crate::Result;

/// Threads that send the batches of one client or of several.
///
/// Clones are handles of the same threads. They are started when they are needed, are named `influxdb3-write`, and
/// end with the last client and the last handle.
///
/// With one worker, the batches of each client are sent strictly in order. With `n` workers, up to `n` requests of a
/// client are on the way at the same time, which counts with servers that answer a write after their log is flushed,
/// once a second.
///
/// Clients that share a scheduler do not hold up each other. A client that waits for a retry needs no worker. A worker
/// that has been busy with one request or callback for a tenth of a second while there is other work is replaced until
/// it is done. So there can be more threads than workers, but never more than requests that clients may have on the
/// way, and one that watches.
///
/// ```
/// use influxdb3_blocking::{Client, ThreadPoolScheduler, WriteOptions};
///
/// let scheduler = ThreadPoolScheduler::new(4);
/// let client = |database: &str| {
///     let options = WriteOptions::default().write_scheduler(scheduler.clone());
///     Client::builder().host("http://localhost:8181").database(database).write_options(options).build()
/// };
/// let (rooms, machines) = (client("rooms")?, client("machines")?);
/// # Ok::<_, influxdb3_blocking::Error>(())
/// ```
#[derive(Clone)]
pub struct ThreadPoolScheduler {
    handle: Arc<Handle>,
}

/// What clones share. The threads have the [`Pool`] only, so that they end with the last handle.
struct Handle {
    pool: Arc<Pool>,
}

/// A client's place at a scheduler, and a handle of it.
pub(super) struct Seat {
    scheduler: ThreadPoolScheduler,
    id: u64,
    /// When the client is to be woken.
    armed: Option<Instant>,
}

impl ThreadPoolScheduler {
    /// A scheduler of at most `max_workers` threads, at least one, but for those that [stall](Self).
    #[must_use]
    pub fn new(max_workers: usize) -> Self {
        Self { handle: Arc::new(Handle { pool: Arc::new(Pool::new(max_workers)) }) }
    }

    /// How many threads there are at most, but for those that [stall](Self).
    #[must_use]
    pub fn max_workers(&self) -> usize {
        self.handle.pool.max_workers()
    }

    /// Tells handles of different threads apart.
    pub(super) fn id(&self) -> usize {
        self.handle.pool.id()
    }

    /// A place for one more client.
    pub(super) fn seat(self) -> Seat {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        self.handle.pool.join();
        Seat { scheduler: self, id: NEXT.fetch_add(1, Ordering::Relaxed), armed: None }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.pool.end();
    }
}

impl Seat {
    /// Makes sure that there is a thread.
    pub(super) fn start(&self) -> Result<()> {
        self.pool().start()
    }

    /// Has one of the threads, of which there must be one, call [`Lane::work`].
    pub(super) fn submit(&self, lane: Arc<dyn Lane>) {
        self.pool().submit(lane);
    }

    /// Has one of the threads call [`Lane::wake`] at `at` or earlier.
    pub(super) fn arm(&mut self, lane: Weak<dyn Lane>, at: Instant) {
        if self.armed.is_none_or(|armed| at < armed) {
            self.pool().arm((self.id, lane), self.armed, at);
            self.armed = Some(at);
        }
    }

    /// [`Lane::wake`] was called.
    pub(super) fn woken(&mut self) {
        self.armed = None;
    }

    fn pool(&self) -> &Arc<Pool> {
        &self.scheduler.handle.pool
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.pool().leave(self.id, self.armed);
    }
}

impl fmt::Debug for ThreadPoolScheduler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ThreadPoolScheduler")
            .field("max_workers", &self.max_workers())
            .finish_non_exhaustive()
    }
}
