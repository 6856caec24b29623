use std::sync::{Arc, Condvar, Mutex, PoisonError};

/// A right that one thread has at a time: to move batches between memory and the disk. It is taken before any lock,
/// and is held while files are written, as no lock of batching is.
#[derive(Debug, Default)]
pub(super) struct Exclusive {
    is_taken: Mutex<bool>,
    given_back: Condvar,
}

/// The right, until it is dropped.
#[derive(Debug)]
pub(super) struct TransferRight(Arc<Exclusive>);

impl Exclusive {
    /// Waits until no other thread has the right.
    pub(super) fn take(self: &Arc<Self>) -> TransferRight {
        let mut is_taken = self.is_taken.lock().unwrap_or_else(PoisonError::into_inner);
        while *is_taken {
            is_taken = self.given_back.wait(is_taken).unwrap_or_else(PoisonError::into_inner);
        }
        *is_taken = true;
        TransferRight(self.clone())
    }
}

impl Drop for TransferRight {
    fn drop(&mut self) {
        *self.0.is_taken.lock().unwrap_or_else(PoisonError::into_inner) = false;
        self.0.given_back.notify_one();
    }
}
