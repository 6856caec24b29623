//! An ORC file with another tail.

use std::io::{self, Cursor, Read};

use bytes::{Buf as _, Bytes};
use orc_rust::reader::ChunkReader;

use crate::file::random_access::{RandomAccess, ReaderAt};

/// The bytes of a file up to a place, and from there on those of the mended tail.
pub(super) struct MendedFile {
    file: RandomAccess,
    tail_at: u64,
    tail: Bytes,
}

impl MendedFile {
    pub(super) fn new(file: RandomAccess, tail_at: u64, tail: Bytes) -> Self {
        Self { file, tail_at, tail }
    }

    /// What is left of the tail from a place in the file on.
    fn tail_from(&self, place: u64) -> Bytes {
        let mut tail = self.tail.clone();
        let before = usize::try_from(place.saturating_sub(self.tail_at)).unwrap_or(usize::MAX);
        tail.advance(before.min(tail.len()));
        tail
    }
}

impl ChunkReader for MendedFile {
    type T = io::Chain<io::Take<io::BufReader<ReaderAt>>, Cursor<Bytes>>;

    fn len(&self) -> u64 {
        self.tail_at + self.tail.len() as u64
    }

    fn get_read(&self, place: u64) -> io::Result<Self::T> {
        let before = self.tail_at.saturating_sub(place);
        let tail = Cursor::new(self.tail_from(place));
        Ok(self.file.reader_at(place).take(before).chain(tail))
    }

    fn get_bytes(&self, place: u64, len: u64) -> io::Result<Bytes> {
        if place.checked_add(len).is_some_and(|end| end <= self.tail_at) {
            return self.file.bytes_at(place, len).map(Bytes::from);
        }
        let before = self.tail_at.saturating_sub(place);
        let mut tail = self.tail_from(place);
        let len = usize::try_from(len.saturating_sub(before)).map_err(io::Error::other)?;
        if len > tail.len() {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file is shorter"));
        }
        tail.truncate(len);
        if before == 0 {
            return Ok(tail);
        }
        let mut bytes = self.file.bytes_at(place, before)?;
        bytes.extend_from_slice(&tail);
        Ok(bytes.into())
    }
}
