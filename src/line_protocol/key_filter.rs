/// A set of keys by their hashes, of fixed size: it may find a key that is not in it, and never misses one that is.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct KeyFilter(pub(crate) [u64; 3]);

impl KeyFilter {
    pub(crate) const EMPTY: Self = Self([0; 3]);

    /// Adds a key by its hash. Returns whether it may have been there.
    pub(crate) fn add(&mut self, hash: u64) -> bool {
        let (place, bit) = Self::place(hash);
        let Some(word) = self.0.get_mut(place) else { return true }; // one of three
        let was_there = *word & bit != 0;
        *word |= bit;
        was_there
    }

    /// The word and the bit of a key.
    #[inline(always)]
    pub(crate) fn place(hash: u64) -> (usize, u64) {
        // A third of 32 bits for each word; the lowest bits choose the bit.
        ((((hash & 0xffff_ffff) * 3) >> 32) as usize, 1 << (hash & 63))
    }

    /// Whether a key may be in both.
    #[inline]
    pub(crate) fn meets(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).any(|(a, b)| a & b != 0)
    }
}
