//! The lines of a sealed batch.

use std::fmt;
use std::sync::{Arc, OnceLock};

#[cfg(feature = "gzip")]
use super::budget::Permit;
use crate::line_protocol::text::line_ends;
#[cfg(feature = "gzip")]
use crate::write::gzip::Segment;

/// The lines of a batch, and what they are compressed.
pub(super) struct Body {
    lines: Arc<Vec<u8>>,
    #[cfg(feature = "gzip")]
    compressed: OnceLock<Option<(Segment, Permit)>>,
    #[cfg(not(feature = "gzip"))]
    _compressed: OnceLock<()>,
}

/// Some of the lines of a delivery.
#[derive(Debug, Default, Eq, PartialEq)]
pub(super) struct Piece {
    pub(super) bytes: Vec<u8>,
    lines: usize,
}

impl Body {
    pub(super) fn new(bytes: Vec<u8>) -> Self {
        Self {
            lines: Arc::new(bytes),
            #[cfg(feature = "gzip")]
            compressed: OnceLock::new(),
            #[cfg(not(feature = "gzip"))]
            _compressed: OnceLock::new(),
        }
    }

    pub(super) fn lines(&self) -> &[u8] {
        &self.lines
    }

    /// The same, for others to have as well.
    pub(super) fn shared_lines(&self) -> Arc<Vec<u8>> {
        self.lines.clone()
    }

    /// What it has allocated beyond its lines.
    pub(super) fn unused(&self) -> usize {
        self.lines.capacity() - self.lines.len()
    }

    /// Its memory, if nobody else has the lines.
    pub(super) fn into_lines(self) -> Option<Vec<u8>> {
        Arc::try_unwrap(self.lines).ok()
    }

    /// The first half of `lines` lines, and the others.
    pub(super) fn halves(&self, lines: usize) -> [Piece; 2] {
        let half = lines / 2;
        let cut = half.checked_sub(1).and_then(|last| line_ends(&self.lines).nth(last));
        let (first, second) = self.lines.split_at(cut.unwrap_or(0));
        [
            Piece { bytes: first.to_vec(), lines: half },
            Piece { bytes: second.to_vec(), lines: lines - half },
        ]
    }

    /// The lines that are not at the places `bad`, ascending from 0, and those that are.
    pub(super) fn good_and_bad(&self, bad: &[usize]) -> [Piece; 2] {
        let mut pieces = [Piece::default(), Piece::default()];
        let mut bad = bad.iter().peekable();
        let mut start = 0;
        for (place, end) in line_ends(&self.lines).enumerate() {
            let is_bad = bad.next_if(|next| **next == place).is_some();
            let piece = &mut pieces[usize::from(is_bad)];
            piece.bytes.extend_from_slice(&self.lines[start..end]);
            piece.lines += 1;
            start = end;
        }
        pieces
    }

    /// The lines as a segment of a compressed body, made by `compress` if that was not done before. None if it could not
    /// be.
    #[cfg(feature = "gzip")]
    pub(super) fn compressed(
        &self,
        compress: impl FnOnce(&[u8]) -> Option<(Segment, Permit)>,
    ) -> Option<&Segment> {
        let compressed = self.compressed.get_or_init(|| compress(&self.lines));
        compressed.as_ref().map(|(segment, _)| segment)
    }
}

impl Piece {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn lines(&self) -> usize {
        self.lines
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body").field("bytes", &self.lines.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(text: &str, lines: usize) -> Piece {
        Piece { bytes: text.as_bytes().to_vec(), lines }
    }

    #[test]
    fn bad_lines_are_parted_from_good_ones() {
        let body = Body::new(b"a f=1 1\nb f=\"x\ny\" 2\nc f=1 3\n".to_vec());
        let pieces = body.good_and_bad(&[1]);
        assert_eq!(pieces, [piece("a f=1 1\nc f=1 3\n", 2), piece("b f=\"x\ny\" 2\n", 1)]);
        assert_eq!(body.good_and_bad(&[0, 1, 2])[0], Piece::default());
    }

    #[test]
    fn halves_are_cut_between_lines() {
        let body = Body::new(b"a f=1 1\nb f=\"x\ny\" 2\nc f=1 3\n".to_vec());
        let halves = [piece("a f=1 1\n", 1), piece("b f=\"x\ny\" 2\nc f=1 3\n", 2)];
        assert_eq!(body.halves(3), halves);
    }
}
