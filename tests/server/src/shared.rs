//! What all connections share.

use std::time::Duration;

use crate::{request::Requests, store::Store, uuid::Uuid};

/// The state of one server.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) store: Store,
    /// Without one, everybody may do everything.
    pub(crate) token: Option<String>,
    pub(crate) max_request_bytes: usize,
    pub(crate) keep_alive_interval: Duration,
    pub(crate) panics_like_3_6: bool,
    pub(crate) requests: Requests,
    pub(crate) process_id: Uuid,
}

impl Shared {
    pub(crate) fn allows(&self, token: Option<&str>) -> bool {
        self.token.is_none() || self.token.as_deref() == token
    }
}
