//! Batching: from encoded lines to requests that are made by other threads, within a bound of memory.
//!
//! # The way of a line
//! 1. `accepting/`: `send` passes encoded lines. The `Budget` grants memory for them, as a `Permit` that returns it
//!    when it is dropped; the client's `OnFull` decides what happens when there is none. The lines are copied into the
//!    open batch of their target, under the one short lock of the `Accumulator`.
//! 2. `batch/`: a batch that is full or of age is sealed. It becomes a `Delivery`, which owns the lines, their
//!    permit, and a membership in the epoch that `flush` waits for. Under the same lock it goes into the client's
//!    crossbeam channel, so that batches are queued in the order in which they were sealed. (With `series_in_order`
//!    there is an open batch for each shard of the series, and still one channel.)
//! 3. `scheduler/` (beside this room): the thread that sealed the batch claims a `WorkerSlot` and puts it into the
//!    channel of the scheduler, where one of its threads receives it.
//! 4. `send_queue/`: that thread, the worker, takes the batch out of the `SendQueue`, with those behind it that may
//!    go in the same request, as a `Group`. The queue keeps the group, in flight, so that `close` can take it
//!    (`closing.rs`).
//! 5. `sending/`: the worker makes the request, and the answer is judged (`verdict.rs`). Either the deliveries of the
//!    group end, each once, which counts them (`Ledger`) and records failures (`Failures`); or they are put back
//!    before all others, to be tried again at some time, or cut into smaller groups.
//! 6. Then callbacks are called, and with what is left of each delivery its permit and its membership are dropped:
//!    writers that wait for room go on, and so does `flush`.
//!
//! How many requests may be in flight depends on the results of earlier ones (`in_flight.rs`). Which host gets a
//! request, and with which token, is decided in `http/`: here it is one request. With a spool (`spooling/`), batches
//! that cannot be sent are put on the disk instead of failing or blocking, and a worker reads them from there, as
//! deliveries with a lease.
//!
//! # Invariants
//! - A delivery has one owner. Only it may end or divide it. One that is dropped, by a panic, ends as failed.
//! - All permits and what is free are the limit. All lines that were accepted have ended or are pending.
//! - With one worker, nothing is taken out of the channel while a batch before that waits. Of each shard of several,
//!   one request is in flight at a time, and nothing passes one that waits.
//! - Whenever something can be sent, a worker slot is taken, or a thread is about to look.
//! - No lock is held while another is taken, nor while code of the user's runs.
//! - A failure is recorded before any callback of its request is called.

mod accepting;
mod accounting;
mod batch;
mod callbacks;
mod closing;
#[cfg(feature = "_files")]
mod file_batches;
mod interface;
mod send_queue;
mod sending;
#[cfg(feature = "spool")]
mod spooling;
#[cfg(not(feature = "spool"))]
#[path = "without_spool.rs"]
mod spooling;

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

pub(crate) use self::accepting::CallLines;
use self::accepting::{Accumulator, Changes};
use self::accounting::BatchFailure;
#[cfg(feature = "gzip")]
use self::batch::SealedLines;
use self::batch::{Accounts, BatchMemory, Ended, LINE_OVERHEAD, Size};
use self::callbacks::CallbackHandle;
#[cfg(feature = "_files")]
pub(crate) use self::file_batches::FileBatches;
pub(crate) use self::interface::{Batching, StartBatching, start_batching};
use self::send_queue::{Phase, SendQueue, ShardedQueue};
use self::spooling::Spooling;
#[cfg(feature = "spool")]
pub(crate) use self::spooling::no_spool;
use super::http::Http;
use super::options::BatchingSettings;
use super::scheduler::{Registration, is_in_callback};
use super::stats::WriteStats;
use super::target::Target;
use crate::config::Config;
use crate::contain::log_safely;
use crate::process::Process;
use crate::{Error, ErrorKind, Result, WriteOptions};

