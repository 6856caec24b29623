//! A process of a program.

use crate::write::spool::{DiskLease, DiskQueue};

/// A queue while a process has it.
pub(super) struct Process {
    pub(super) queue: DiskQueue,
    /// What was read and has not ended, with the numbers of its lines.
    pub(super) leased: Vec<(DiskLease, Vec<u64>)>,
    /// The number of the line that was read last, for each target.
    pub(super) last_read: Vec<Option<u64>>,
    /// How many lines that a process before has left were read.
    pub(super) former_read: u64,
    /// How many of those were dropped, or could not be read.
    pub(super) former_lost: u64,
}

impl Process {
    pub(super) fn new(queue: DiskQueue, targets: usize) -> Self {
        Self {
            queue,
            leased: Vec::new(),
            last_read: vec![None; targets],
            former_read: 0,
            former_lost: 0,
        }
    }
}
