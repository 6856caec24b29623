//! Parquet files.

use bytes::Bytes;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use parquet::errors::{ParquetError, Result as ParquetResult};
use parquet::file::reader::{ChunkReader, Length};

use super::batches::{BatchReader, Batches, Placed, damaged, guarded};
use super::input::Origin;
use super::places::{At, Places};
use super::{Reading, Source};
use crate::line_protocol::TagRules;
use crate::record::BatchEncoder;
use crate::{Precision, Result};

pub(super) fn open(
    origin: &Origin<'_>,
    reading: &Reading,
    precision: Precision,
    rules: &TagRules,
) -> Result<Box<dyn Source>> {
    let places = origin.bytes()?;
    let counter = places.counter.clone();
    let chunks = Chunks(places);
    let metadata =
        guarded(|| ArrowReaderMetadata::load(&chunks, Default::default()).map_err(damaged))?;
    let mut encoder = BatchEncoder::new(metadata.schema(), &reading.layout, rules, precision)?;
    let columns = ProjectionMask::roots(metadata.parquet_schema(), encoder.narrow());
    let groups = RowGroups { chunks, metadata, columns, next: 0, reader: None, rows: 0 };
    Ok(Box::new(Batches::new(groups, encoder, counter)))
}

/// The row groups, each with a reader of its own, so that an error can name the one it is in.
struct RowGroups {
    chunks: Chunks,
    metadata: ArrowReaderMetadata,
    /// The columns that are written.
    columns: ProjectionMask,
    next: usize,
    reader: Option<ParquetRecordBatchReader>,
    /// Rows of this group that were read.
    rows: usize,
}

impl BatchReader for RowGroups {
    fn next(&mut self) -> Result<Option<Placed>> {
        loop {
            let Some(reader) = &mut self.reader else {
                if self.next == self.metadata.metadata().num_row_groups() {
                    return Ok(None);
                }
                self.next += 1;
                self.rows = 0;
                self.reader = Some(self.open_group().map_err(|error| {
                    damaged(error).in_context(&format!("row group {}", self.next))
                })?);
                continue;
            };
            let Some(batch) = reader.next() else {
                self.reader = None;
                continue;
            };
            let part = format!("row group {}", self.next);
            let batch = batch.map_err(|error| damaged(error).in_context(&part))?;
            let first_row = self.rows;
            self.rows += batch.num_rows();
            return Ok(Some(Placed { batch, part, first_row }));
        }
    }
}

impl RowGroups {
    fn open_group(&self) -> ParquetResult<ParquetRecordBatchReader> {
        ParquetRecordBatchReaderBuilder::new_with_metadata(
            self.chunks.clone(),
            self.metadata.clone(),
        )
        .with_projection(self.columns.clone())
        .with_row_groups(vec![self.next - 1])
        .with_batch_size(BATCH_ROWS)
        .build()
    }
}

#[derive(Clone)]
struct Chunks(Places);

impl Length for Chunks {
    fn len(&self) -> u64 {
        self.0.len()
    }
}

impl ChunkReader for Chunks {
    type T = std::io::BufReader<At>;

    fn get_read(&self, start: u64) -> ParquetResult<Self::T> {
        Ok(self.0.reader_at(start))
    }

    fn get_bytes(&self, start: u64, length: usize) -> ParquetResult<Bytes> {
        let bytes = self.0.bytes_at(start, length as u64);
        bytes.map(Bytes::from).map_err(|error| ParquetError::External(Box::new(error)))
    }
}

const BATCH_ROWS: usize = 8192;
