use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::queue::DiskQueue;

/// The place on the disk of lines that are being sent. When the last clone is dropped they have ended, and their place can be
/// used for others. It may touch the disk, so no lock may be held then.
#[derive(Clone, Debug)]
pub(crate) struct Ticket(Arc<Held>);

#[derive(Debug)]
struct Held {
    queue: DiskQueue,
    number: u64,
    is_former: bool,
    is_left: AtomicBool,
    /// Counts it as held until its place was given back.
    _count: Arc<()>,
}

impl Ticket {
    pub(super) fn new(queue: &DiskQueue, number: u64, is_former: bool) -> Self {
        let is_left = AtomicBool::new(false);
        let _count = queue.0.held_tickets.clone();
        Self(Arc::new(Held { queue: queue.clone(), number, is_former, is_left, _count }))
    }

    /// Whether a process before has left the lines.
    pub(crate) fn is_former(&self) -> bool {
        self.0.is_former
    }

    /// The lines stay where they are, for the next process.
    pub(crate) fn leave(&self) {
        self.0.is_left.store(true, Ordering::SeqCst);
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if !*self.is_left.get_mut() {
            self.queue.0.end(self.number);
        }
    }
}
