//! The callbacks of a client, and how they are called.

use std::ops::Deref;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use crate::contain::{contain, log_error};
use crate::write::batching::Batcher;
use crate::write::options::Callbacks;
use crate::write::scheduler::call_back;
use crate::{Batch, Error};

/// The callbacks of a client; none once it is closed. Dropping the last clone drops what they own, which may run code
/// of the user's: no lock may be held then. A panic of that code is logged.
#[derive(Default)]
pub(super) struct CallbackHandle(Option<Arc<Callbacks>>);

impl CallbackHandle {
    pub(super) fn new(callbacks: Callbacks) -> Self {
        Self(Some(Arc::new(callbacks)))
    }
}

impl Deref for CallbackHandle {
    type Target = Callbacks;

    fn deref(&self) -> &Callbacks {
        const NONE: &Callbacks = &Callbacks { success: None, error: None, retry: None };
        self.0.as_deref().unwrap_or(NONE)
    }
}

impl Clone for CallbackHandle {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl Drop for CallbackHandle {
    fn drop(&mut self) {
        let callbacks = self.0.take();
        if let Err(panic) = contain(|| drop(callbacks)) {
            log_error(format_args!("what a callback owned panicked when it was dropped: {panic}"));
        }
    }
}

impl Batcher {
    /// The client's callbacks; none once it is closed.
    pub(super) fn callbacks(&self) -> CallbackHandle {
        self.callbacks.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes the client's callbacks away, as it is closed.
    pub(super) fn take_callbacks(&self) -> CallbackHandle {
        std::mem::take(&mut *self.callbacks.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Calls the error callback. False if there is none, or it panicked.
    pub(super) fn tell(&self, callbacks: &CallbackHandle, batch: &Batch, error: &Error) -> bool {
        match &callbacks.error {
            Some(callback) => self.call("error", || callback(batch, error)),
            None => false,
        }
    }

    /// Calls a callback. False if it panicked, which is logged and counted.
    pub(super) fn call(&self, name: &str, callback: impl FnOnce()) -> bool {
        match call_back(self.scheduler_id, callback) {
            Ok(()) => true,
            Err(panic) => {
                log_error(format_args!("the {name} callback panicked: {panic}"));
                self.accounts.ledger.callback_panics.fetch_add(1, Ordering::SeqCst);
                false
            }
        }
    }
}
