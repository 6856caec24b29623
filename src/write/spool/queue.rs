//! The queue on the disk: batches are added at its end, read from its beginning, and gone when they have ended.

use std::io;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Instant;

use super::backlog::Read;
use super::clock::unix_millis;
use super::disk::Disk;
use super::files;
use super::lease::DiskLease;
use super::options::SpoolSync;
use super::reader::{LostLines, QueueReader};
use super::settings::SpoolSettings;
use super::shared_queue::{QueueState, SharedQueue};
use super::writing::{Added, Refused};
use crate::write::amount::Amount;
use crate::write::target::Target;

/// The queue. Clones are handles of the same one; it is closed by [`close`](Self::close) only.
#[derive(Clone, Debug)]
pub(crate) struct DiskQueue(pub(super) Arc<SharedQueue>);

/// What there is.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Contents {
    /// What has not ended.
    pub(crate) amount: Amount,
    pub(crate) bytes: u64,
    /// When the oldest of it was written, in milliseconds since 1970.
    pub(crate) oldest: Option<u64>,
    pub(crate) found: Amount,
    pub(crate) damaged: u64,
    pub(crate) errors: u64,
}

impl DiskQueue {
    pub(super) fn new(disk: Arc<dyn Disk>, settings: SpoolSettings, state: QueueState) -> Self {
        Self(Arc::new(SharedQueue::new(disk, settings, state)))
    }

    /// Adds lines at the end. They are as safe as the settings say when this returns.
    pub(crate) fn add(
        &self,
        target: &Arc<Target>,
        lines: &[u8],
        count: usize,
    ) -> Result<Added, Refused> {
        let mut state = self.0.lock();
        let added = self.0.add(&mut state, target, lines, count)?;
        drop(state);
        match self.0.make_safe(added.next_number) {
            Ok(()) => Ok(added),
            Err(error) => Err(Refused::NotSafe(added, error)),
        }
    }

    /// Adds lines that are being sent already, with a lease, so that they are not read. None, and nothing is added, if
    /// other batches are unread: behind those they would be read and sent once more.
    pub(crate) fn add_read(
        &self,
        target: &Arc<Target>,
        lines: &[u8],
        count: usize,
    ) -> Result<Option<DiskLease>, Refused> {
        let mut state = self.0.lock();
        let time = unix_millis();
        if state.backlog.unread() != Amount::default() {
            return Ok(None);
        }
        let added = self.0.add(&mut state, target, lines, count)?;
        let mut lease = None;
        if let Some((cursor, segment)) = state.backlog.next_to_read() {
            let number = added.next_number - 1;
            let amount = Amount::new(count, lines.len());
            let read = Read { number, amount, time };
            let end = segment.end;
            if state.backlog.read(cursor, end, added.next_number, &[read], None).is_some() {
                lease = Some(DiskLease::new(&self.0, number, false));
            }
        }
        drop(state);
        // If it is not safe there, it is in memory still.
        let _ = self.0.make_safe(added.next_number);
        Ok(lease)
    }

    /// Removes the oldest segment with unread batches, to make room. None if there is none, or if it is the segment
    /// that is being written to and that has room.
    pub(crate) fn drop_oldest(&self) -> Option<LostLines> {
        let mut state = self.0.lock();
        let (number, segment) = state.backlog.oldest_unread()?;
        if segment.is_active {
            self.0.finish_active(&mut state);
        }
        let amount = state.backlog.give_up(number);
        drop(state);
        self.0.clean_up();
        Some(LostLines { amount, is_former: segment.is_former })
    }

    /// Waits until something was removed, or the queue is closed, or it is `deadline`; false if that has passed.
    /// `is_over` is asked before each wait.
    pub(crate) fn wait(
        &self,
        deadline: Option<Instant>,
        mut is_over: impl FnMut(&View<'_>) -> bool,
    ) -> bool {
        let mut state = self.0.lock();
        loop {
            if self.0.is_closed() || is_over(&View(&state, &self.0.settings)) {
                return true;
            }
            let Some(deadline) = deadline else {
                state = self.0.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            let waited = self.0.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Wakes all calls that wait, to check again.
    pub(crate) fn wake_all(&self) {
        drop(self.0.lock());
        self.0.changed.notify_all();
    }

    /// Whether everything has ended.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty.load(Ordering::SeqCst)
    }

    /// Whether there is no lease.
    pub(crate) fn has_no_leases(&self) -> bool {
        Arc::strong_count(&self.0.leases) == 1
    }

    /// The number of the next batch; all batches so far have lower ones.
    pub(crate) fn next_number(&self) -> u64 {
        self.0.lock().next_number
    }

    /// The unread lines, and the number before which every batch was read or given up.
    pub(crate) fn unread(&self) -> (Amount, u64) {
        let state = self.0.lock();
        (state.backlog.unread(), state.backlog.read_number())
    }

    /// The right to read; none while another reader has it.
    pub(crate) fn read(&self) -> Option<QueueReader> {
        QueueReader::take(&self.0)
    }

    /// Whether there is a reader.
    pub(crate) fn is_being_read(&self) -> bool {
        self.0.position.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    /// How many bytes its files may have.
    pub(crate) fn limit(&self) -> u64 {
        self.0.settings.limit
    }

    /// The most bytes that a batch may have.
    pub(crate) fn largest_batch(&self) -> usize {
        usize::try_from(self.0.settings.limit / 4).unwrap_or(usize::MAX)
    }

    pub(crate) fn contents(&self) -> Contents {
        let state = self.0.lock();
        Contents {
            amount: state.backlog.amount(),
            bytes: state.bytes,
            oldest: state.backlog.oldest_time(),
            found: state.found,
            damaged: state.damaged,
            errors: self.0.errors(),
        }
    }

    /// Forces what was written onto stable storage, unless the settings say that nothing is to be.
    pub(crate) fn sync(&self) -> io::Result<()> {
        let number = self.next_number();
        if self.0.settings.sync == SpoolSync::Never { Ok(()) } else { self.0.sync(number) }
    }

    /// Ends the queue: nothing is added, read or removed any more, and the directory's lock is released. Files stay.
    pub(crate) fn close(&self) {
        if self.0.is_closed() {
            return;
        }
        // Removes segments whose lines have all ended, so that the next process does not read them.
        self.0.finish_if_over();
        if let Err(error) = self.sync() {
            self.0.note_error("sync", &error);
        }
        let mut state = self.0.lock();
        self.0.is_closed.store(true, Ordering::SeqCst);
        let (lock, active) = (state.lock.take(), state.active.take());
        drop(state);
        self.0.changed.notify_all();
        self.0.syncing.stop();
        drop((active, lock));
    }
}

/// The queue as it is at one moment.
pub(crate) struct View<'a>(&'a QueueState, &'a SpoolSettings);

impl View<'_> {
    /// Whether everything with a lower number has ended.
    pub(crate) fn has_ended(&self, number: u64) -> bool {
        self.0.backlog.has_ended(number)
    }

    /// Whether `bytes` more bytes of lines for a target fit the limit.
    pub(crate) fn has_room(&self, bytes: usize, target: &Arc<Target>) -> bool {
        self.0.bytes + files::cost(bytes as u64, Some(target)) <= self.1.limit
    }
}
