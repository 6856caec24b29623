//! The queue on the disk: batches are added at its end, read from its beginning, and gone when they have ended.

use std::any::Any;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime};

use super::backlog::{Backlog, Read};
use super::disk::Disk;
use super::files;
use super::options::SpoolSync;
use super::reader::Reader;
use super::syncing::Syncing;
use super::ticket::Ticket;
use super::writing::{Active, Added, Refused};
use crate::write::amount::Amount;
use crate::write::target::Target;

/// The queue. Clones are handles of the same one; it is closed by [`close`](Self::close) only.
#[derive(Clone, Debug)]
pub(crate) struct DiskQueue(pub(super) Arc<Inner>);

/// What a queue is told once.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) directory: PathBuf,
    /// The most bytes that its files may have.
    pub(crate) limit: u64,
    pub(crate) sync: SpoolSync,
    /// Whether files are removed as soon as everything in them has ended, rather than when they are full.
    pub(crate) is_tidy: bool,
}

pub(super) struct Inner {
    pub(super) disk: Arc<dyn Disk>,
    pub(super) settings: Settings,
    pub(super) state: Mutex<State>,
    /// Told when something has ended, was removed, or the queue is closed.
    changed: Condvar,
    /// The one that reads; none while somebody has it.
    pub(super) reader: Mutex<Option<Reader>>,
    pub(super) syncing: Syncing,
    /// Whether nothing is there that has not ended, for those who have no time to ask.
    pub(super) is_empty: AtomicBool,
    pub(super) is_closed: AtomicBool,
    errors: AtomicU64,
    /// Every ticket that somebody holds has a clone.
    pub(super) held_tickets: Arc<()>,
}

pub(super) struct State {
    pub(super) backlog: Backlog,
    /// Kept until the queue is closed.
    pub(super) lock: Option<Box<dyn Any + Send>>,
    /// The segment that batches are added to.
    pub(super) active: Option<Active>,
    pub(super) next_segment: u64,
    pub(super) next_number: u64,
    /// The sum of the sizes of all segments.
    pub(super) bytes: u64,
    /// What was found when the queue was opened.
    pub(super) found: Amount,
    pub(super) damaged: u64,
    pub(super) buffer: Vec<u8>,
}

