//! Compressed request bodies: one gzip member each, of parts that can be compressed apart from each other.

use std::sync::{Mutex, MutexGuard, PoisonError};

use flate2::{Compress, Compression, Crc, FlushCompress, Status};

/// Compresses lines. The state that this takes, some hundred KiB, is kept for the next time.
#[derive(Default)]
pub(crate) struct Gzip {
    spare: Mutex<Vec<Compress>>,
}

/// A part of a member: deflate blocks that end at a byte and refer to nothing before them, and the checksum of what
/// they hold.
pub(crate) struct DeflateBlocks {
    blocks: Vec<u8>,
    crc: Crc,
}

/// What stands before and behind the blocks of a member.
pub(crate) struct GzipMember {
    trailer: [u8; 10],
}

impl Gzip {
    /// `bytes` as a part of a member.
    ///
    /// `may_take` is asked for memory, and what it grants is allocated. None if it refuses, or the library does, for
    /// which memory to memory gives it no reason: such a body goes as it is.
    pub(crate) fn compress(
        &self,
        bytes: &[u8],
        mut may_take: impl FnMut(usize) -> bool,
    ) -> Option<DeflateBlocks> {
        // Line protocol repeats itself so much that the fastest level is nearly as small as the others.
        let step = (bytes.len() / 4).max(LEAST);
        if !may_take(step) {
            return None;
        }
        let spare = self.spare().pop();
        let mut stream = spare.unwrap_or_else(|| Compress::new(Compression::fast(), false));
        let mut blocks = Vec::with_capacity(step);
        let is_whole = loop {
            let done = usize::try_from(stream.total_in()).unwrap_or(bytes.len());
            let rest = bytes.get(done..).unwrap_or_default();
            // As zlib has it, a flush is complete when it leaves room in the output.
            match stream.compress_vec(rest, &mut blocks, FlushCompress::Sync) {
                Ok(Status::Ok | Status::BufError) if blocks.len() < blocks.capacity() => {
                    break true;
                }
                Ok(Status::Ok | Status::BufError) if may_take(step) => blocks.reserve_exact(step),
                _ => break false,
            }
        };
        // One that stopped in the middle has something left that it would put before the next body.
        if is_whole {
            stream.reset();
            let mut spare = self.spare();
            if spare.len() < MOST_SPARE {
                spare.push(stream);
            }
        }
        let mut crc = Crc::new();
        crc.update(bytes);
        is_whole.then_some(DeflateBlocks { blocks, crc })
    }

    fn spare(&self) -> MutexGuard<'_, Vec<Compress>> {
        self.spare.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl DeflateBlocks {
    pub(crate) fn blocks(&self) -> &[u8] {
        &self.blocks
    }

    /// What it has allocated.
    pub(crate) fn capacity(&self) -> usize {
        self.blocks.capacity()
    }

    pub(crate) fn shrink(&mut self) {
        self.blocks.shrink_to_fit();
    }
}

impl GzipMember {
    /// One member of all these blocks: InfluxDB 3 Core 3.6 reads the first member of several and drops the others.
    pub(crate) fn of<'p>(parts: impl IntoIterator<Item = &'p DeflateBlocks>) -> Self {
        let mut crc = Crc::new();
        for part in parts {
            crc.combine(&part.crc);
        }
        let mut trailer = [0; 10];
        trailer[..2].copy_from_slice(&LAST_BLOCK);
        trailer[2..6].copy_from_slice(&crc.sum().to_le_bytes());
        trailer[6..].copy_from_slice(&crc.amount().to_le_bytes());
        Self { trailer }
    }

    pub(crate) fn header(&self) -> &'static [u8] {
        &HEADER
    }

    pub(crate) fn trailer(&self) -> &[u8] {
        &self.trailer
    }
}

/// RFC 1952: the magic number, deflate, no flags, no time, no extra flags, an unknown system.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];

/// RFC 1951: a last block of fixed codes that is empty, as no part has a last block.
const LAST_BLOCK: [u8; 2] = [3, 0];

/// How many threads at the same time find one that is kept.
const MOST_SPARE: usize = 4;

/// Room for what flushing an empty body takes.
const LEAST: usize = 64;

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::bufread::GzDecoder;

    use super::*;

    fn noise(size: usize) -> Vec<u8> {
        let mut noise = 1_u32;
        let mut next = || {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            noise.to_be_bytes()[0]
        };
        (0..size).map(|_| next()).collect()
    }

    #[test]
    fn segments_of_any_size_make_one_member() {
        let gzip = Gzip::default();
        let sizes = [0, 1, 100, 60_000, 3, 1 << 20];
        for count in 1..=sizes.len() {
            let bodies: Vec<_> = sizes[..count].iter().map(|size| noise(*size)).collect();
            let segments: Vec<_> =
                bodies.iter().map(|body| gzip.compress(body, |_| true).unwrap()).collect();
            let frame = GzipMember::of(&segments);
            let blocks = segments.iter().map(DeflateBlocks::blocks);
            let member: Vec<&[u8]> =
                [frame.header()].into_iter().chain(blocks).chain([frame.trailer()]).collect();
            let member = member.concat();
            let mut read = Vec::new();
            let mut decoder = GzDecoder::new(&member[..]);
            decoder.read_to_end(&mut read).unwrap();
            assert!(read == bodies.concat() && decoder.into_inner().is_empty(), "{count} segments");
        }
    }

    #[test]
    fn no_more_is_allocated_than_was_granted() {
        let gzip = Gzip::default();
        let body = noise(100_000);
        let mut granted = 0;
        let segment = gzip.compress(&body, |bytes| {
            granted += bytes;
            true
        });
        assert!(segment.unwrap().capacity() <= granted);
        assert!(gzip.compress(&body, |_| false).is_none());
        let mut grants = 2;
        let few = gzip.compress(&body, |_| {
            grants -= 1;
            grants >= 0
        });
        assert!(few.is_none(), "noise does not fit into a quarter");
        // What was left in the stream is not in the next body.
        let segment = gzip.compress(b"abc", |_| true).unwrap();
        let frame = GzipMember::of([&segment]);
        let member = [frame.header(), segment.blocks(), frame.trailer()].concat();
        let mut text = String::new();
        GzDecoder::new(&member[..]).read_to_string(&mut text).unwrap();
        assert_eq!(text, "abc");
    }
}
