//! What is left of a delivery that has ended.

use std::fmt;
use std::sync::Arc;

use super::body::Body;
use super::budget::{Budget, Permit};
use super::epoch::Member;
use super::file_ledger::FileLedger;
use super::ledger::End;
use super::open_batches::BatchMemory;
use super::order::Order;
use super::spooling::Ticket;
use crate::Batch;
use crate::write::amount::Amount;

/// What is left of a delivery that has ended. Its batch counts for `flush` until this is dropped, after its callbacks.
pub(super) struct Ended {
    pub(super) end: End,
    pub(super) order: Order,
    pub(super) file: Option<Arc<FileLedger>>,
    pub(super) batch: Batch,
    /// What is set aside for what is wrong with single lines.
    pub(super) line_errors: Arc<Budget>,
    pub(super) body: Arc<Body>,
    pub(super) permit: Permit,
    pub(super) members: Members,
}

/// What it keeps from being over: the epoch of the client, that of the file, and its place on the disk, if it has one.
#[derive(Clone, Debug)]
pub(super) struct Members {
    pub(super) client: Member,
    pub(super) _file: Option<Member>,
    pub(super) ticket: Option<Ticket>,
}

impl Ended {
    pub(super) fn amount(&self) -> Amount {
        Amount::new(self.batch.lines, self.batch.line_protocol.len())
    }

    /// The number of its epoch.
    pub(super) fn epoch(&self) -> u64 {
        self.members.client.epoch().number()
    }

    /// Its lines do not count in the buffer any more.
    pub(super) fn give_room_back(&mut self) {
        let all = self.permit.bytes();
        drop(self.permit.split(all));
    }

    /// Permits for so many bytes, of what its lines had, what is free, whoever waits for it, or what is set aside for this;
    /// none if there are not so many.
    pub(super) fn permits(&mut self, bytes: usize) -> Option<[Permit; 2]> {
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

    /// What remains if its lines are kept for the caller: they, and the permit for them.
    pub(super) fn keep(&mut self) -> (Batch, Permit) {
        let all = self.permit.bytes();
        (self.batch.clone(), self.permit.split(all))
    }

    /// Its memory, for another batch, if nobody has its lines any more; and its membership, to be dropped behind it.
    pub(super) fn into_memory(self) -> (Option<BatchMemory>, Members) {
        let Self { batch, body, permit, members, .. } = self;
        drop(batch);
        let lines = Arc::try_unwrap(body).ok().and_then(Body::into_lines);
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
