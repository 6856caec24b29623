//! A sealed batch: it has one owner at a time and ends once.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use super::accounts::Accounts;
use super::ended::{Ended, Members};
use super::key::BatchKey;
use super::lease::DiskLease;
use super::open_batch::OpenBatch;
use super::sealed_lines::{LineSubset, SealedLines};
use super::tries::Tries;
use crate::Batch;
use crate::write::amount::Amount;
#[cfg(feature = "spool")]
use crate::write::batching::accounting::{Budget, Member};
use crate::write::batching::accounting::{End, Order, Permit};
use crate::write::target::Target;

/// A sealed batch, or a part of one, with what it holds: its lines, the permit for their memory, and its membership
/// in an epoch.
///
/// [`end`](Self::end) and [`divide`](Self::divide) consume it, so that each line is counted once. If it is dropped
/// before, as only a panic does, it ends as failed.
pub(crate) struct Delivery {
    order: Order,
    shard: usize,
    /// When its batch was opened, or read from the disk.
    since: Instant,
    key: BatchKey,
    lines: usize,
    sealed: Arc<SealedLines>,
    /// Not to be sent before this time; at any time if there is none.
    pub(crate) not_before: Option<Instant>,
    pub(crate) tries: Tries,
    /// None once it has ended or was divided.
    held: Option<Held>,
}

/// What a delivery holds until it ends.
struct Held {
    accounts: Arc<Accounts>,
    permit: Permit,
    members: Members,
}

impl Delivery {
    /// The delivery of a batch that is sealed.
    pub(crate) fn new(
        accounts: &Arc<Accounts>,
        open: OpenBatch,
        not_before: Option<Instant>,
    ) -> Self {
        let OpenBatch { shard, key, number, since, memory, lines, member, file_member } = open;
        let members = Members { client: member, _file: file_member, lease: None };
        let (bytes, permit) = memory.into_parts();
        let held = Held { accounts: accounts.clone(), permit, members };
        let order = Order { batch: number, line: 0 };
        let mut delivery = Self::of(order, key, lines, bytes, held);
        (delivery.shard, delivery.since, delivery.not_before) = (shard, since, not_before);
        delivery
    }

    fn of(order: Order, key: BatchKey, lines: usize, bytes: Vec<u8>, held: Held) -> Self {
        Self {
            order,
            shard: 0,
            since: Instant::now(),
            key,
            lines,
            sealed: Arc::new(SealedLines::new(bytes)),
            not_before: None,
            tries: Tries::default(),
            held: Some(held),
        }
    }

    /// Whether its lines are on the disk as well.
    pub(crate) fn is_on_disk(&self) -> bool {
        self.held.as_ref().is_some_and(|held| held.members.lease.is_some())
    }

    pub(crate) fn order(&self) -> Order {
        self.order
    }

    pub(crate) fn shard(&self) -> usize {
        self.shard
    }

    pub(crate) fn since(&self) -> Instant {
        self.since
    }

    pub(crate) fn target(&self) -> &Arc<Target> {
        &self.key.target
    }

    pub(crate) fn is_of_file(&self) -> bool {
        self.key.file.is_some()
    }

    pub(crate) fn sealed(&self) -> &Arc<SealedLines> {
        &self.sealed
    }

    pub(crate) fn lines(&self) -> usize {
        self.lines
    }

    pub(crate) fn bytes(&self) -> usize {
        self.sealed.bytes().len()
    }

    /// As callbacks and errors show it. The lines are not copied.
    pub(crate) fn batch(&self) -> Batch {
        let target = &self.key.target;
        Batch {
            attempts: self.tries.sent,
            ..target.batch_of(self.sealed.shared_bytes(), self.lines)
        }
    }

    /// Ends it: its lines are counted, and what it holds passes on to what is returned.
    pub(crate) fn end(mut self, end: End) -> Ended {
        match self.take_held(end) {
            Some(ended) => ended,
            // Only this method and `drop` take it, and each delivery meets only one of them.
            None => unreachable!("a delivery ended twice"),
        }
    }

    /// Two deliveries in its place, each of some of its lines, which `parts` are all together. Also the permit for
    /// memory that the two do not take any more: dropping it wakes threads, so that no lock may be held then.
    pub(crate) fn divide(mut self, parts: [LineSubset; 2]) -> ([Self; 2], Permit) {
        let Some(Held { accounts, mut permit, members }) = self.held.take() else {
            // Only what has ended holds nothing, and ending it consumes it.
            unreachable!("a delivery was divided after its end")
        };
        let [first, second] = parts;
        // `BATCH_COST` stays with the first part.
        let unused = self.sealed.unused();
        let freed = permit.split(unused);
        let second_permit = permit.split(second.bytes.len());
        let hold =
            |permit| Some(Held { accounts: accounts.clone(), permit, members: members.clone() });
        let (first_held, second_held) = (hold(permit), hold(second_permit));
        let after = Order { line: self.order.line + first.lines(), ..self.order };
        let part = |order, part: LineSubset, held| Self {
            order,
            shard: self.shard,
            since: self.since,
            key: self.key.clone(),
            lines: part.lines(),
            sealed: Arc::new(SealedLines::new(part.bytes)),
            not_before: None,
            tries: Tries { failures: 0, ..self.tries.clone() },
            held,
        };
        ([part(self.order, first, first_held), part(after, second, second_held)], freed)
    }

