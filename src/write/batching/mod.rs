//! Batching: from encoded lines to requests behind the caller's back, within a bound of memory.
//!
//! # The way of a point
//! `send` encodes it on the caller's thread and brings its line here, to `accept.rs`. Memory for the line is had from the
//! `Budget`, as a `Permit` that gives it back when it is dropped; what happens when there is none is the client's `OnFull`.
//! The line is then copied into the open batch of its target, behind the one short lock of the `Accumulator`. A batch that is
//! full, or of age, is sealed: it becomes a `Delivery`, which owns the lines, their permit, and a membership in the epoch that
//! `flush` waits for. Under the same lock it goes into the client's crossbeam channel, so that batches leave in the order in
//! which they were sealed. (Where the series are to stay in order, all this is there once for each shard of them, but for the
//! channel.) Whoever sealed it claims a `Token` of the client's `Lane` and puts it into the channel of the
//! scheduler. One of the scheduler's threads comes with the token, takes the batch out of the lane together with those
//! behind it that may go as one request, a `Group`, and makes that request (`worker.rs`). Meanwhile the lane keeps the group, so
//! that `close` can take it back (`closing.rs`). The answer is judged (`verdict.rs`): the group's deliveries are ended, each by
//! value and exactly once, which counts them (`Ledger`) and records failures (`Failures`); or they are put back into the lane
//! before all others, as they were, to be tried again at some time, or cut into smaller groups. Then callbacks are called, and
//! with what is left of each delivery its permit and its membership are dropped: writers that wait for room go on, and so
//! does `flush`.
//!
//! What answers and failures say about how many requests the server bears at a time decides how many tokens there are
//! (`in_flight.rs`). Which host gets a request, and with which token, is the business of `http/`: here it is one request.
//! With a spool (`spooling/`), what cannot be sent is put on the disk instead of failing or blocking, and a worker reads it
//! from there, as deliveries that know their place on the disk.
//!
//! # Invariants
//! - A delivery has one owner. Only it may end or divide it. One that is dropped, by a panic, ends as failed.
//! - Permits and what is free are the limit. What is accepted is what has ended and what is pending.
//! - A lane of one worker reads nothing from its channel while something before that waits. Of a shard of several, one
//!   request is under way at a time, and nothing passes what waits.
//! - There is never something to send without a token, or somebody who is about to look.
//! - No lock is held while another is taken, nor while code of the user's runs.
//! - A failure is recorded before any callback of its request is called.

mod accept;
mod accumulator;
mod bad_lines;
mod body;
mod budget;
mod call_lines;
mod callbacks;
mod closing;
mod contain;
mod delivery;
mod ended;
mod epoch;
mod failures;
#[cfg(feature = "_files")]
mod file_batches;
#[cfg_attr(not(feature = "_files"), allow(dead_code))] // only files have one
mod file_ledger;
mod group;
mod in_flight;
mod lane;
mod ledger;
mod open_batches;
mod order;
mod outcome;
mod primitives;
mod retry;
mod scheduler;
mod send_queue;
mod series;
mod shared;
#[cfg(feature = "spool")]
mod spooling;
#[cfg(not(feature = "spool"))]
#[path = "without_spool.rs"]
mod spooling;
mod threads;
mod tokens;
mod verdict;
mod worker;

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use self::accept::FIXED;
use self::accumulator::{Accumulator, Changes};
pub(crate) use self::call_lines::CallLines;
use self::call_lines::Size;
use self::callbacks::Handle;
use self::closing::Phase;
use self::contain::{is_in_callback, log_safely};
use self::ended::Ended;
use self::failures::Failure;
#[cfg(feature = "_files")]
pub(crate) use self::file_batches::FileBatches;
use self::lane::Lane;
use self::open_batches::BatchMemory;
pub(crate) use self::retry::RetryPolicy;
use self::scheduler::Registration;
pub use self::scheduler::ThreadPoolScheduler;
use self::send_queue::SendQueue;
use self::shared::Shared;
use self::spooling::Spooling;
#[cfg(feature = "spool")]
pub(crate) use self::spooling::no_spool;
use super::http::Http;
use super::options::Settings;
use super::stats::WriteStats;
use super::target::Target;
use crate::config::Config;
use crate::{Error, ErrorKind, Result, WriteOptions};

