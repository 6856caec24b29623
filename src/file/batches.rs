//! Lines from a reader of record batches.

use std::panic::{AssertUnwindSafe, catch_unwind};

use arrow_array::RecordBatch;

use super::counter::Counter;
use super::{Source, unreadable};
use crate::record::{BatchEncoder, Lines};
use crate::{Error, Result};

/// A record batch and where it comes from.
pub(super) struct Placed {
    pub(super) batch: RecordBatch,
    /// Such as `row group 3`; empty if the rows are counted from the beginning of the file.
    pub(super) part: String,
    /// How many rows of that part come before the batch.
    pub(super) first_row: usize,
    /// What is wrong with the row behind the batch, which ends the reading.
    pub(super) failed: Option<Error>,
}

/// What reads record batches; `None` is the end.
pub(super) trait BatchReader {
    fn next(&mut self) -> Result<Option<Placed>>;
}

/// The lines of the batches of a reader.
pub(super) struct Batches<R> {
    reader: R,
    encoder: BatchEncoder,
    /// The batch in the making, and how many of its rows are done.
    current: Option<(Placed, usize)>,
    /// What is wrong with the row behind the last batch.
    failed: Option<Error>,
    counter: Counter,
}

impl<R: BatchReader> Batches<R> {
    /// The reader gives batches of the columns that the encoder was narrowed to.
    pub(super) fn new(reader: R, encoder: BatchEncoder, counter: Counter) -> Self {
        Self { reader, encoder, current: None, failed: None, counter }
    }
}

impl<R: BatchReader> Source for Batches<R> {
    fn read(&mut self, lines: &mut Lines<'_>) -> Result<bool> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        let (mut placed, done) = match self.current.take() {
            Some(current) => current,
            None => match guarded(|| self.reader.next())? {
                Some(placed) => (placed, 0),
                None => return Ok(false),
            },
        };
        let count = STEP_ROWS.min(placed.batch.num_rows() - done);
        let result = self.encoder.encode(&placed.batch, done..done + count, lines);
        result.map_err(|error| {
            let error = error.at_row(placed.first_row);
            if placed.part.is_empty() { error } else { error.in_context(&placed.part) }
        })?;
        if done + count < placed.batch.num_rows() {
            self.current = Some((placed, done + count));
        } else {
            self.failed = placed.failed.take();
        }
        Ok(true)
    }

    fn bytes_read(&self) -> u64 {
        self.counter.get()
    }
}

/// Damaged files make the readers of these formats panic here and there. (Under `panic = "abort"` this cannot help.)
pub(super) fn guarded<T>(read: impl FnOnce() -> Result<T>) -> Result<T> {
    // After an error nothing is read from the same reader again.
    match catch_unwind(AssertUnwindSafe(read)) {
        Ok(result) => result,
        Err(panic) => {
            // Dropping a panic's payload could panic again.
            std::mem::forget(panic);
            Err(unreadable("it is damaged: it contradicts itself"))
        }
    }
}

/// What a reader says about a file that it cannot read.
pub(super) fn damaged(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    unreadable(format!("it is damaged, or not what its extension says: {error}")).with_source(error)
}

/// How many rows of a batch become lines before it is asked whether there are enough.
const STEP_ROWS: usize = 8192;
