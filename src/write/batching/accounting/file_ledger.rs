//! The outcome of the batches of a file, for the call that writes it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::epoch::{Epoch, Member};
use super::failures::BatchFailure;
use crate::Result;
use crate::write::amount::Amount;

/// The outcome of the batches of one file.
#[derive(Debug, Default)]
pub(crate) struct FileLedger {
    state: Mutex<FileState>,
}

#[derive(Debug, Default)]
struct FileState {
    amounts: FileAmounts,
    failure: Option<BatchFailure>,
    /// Whether lines were returned by `close`.
    is_returned: bool,
    /// Whether the call has returned, so that it cannot return a failure.
    is_gone: bool,
}

/// What marks lines as those of a file: their batches are counted in its ledger, and are members of its epochs.
#[derive(Debug)]
pub(crate) struct FileTag {
    ledger: Arc<FileLedger>,
    /// The member of the current epoch from which batches get theirs.
    member: Member,
}

/// The outcome of the lines of a file.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct FileAmounts {
    pub(crate) written: Amount,
    /// How many batches were stored.
    pub(crate) batches: u64,
}

impl FileLedger {
    pub(crate) fn add_written(&self, amount: Amount) {
        let mut state = self.lock();
        state.amounts.written += amount;
        state.amounts.batches += 1;
    }

    pub(crate) fn set_returned(&self) {
        self.lock().is_returned = true;
    }

    /// Whether lines were returned by `close`.
    pub(crate) fn is_returned(&self) -> bool {
        self.lock().is_returned
    }

    pub(crate) fn amounts(&self) -> FileAmounts {
        self.lock().amounts
    }

    /// To be called when the call that writes the file ends. Returns the failure that it has not returned, if there is
    /// one.
    pub(crate) fn leave(&self) -> Option<BatchFailure> {
        let mut state = self.lock();
        state.is_gone = true;
        state.failure.take()
    }

    /// Keeps a failure for the call that writes the file; returns it if that has returned.
    pub(crate) fn add(&self, failure: BatchFailure) -> Option<BatchFailure> {
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

    /// Takes the failure, if there is one.
    ///
    /// # Errors
    /// What failed since the last call.
    pub(crate) fn fail(&self) -> Result<()> {
        let failure = self.lock().failure.take();
        failure.map_or(Ok(()), |failure| Err(failure.into_error()))
    }

    fn lock(&self) -> MutexGuard<'_, FileState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FileTag {
    /// The tag of one more file.
    pub(crate) fn new() -> Self {
        Self { ledger: Arc::default(), member: Epoch::start(1) }
    }

    /// Starts the next epoch of the file. The one that is returned is over when all batches before have ended.
    pub(crate) fn turn_over(&mut self) -> Arc<Epoch> {
        self.member.turn_over().epoch().clone()
    }

    pub(crate) fn ledger(&self) -> &Arc<FileLedger> {
        &self.ledger
    }

    pub(crate) fn member(&self) -> &Member {
        &self.member
    }
}
