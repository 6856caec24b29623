//! What is too short to be worth a copy, and may yet come in pieces.

use bytes::{Buf, Bytes};

/// A few bytes that are read as one: they may come in several pieces.
#[derive(Default)]
pub(super) struct Gathered {
    bytes: [u8; Self::MOST],
    count: usize,
}

impl Gathered {
    /// A number of 64 bits.
    const MOST: usize = 10;

    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }

    pub(super) fn is_full(&self) -> bool {
        self.count == Self::MOST
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.count]
    }

    /// Takes bytes, up to so many, until they are whole; `false` if they are not.
    pub(super) fn gather(
        &mut self,
        piece: &mut Bytes,
        most: usize,
        is_whole: impl Fn(&[u8]) -> bool,
    ) -> bool {
        while self.count < most.min(Self::MOST) && piece.has_remaining() {
            self.bytes[self.count] = piece.get_u8();
            self.count += 1;
            if is_whole(self.bytes()) {
                return true;
            }
        }
        false
    }
}
