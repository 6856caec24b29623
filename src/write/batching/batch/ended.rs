//! What is left of a delivery that has ended.

use std::fmt;
use std::sync::Arc;

use super::lease::DiskLease;
use super::memory::BatchMemory;
use super::sealed_lines::SealedLines;
use crate::Batch;
use crate::write::amount::Amount;
use crate::write::batching::accounting::{Budget, End, FileLedger, Member, Order, Permit};

/// What is left of a delivery that has ended and was counted. `flush` goes on waiting until this is dropped, which is
/// after callbacks were called and the failure, if it is one, was recorded.
pub(crate) struct Ended {
    pub(crate) end: End,
    pub(crate) order: Order,
    pub(crate) file: Option<Arc<FileLedger>>,
    pub(crate) batch: Batch,
    /// See [`Accounts::line_errors`](super::Accounts).
    pub(crate) line_errors: Arc<Budget>,
    pub(crate) sealed: Arc<SealedLines>,
    pub(crate) permit: Permit,
    pub(crate) members: Members,
}

/// What a batch keeps from ending: an epoch of the client, one of its file, and its lease of lines on the disk.
#[derive(Clone, Debug)]
pub(crate) struct Members {
    pub(crate) client: Member,
    pub(crate) _file: Option<Member>,
    pub(crate) lease: Option<DiskLease>,
}

impl Ended {
    pub(crate) fn amount(&self) -> Amount {
        Amount::new(self.batch.lines, self.batch.line_protocol.len())
    }

    /// The number of its epoch.
    pub(crate) fn epoch(&self) -> u64 {
        self.members.client.epoch().number()
    }

    /// Its lines do not count in the buffer any more, although they are still there: for lines that are dropped to
    /// make room.
    pub(crate) fn give_room_back(&mut self) {
        let all = self.permit.bytes();
        drop(self.permit.split(all));
    }

    /// Permits for `bytes` bytes: from what its lines have, what is free in the same budget, even if a call waits
    /// for it, and what `line_errors` has left. None if all that is less.
    pub(crate) fn permits(&mut self, bytes: usize) -> Option<[Permit; 2]> {
        let mut permit = self.permit.split(bytes);
        let missing = bytes - permit.bytes();
        let line_errors = &self.line_errors;
        if permit.grow_before_others(missing) {
            return Some([permit, line_errors.try_acquire(0)?]);
        }
        match line_errors.try_acquire(bytes - permit.bytes()) {
            Some(rest) => Some([permit, rest]),
            None => {
                self.permit.merge(permit);
                None
            }
        }
    }

    /// The lines with their permit, to be kept for the caller.
    pub(crate) fn keep(&mut self) -> (Batch, Permit) {
        let all = self.permit.bytes();
        (self.batch.clone(), self.permit.split(all))
    }

    /// Its memory, for another batch, if this is the last owner of the lines; and its memberships, to be dropped after
    /// the memory was given back.
    pub(crate) fn into_memory(self) -> (Option<BatchMemory>, Members) {
        let Self { batch, sealed, permit, members, .. } = self;
        drop(batch);
        let lines = Arc::try_unwrap(sealed).ok().and_then(SealedLines::into_bytes);
        let memory = lines.map(|mut lines| {
            lines.clear();
            BatchMemory::from_parts(lines, permit)
        });
        (memory, members)
    }
}

impl fmt::Debug for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ended")
            .field("end", &self.end)
            .field("order", &self.order)
            .field("batch", &self.batch)
            .finish_non_exhaustive()
    }
}
