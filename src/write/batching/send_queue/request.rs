//! A request as a worker gets it.

use std::sync::Arc;
use std::time::Duration;

use super::in_flight::Round;
use crate::write::batching::batch::{SealedLines, Size};
use crate::write::target::Target;

/// A request that a worker is to make. Its deliveries stay in the queue, in flight, so that `close` can take them.
#[derive(Debug)]
pub(crate) struct Request {
    /// The number by which the queue knows it.
    pub(crate) number: u64,
    pub(crate) target: Arc<Target>,
    /// The lines of each batch, and how many they are.
    pub(crate) batches: Vec<(Arc<SealedLines>, usize)>,
    /// Of all batches together.
    pub(crate) size: Size,
    pub(crate) is_of_file: bool,
    /// Whether the last try of it ended in a connection that was closed without an answer.
    pub(crate) was_cut: bool,
    /// Whether one of its batches has failed before.
    pub(crate) has_failed: bool,
    pub(crate) timeout: Duration,
    pub(super) round: Round,
}
