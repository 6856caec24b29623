//! The bytes of a file, read at any place.

use std::fs::File;
use std::io::{self, Read, Seek as _, SeekFrom};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use super::byte_counter::ByteCounter;

/// Bytes of which parts are read at any place, by any number of readers.
#[derive(Clone, Debug)]
pub(super) struct RandomAccess {
    bytes: Arc<Storage>,
    len: u64,
    pub(super) counter: ByteCounter,
}

#[derive(Debug)]
enum Storage {
    File(Mutex<File>),
    Memory(Vec<u8>),
}

impl RandomAccess {
    pub(super) fn file(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let len = file.metadata()?.len();
        Ok(Self::new(Storage::File(Mutex::new(file)), len))
    }

    pub(super) fn memory(bytes: Vec<u8>) -> Self {
        let len = bytes.len() as u64;
        Self::new(Storage::Memory(bytes), len)
    }

    fn new(bytes: Storage, len: u64) -> Self {
        Self { bytes: Arc::new(bytes), len, counter: ByteCounter::default() }
    }

    pub(super) fn len(&self) -> u64 {
        self.len
    }

    pub(super) fn reader_at(&self, place: u64) -> io::BufReader<ReaderAt> {
        io::BufReader::new(ReaderAt { file: self.clone(), place })
    }

    /// The `len` bytes at a place. Nothing is allocated for bytes that are not in the file.
    pub(super) fn bytes_at(&self, place: u64, len: u64) -> io::Result<Vec<u8>> {
        self.check(place, len)?;
        let mut bytes = vec![0; usize::try_from(len).map_err(io::Error::other)?];
        self.read_at(place, &mut bytes)?;
        Ok(bytes)
    }

    /// Checks that the file has these bytes.
    pub(super) fn check(&self, place: u64, len: u64) -> io::Result<()> {
        if place.checked_add(len).is_some_and(|end| end <= self.len) {
            return Ok(());
        }
        Err(io::Error::new(
            io::ErrorKind::UnexpectedEof,
            format!("{len} bytes are wanted at {place}, and the file has {}", self.len),
        ))
    }

    /// Fills the buffer with the bytes at a place.
    pub(super) fn read_at(&self, place: u64, buffer: &mut [u8]) -> io::Result<()> {
        ReaderAt { file: self.clone(), place }.read_exact(buffer)
    }
}

/// Reads from a place on.
#[derive(Debug)]
pub(super) struct ReaderAt {
    file: RandomAccess,
    place: u64,
}

impl Read for ReaderAt {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = match &*self.file.bytes {
            Storage::File(file) => {
                let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
                file.seek(SeekFrom::Start(self.place))?;
                file.read(buffer)?
            }
            Storage::Memory(bytes) => {
                let place = usize::try_from(self.place).unwrap_or(usize::MAX);
                bytes.get(place..).unwrap_or_default().read(buffer)?
            }
        };
        self.file.counter.add(count as u64);
        self.place += count as u64;
        Ok(count)
    }
}
