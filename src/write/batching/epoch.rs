//! What `flush` waits for: that everything which was accepted before it has ended.

use std::sync::OnceLock;
use std::time::Instant;

use super::primitives::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// A span of time, from one flush to the next, that ends when all of its members are gone, and those of the epochs before
/// it.
#[derive(Debug)]
pub(super) struct Epoch {
    number: u64,
    is_over: Mutex<bool>,
    over: Condvar,
}

/// Keeps an epoch from ending. Each batch has one, and so has whoever accepts lines.
#[derive(Clone, Debug)]
pub(super) struct Member(Arc<Token>);

#[derive(Debug)]
struct Token {
    epoch: Arc<Epoch>,
    /// The next epoch, which does not end before this one.
    next: OnceLock<Member>,
}

impl Epoch {
    /// The first member of an epoch.
    pub(super) fn start(number: u64) -> Member {
        let epoch = Arc::new(Self { number, is_over: Mutex::new(false), over: Condvar::new() });
        Member(Arc::new(Token { epoch, next: OnceLock::new() }))
    }

    /// Epochs of one client are numbered in their order.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    pub(super) fn is_over(&self) -> bool {
        *self.lock()
    }

    /// Returns when it is over.
    pub(super) fn wait(&self) {
        let mut is_over = self.lock();
        while !*is_over {
            is_over = self.over.wait(is_over).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Returns when it is over, or it is `deadline`; says whether it is over.
    pub(super) fn wait_until(&self, deadline: Instant) -> bool {
        let mut is_over = self.lock();
        while !*is_over {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            let waited = self.over.wait_timeout(is_over, left);
            is_over = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    fn lock(&self) -> MutexGuard<'_, bool> {
        self.is_over.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Member {
    pub(super) fn epoch(&self) -> &Arc<Epoch> {
        &self.0.epoch
    }

    /// Starts the next epoch in place of this one. What is returned is a member of this one, and must be dropped where no
    /// lock is held.
    pub(super) fn turn_over(&mut self) -> Self {
        let next = Epoch::start(self.0.epoch.number + 1);
        // Nobody else turns this epoch over: its successor takes its place here.
        let _ = self.0.next.set(next.clone());
        std::mem::replace(self, next)
    }
}

impl Drop for Token {
    fn drop(&mut self) {
        *self.epoch.lock() = true;
        self.epoch.over.notify_all();
    }
}