/// What was thrown away for the limit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dropped {
    pub(crate) amount: Amount,
    /// Whether a process before has left it.
    pub(crate) is_former: bool,
}

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
    pub(super) fn new(disk: Arc<dyn Disk>, settings: Settings, state: State) -> Self {
        let is_empty = state.backlog.amount() == Amount::default();
        Self(Arc::new(Inner {
            disk,
            syncing: Syncing::new(state.next_number),
            settings,
            state: Mutex::new(state),
            changed: Condvar::new(),
            reader: Mutex::new(Some(Reader::default())),
            is_empty: AtomicBool::new(is_empty),
            is_closed: AtomicBool::new(false),
            errors: AtomicU64::new(0),
            held_tickets: Arc::new(()),
        }))
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

    /// Adds lines that somebody is sending already, as if they had been read: nobody else will read them. None if something
    /// is unread, which goes before them; then they are added like others.
    pub(crate) fn add_read(
        &self,
        target: &Arc<Target>,
        lines: &[u8],
        count: usize,
    ) -> Result<Option<Ticket>, Refused> {
        let mut state = self.0.lock();
        let time = now();
        let is_next = state.backlog.unread() == Amount::default();
        let added = self.0.add(&mut state, target, lines, count)?;
        let mut ticket = None;
        if is_next && let Some((cursor, segment)) = state.backlog.next_to_read() {
            let number = added.next_number - 1;
            let amount = Amount::new(count, lines.len());
            let read = Read { number, amount, time };
            let end = segment.end;
            if state.backlog.read(cursor, end, added.next_number, &[read], None).is_some() {
                ticket = Some(Ticket::new(self, number, false));
            }
        }
        drop(state);
        // If it is not safe there, it is in memory still.
        let _ = self.0.make_safe(added.next_number);
        Ok(ticket)
    }

    /// Throws the oldest segment away of which something is unread, so that there is room; none if there is none, or it would
    /// be that which is being written to and has room already.
    pub(crate) fn drop_oldest(&self) -> Option<Dropped> {
        let mut state = self.0.lock();
        let (number, segment) = state.backlog.oldest_unread()?;
        if segment.is_active {
            self.0.finish_active(&mut state);
        }
        let amount = state.backlog.give_up(number);
        drop(state);
        self.0.clean_up();
        Some(Dropped { amount, is_former: segment.is_former })
    }

    /// Waits until something was removed, or the queue is closed, or it is `deadline`; false if that has passed. `is_over` is
    /// asked before each wait.
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

    /// Has everybody who waits look again.
    pub(crate) fn wake_all(&self) {
        drop(self.0.lock());
        self.0.changed.notify_all();
    }

    /// Whether everything has ended.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty.load(Ordering::SeqCst)
    }

    /// Whether nobody has a ticket.
    pub(crate) fn is_untouched(&self) -> bool {
        Arc::strong_count(&self.0.held_tickets) == 1
    }

    /// The number that the next batch gets: everything that is there has a lower one.
    pub(crate) fn next_number(&self) -> u64 {
        self.0.lock().next_number
    }

    /// What is there to be read, and the number that everything before has.
    pub(crate) fn unread(&self) -> (Amount, u64) {
        let state = self.0.lock();
        (state.backlog.unread(), state.backlog.read_number())
    }

    /// Whether somebody reads.
    pub(crate) fn is_being_read(&self) -> bool {
        self.0.reader.lock().unwrap_or_else(PoisonError::into_inner).is_none()
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
            errors: self.0.errors.load(Ordering::Relaxed),
        }
    }

    /// Forces what was written onto stable storage, unless the settings say that nothing is to be.
    pub(crate) fn sync(&self) -> io::Result<()> {
        let number = self.next_number();
        if self.0.settings.sync == SpoolSync::Never { Ok(()) } else { self.0.sync(number) }
    }

    /// Nothing is added, read or removed any more, and the directory is free for the next one. What is there stays.
    pub(crate) fn close(&self) {
        if self.0.is_closed() {
            return;
        }
        // What is over need not be found by the next one.
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
pub(crate) struct View<'a>(&'a State, &'a Settings);

impl View<'_> {
    /// Whether everything with a lower number has ended.
    pub(crate) fn has_ended(&self, number: u64) -> bool {
        self.0.backlog.has_ended(number)
    }

    /// Whether so many more bytes of lines for a target can be added, as far as the limit goes.
    pub(crate) fn has_room(&self, bytes: usize, target: &Arc<Target>) -> bool {
        self.0.bytes + files::cost(bytes as u64, Some(target)) <= self.1.limit
    }
}

impl State {
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

impl Inner {
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::SeqCst)
    }

    /// Counts and logs what the file system refused.
    pub(super) fn note_error(&self, what: &str, error: &io::Error) {
        self.errors.fetch_add(1, Ordering::Relaxed);
        log::error!("spool {}: {what}: {error}", self.settings.directory.display());
    }

    /// Closes the segment that is written to if everything in it has ended, and removes it.
    fn finish_if_over(&self) {
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

    /// Removes what is over. When somebody is told, or the directory is somebody else's, it is gone.
    pub(super) fn clean_up(&self) {
        let mut failures = Vec::new();
        let mut state = self.lock();
        if self.is_closed() {
            return;
        }
        loop {
            let is_small = state.active.as_ref().is_some_and(|active| active.end < SMALL);
            let all = state.active.is_none() || self.settings.is_tidy || !is_small;
            let Some(found) = state.backlog.take_over(all) else { break };
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

    /// Something of a segment cannot be read.
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

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DiskQueue").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// Milliseconds since 1970.
pub(crate) fn now() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// A segment that is smaller is not worth a new one when everything in it has ended.
const SMALL: u64 = 256 << 10;
