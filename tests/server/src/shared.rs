//! What all connections share.

use std::sync::{Mutex, MutexGuard, PoisonError};
#[cfg(feature = "query")]
use std::time::Duration;

use crate::{
    Fault, answers::Answers, held::Holds, release::Release, request::Requests, store::Store,
    tokens::Tokens, uuid::Uuid, wal::Wal,
};

/// The state of one server.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) release: Release,
    pub(crate) store: Store,
    pub(crate) wal: Wal,
    pub(crate) holds: Holds,
    /// Of the next writes.
    pub(crate) write_answers: Answers,
    /// Of the next queries.
    pub(crate) query_answers: Answers,
    pub(crate) fault: Mutex<Option<Fault>>,
    pub(crate) tokens: Tokens,
    pub(crate) max_request_bytes: usize,
    #[cfg(feature = "query")]
    pub(crate) keep_alive_interval: Duration,
    pub(crate) panics_like_3_6: bool,
    pub(crate) requests: Requests,
    pub(crate) process_id: Mutex<Uuid>,
    /// Stays the same when the server is restarted.
    pub(crate) cluster: Uuid,
}

impl Shared {
    pub(crate) fn fault(&self) -> Option<Fault> {
        *lock(&self.fault)
    }

    pub(crate) fn set_fault(&self, fault: Option<Fault>) {
        *lock(&self.fault) = fault;
    }

    pub(crate) fn process_id(&self) -> Uuid {
        *lock(&self.process_id)
    }

    pub(crate) fn renew_process_id(&self) {
        *lock(&self.process_id) = Uuid::v4();
    }
}

/// Of values that are whole at any time.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
