use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::Instant;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, unbounded};

use super::contain::contain;
use crate::{Error, ErrorKind, Result};

/// Threads that send the batches of one client or of several.
///
/// Clones are handles of the same threads. They are started when they are needed, are named `influxdb3-write`, and
/// end with the last client and the last handle.
///
/// With one worker, the batches of each client are sent strictly in order, and a client that waits for a retry does
/// not hold up the other clients. With `n` workers, up to `n` requests of a client are on the way at the same time,
/// which counts with servers that answer a write after their log is flushed, once a second.
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
    pool: Arc<Pool>,
}

/// Someone who has work for the threads from time to time.
pub(crate) trait Lane: Send + Sync {
    /// Does one piece of work.
    fn work(self: Arc<Self>);

    /// The time has come that [`ThreadPoolScheduler::arm`] was told.
    fn wake(self: Arc<Self>);
}

/// What handles share. The threads have [`Shared`] only, so that they end with the last handle.
struct Pool {
    max_workers: usize,
    messages: Sender<Message>,
    shared: Arc<Shared>,
    threads: AtomicUsize,
    /// Serializes the starting of threads.
    starting: Mutex<()>,
}

struct Shared {
    messages: Receiver<Message>,
    timers: Mutex<BTreeMap<(Instant, u64), Weak<dyn Lane>>>,
    /// Pieces of work that are queued or being done.
    load: AtomicUsize,
    /// Whether a [`Message::Look`] is on the way.
    is_looking: AtomicBool,
}

enum Message {
    Work(ThreadPoolScheduler, Arc<dyn Lane>),
    /// Look at the timers.
    Look,
}

impl ThreadPoolScheduler {
    /// A scheduler of at most `max_workers` threads, at least one.
    #[must_use]
    pub fn new(max_workers: usize) -> Self {
        // One message for each worker that a client calls, at most as many as there are workers for each client.
        let (sender, receiver) = unbounded();
        let shared = Shared {
            messages: receiver,
            timers: Mutex::default(),
            load: AtomicUsize::new(0),
            is_looking: AtomicBool::new(false),
        };
        Self {
            pool: Arc::new(Pool {
                max_workers,
                messages: sender,
                shared: Arc::new(shared),
                threads: AtomicUsize::new(0),
                starting: Mutex::default(),
            }),
        }
    }

    /// How many threads there are at most.
    #[must_use]
    pub fn max_workers(&self) -> usize {
        self.pool.max_workers
    }

    /// Tells handles of different threads apart.
    pub(crate) fn id(&self) -> usize {
        Arc::as_ptr(&self.pool.shared).addr()
    }

    /// Makes sure that there is a thread.
    pub(crate) fn start(&self) -> Result<()> {
        if self.pool.threads.load(Ordering::Acquire) > 0 { Ok(()) } else { self.start_one(1) }
    }

    /// Has one of the threads, of which there must be one, call [`Lane::work`].
    pub(crate) fn submit(&self, lane: Arc<dyn Lane>) {
        let load = self.pool.shared.load.fetch_add(1, Ordering::AcqRel) + 1;
        self.send(Message::Work(self.clone(), lane));
        if load > self.pool.threads.load(Ordering::Acquire) {
            // Without another thread, those that there are have more to do. No word about it here: the caller holds a
            // lock, and a logger may well be one that writes to the server.
            let _ = self.start_one(load);
        }
    }

    /// Has one of the threads call [`Lane::wake`] at `at`, instead of at `before`.
    pub(crate) fn arm(
        &self,
        lane: (u64, Weak<dyn Lane>),
        before: Option<Instant>,
        at: Option<Instant>,
    ) {
        let (id, lane) = lane;
        let mut timers = self.pool.shared.timers();
        if let Some(before) = before {
            timers.remove(&(before, id));
        }
        let Some(at) = at else { return };
        let is_first = timers.keys().next().is_none_or(|(first, _)| at < *first);
        timers.insert((at, id), lane);
        drop(timers);
        if is_first {
            self.look();
        }
    }

    /// A number for a lane.
    pub(crate) fn next_id() -> u64 {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        NEXT.fetch_add(1, Ordering::Relaxed)
    }

    /// Has a thread that is idle look at the timers: it may have to wake up earlier.
    fn look(&self) {
        if !self.pool.shared.is_looking.swap(true, Ordering::AcqRel) {
            self.send(Message::Look);
        }
    }

    fn send(&self, message: Message) {
        // The receiver is there as long as this handle is.
        let sent = self.pool.messages.send(message);
        debug_assert!(sent.is_ok(), "the receiver is gone");
    }

    /// Starts a thread if there are less than `wanted`.
    fn start_one(&self, wanted: usize) -> Result<()> {
        let guard = self.pool.starting.lock().unwrap_or_else(PoisonError::into_inner);
        let threads = self.pool.threads.load(Ordering::Acquire);
        if threads >= wanted.min(self.pool.max_workers) {
            return Ok(());
        }
        let shared = self.pool.shared.clone();
        thread::Builder::new().name(THREAD_NAME.into()).spawn(move || run(&shared)).map_err(
            |error| {
                Error::new(ErrorKind::Internal, "no thread can be started for the batches")
                    .with_source(error)
            },
        )?;
        self.pool.threads.store(threads + 1, Ordering::Release);
        drop(guard);
        Ok(())
    }
}

impl Shared {
    fn timers(&self) -> MutexGuard<'_, BTreeMap<(Instant, u64), Weak<dyn Lane>>> {
        self.timers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next_timer(&self) -> Option<Instant> {
        self.timers().keys().next().map(|(at, _)| *at)
    }

    fn take_due(&self, now: Instant) -> Option<Weak<dyn Lane>> {
        let mut timers = self.timers();
        let first = timers.first_entry()?;
        (first.key().0 <= now).then(|| first.remove())
    }
}

/// The life of a thread.
fn run(shared: &Shared) {
    loop {
        let message = match shared.next_timer() {
            Some(at) => shared.messages.recv_deadline(at),
            None => shared.messages.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        match message {
            Ok(Message::Work(pool, lane)) => {
                // Another thread may be asleep that now has to mind the timers.
                if pool.max_workers() > 1 && shared.next_timer().is_some() {
                    pool.look();
                }
                drop(pool);
                guarded(|| lane.work());
                shared.load.fetch_sub(1, Ordering::AcqRel);
            }
            Ok(Message::Look) => shared.is_looking.store(false, Ordering::Release),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        let now = Instant::now();
        while let Some(lane) = shared.take_due(now) {
            guarded(|| {
                if let Some(lane) = lane.upgrade() {
                    lane.wake();
                }
            });
        }
    }
}

/// Nothing that a lane does may end a thread.
fn guarded(work: impl FnOnce()) {
    if let Err(panic) = contain(work) {
        log::error!("a worker panicked, please report it: {panic}");
    }
}

impl fmt::Debug for ThreadPoolScheduler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ThreadPoolScheduler")
            .field("max_workers", &self.pool.max_workers)
            .finish_non_exhaustive()
    }
}

const THREAD_NAME: &str = "influxdb3-write";
