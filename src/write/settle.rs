//! How lines end: what is counted, who is told, and what is kept for the next call if nobody is.

use std::sync::Arc;

use super::batcher::{Batcher, State};
use super::contain::{call_back, contain, log_error};
use super::lane::Job;
use super::options::Callbacks;
use super::stats::{Amount, End};
use super::target::Target;
use crate::{Batch, Error, ErrorKind, LineError, Result};

/// What failed and was not told to anybody yet: the first error, and the lines of all.
#[derive(Debug)]
pub(super) struct Trouble {
    error: Error,
    unsent: Vec<Arc<Batch>>,
    /// What the lines take of the buffer.
    cost: usize,
    /// Whether a callback knows all of it, and only a group waits for it.
    is_told: bool,
}

/// What a job came to.
pub(super) struct Settlement {
    pub(super) ends: [(End, Amount); 2],
    /// What the success callback is told.
    pub(super) good: Option<Arc<Batch>>,
    /// What the error callback is told, or whoever calls next.
    pub(super) bad: Option<Bad>,
}

pub(super) struct Bad {
    pub(super) batch: Arc<Batch>,
    pub(super) error: Error,
    /// Whether the lines can be of use to the caller. Those that the server refuses are in the error already.
    pub(super) can_be_sent_again: bool,
}

impl Batcher {
    /// Ends a job: counts its lines, calls back, frees its memory.
    pub(super) fn settle(self: &Arc<Self>, mut job: Job, settlement: Settlement) {
        let Settlement { ends, good, bad } = settlement;
        let mut state = self.lock();
        let Some(flight) = state.flights.iter_mut().find(|flight| flight.id == job.id) else {
            // The client was closed meanwhile, and its lines were handed back.
            return;
        };
        flight.is_settled = true;
        for (end, amount) in ends {
            state.stats.settle(end, amount);
            if end == End::Written && amount.lines > 0 {
                state.stats.batches += 1;
                state.last_error = None;
                state.is_dropping = false;
                if let Some(group) = job.group.and_then(|group| state.groups.get_mut(&group)) {
                    group.written += amount;
                    group.batches += 1;
                }
            }
        }
        let callbacks = state.callbacks.clone();
        drop(state);

        if let (Some(batch), Some(callback)) = (&good, &callbacks.success) {
            self.call("success", || callback(batch));
        }
        drop(good);
        let told = bad.as_ref().is_none_or(|bad| self.tell(&callbacks, &bad.batch, &bad.error));
        self.release(callbacks);

        let mut state = self.lock();
        state.flights.retain(|flight| flight.id != job.id);
        let cost = job.unpack();
        state.memory.give_back(job.cost + cost);
        let is_awaited = job.group.is_some_and(|group| state.groups.contains_key(&group));
        if let Some(Bad { batch, error, can_be_sent_again }) = bad.filter(|_| !told || is_awaited) {
            let kept = can_be_sent_again.then_some((batch, job.cost));
            state.add_trouble(job.group, error, kept, told);
        }
        self.settle_piece(&mut state, job.number, job.group);
        state.lane.release();
        self.recycle(&mut state, job.batch);
        self.go_on(state);
    }

    /// Calls the error callback; says whether it took the error.
    pub(super) fn tell(&self, callbacks: &Callbacks, batch: &Batch, error: &Error) -> bool {
        match &callbacks.error {
            Some(callback) => self.call("error", || callback(batch, error)),
            None => false,
        }
    }

    /// Calls a callback; says whether it came through.
    pub(super) fn call(&self, name: &str, callback: impl FnOnce()) -> bool {
        match call_back(self.scheduler_id, callback) {
            Ok(()) => true,
            Err(panic) => {
                log_error(format_args!("the {name} callback panicked: {panic}"));
                self.lock().stats.callback_panics += 1;
                false
            }
        }
    }
}

impl Batcher {
    /// Drops callbacks. They may be the last ones, and what they own may be anything, so no lock may be held.
    pub(super) fn release(&self, callbacks: Arc<Callbacks>) {
        if let Err(panic) = contain(|| drop(callbacks)) {
            log_error(format_args!("what a callback owned panicked when it was dropped: {panic}"));
        }
    }

    /// Fails with what went wrong before, if that was not told yet.
    pub(super) fn take_trouble(&self, state: &mut State, group: Option<u64>) -> Result<()> {
        let result = state.take_trouble(group);
        if result.is_err() {
            // There is more room now.
            self.room.notify_all();
        }
        result
    }
}

