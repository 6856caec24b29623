//! Parquet, packed with zstd, in row groups of bounded size.

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use influxdb3_blocking::{arrow_array, arrow_schema};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;

use super::super::destination::Destination;
use super::super::output::Output;
use crate::failure::{Exit, Failure};

pub(super) struct Parquet {
    writer: ArrowWriter<Destination>,
}

impl Parquet {
    pub(super) fn new(schema: &SchemaRef, out: Destination) -> Result<Self, Failure> {
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_created_by(format!("influx3 {}", env!("CARGO_PKG_VERSION")))
            .build();
        let writer = ArrowWriter::try_new(out, schema.clone(), Some(properties));
        Ok(Self { writer: writer.map_err(failed)? })
    }
}

impl Output for Parquet {
    fn batch(&mut self, batch: &RecordBatch) -> Result<(), Failure> {
        self.writer.write(batch).map_err(failed)?;
        if self.writer.in_progress_size() >= GROUP_BYTES {
            self.writer.flush().map_err(failed)?;
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<(), Failure> {
        self.writer.into_inner().map_err(failed)?.finish()
    }
}

fn failed(error: ParquetError) -> Failure {
    if let ParquetError::External(source) = &error
        && let Some(io) = source.downcast_ref::<std::io::Error>()
    {
        return Failure::io("the Parquet file", io);
    }
    Failure::new(Exit::Failed, "Io", format!("the Parquet file cannot be written: {error}"))
}

/// How much of a row group is in memory.
const GROUP_BYTES: usize = 64 << 20;
