//! What `flush` waits for: that everything which was accepted before it has ended.

use std::sync::OnceLock;
use std::time::Instant;

use crate::write::primitives::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// The batches that were accepted between two flushes. It is over when all of its members were dropped, and those of
/// the epochs before it.
#[derive(Debug)]
pub(crate) struct Epoch {
    number: u64,
    is_over: Mutex<bool>,
    over: Condvar,
}

/// Keeps an epoch from being over. Each batch has one, and the accumulator has one for later batches.
#[derive(Clone, Debug)]
pub(crate) struct Member(Arc<MemberInner>);

#[derive(Debug)]
struct MemberInner {
    epoch: Arc<Epoch>,
    /// The next epoch, which does not end before this one.
    next: OnceLock<Member>,
}

impl Epoch {
    /// Starts an epoch, and returns its first member.
    pub(crate) fn start(number: u64) -> Member {
        let epoch = Arc::new(Self { number, is_over: Mutex::new(false), over: Condvar::new() });
        Member(Arc::new(MemberInner { epoch, next: OnceLock::new() }))
    }

    /// Epochs of one client are numbered in their order.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    pub(crate) fn is_over(&self) -> bool {
        *self.lock()
    }

    /// Returns when it is over.
    pub(crate) fn wait(&self) {
        let mut is_over = self.lock();
        while !*is_over {
            is_over = self.over.wait(is_over).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Returns when it is over, or it is `deadline`; says whether it is over.
    pub(crate) fn wait_until(&self, deadline: Instant) -> bool {
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
    pub(crate) fn epoch(&self) -> &Arc<Epoch> {
        &self.0.epoch
    }

    /// Becomes a member of the next epoch, which is started. What is returned is the member of this one; dropping it
    /// may end the epoch, which takes a lock.
    pub(crate) fn turn_over(&mut self) -> Self {
        let next = Epoch::start(self.0.epoch.number + 1);
        // It is not set yet: after this, the only member that is turned over is one of the next epoch.
        let _ = self.0.next.set(next.clone());
        std::mem::replace(self, next)
    }
}

impl Drop for MemberInner {
    fn drop(&mut self) {
        *self.epoch.lock() = true;
        self.epoch.over.notify_all();
    }
}
