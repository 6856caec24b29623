//! The sealed batches of a client on their way to its workers: those that wait, and those in flight.

mod group;
mod in_flight;
mod phase;
mod request;
mod sharded_queue;
mod state;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_channel::Receiver;

pub(crate) use self::group::Group;
pub(crate) use self::phase::{Closing, Phase, Returned};
pub(crate) use self::request::Request;
pub(crate) use self::sharded_queue::ShardedQueue;
pub(crate) use self::state::{SendQueueState, queue_of};
use super::accounting::Order;
use super::batch::{Delivery, Size};
use crate::write::scheduler::WorkerSlots;
use crate::{Error, Result};

/// The receiving end of the client's channel of sealed batches, and everything that was taken out of it.
#[derive(Debug)]
pub(crate) struct SendQueue {
    inbox: Receiver<Delivery>,
    /// Limits how many workers send at a time.
    pub(crate) slots: Arc<WorkerSlots>,
    state: Mutex<SendQueueState>,
    /// Notified when the client is closed, or is to be closed earlier.
    pub(crate) closed: Condvar,
    /// Whether there are failures that were not reported yet, to be read without the lock.
    has_failures: AtomicBool,
    /// How many groups of what is on the disk wait or are in flight, to be read without the lock.
    disk_groups: AtomicUsize,
}

/// Which batches may be sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Sources {
    /// Those of the disk, which were accepted before all in memory; of those in memory only batches of files, which
    /// never go to the disk.
    DiskFirst,
    /// Those of the disk and those in memory, in turns.
    Both,
}

/// What waits and what is in flight.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    /// Batches that wait.
    pub(crate) queued: usize,
    /// Requests in flight.
    pub(crate) in_flight: usize,
    /// When the oldest of all these batches was opened.
    pub(crate) since: Option<Instant>,
}

impl SendQueue {
    /// `width` is the most requests in flight at a time. `largest_request` is how many lines and bytes of several
    /// batches go as one request; with zeros each batch is a request of its own.
    pub(crate) fn new(
        inbox: Receiver<Delivery>,
        width: usize,
        largest_request: Size,
        memory: ShardedQueue<Group>,
    ) -> Self {
        Self {
            inbox,
            slots: WorkerSlots::new(width),
            state: Mutex::new(SendQueueState::new(width, largest_request, memory)),
            closed: Condvar::new(),
            has_failures: AtomicBool::new(false),
            disk_groups: AtomicUsize::new(0),
        }
    }

    /// Takes the next request that may be sent now and keeps its batches in flight, until [`arrive`](Self::arrive) is
    /// called with its number. None if there is none, or the client is closed. `sources` is called under the lock.
    pub(crate) fn take(&self, now: Instant, sources: impl FnOnce() -> Sources) -> Option<Request> {
        let mut state = self.lock();
        if state.phase.is_closed() {
            return None;
        }
        let sources = sources();
        let is_closing = state.phase.closing().is_some();
        let largest = state.largest_request;
        let receive = || self.receive(is_closing);
        let merge = |first: &mut Group, next| first.merge(next, largest);
        let is_disk_first = sources == Sources::DiskFirst || state.is_disk_next;
        let from_disk = |state: &mut SendQueueState| state.disk.take(now, || None, merge);
        let from_memory = |state: &mut SendQueueState| match sources {
            Sources::Both => state.memory.take(now, receive, merge),
            Sources::DiskFirst => {
                state.memory.receive_all(receive);
                state.memory.take_wanted(now, Group::is_of_file)
            }
        };
        let mut group = if is_disk_first {
            from_disk(&mut state).or_else(|| from_memory(&mut state))?
        } else {
            from_memory(&mut state).or_else(|| from_disk(&mut state))?
        };
        state.is_disk_next = !group.is_on_disk();
        for delivery in group.deliveries_mut() {
            delivery.tries.sent += 1;
            delivery.tries.since.get_or_insert(now);
        }
        let mut timeout = group.target().timeout;
        if let Some(closing) = state.phase.closing() {
            timeout = timeout.min(closing.deadline.saturating_duration_since(now)).max(SHORTEST);
        }
        let has_failed = group.deliveries().iter().any(|one| one.tries.failures > 0);
        let batches = group.deliveries().iter();
        let batches =
            batches.map(|delivery| (delivery.sealed().clone(), delivery.lines())).collect();
        let (target, size, was_cut) = (group.target().clone(), group.size(), group.was_cut);
        let is_of_file = group.is_of_file();
        let number =
            if group.is_on_disk() { state.disk.send(group) } else { state.memory.send(group) };
        let round = state.in_flight.round();
        self.note(&state);
        Some(Request {
            number,
            target,
            batches,
            size,
            is_of_file,
            was_cut,
            has_failed,
            timeout,
            round,
        })
    }

