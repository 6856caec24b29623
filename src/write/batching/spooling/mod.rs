//! The spool of a client: which batches go to the disk, how they are read from there, and which calls wait for them.
//!
//! While batches are on the disk, or on their way there, those in memory were accepted later. So, unless fresh data
//! goes first, a worker moves batches that wait in memory behind them (`transfer.rs`), and sends those that it reads
//! from the beginning (`drain.rs`). What was read is a delivery like others, with a `DiskLease` of its place on the
//! disk; its tries have no limit. When the client is closed it stays on the disk.
//!
//! One thread at a time has the right to move batches (`exclusive.rs`), and takes it before any lock. With one
//! worker, batches in flight are copied to the disk before those that wait behind them are moved, so that the order
//! there is that of acceptance.

mod accepting;
mod drain;
mod exclusive;
mod refusal;
mod transfer;
mod waiting;

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use self::exclusive::Exclusive;
use self::refusal::Refusal;
use crate::contain::log_error;
use crate::write::amount::Amount;
use crate::write::batching::Batcher;
use crate::write::batching::accounting::{Budget, End, Epoch, LineCounter, Member};
use crate::write::batching::batch::BATCH_COST;
use crate::write::batching::send_queue::Sources;
use crate::write::options::BatchingSettings;
use crate::write::spool::{
    self, Contents, DiskQueue, LostLines, ReadLimits, SpoolSettings, SystemDisk,
};
use crate::write::stats::WriteStats;
use crate::{Error, Result, SpoolStats, WriteOptions};

/// The spool of one client.
pub(super) struct Spooling {
    queue: DiskQueue,
    is_always: bool,
    is_fresh_first: bool,
    /// Whether batches are sent in the order of acceptance: one worker, and no fresh data first.
    is_strict: bool,
    /// How much is read at once.
    limits: ReadLimits,
    /// For the memory of batches that were read.
    reads: Arc<Budget>,
    /// Lines that were accepted onto the disk, and so are not counted by the accumulator.
    accepted: LineCounter,
    /// How many threads have batches on their way from memory to the disk.
    in_transit: Arc<AtomicUsize>,
    /// The right to move batches to the disk.
    transfers: Arc<Exclusive>,
    /// How many calls of `flush_to_disk` wait.
    impatient: Arc<AtomicUsize>,
    /// Whether nothing is read from the disk any more, as the client is closing.
    is_resting: AtomicBool,
    is_closing: AtomicBool,
    /// Whether a batch failed in all its retries, and the server has stored nothing since.
    is_in_trouble: AtomicBool,
    /// Why the disk did not take the last batch that was to go there.
    refusal: AtomicU8,
    /// A member of an epoch that no flush waits for.
    member: Member,
    times: Mutex<DiskTimes>,
}

/// When the disk is to be used next.
#[derive(Debug, Default)]
struct DiskTimes {
    /// Nothing is read before this time.
    read_after: Option<Instant>,
    /// How many times in a row the disk could not be read.
    failed_reads: u32,
    /// Nothing is moved to the disk before this time.
    move_after: Option<Instant>,
    /// When lines were last added while nothing else was unread: how old the oldest unread lines are at most.
    first_unread: Option<Instant>,
    /// Batches of a lower number are sent even if they are smaller than a full one.
    urged: u64,
}

/// Adds one to a counter until it is dropped.
struct Counted(Arc<AtomicUsize>);

impl Spooling {
    /// Opens the spool that the options name, if they name one. Limits the size of batches to what it has room for.
    ///
    /// # Errors
    /// [`ErrorKind::File`](crate::ErrorKind::File): the directory cannot be used.
    pub(super) fn open(
        options: &WriteOptions,
        settings: &mut BatchingSettings,
        max_request_bytes: usize,
    ) -> Result<Option<Self>> {
        let Some(spool) = options.spool_options() else { return Ok(None) };
        let queue = DiskQueue::open(
            Arc::new(SystemDisk),
            SpoolSettings {
                directory: spool.path().to_owned(),
                limit: spool.limit_bytes(),
                sync: spool.sync_policy(),
                is_tidy: !spool.is_always(),
            },
        )?;
        settings.max_batch_bytes = settings.max_batch_bytes.min(queue.largest_batch());
        let workers = options.workers();
        let request = max_request_bytes.min(settings.buffer_limit).max(settings.max_batch_bytes);
        let limits = ReadLimits {
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
            reads: Budget::new((workers + 1) * cost(limits)),
            limits,
            accepted: LineCounter::default(),
            in_transit: Arc::default(),
            transfers: Arc::default(),
            impatient: Arc::default(),
            is_resting: AtomicBool::new(false),
            is_closing: AtomicBool::new(false),
            is_in_trouble: AtomicBool::new(false),
            refusal: AtomicU8::new(Refusal::None as u8),
            member: Epoch::start(0),
            times: Mutex::default(),
        }))
    }

    pub(super) fn is_always(&self) -> bool {
        self.is_always
    }

    /// Notes that a batch failed in all its retries. Wakes the calls that wait for the disk to be empty.
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

    fn times(&self) -> MutexGuard<'_, DiskTimes> {
        self.times.lock().unwrap_or_else(PoisonError::into_inner)
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
    /// Begins to send what a process before this one left on the disk.
    ///
    /// # Errors
    /// No thread can be started.
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

    /// Lines that were accepted onto the disk.
    pub(super) fn accepted_on_disk(&self) -> Amount {
        self.spool.as_ref().map_or_else(Amount::default, |spool| spool.accepted.amount())
    }

    pub(super) fn with_spool_stats(&self, stats: WriteStats) -> WriteStats {
        let Some(spool) = &self.spool else { return stats };
        // Read before what is found, so that this is not less than its parts.
        let [found_written, found_rejected, found_failed, found_dropped] =
            [End::Written, End::Rejected, End::Failed, End::Dropped]
                .map(|end| self.accounts.ledger.former(end));
        let Contents { amount, bytes, oldest, found, damaged, errors } = spool.queue.contents();
        let mut found_pending = found;
        for ended in [found_written, found_rejected, found_failed, found_dropped] {
            found_pending.lines = found_pending.lines.saturating_sub(ended.lines);
            found_pending.bytes = found_pending.bytes.saturating_sub(ended.bytes);
        }
        let age = |time| Duration::from_millis(spool::unix_millis().saturating_sub(time));
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

    /// Counts lines that are gone from the disk and will not be sent.
    fn count_lost(&self, lost: LostLines, end: End) {
        let ledger = &self.accounts.ledger;
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

    /// Whether the client has nothing more to do with the disk: it is empty, or nothing is read any more and no batch
    /// of it is leased, so that what was sent is not counted there any more.
    pub(super) fn is_disk_at_rest(&self) -> bool {
        let Some(spool) = &self.spool else { return true };
        let is_moving = spool.in_transit.load(Ordering::SeqCst) > 0;
        let has_begun = self.send_queue.disk_groups() > 0 || !spool.queue.has_no_leases();
        !is_moving && (spool.queue.is_empty() || spool.is_resting() && !has_begun)
    }
}

/// The error of a call that needs a spool.
pub(crate) fn no_spool() -> Error {
    Error::config("the client has no spool: give one with WriteOptions::spool")
}

/// The bytes that one read may take of `reads`.
fn cost(limits: ReadLimits) -> usize {
    limits.bytes + BATCHES_AT_ONCE * BATCH_COST
}

/// The batches of one read whose `BATCH_COST` is counted.
const BATCHES_AT_ONCE: usize = 64;

/// How long the disk is not used after it failed or was full.
const PAUSE: Duration = Duration::from_secs(1);
