//! How many threads may work for one client at a time.

use crate::write::primitives::{Arc, AtomicUsize, Ordering};

/// The worker slots of one client.
///
/// The protocol: a thread that queues something claims a slot afterwards and passes it to a worker. A worker that finds
/// nothing to do gives its slot back and then looks once more, as something may have been queued in between, when no
/// slot was left. So whenever something can be sent, a slot is taken, or a thread is about to look.
///
/// For a while [fewer](Self::allow) slots may be allowed than there are. Those that are too many then are given back by
/// [`keep`](WorkerSlot::keep), after the request of their holder. At least one is left, and its holder looks.
#[derive(Debug)]
pub(crate) struct WorkerSlots {
    width: usize,
    /// At least one, at most the width.
    allowed: AtomicUsize,
    taken: AtomicUsize,
}

/// The right to work for a client, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct WorkerSlot {
    /// None once it was given back.
    slots: Option<Arc<WorkerSlots>>,
}

impl WorkerSlots {
    /// `width` slots, all of them allowed.
    pub(crate) fn new(width: usize) -> Arc<Self> {
        Arc::new(Self { width, allowed: AtomicUsize::new(width), taken: AtomicUsize::new(0) })
    }

    /// A slot; none if all that are allowed are taken.
    pub(crate) fn claim(self: &Arc<Self>) -> Option<WorkerSlot> {
        let allowed = self.allowed.load(Ordering::SeqCst);
        let add = |taken: usize| (taken < allowed).then_some(taken + 1);
        self.taken.fetch_update(Ordering::SeqCst, Ordering::SeqCst, add).ok()?;
        Some(WorkerSlot { slots: Some(self.clone()) })
    }

    /// Whether a slot that is allowed is not taken.
    pub(crate) fn is_one_left(&self) -> bool {
        self.taken.load(Ordering::SeqCst) < self.allowed.load(Ordering::SeqCst)
    }

    /// How many slots there are.
    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// Allows `slots` slots from now on, at least one and at most all. If they are more than before, the caller has
    /// to look for something to do.
    pub(crate) fn allow(&self, slots: usize) {
        self.allowed.store(slots.clamp(1, self.width.max(1)), Ordering::SeqCst);
    }
}

impl WorkerSlot {
    /// The slot again, unless more are taken than are allowed: then it is given back, and the holder of another one
    /// looks for something to do.
    pub(crate) fn keep(mut self) -> Option<Self> {
        let slots = self.slots.take()?;
        let allowed = slots.allowed.load(Ordering::SeqCst);
        let leave = |taken: usize| (taken > allowed).then(|| taken - 1);
        let has_left = slots.taken.fetch_update(Ordering::SeqCst, Ordering::SeqCst, leave).is_ok();
        (!has_left).then(|| Self { slots: Some(slots) })
    }
}

impl Drop for WorkerSlot {
    fn drop(&mut self) {
        if let Some(slots) = &self.slots {
            slots.taken.fetch_sub(1, Ordering::SeqCst);
        }
    }
}
