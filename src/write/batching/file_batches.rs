//! Batches of a file, which are waited for together.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Batcher;
use super::call_lines::CallLines;
use super::epoch::{Epoch, Member};
use super::failures::Failure;
use crate::write::stats::Amount;
use crate::write::target::Target;
use crate::{Error, Result};

/// Batches of their own, through the same lane, under the same limits.
///
/// Dropped without [`settle`](Self::settle), what was accepted is sent all the same, and failures are the client's.
pub(crate) struct FileBatches {
    batcher: Arc<Batcher>,
    tag: FileTag,
}

/// What lines of a file carry into their batches.
#[derive(Debug)]
pub(super) struct FileTag {
    ledger: Arc<FileLedger>,
    /// Of the epoch that the next [`settle`](FileBatches::settle) waits for.
    member: Member,
}

/// What became of the lines of a file.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct FileAmounts {
    pub(crate) written: Amount,
    /// How many batches were stored.
    pub(crate) batches: u64,
}

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

impl Batcher {
    /// # Errors
    /// Failures of earlier batches. In a callback there is no waiting for batches, so it is an error to call it there.
    pub(crate) fn file_batches(self: &Arc<Self>) -> Result<FileBatches> {
        if self.is_in_callback() {
            return Err(Error::config(
                "a callback cannot wait for batches that its own worker is to send",
            ));
        }
        self.lane.fail_while_open()?;
        let tag = FileTag { ledger: Arc::default(), member: Epoch::start(1) };
        Ok(FileBatches { batcher: self.clone(), tag })
    }
}

impl FileBatches {
    /// Accepts encoded lines, which must all have timestamps. Waits for room, whatever the client's `OnFull`.
    ///
    /// # Errors
    /// What failed since the last call; then nothing is accepted. `unsent` holds both.
    pub(crate) fn submit(&self, target: &Arc<Target>, bytes: &[u8], lines: usize) -> Result<()> {
        let mut lines = [CallLines::new(target, bytes, lines)];
        self.tag.ledger.fail()?;
        let accepted = self.batcher.accept_from(&mut lines, Some(&self.tag));
        accepted.map_err(|error| error.with_rest(&lines))
    }

    /// How far it is.
    pub(crate) fn amounts(&self) -> FileAmounts {
        self.tag.ledger.lock().amounts
    }

    /// Waits until everything has ended, retries included.
    ///
    /// # Errors
    /// What failed since the last call, or [`ErrorKind::Closed`](crate::ErrorKind::Closed) if the client was closed before
    /// everything was sent.
    pub(crate) fn settle(&mut self) -> Result<FileAmounts> {
        self.batcher.seal_file(&self.tag);
        let member = self.tag.member.turn_over();
        let epoch = member.epoch().clone();
        drop(member);
        epoch.wait();
        self.tag.ledger.fail()?;
        let state = self.tag.ledger.lock();
        if state.is_returned {
            return Err(Error::closed());
        }
        Ok(state.amounts)
    }
}

impl Drop for FileBatches {
    fn drop(&mut self) {
        self.batcher.seal_file(&self.tag);
        let mut state = self.tag.ledger.lock();
        state.is_gone = true;
        let failure = state.failure.take();
        drop(state);
        // What nobody asked for is for the next call of the client, unless a callback was told.
        if let Some(failure) = failure.filter(|failure| !failure.is_told) {
            self.batcher.pass_on(failure);
        }
    }
}

impl FileTag {
    pub(super) fn ledger(&self) -> &Arc<FileLedger> {
        &self.ledger
    }

    pub(super) fn member(&self) -> &Member {
        &self.member
    }
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
