//! The open batches of a client, into which the lines of calls are copied under one short lock.

use std::sync::{Arc, MutexGuard};
use std::time::{Duration, Instant};

use crossbeam_channel::Sender;

use super::call_lines::CallLines;
use super::open_batches::OpenBatches;
use super::process_lock::ProcessLock;
use crate::back_off::Random;
use crate::process::Process;
use crate::write::amount::Amount;
use crate::write::batching::accounting::{Epoch, FileTag, Member, Permit};
use crate::write::batching::after;
use crate::write::batching::batch::{
    Accounts, BATCH_COST, BatchKey, BatchMemory, Delivery, OpenBatch, SealedLines, Size,
};
use crate::{Error, Result};

/// The open batches of a client.
///
/// A batch is *sealed* when it is full, as old as the flush interval, or flushed: it becomes a [`Delivery`] and is
/// sent into the client's channel. That is done under the lock, so that batches are in the channel in the order of
/// sealing.
#[derive(Debug)]
pub(crate) struct Accumulator {
    accounts: Arc<Accounts>,
    /// The size at which a batch is sealed.
    full: Size,
    /// A sealed batch waits a random time below this before it is sent.
    jitter: Duration,
    shards: usize,
    state: ProcessLock<OpenState>,
}

#[derive(Debug)]
struct OpenState {
    /// One for each shard.
    open: Box<[OpenBatches]>,
    /// None once the client is closed, and no more lines are taken.
    accepting: Option<Accepting>,
    /// The last epoch, once the client is closed.
    last: Option<Arc<Epoch>>,
    /// All lines that were ever taken.
    accepted: Amount,
    /// How many batches were opened; the last one has this number.
    opened: u64,
    /// The bytes of the last sealed batch and a sixteenth more, which are allocated for the next batch at once.
    usual: usize,
    /// The memory of a batch that has ended, for the next one.
    spare: Option<BatchMemory>,
    random: Random,
}

/// The state while lines are taken.
#[derive(Debug)]
struct Accepting {
    /// The channel of sealed batches.
    sealed: Sender<Delivery>,
    /// The member of the current epoch from which batches get theirs.
    member: Member,
}

/// The lock of the accumulator, held while the lines of one call are copied.
pub(crate) struct Intake<'a> {
    accumulator: &'a Accumulator,
    state: MutexGuard<'a, OpenState>,
    changes: Changes,
}

/// What the caller must do after the lock is released.
#[derive(Debug, Default)]
#[must_use]
pub(crate) struct Changes {
    /// Whether a batch was opened: then the scheduler has to wake the client when it is as old as the flush interval.
    pub(crate) has_opened: bool,
    /// The lines of each batch that was sealed, in order: for each a worker has to be called.
    pub(crate) sealed: Vec<Arc<SealedLines>>,
    /// Permits for memory that was given up. They are released when this is dropped, which wakes calls that wait for
    /// room.
    freed: Vec<Permit>,
}

impl Accumulator {
    pub(crate) fn new(
        accounts: Arc<Accounts>,
        sealed: Sender<Delivery>,
        full: Size,
        jitter: Duration,
        shards: usize,
        process: Process,
    ) -> Self {
        let state = OpenState {
            open: (0..shards).map(|_| OpenBatches::default()).collect(),
            accepting: Some(Accepting { sealed, member: Epoch::start(1) }),
            last: None,
            accepted: Amount::default(),
            opened: 0,
            usual: 0,
            spare: None,
            random: Random::new(),
        };
        Self { accounts, full, jitter, shards, state: ProcessLock::new(state, process) }
    }

    /// How many shards there are, at least one; each has batches of its own.
    pub(crate) fn shards(&self) -> usize {
        self.shards
    }

    /// Copies all lines into the open batch of their target and shard; false, with nothing taken, if there is none,
    /// they would fill it, or there is no room for their bytes. This is the path of nearly all calls: nothing has to
    /// be sealed, and no thread has to be called. False also in a forked child, if that is noticed here.
    pub(crate) fn append(&self, lines: &mut CallLines<'_>, file: Option<&FileTag>) -> bool {
        let Some(mut state) = self.state.lock_own() else { return false };
        let OpenState { open, accepted, accepting: Some(_), .. } = &mut *state else {
            return false;
        };
        let open = &mut open[lines.shard()];
        let Some(open) = open.get(lines.target(), file.map(FileTag::ledger)) else { return false };
        let (left, room) = (lines.left(), open.room(self.full));
        let stays_open = left.lines < room.lines && left.bytes < room.bytes;
        if !stays_open || !open.memory.try_append(lines.rest(), self.full.bytes) {
            return false;
        }
        lines.take(left);
        open.lines += left.lines;
        *accepted += Amount::new(left.lines, left.bytes);
        true
    }

