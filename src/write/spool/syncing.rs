//! Forcing what was written onto stable storage: one thread syncs, the others wait for it.

use std::io;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How far the queue is synced. One thread syncs at a time, for all writes before it began.
#[derive(Debug)]
pub(super) struct Syncing {
    state: Mutex<SyncState>,
    changed: Condvar,
    /// Whether something was written since the last time.
    is_dirty: AtomicBool,
    /// What is lower, and was not safe when this was set, may never be.
    failed: AtomicU64,
}

#[derive(Debug)]
struct SyncState {
    /// Every lower number is safe, but for those that are lost.
    safe: u64,
    /// Of these it is not known whether they are safe, and never will be.
    lost: Range<u64>,
    is_under_way: bool,
    is_over: bool,
}

impl Syncing {
    pub(super) fn new(safe: u64) -> Self {
        let state = SyncState { safe, lost: 0..0, is_under_way: false, is_over: false };
        Self {
            state: Mutex::new(state),
            changed: Condvar::new(),
            is_dirty: AtomicBool::new(false),
            failed: AtomicU64::new(0),
        }
    }

    /// Returns when everything before this number is safe, as far as it was not lost before. `sync` makes safe what was
    /// written before it was called, and returns the number behind that.
    pub(super) fn sync(
        &self,
        number: u64,
        sync: impl FnOnce() -> io::Result<u64>,
    ) -> io::Result<()> {
        let mut state = self.lock();
        loop {
            self.note_lost(&mut state);
            if state.lost.contains(&number.saturating_sub(1)) {
                return Err(io::Error::other("what was written could not be synced"));
            }
            if state.safe >= number {
                return Ok(());
            }
            if !state.is_under_way {
                break;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.is_under_way = true;
        drop(state);
        let result = sync();
        let mut state = self.lock();
        state.is_under_way = false;
        self.note_lost(&mut state);
        if let Ok(safe) = &result {
            state.safe = state.safe.max(*safe);
        }
        drop(state);
        self.changed.notify_all();
        result.map(drop)
    }

    /// What was written before this number, and is not safe, may be lost: the system could not write it, and may have
    /// forgotten that.
    pub(super) fn fail(&self, number: u64) {
        self.failed.fetch_max(number, Ordering::SeqCst);
    }

    fn note_lost(&self, state: &mut SyncState) {
        let failed = self.failed.load(Ordering::SeqCst);
        if failed > state.safe {
            state.lost = state.safe..failed;
            state.safe = failed;
        }
    }

    /// Something was written that is to be made safe in time.
    pub(super) fn note_written(&self) {
        if !self.is_dirty.swap(true, Ordering::SeqCst) {
            drop(self.lock());
            self.changed.notify_all();
        }
    }

    /// Calls `sync` this long after something was written, until it is stopped.
    pub(super) fn run(&self, interval: Duration, sync: impl Fn()) {
        let mut state = self.lock();
        while !state.is_over {
            if !self.is_dirty.load(Ordering::SeqCst) {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            // Writers do not notify while `is_dirty` is set, so only `stop` ends this wait early.
            let wait = self.changed.wait_timeout_while(state, interval, |state| !state.is_over);
            drop(wait);
            self.is_dirty.store(false, Ordering::SeqCst);
            sync();
            state = self.lock();
        }
    }

    pub(super) fn stop(&self) {
        self.lock().is_over = true;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, SyncState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_comes_later_waits_for_nothing_and_a_failure_is_for_all_that_was_written_before() {
        let syncing = Syncing::new(1);
        syncing.sync(3, || Ok(5)).unwrap();
        syncing.sync(5, || panic!("it is safe already")).unwrap();
        let fail = || {
            syncing.fail(9);
            Err(io::ErrorKind::StorageFull.into())
        };
        syncing.sync(8, fail).unwrap_err();
        for lost in 6..=9 {
            syncing.sync(lost, || panic!("it is known to have failed")).unwrap_err();
        }
        syncing.sync(5, || panic!("it was safe before")).unwrap();
        syncing.sync(10, || Ok(10)).unwrap();
        syncing.sync(10, || panic!("it is safe already")).unwrap();
        syncing.sync(9, || panic!("it is lost for ever")).unwrap_err();
    }
}
