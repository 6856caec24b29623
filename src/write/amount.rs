//! How much of something there is.

/// A number of lines, and their size.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Amount {
    /// How many lines.
    pub lines: u64,
    /// How many bytes of line protocol, newlines included.
    pub bytes: u64,
}

impl Amount {
    pub(crate) fn new(lines: usize, bytes: usize) -> Self {
        Self { lines: lines as u64, bytes: bytes as u64 }
    }
}

impl std::ops::AddAssign for Amount {
    fn add_assign(&mut self, other: Self) {
        self.lines += other.lines;
        self.bytes += other.bytes;
    }
}
