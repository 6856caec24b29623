//! Where lines become batches: a comparison and a copy behind one short lock.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_channel::Sender;

use super::after;
use super::body::Body;
use super::budget::Permit;
use super::call_lines::{CallLines, Size};
use super::delivery::Delivery;
use super::epoch::{Epoch, Member};
use super::file_ledger::FileTag;
use super::open_batches::{BatchMemory, Key, OpenBatch, OpenBatches};
use super::retry::Random;
use super::shared::{BATCH_COST, Shared};
use crate::write::amount::Amount;
use crate::{Error, Result};

/// The open batches of a client.
///
/// A batch that is full or of age is sealed and sent into the client's channel under the lock, so that the order of
/// sealing is the order of the channel.
#[derive(Debug)]
pub(super) struct Accumulator {
    shared: Arc<Shared>,
    /// The size at which a batch is full.
    full: Size,
    jitter: Duration,
    shards: usize,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// One for each shard.
    open: Box<[OpenBatches]>,
    /// None once no more lines are taken.
    way_out: Option<WayOut>,
    /// The epoch that was the last one when lines were taken no more.
    last: Option<Arc<Epoch>>,
    accepted: Amount,
    /// How many batches were opened.
    opened: u64,
    /// How large batches get, which is what the next one is given.
    usual: usize,
    /// What a batch left behind, for the next one.
    spare: Option<BatchMemory>,
    random: Random,
}

/// What a batch needs to be opened and sealed.
#[derive(Debug)]
struct WayOut {
    sealed: Sender<Delivery>,
    member: Member,
}

/// The lock, for as long as it takes to copy the lines of one call.
pub(super) struct Intake<'a> {
    accumulator: &'a Accumulator,
    state: MutexGuard<'a, State>,
    changes: Changes,
}

/// What there is to do once the lock is open again.
#[derive(Debug, Default)]
#[must_use]
pub(super) struct Changes {
    /// Whether a batch was opened, which is to be sealed at its age.
    pub(super) has_opened: bool,
    /// What was sealed, in order.
    pub(super) sealed: Vec<Arc<Body>>,
    /// What is not needed any more, and is given back when this is dropped.
    freed: Vec<Permit>,
}

impl Accumulator {
    pub(super) fn new(
        shared: Arc<Shared>,
        sealed: Sender<Delivery>,
        full: Size,
        jitter: Duration,
        shards: usize,
    ) -> Self {
        let state = State {
            open: (0..shards).map(|_| OpenBatches::default()).collect(),
            way_out: Some(WayOut { sealed, member: Epoch::start(1) }),
            last: None,
            accepted: Amount::default(),
            opened: 0,
            usual: 0,
            spare: None,
            random: Random::new(),
        };
        Self { shared, full, jitter, shards, state: Mutex::new(state) }
    }

    /// How many shards there are; each has batches of its own.
    pub(super) fn shards(&self) -> usize {
        self.shards
    }

    /// Copies all lines into the batch that is open, if they leave it open and there is memory. This is how nearly all
    /// lines are taken.
    pub(super) fn append(&self, lines: &mut CallLines<'_>, file: Option<&FileTag>) -> bool {
        let mut state = self.lock();
        let State { open, accepted, way_out: Some(_), .. } = &mut *state else { return false };
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

    /// Takes the lock for a call.
    ///
    /// # Errors
    /// [`ErrorKind::Closed`](crate::ErrorKind::Closed): no more lines are taken.
    pub(super) fn intake(&self) -> Result<Intake<'_>> {
        let state = self.lock();
        if state.way_out.is_none() {
            return Err(Error::closed());
        }
        Ok(Intake { accumulator: self, state, changes: Changes::default() })
    }

    /// Seals the batches that `is_due` names.
    pub(super) fn seal_if(&self, is_due: impl Fn(&OpenBatch) -> bool) -> Changes {
        let mut state = self.lock();
        let mut changes = Changes::default();
        self.seal_some(&mut state, is_due, &mut changes);
        changes
    }

    /// When the oldest open batch reaches `age`.
    pub(super) fn next_of_age(&self, age: Duration) -> Option<Instant> {
        self.oldest_since().map(|since| after(since, age))
    }

    /// When the oldest open batch was begun.
    pub(super) fn oldest_since(&self) -> Option<Instant> {
        let state = self.lock();
        let open = state.open.iter().flat_map(OpenBatches::iter);
        open.map(|open| open.since).min()
    }

    /// Seals everything, and starts the next epoch: the one that is returned is over when all that was accepted before has
    /// ended. None if no more lines are taken.
    pub(super) fn turn_over(&self) -> Option<(Arc<Epoch>, Changes)> {
        let mut state = self.lock();
        let mut changes = Changes::default();
        self.seal_some(&mut state, |_| true, &mut changes);
        let member = state.way_out.as_mut()?.member.turn_over();
        drop(state);
        Some((member.epoch().clone(), changes))
    }

    /// Seals everything, and takes no more lines. The epoch is over when all that was ever accepted has ended.
    pub(super) fn close(&self) -> (Arc<Epoch>, Changes) {
        let mut state = self.lock();
        let mut changes = Changes::default();
        self.seal_some(&mut state, |_| true, &mut changes);
        let unused = (state.way_out.take(), state.spare.take());
        let last = match (&state.last, &unused.0) {
            (Some(last), _) => last.clone(),
            (None, Some(way_out)) => way_out.member.epoch().clone(),
            // The one that is taken leaves the other, here and nowhere else.
            (None, None) => Epoch::start(0).epoch().clone(),
        };
        state.last = Some(last.clone());
        drop(state);
        drop(unused);
        (last, changes)
    }

