//! The lines of a sealed batch, and parts of them.

use std::fmt;
use std::sync::Arc;
#[cfg(feature = "gzip")]
use std::sync::OnceLock;

use crate::line_protocol::text::line_ends;
#[cfg(feature = "gzip")]
use crate::write::batching::accounting::Permit;
#[cfg(feature = "gzip")]
use crate::write::gzip::DeflateBlocks;

/// The lines of a sealed batch, shared by the threads that send, compress or spool them.
pub(crate) struct SealedLines {
    bytes: Arc<Vec<u8>>,
    /// The lines compressed, with the permit for that, once they were asked for; `None` inside if there was no room.
    #[cfg(feature = "gzip")]
    compressed: OnceLock<Option<(DeflateBlocks, Permit)>>,
}

/// Some of the lines of a sealed batch, copied.
#[derive(Debug, Default, Eq, PartialEq)]
pub(crate) struct LineSubset {
    pub(crate) bytes: Vec<u8>,
    lines: usize,
}

impl SealedLines {
    pub(crate) fn new(bytes: Vec<u8>) -> Self {
        Self {
            bytes: Arc::new(bytes),
            #[cfg(feature = "gzip")]
            compressed: OnceLock::new(),
        }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The same bytes, not copied.
    pub(crate) fn shared_bytes(&self) -> Arc<Vec<u8>> {
        self.bytes.clone()
    }

    /// How many bytes are allocated beyond the lines.
    pub(crate) fn unused(&self) -> usize {
        self.bytes.capacity() - self.bytes.len()
    }

    /// The bytes, if this is their last owner.
    pub(crate) fn into_bytes(self) -> Option<Vec<u8>> {
        Arc::try_unwrap(self.bytes).ok()
    }

    /// The first half of the lines, of which there are `lines`, and the others.
    pub(crate) fn halves(&self, lines: usize) -> [LineSubset; 2] {
        let half = lines / 2;
        let cut = half.checked_sub(1).and_then(|last| line_ends(&self.bytes).nth(last));
        let (first, second) = self.bytes.split_at(cut.unwrap_or(0));
        [
            LineSubset { bytes: first.to_vec(), lines: half },
            LineSubset { bytes: second.to_vec(), lines: lines - half },
        ]
    }

    /// The lines that are not at the places `bad`, ascending from 0, and those that are.
    pub(crate) fn good_and_bad(&self, bad: &[usize]) -> [LineSubset; 2] {
        let mut parts = [LineSubset::default(), LineSubset::default()];
        let mut bad = bad.iter().peekable();
        let mut start = 0;
        for (place, end) in line_ends(&self.bytes).enumerate() {
            let is_bad = bad.next_if(|next| **next == place).is_some();
            let part = &mut parts[usize::from(is_bad)];
            part.bytes.extend_from_slice(&self.bytes[start..end]);
            part.lines += 1;
            start = end;
        }
        parts
    }

    /// The lines compressed, by `compress` if that was not done before. None if `compress` returned none, which is then
    /// remembered.
    #[cfg(feature = "gzip")]
    pub(crate) fn compressed(
        &self,
        compress: impl FnOnce(&[u8]) -> Option<(DeflateBlocks, Permit)>,
    ) -> Option<&DeflateBlocks> {
        let compressed = self.compressed.get_or_init(|| compress(&self.bytes));
        compressed.as_ref().map(|(segment, _)| segment)
    }
}

impl LineSubset {
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn lines(&self) -> usize {
        self.lines
    }
}

impl fmt::Debug for SealedLines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealedLines").field("bytes", &self.bytes.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subset(text: &str, lines: usize) -> LineSubset {
        LineSubset { bytes: text.as_bytes().to_vec(), lines }
    }

    #[test]
    fn bad_lines_are_parted_from_good_ones() {
        let sealed = SealedLines::new(b"a f=1 1\nb f=\"x\ny\" 2\nc f=1 3\n".to_vec());
        let parts = sealed.good_and_bad(&[1]);
        assert_eq!(parts, [subset("a f=1 1\nc f=1 3\n", 2), subset("b f=\"x\ny\" 2\n", 1)]);
        assert_eq!(sealed.good_and_bad(&[0, 1, 2])[0], LineSubset::default());
    }

    #[test]
    fn halves_are_cut_between_lines() {
        let sealed = SealedLines::new(b"a f=1 1\nb f=\"x\ny\" 2\nc f=1 3\n".to_vec());
        let halves = [subset("a f=1 1\n", 1), subset("b f=\"x\ny\" 2\nc f=1 3\n", 2)];
        assert_eq!(sealed.halves(3), halves);
    }
}
