//! The bytes of a file, read from their beginning as often as it takes.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::byte_counter::ByteCounter;
use super::unreadable;
use crate::{Error, Result};

/// The source of a file's bytes. As long as it is there, [`Input`]s can be opened, each of which begins at the first
/// byte; what a reader gives is kept in memory for that long.
#[derive(Debug)]
pub(crate) struct Origin<'a>(OriginKind<'a>);

#[derive(Debug)]
enum OriginKind<'a> {
    /// A regular file.
    Path(PathBuf),
    Reader(Rc<RefCell<Replay<'a>>>),
}

/// A reader, and what was read of it while it may be read again from the beginning.
struct Replay<'a> {
    reader: Box<dyn Read + 'a>,
    kept: Vec<u8>,
    /// The most bytes that are kept.
    limit: usize,
    /// The limit of kept bytes was exceeded: nothing more is read.
    is_over: bool,
}

impl<'a> Origin<'a> {
    /// The file at a path. If it is no regular file, such as a named pipe, it is a reader that keeps at most `limit`
    /// bytes.
    pub(crate) fn path(path: &Path, limit: usize) -> Result<Self> {
        let open = || {
            let metadata = std::fs::metadata(path)?;
            if metadata.is_dir() {
                return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a directory"));
            }
            (!metadata.is_file()).then(|| File::open(path)).transpose()
        };
        Ok(match open().map_err(cannot_open)? {
            None => Self(OriginKind::Path(path.to_owned())),
            Some(pipe) => Self::reader(Box::new(pipe), limit),
        })
    }

    /// The bytes of a reader, of which at most `limit` are kept.
    pub(crate) fn reader(reader: Box<dyn Read + 'a>, limit: usize) -> Self {
        let replay = Replay { reader, kept: Vec::new(), limit, is_over: false };
        Self(OriginKind::Reader(Rc::new(RefCell::new(replay))))
    }

    /// How many bytes there are, if that is known.
    pub(crate) fn len(&self) -> Option<u64> {
        match &self.0 {
            OriginKind::Path(path) => std::fs::metadata(path).ok().map(|metadata| metadata.len()),
            OriginKind::Reader(_) => None,
        }
    }

    /// Nothing more is to be opened, and so nothing more to be kept.
    ///
    /// # Errors
    /// The error of a reader of which more than the limit would have to be kept.
    pub(super) fn finish(self) -> Result<()> {
        match self.0 {
            OriginKind::Reader(replay) if replay.borrow().is_over => {
                Err(over(replay.borrow().limit))
            }
            _ => Ok(()),
        }
    }

    /// All bytes, at any place: those of a reader are in memory then.
    #[cfg(any(feature = "parquet", feature = "feather", feature = "orc"))]
    pub(super) fn random_access(&self) -> Result<super::random_access::RandomAccess> {
        use super::random_access::RandomAccess;
        let replay = match &self.0 {
            OriginKind::Path(path) => return RandomAccess::file(path).map_err(cannot_open),
            OriginKind::Reader(replay) => replay,
        };
        let limit = replay.borrow().limit;
        let mut input = Input::open(self)?;
        let mut bytes = Vec::new();
        match input.read_to_end(&mut bytes) {
            Ok(_) => Ok(RandomAccess::memory(bytes)),
            Err(_) if replay.borrow().is_over => Err(over(limit)),
            Err(error) => Err(cannot_open(error)),
        }
    }
}

/// Bytes from the first one on.
#[derive(Debug)]
pub(super) struct Input<'a> {
    from: InputSource<'a>,
    pub(super) counter: ByteCounter,
}

/// What an input reads from.
#[derive(Debug)]
enum InputSource<'a> {
    File(File),
    /// The bytes that were kept from this place on, and then those of the reader.
    Reader(Rc<RefCell<Replay<'a>>>, usize),
}

impl<'a> Input<'a> {
    pub(super) fn open(origin: &Origin<'a>) -> Result<Self> {
        let from = match &origin.0 {
            OriginKind::Path(path) => InputSource::File(File::open(path).map_err(cannot_open)?),
            OriginKind::Reader(replay) => InputSource::Reader(Rc::clone(replay), 0),
        };
        Ok(Self { from, counter: ByteCounter::default() })
    }