    /// Takes the lock, to copy the lines of a call.
    ///
    /// # Errors
    /// [`ErrorKind::Closed`](crate::ErrorKind::Closed): no more lines are taken.
    pub(crate) fn intake(&self) -> Result<Intake<'_>> {
        let state = self.lock();
        if state.accepting.is_none() {
            return Err(Error::closed());
        }
        Ok(Intake { accumulator: self, state, changes: Changes::default() })
    }

    /// Seals the open batches for which `is_due` is true.
    pub(crate) fn seal_if(&self, is_due: impl Fn(&OpenBatch) -> bool) -> Changes {
        let mut state = self.lock();
        let mut changes = Changes::default();
        self.seal_some(&mut state, is_due, &mut changes);
        changes
    }

    /// When the oldest open batch is as old as `age`; none if no batch is open.
    pub(crate) fn next_of_age(&self, age: Duration) -> Option<Instant> {
        self.oldest_since().map(|since| after(since, age))
    }

    /// When the oldest open batch was opened; none if no batch is open.
    pub(crate) fn oldest_since(&self) -> Option<Instant> {
        let state = self.lock();
        let open = state.open.iter().flat_map(OpenBatches::iter);
        open.map(|open| open.since).min()
    }

    /// Seals all open batches and starts the next epoch. The epoch that is returned is over when all lines that were
    /// accepted before have ended. None if the client is closed.
    pub(crate) fn turn_over(&self) -> Option<(Arc<Epoch>, Changes)> {
        let mut state = self.lock();
        let mut changes = Changes::default();
        self.seal_some(&mut state, |_| true, &mut changes);
        let member = state.accepting.as_mut()?.member.turn_over();
        drop(state);
        Some((member.epoch().clone(), changes))
    }

    /// Seals all open batches; no more lines are taken from here on. The epoch is over when all lines that were ever
    /// accepted have ended. May be called again, and returns the same epoch then.
    pub(crate) fn close(&self) -> (Arc<Epoch>, Changes) {
        let mut state = self.lock();
        let mut changes = Changes::default();
        self.seal_some(&mut state, |_| true, &mut changes);
        let unused = (state.accepting.take(), state.spare.take());
        let last = match (&state.last, &unused.0) {
            (Some(last), _) => last.clone(),
            (None, Some(accepting)) => accepting.member.epoch().clone(),
            // Cannot be: `accepting` is taken here only, and `last` is set then. An epoch that is over waits for
            // nothing.
            (None, None) => Epoch::start(0).epoch().clone(),
        };
        state.last = Some(last.clone());
        drop(state);
        drop(unused);
        (last, changes)
    }

    /// Frees the memory of open batches that no line fills, and what is kept for the next batch.
    pub(crate) fn trim(&self) {
        let mut state = self.lock();
        let freed: Vec<_> = state.open.iter_mut().map(OpenBatches::trim).collect();
        let freed = (freed, state.spare.take());
        drop(state);
        drop(freed);
    }

    /// Keeps the memory of a batch that has ended for the next one, if it is more than what is kept already; frees the
    /// smaller one. Of a closed client, frees it.
    pub(crate) fn recycle(&self, memory: BatchMemory) {
        let mut state = self.lock();
        let kept = state.spare.as_ref().map_or(0, BatchMemory::capacity);
        let useless = if kept < memory.capacity() && state.accepting.is_some() {
            state.spare.replace(memory)
        } else {
            Some(memory)
        };
        drop(state);
        drop(useless);
    }

    /// The number of the oldest open batch of no file; none if there is none.
    pub(crate) fn oldest(&self) -> Option<u64> {
        let state = self.lock();
        let open = state.open.iter().flat_map(OpenBatches::iter);
        let open = open.filter(|open| open.key.file.is_none());
        open.map(|open| open.number).min()
    }

    /// Takes out the open batch of this number, as a delivery that is not in the channel; none if it is not open any
    /// more.
    pub(crate) fn take(&self, number: u64) -> Option<Delivery> {
        let mut state = self.lock();
        let mut shards = state.open.iter_mut();
        let open = shards.find_map(|open| open.take_if(|open| open.number == number).pop())?;
        let mut changes = Changes::default();
        let delivery = self.deliver(&mut state, open, &mut changes);
        drop(state);
        Some(delivery)
    }

    /// Counts lines as accepted that are in no batch, as they are dropped at once.
    ///
    /// # Errors
    /// [`ErrorKind::Closed`](crate::ErrorKind::Closed): no more lines are taken.
    pub(crate) fn count_accepted(&self, amount: Amount) -> Result<()> {
        let mut state = self.lock();
        if state.accepting.is_none() {
            return Err(Error::closed());
        }
        state.accepted += amount;
        Ok(())
    }

    /// All lines that were ever taken.
    pub(crate) fn accepted(&self) -> Amount {
        self.lock().accepted
    }

    fn seal_some(
        &self,
        state: &mut OpenState,
        is_due: impl Fn(&OpenBatch) -> bool,
        changes: &mut Changes,
    ) {
        let shards = state.open.iter_mut();
        let mut due: Vec<_> = shards.flat_map(|open| open.take_if(&is_due)).collect();
        // By number, which is the order of acceptance, across shards.
        due.sort_by_key(|open| open.number);
        for open in due {
            self.seal(state, open, changes);
        }
    }

    fn seal(&self, state: &mut OpenState, open: OpenBatch, changes: &mut Changes) {
        let delivery = self.deliver(state, open, changes);
        changes.sealed.push(delivery.sealed().clone());
        if let Some(Accepting { sealed, .. }) = &state.accepting {
            // The send queue has the receiver as long as the client exists. If sending failed all the same, the
            // delivery would be dropped here, which ends it as failed.
            let _ = sealed.send(delivery);
        }
    }

    /// Makes an open batch a delivery. Frees memory that it does not fill if that is more than a quarter of its lines.
    fn deliver(
        &self,
        state: &mut OpenState,
        mut open: OpenBatch,
        changes: &mut Changes,
    ) -> Delivery {
        let used = open.memory.len();
        state.usual = used + used / 16;
        if open.memory.capacity() - used > used / 4 {
            changes.freed.push(open.memory.trim());
        }
        let jitter = state.random.below(self.jitter);
        let not_before = (!jitter.is_zero()).then(|| after(Instant::now(), jitter));
        Delivery::new(&self.accounts, open, not_before)
    }

    fn lock(&self) -> MutexGuard<'_, OpenState> {
        self.state.lock()
    }
}

