//! What the batches of a file tell whoever writes it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::epoch::{Epoch, Member};
use super::failures::Failure;
use crate::Result;
use crate::write::amount::Amount;

/// What its batches tell a file.
#[derive(Debug, Default)]
pub(super) struct FileLedger {
    state: Mutex<FileState>,
}

#[derive(Debug, Default)]
struct FileState {
    amounts: FileAmounts,
    failure: Option<Failure>,
    /// Whether lines were handed back to whoever closed the client.
    is_returned: bool,
    /// Whether nobody asks any more.
    is_gone: bool,
}

/// What lines of a file carry into their batches.
#[derive(Debug)]
pub(super) struct FileTag {
    ledger: Arc<FileLedger>,
    /// Of the epoch that whoever writes the file waits for next.
    member: Member,
}

/// What became of the lines of a file.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct FileAmounts {
    pub(crate) written: Amount,
    /// How many batches were stored.
    pub(crate) batches: u64,
}

impl FileLedger {
    pub(super) fn add_written(&self, amount: Amount) {
        let mut state = self.lock();
        state.amounts.written += amount;
        state.amounts.batches += 1;
    }

    pub(super) fn set_returned(&self) {
        self.lock().is_returned = true;
    }

    /// Whether lines were handed back to whoever closed the client.
    pub(super) fn is_returned(&self) -> bool {
        self.lock().is_returned
    }

    pub(super) fn amounts(&self) -> FileAmounts {
        self.lock().amounts
    }

    /// Nobody asks any more; returns what nobody has asked for.
    pub(super) fn leave(&self) -> Option<Failure> {
        let mut state = self.lock();
        state.is_gone = true;
        state.failure.take()
    }

    /// Keeps a failure for whoever writes the file; it comes back if nobody does any more.
    pub(super) fn add(&self, failure: Failure) -> Option<Failure> {
        let mut state = self.lock();
        if state.is_gone {
            return Some(failure);
        }
        match &mut state.failure {
            Some(first) => first.add(failure),
            none => *none = Some(failure),
        }
        None
    }

    /// # Errors
    /// What failed since the last call.
    pub(super) fn fail(&self) -> Result<()> {
        let failure = self.lock().failure.take();
        failure.map_or(Ok(()), |failure| Err(failure.into_error()))
    }

    fn lock(&self) -> MutexGuard<'_, FileState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FileTag {
    /// The tag of one more file.
    pub(super) fn new() -> Self {
        Self { ledger: Arc::default(), member: Epoch::start(1) }
    }

    /// Starts the next epoch of the file: the one that is returned is over when everything before has ended.
    pub(super) fn turn_over(&mut self) -> Arc<Epoch> {
        self.member.turn_over().epoch().clone()
    }

    pub(super) fn ledger(&self) -> &Arc<FileLedger> {
        &self.ledger
    }

    pub(super) fn member(&self) -> &Member {
        &self.member
    }
}
