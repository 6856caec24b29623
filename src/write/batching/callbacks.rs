//! The callbacks of a client, and how they are called.

use std::ops::Deref;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use super::Batcher;
use super::contain::{call_back, contain, log_error};
use crate::write::options::Callbacks;
use crate::{Batch, Error};

/// Callbacks in use. They may be the last ones, and what they own may be anything, so no lock may be held when it is
/// dropped.
#[derive(Default)]
pub(super) struct Handle(Option<Arc<Callbacks>>);

impl Handle {
    pub(super) fn new(callbacks: Callbacks) -> Self {
        Self(Some(Arc::new(callbacks)))
    }
}

impl Deref for Handle {
    type Target = Callbacks;

    fn deref(&self) -> &Callbacks {
        const NONE: &Callbacks = &Callbacks { success: None, error: None, retry: None };
        self.0.as_deref().unwrap_or(NONE)
    }
}

impl Clone for Handle {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        let callbacks = self.0.take();
        if let Err(panic) = contain(|| drop(callbacks)) {
            log_error(format_args!("what a callback owned panicked when it was dropped: {panic}"));
        }
    }
}

impl Batcher {
    /// None of them once the client is closed.
    pub(super) fn callbacks(&self) -> Handle {
        self.callbacks.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The client has no callbacks any more.
    pub(super) fn take_callbacks(&self) -> Handle {
        std::mem::take(&mut *self.callbacks.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Calls the error callback; says whether it took the error.
    pub(super) fn tell(&self, callbacks: &Handle, batch: &Batch, error: &Error) -> bool {
        match &callbacks.error {
            Some(callback) => self.call("error", || callback(batch, error)),
            None => false,
        }
    }

    /// Calls a callback; says whether it came through.
    pub(super) fn call(&self, name: &str, callback: impl FnOnce()) -> bool {
        match call_back(self.scheduler_id, callback) {
            Ok(()) => true,
            Err(panic) => {
                log_error(format_args!("the {name} callback panicked: {panic}"));
                self.shared.ledger.callback_panics.fetch_add(1, Ordering::SeqCst);
                false
            }
        }
    }
}
