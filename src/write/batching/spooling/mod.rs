//! A client's spool: what goes to the disk, what is read from there, and who waits for it.
//!
//! While something is on the disk, or on its way there, what is in memory was accepted later. So, unless fresh data goes first,
//! a worker that comes moves what waits in memory behind it (`transfer.rs`), and sends what it reads from the beginning
//! (`drain.rs`). What was read is a delivery like others, with a `Ticket` for its place on the disk; it has no limit to its
//! tries. At the end of the client it is left there.
//!
//! Who moves batches has the right to, one at a time, and takes it before any lock. With one worker, a batch that is under way
//! is copied to the disk before those that wait behind it are moved, so that the order there is that of acceptance.

mod accepting;
mod drain;
mod exclusive;
mod transfer;
mod waiting;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use self::exclusive::Exclusive;
use super::Batcher;
use super::budget::Budget;
use super::contain::log_error;
use super::epoch::{Epoch, Member};
use super::lane::Sources;
use super::ledger::{Counter, End};
use super::shared::BATCH_COST;
use crate::write::amount::Amount;
use crate::write::options::Settings;
pub(crate) use crate::write::spool::Ticket;
use crate::write::spool::{self, Contents, DiskQueue, Dropped, Most, SystemDisk};
use crate::write::stats::WriteStats;
use crate::{Error, Result, SpoolStats, WriteOptions};

/// The spool of one client.
pub(super) struct Spooling {
    queue: DiskQueue,
    is_always: bool,
    is_fresh_first: bool,
    /// Whether there is one worker, and so an order to keep.
    is_strict: bool,
    /// What is read at once.
    most: Most,
    /// For what was read.
    reads: Arc<Budget>,
    /// What went to the disk before it was in any batch.
    accepted: Counter,
    /// How many times batches are on their way from memory to the disk.
    in_transit: Arc<AtomicUsize>,
    /// Who moves batches.
    transfers: Arc<Exclusive>,
    /// How many calls want everything on the disk.
    impatient: Arc<AtomicUsize>,
    /// Whether nothing is read any more, as the client ends.
    is_resting: AtomicBool,
    is_closing: AtomicBool,
    /// Whether the server did not take something in all its retries, and nothing since.
    is_in_trouble: AtomicBool,
    /// Of an epoch that nobody waits for.
    member: Member,
    pace: Mutex<Pace>,
}

/// When something is to be done.
#[derive(Debug, Default)]
struct Pace {
    /// Nothing is read before.
    read_after: Option<Instant>,
    /// Nothing is moved to the disk before.
    move_after: Option<Instant>,
    /// When something was added for the last time while nothing was unread.
    first_unread: Option<Instant>,
    /// What has a lower number is sent though it makes no batch yet.
    urged: u64,
}

/// Counts for as long as it is there.
struct Counted(Arc<AtomicUsize>);

impl Spooling {
    /// Opens the spool that the options name, if they do. Batches get no larger than it has room for.
    pub(super) fn open(
        options: &WriteOptions,
        settings: &mut Settings,
        max_request_bytes: usize,
    ) -> Result<Option<Self>> {
        let Some(spool) = options.spool_options() else { return Ok(None) };
        let queue = DiskQueue::open(
            Arc::new(SystemDisk),
            spool::Settings {
                directory: spool.path().to_owned(),
                limit: spool.limit_bytes(),
                sync: spool.sync_policy(),
                is_tidy: !spool.is_always(),
            },
        )?;
        settings.max_batch_bytes = settings.max_batch_bytes.min(queue.largest_batch());
        let workers = options.workers();
        let request = max_request_bytes.min(settings.buffer_limit).max(settings.max_batch_bytes);
        let most = Most {
            batch_lines: settings.batch_size,
            batch_bytes: settings.max_batch_bytes,
            lines: settings.merge_waiting.unwrap_or(0).max(settings.batch_size),
            bytes: if settings.merge_waiting.is_some() {
                request
            } else {
                settings.max_batch_bytes
            },
        };
        Ok(Some(Self {
            queue,
            is_always: spool.is_always(),
            is_fresh_first: spool.sends_fresh_first(),
            is_strict: workers == 1 && !spool.sends_fresh_first(),
            reads: Budget::new((workers + 1) * cost(most)),
            most,
            accepted: Counter::default(),
            in_transit: Arc::default(),
            transfers: Arc::default(),
            impatient: Arc::default(),
            is_resting: AtomicBool::new(false),
            is_closing: AtomicBool::new(false),
            is_in_trouble: AtomicBool::new(false),
            member: Epoch::start(0),
            pace: Mutex::default(),
        }))
    }

    pub(super) fn is_always(&self) -> bool {
        self.is_always
    }

