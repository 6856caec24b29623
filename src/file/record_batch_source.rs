//! Lines from a reader of record batches.

use arrow_array::RecordBatch;

use super::LineSource;
use super::byte_counter::ByteCounter;
use super::damaged::guarded;
use crate::record::{Lines, RecordBatchEncoder};
use crate::{Error, Result};

/// A record batch, and its place in the file.
pub(super) struct PlacedBatch {
    pub(super) batch: RecordBatch,
    /// Such as `row group 3`; empty if the rows are counted from the beginning of the file.
    pub(super) part: String,
    /// How many rows of that part are before the batch.
    pub(super) first_row: usize,
    /// Why the row behind the batch cannot be written: nothing is read behind that.
    pub(super) failed: Option<Error>,
}

/// Reads the record batches of a file, one after the other; `None` is the end.
pub(super) trait PlacedBatchReader {
    fn next(&mut self) -> Result<Option<PlacedBatch>>;
}

/// The lines of the record batches that a reader gives.
pub(super) struct RecordBatchSource<R> {
    reader: R,
    encoder: RecordBatchEncoder,
    /// The batch in progress, and how many of its rows are done.
    current: Option<(PlacedBatch, usize)>,
    /// Why the row behind the last batch cannot be written.
    failed: Option<Error>,
    counter: ByteCounter,
}

impl<R: PlacedBatchReader> RecordBatchSource<R> {
    /// The batches of the reader have the columns that the encoder was [narrowed](RecordBatchEncoder::narrow) to.
    pub(super) fn new(reader: R, encoder: RecordBatchEncoder, counter: ByteCounter) -> Self {
        Self { reader, encoder, current: None, failed: None, counter }
    }
}

impl<R: PlacedBatchReader> LineSource for RecordBatchSource<R> {
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

/// How many rows of a record batch become lines in one call of [`LineSource::read`].
const STEP_ROWS: usize = 8192;
