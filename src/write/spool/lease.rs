use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::shared_queue::SharedQueue;

/// A claim on lines of the queue that are being sent, so that they are not read again.
///
/// When the last clone is dropped the lines have ended, and their place on the disk can be used for others; after
/// [`leave`](Self::leave) they stay there. Dropping may touch the disk, so no lock may be held then.
#[derive(Clone, Debug)]
pub(crate) struct DiskLease(Arc<DiskLeaseInner>);

#[derive(Debug)]
struct DiskLeaseInner {
    queue: Arc<SharedQueue>,
    /// The number under which the lines were read.
    number: u64,
    is_former: bool,
    is_left: AtomicBool,
    /// Dropped behind [`end`](SharedQueue::end): who sees no lease sees no place that is about to be given back.
    _count: Arc<()>,
}

impl DiskLease {
    pub(super) fn new(queue: &Arc<SharedQueue>, number: u64, is_former: bool) -> Self {
        let is_left = AtomicBool::new(false);
        let _count = queue.leases.clone();
        Self(Arc::new(DiskLeaseInner { queue: queue.clone(), number, is_former, is_left, _count }))
    }

    /// Whether a process before this one wrote the lines.
    pub(crate) fn is_former(&self) -> bool {
        self.0.is_former
    }

    /// The lines stay on the disk when the lease is dropped, for the next process.
    pub(crate) fn leave(&self) {
        self.0.is_left.store(true, Ordering::SeqCst);
    }
}

impl Drop for DiskLeaseInner {
    fn drop(&mut self) {
        if !*self.is_left.get_mut() {
            self.queue.end(self.number);
        }
    }
}
