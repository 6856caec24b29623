//! What a lane has taken out of its channel: what waits, and what is under way.

use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

/// Something to be sent that may have to wait.
pub(super) trait Waiting {
    /// Not to be sent before.
    fn not_before(&self) -> Option<Instant>;
    /// It need not wait any more.
    fn end_wait(&mut self);

    /// The shard that it is in, from 0.
    fn shard(&self) -> usize {
        0
    }

    fn has_to_wait(&self, now: Instant) -> bool {
        self.not_before().is_some_and(|at| at > now)
    }
}

/// Everything that a lane owns, in order.
///
/// A strict one has one shard or several, and each sends one after the other: whatever the first one waits for, the others
/// of its shard wait as well. A loose one sends whatever may be sent: one that has to wait stands aside.
#[derive(Debug)]
pub(super) struct SendQueue<G> {
    is_strict: bool,
    /// By shard, before everything in the channel.
    next: Box<[VecDeque<G>]>,
    /// What stands aside, by the time it may be sent; nothing if the order is strict.
    aside: BTreeMap<(Instant, u64), G>,
    under_way: BTreeMap<u64, G>,
    counter: u64,
    /// The shard whose turn it is, if there is something of it.
    turn: usize,
}

impl<G: Waiting> SendQueue<G> {
    /// Keeps the order within each of so many shards, of which there is at least one.
    pub(super) fn strict(shards: usize) -> Self {
        Self::new(true, shards.max(1))
    }

    /// Keeps no order.
    pub(super) fn loose() -> Self {
        Self::new(false, 1)
    }

    fn new(is_strict: bool, shards: usize) -> Self {
        Self {
            is_strict,
            next: (0..shards).map(|_| VecDeque::new()).collect(),
            aside: BTreeMap::new(),
            under_way: BTreeMap::new(),
            counter: 0,
            turn: 0,
        }
    }

    /// One shard, or no order, with numbers from this one on, so that they tell two queues apart.
    pub(super) fn numbered_from(is_strict: bool, first: u64) -> Self {
        Self { counter: first, ..Self::new(is_strict, 1) }
    }

    /// The first one of those that `is_wanted` names, if it may be sent now.
    pub(super) fn take_wanted(
        &mut self,
        now: Instant,
        is_wanted: impl Fn(&G) -> bool,
    ) -> Option<G> {
        self.bring_back(now);
        for shard in 0..self.next.len() {
            // What of its shard is under way goes before it.
            let place = self.next[shard].iter().position(&is_wanted);
            if let Some(place) = place.filter(|_| !self.is_busy(shard))
                && !self.next[shard][place].has_to_wait(now)
            {
                return self.next[shard].remove(place);
            }
        }
        None
    }

    /// The next one that may be sent now, with as many behind it as `merge` adds to it. Where there is nothing left,
    /// `receive` looks into the channel.
    pub(super) fn take(
        &mut self,
        now: Instant,
        mut receive: impl FnMut() -> Option<G>,
        merge: impl Fn(&mut G, G) -> Result<(), G>,
    ) -> Option<G> {
        self.bring_back(now);
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

    /// Puts something under way, until [`arrive`](Self::arrive) with the number that this returns.
    pub(super) fn send(&mut self, sent: G) -> u64 {
        self.counter += 1;
        self.under_way.insert(self.counter, sent);
        self.counter
    }

    /// What is under way, if it was not taken away meanwhile.
    pub(super) fn get_mut(&mut self, number: u64) -> Option<&mut G> {
        self.under_way.get_mut(&number)
    }

    /// Takes back what was under way, if it was not taken away meanwhile.
    pub(super) fn arrive(&mut self, number: u64) -> Option<G> {
        self.under_way.remove(&number)
    }

    /// Puts something before everything else, or aside if it has to wait and the order is not strict.
    pub(super) fn put_back(&mut self, waiting: G) {
        match waiting.not_before().filter(|_| !self.is_strict) {
            None => self.next[waiting.shard()].push_front(waiting),
            Some(at) => self.put_aside(at, waiting),
        }
    }

    /// Moves what is in the channel to the end of what waits here.
    pub(super) fn receive_all(&mut self, receive: impl FnMut() -> Option<G>) {
        std::iter::from_fn(receive).for_each(|received| self.put_last(received));
    }

    /// Everything that waits here.
    pub(super) fn waiting(&self) -> impl Iterator<Item = &G> {
        self.next.iter().flatten().chain(self.aside.values())
    }

    /// Everything that is under way.
    pub(super) fn under_way(&self) -> impl ExactSizeIterator<Item = &G> {
        self.under_way.values()
    }

    /// Lets `change` change or take something that waits here; it is asked until it returns something. What `is_empty` then
    /// says is empty is dropped.
    pub(super) fn find_map<T>(
        &mut self,
        change: impl FnMut(&mut G) -> Option<T>,
        is_empty: impl Fn(&G) -> bool,
    ) -> Option<T> {
        let waiting = self.next.iter_mut().flatten().chain(self.aside.values_mut());
        let found = { waiting }.find_map(change)?;
        self.next.iter_mut().for_each(|next| next.retain(|waiting| !is_empty(waiting)));
        self.aside.retain(|_, waiting| !is_empty(waiting));
        Some(found)
    }

    /// Whether something that waits here could be sent now.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        (0..self.next.len()).any(|shard| self.can_send(shard, now))
            || self.aside.keys().next().is_some_and(|(at, _)| *at <= now)
    }

