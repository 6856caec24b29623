//! The way of a client's sealed batches to its workers.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_channel::Receiver;

use super::body::Body;
use super::call_lines::Size;
use super::closing::Phase;
use super::delivery::Delivery;
use super::failures::Failures;
use super::group::Group;
use super::in_flight::{InFlight, Round};
use super::order::Order;
use super::retry::Random;
use super::send_queue::{SendQueue, Waiting};
use super::tokens::Tokens;
use crate::write::target::Target;
use crate::{Error, Result};

/// The receiving end of the client's channel, and everything that was taken out of it.
#[derive(Debug)]
pub(super) struct Lane {
    inbox: Receiver<Delivery>,
    pub(super) tokens: Arc<Tokens>,
    state: Mutex<LaneState>,
    /// Told when the client is closed.
    pub(super) closed: Condvar,
    /// Whether there are failures that nobody was told of.
    has_failures: AtomicBool,
    /// How many groups there are of what is on the disk.
    disk_groups: AtomicUsize,
}

/// Which batches may be sent, as long as there are some on the disk.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Sources {
    /// What is on the disk was accepted before everything in memory, but for lines of files, which do not go there.
    DiskFirst,
    /// Both, in turns.
    Both,
}

#[derive(Debug)]
pub(super) struct LaneState {
    /// What came through the channel.
    pub(super) queue: SendQueue<Group>,
    /// What was read from the disk, or was put there while it was under way.
    pub(super) disk: SendQueue<Group>,
    /// Whether what is on the disk is next, where the two take turns.
    is_disk_next: bool,
    /// The most that goes as one request, as far as it is more than one batch.
    pub(super) most: Size,
    pub(super) failures: Failures,
    pub(super) phase: Phase,
    pub(super) random: Random,
    in_flight: InFlight,
}

/// What a lane is at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Load {
    /// Batches that wait.
    pub(super) queued: usize,
    /// Requests under way.
    pub(super) in_flight: usize,
    /// When the oldest of all these batches was begun.
    pub(super) since: Option<Instant>,
}

/// A request that a worker makes. The lane has its batches still, for whoever closes the client meanwhile.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) number: u64,
    pub(super) target: Arc<Target>,
    pub(super) bodies: Vec<(Arc<Body>, usize)>,
    pub(super) size: Size,
    pub(super) is_of_file: bool,
    pub(super) was_cut: bool,
    /// Whether one of its batches has failed before.
    pub(super) has_failed: bool,
    pub(super) timeout: Duration,
    round: Round,
}

impl Lane {
    /// `most` is how much goes as one request where several batches wait; nothing if each goes alone.
    pub(super) fn new(
        inbox: Receiver<Delivery>,
        width: usize,
        most: Size,
        queue: SendQueue<Group>,
    ) -> Self {
        Self {
            inbox,
            tokens: Tokens::new(width),
            state: Mutex::new(LaneState {
                queue,
                disk: SendQueue::numbered_from(width == 1, FIRST_ON_DISK),
                is_disk_next: false,
                most,
                failures: Failures::default(),
                phase: Phase::Open,
                random: Random::new(),
                in_flight: InFlight::new(width),
            }),
            closed: Condvar::new(),
            has_failures: AtomicBool::new(false),
            disk_groups: AtomicUsize::new(0),
        }
    }

