//! A sealed batch on its way: one value, one owner, one end.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use super::body::{Body, Piece};
#[cfg(feature = "spool")]
use super::budget::Budget;
use super::budget::Permit;
use super::ended::{Ended, Members};
#[cfg(feature = "spool")]
use super::epoch::Member;
use super::ledger::End;
use super::open_batches::{Key, OpenBatch};
use super::order::Order;
use super::shared::Shared;
use super::spooling::Ticket;
use crate::write::amount::Amount;
use crate::write::target::Target;
use crate::{Batch, Error};

/// A sealed batch, or a piece of one, with everything that it holds: memory, its permit, its place in its epoch.
///
/// Whoever owns it may [`end`](Self::end) it or divide it, and nobody else. If it is dropped before, which only a panic
/// does, it ends as failed.
pub(super) struct Delivery {
    order: Order,
    shard: usize,
    /// When its batch was begun.
    since: Instant,
    key: Key,
    lines: usize,
    body: Arc<Body>,
    /// Not to be sent before.
    pub(super) not_before: Option<Instant>,
    pub(super) tries: Tries,
    /// None once it has ended.
    held: Option<Held>,
}

struct Held {
    shared: Arc<Shared>,
    permit: Permit,
    members: Members,
}

/// What a batch has been through.
#[derive(Clone, Debug, Default)]
pub(super) struct Tries {
    /// How many times it was sent.
    pub(super) sent: u32,
    /// How many times that failed since it was cut, if it was.
    pub(super) failures: u32,
    /// When it was first sent.
    pub(super) since: Option<Instant>,
    /// Whether one of the tries may have stored it all the same.
    pub(super) in_doubt: bool,
    /// Why the last try failed.
    pub(super) why: Option<Arc<Error>>,
    pub(super) search: Search,
}

/// How many more requests the search for the bad lines of a batch may take. Its pieces share it.
#[derive(Clone, Debug, Default)]
pub(super) struct Search(Option<Arc<AtomicU32>>);

impl Delivery {
    pub(super) fn new(shared: &Arc<Shared>, open: OpenBatch, not_before: Option<Instant>) -> Self {
        let OpenBatch { shard, key, number, since, memory, lines, member, file_member } = open;
        let members = Members { client: member, _file: file_member, ticket: None };
        let (bytes, permit) = memory.into_parts();
        let held = Held { shared: shared.clone(), permit, members };
        let order = Order { batch: number, line: 0 };
        let mut delivery = Self::of(order, key, lines, bytes, held);
        (delivery.shard, delivery.since, delivery.not_before) = (shard, since, not_before);
        delivery
    }

    fn of(order: Order, key: Key, lines: usize, bytes: Vec<u8>, held: Held) -> Self {
        Self {
            order,
            shard: 0,
            since: Instant::now(),
            key,
            lines,
            body: Arc::new(Body::new(bytes)),
            not_before: None,
            tries: Tries::default(),
            held: Some(held),
        }
    }

    /// Whether its lines are on the disk as well.
    pub(super) fn is_on_disk(&self) -> bool {
        self.held.as_ref().is_some_and(|held| held.members.ticket.is_some())
    }

    pub(super) fn order(&self) -> Order {
        self.order
    }

    pub(super) fn shard(&self) -> usize {
        self.shard
    }

    pub(super) fn since(&self) -> Instant {
        self.since
    }

    pub(super) fn target(&self) -> &Arc<Target> {
        &self.key.target
    }

    pub(super) fn is_of_file(&self) -> bool {
        self.key.file.is_some()
    }

    pub(super) fn body(&self) -> &Arc<Body> {
        &self.body
    }

    pub(super) fn lines(&self) -> usize {
        self.lines
    }

    pub(super) fn bytes(&self) -> usize {
        self.body.lines().len()
    }

    /// As callbacks see it. The lines are not copied.
    pub(super) fn batch(&self) -> Batch {
        let target = &self.key.target;
        Batch { attempts: self.tries.sent, ..target.batch_of(self.body.shared_lines(), self.lines) }
    }

    /// Ends it, and counts it.
    pub(super) fn end(mut self, end: End) -> Ended {
        match self.take_held(end) {
            Some(ended) => ended,
            // Only this method and `drop` take it, and neither comes after the other.
            None => unreachable!("a delivery ended twice"),
        }
    }

    /// Two in place of one, and the permit for what they do not take any more, to be dropped where no lock is held.
    /// `pieces` are its lines in another order or in the same.
    pub(super) fn divide(mut self, pieces: [Piece; 2]) -> ([Self; 2], Permit) {
        let Some(Held { shared, mut permit, members }) = self.held.take() else {
            // Only what has ended holds nothing, and ending it consumes it.
            unreachable!("a delivery was divided after its end")
        };
        let [first, second] = pieces;
        // What the batch takes besides its lines goes with the first piece.
        let unused = self.body.unused();
        let freed = permit.split(unused);
        let second_permit = permit.split(second.bytes.len());
        let hold = |permit| Some(Held { shared: shared.clone(), permit, members: members.clone() });
        let (first_held, second_held) = (hold(permit), hold(second_permit));
        let after = Order { line: self.order.line + first.lines(), ..self.order };
        let piece = |order, piece: Piece, held| Self {
            order,
            shard: self.shard,
            since: self.since,
            key: self.key.clone(),
            lines: piece.lines(),
            body: Arc::new(Body::new(piece.bytes)),
            not_before: None,
            tries: Tries { failures: 0, ..self.tries.clone() },
            held,
        };
        ([piece(self.order, first, first_held), piece(after, second, second_held)], freed)
    }

