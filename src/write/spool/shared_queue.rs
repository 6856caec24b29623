//! What the handles, the leases and the reader of one queue on the disk share.

use std::any::Any;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::active_segment::ActiveSegment;
use super::backlog::Backlog;
use super::disk::Disk;
use super::files;
use super::read_position::ReadPosition;
use super::settings::SpoolSettings;
use super::syncing::Syncing;
use crate::write::amount::Amount;

pub(super) struct SharedQueue {
    pub(super) disk: Arc<dyn Disk>,
    pub(super) settings: SpoolSettings,
    state: Mutex<QueueState>,
    /// Notified when something has ended, was removed, or the queue is closed.
    pub(super) changed: Condvar,
    /// How far the queue was read; none while there is a reader.
    pub(super) position: Mutex<Option<ReadPosition>>,
    pub(super) syncing: Syncing,
    /// Whether everything has ended, to be read without the lock.
    pub(super) is_empty: AtomicBool,
    /// From then on nothing is added, read or removed.
    pub(super) is_closed: AtomicBool,
    /// How many operations of the file system failed.
    errors: AtomicU64,
    /// Each lease has a clone, so that the reference count is the number of leases.
    pub(super) leases: Arc<()>,
}

/// What changes, under one lock.
pub(super) struct QueueState {
    pub(super) backlog: Backlog,
    /// The lock of the directory, kept until the queue is closed.
    pub(super) lock: Option<Box<dyn Any + Send>>,
    /// The segment that batches are added to; none before the first one, and when the last one is full.
    pub(super) active: Option<ActiveSegment>,
    pub(super) next_segment: u64,
    /// The number that the next batch gets.
    pub(super) next_number: u64,
    /// The sum of the sizes of all segments.
    pub(super) bytes: u64,
    /// What was found when the queue was opened.
    pub(super) found: Amount,
    /// How many segments are, or will be, set aside as damaged.
    pub(super) damaged: u64,
    /// Where batches are put together before they are written.
    pub(super) buffer: Vec<u8>,
}

impl QueueState {
    pub(super) fn new(lock: Box<dyn Any + Send>) -> Self {
        Self {
            backlog: Backlog::default(),
            lock: Some(lock),
            active: None,
            next_segment: 1,
            next_number: 1,
            bytes: 0,
            found: Amount::default(),
            damaged: 0,
            buffer: Vec::new(),
        }
    }
}

impl SharedQueue {
    pub(super) fn new(disk: Arc<dyn Disk>, settings: SpoolSettings, state: QueueState) -> Self {
        let is_empty = state.backlog.amount() == Amount::default();
        Self {
            disk,
            syncing: Syncing::new(state.next_number),
            settings,
            state: Mutex::new(state),
            changed: Condvar::new(),
            position: Mutex::new(Some(ReadPosition::default())),
            is_empty: AtomicBool::new(is_empty),
            is_closed: AtomicBool::new(false),
            errors: AtomicU64::new(0),
            leases: Arc::new(()),
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, QueueState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::SeqCst)
    }

    /// Counts and logs what the file system refused. `what` says what was to be done.
    pub(super) fn note_error(&self, what: &str, error: &io::Error) {
        self.errors.fetch_add(1, Ordering::Relaxed);
        log::error!("spool {}: {what}: {error}", self.settings.directory.display());
    }

    pub(super) fn errors(&self) -> u64 {
        self.errors.load(Ordering::Relaxed)
    }

    /// Closes the segment that is written to if everything in it has ended, and removes it.
    pub(super) fn finish_if_over(&self) {
        let mut state = self.lock();
        if state.backlog.amount() == Amount::default() {
            state.active = None;
        }
        drop(state);
        self.clean_up();
    }

    /// What was read under this number has ended.
    pub(super) fn end(&self, number: u64) {
        if self.is_closed() {
            return;
        }
        self.lock().backlog.end(number);
        self.clean_up();
    }

    /// Removes the segments in which everything has ended. They are gone before waiting calls are notified, and before
    /// another client can open the directory, as both take the lock.
    pub(super) fn clean_up(&self) {
        let mut failures = Vec::new();
        let mut state = self.lock();
        if self.is_closed() {
            return;
        }
        loop {
            let is_small = state.active.as_ref().is_some_and(|active| active.end < SMALL);
            let all = state.active.is_none() || self.settings.is_tidy || !is_small;
            let Some(found) = state.backlog.take_finished(all) else { break };
            state.active.take_if(|active| active.segment == found.segment);
            state.bytes -= found.bytes;
            let result = if found.is_damaged {
                files::set_aside(self.disk.as_ref(), &self.settings.directory, found.segment)
            } else {
                files::remove(self.disk.as_ref(), &self.settings.directory, found.segment)
            };
            failures.extend(result.err());
        }
        self.is_empty.store(state.backlog.amount() == Amount::default(), Ordering::SeqCst);
        drop(state);
        self.changed.notify_all();
        for error in failures {
            self.note_error("a file that is not needed any more cannot be removed", &error);
        }
    }

    /// Something of a segment cannot be read: it will be set aside, and is counted and logged once.
    pub(super) fn note_damage(&self, segment: u64) {
        let mut state = self.lock();
        if state.backlog.get(segment).is_some_and(|found| !found.is_damaged) {
            state.backlog.set_damaged(segment);
            state.damaged += 1;
            drop(state);
            log::error!(
                "spool {}: {} is damaged; its good batches are sent, and it is kept with the ending .bad",
                self.settings.directory.display(),
                files::name(segment)
            );
        }
    }
}

impl std::fmt::Debug for SharedQueue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DiskQueue").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// A segment that is smaller is not worth a new one when everything in it has ended.
const SMALL: u64 = 256 << 10;