    /// Puts the next request under way, if there is one that may be sent now. `sources` is asked under the lock.
    pub(super) fn take(&self, now: Instant, sources: impl FnOnce() -> Sources) -> Option<Request> {
        let mut state = self.lock();
        if state.phase.is_closed() {
            return None;
        }
        let sources = sources();
        let is_closing = state.phase.closing().is_some();
        let most = state.most;
        let receive = || {
            let mut delivery = self.inbox.try_recv().ok()?;
            // Jitter spreads load, which is no reason to keep a program from ending.
            delivery.not_before = delivery.not_before.filter(|_| !is_closing);
            Some(Group::from(delivery))
        };
        let merge = |first: &mut Group, next| first.merge(next, most);
        let is_disk_first = sources == Sources::DiskFirst || state.is_disk_next;
        let from_disk = |state: &mut LaneState| state.disk.take(now, || None, merge);
        let from_memory = |state: &mut LaneState| match sources {
            Sources::Both => state.queue.take(now, receive, merge),
            Sources::DiskFirst => {
                state.queue.receive_all(receive);
                state.queue.take_wanted(now, Group::is_of_file)
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
        let bodies = group.deliveries().iter();
        let bodies = bodies.map(|delivery| (delivery.body().clone(), delivery.lines())).collect();
        let (target, size, was_cut) = (group.target().clone(), group.size(), group.was_cut);
        let is_of_file = group.is_of_file();
        let number =
            if group.is_on_disk() { state.disk.send(group) } else { state.queue.send(group) };
        let round = state.in_flight.round();
        self.note(&state);
        Some(Request {
            number,
            target,
            bodies,
            size,
            is_of_file,
            was_cut,
            has_failed,
            timeout,
            round,
        })
    }

    /// Learns from the end of a request how many the server bears at a time. Says whether these are more now: then whoever
    /// says so has to call workers.
    pub(super) fn learn(&self, request: &Request, result: &Result<()>) -> bool {
        let mut state = self.lock();
        let before = state.in_flight.allowed();
        state.in_flight.note(request.round, result);
        let allowed = state.in_flight.allowed();
        self.tokens.allow(allowed);
        drop(state);
        if allowed != before {
            log::debug!("{allowed} write requests at a time from now on, after {before}");
        }
        allowed > before
    }

    /// Decides about the batches of a request; `decide` owns them. None if the client was closed meanwhile and they were
    /// handed back.
    pub(super) fn arrive<T>(
        &self,
        number: u64,
        decide: impl FnOnce(Group, &mut LaneState) -> T,
    ) -> Option<T> {
        let mut state = self.lock();
        let group = state.arrive(number)?;
        let result = decide(group, &mut state);
        self.note(&state);
        Some(result)
    }

    /// Changes the lane.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut LaneState) -> T) -> T {
        let mut state = self.lock();
        let result = change(&mut state);
        self.note(&state);
        result
    }

    /// The oldest batch that waits, those of files left out.
    pub(super) fn oldest(&self) -> Option<Order> {
        let mut state = self.lock();
        self.receive_all(&mut state);
        let deliveries = state.queue.waiting().flat_map(Group::deliveries);
        deliveries.filter(|one| !one.is_of_file()).map(Delivery::order).min()
    }

    /// Takes out a batch that waits, if it still does.
    pub(super) fn take_waiting(&self, order: Order) -> Option<Delivery> {
        let is_it = |one: &mut Delivery| one.order() == order;
        let take = |group: &mut Group| group.take_if(is_it).pop();
        self.lock().queue.find_map(take, Group::is_empty)
    }

    /// Moves what is in the channel to what waits in the lane, where it can be looked through.
    pub(super) fn receive_all(&self, state: &mut LaneState) {
        state.queue.receive_all(|| self.inbox.try_recv().ok().map(Group::from));
    }

    /// Whether something could be sent now. `sources` is asked under the lock.
    pub(super) fn has_work(&self, now: Instant, sources: impl FnOnce() -> Sources) -> bool {
        let state = self.lock();
        if state.phase.is_closed() {
            return false;
        }
        let in_memory = match sources() {
            Sources::Both => {
                !self.inbox.is_empty() && !state.queue.is_held_up(now) || state.queue.is_due(now)
            }
            // What is in the channel has to be looked at.
            Sources::DiskFirst => {
                let is_due = |group: &Group| group.not_before().is_none_or(|at| at <= now);
                let mut files = state.queue.waiting().filter(|group| group.is_of_file());
                !self.inbox.is_empty() || files.next().is_some_and(is_due)
            }
        };
        in_memory || state.disk.is_due(now)
    }

    /// Whether something is in the channel.
    #[cfg(feature = "spool")]
    pub(super) fn has_sealed(&self) -> bool {
        !self.inbox.is_empty()
    }

    /// How many groups there are of what is on the disk. May be wrong for a moment.
    #[cfg(feature = "spool")]
    pub(super) fn disk_groups(&self) -> usize {
        self.disk_groups.load(Ordering::SeqCst)
    }

    /// Whether nothing waits and nothing is under way.
    pub(super) fn is_empty(&self) -> bool {
        self.lock().queue.is_empty() && self.inbox.is_empty()
    }

    pub(super) fn load(&self) -> Load {
        let mut state = self.lock();
        self.receive_all(&mut state);
        let waiting = || state.queue.waiting().flat_map(Group::deliveries);
        let under_way = state.queue.under_way().flat_map(Group::deliveries);
        Load {
            queued: waiting().count(),
            in_flight: state.queue.under_way().len(),
            since: waiting().chain(under_way).map(Delivery::since).min(),
        }
    }

    /// How many batches wait.
    #[cfg(feature = "gzip")]
    pub(super) fn backlog(&self) -> usize {
        self.inbox.len() + self.lock().queue.waiting().count()
    }

    /// When there is something to do besides what is to be sent at once: a wait ends, for which a token must be left, or the
    /// time to close is over. Whoever has a token looks himself, when he is done.
    pub(super) fn next_due(&self) -> Option<Instant> {
        let state = self.lock();
        let deadline = state.phase.closing().map(|closing| closing.deadline);
        let due = state.queue.next_due().into_iter().chain(state.disk.next_due()).min();
        let due = due.filter(|_| self.tokens.is_one_left());
        due.into_iter().chain(deadline).min()
    }

    /// Whether there is a failure that nobody was told of. May be wrong for a moment.
    pub(super) fn has_failures(&self) -> bool {
        self.has_failures.load(Ordering::Acquire)
    }

    /// Fails with what failed, was told to nobody, and is not what a flush waits for. Once the client is being closed, that
    /// is for whoever closes it.
    pub(super) fn fail_while_open(&self) -> Result<()> {
        let failure = self.change(|state| match state.phase {
            Phase::Open => Ok(state.failures.take_free()),
            _ => Err(Error::closed()),
        })?;
        failure.map_or(Ok(()), |failure| Err(failure.into_error()))
    }

    /// The same for whoever closes the client.
    pub(super) fn fail_at_end(&self) -> Result<()> {
        let failure = self.change(|state| state.failures.take_free());
        failure.map_or(Ok(()), |failure| Err(failure.into_error()))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, LaneState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, state: &LaneState) {
        self.has_failures.store(!state.failures.is_empty(), Ordering::Release);
        self.disk_groups.store(state.disk.len(), Ordering::SeqCst);
    }
}

impl LaneState {
    /// Takes back what was under way, if it was not taken away meanwhile.
    pub(super) fn arrive(&mut self, number: u64) -> Option<Group> {
        queue_of(number, &mut self.queue, &mut self.disk).arrive(number)
    }

    /// Puts a group before all others of its kind.
    pub(super) fn put_back(&mut self, group: Group) {
        if group.is_on_disk() {
            self.disk.put_back(group);
        } else {
            self.queue.put_back(group);
        }
    }
}

/// The one of the two queues that a number is of.
pub(super) fn queue_of<'a>(
    number: u64,
    queue: &'a mut SendQueue<Group>,
    disk: &'a mut SendQueue<Group>,
) -> &'a mut SendQueue<Group> {
    if number > FIRST_ON_DISK { disk } else { queue }
}

/// Numbers of requests from here on are of what is on the disk.
const FIRST_ON_DISK: u64 = 1 << 63;

/// A request gets at least this, as no time at all would be an error of its own.
const SHORTEST: Duration = Duration::from_millis(1);