/// The batching of one client.
pub(crate) struct Batcher {
    http: Arc<Http>,
    config: Arc<Config>,
    settings: BatchingSettings,
    /// The target of lines for which neither the call nor the record names another; none if the client has no database.
    usual_target: Option<Arc<Target>>,
    /// The process that has its threads.
    process: Process,
    accounts: Arc<Accounts>,
    accumulator: Accumulator,
    send_queue: SendQueue,
    callbacks: Mutex<CallbackHandle>,
    has_error_callback: bool,
    registration: Registration,
    scheduler_id: usize,
    /// None if nothing goes to the disk.
    spool: Option<Spooling>,
    /// Whether lines were dropped and none were stored since: only the first are logged.
    is_dropping: AtomicBool,
    /// Whether a request failed that is tried again and no lines were stored since: only the first is a warning.
    is_failing: AtomicBool,
    /// Whether the server has stored lines, and so accepted the token.
    has_written: AtomicBool,
}

impl Batcher {
    /// # Errors
    /// [`ErrorKind::File`]: there is to be a spool, and its directory cannot be used. [`ErrorKind::Closed`]: this is a
    /// forked child, and the scheduler its parent's.
    pub(crate) fn new(
        options: &WriteOptions,
        http: Arc<Http>,
        config: Arc<Config>,
    ) -> Result<Arc<Self>> {
        let scheduler = options.scheduler();
        scheduler.check_process()?;
        let mut settings = options.settings(config.max_request_bytes);
        let for_compressed =
            config.gzip_threshold.map_or(0, |_| settings.buffer_limit / COMPRESSED_SHARE);
        let accounts = Accounts::new(settings.buffer_limit - for_compressed, for_compressed);
        settings.max_batch_bytes =
            settings.max_batch_bytes.min(accounts.budget.limit().saturating_sub(LINE_OVERHEAD));
        let spool = Spooling::open(options, &mut settings, config.max_request_bytes)?;
        let most = match settings.merge_waiting {
            None => Size { lines: 0, bytes: 0 },
            Some(lines) => Size { lines, bytes: config.max_request_bytes },
        };
        let width = scheduler.max_workers();
        let shards = if settings.series_in_order { width } else { 1 };
        let is_strict = settings.series_in_order || width == 1;
        let queue = if is_strict { ShardedQueue::strict(shards) } else { ShardedQueue::loose() };
        let (sealed, inbox) = crossbeam_channel::unbounded();
        let process = Process::current();
        let full = Size { lines: settings.batch_size, bytes: settings.max_batch_bytes };
        let callbacks = options.callbacks();
        let batcher = Arc::new(Self {
            usual_target: Target::usual(&config).map(Arc::new),
            http,
            config,
            accumulator: Accumulator::new(
                accounts.clone(),
                sealed,
                full,
                settings.jitter,
                shards,
                process,
            ),
            process,
            accounts,
            send_queue: SendQueue::new(inbox, width, most, queue),
            has_error_callback: callbacks.error.is_some(),
            callbacks: Mutex::new(CallbackHandle::new(callbacks)),
            scheduler_id: scheduler.id(),
            registration: scheduler.register(),
            settings,
            is_dropping: AtomicBool::new(false),
            is_failing: AtomicBool::new(false),
            has_written: AtomicBool::new(false),
            spool,
        });
        batcher.start_spool()?;
        Ok(batcher)
    }

    pub(crate) fn usual_target(&self) -> Option<&Arc<Target>> {
        self.usual_target.as_ref()
    }

    pub(crate) fn stats(&self) -> WriteStats {
        let stats = self.accounts.ledger.stats(|| {
            let mut accepted = self.accumulator.accepted();
            accepted += self.accepted_on_disk();
            accepted
        });
        // The open batches first: one that is sealed meanwhile is then counted twice rather than missed.
        let open = self.accumulator.oldest_since();
        let load = self.send_queue.load();
        self.with_spool_stats(WriteStats {
            queued: load.queued as u64,
            in_flight: load.in_flight as u64,
            oldest_pending: open.into_iter().chain(load.since).min().map(|since| since.elapsed()),
            ..stats
        })
    }