    fn take_held(&mut self, end: End) -> Option<Ended> {
        let Held { shared, permit, members } = self.held.take()?;
        let amount = Amount::new(self.lines, self.bytes());
        if members.ticket.as_ref().is_some_and(Ticket::is_former) {
            shared.ledger.count_former(end, amount);
        } else {
            shared.ledger.count(end, amount);
        }
        Some(Ended {
            end,
            order: self.order,
            file: self.key.file.clone(),
            batch: self.batch(),
            line_errors: shared.line_errors.clone(),
            body: self.body.clone(),
            permit,
            members,
        })
    }
}

#[cfg(feature = "spool")]
impl Delivery {
    /// Lines that come from the disk. `member` is of an epoch that nobody waits for.
    pub(super) fn from_disk(
        shared: &Arc<Shared>,
        batch: crate::write::spool::DiskBatch,
        permit: Permit,
        member: Member,
    ) -> Self {
        let members = Members { client: member, _file: None, ticket: Some(batch.ticket) };
        let held = Held { shared: shared.clone(), permit, members };
        let order = Order { batch: batch.number, line: 0 };
        Self::of(order, Key { target: batch.target, file: None }, batch.lines, batch.bytes, held)
    }

    /// Its lines were put on the disk; nobody waits for it any more but as `member` says. As it stays until the server takes
    /// it, its memory counts with what is read from there, if there is room, so that nobody waits for that either. What it
    /// was a member of before, and its permit, are to be dropped where no lock is held.
    pub(super) fn attach(
        &mut self,
        ticket: Ticket,
        member: Member,
        reads: &Arc<Budget>,
    ) -> Option<(Members, Option<Permit>)> {
        let held = self.held.as_mut()?;
        let members = Members { client: member, _file: None, ticket: Some(ticket) };
        let before = std::mem::replace(&mut held.members, members);
        let read = reads.try_acquire(held.permit.bytes());
        Some((before, read.map(|permit| std::mem::replace(&mut held.permit, permit))))
    }

    /// Its lines are on the disk, where they wait for somebody else: it does not end here. What it held is to be dropped where
    /// no lock is held.
    pub(super) fn leave_on_disk(mut self) -> Left {
        let held = self.held.take();
        if let Some(ticket) = held.as_ref().and_then(|held| held.members.ticket.as_ref()) {
            ticket.leave();
        }
        Left(held)
    }
}

/// What is left of a delivery whose lines are on the disk.
#[cfg(feature = "spool")]
pub(super) struct Left(#[allow(dead_code)] Option<Held>); // what counts is when it is dropped

impl Drop for Delivery {
    fn drop(&mut self) {
        let Some(shared) = self.held.as_ref().map(|held| held.shared.clone()) else { return };
        if let Some(ended) = self.take_held(End::Failed) {
            shared.abandon(ended);
        }
    }
}

impl Search {
    /// Takes one request of it; false if none is left.
    pub(super) fn take_one(&mut self) -> bool {
        let left = self.0.get_or_insert_with(|| Arc::new(AtomicU32::new(SEARCH_REQUESTS)));
        let take = |left: u32| left.checked_sub(1);
        left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok()
    }
}

/// The most times that one batch and its pieces are cut for their bad lines: enough for about ten of a thousand lines. If
/// more are bad, the data is, and the rest is given up rather than sent piece by piece.
pub(super) const SEARCH_REQUESTS: u32 = 100;

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery")
            .field("order", &self.order)
            .field("lines", &self.lines)
            .field("not_before", &self.not_before)
            .field("tries", &self.tries)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::epoch::Epoch;
    use super::super::open_batches::BatchMemory;
    use super::super::shared::BATCH_COST;
    use super::*;
    use crate::Precision;
    use crate::config::Headers;
    use crate::write::answer::Api;

    #[test]
    fn a_delivery_that_is_dropped_ends_as_failed_and_keeps_its_epoch_until_that_is_told() {
        let shared = Shared::new(10_000, 0);
        let target = Target {
            database: Arc::from("d"),
            organization: Arc::from(""),
            precision: Precision::Nanosecond,
            api: Api::V2,
            no_sync: false,
            accept_partial: true,
            headers: Headers::default(),
            timeout: Duration::from_secs(1),
        };
        let mut memory = BatchMemory::new(shared.budget.try_acquire(BATCH_COST).unwrap());
        assert!(memory.try_append(b"m f=1 1\n", 1000));
        let mut member = Epoch::start(1);
        let open = OpenBatch {
            shard: 0,
            key: Key { target: Arc::new(target), file: None },
            number: 1,
            since: Instant::now(),
            memory,
            lines: 1,
            member: member.clone(),
            file_member: None,
        };
        let delivery = Delivery::new(&shared, open, None);
        let epoch = member.turn_over().epoch().clone();
        drop(delivery);
        let stats = shared.ledger.stats(|| Amount::new(1, 8));
        assert_eq!((stats.failed.lines, stats.pending.lines), (1, 0));
        assert!(!epoch.is_over(), "a flush waits until the failure is recorded");
        let abandoned = shared.take_abandoned();
        assert_eq!(abandoned[0].batch.line_protocol(), b"m f=1 1\n");
        drop(abandoned);
        assert!(epoch.is_over());
        assert_eq!(shared.budget.used(), 0);
    }
}