    /// Gives up memory that no line fills.
    pub(super) fn trim(&self) {
        let mut state = self.lock();
        let freed: Vec<_> = state.open.iter_mut().map(OpenBatches::trim).collect();
        let freed = (freed, state.spare.take());
        drop(state);
        drop(freed);
    }

    /// Keeps the memory of a batch that has ended for the next one, if it is more than what is kept already.
    pub(super) fn recycle(&self, memory: BatchMemory) {
        let mut state = self.lock();
        let kept = state.spare.as_ref().map_or(0, BatchMemory::capacity);
        let useless = if kept < memory.capacity() && state.way_out.is_some() {
            state.spare.replace(memory)
        } else {
            Some(memory)
        };
        drop(state);
        drop(useless);
    }

    /// The number of the oldest open batch, those of files left out.
    pub(super) fn oldest(&self) -> Option<u64> {
        let state = self.lock();
        let open = state.open.iter().flat_map(OpenBatches::iter);
        let open = open.filter(|open| open.key.file.is_none());
        open.map(|open| open.number).min()
    }

    /// Takes out an open batch.
    pub(super) fn take(&self, number: u64) -> Option<Delivery> {
        let mut state = self.lock();
        let mut shards = state.open.iter_mut();
        let open = shards.find_map(|open| open.take_if(|open| open.number == number).pop())?;
        let mut changes = Changes::default();
        let delivery = self.deliver(&mut state, open, &mut changes);
        drop(state);
        Some(delivery)
    }

    /// Counts lines as accepted that are dropped at once.
    ///
    /// # Errors
    /// [`ErrorKind::Closed`](crate::ErrorKind::Closed): no more lines are taken.
    pub(super) fn count_accepted(&self, amount: Amount) -> Result<()> {
        let mut state = self.lock();
        if state.way_out.is_none() {
            return Err(Error::closed());
        }
        state.accepted += amount;
        Ok(())
    }

    pub(super) fn accepted(&self) -> Amount {
        self.lock().accepted
    }

    fn seal_some(
        &self,
        state: &mut State,
        is_due: impl Fn(&OpenBatch) -> bool,
        changes: &mut Changes,
    ) {
        let shards = state.open.iter_mut();
        let mut due: Vec<_> = shards.flat_map(|open| open.take_if(&is_due)).collect();
        // In the order in which they were opened, whatever their shards.
        due.sort_by_key(|open| open.number);
        for open in due {
            self.seal(state, open, changes);
        }
    }

    fn seal(&self, state: &mut State, open: OpenBatch, changes: &mut Changes) {
        let delivery = self.deliver(state, open, changes);
        changes.sealed.push(delivery.body().clone());
        if let Some(WayOut { sealed, .. }) = &state.way_out {
            // The lane has the other end for as long as the client is there. If it is not, the delivery ends here.
            let _ = sealed.send(delivery);
        }
    }

    fn deliver(&self, state: &mut State, mut open: OpenBatch, changes: &mut Changes) -> Delivery {
        let used = open.memory.len();
        state.usual = used + used / 16;
        if open.memory.capacity() - used > used / 4 {
            changes.freed.push(open.memory.trim());
        }
        let jitter = state.random.below(self.jitter);
        let not_before = (!jitter.is_zero()).then(|| after(Instant::now(), jitter));
        Delivery::new(&self.shared, open, not_before)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Intake<'_> {
    /// Whether [`take`](Self::take) can take all lines without knowing where they end.
    pub(super) fn fits(&mut self, lines: &CallLines<'_>, file: Option<&FileTag>) -> bool {
        let full = self.accumulator.full;
        let open = &mut self.state.open[lines.shard()];
        let open = open.get(lines.target(), file.map(FileTag::ledger));
        let room = open.map_or(full, |open| open.room(full));
        let left = lines.left();
        left.lines <= room.lines && left.bytes <= room.bytes
    }

    /// Copies the next `count` lines into batches. `permit` has enough for them, and is used up as far as it is needed.
    pub(super) fn take(
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
            // A single line may be larger than a batch.
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

    /// Opens the lock.
    pub(super) fn end(self) -> Changes {
        let Self { state, changes, .. } = self;
        drop(state);
        changes
    }

    fn open(&mut self, lines: &CallLines<'_>, file: Option<&FileTag>, permit: &mut Permit) {
        let (target, shard) = (lines.target(), lines.shard());
        let state = &mut *self.state;
        let Some(WayOut { member, .. }) = &state.way_out else { return };
        let own = permit.split(BATCH_COST);
        // One of many that are open at the same time may well stay small.
        let usual = if state.open[shard].is_empty() { state.usual } else { 0 };
        let usual = usual.min(self.accumulator.full.bytes).next_multiple_of(STEP);
        let memory = match state.spare.take_if(|spare| spare.capacity() >= usual) {
            Some(mut spare) => {
                // It has a permit of its own for what a batch takes.
                permit.merge(own);
                spare.clear();
                spare
            }
            None => {
                let mut memory = BatchMemory::new(own);
                if usual > 0 {
                    // Growing the spare memory would copy what is of no use any more.
                    self.changes.freed.extend(state.spare.take().map(|spare| spare.into_parts().1));
                    memory.prepare(usual);
                }
                memory
            }
        };
        state.opened += 1;
        state.open[shard].insert(OpenBatch {
            shard,
            key: Key { target: target.clone(), file: file.map(|file| file.ledger().clone()) },
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

/// Batches get memory in multiples of this, so that the allocator can use that of batches before.
const STEP: usize = 1 << 10;