    /// Waits until all lines that were accepted before have ended. In a callback, only has them sent.
    ///
    /// # Errors
    /// Failures of those lines that were not reported yet; [`ErrorKind::BufferFull`] if lines wait in memory because the
    /// spool is at its limit and the server takes nothing; [`ErrorKind::Closed`].
    pub(crate) fn flush(self: &Arc<Self>) -> Result<()> {
        if self.is_in_callback() {
            self.accumulator.intake().map(drop)?;
            self.apply(self.accumulator.seal_if(|_| true));
            self.urge_disk();
            return Ok(());
        }
        let Some((epoch, changes)) = self.accumulator.turn_over() else {
            return Err(Error::closed());
        };
        // From here on no other call returns these failures.
        self.send_queue.change(|state| state.failures.reserve(epoch.number()));
        self.apply(changes);
        let is_over = self.wait_for_epoch(&epoch);
        if is_over {
            self.wait_for_disk();
        }
        let (failure, is_given_up) = self.send_queue.change(|state| {
            let has_returned = matches!(state.phase, Phase::Closed { has_returned: true, .. });
            // Then `close` has returned the lines that were not sent.
            (state.failures.take_reserved(epoch.number()), has_returned)
        });
        match failure {
            Some(failure) => Err(failure.into_error()),
            None if is_given_up => Err(Error::new(
                ErrorKind::Closed,
                "the client was closed meanwhile; what could not be written comes back from close",
            )),
            None if !is_over => Err(Error::new(
                ErrorKind::BufferFull,
                "lines wait in memory still: the spool is at its limit, and the server does not take what is there",
            )
            .with_retryable(true)),
            None => Ok(()),
        }
    }

    /// Acts on the changes: arms the timer that seals open batches at their age, and calls workers for sealed ones.
    fn apply(self: &Arc<Self>, changes: Changes) {
        let Changes { has_opened, sealed, .. } = changes;
        if has_opened {
            self.registration.wake_at(self, after(Instant::now(), self.settings.flush_interval));
        }
        for _ in 0..sealed.len().min(self.send_queue.slots.width()) {
            self.call_worker();
        }
        #[cfg(feature = "gzip")]
        if self.config.gzip_threshold.is_some() {
            self.compress_waiting(&sealed);
        }
    }

    /// Calls a worker. False if no slot is left, or the client is closed.
    fn call_worker(self: &Arc<Self>) -> bool {
        let slot = self.send_queue.slots.claim();
        slot.is_some_and(|slot| self.registration.submit(self.clone(), slot))
    }

    /// Calls as many workers as there are free slots, if something could be sent now.
    fn call_workers(self: &Arc<Self>) {
        if self.has_work(Instant::now()) {
            while self.call_worker() {}
        }
    }

    /// Whether there is something to do for a worker.
    fn has_work(&self, now: Instant) -> bool {
        self.send_queue.has_work(now, || self.sources()) || self.has_disk_work(now)
    }

    /// Seals batches that are as old as the flush interval, calls workers for what need not wait any more, and closes
    /// the client if that is due. The scheduler calls it at the time that [`arm`](Self::arm) named.
    fn look_around(self: &Arc<Self>) {
        let (now, age) = (Instant::now(), self.settings.flush_interval);
        self.apply(self.accumulator.seal_if(|open| after(open.since, age) <= now));
        self.call_workers();
        self.end_if_over();
        self.arm();
    }

    /// Has the scheduler look at this client at the next time at which there is something to do.
    fn arm(self: &Arc<Self>) {
        let age = self.accumulator.next_of_age(self.settings.flush_interval);
        let due =
            self.send_queue.next_due(|| self.sources()).into_iter().chain(self.next_due_on_disk());
        if let Some(at) = age.into_iter().chain(due).min() {
            self.registration.wake_at(self, at);
        }
    }

