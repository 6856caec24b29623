//! Compressed bodies.

use std::sync::{Mutex, MutexGuard, PoisonError};

use flate2::{Compress, Compression, FlushCompress, Status};

/// Compresses bodies. What that takes of memory, some hundred KiB, is kept for the next one.
#[derive(Default)]
pub(crate) struct Gzip {
    spare: Mutex<Vec<Compress>>,
}

impl Gzip {
    /// `bytes` as one gzip member: InfluxDB 3 Core 3.6 reads the first member of several and drops the others.
    ///
    /// `may_take` is asked for memory, and what it grants is allocated. None if it refuses, or the library does, for
    /// which memory to memory gives it no reason: such a body goes as it is.
    pub(crate) fn compress(
        &self,
        bytes: &[u8],
        mut may_take: impl FnMut(usize) -> bool,
    ) -> Option<Vec<u8>> {
        // Line protocol repeats itself so much that the fastest level is nearly as small as the others.
        let step = (bytes.len() / 4).max(LEAST);
        if !may_take(step) {
            return None;
        }
        let spare = self.spare().pop();
        let mut stream =
            spare.unwrap_or_else(|| Compress::new_gzip(Compression::fast(), WINDOW_BITS));
        let mut compressed = Vec::with_capacity(step);
        let is_whole = loop {
            let done = usize::try_from(stream.total_in()).unwrap_or(bytes.len());
            let rest = bytes.get(done..).unwrap_or_default();
            match stream.compress_vec(rest, &mut compressed, FlushCompress::Finish) {
                Ok(Status::StreamEnd) => break true,
                Ok(Status::Ok | Status::BufError) if may_take(step) => {
                    compressed.reserve_exact(step);
                }
                _ => break false,
            }
        };
        stream.reset();
        let mut spare = self.spare();
        if spare.len() < MOST_SPARE {
            spare.push(stream);
        }
        is_whole.then_some(compressed)
    }

    fn spare(&self) -> MutexGuard<'_, Vec<Compress>> {
        self.spare.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// 32 KiB, the largest window there is.
const WINDOW_BITS: u8 = 15;

/// How many threads at the same time find one that is kept.
const MOST_SPARE: usize = 4;

/// Room for the header and the trailer of the smallest body.
const LEAST: usize = 64;

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::bufread::GzDecoder;

    use super::*;

    #[test]
    fn bodies_of_any_size_are_one_member_each_one_after_the_other() {
        let gzip = Gzip::default();
        let mut noise = 1_u32;
        for size in [0, 1, 100, 60_000, 3, 1 << 20] {
            let bytes: Vec<u8> = (0..size)
                .map(|_| {
                    noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    noise.to_be_bytes()[0]
                })
                .collect();
            let compressed = gzip.compress(&bytes, |_| true).unwrap();
            let mut read = Vec::new();
            let mut decoder = GzDecoder::new(&compressed[..]);
            decoder.read_to_end(&mut read).unwrap();
            assert!(read == bytes && decoder.into_inner().is_empty(), "{size} bytes");
        }
    }
}