    /// Which batches may be sent. Nothing but atomics is looked at.
    fn sources(&self) -> Sources {
        let is_held = self.in_transit.load(Ordering::SeqCst) > 0 || !self.queue.is_empty();
        if is_held && !self.is_fresh_first { Sources::DiskFirst } else { Sources::Both }
    }

    /// The server does not take what it is given.
    fn note_trouble(&self) {
        if !self.is_in_trouble.swap(true, Ordering::SeqCst) {
            log::warn!("the server does not take what is written, which waits on the disk");
        }
        self.queue.wake_all();
    }

    fn is_in_trouble(&self) -> bool {
        self.is_in_trouble.load(Ordering::SeqCst)
    }

    fn is_resting(&self) -> bool {
        self.is_resting.load(Ordering::SeqCst)
    }

    fn pace(&self) -> MutexGuard<'_, Pace> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counted {
    fn new(counter: &Arc<AtomicUsize>) -> Self {
        counter.fetch_add(1, Ordering::SeqCst);
        Self(counter.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Batcher {
    /// Begins to send what a process before has left.
    pub(super) fn start_spool(self: &Arc<Self>) -> Result<()> {
        let Some(spool) = &self.spool else { return Ok(()) };
        if spool.queue.is_empty() {
            return Ok(());
        }
        let started = self.registration.start();
        if started.is_err() {
            spool.queue.close();
        }
        self.call_workers();
        started
    }

    pub(super) fn has_spool(&self) -> bool {
        self.spool.is_some()
    }

    /// Which batches may be sent.
    pub(super) fn sources(&self) -> Sources {
        self.spool.as_ref().map_or(Sources::Both, Spooling::sources)
    }

    /// Lines that were accepted and went to the disk first.
    pub(super) fn accepted_on_disk(&self) -> Amount {
        self.spool.as_ref().map_or_else(Amount::default, |spool| spool.accepted.amount())
    }

    pub(super) fn with_spool_stats(&self, stats: WriteStats) -> WriteStats {
        let Some(spool) = &self.spool else { return stats };
        // Read before what is found, so that this is not less than its parts.
        let [found_written, found_rejected, found_failed, found_dropped] =
            [End::Written, End::Rejected, End::Failed, End::Dropped]
                .map(|end| self.shared.ledger.former(end));
        let Contents { amount, bytes, oldest, found, damaged, errors } = spool.queue.contents();
        let mut found_pending = found;
        for ended in [found_written, found_rejected, found_failed, found_dropped] {
            found_pending.lines = found_pending.lines.saturating_sub(ended.lines);
            found_pending.bytes = found_pending.bytes.saturating_sub(ended.bytes);
        }
        let age = |time| Duration::from_millis(spool::now().saturating_sub(time));
        WriteStats {
            spool: SpoolStats {
                on_disk: amount,
                disk_bytes: bytes,
                oldest: oldest.map(age),
                found,
                found_written,
                found_rejected,
                found_failed,
                found_dropped,
                found_pending,
                damaged,
                errors,
            },
            ..stats
        }
    }

    /// Counts lines that are gone from the disk without having been sent.
    fn count_lost(&self, lost: Dropped, end: End) {
        let ledger = &self.shared.ledger;
        if lost.is_former {
            ledger.count_former(end, lost.amount);
        } else {
            ledger.count(end, lost.amount);
        }
        if end == End::Failed {
            let lines = lost.amount.lines;
            log_error(format_args!("{lines} lines on the disk cannot be read, and are not sent"));
        } else if self.begins_to_drop() {
            log::warn!("the spool is at its limit, and the oldest lines are dropped");
        }
    }

    /// Nothing is on the disk that this client would send any more, or nothing that it has begun to. What it has sent is no
    /// more counted there.
    pub(super) fn is_disk_at_rest(&self) -> bool {
        let Some(spool) = &self.spool else { return true };
        let is_moving = spool.in_transit.load(Ordering::SeqCst) > 0;
        let has_begun = self.lane.disk_groups() > 0 || !spool.queue.is_untouched();
        !is_moving && (spool.queue.is_empty() || spool.is_resting() && !has_begun)
    }
}

/// The error of what only a client with a spool can do.
pub(crate) fn no_spool() -> Error {
    Error::config("the client has no spool: give one with WriteOptions::spool")
}

/// What is set aside for one read.
fn cost(most: Most) -> usize {
    most.bytes + BATCHES_AT_ONCE * BATCH_COST
}

/// What a read may take besides its lines.
const BATCHES_AT_ONCE: usize = 64;

/// How long the disk is left alone after it has failed, or had no room.
const PAUSE: Duration = Duration::from_secs(1);
