//! The limits and counters of one client, which its deliveries use and which outlive them.

use std::sync::{Arc, Mutex, PoisonError};

use super::ended::Ended;
use crate::write::batching::accounting::{Budget, End, Ledger};

/// The byte limits and the counters of a client.
#[derive(Debug)]
pub(crate) struct Accounts {
    /// For the lines in memory, and [`BATCH_COST`] for each batch.
    pub(crate) budget: Arc<Budget>,
    /// For compressed lines; its limit is 0 if nothing is compressed.
    #[cfg_attr(not(feature = "gzip"), allow(dead_code))] // nothing is compressed then
    pub(crate) compressed: Arc<Budget>,
    /// For line errors that wait to be reported, where `budget` has no room for them.
    pub(crate) line_errors: Arc<Budget>,
    pub(crate) ledger: Ledger,
    /// Deliveries that were dropped before they ended, until their failure is reported.
    abandoned: Mutex<Vec<Ended>>,
}

impl Accounts {
    /// The limits, in bytes, of `budget` and of `compressed`.
    pub(crate) fn new(for_lines: usize, for_compressed: usize) -> Arc<Self> {
        Arc::new(Self {
            budget: Budget::new(for_lines),
            compressed: Budget::new(for_compressed),
            line_errors: Budget::new(LINE_ERRORS),
            ledger: Ledger::default(),
            abandoned: Mutex::default(),
        })
    }

    /// Keeps a delivery that was dropped before it ended, as only a panic does, so that its failure can be reported. It
    /// must have been counted as failed.
    pub(crate) fn abandon(&self, ended: Ended) {
        debug_assert_eq!(ended.end, End::Failed);
        self.abandoned.lock().unwrap_or_else(PoisonError::into_inner).push(ended);
    }

    /// Takes what [`abandon`](Self::abandon) has kept.
    pub(crate) fn take_abandoned(&self) -> Vec<Ended> {
        std::mem::take(&mut self.abandoned.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// How many bytes beyond `buffer_limit` line errors that wait to be reported may take.
const LINE_ERRORS: usize = 64 << 10;

/// How many bytes a batch counts in the buffer besides its lines.
pub(crate) const BATCH_COST: usize = 256;

/// The most bytes that lines which fit into one batch need besides their own: `Batcher::cost` counts at most four
/// batches for them, and one is left for what may be open already.
pub(crate) const LINE_OVERHEAD: usize = 5 * BATCH_COST;
