//! How many bytes of a file were read.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A count that the readers of a file share: clones are the same count.
#[derive(Clone, Debug, Default)]
pub(super) struct ByteCounter(Arc<AtomicU64>);

impl ByteCounter {
    pub(super) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    pub(super) fn add(&self, bytes: u64) {
        self.0.fetch_add(bytes, Ordering::Relaxed);
    }
}
