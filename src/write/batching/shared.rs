//! What the pieces of one client's batching have in common.

use std::sync::{Arc, Mutex, PoisonError};

use super::budget::Budget;
use super::ended::Ended;
use super::ledger::{End, Ledger};

/// The limits and the counters of a client.
#[derive(Debug)]
pub(super) struct Shared {
    /// For lines, and for what batches take besides them.
    pub(super) budget: Arc<Budget>,
    /// For compressed bodies; nothing if there are none.
    #[cfg_attr(not(feature = "gzip"), allow(dead_code))] // nothing is compressed then
    pub(super) compressed: Arc<Budget>,
    /// For what is wrong with single lines, if the other one has no room for it.
    pub(super) line_errors: Arc<Budget>,
    pub(super) ledger: Ledger,
    abandoned: Mutex<Vec<Ended>>,
}

impl Shared {
    pub(super) fn new(for_lines: usize, for_compressed: usize) -> Arc<Self> {
        Arc::new(Self {
            budget: Budget::new(for_lines),
            compressed: Budget::new(for_compressed),
            line_errors: Budget::new(LINE_ERRORS),
            ledger: Ledger::default(),
            abandoned: Mutex::default(),
        })
    }

    /// Takes over what a delivery held that was dropped before it ended, which only a panic does. It counts as failed.
    pub(super) fn abandon(&self, ended: Ended) {
        debug_assert_eq!(ended.end, End::Failed);
        self.abandoned.lock().unwrap_or_else(PoisonError::into_inner).push(ended);
    }

    pub(super) fn take_abandoned(&self) -> Vec<Ended> {
        std::mem::take(&mut self.abandoned.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// How much beyond the limit may be used for what is wrong with single lines.
const LINE_ERRORS: usize = 64 << 10;

/// What a batch counts in the buffer besides its lines.
pub(super) const BATCH_COST: usize = 256;