    /// The first bytes of an origin: fewer only if there are no more.
    pub(super) fn first(origin: &Origin<'a>, count: usize) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        Self::open(origin)?.take(count as u64).read_to_end(&mut bytes).map_err(cannot_open)?;
        Ok(bytes)
    }
}

impl Read for Input<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = match &mut self.from {
            InputSource::File(file) => file.read(buffer)?,
            InputSource::Reader(replay, place) => {
                // The origin is gone and there is no other input, so that nothing is read again and nothing need be kept.
                let is_last = Rc::strong_count(replay) == 1;
                replay.borrow_mut().read(place, is_last, buffer)?
            }
        };
        self.counter.add(count as u64);
        Ok(count)
    }
}

impl Replay<'_> {
    fn read(&mut self, place: &mut usize, is_last: bool, buffer: &mut [u8]) -> io::Result<usize> {
        let mut kept = self.kept.get(*place..).unwrap_or_default();
        if !kept.is_empty() {
            let count = kept.read(buffer)?;
            *place += count;
            return Ok(count);
        }
        if self.is_over {
            return Err(io::Error::other("more would have to be kept than may be"));
        }
        if is_last {
            self.kept = Vec::new();
            *place = 0;
            return self.reader.read(buffer);
        }
        let count = self.reader.read(buffer)?;
        if self.kept.len() + count > self.limit {
            self.is_over = true;
            return Err(io::Error::other("more would have to be kept than may be"));
        }
        self.kept.extend_from_slice(buffer.get(..count).unwrap_or_default());
        *place += count;
        Ok(count)
    }
}

impl std::fmt::Debug for Replay<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Replay").field("kept", &self.kept.len()).finish_non_exhaustive()
    }
}

fn cannot_open(error: io::Error) -> Error {
    unreadable(format!("it cannot be opened: {error}")).with_source(error)
}

fn over(limit: usize) -> Error {
    unreadable(format!(
        "it has more than the {limit} bytes that may be kept in memory: raise reader_limit(…), let infer_rows(…) \
         decide about the types of CSV and JSON, or write it to a file and that with write_file"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rest(mut input: Input<'_>) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        input.read_to_end(&mut bytes).map(|_| bytes)
    }

    #[test]
    fn a_reader_is_read_from_its_beginning_as_often_as_it_is_opened() {
        let origin = Origin::reader(Box::new(&b"abcdef"[..]), 6);
        assert_eq!(Input::first(&origin, 2).unwrap(), b"ab");
        let mut first = Input::open(&origin).unwrap();
        let mut two = [0; 4];
        first.read_exact(&mut two).unwrap();
        assert_eq!(rest(Input::open(&origin).unwrap()).unwrap(), b"abcdef");
        origin.finish().unwrap();
        assert_eq!(rest(first).unwrap(), b"ef");
    }

    #[test]
    fn nothing_is_kept_for_the_last_that_reads() {
        let origin = Origin::reader(Box::new(io::repeat(b'x').take(1 << 20)), 10);
        assert_eq!(Input::first(&origin, 8).unwrap(), b"xxxxxxxx");
        let input = Input::open(&origin).unwrap();
        origin.finish().unwrap();
        let InputSource::Reader(replay, _) = &input.from else { panic!() };
        let replay = Rc::downgrade(replay);
        assert_eq!(rest(input).unwrap().len(), 1 << 20);
        assert!(replay.upgrade().is_none());
    }

    #[test]
    fn more_than_may_be_kept_is_an_error_and_nothing_is_lost_in_silence() {
        let origin = Origin::reader(Box::new(io::repeat(b'x').take(100)), 10);
        let last = Input::open(&origin).unwrap();
        rest(Input::open(&origin).unwrap()).unwrap_err();
        assert!(origin.finish().unwrap_err().to_string().contains("reader_limit"));
        rest(last).unwrap_err();
    }
}