/// The batching of one client.
pub(crate) struct Batcher {
    http: Arc<Http>,
    config: Arc<Config>,
    settings: Settings,
    /// Where lines go if nobody says otherwise.
    usual_target: Option<Arc<Target>>,
    shared: Arc<Shared>,
    accumulator: Accumulator,
    lane: Lane,
    callbacks: Mutex<Handle>,
    has_error_callback: bool,
    registration: Registration,
    scheduler_id: usize,
    /// None if nothing goes to the disk.
    spool: Option<Spooling>,
    /// Whether lines were dropped and none was written since.
    is_dropping: AtomicBool,
    /// Whether a request failed that is tried again and nothing was written since.
    is_failing: AtomicBool,
    /// Whether the server has taken lines, and so the token.
    has_written: AtomicBool,
}

impl Batcher {
    /// # Errors
    /// [`ErrorKind::File`]: there is to be a spool, and its directory cannot be used.
    pub(crate) fn new(
        options: &WriteOptions,
        http: Arc<Http>,
        config: Arc<Config>,
    ) -> Result<Arc<Self>> {
        let scheduler = options.scheduler();
        let mut settings = options.settings(config.max_request_bytes);
        let for_compressed =
            config.gzip_threshold.map_or(0, |_| settings.buffer_limit / COMPRESSED_SHARE);
        let shared = Shared::new(settings.buffer_limit - for_compressed, for_compressed);
        settings.max_batch_bytes =
            settings.max_batch_bytes.min(shared.budget.limit().saturating_sub(FIXED));
        let spool = Spooling::open(options, &mut settings, config.max_request_bytes)?;
        let most = match settings.merge_waiting {
            None => Size { lines: 0, bytes: 0 },
            Some(lines) => Size { lines, bytes: config.max_request_bytes },
        };
        let width = scheduler.max_workers();
        let shards = if settings.series_in_order { width } else { 1 };
        let is_strict = settings.series_in_order || width == 1;
        let queue = if is_strict { SendQueue::strict(shards) } else { SendQueue::loose() };
        let (sealed, inbox) = crossbeam_channel::unbounded();
        let full = Size { lines: settings.batch_size, bytes: settings.max_batch_bytes };
        let callbacks = options.callbacks();
        let batcher = Arc::new(Self {
            usual_target: Target::usual(&config).map(Arc::new),
            http,
            config,
            accumulator: Accumulator::new(shared.clone(), sealed, full, settings.jitter, shards),
            shared,
            lane: Lane::new(inbox, width, most, queue),
            has_error_callback: callbacks.error.is_some(),
            callbacks: Mutex::new(Handle::new(callbacks)),
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
        let stats = self.shared.ledger.stats(|| {
            let mut accepted = self.accumulator.accepted();
            accepted += self.accepted_on_disk();
            accepted
        });
        // First the batches that are open: one that is sealed meanwhile is not missed, then.
        let open = self.accumulator.oldest_since();
        let load = self.lane.load();
        self.with_spool_stats(WriteStats {
            queued: load.queued as u64,
            in_flight: load.in_flight as u64,
            oldest_pending: open.into_iter().chain(load.since).min().map(|since| since.elapsed()),
            ..stats
        })
    }

    /// Waits until everything that was accepted before has ended. In a callback, only starts that.
    ///
    /// # Errors
    /// What failed of it and was told to nobody.
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
        // Other calls leave these failures to this one.
        self.lane.change(|state| state.failures.reserve(epoch.number()));
        self.apply(changes);
        epoch.wait();
        self.wait_for_disk();
        let (failure, is_given_up) = self.lane.change(|state| {
            let has_returned = matches!(state.phase, Phase::Closed { has_returned: true, .. });
            // Whoever closed the client has them.
            (state.failures.take_reserved(epoch.number()), has_returned)
        });
        match failure {
            Some(failure) => Err(failure.into_error()),
            None if is_given_up => Err(Error::new(
                ErrorKind::Closed,
                "the client was closed meanwhile; what could not be written comes back from close",
            )),
            None => Ok(()),
        }
    }

    /// Sees to what came of taking lines: that batches are sealed at their age, and sent.
    fn apply(self: &Arc<Self>, changes: Changes) {
        let Changes { has_opened, sealed, .. } = changes;
        if has_opened {
            self.registration.wake_at(self, after(Instant::now(), self.settings.flush_interval));
        }
        for _ in 0..sealed.len().min(self.lane.tokens.width()) {
            self.call_worker();
        }
        #[cfg(feature = "gzip")]
        if self.config.gzip_threshold.is_some() {
            self.compress_waiting(&sealed);
        }
    }

    /// Has a thread come to send something, unless as many as there may be are there, or the client is closed.
    fn call_worker(self: &Arc<Self>) -> bool {
        let token = self.lane.tokens.claim();
        token.is_some_and(|token| self.registration.submit(self.clone(), token))
    }

    /// Has threads come for what could be sent now.
    fn call_workers(self: &Arc<Self>) {
        if self.has_work(Instant::now()) {
            while self.call_worker() {}
        }
    }

    /// Whether there is something to do for a thread.
    fn has_work(&self, now: Instant) -> bool {
        self.lane.has_work(now, || self.sources()) || self.has_disk_work(now)
    }

    /// Seals batches that have reached their age, sends what does not have to wait any more, and ends when it is time.
    fn look_around(self: &Arc<Self>) {
        let (now, age) = (Instant::now(), self.settings.flush_interval);
        self.apply(self.accumulator.seal_if(|open| after(open.since, age) <= now));
        self.call_workers();
        self.end_if_over();
        self.arm();
    }

    /// Has the scheduler wake this batcher when there is something to do.
    fn arm(self: &Arc<Self>) {
        let age = self.accumulator.next_of_age(self.settings.flush_interval);
        let due = self.lane.next_due().into_iter().chain(self.next_due_on_disk());
        if let Some(at) = age.into_iter().chain(due).min() {
            self.registration.wake_at(self, at);
        }
    }

    /// Keeps a failure for whoever writes the file, or for the next call of the client.
    fn keep_failure(&self, ended: &Ended, failure: Failure) {
        let failure = match &ended.file {
            Some(file) => file.add(failure),
            None => Some(failure),
        };
        if let Some(failure) = failure.filter(|failure| !failure.is_told) {
            self.lane.change(|state| state.failures.add(ended.epoch(), failure));
        }
    }

    /// Keeps the memory of a batch that was written for the next one, unless somebody waits for room.
    fn recycle(&self, memory: BatchMemory) {
        let budget = &self.shared.budget;
        if !budget.is_awaited() && memory.is_of(budget) {
            self.accumulator.recycle(memory);
        }
    }

    fn has_error_callback(&self) -> bool {
        self.has_error_callback
    }

    /// Whether these are the first lines that are dropped.
    fn begins_to_drop(&self) -> bool {
        !self.is_dropping.swap(true, Ordering::Relaxed)
    }

    fn note_written(&self) {
        self.is_dropping.store(false, Ordering::Relaxed);
        self.has_written.store(true, Ordering::Relaxed);
        // Mostly false, and then read only.
        if self.is_failing.load(Ordering::Relaxed) && self.is_failing.swap(false, Ordering::Relaxed)
        {
            log_safely(log::Level::Info, format_args!("writes are taken again"));
        }
    }

    /// Logs that a request is tried again: the first one for everybody, the others for who looks closely.
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
    /// Compresses what this thread has sealed and what is not the next to be sent: several threads write faster than one
    /// worker compresses.
    fn compress_waiting(&self, sealed: &[Arc<body::Body>]) {
        let least = self.config.gzip_threshold.unwrap_or(usize::MAX);
        for body in sealed {
            if self.lane.backlog() > 1 && body.lines().len() >= least {
                self.compress(body);
            }
        }
    }

    /// The lines of a batch as a segment of a compressed body, made now if it was not made before. None if there is no
    /// room for it.
    fn compress<'b>(&self, body: &'b body::Body) -> Option<&'b super::gzip::Segment> {
        body.compressed(|lines| {
            let mut permit = self.shared.compressed.try_acquire(0)?;
            let mut segment = self.http.gzip.compress(lines, |bytes| permit.try_grow(bytes))?;
            segment.shrink();
            drop(permit.split(permit.bytes().saturating_sub(segment.capacity())));
            Some((segment, permit))
        })
    }
}

/// `time` after `start`; never an overflow.
fn after(start: Instant, time: Duration) -> Instant {
    start.checked_add(time).unwrap_or_else(|| start + FAR)
}

/// If bodies are compressed, lines leave them this part of the buffer.
const COMPRESSED_SHARE: usize = 8;

/// About thirty years.
const FAR: Duration = Duration::from_secs(1 << 30);
