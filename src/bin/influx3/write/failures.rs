//! The failures of batches of a client with a spool, which its callbacks get, as they are those of no call.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use influxdb3_blocking::{Batch, Error, LineError};

use super::progress::Watch;
use super::rejects::Rejects;
use crate::words;

/// The failures so far.
#[derive(Debug)]
pub(super) struct Failures {
    watch: Arc<Watch>,
    rejects: Arc<Rejects>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    refused: Vec<LineError>,
    /// Lines that are neither at the server nor on the disk, and why the first of them are not.
    lost: Option<(u64, String)>,
    /// Why a request failed, the last one that did.
    reason: Option<String>,
}

impl Failures {
    pub(super) fn new(watch: Arc<Watch>, rejects: Arc<Rejects>) -> Self {
        Self { watch, rejects, state: Mutex::default() }
    }

    /// A batch, or some lines of it, cannot be written.
    pub(super) fn failure(&self, batch: &Batch, error: &Error) {
        if error.line_errors().is_empty() {
            let mut state = self.lock();
            let why = || words::of_here(&error.to_string());
            state.lost.get_or_insert_with(|| (0, why())).0 += batch.lines() as u64;
            return;
        }
        self.rejects.add(batch, error);
        let refused = &mut self.lock().refused;
        let room = MOST_REFUSED.saturating_sub(refused.len());
        refused.extend(error.line_errors().iter().take(room).cloned());
    }

    /// A request failed, and its lines wait in memory or on the disk.
    pub(super) fn retry(&self, error: &Error) {
        let reason = words::of_here(&error.to_string());
        self.watch.count_retry();
        // They may wait on the disk for long: the same is not said again and again.
        let before = self.lock().reason.replace(reason.clone());
        if before.as_ref() != Some(&reason) {
            self.watch.tell(&format!("not taken yet: {reason}"));
        }
    }

    pub(super) fn refused(&self) -> Vec<LineError> {
        self.lock().refused.clone()
    }

    pub(super) fn lost(&self) -> Option<(u64, String)> {
        self.lock().lost.clone()
    }

    pub(super) fn reason(&self) -> Option<String> {
        self.lock().reason.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How many refused lines are kept to be shown.
const MOST_REFUSED: usize = 1000;
