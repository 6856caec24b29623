//! Batches that go as one request.

use std::sync::Arc;
use std::time::Instant;

use super::sharded_queue::Waiting;
use crate::write::batching::batch::{Delivery, Size};
use crate::write::target::Target;

/// Batches of one shard and target that go as one request, in order; at least one.
#[derive(Debug)]
pub(crate) struct Group {
    /// The shard of all of them.
    shard: usize,
    deliveries: Vec<Delivery>,
    size: Size,
    /// Whether no more batches may be added: it is a part of a request that failed as a whole.
    is_fixed: bool,
    /// Whether the last try ended in a connection that was closed without an answer.
    pub(crate) was_cut: bool,
    not_before: Option<Instant>,
}

impl Group {
    /// Adds the batches of another group behind its own, if they are for the same target and no more than `most`
    /// together.
    ///
    /// # Errors
    /// The other group, if not.
    pub(crate) fn merge(&mut self, other: Self, most: Size) -> Result<(), Self> {
        let size = Size {
            lines: self.size.lines + other.size.lines,
            bytes: self.size.bytes + other.size.bytes,
        };
        let fits = size.lines <= most.lines && size.bytes <= most.bytes;
        if !fits || self.is_fixed || other.is_fixed || self.target() != other.target() {
            return Err(other);
        }
        self.size = size;
        self.deliveries.extend(other.deliveries);
        Ok(())
    }

    /// Takes out the second half of its batches as a group of their own; none if there is only one batch. No more
    /// batches are added to either half.
    pub(crate) fn split_off(&mut self) -> Option<Self> {
        let first = self.deliveries.len() / 2;
        let second = (first > 0).then(|| Self::fixed(self.deliveries.split_off(first)))?;
        self.size = size_of(&self.deliveries);
        self.is_fixed = true;
        self.was_cut = false;
        Some(second)
    }

    /// A group to which no more batches are added.
    pub(crate) fn fixed(deliveries: Vec<Delivery>) -> Self {
        Self { is_fixed: true, ..Self::of(deliveries) }
    }

    /// Has it wait until this time. If the connection was closed without an answer, no more batches are added, as its
    /// lines may be the cause.
    pub(crate) fn wait(&mut self, not_before: Option<Instant>, was_cut: bool) {
        self.not_before = not_before;
        self.was_cut = was_cut;
        self.is_fixed |= was_cut;
    }

    /// Takes out the batches for which `is_over` is true; the group may be empty then.
    pub(crate) fn take_if(
        &mut self,
        mut is_over: impl FnMut(&mut Delivery) -> bool,
    ) -> Vec<Delivery> {
        let taken: Vec<_> = self.deliveries.extract_if(.., |delivery| is_over(delivery)).collect();
        self.size = size_of(&self.deliveries);
        taken
    }

    /// Takes out its first batch; the group may be empty then.
    #[cfg(feature = "spool")]
    pub(crate) fn take_first(&mut self) -> Option<Delivery> {
        (!self.deliveries.is_empty()).then(|| {
            let first = self.deliveries.remove(0);
            self.size = size_of(&self.deliveries);
            first
        })
    }

    /// Puts a batch before its others that [`take_first`](Self::take_first) has taken out.
    #[cfg(feature = "spool")]
    pub(crate) fn put_first(&mut self, delivery: Delivery) {
        self.deliveries.insert(0, delivery);
        self.size = size_of(&self.deliveries);
    }

    /// Whether it waits for another try, and not for jitter.
    pub(crate) fn has_failed(&self) -> bool {
        self.deliveries.iter().any(|delivery| delivery.tries.failures > 0)
    }

    pub(crate) fn target(&self) -> &Arc<Target> {
        self.deliveries[0].target()
    }

    pub(crate) fn size(&self) -> Size {
        self.size
    }

    /// Whether the lines of one of its batches are on the disk as well.
    pub(crate) fn is_on_disk(&self) -> bool {
        self.deliveries.iter().any(Delivery::is_on_disk)
    }

    pub(crate) fn is_of_file(&self) -> bool {
        self.deliveries.iter().any(Delivery::is_of_file)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.deliveries.is_empty()
    }

    pub(crate) fn deliveries(&self) -> &[Delivery] {
        &self.deliveries
    }

    pub(crate) fn deliveries_mut(&mut self) -> &mut [Delivery] {
        &mut self.deliveries
    }

    pub(crate) fn into_deliveries(self) -> Vec<Delivery> {
        self.deliveries
    }

    fn of(deliveries: Vec<Delivery>) -> Self {
        Self {
            shard: deliveries.first().map_or(0, Delivery::shard),
            size: size_of(&deliveries),
            not_before: deliveries.iter().filter_map(|delivery| delivery.not_before).max(),
            deliveries,
            is_fixed: false,
            was_cut: false,
        }
    }
}

fn size_of(deliveries: &[Delivery]) -> Size {
    Size {
        lines: deliveries.iter().map(Delivery::lines).sum(),
        bytes: deliveries.iter().map(Delivery::bytes).sum(),
    }
}

impl From<Delivery> for Group {
    fn from(delivery: Delivery) -> Self {
        Self::of(vec![delivery])
    }
}

impl Waiting for Group {
    fn not_before(&self) -> Option<Instant> {
        self.not_before
    }

    fn end_wait(&mut self) {
        self.not_before = None;
    }

    fn shard(&self) -> usize {
        self.shard
    }
}