    fn take_held(&mut self, end: End) -> Option<Ended> {
        let Held { accounts, permit, members } = self.held.take()?;
        let amount = Amount::new(self.lines, self.bytes());
        if members.lease.as_ref().is_some_and(DiskLease::is_former) {
            accounts.ledger.count_former(end, amount);
        } else {
            accounts.ledger.count(end, amount);
        }
        Some(Ended {
            end,
            order: self.order,
            file: self.key.file.clone(),
            batch: self.batch(),
            line_errors: accounts.line_errors.clone(),
            sealed: self.sealed.clone(),
            permit,
            members,
        })
    }
}

#[cfg(feature = "spool")]
impl Delivery {
    /// Lines that were read from the disk. `member` is of an epoch that no flush waits for: the disk has its own
    /// account of what has ended.
    pub(crate) fn from_disk(
        accounts: &Arc<Accounts>,
        batch: crate::write::spool::DiskBatch,
        permit: Permit,
        member: Member,
    ) -> Self {
        let members = Members { client: member, _file: None, lease: Some(batch.lease) };
        let held = Held { accounts: accounts.clone(), permit, members };
        let order = Order { batch: batch.number, line: 0 };
        Self::of(
            order,
            BatchKey { target: batch.target, file: None },
            batch.lines,
            batch.bytes,
            held,
        )
    }

    /// Its lines were put on the disk, under `lease`. From here on it is a member of `member`'s epoch only, and its
    /// memory counts in `reads`, the budget of what is read from the disk, if that has room: it may stay in memory
    /// for long, which neither `flush` nor writers are to wait for. Returns what it held before, to be dropped where
    /// no lock is held.
    pub(crate) fn attach(
        &mut self,
        lease: DiskLease,
        member: Member,
        reads: &Arc<Budget>,
    ) -> Option<(Members, Option<Permit>)> {
        let held = self.held.as_mut()?;
        let members = Members { client: member, _file: None, lease: Some(lease) };
        let before = std::mem::replace(&mut held.members, members);
        let read = reads.try_acquire(held.permit.bytes());
        Some((before, read.map(|permit| std::mem::replace(&mut held.permit, permit))))
    }

    /// Leaves its lines on the disk, from where they are read again: they are not counted, as they have not ended.
    /// What is returned is to be dropped where no lock is held.
    pub(crate) fn leave_on_disk(mut self) -> Left {
        let held = self.held.take();
        if let Some(lease) = held.as_ref().and_then(|held| held.members.lease.as_ref()) {
            lease.leave();
        }
        Left(held)
    }
}

/// What a delivery held whose lines are left on the disk.
#[cfg(feature = "spool")]
pub(crate) struct Left(#[allow(dead_code)] Option<Held>); // what counts is when it is dropped

impl Drop for Delivery {
    fn drop(&mut self) {
        let Some(accounts) = self.held.as_ref().map(|held| held.accounts.clone()) else { return };
        if let Some(ended) = self.take_held(End::Failed) {
            accounts.abandon(ended);
        }
    }
}

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
pub(crate) mod tests {
    use std::time::Duration;

    use super::super::{BATCH_COST, BatchMemory};
    use super::*;
    use crate::Precision;
    use crate::config::Headers;
    use crate::write::answer::Api;
    use crate::write::batching::accounting::{Epoch, Member};

    /// A batch of one line of 8 bytes.
    pub(crate) fn delivery_of_one_line(
        accounts: &Arc<Accounts>,
        member: Member,
        not_before: Option<Instant>,
    ) -> Delivery {
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
        let mut memory = BatchMemory::new(accounts.budget.try_acquire(BATCH_COST).unwrap());
        assert!(memory.try_append(b"m f=1 1\n", 1000));
        let open = OpenBatch {
            shard: 0,
            key: BatchKey { target: Arc::new(target), file: None },
            number: 1,
            since: Instant::now(),
            memory,
            lines: 1,
            member,
            file_member: None,
        };
        Delivery::new(accounts, open, not_before)
    }

    #[test]
    fn a_delivery_that_is_dropped_ends_as_failed_and_keeps_its_epoch_until_that_is_told() {
        let accounts = Accounts::new(10_000, 0);
        let mut member = Epoch::start(1);
        let delivery = delivery_of_one_line(&accounts, member.clone(), None);
        let epoch = member.turn_over().epoch().clone();
        drop(delivery);
        let stats = accounts.ledger.stats(|| Amount::new(1, 8));
        assert_eq!((stats.failed.lines, stats.pending.lines), (1, 0));
        assert!(!epoch.is_over(), "a flush waits until the failure is recorded");
        let abandoned = accounts.take_abandoned();
        assert_eq!(abandoned[0].batch.line_protocol(), b"m f=1 1\n");
        drop(abandoned);
        assert!(epoch.is_over());
        assert_eq!(accounts.budget.used(), 0);
    }
}
