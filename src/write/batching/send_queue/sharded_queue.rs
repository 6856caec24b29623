//! Requests that wait or are in flight, by shard. Independent of what they hold and of how they are sent.

use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

/// What a [`ShardedQueue`] holds: something to be sent, now or later.
pub(crate) trait Waiting {
    /// The time before which it is not to be sent; none if it may be sent at once.
    fn not_before(&self) -> Option<Instant>;
    /// Makes [`not_before`](Self::not_before) none.
    fn end_wait(&mut self);

    /// The shard that it is in, from 0.
    fn shard(&self) -> usize {
        0
    }

    /// Whether it is not to be sent at `now`.
    fn has_to_wait(&self, now: Instant) -> bool {
        self.not_before().is_some_and(|at| at > now)
    }
}

/// A queue that is strict or loose.
///
/// A strict one keeps the order in each of its shards: of a shard, one is in flight at a time, and while the first
/// one has to wait, so do those behind it. A loose one has one shard and sends whatever may be sent: one that has to
/// wait is delayed, and those behind it go first.
#[derive(Debug)]
pub(crate) struct ShardedQueue<G> {
    is_strict: bool,
    /// Those that are next, by shard.
    next: Box<[VecDeque<G>]>,
    /// Those that are delayed, by the time they may be sent and by number; none if the queue is strict.
    delayed: BTreeMap<(Instant, u64), G>,
    in_flight: BTreeMap<u64, G>,
    /// The last number that was given to one in flight or delayed.
    counter: u64,
    /// The shard that is looked at first: each has its turn.
    turn: usize,
}

impl<G: Waiting> ShardedQueue<G> {
    /// A strict queue of `shards` shards; 0 counts as 1.
    pub(crate) fn strict(shards: usize) -> Self {
        Self::new(true, shards.max(1))
    }

    /// A loose queue, of one shard.
    pub(crate) fn loose() -> Self {
        Self::new(false, 1)
    }

    fn new(is_strict: bool, shards: usize) -> Self {
        Self {
            is_strict,
            next: (0..shards).map(|_| VecDeque::new()).collect(),
            delayed: BTreeMap::new(),
            in_flight: BTreeMap::new(),
            counter: 0,
            turn: 0,
        }
    }

    /// A queue of one shard, strict or loose. Those in flight get numbers above `first`, which differ between two
    /// queues.
    pub(crate) fn numbered_from(is_strict: bool, first: u64) -> Self {
        Self { counter: first, ..Self::new(is_strict, 1) }
    }

    /// Takes out the first one of a shard for which `is_wanted` is true, if it may be sent now and none of the shard
    /// is in flight. It may pass others of its shard.
    pub(crate) fn take_wanted(
        &mut self,
        now: Instant,
        is_wanted: impl Fn(&G) -> bool,
    ) -> Option<G> {
        self.end_delays(now);
        let mut firsts = self.first_wanted(&is_wanted);
        let (shard, place) =
            firsts.find(|(shard, place)| !self.next[*shard][*place].has_to_wait(now))?;
        drop(firsts);
        self.next[shard].remove(place)
    }

    /// Whether [`take_wanted`](Self::take_wanted) would take one out now.
    pub(crate) fn is_wanted_due(&self, now: Instant, is_wanted: impl Fn(&G) -> bool) -> bool {
        let mut firsts = self.first_wanted(&is_wanted);
        firsts.any(|(shard, place)| !self.next[shard][place].has_to_wait(now))
            || self.delayed.range(..=(now, u64::MAX)).any(|(_, delayed)| is_wanted(delayed))
    }

    /// The next time at which [`take_wanted`](Self::take_wanted) may take one out; none if no wanted one waits for a
    /// time.
    pub(crate) fn next_wanted_due(&self, is_wanted: impl Fn(&G) -> bool) -> Option<Instant> {
        let firsts = self.first_wanted(&is_wanted);
        let next = firsts.filter_map(|(shard, place)| self.next[shard][place].not_before());
        let mut delayed = self.delayed.iter().filter(|(_, delayed)| is_wanted(delayed));
        next.chain(delayed.next().map(|((at, _), _)| *at)).min()
    }

    /// Takes out the next one that may be sent now, merged with those behind it until `merge` gives one back, which
    /// stays. When nothing is left here, `receive` is called for more, until it returns none.
    pub(crate) fn take(
        &mut self,
        now: Instant,
        mut receive: impl FnMut() -> Option<G>,
        merge: impl Fn(&mut G, G) -> Result<(), G>,
    ) -> Option<G> {
        self.end_delays(now);
        let (shard, mut first) = self.take_first(now, &mut receive)?;
        self.turn = (shard + 1) % self.next.len();
        while let Some(another) = self.take_next(shard, now, &mut receive) {
            if let Err(another) = merge(&mut first, another) {
                self.next[shard].push_front(another);
                break;
            }
        }
        Some(first)
    }

    /// Keeps one in flight, until [`arrive`](Self::arrive) is called with the number that this returns.
    pub(crate) fn send(&mut self, sent: G) -> u64 {
        self.counter += 1;
        self.in_flight.insert(self.counter, sent);
        self.counter
    }

