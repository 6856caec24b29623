//! The bytes of a Parquet file.

use bytes::Bytes;
use parquet::errors::{ParquetError, Result as ParquetResult};
use parquet::file::reader::{ChunkReader, Length};

use crate::file::random_access::{RandomAccess, ReaderAt};

#[derive(Clone)]
pub(super) struct ParquetBytes(pub(super) RandomAccess);

impl Length for ParquetBytes {
    fn len(&self) -> u64 {
        self.0.len()
    }
}

impl ChunkReader for ParquetBytes {
    type T = std::io::BufReader<ReaderAt>;

    fn get_read(&self, start: u64) -> ParquetResult<Self::T> {
        Ok(self.0.reader_at(start))
    }

    fn get_bytes(&self, start: u64, length: usize) -> ParquetResult<Bytes> {
        let bytes = self.0.bytes_at(start, length as u64);
        bytes.map(Bytes::from).map_err(|error| ParquetError::External(Box::new(error)))
    }
}
