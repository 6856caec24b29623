//! Parquet files.

mod int96;
mod metadata;
mod parquet_bytes;

use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use parquet::errors::Result as ParquetResult;

use self::int96::Int96Columns;
use self::parquet_bytes::ParquetBytes;
use super::damaged::{damaged, guarded};
use super::input::Origin;
use super::record_batch_source::{PlacedBatch, PlacedBatchReader, RecordBatchSource};
use super::{LineSource, ReadOptions, pandas_index};
use crate::line_protocol::TagRules;
use crate::record::RecordBatchEncoder;
use crate::{Precision, Result};

pub(super) fn open(
    origin: &Origin<'_>,
    read_options: &ReadOptions,
    precision: Precision,
    rules: &TagRules,
) -> Result<Box<dyn LineSource>> {
    let bytes = origin.random_access()?;
    let counter = bytes.counter.clone();
    let bytes = ParquetBytes(bytes);
    let metadata = guarded(|| metadata::load(&bytes))?;
    let options = pandas_index::as_time(&read_options.layout, metadata.schema());
    let mut encoder = RecordBatchEncoder::new(metadata.schema(), &options, rules, precision)?;
    let columns = encoder.narrow();
    let groups = guarded(|| RowGroups::new(bytes, metadata, &columns))?;
    Ok(Box::new(RecordBatchSource::new(groups, encoder, counter)))
}

/// The row groups, each with a reader of its own, so that an error can name the one it is in.
struct RowGroups {
    file: ParquetFile,
    /// The columns that are written.
    columns: ProjectionMask,
    int96: Option<Int96Columns>,
    next: usize,
    reader: Option<GroupReader>,
    /// Rows of this group that were read.
    rows: usize,
}

/// The bytes of a file, and what its footer says.
struct ParquetFile {
    bytes: ParquetBytes,
    metadata: ArrowReaderMetadata,
}

struct GroupReader {
    batches: ParquetRecordBatchReader,
    /// The columns of INT96 once more, in seconds.
    seconds: Option<ParquetRecordBatchReader>,
}

impl RowGroups {
    /// `columns` are the places of those that are written.
    fn new(bytes: ParquetBytes, metadata: ArrowReaderMetadata, columns: &[usize]) -> Result<Self> {
        metadata::check_pages(&bytes, &metadata)?;
        let int96 = Int96Columns::of(&metadata, columns)?;
        let columns = ProjectionMask::roots(metadata.parquet_schema(), columns.iter().copied());
        Ok(Self {
            file: ParquetFile { bytes, metadata },
            columns,
            int96,
            next: 0,
            reader: None,
            rows: 0,
        })
    }

    fn open_group(&self) -> ParquetResult<GroupReader> {
        let (file, number) = (&self.file, self.next - 1);
        let batches = file.group(&file.metadata, self.columns.clone(), number)?;
        let seconds =
            |int96: &Int96Columns| file.group(&int96.metadata, int96.mask.clone(), number);
        Ok(GroupReader { batches, seconds: self.int96.as_ref().map(seconds).transpose()? })
    }
}

impl ParquetFile {
    fn group(
        &self,
        metadata: &ArrowReaderMetadata,
        columns: ProjectionMask,
        number: usize,
    ) -> ParquetResult<ParquetRecordBatchReader> {
        ParquetRecordBatchReaderBuilder::new_with_metadata(self.bytes.clone(), metadata.clone())
            .with_projection(columns)
            .with_row_groups(vec![number])
            .with_batch_size(BATCH_ROWS)
            .build()
    }
}

impl PlacedBatchReader for RowGroups {
    fn next(&mut self) -> Result<Option<PlacedBatch>> {
        loop {
            let Some(reader) = &mut self.reader else {
                if self.next == self.file.metadata.metadata().num_row_groups() {
                    return Ok(None);
                }
                self.next += 1;
                self.rows = 0;
                let reader = self.open_group().map_err(|error| {
                    damaged(error).in_context(&format!("row group {}", self.next))
                })?;
                self.reader = Some(reader);
                continue;
            };
            let Some(batch) = reader.batches.next() else {
                self.reader = None;
                continue;
            };
            let part = format!("row group {}", self.next);
            let (mut failed, mut batch) =
                (None, batch.map_err(|error| damaged(error).in_context(&part))?);
            let first_row = self.rows;
            if let (Some(int96), Some(seconds)) = (&self.int96, &mut reader.seconds) {
                (batch, failed) = int96
                    .join(&batch, seconds.next(), first_row)
                    .map_err(|error| error.in_context(&part))?;
                failed = failed.map(|error| error.in_context(&part));
            }
            self.rows += batch.num_rows();
            return Ok(Some(PlacedBatch { batch, part, first_row, failed }));
        }
    }
}

const BATCH_ROWS: usize = 8192;