    /// The one in flight of this number; none if [`take_all`](Self::take_all) has taken it.
    pub(crate) fn get_mut(&mut self, number: u64) -> Option<&mut G> {
        self.in_flight.get_mut(&number)
    }

    /// Takes back the one in flight of this number; none if [`take_all`](Self::take_all) has taken it.
    pub(crate) fn arrive(&mut self, number: u64) -> Option<G> {
        self.in_flight.remove(&number)
    }

    /// Puts one before all others of its shard; if the queue is loose and it has to wait, among the delayed.
    pub(crate) fn put_back(&mut self, waiting: G) {
        match waiting.not_before().filter(|_| !self.is_strict) {
            None => self.next[waiting.shard()].push_front(waiting),
            Some(at) => self.delay(at, waiting),
        }
    }

    /// Calls `receive` until it returns none, and adds what it returns at the end.
    pub(crate) fn receive_all(&mut self, receive: impl FnMut() -> Option<G>) {
        std::iter::from_fn(receive).for_each(|received| self.put_last(received));
    }

    /// All that wait.
    pub(crate) fn waiting(&self) -> impl Iterator<Item = &G> {
        self.next.iter().flatten().chain(self.delayed.values())
    }

    /// All in flight.
    pub(crate) fn in_flight(&self) -> impl ExactSizeIterator<Item = &G> {
        self.in_flight.values()
    }

    /// Calls `change` with those that wait until it returns something. Then those that are empty, as `is_empty` says,
    /// are dropped.
    pub(crate) fn find_map<T>(
        &mut self,
        change: impl FnMut(&mut G) -> Option<T>,
        is_empty: impl Fn(&G) -> bool,
    ) -> Option<T> {
        let waiting = self.next.iter_mut().flatten().chain(self.delayed.values_mut());
        let found = { waiting }.find_map(change)?;
        self.next.iter_mut().for_each(|next| next.retain(|waiting| !is_empty(waiting)));
        self.delayed.retain(|_, waiting| !is_empty(waiting));
        Some(found)
    }

    /// Whether one that waits could be sent now.
    pub(crate) fn is_due(&self, now: Instant) -> bool {
        self.is_wanted_due(now, |_| true)
    }

    /// Whether nothing that would be added at the end could be sent now: the queue is strict, and of each shard one
    /// is in flight or has to wait.
    pub(crate) fn is_held_up(&self, now: Instant) -> bool {
        let waits =
            |shard: usize| self.next[shard].front().is_some_and(|next| next.has_to_wait(now));
        self.is_strict && (0..self.next.len()).all(|shard| self.is_busy(shard) || waits(shard))
    }

