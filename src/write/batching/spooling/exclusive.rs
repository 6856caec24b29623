use std::sync::{Arc, Condvar, Mutex, PoisonError};

/// A right that one thread has at a time. It is no lock: it is held while batches are on their way, and so are written.
#[derive(Debug, Default)]
pub(super) struct Exclusive {
    is_taken: Mutex<bool>,
    given_back: Condvar,
}

/// The right, until it is dropped.
#[derive(Debug)]
pub(super) struct Right(Arc<Exclusive>);

impl Exclusive {
    /// Waits for it.
    pub(super) fn take(self: &Arc<Self>) -> Right {
        let mut is_taken = self.is_taken.lock().unwrap_or_else(PoisonError::into_inner);
        while *is_taken {
            is_taken = self.given_back.wait(is_taken).unwrap_or_else(PoisonError::into_inner);
        }
        *is_taken = true;
        Right(self.clone())
    }
}

impl Drop for Right {
    fn drop(&mut self) {
        *self.0.is_taken.lock().unwrap_or_else(PoisonError::into_inner) = false;
        self.0.given_back.notify_one();
    }
}
