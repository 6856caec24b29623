use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

use crate::process::Process;

/// A lock that a forked child does not wait for: a thread may hold it that is not there.
///
/// Which process this is takes a system call, which is as much as all else that accepting a line does. So
/// [`lock_own`](Self::lock_own) makes it each time it would have to wait, and one time in [`UNCHECKED`] otherwise.
#[derive(Debug)]
pub(super) struct ProcessLock<T> {
    value: Mutex<T>,
    process: Process,
    /// How many times it was taken since the process was looked at.
    unchecked: AtomicU8,
}

impl<T> ProcessLock<T> {
    /// The process must be this one.
    pub(super) fn new(value: T, process: Process) -> Self {
        Self { value: Mutex::new(value), process, unchecked: AtomicU8::new(0) }
    }

    /// To be called where it is known that this is no forked child.
    pub(super) fn lock(&self) -> MutexGuard<'_, T> {
        self.value.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// None in a forked child, once that is noticed: after at most [`UNCHECKED`] calls, and always from then on.
    pub(super) fn lock_own(&self) -> Option<MutexGuard<'_, T>> {
        let free = match self.value.try_lock() {
            Ok(value) => Some(value),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        };
        let unchecked = self.unchecked.load(Ordering::Relaxed);
        if free.is_some() && unchecked < UNCHECKED {
            self.unchecked.store(unchecked + 1, Ordering::Relaxed);
            return free;
        }
        if !self.process.is_current() {
            return None;
        }
        self.unchecked.store(0, Ordering::Relaxed);
        free.or_else(|| Some(self.lock()))
    }
}

const UNCHECKED: u8 = 15;
