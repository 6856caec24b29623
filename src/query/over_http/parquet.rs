//! From a file of Parquet to record batches.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::{RecordBatch, RecordBatchReader as _};
use arrow_schema::{Schema, SchemaRef};
use bytes::Bytes;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};

use crate::query::ipc::{broken, check_types};
use crate::{Error, Result};

/// The batches of a file.
pub(super) struct Batches {
    schema: SchemaRef,
    /// `None` of an answer without rows, for which servers send no file. Behind a lock that nobody else takes: so
    /// whatever holds it can be shared.
    reader: Option<Mutex<ParquetRecordBatchReader>>,
}

/// As the server's own batches.
const BATCH_ROWS: usize = 8192;

impl Batches {
    /// Reads the metadata of the file.
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

    /// After an error, nothing more is to be read.
    pub(super) fn next(&mut self) -> Result<Option<RecordBatch>> {
        let Some(reader) = &mut self.reader else { return Ok(None) };
        let reader = reader.get_mut().unwrap_or_else(PoisonError::into_inner);
        guarded(|| reader.next().transpose().map_err(undecodable))
    }
}

/// Files that contradict themselves make the reader panic. What it leaves behind then is not used again.
fn guarded<T>(read: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(read))
        .unwrap_or_else(|_| Err(broken("a file of Parquet contradicts itself")))
}

fn undecodable(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    broken(&format!("a file of Parquet cannot be decoded: {error}")).with_source(error)
}
