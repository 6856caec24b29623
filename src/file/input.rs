//! A file that counts what is read of it.

use std::fs::File;
use std::io::{self, Read};
#[cfg(any(feature = "parquet", feature = "orc"))]
use std::io::{Seek as _, SeekFrom};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
#[cfg(any(feature = "parquet", feature = "orc"))]
use std::sync::{Mutex, PoisonError};

#[cfg(any(feature = "csv", feature = "json"))]
use super::format::Packing;
use super::unreadable;
use crate::Result;

/// Bytes that were read.
#[derive(Clone, Debug, Default)]
pub(super) struct Counter(Arc<AtomicU64>);

impl Counter {
    pub(super) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    fn add(&self, bytes: u64) {
        self.0.fetch_add(bytes, Ordering::Relaxed);
    }
}

/// An open file.
#[derive(Debug)]
pub(super) struct Input {
    file: File,
    pub(super) counter: Counter,
    pub(super) len: u64,
}

impl Input {
    pub(super) fn open(path: &Path) -> Result<Self> {
        let open = || {
            let file = File::open(path)?;
            let metadata = file.metadata()?;
            Ok((file, metadata))
        };
        let (file, metadata) = open().map_err(|error: io::Error| {
            unreadable(format!("it cannot be opened: {error}")).with_source(error)
        })?;
        if !metadata.is_file() {
            return Err(unreadable("it is no regular file, and a file is read more than once"));
        }
        Ok(Self { file, counter: Counter::default(), len: metadata.len() })
    }

    /// The bytes, unpacked.
    #[cfg(any(feature = "csv", feature = "json"))]
    pub(super) fn unpacked(self, packing: Packing) -> Box<dyn Read> {
        match packing {
            Packing::None => Box::new(self),
            #[cfg(feature = "gzip")]
            Packing::Gzip => {
                let buffered = io::BufReader::with_capacity(64 * 1024, self);
                Box::new(flate2::bufread::MultiGzDecoder::new(buffered))
            }
            // `Format::of` has refused it.
            #[cfg(not(feature = "gzip"))]
            Packing::Gzip => Box::new(self),
        }
    }
}

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.counter.add(count as u64);
        Ok(count)
    }
}

/// A file of which parts are read at any place, by any number of readers.
#[cfg(any(feature = "parquet", feature = "orc"))]
#[derive(Clone, Debug)]
pub(super) struct Places {
    input: Arc<Mutex<Input>>,
    len: u64,
}

#[cfg(any(feature = "parquet", feature = "orc"))]
impl Places {
    pub(super) fn new(input: Input) -> Self {
        Self { len: input.len, input: Arc::new(Mutex::new(input)) }
    }

    pub(super) fn len(&self) -> u64 {
        self.len
    }

    pub(super) fn reader_at(&self, place: u64) -> io::BufReader<At> {
        io::BufReader::new(At { places: self.clone(), place })
    }

    /// So many bytes at a place. Nothing is allocated for bytes that are not there.
    pub(super) fn bytes_at(&self, place: u64, len: u64) -> io::Result<Vec<u8>> {
        if place.checked_add(len).is_none_or(|end| end > self.len) {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                format!("{len} bytes are wanted at {place}, and the file has {}", self.len),
            ));
        }
        let mut bytes = vec![0; usize::try_from(len).map_err(io::Error::other)?];
        At { places: self.clone(), place }.read_exact(&mut bytes)?;
        Ok(bytes)
    }
}

/// Reads from a place on.
#[cfg(any(feature = "parquet", feature = "orc"))]
#[derive(Debug)]
pub(super) struct At {
    places: Places,
    place: u64,
}

#[cfg(any(feature = "parquet", feature = "orc"))]
impl Read for At {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut input = self.places.input.lock().unwrap_or_else(PoisonError::into_inner);
        input.file.seek(SeekFrom::Start(self.place))?;
        let count = input.read(buffer)?;
        self.place += count as u64;
        Ok(count)
    }
}
