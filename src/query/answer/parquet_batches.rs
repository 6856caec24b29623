//! From a file of Parquet to record batches.

use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::{RecordBatch, RecordBatchReader as _};
use arrow_schema::{Schema, SchemaRef};
use bytes::Bytes;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};

use crate::contain::contain;
use crate::query::unreadable::{check_types, unreadable};
use crate::{Error, Result};

/// The batches of a file.
pub(super) struct ParquetBatches {
    schema: SchemaRef,
    /// `None` for an answer without rows, for which servers send no file. The lock is never contended: it makes the readers
    /// of answers `Sync`, which this one is not.
    reader: Option<Mutex<ParquetRecordBatchReader>>,
}

/// How many rows a batch has: as many as the batches that servers send over Flight.
const BATCH_ROWS: usize = 8192;

impl ParquetBatches {
    /// Reads the metadata of the file; empty bytes are an answer without columns.
    ///
    /// # Errors
    ///
    /// It is no file of Parquet, or has a column of a type that cannot be.
    pub(super) fn open(file: Bytes) -> Result<Self> {
        if file.is_empty() {
            return Ok(Self { schema: Arc::new(Schema::empty()), reader: None });
        }
        let reader = guarded(|| {
            let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(undecodable)?;
            builder.with_batch_size(BATCH_ROWS).build().map_err(undecodable)
        })?;
        let schema = reader.schema();
        check_types(&schema)?;
        Ok(Self { schema, reader: Some(Mutex::new(reader)) })
    }

    pub(super) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Decodes the next batch; `None` after the last one. Not to be called after an error.
    pub(super) fn next(&mut self) -> Result<Option<RecordBatch>> {
        let Some(reader) = &mut self.reader else { return Ok(None) };
        let reader = reader.get_mut().unwrap_or_else(PoisonError::into_inner);
        guarded(|| reader.next().transpose().map_err(undecodable))
    }
}

/// Runs the reader of Parquet, which panics for some files that contradict themselves. After an error the reader is not
/// used again, so that what a panic left half changed is not, either.
fn guarded<T>(read: impl FnOnce() -> Result<T>) -> Result<T> {
    contain(read).unwrap_or_else(|_| Err(unreadable("a file of Parquet contradicts itself")))
}

fn undecodable(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    unreadable(&format!("a file of Parquet cannot be decoded: {error}")).with_source(error)
}
