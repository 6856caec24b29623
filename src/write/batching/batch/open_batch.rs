//! A batch that takes more lines.

use std::time::Instant;

use super::key::BatchKey;
use super::memory::BatchMemory;
use super::size::Size;
use crate::write::batching::accounting::Member;

/// A batch that takes more lines.
#[derive(Debug)]
pub(crate) struct OpenBatch {
    pub(crate) shard: usize,
    pub(crate) key: BatchKey,
    /// Batches are numbered in the order in which they were opened, which is that of acceptance.
    pub(crate) number: u64,
    /// When it was opened.
    pub(crate) since: Instant,
    pub(crate) memory: BatchMemory,
    /// How many lines are in `memory`.
    pub(crate) lines: usize,
    /// A member of the epoch that the next `flush` waits for.
    pub(crate) member: Member,
    /// A member of the epoch that the writer of the file waits for; none if the lines are of no file.
    pub(crate) file_member: Option<Member>,
}

impl OpenBatch {
    /// How many more lines and bytes it takes, where `full` is the size at which a batch is full.
    pub(crate) fn room(&self, full: Size) -> Size {
        Size {
            lines: full.lines.saturating_sub(self.lines),
            bytes: full.bytes.saturating_sub(self.memory.len()),
        }
    }
}
