//! Compressed bodies.

use std::io::Read;

use flate2::Compression;
use flate2::bufread::GzEncoder;

/// `bytes` as one gzip member: InfluxDB 3 Core 3.6 reads the first member of several and drops the others.
pub(crate) fn compress(bytes: &[u8]) -> Vec<u8> {
    let mut compressed = Vec::with_capacity(bytes.len() / 4);
    // Line protocol repeats itself so much that the fastest level is nearly as small as the others.
    let read = GzEncoder::new(bytes, Compression::fast()).read_to_end(&mut compressed);
    debug_assert!(read.is_ok(), "memory to memory");
    compressed
}
