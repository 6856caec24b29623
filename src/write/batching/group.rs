//! The batches that go as one request.

use std::sync::Arc;
use std::time::Instant;

use super::call_lines::Size;
use super::delivery::Delivery;
use super::send_queue::Waiting;
use crate::write::target::Target;

/// Batches of one shard and target that go as one request, in order; at least one.
#[derive(Debug)]
pub(super) struct Group {
    /// That of all of them.
    shard: usize,
    deliveries: Vec<Delivery>,
    size: Size,
    /// Whether it is to stay as it is: it is a part of something that was refused as a whole.
    is_fixed: bool,
    /// Whether the last try ended in a connection that was closed without an answer.
    pub(super) was_cut: bool,
    not_before: Option<Instant>,
}

impl Group {
    /// Adds the batches of another group behind its own, if they may go as one request of at most this size.
    ///
    /// # Errors
    /// The other group, if they may not.
    pub(super) fn merge(&mut self, other: Self, most: Size) -> Result<(), Self> {
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

    /// Takes out the second half of its batches, to go as a request of their own; none if there is only one batch. Both
    /// halves stay as they are then.
    pub(super) fn split_off(&mut self) -> Option<Self> {
        let first = self.deliveries.len() / 2;
        let second = (first > 0).then(|| Self::fixed(self.deliveries.split_off(first)))?;
        self.size = size_of(&self.deliveries);
        self.is_fixed = true;
        self.was_cut = false;
        Some(second)
    }

    /// A group that stays as it is.
    pub(super) fn fixed(deliveries: Vec<Delivery>) -> Self {
        Self { is_fixed: true, ..Self::of(deliveries) }
    }

    /// Has it wait, and then go alone if the connection was closed, for which its lines may be to blame.
    pub(super) fn wait(&mut self, not_before: Option<Instant>, was_cut: bool) {
        self.not_before = not_before;
        self.was_cut = was_cut;
        self.is_fixed |= was_cut;
    }

    /// Takes out the batches that `is_over` names.
    pub(super) fn take_if(
        &mut self,
        mut is_over: impl FnMut(&mut Delivery) -> bool,
    ) -> Vec<Delivery> {
        let taken: Vec<_> = self.deliveries.extract_if(.., |delivery| is_over(delivery)).collect();
        self.size = size_of(&self.deliveries);
        taken
    }

    pub(super) fn target(&self) -> &Arc<Target> {
        self.deliveries[0].target()
    }

    pub(super) fn size(&self) -> Size {
        self.size
    }

    /// Whether its lines are on the disk as well, or some of them.
    pub(super) fn is_on_disk(&self) -> bool {
        self.deliveries.iter().any(Delivery::is_on_disk)
    }

    pub(super) fn is_of_file(&self) -> bool {
        self.deliveries.iter().any(Delivery::is_of_file)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.deliveries.is_empty()
    }

    pub(super) fn deliveries(&self) -> &[Delivery] {
        &self.deliveries
    }

    pub(super) fn deliveries_mut(&mut self) -> &mut [Delivery] {
        &mut self.deliveries
    }

    pub(super) fn into_deliveries(self) -> Vec<Delivery> {
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