    /// Whether nothing of the channel may be sent, as something before it is under way or has to wait.
    pub(super) fn is_held_up(&self, now: Instant) -> bool {
        let waits =
            |shard: usize| self.next[shard].front().is_some_and(|next| next.has_to_wait(now));
        self.is_strict && (0..self.next.len()).all(|shard| self.is_busy(shard) || waits(shard))
    }

    /// When something that waits may be sent, if that is a matter of time.
    pub(super) fn next_due(&self) -> Option<Instant> {
        let shards = (0..self.next.len()).filter(|shard| !self.is_busy(*shard));
        let next = shards.filter_map(|shard| self.next[shard].front()?.not_before());
        let aside = self.aside.keys().next().map(|(at, _)| *at);
        next.chain(aside).min()
    }

    /// Ends the waits that `ends` names.
    pub(super) fn end_waits(&mut self, ends: impl Fn(&G, Instant) -> bool) {
        let is_over = |waiting: &G| waiting.not_before().is_some_and(|at| ends(waiting, at));
        for waiting in self.next.iter_mut().flatten().filter(|waiting| is_over(waiting)) {
            waiting.end_wait();
        }
        let aside = std::mem::take(&mut self.aside);
        let (over, aside) = aside.into_iter().partition(|(_, waiting)| is_over(waiting));
        self.aside = aside;
        for (_, mut waiting) in BTreeMap::into_iter(over).rev() {
            waiting.end_wait();
            self.next[waiting.shard()].push_front(waiting);
        }
    }

    /// Whether nothing waits here and nothing is under way.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting().next().is_none() && self.under_way.is_empty()
    }

    /// Takes out what waits here and `is_wanted` names.
    #[allow(dead_code)] // only a spool asks
    pub(super) fn take_waiting(&mut self, is_wanted: impl Fn(&G) -> bool) -> Vec<G> {
        let mut taken = Vec::new();
        for next in &mut self.next {
            let (wanted, others): (Vec<_>, Vec<_>) = next.drain(..).partition(&is_wanted);
            taken.extend(wanted);
            *next = others.into();
        }
        let aside = std::mem::take(&mut self.aside);
        let (wanted, aside) = aside.into_iter().partition(|(_, waiting)| is_wanted(waiting));
        self.aside = aside;
        taken.extend(BTreeMap::into_values(wanted));
        taken
    }

    /// How many wait here or are under way.
    pub(super) fn len(&self) -> usize {
        self.waiting().count() + self.under_way.len()
    }

    /// Everything that is under way, with its number.
    #[allow(dead_code)] // only a spool asks
    pub(super) fn numbered_under_way(&self) -> impl Iterator<Item = (u64, &G)> {
        self.under_way.iter().map(|(number, group)| (*number, group))
    }

    /// Takes everything away: what waits, and what is under way.
    pub(super) fn take_all(&mut self) -> (Vec<G>, Vec<G>) {
        let mut waiting: Vec<_> = self.next.iter_mut().flat_map(|next| next.drain(..)).collect();
        waiting.extend(std::mem::take(&mut self.aside).into_values());
        (waiting, std::mem::take(&mut self.under_way).into_values().collect())
    }

    /// The first one that may be sent now, and its shard.
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
            self.bring_back(now);
        }
    }

    /// The next one of this shard, if it may be sent now behind the one that was taken.
    fn take_next(
        &mut self,
        shard: usize,
        now: Instant,
        receive: &mut impl FnMut() -> Option<G>,
    ) -> Option<G> {
        while self.next[shard].is_empty() {
            self.put_last(receive()?);
            self.bring_back(now);
        }
        let may_go = self.next[shard].front().is_some_and(|next| !next.has_to_wait(now));
        if may_go { self.next[shard].pop_front() } else { None }
    }

    fn can_send(&self, shard: usize, now: Instant) -> bool {
        let next = self.next[shard].front();
        next.is_some_and(|next| !next.has_to_wait(now)) && !self.is_busy(shard)
    }

    /// Whether another one of a shard is under way, before which nothing may be sent.
    fn is_busy(&self, shard: usize) -> bool {
        self.is_strict && self.under_way().any(|sent| sent.shard() == shard)
    }

    fn put_last(&mut self, received: G) {
        match received.not_before().filter(|_| !self.is_strict) {
            None => self.next[received.shard()].push_back(received),
            Some(at) => self.put_aside(at, received),
        }
    }

    fn put_aside(&mut self, at: Instant, waiting: G) {
        self.counter += 1;
        self.aside.insert((at, self.counter), waiting);
    }

    fn bring_back(&mut self, now: Instant) {
        while let Some(entry) = self.aside.first_entry().filter(|entry| entry.key().0 <= now) {
            let waiting = entry.remove();
            self.next[waiting.shard()].push_back(waiting);
        }
    }
}
