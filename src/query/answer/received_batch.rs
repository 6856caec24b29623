use arrow_array::RecordBatch;
use bytes::Bytes;

/// A message of an answer behind its schema.
pub(crate) struct ReceivedBatch {
    /// Without rows if the message has only metadata.
    pub(crate) batch: RecordBatch,
    /// Empty if there is none, as over HTTP.
    pub(crate) app_metadata: Bytes,
}
