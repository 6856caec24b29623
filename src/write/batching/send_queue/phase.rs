//! Whether a client takes lines, is closing or is closed.

use std::sync::Arc;
use std::time::Instant;

use crate::write::batching::Batcher;
use crate::write::batching::accounting::{End, Epoch, Order};
use crate::write::batching::batch::{Delivery, Ended};
use crate::{Batch, Error};

/// Whether a client takes lines, is closing or is closed.
#[derive(Debug)]
pub(crate) enum Phase {
    Open,
    Closing(Closing),
    Closed {
        /// Whether lines were handed back.
        has_returned: bool,
        /// Over when the callbacks were called for all lines that could not be sent.
        told: Arc<Epoch>,
    },
}

/// A client that takes no more lines and sends what it has, until the deadline.
#[derive(Debug)]
pub(crate) struct Closing {
    pub(crate) deadline: Instant,
    /// Whether a batch may wait for a retry that is due before the deadline.
    pub(crate) may_wait: bool,
    /// Whether the client was dropped, so that no `close` can return lines.
    pub(crate) is_drop: bool,
    /// Over when all that was accepted has ended.
    pub(crate) last: Arc<Epoch>,
    /// Lines that cannot be sent in time.
    pub(crate) returned: Vec<Returned>,
    /// Whether a thread is taking the last steps; no other one begins them.
    pub(crate) is_finishing: bool,
    /// Keeps the client alive to its end if `close` was called in a callback, which cannot wait for it.
    pub(crate) itself: Option<Arc<Batcher>>,
}

/// Lines that are handed back by `close`.
#[derive(Debug)]
pub(crate) struct Returned {
    pub(crate) order: Order,
    pub(crate) batch: Batch,
    /// Why the last try failed, if there was one.
    pub(crate) why: Option<Arc<Error>>,
    /// Whether the server may have stored them.
    pub(crate) in_doubt: bool,
}

impl Phase {
    pub(crate) fn is_closed(&self) -> bool {
        matches!(self, Self::Closed { .. })
    }

    /// Whether nothing is put into the queue any more.
    #[cfg(feature = "spool")]
    pub(crate) fn is_over(&self) -> bool {
        self.is_closed() || self.closing().is_some_and(|closing| closing.is_finishing)
    }

    #[cfg(feature = "spool")]
    pub(crate) fn is_open(&self) -> bool {
        matches!(self, Self::Open)
    }

    pub(crate) fn closing(&self) -> Option<&Closing> {
        match self {
            Self::Closing(closing) => Some(closing),
            _ => None,
        }
    }

    /// Whether a batch that waits until `at` would not be sent any more.
    pub(crate) fn is_too_late(&self, at: Instant) -> bool {
        match self {
            Self::Open => false,
            Self::Closing(closing) => !closing.may_wait || at > closing.deadline,
            Self::Closed { .. } => true,
        }
    }

    /// Ends batches that a closing client cannot send again in time, and keeps their lines for `close`. Does nothing in
    /// another phase: then there must be no batches.
    pub(crate) fn hand_back(&mut self, deliveries: Vec<Delivery>) -> Vec<Ended> {
        let Self::Closing(closing) = self else { return Vec::new() };
        let end = closing.end();
        deliveries.into_iter().map(|delivery| closing.hand_back(delivery, end)).collect()
    }
}

impl Closing {
    /// How lines end that cannot be sent in time.
    pub(crate) fn end(&self) -> End {
        if self.is_drop { End::Dropped } else { End::Returned }
    }

    /// Ends a batch and keeps its lines for the call of `close`.
    pub(crate) fn hand_back(&mut self, delivery: Delivery, end: End) -> Ended {
        let (why, in_doubt) = (delivery.tries.why.clone(), delivery.tries.in_doubt);
        let ended = delivery.end(end);
        if let Some(file) = &ended.file {
            file.set_returned();
        }
        let (order, batch) = (ended.order, ended.batch.clone());
        self.returned.push(Returned { order, batch, why, in_doubt });
        ended
    }
}
