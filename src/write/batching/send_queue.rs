//! What a lane has taken out of its channel: what waits, and what is under way.

use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

/// Something to be sent that may have to wait.
pub(super) trait Waiting {
    /// Not to be sent before.
    fn not_before(&self) -> Option<Instant>;
    /// It need not wait any more.
    fn end_wait(&mut self);
}

/// Everything that a lane owns, in order.
///
/// With one worker the order is strict: whatever the first one waits for, the others wait as well. With more, one that has
/// to wait stands aside.
#[derive(Debug)]
pub(super) struct SendQueue<G> {
    is_strict: bool,
    /// Before everything in the channel.
    next: VecDeque<G>,
    /// What stands aside, by the time it may be sent; nothing if the order is strict.
    aside: BTreeMap<(Instant, u64), G>,
    under_way: BTreeMap<u64, G>,
    counter: u64,
}

impl<G: Waiting> SendQueue<G> {
    pub(super) fn new(is_strict: bool) -> Self {
        Self {
            is_strict,
            next: VecDeque::new(),
            aside: BTreeMap::new(),
            under_way: BTreeMap::new(),
            counter: 0,
        }
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
        let mut first = self.take_one(now, &mut receive)?;
        while let Some(another) = self.take_one(now, &mut receive) {
            if let Err(another) = merge(&mut first, another) {
                self.next.push_front(another);
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
            None => self.next.push_front(waiting),
            Some(at) => self.put_aside(at, waiting),
        }
    }

    /// Moves what is in the channel to the end of what waits here.
    pub(super) fn receive_all(&mut self, receive: impl FnMut() -> Option<G>) {
        self.next.extend(std::iter::from_fn(receive));
    }

    /// Everything that waits here.
    pub(super) fn waiting(&self) -> impl Iterator<Item = &G> {
        self.next.iter().chain(self.aside.values())
    }

    /// Lets `change` change or take something that waits here; it is asked until it returns something. What `is_empty` then
    /// says is empty is dropped.
    pub(super) fn find_map<T>(
        &mut self,
        mut change: impl FnMut(&mut G) -> Option<T>,
        is_empty: impl Fn(&G) -> bool,
    ) -> Option<T> {
        let found = self.next.iter_mut().chain(self.aside.values_mut()).find_map(&mut change)?;
        self.next.retain(|waiting| !is_empty(waiting));
        self.aside.retain(|_, waiting| !is_empty(waiting));
        Some(found)
    }

    /// Whether something that waits here could be sent now.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        let is_next_due = self.next.front().is_some_and(|next| !self.has_to_wait(next, now));
        is_next_due || self.aside.keys().next().is_some_and(|(at, _)| *at <= now)
    }

    /// Whether nothing of the channel may be sent, as something before it has to wait.
    pub(super) fn is_held_up(&self, now: Instant) -> bool {
        self.is_strict && self.next.front().is_some_and(|next| self.has_to_wait(next, now))
    }

    /// When something that waits may be sent, if that is a matter of time.
    pub(super) fn next_due(&self) -> Option<Instant> {
        let next = self.next.front().and_then(Waiting::not_before);
        let aside = self.aside.keys().next().map(|(at, _)| *at);
        next.into_iter().chain(aside).min()
    }

    /// Ends the waits that `ends` names.
    pub(super) fn end_waits(&mut self, ends: impl Fn(&G, Instant) -> bool) {
        let is_over = |waiting: &G| waiting.not_before().is_some_and(|at| ends(waiting, at));
        for waiting in self.next.iter_mut().filter(|waiting| is_over(waiting)) {
            waiting.end_wait();
        }
        let aside = std::mem::take(&mut self.aside);
        let (over, aside) = aside.into_iter().partition(|(_, waiting)| is_over(waiting));
        self.aside = aside;
        for (_, mut waiting) in BTreeMap::into_iter(over).rev() {
            waiting.end_wait();
            self.next.push_front(waiting);
        }
    }

    /// Whether nothing waits here and nothing is under way.
    pub(super) fn is_empty(&self) -> bool {
        self.next.is_empty() && self.aside.is_empty() && self.under_way.is_empty()
    }

    /// Takes everything away: what waits, and what is under way.
    pub(super) fn take_all(&mut self) -> (Vec<G>, Vec<G>) {
        let mut waiting: Vec<_> = self.next.drain(..).collect();
        waiting.extend(std::mem::take(&mut self.aside).into_values());
        (waiting, std::mem::take(&mut self.under_way).into_values().collect())
    }

    fn take_one(&mut self, now: Instant, receive: &mut impl FnMut() -> Option<G>) -> Option<G> {
        loop {
            let next = self.next.pop_front().or_else(&mut *receive)?;
            match next.not_before().filter(|at| *at > now) {
                None => return Some(next),
                Some(_) if self.is_strict => {
                    self.next.push_front(next);
                    return None;
                }
                Some(at) => self.put_aside(at, next),
            }
        }
    }

    fn put_aside(&mut self, at: Instant, waiting: G) {
        self.counter += 1;
        self.aside.insert((at, self.counter), waiting);
    }

    fn bring_back(&mut self, now: Instant) {
        while let Some(entry) = self.aside.first_entry().filter(|entry| entry.key().0 <= now) {
            self.next.push_back(entry.remove());
        }
    }

    fn has_to_wait(&self, waiting: &G, now: Instant) -> bool {
        waiting.not_before().is_some_and(|at| at > now)
    }
}