    /// Adapts the number of requests that may be in flight to the result of one. Returns whether they are more than
    /// before: then the caller has to call workers.
    pub(crate) fn learn(&self, request: &Request, result: &Result<()>) -> bool {
        let mut state = self.lock();
        let before = state.in_flight.allowed();
        state.in_flight.note(request.round, result);
        let allowed = state.in_flight.allowed();
        self.slots.allow(allowed);
        drop(state);
        if allowed != before {
            log::debug!("{allowed} write requests at a time from now on, after {before}");
        }
        allowed > before
    }

    /// Takes back the batches of a request and calls `decide` with them, under the lock. None if they were taken
    /// meanwhile, as the client was closed.
    pub(crate) fn arrive<T>(
        &self,
        number: u64,
        decide: impl FnOnce(Group, &mut SendQueueState) -> T,
    ) -> Option<T> {
        let mut state = self.lock();
        let group = state.arrive(number)?;
        let result = decide(group, &mut state);
        self.note(&state);
        Some(result)
    }

    /// Calls `change` under the lock.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut SendQueueState) -> T) -> T {
        let mut state = self.lock();
        let result = change(&mut state);
        self.note(&state);
        result
    }

    /// The oldest batch in memory that waits and is of no file.
    pub(crate) fn oldest(&self) -> Option<Order> {
        let mut state = self.lock();
        self.receive_all(&mut state);
        let deliveries = state.memory.waiting().flat_map(Group::deliveries);
        deliveries.filter(|one| !one.is_of_file()).map(Delivery::order).min()
    }

    /// Takes out the batch of this order; none if it does not wait any more.
    pub(crate) fn take_waiting(&self, order: Order) -> Option<Delivery> {
        let is_it = |one: &mut Delivery| one.order() == order;
        let take = |group: &mut Group| group.take_if(is_it).pop();
        self.lock().memory.find_map(take, Group::is_empty)
    }

    /// Moves all batches of the channel to those that wait in memory, where they can be looked through.
    pub(crate) fn receive_all(&self, state: &mut SendQueueState) {
        let is_closing = state.phase.closing().is_some();
        state.memory.receive_all(|| self.receive(is_closing));
    }

    /// The next batch of the channel. A client that is closing does not wait for its jitter.
    fn receive(&self, is_closing: bool) -> Option<Group> {
        let mut delivery = self.inbox.try_recv().ok()?;
        delivery.not_before = delivery.not_before.filter(|_| !is_closing);
        Some(Group::from(delivery))
    }

    /// Whether a batch could be sent now. `sources` is called under the lock.
    pub(crate) fn has_work(&self, now: Instant, sources: impl FnOnce() -> Sources) -> bool {
        let state = self.lock();
        if state.phase.is_closed() {
            return false;
        }
        let in_memory = match sources() {
            Sources::Both => {
                !self.inbox.is_empty() && !state.memory.is_held_up(now) || state.memory.is_due(now)
            }
            // A batch in the channel may be one of a file: that is seen when it is taken out.
            Sources::DiskFirst => {
                !self.inbox.is_empty() || state.memory.is_wanted_due(now, Group::is_of_file)
            }
        };
        in_memory || state.disk.is_due(now)
    }

    /// Whether something is in the channel.
    #[cfg(feature = "spool")]
    pub(crate) fn has_sealed(&self) -> bool {
        !self.inbox.is_empty()
    }

    /// How many groups of what is on the disk wait or are in flight, as of the last change.
    #[cfg(feature = "spool")]
    pub(crate) fn disk_groups(&self) -> usize {
        self.disk_groups.load(Ordering::SeqCst)
    }

    /// Whether no batch in memory waits or is in flight.
    pub(crate) fn is_empty(&self) -> bool {
        self.lock().memory.is_empty() && self.inbox.is_empty()
    }

    /// How much waits and is in flight of what is in memory.
    pub(crate) fn load(&self) -> Load {
        let mut state = self.lock();
        self.receive_all(&mut state);
        let waiting = || state.memory.waiting().flat_map(Group::deliveries);
        let in_flight = state.memory.in_flight().flat_map(Group::deliveries);
        Load {
            queued: waiting().count(),
            in_flight: state.memory.in_flight().len(),
            since: waiting().chain(in_flight).map(Delivery::since).min(),
        }
    }

    /// How many batches in memory wait.
    #[cfg(feature = "gzip")]
    pub(crate) fn backlog(&self) -> usize {
        self.inbox.len() + self.lock().memory.waiting().count()
    }

    /// The next time at which there is something to do: a wait of a batch ends, or the client's time to close. Waits
    /// count only while a worker slot is free: otherwise a worker looks when its request is done. `sources` is called
    /// under the lock.
    pub(crate) fn next_due(&self, sources: impl FnOnce() -> Sources) -> Option<Instant> {
        let state = self.lock();
        let closing = state.phase.closing().filter(|closing| !closing.is_finishing);
        let deadline = closing.map(|closing| closing.deadline);
        let in_memory = match sources() {
            Sources::Both => state.memory.next_due(),
            // What is not sent at its time need not be looked at then: whoever did would come again at once.
            Sources::DiskFirst => state.memory.next_wanted_due(Group::is_of_file),
        };
        let due = in_memory.into_iter().chain(state.disk.next_due()).min();
        let due = due.filter(|_| self.slots.is_one_left());
        due.into_iter().chain(deadline).min()
    }

    /// Whether there is a failure that was not reported yet, as of the last change.
    pub(crate) fn has_failures(&self) -> bool {
        self.has_failures.load(Ordering::Acquire)
    }

    /// Takes the failures that were not reported yet and that no flush waits for.
    ///
    /// # Errors
    /// Those failures, as one; [`Closed`](crate::ErrorKind::Closed) once the client is closing, as then they are for
    /// `close`.
    pub(crate) fn fail_while_open(&self) -> Result<()> {
        let failure = self.change(|state| match state.phase {
            Phase::Open => Ok(state.failures.take_free()),
            _ => Err(Error::closed()),
        })?;
        failure.map_or(Ok(()), |failure| Err(failure.into_error()))
    }

    /// The same, for `close`.
    ///
    /// # Errors
    /// The failures, as one.
    pub(crate) fn fail_at_end(&self) -> Result<()> {
        let failure = self.change(|state| state.failures.take_free());
        failure.map_or(Ok(()), |failure| Err(failure.into_error()))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, SendQueueState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Updates what is read without the lock.
    fn note(&self, state: &SendQueueState) {
        self.has_failures.store(!state.failures.is_empty(), Ordering::Release);
        self.disk_groups.store(state.disk.len(), Ordering::SeqCst);
    }
}

/// The least time of a request: with none at all it would fail without being sent.
const SHORTEST: Duration = Duration::from_millis(1);

#[cfg(test)]
mod tests {
    use super::super::accounting::Epoch;
    use super::super::batch::{Accounts, delivery_of_one_line};
    use super::*;

    #[test]
    fn what_is_not_sent_at_its_time_is_no_reason_to_look_then() {
        let accounts = Accounts::new(10_000, 0);
        let (sealed, inbox) = crossbeam_channel::unbounded();
        let queue = SendQueue::new(inbox, 1, Size { lines: 0, bytes: 0 }, ShardedQueue::strict(1));
        let now = Instant::now();
        sealed.send(delivery_of_one_line(&accounts, Epoch::start(1), Some(now))).unwrap();
        queue.change(|state| queue.receive_all(state));
        assert_eq!(queue.next_due(|| Sources::Both), Some(now));
        // It is sent after what is on the disk: whoever came at its time would come again at once, and so on.
        assert_eq!(queue.next_due(|| Sources::DiskFirst), None);
        assert!(!queue.has_work(now, || Sources::DiskFirst));
        drop(queue.lock().memory.take_all());
    }
}
