//! Parquet files.

mod chunks;
mod int96;
mod metadata;

use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use parquet::errors::Result as ParquetResult;

use self::chunks::Chunks;
use self::int96::Int96Columns;
use super::batches::{BatchReader, Batches, Placed, damaged, guarded};
use super::input::Origin;
use super::{Reading, Source, pandas_index};
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
    let metadata = guarded(|| metadata::load(&chunks))?;
    let options = pandas_index::as_time(&reading.layout, metadata.schema());
    let mut encoder = BatchEncoder::new(metadata.schema(), &options, rules, precision)?;
    let columns = encoder.narrow();
    let groups = guarded(|| RowGroups::new(chunks, metadata, &columns))?;
    Ok(Box::new(Batches::new(groups, encoder, counter)))
}

/// The row groups, each with a reader of its own, so that an error can name the one it is in.
struct RowGroups {
    file: File,
    /// The columns that are written.
    columns: ProjectionMask,
    int96: Option<Int96Columns>,
    next: usize,
    reader: Option<GroupReader>,
    /// Rows of this group that were read.
    rows: usize,
}

/// The bytes of a file, and what its footer says.
struct File {
    chunks: Chunks,
    metadata: ArrowReaderMetadata,
}

struct GroupReader {
    batches: ParquetRecordBatchReader,
    /// The columns of INT96 once more, in seconds.
    seconds: Option<ParquetRecordBatchReader>,
}

impl RowGroups {
    /// `columns` are the places of those that are written.
    fn new(chunks: Chunks, metadata: ArrowReaderMetadata, columns: &[usize]) -> Result<Self> {
        metadata::check_pages(&chunks, &metadata)?;
        let int96 = Int96Columns::of(&metadata, columns)?;
        let columns = ProjectionMask::roots(metadata.parquet_schema(), columns.iter().copied());
        Ok(Self { file: File { chunks, metadata }, columns, int96, next: 0, reader: None, rows: 0 })
    }

    fn open_group(&self) -> ParquetResult<GroupReader> {
        let (file, number) = (&self.file, self.next - 1);
        let batches = file.group(&file.metadata, self.columns.clone(), number)?;
        let seconds =
            |int96: &Int96Columns| file.group(&int96.metadata, int96.mask.clone(), number);
        Ok(GroupReader { batches, seconds: self.int96.as_ref().map(seconds).transpose()? })
    }
}

impl File {
    fn group(
        &self,
        metadata: &ArrowReaderMetadata,
        columns: ProjectionMask,
        number: usize,
    ) -> ParquetResult<ParquetRecordBatchReader> {
        ParquetRecordBatchReaderBuilder::new_with_metadata(self.chunks.clone(), metadata.clone())
            .with_projection(columns)
            .with_row_groups(vec![number])
            .with_batch_size(BATCH_ROWS)
            .build()
    }
}

impl BatchReader for RowGroups {
    fn next(&mut self) -> Result<Option<Placed>> {
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
            return Ok(Some(Placed { batch, part, first_row, failed }));
        }
    }
}

const BATCH_ROWS: usize = 8192;
