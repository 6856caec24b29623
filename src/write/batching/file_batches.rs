//! The batches of a file, which are waited for together.

use std::sync::Arc;

use crate::write::batching::Batcher;
use crate::write::batching::accepting::CallLines;
use crate::write::batching::accounting::{FileAmounts, FileTag};
use crate::write::target::Target;
use crate::{Error, Result};

/// Writes a file in batches of its own, which are queued and limited as all others of the client.
///
/// Dropped without [`settle`](Self::settle), what was accepted is sent all the same, and failures are the client's.
pub(crate) struct FileBatches {
    batcher: Arc<Batcher>,
    tag: FileTag,
}

impl Batcher {
    /// # Errors
    /// Failures of earlier batches; in a callback always, as it cannot wait for batches.
    pub(crate) fn file_batches(self: &Arc<Self>) -> Result<FileBatches> {
        if self.is_in_callback() {
            return Err(Error::config(
                "a callback cannot wait for batches that its own worker is to send",
            ));
        }
        self.send_queue.fail_while_open()?;
        Ok(FileBatches { batcher: self.clone(), tag: FileTag::new() })
    }

    /// Seals the open batches of a file.
    fn seal_file(self: &Arc<Self>, file: &FileTag) {
        let is_of_file = |ledger: &Arc<_>| Arc::ptr_eq(ledger, file.ledger());
        let changes =
            self.accumulator.seal_if(|open| open.key.file.as_ref().is_some_and(is_of_file));
        self.apply(changes);
    }
}

impl FileBatches {
    /// Accepts encoded lines, which must all have timestamps. Waits for room, whatever the client's `OnFull`.
    ///
    /// # Errors
    /// The failure of batches since the last call; then nothing is accepted. `unsent` has the lines of both.
    pub(crate) fn submit(&self, target: &Arc<Target>, bytes: &[u8], lines: usize) -> Result<()> {
        let mut lines = [CallLines::new(target, bytes, lines)];
        let accepted = self.batcher.accept_from(&mut lines, Some(&self.tag));
        accepted.map_err(|error| error.with_rest(&lines))
    }

    /// What was stored so far.
    pub(crate) fn amounts(&self) -> FileAmounts {
        self.tag.ledger().amounts()
    }

    /// Waits until all lines that were accepted have ended, retries included.
    ///
    /// # Errors
    /// What failed since the last call, or [`ErrorKind::Closed`](crate::ErrorKind::Closed) if the client was closed
    /// before everything was sent.
    pub(crate) fn settle(&mut self) -> Result<()> {
        self.batcher.seal_file(&self.tag);
        let epoch = self.tag.turn_over();
        epoch.wait();
        self.tag.ledger().fail()?;
        if self.tag.ledger().is_returned() { Err(Error::closed()) } else { Ok(()) }
    }
}

impl Drop for FileBatches {
    fn drop(&mut self) {
        self.batcher.seal_file(&self.tag);
        // A failure that was not returned yet is returned by the next call of the client, unless a callback got it.
        let failure = self.tag.ledger().leave().filter(|failure| !failure.is_told);
        if let Some(failure) = failure {
            // In the epoch before all others, so that any flush returns it.
            self.batcher.send_queue.change(|state| state.failures.add(0, failure));
        }
    }
}
