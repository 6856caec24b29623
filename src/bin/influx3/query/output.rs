//! What becomes of record batches.

use arrow_array::RecordBatch;
use influxdb3_blocking::arrow_array;

use crate::failure::Failure;

/// Writes an answer in one format.
pub(super) trait Output {
    fn batch(&mut self, batch: &RecordBatch) -> Result<(), Failure>;

    /// What comes behind the last batch; then the file is there.
    fn finish(self: Box<Self>) -> Result<(), Failure>;
}

/// How much of an answer is shown.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shown {
    /// The most rows of it; all if there is no limit.
    pub(crate) max_rows: Option<u64>,
    /// How wide a table may be.
    pub(crate) width: Option<usize>,
    /// For line protocol.
    pub(crate) measurement: Option<String>,
    pub(crate) precision: influxdb3_blocking::Precision,
}
