//! Batches of one call that are settled together, such as those of a file.

use std::sync::{Arc, PoisonError};

use super::batcher::{Batcher, State, closed};
use super::close::Phase;
use super::open::{OpenBatches, Part};
use super::settle::Trouble;
use super::stats::Amount;
use super::target::Target;
use crate::{Error, Result};

/// Batches of their own, through the same queue, under the same limits.
///
/// Dropped without [`settle`](Self::settle), what was accepted is sent all the same, and failures are the client's.
pub(crate) struct Group {
    batcher: Arc<Batcher>,
    id: u64,
}

/// What became of a group.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct GroupReport {
    pub(crate) written: Amount,
    /// How many requests stored lines.
    pub(crate) batches: u64,
}

#[derive(Debug, Default)]
pub(super) struct GroupState {
    pub(super) open: OpenBatches,
    /// Pieces of batches, open ones included.
    pub(super) unsettled: usize,
    pub(super) written: Amount,
    pub(super) batches: u64,
    pub(super) trouble: Option<Trouble>,
}

impl Batcher {
    /// # Errors
    /// Trouble with earlier batches. In a callback there is no waiting for batches, so it is an error to call it there.
    pub(crate) fn group(self: &Arc<Self>) -> Result<Group> {
        if self.is_in_callback() {
            return Err(Error::config(
                "a callback cannot wait for batches that its own worker is to send",
            ));
        }
        let mut state = self.lock();
        self.take_trouble(&mut state, None)?;
        let id = state.next();
        state.groups.insert(id, GroupState::default());
        Ok(Group { batcher: self.clone(), id })
    }
}

impl Group {
    /// Accepts encoded lines, which must all have timestamps. Waits for room, whatever the client's `OnFull`.
    ///
    /// # Errors
    /// What failed since the last call; then nothing is accepted. `unsent` holds both.
    pub(crate) fn submit(&self, target: &Target, bytes: &[u8], lines: usize) -> Result<()> {
        let target = Arc::new(target.clone());
        let mut parts = [Part::new(&target, bytes, lines)];
        self.batcher.accept(&mut parts, Some(self.id)).map_err(|error| error.with_rest(&parts))
    }

    /// How far it is.
    pub(crate) fn report(&self) -> GroupReport {
        let state = self.batcher.lock();
        state.groups.get(&self.id).map_or_else(GroupReport::default, |group| GroupReport {
            written: group.written,
            batches: group.batches,
        })
    }

    /// Waits until all is settled, retries included.
    ///
    /// # Errors
    /// What failed since the last call.
    pub(crate) fn settle(&self) -> Result<GroupReport> {
        let mut state = self.batcher.lock();
        self.close_open(&mut state);
        while state.groups.get(&self.id).is_some_and(|group| group.unsettled > 0) {
            if matches!(state.phase, Phase::Closed { .. }) {
                self.batcher.take_trouble(&mut state, Some(self.id))?;
                return Err(closed());
            }
            state = self.batcher.settled.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        self.batcher.take_trouble(&mut state, Some(self.id))?;
        drop(state);
        Ok(self.report())
    }

    /// Closes the group's open batches; those of the client stay open.
    fn close_open(&self, state: &mut State) {
        let Some(group) = state.groups.get_mut(&self.id) else { return };
        for open in group.open.take_if(|_| true) {
            let job = self.batcher.job(state, open, Some(self.id), 0);
            state.lane.push(job);
        }
        self.batcher.dispatch(state);
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let mut state = self.batcher.lock();
        self.close_open(&mut state);
        state.pass_trouble_on(self.id);
        state.groups.remove(&self.id);
        drop(state);
        // There may be more room now.
        self.batcher.room.notify_all();
    }
}
