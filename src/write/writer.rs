use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{Batching, Http};
use crate::config::Config;
use crate::line_protocol::TagRules;
use crate::{Error, Result};

/// The write side of a client: its settings, its connections, and its batching if it batches.
pub(crate) struct Writer {
    config: Arc<Config>,
    rules: Arc<TagRules>,
    http: Arc<Http>,
    /// None if writes are synchronous.
    batching: Option<Box<dyn Batching>>,
    is_closed: AtomicBool,
}

impl Writer {
    pub(crate) fn new(
        config: Arc<Config>,
        rules: Arc<TagRules>,
        http: Arc<Http>,
        batching: Option<Box<dyn Batching>>,
    ) -> Self {
        Self { config, rules, http, batching, is_closed: AtomicBool::new(false) }
    }

    /// # Errors
    /// [`ErrorKind::Closed`](crate::ErrorKind::Closed): the client was closed.
    pub(crate) fn check_open(&self) -> Result<()> {
        if self.is_closed.load(Ordering::Acquire) {
            return Err(Error::closed());
        }
        Ok(())
    }

    /// Takes no more writes, and lets go of the connections, but for those that batches need. False if it was done before.
    pub(crate) fn retire(&self) -> bool {
        if self.is_closed.swap(true, Ordering::AcqRel) {
            return false;
        }
        if self.batching.is_none() {
            self.http.retire(false);
        }
        true
    }

    pub(crate) fn config(&self) -> &Config {
        &self.config
    }

    pub(crate) fn tag_rules(&self) -> &TagRules {
        &self.rules
    }

    pub(crate) fn http(&self) -> &Http {
        &self.http
    }

    /// What makes batches of the lines; none if writes are synchronous.
    pub(crate) fn batching(&self) -> Option<&dyn Batching> {
        self.batching.as_deref()
    }
}
