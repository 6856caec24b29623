//! The tries of a batch so far.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use crate::Error;

/// The tries of a batch. Its parts begin with a copy.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tries {
    /// How many times it was sent.
    pub(crate) sent: u32,
    /// How many tries failed and are counted as retries: since it was cut, if it was.
    pub(crate) failures: u32,
    /// When it, or what it is a part of, was first sent.
    pub(crate) since: Option<Instant>,
    /// Whether one of the tries may have stored it all the same.
    pub(crate) in_doubt: bool,
    /// Why the last try failed.
    pub(crate) why: Option<Arc<Error>>,
    pub(crate) search: Search,
}

/// How many more times a batch and its parts, which share the number, may be cut to find bad lines.
#[derive(Clone, Debug, Default)]
pub(crate) struct Search(Option<Arc<AtomicU32>>);

impl Search {
    /// Counts one cut; false if none is left.
    pub(crate) fn take_one(&mut self) -> bool {
        let left = self.0.get_or_insert_with(|| Arc::new(AtomicU32::new(SEARCH_REQUESTS)));
        let take = |left: u32| left.checked_sub(1);
        left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok()
    }
}

/// The most times that one batch and its parts are cut to find bad lines: enough to find about ten of a thousand.
/// What then still has bad lines is given up rather than sent line by line.
pub(crate) const SEARCH_REQUESTS: u32 = 100;
