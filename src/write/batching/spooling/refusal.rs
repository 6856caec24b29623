//! What the disk refuses to take, and where what is in memory is sent from then.

use std::io;
use std::sync::atomic::Ordering;

use super::Spooling;
use crate::write::batching::send_queue::Sources;
use crate::write::spool::Refused;

/// Why the disk takes nothing more.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Refusal {
    /// It does.
    None,
    /// It is at its limit.
    Full,
    /// The file system refuses it.
    Failed,
}

/// Why a batch is not on the disk.
#[derive(Debug)]
pub(super) enum NotPut {
    Full,
    Closed,
    Failed(io::Error),
}

impl Spooling {
    /// Which batches may be sent. Takes no lock.
    ///
    /// What is in memory does not wait for what is on the disk if it cannot be put behind that: as the file system
    /// refuses it, or there is no room and the client is closing, so that nothing is read from the disk any more.
    pub(super) fn sources(&self) -> Sources {
        let is_stuck = match self.refusal() {
            Refusal::None => false,
            Refusal::Full => self.is_resting(),
            Refusal::Failed => true,
        };
        if self.holds_memory() && !is_stuck { Sources::DiskFirst } else { Sources::Both }
    }

    /// Whether what is in memory belongs behind what is on the disk, or on its way there.
    fn holds_memory(&self) -> bool {
        let has_some = self.in_transit.load(Ordering::SeqCst) > 0 || !self.queue.is_empty();
        has_some && !self.is_fresh_first
    }

    fn refusal(&self) -> Refusal {
        match self.refusal.load(Ordering::SeqCst) {
            known if known == Refusal::Full as u8 => Refusal::Full,
            known if known == Refusal::Failed as u8 => Refusal::Failed,
            _ => Refusal::None,
        }
    }

    pub(super) fn set_refusal(&self, refusal: Refusal) {
        self.refusal.store(refusal as u8, Ordering::SeqCst);
    }

    /// Whether the disk is at its limit and the server takes nothing of it.
    pub(super) fn is_stuck_at_limit(&self) -> bool {
        self.refusal() == Refusal::Full && self.is_in_trouble()
    }

    /// Whether what waits in memory is to be moved to the disk: also where it is sent from memory meanwhile, unless
    /// nothing is read from the disk any more.
    pub(super) fn moves_memory(&self) -> bool {
        self.sources() == Sources::DiskFirst || self.holds_memory() && !self.is_resting()
    }

    /// Notes why a batch cannot be put on the disk.
    pub(super) fn not_put(&self, refused: Refused) -> NotPut {
        let (refusal, why) = match refused {
            Refused::Full => (Refusal::Full, NotPut::Full),
            // Nothing is sent any more either.
            Refused::Closed => return NotPut::Closed,
            Refused::Failed(error) | Refused::NotSafe(_, error) => {
                (Refusal::Failed, NotPut::Failed(error))
            }
        };
        self.set_refusal(refusal);
        why
    }
}

impl std::fmt::Display for NotPut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Full => f.write_str("the spool is at its limit"),
            Self::Closed => f.write_str("the client is closed"),
            Self::Failed(error) => error.fmt(f),
        }
    }
}
