//! The order in which lines were accepted.

/// The order of acceptance: by batch, and in it by line.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Order {
    pub(crate) batch: u64,
    /// The place of the first line in the batch.
    pub(crate) line: usize,
}
