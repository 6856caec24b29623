//! A limit of bytes, as a fair semaphore.

use std::collections::VecDeque;
use std::time::Instant;

use crate::write::primitives::{
    Arc, AtomicUsize, Condvar, Mutex, MutexGuard, Ordering, PoisonError,
};

/// A number of bytes that may be used at the same time. Each use needs a [`Permit`].
#[derive(Debug)]
pub(crate) struct Budget {
    limit: usize,
    /// The sum of all permits.
    used: AtomicUsize,
    /// The bytes that waiting calls want, which a call that does not wait may not take.
    wanted: AtomicUsize,
    queue: Mutex<Queue>,
    /// Notified when bytes were returned while a call waits.
    changed: Condvar,
}

/// The calls that wait for bytes, first in, first out.
#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<u64>,
    next: u64,
    /// How many times something changed that a waiting call has to look at.
    changes: u64,
}

/// The right to use some bytes of a [`Budget`], which are given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    budget: Arc<Budget>,
    bytes: usize,
}

/// Why [`Budget::acquire`] returned no permit.
#[derive(Debug)]
pub(crate) enum NoPermit<E> {
    /// The deadline has passed.
    TooLate,
    /// The caller has a reason not to wait any more.
    Stopped(E),
}

impl Budget {
    pub(crate) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self {
            limit,
            used: AtomicUsize::new(0),
            wanted: AtomicUsize::new(0),
            queue: Mutex::default(),
            changed: Condvar::new(),
        })
    }

    pub(crate) fn limit(&self) -> usize {
        self.limit
    }

    pub(crate) fn used(&self) -> usize {
        self.used.load(Ordering::SeqCst)
    }

    /// How many bytes are neither used nor waited for.
    pub(crate) fn free(&self) -> usize {
        let taken = self.used().saturating_add(self.wanted.load(Ordering::SeqCst));
        self.limit.saturating_sub(taken)
    }

    /// Whether a call waits.
    pub(crate) fn is_awaited(&self) -> bool {
        self.wanted.load(Ordering::SeqCst) > 0
    }

    /// A permit for `bytes` bytes, if they are free beside those that waiting calls want.
    pub(crate) fn try_acquire(self: &Arc<Self>, bytes: usize) -> Option<Permit> {
        let left = self.limit.checked_sub(self.wanted.load(Ordering::SeqCst))?;
        self.take(bytes, left)
    }

    /// Waits for `bytes` bytes, or for the limit if that is less, behind all calls that wait already.
    ///
    /// `stop` is called before each wait, and again whenever something changes or [`wake_all`](Self::wake_all) is
    /// called; no lock is held meanwhile.
    ///
    /// # Errors
    /// The deadline has passed, or the error of `stop`.
    pub(crate) fn acquire<E>(
        self: &Arc<Self>,
        bytes: usize,
        deadline: Option<Instant>,
        mut stop: impl FnMut() -> Result<(), E>,
    ) -> Result<Permit, NoPermit<E>> {
        debug_assert!(bytes <= self.limit, "{bytes} of {} bytes", self.limit);
        let turn = Turn::new(self, bytes);
        loop {
            // A change after this is not missed: `wait_for_change` compares the count.
            let (seen, is_first) = turn.look();
            stop().map_err(NoPermit::Stopped)?;
            if is_first && let Some(permit) = self.take(bytes, self.limit) {
                return Ok(permit);
            }
            if !self.wait_for_change(seen, deadline) {
                return Err(NoPermit::TooLate);
            }
        }
    }

    /// Has all waiting calls look again: whether to stop, and whether bytes are free.
    pub(crate) fn wake_all(&self) {
        if self.is_awaited() {
            self.lock().changes += 1;
            self.changed.notify_all();
        }
    }

    fn take(self: &Arc<Self>, bytes: usize, limit: usize) -> Option<Permit> {
        let add = |used: usize| used.checked_add(bytes).filter(|sum| *sum <= limit);
        self.used.fetch_update(Ordering::SeqCst, Ordering::SeqCst, add).ok()?;
        Some(Permit { budget: self.clone(), bytes })
    }

    fn give_back(&self, bytes: usize) {
        if bytes > 0 {
            self.used.fetch_sub(bytes, Ordering::SeqCst);
            self.wake_all();
        }
    }

    /// Waits until there were more changes than `seen`; false if the deadline passes first.
    fn wait_for_change(&self, seen: u64, deadline: Option<Instant>) -> bool {
        let mut queue = self.lock();
        while queue.changes == seen {
            let Some(deadline) = deadline else {
                queue = self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            let waited = self.changed.wait_timeout(queue, left);
            queue = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The place of a waiting call in the queue, given up when it is dropped.
struct Turn<'a> {
    budget: &'a Budget,
    number: u64,
    bytes: usize,
}

impl<'a> Turn<'a> {
    fn new(budget: &'a Budget, bytes: usize) -> Self {
        budget.wanted.fetch_add(bytes.max(1), Ordering::SeqCst);
        let mut queue = budget.lock();
        let number = queue.next;
        queue.next += 1;
        queue.waiting.push_back(number);
        Self { budget, number, bytes: bytes.max(1) }
    }

    /// How many changes there were so far, and whether this call is the first in the queue.
    fn look(&self) -> (u64, bool) {
        let queue = self.budget.lock();
        (queue.changes, queue.waiting.front() == Some(&self.number))
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.budget.wanted.fetch_sub(self.bytes, Ordering::SeqCst);
        let mut queue = self.budget.lock();
        queue.waiting.retain(|number| *number != self.number);
        queue.changes += 1;
        drop(queue);
        self.budget.changed.notify_all();
    }
}

impl Permit {
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn is_of_budget_of(&self, other: &Self) -> bool {
        self.is_of(&other.budget)
    }

    pub(crate) fn is_of(&self, budget: &Arc<Budget>) -> bool {
        Arc::ptr_eq(&self.budget, budget)
    }

    /// Splits off a permit for `bytes` bytes, or for all that it has if that is less.
    pub(crate) fn split(&mut self, bytes: usize) -> Self {
        let bytes = bytes.min(self.bytes);
        self.bytes -= bytes;
        Self { budget: self.budget.clone(), bytes }
    }

    /// Adds the bytes of another permit of the same budget.
    pub(crate) fn merge(&mut self, mut other: Self) {
        debug_assert!(self.is_of_budget_of(&other));
        self.bytes += std::mem::take(&mut other.bytes);
    }

    /// Adds `bytes` bytes, if they are free.
    pub(crate) fn try_grow(&mut self, bytes: usize) -> bool {
        let more = self.budget.try_acquire(bytes);
        more.map(|more| self.merge(more)).is_some()
    }

    /// As [`try_grow`](Self::try_grow), also with bytes that waiting calls want.
    pub(crate) fn grow_before_others(&mut self, bytes: usize) -> bool {
        let more = self.budget.take(bytes, self.budget.limit);
        more.map(|more| self.merge(more)).is_some()
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.budget.give_back(self.bytes);
    }
}
