use bytes::{Buf, Bytes};

/// The bytes of a prefix or a varint of the stream, gathered from one or more pieces.
#[derive(Default)]
pub(super) struct GatheredBytes {
    bytes: [u8; Self::MOST],
    count: usize,
}

impl GatheredBytes {
    /// What a varint of 64 bits takes. A prefix takes 5.
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

    /// Moves bytes from the beginning of `piece` here, one by one, until `is_whole` returns true: then `true`.
    /// `false` if the piece ends before, or if there are `most` bytes here, or as many as fit.
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