impl Intake<'_> {
    /// Whether all lines fit into one batch, so that [`take`](Self::take) need not know where they end.
    pub(crate) fn fits(&mut self, lines: &CallLines<'_>, file: Option<&FileTag>) -> bool {
        let full = self.accumulator.full;
        let open = &mut self.state.open[lines.shard()];
        let open = open.get(lines.target(), file.map(FileTag::ledger));
        let room = open.map_or(full, |open| open.room(full));
        let left = lines.left();
        left.lines <= room.lines && left.bytes <= room.bytes
    }

    /// Copies the next `count` lines into batches, and seals those that get full. What the lines need is split off
    /// `permit`, which must have as much as `Batcher::cost` says. Lines that do not [fit](Self::fits) must be
    /// [indexed](CallLines::index).
    pub(crate) fn take(
        &mut self,
        lines: &mut CallLines<'_>,
        count: usize,
        file: Option<&FileTag>,
        permit: &mut Permit,
    ) {
        let full = self.accumulator.full;
        let mut left = count;
        while left > 0 {
            let (shard, ledger) = (lines.shard(), file.map(FileTag::ledger));
            if self.state.open[shard].get(lines.target(), ledger).is_none() {
                self.open(lines, file, permit);
            }
            let Some(open) = self.state.open[shard].get(lines.target(), ledger) else {
                return;
            };
            let mut room = open.room(full);
            room.lines = room.lines.min(left);
            // A line that is larger than a batch may be is a batch by itself.
            let size = match open.lines {
                0 => lines.fitting_or_one(room),
                _ => lines.fitting(room),
            };
            if size.lines == 0 && open.lines == 0 {
                debug_assert!(false, "lines that do not fit have to be indexed first");
                return;
            }
            open.memory.append(lines.take(size), full.bytes, permit);
            open.lines += size.lines;
            left -= size.lines;
            let room = open.room(full);
            self.state.accepted += Amount::new(size.lines, size.bytes);
            if (size.lines == 0 || room.lines == 0 || room.bytes == 0)
                && let Some(open) = self.state.open[shard].take_current()
            {
                self.accumulator.seal(&mut self.state, open, &mut self.changes);
            }
        }
    }

    /// Releases the lock.
    pub(crate) fn end(self) -> Changes {
        let Self { state, changes, .. } = self;
        drop(state);
        changes
    }

    fn open(&mut self, lines: &CallLines<'_>, file: Option<&FileTag>, permit: &mut Permit) {
        let (target, shard) = (lines.target(), lines.shard());
        let state = &mut *self.state;
        let Some(Accepting { member, .. }) = &state.accepting else { return };
        let own = permit.split(BATCH_COST);
        // Where several batches are open, memory is allocated when it is needed, as each may stay small.
        let usual = if state.open[shard].is_empty() { state.usual } else { 0 };
        let usual = usual.min(self.accumulator.full.bytes).next_multiple_of(STEP);
        let memory = match state.spare.take_if(|spare| spare.capacity() >= usual) {
            Some(mut spare) => {
                // The spare memory has a permit for a batch already.
                permit.merge(own);
                spare.clear();
                spare
            }
            None => {
                let mut memory = BatchMemory::new(own);
                if usual > 0 {
                    // The spare memory is too small. Growing it would copy its old contents, so it is freed.
                    self.changes.freed.extend(state.spare.take().map(|spare| spare.into_parts().1));
                    memory.prepare(usual);
                }
                memory
            }
        };
        state.opened += 1;
        state.open[shard].insert(OpenBatch {
            shard,
            key: BatchKey { target: target.clone(), file: file.map(|file| file.ledger().clone()) },
            number: state.opened,
            since: Instant::now(),
            memory,
            lines: 0,
            member: member.clone(),
            file_member: file.map(|file| file.member().clone()),
        });
        self.changes.has_opened = true;
    }
}

/// Batches get memory in multiples of this many bytes, so that the allocator can reuse freed memory of the same size.
const STEP: usize = 1 << 10;