    /// Keeps a failure for the call that writes the file, if it is of one; else, or if that has returned, for the
    /// next call of the client.
    fn keep_failure(&self, ended: &Ended, failure: BatchFailure) {
        let failure = match &ended.file {
            Some(file) => file.add(failure),
            None => Some(failure),
        };
        if let Some(failure) = failure.filter(|failure| !failure.is_told) {
            self.send_queue.change(|state| state.failures.add(ended.epoch(), failure));
        }
    }

    /// Keeps the memory of a batch that has ended for the next one, unless a call waits for room.
    fn recycle(&self, memory: BatchMemory) {
        let budget = &self.accounts.budget;
        if !budget.is_awaited() && memory.is_of(budget) {
            self.accumulator.recycle(memory);
        }
    }

    fn has_error_callback(&self) -> bool {
        self.has_error_callback
    }

    /// Notes that lines are dropped; whether these are the first since lines were stored.
    fn begins_to_drop(&self) -> bool {
        !self.is_dropping.swap(true, Ordering::Relaxed)
    }

    fn note_written(&self) {
        self.is_dropping.store(false, Ordering::Relaxed);
        self.has_written.store(true, Ordering::Relaxed);
        // It is false nearly always, and then not written to.
        if self.is_failing.load(Ordering::Relaxed) && self.is_failing.swap(false, Ordering::Relaxed)
        {
            log_safely(log::Level::Info, format_args!("writes are taken again"));
        }
    }

    /// Logs that a request is tried again: the first one since lines were stored as a warning, the others for
    /// debugging.
    fn log_retry(&self, lines: usize, wait: Duration, error: &Error) {
        let is_first = !self.is_failing.swap(true, Ordering::Relaxed);
        let level = if is_first { log::Level::Warn } else { log::Level::Debug };
        log_safely(level, format_args!("{lines} lines are sent again in {wait:.1?}: {error}"));
    }

    fn has_written(&self) -> bool {
        self.has_written.load(Ordering::Relaxed)
    }

    fn is_in_callback(&self) -> bool {
        is_in_callback(self.scheduler_id)
    }
}

impl fmt::Debug for Batcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batcher").field("settings", &self.settings).finish_non_exhaustive()
    }
}

#[cfg(feature = "gzip")]
impl Batcher {
    /// Compresses batches that this thread has sealed, on this thread, unless they are sent next: several threads
    /// that write are faster than one worker that compresses.
    fn compress_waiting(&self, sealed: &[Arc<SealedLines>]) {
        let least = self.config.gzip_threshold.unwrap_or(usize::MAX);
        for lines in sealed {
            if self.send_queue.backlog() > 1 && lines.bytes().len() >= least {
                self.compress(lines);
            }
        }
    }

    /// The lines of a batch compressed, now if that was not done before. None if there is no room for it.
    fn compress<'b>(&self, lines: &'b SealedLines) -> Option<&'b super::gzip::DeflateBlocks> {
        lines.compressed(|bytes| {
            let mut permit = self.accounts.compressed.try_acquire(0)?;
            let mut blocks = self.http.gzip.compress(bytes, |more| permit.try_grow(more))?;
            blocks.shrink();
            drop(permit.split(permit.bytes().saturating_sub(blocks.capacity())));
            Some((blocks, permit))
        })
    }
}

/// The error of a forked child that uses batches of its parent.
fn forked() -> Error {
    Error::new(
        ErrorKind::Closed,
        "this process was forked, and the batches of the client belong to its parent: make a client after the fork",
    )
}

/// `time` after `start`; never an overflow.
fn after(start: Instant, time: Duration) -> Instant {
    start.checked_add(time).unwrap_or_else(|| start + FAR)
}

/// With compression, this part of `buffer_limit` is for compressed lines: an eighth.
const COMPRESSED_SHARE: usize = 8;

/// About thirty years.
const FAR: Duration = Duration::from_secs(1 << 30);
