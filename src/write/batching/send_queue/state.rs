//! What a send queue has under its lock.

use super::group::Group;
use super::in_flight::InFlight;
use super::phase::Phase;
use super::sharded_queue::ShardedQueue;
use crate::back_off::Random;
use crate::write::batching::accounting::Failures;
use crate::write::batching::batch::Size;

/// The batches that wait to be sent or are in flight, failures that were not reported yet, and whether the client is
/// closing.
#[derive(Debug)]
pub(crate) struct SendQueueState {
    /// Batches that are in memory only.
    pub(crate) memory: ShardedQueue<Group>,
    /// Batches that were read from the disk, or were put there while they were in flight.
    pub(crate) disk: ShardedQueue<Group>,
    /// Whether a batch of the disk is next, where memory and disk take turns.
    pub(super) is_disk_next: bool,
    /// The largest request of several batches; one batch goes however large it is.
    pub(crate) largest_request: Size,
    pub(crate) failures: Failures,
    pub(crate) phase: Phase,
    pub(crate) random: Random,
    pub(super) in_flight: InFlight,
}

impl SendQueueState {
    /// `width` is the most requests in flight at a time.
    pub(super) fn new(width: usize, largest_request: Size, memory: ShardedQueue<Group>) -> Self {
        Self {
            memory,
            disk: ShardedQueue::numbered_from(width == 1, FIRST_ON_DISK),
            is_disk_next: false,
            largest_request,
            failures: Failures::default(),
            phase: Phase::Open,
            random: Random::new(),
            in_flight: InFlight::new(width),
        }
    }

    /// Takes back the group of a request that was in flight; none if closing the client has taken it meanwhile.
    pub(crate) fn arrive(&mut self, number: u64) -> Option<Group> {
        queue_of(number, &mut self.memory, &mut self.disk).arrive(number)
    }

    /// Puts a group before all others of its queue.
    pub(crate) fn put_back(&mut self, group: Group) {
        if group.is_on_disk() {
            self.disk.put_back(group);
        } else {
            self.memory.put_back(group);
        }
    }
}

/// The queue, of the two of a state, that gave a request this number.
pub(crate) fn queue_of<'a>(
    number: u64,
    memory: &'a mut ShardedQueue<Group>,
    disk: &'a mut ShardedQueue<Group>,
) -> &'a mut ShardedQueue<Group> {
    if number > FIRST_ON_DISK { disk } else { memory }
}

/// Requests of the disk have higher numbers than this, so that a number identifies its queue.
const FIRST_ON_DISK: u64 = 1 << 63;