    /// The next time at which one that waits may be sent; none if nothing waits for a time.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        self.next_wanted_due(|_| true)
    }

    /// Ends the waits for which `ends` is true; it is called with each that waits for a time, and the time.
    pub(crate) fn end_waits(&mut self, ends: impl Fn(&G, Instant) -> bool) {
        let is_over = |waiting: &G| waiting.not_before().is_some_and(|at| ends(waiting, at));
        for waiting in self.next.iter_mut().flatten().filter(|waiting| is_over(waiting)) {
            waiting.end_wait();
        }
        let delayed = std::mem::take(&mut self.delayed);
        let (over, delayed) = delayed.into_iter().partition(|(_, waiting)| is_over(waiting));
        self.delayed = delayed;
        for (_, mut waiting) in BTreeMap::into_iter(over).rev() {
            waiting.end_wait();
            self.next[waiting.shard()].push_front(waiting);
        }
    }

    /// Whether nothing waits and nothing is in flight.
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting().next().is_none() && self.in_flight.is_empty()
    }

    /// Takes out those that wait and for which `is_wanted` is true.
    #[allow(dead_code)] // only a spool asks
    pub(crate) fn take_waiting(&mut self, is_wanted: impl Fn(&G) -> bool) -> Vec<G> {
        let mut taken = Vec::new();
        for next in &mut self.next {
            let (wanted, others): (Vec<_>, Vec<_>) = next.drain(..).partition(&is_wanted);
            taken.extend(wanted);
            *next = others.into();
        }
        let delayed = std::mem::take(&mut self.delayed);
        let (wanted, delayed) = delayed.into_iter().partition(|(_, waiting)| is_wanted(waiting));
        self.delayed = delayed;
        taken.extend(BTreeMap::into_values(wanted));
        taken
    }

    /// How many wait or are in flight.
    pub(crate) fn len(&self) -> usize {
        self.waiting().count() + self.in_flight.len()
    }

    /// All in flight, with their numbers.
    #[allow(dead_code)] // only a spool asks
    pub(crate) fn numbered_in_flight(&self) -> impl Iterator<Item = (u64, &G)> {
        self.in_flight.iter().map(|(number, group)| (*number, group))
    }

    /// Takes out all: those that wait, and those in flight.
    pub(crate) fn take_all(&mut self) -> (Vec<G>, Vec<G>) {
        let mut waiting: Vec<_> = self.next.iter_mut().flat_map(|next| next.drain(..)).collect();
        waiting.extend(std::mem::take(&mut self.delayed).into_values());
        (waiting, std::mem::take(&mut self.in_flight).into_values().collect())
    }

    /// Takes out the next one that may be sent now, with its shard.
    fn take_first(
        &mut self,
        now: Instant,
        receive: &mut impl FnMut() -> Option<G>,
    ) -> Option<(usize, G)> {
        loop {
            let shards = self.next.len();
            let mut in_turn = (0..shards).map(|place| (self.turn + place) % shards);
            if let Some(shard) = in_turn.find(|shard| self.can_send(*shard, now)) {
                return self.next[shard].pop_front().map(|first| (shard, first));
            }
            if self.is_held_up(now) {
                return None;
            }
            self.put_last(receive()?);
            self.end_delays(now);
        }
    }

    /// Takes out the next one of this shard if it may be sent now, together with the one before it that was taken.
    fn take_next(
        &mut self,
        shard: usize,
        now: Instant,
        receive: &mut impl FnMut() -> Option<G>,
    ) -> Option<G> {
        while self.next[shard].is_empty() {
            self.put_last(receive()?);
            self.end_delays(now);
        }
        let may_go = self.next[shard].front().is_some_and(|next| !next.has_to_wait(now));
        if may_go { self.next[shard].pop_front() } else { None }
    }

    /// The first wanted one of each shard of which none has to stay for its order, as its shard and its place there.
    fn first_wanted(
        &self,
        is_wanted: &impl Fn(&G) -> bool,
    ) -> impl Iterator<Item = (usize, usize)> {
        let free = (0..self.next.len()).filter(|shard| !self.is_busy(*shard));
        free.filter_map(move |shard| Some((shard, self.next[shard].iter().position(is_wanted)?)))
    }

    /// Whether the first one of a shard could be sent now.
    fn can_send(&self, shard: usize, now: Instant) -> bool {
        let next = self.next[shard].front();
        next.is_some_and(|next| !next.has_to_wait(now)) && !self.is_busy(shard)
    }

    /// Whether the order forbids to send anything of a shard, as one of it is in flight.
    fn is_busy(&self, shard: usize) -> bool {
        self.is_strict && self.in_flight().any(|sent| sent.shard() == shard)
    }

    fn put_last(&mut self, received: G) {
        match received.not_before().filter(|_| !self.is_strict) {
            None => self.next[received.shard()].push_back(received),
            Some(at) => self.delay(at, received),
        }
    }

    fn delay(&mut self, at: Instant, waiting: G) {
        self.counter += 1;
        self.delayed.insert((at, self.counter), waiting);
    }

    /// Moves those whose delay is over to the end of their shards.
    fn end_delays(&mut self, now: Instant) {
        while let Some(entry) = self.delayed.first_entry().filter(|entry| entry.key().0 <= now) {
            let waiting = entry.remove();
            self.next[waiting.shard()].push_back(waiting);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// Something that is wanted or not, in a shard of two.
    #[derive(Clone, Debug)]
    struct Item {
        is_wanted: bool,
        shard: usize,
        not_before: Option<Instant>,
    }

    impl Waiting for Item {
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

    /// Of each shard something else may be in flight; three more wait, and of each any kind there is.
    fn all_queues(now: Instant) -> impl Iterator<Item = ShardedQueue<Item>> {
        let second = Duration::from_secs(1);
        let times = [None, now.checked_sub(second), Some(now), Some(now + second)];
        let kinds = 4 * 4_usize;
        let item = move |kind: usize| Item {
            is_wanted: kind & 1 > 0,
            shard: kind >> 1 & 1,
            not_before: times[kind >> 2 & 3],
        };
        (0..4 * kinds.pow(3)).map(move |number| {
            let mut queue = ShardedQueue::strict(2);
            for shard in 0..2 {
                if number >> shard & 1 > 0 {
                    queue.send(Item { is_wanted: false, shard, not_before: None });
                }
            }
            let mut rest = number >> 2;
            for _ in 0..3 {
                queue.put_last(item(rest % kinds));
                rest /= kinds;
            }
            queue
        })
    }

    #[test]
    fn there_is_work_exactly_if_something_would_be_taken() {
        let now = Instant::now();
        for mut queue in all_queues(now) {
            let shown = format!("{queue:?}");
            let (is_due, next) = (
                queue.is_wanted_due(now, |one| one.is_wanted),
                queue.next_wanted_due(|one| one.is_wanted),
            );
            let taken = queue.take_wanted(now, |one| one.is_wanted);
            assert_eq!(is_due, taken.is_some(), "{shown}");
            if !is_due && let Some(next) = next {
                assert!(next > now, "nothing is to be done at a time that is over: {shown}");
                assert!(queue.take_wanted(next, |one| one.is_wanted).is_some(), "{shown}");
            }
        }
        for mut queue in all_queues(now) {
            let is_due = queue.is_due(now);
            assert_eq!(is_due, queue.take(now, || None, |_, next| Err(next)).is_some());
        }
    }
}
