//! Writes that a test holds back.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::sync::oneshot;

/// One write that is held back: it is neither stored nor answered before this is dropped. Made by
/// [`DevServer::hold_next_write`].
///
/// [`DevServer::hold_next_write`]: crate::DevServer::hold_next_write
#[derive(Debug)]
#[must_use = "the write goes on when this is dropped"]
pub struct HeldWrite {
    has_come: Arc<AtomicBool>,
    // Its end is what the write waits for.
    _release: oneshot::Sender<()>,
}

impl HeldWrite {
    /// Whether the write was received, and waits.
    pub fn has_come(&self) -> bool {
        self.has_come.load(Ordering::SeqCst)
    }

    /// Releases the write, or lets the next one pass if none was received.
    pub fn release(self) {}
}

/// The holds for the next writes, in order.
#[derive(Debug, Default)]
pub(crate) struct Holds(Mutex<VecDeque<Hold>>);

#[derive(Debug)]
struct Hold {
    has_come: Arc<AtomicBool>,
    released: oneshot::Receiver<()>,
}

impl Holds {
    pub(crate) fn add(&self) -> HeldWrite {
        let (release, released) = oneshot::channel();
        let has_come = Arc::default();
        self.lock().push_back(Hold { has_come: Arc::clone(&has_come), released });
        HeldWrite { has_come, _release: release }
    }

    /// To be called for each write: waits if it is held back.
    pub(crate) async fn pass(&self) {
        let hold = self.next();
        if let Some(Hold { has_come, released }) = hold {
            has_come.store(true, Ordering::SeqCst);
            // Nothing is ever sent: that the sender is gone is the release.
            let _ = released.await;
        }
    }

    /// The next hold that was not released in the meantime.
    fn next(&self) -> Option<Hold> {
        let mut holds = self.lock();
        while let Some(mut hold) = holds.pop_front() {
            if hold.released.try_recv() == Err(oneshot::error::TryRecvError::Empty) {
                return Some(hold);
            }
        }
        None
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Hold>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_hold_is_for_one_write_and_none_for_those_behind() {
        let holds = Holds::default();
        holds.pass().await;
        let (first, second) = (holds.add(), holds.add());
        first.release();
        let mut held = Box::pin(holds.pass());
        assert!(futures::poll!(&mut held).is_pending() && second.has_come());
        holds.pass().await;
        second.release();
        held.await;
    }
}