impl State {
    /// Keeps an error, and the lines that it is about, for the next call (of `group`, if there is one). For the lines
    /// there must be room.
    pub(super) fn add_trouble(
        &mut self,
        group: Option<u64>,
        mut error: Error,
        kept: Option<(Arc<Batch>, usize)>,
        is_told: bool,
    ) {
        let line_errors = error.take_line_errors();
        let wanted = kept.as_ref().map_or(0, |(_, cost)| *cost);
        self.make_room(wanted + line_errors.iter().map(size_of_line_error).sum::<usize>());
        let slot = match group.and_then(|group| self.groups.get_mut(&group)) {
            Some(group) => &mut group.trouble,
            None => &mut self.trouble,
        };
        let trouble = slot.get_or_insert_with(|| Trouble {
            error,
            unsent: Vec::new(),
            cost: 0,
            is_told: true,
        });
        trouble.is_told &= is_told;
        if let Some((batch, cost)) = kept {
            trouble.unsent.push(batch);
            trouble.cost += cost;
            self.memory.take(cost);
        }
        // What is wrong with each line is kept as far as there is room for it.
        let mut room = self.memory.free();
        let kept = line_errors.into_iter().take_while(|line| {
            let size = size_of_line_error(line);
            let fits = size <= room;
            room = room.saturating_sub(size);
            fits
        });
        let kept: Vec<_> = kept.collect();
        let cost: usize = kept.iter().map(size_of_line_error).sum();
        trouble.error.add_line_errors(kept);
        trouble.cost += cost;
        self.memory.take(cost);
    }

    /// What nobody asked a group for is for the next call of its client, unless a callback was told.
    pub(super) fn pass_trouble_on(&mut self, group: u64) {
        let Some(mut trouble) = self.groups.get_mut(&group).and_then(|group| group.trouble.take())
        else {
            return;
        };
        if trouble.is_told {
            self.memory.give_back(trouble.cost);
        } else if let Some(own) = &mut self.trouble {
            own.error.add_line_errors(trouble.error.take_line_errors());
            own.unsent.append(&mut trouble.unsent);
            own.cost += trouble.cost;
        } else {
            self.trouble = Some(trouble);
        }
    }

    /// Whether something went wrong before that the next call is told.
    pub(super) fn has_trouble(&self, group: Option<u64>) -> bool {
        match group.and_then(|group| self.groups.get(&group)) {
            Some(group) => group.trouble.is_some(),
            None => self.trouble.is_some(),
        }
    }

    /// What the lines that nobody has asked for yet take of the buffer.
    pub(super) fn cost_of_trouble(&self) -> usize {
        let groups = self.groups.values().filter_map(|group| group.trouble.as_ref());
        groups.chain(&self.trouble).map(|trouble| trouble.cost).sum()
    }

    /// Keeps lines that could not be sent in time for whoever closed the client; `reason` is taken if there was no
    /// trouble before.
    pub(super) fn add_unsent(&mut self, reason: &mut Option<Error>, batch: Arc<Batch>) {
        if let Some(trouble) = &mut self.trouble {
            trouble.unsent.push(batch);
        } else if let Some(error) = reason.take() {
            self.trouble = Some(Trouble { error, unsent: vec![batch], cost: 0, is_told: false });
        }
    }

    fn take_trouble(&mut self, group: Option<u64>) -> Result<()> {
        let slot = match group.and_then(|group| self.groups.get_mut(&group)) {
            Some(group) => &mut group.trouble,
            None => &mut self.trouble,
        };
        let Some(Trouble { mut error, unsent, cost, .. }) = slot.take() else { return Ok(()) };
        self.memory.give_back(cost);
        error.add_unsent(unsent.into_iter().map(Arc::unwrap_or_clone));
        Err(error)
    }
}

fn size_of_line_error(error: &LineError) -> usize {
    size_of::<LineError>() + error.message().len() + error.line().map_or(0, str::len)
}

/// Lines that were thrown away by one call.
#[derive(Debug, Default)]
pub(super) struct Losses {
    batches: Vec<Arc<Batch>>,
    lines: usize,
}

/// Losses, and who is to be told.
pub(super) struct LossReport {
    losses: Losses,
    callbacks: Option<Arc<Callbacks>>,
    is_news: bool,
}

impl Losses {
    pub(super) fn add(&mut self, target: &Target, bytes: &[u8], lines: usize) {
        if lines > 0 {
            self.add_batch(Arc::new(target.batch(bytes.to_vec(), lines)));
        }
    }

    pub(super) fn add_batch(&mut self, batch: Arc<Batch>) {
        self.lines += batch.lines;
        self.batches.push(batch);
    }

    /// A callback that loses lines is not called for these: it would lose more.
    pub(super) fn prepare(self, state: &mut State, is_inside: bool) -> LossReport {
        let is_news = self.lines > 0 && !std::mem::replace(&mut state.is_dropping, true);
        let callbacks = (!is_inside && self.lines > 0).then(|| state.callbacks.clone());
        LossReport { losses: self, callbacks, is_news }
    }
}

impl LossReport {
    pub(super) fn deliver(self, batcher: &Batcher) {
        let Self { losses, callbacks, is_news } = self;
        if is_news {
            log::warn!("the buffer is full and lines are dropped, {} of them so far", losses.lines);
        }
        let Some(callbacks) = callbacks else { return };
        if callbacks.error.is_some() {
            let error = Error::new(
                ErrorKind::BufferFull,
                "dropped, as there was no room in the buffer (buffer_limit)",
            );
            for batch in losses.batches {
                batcher.tell(&callbacks, &batch, &error);
            }
        }
        batcher.release(callbacks);
    }
}
