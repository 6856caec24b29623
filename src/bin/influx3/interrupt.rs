//! Ctrl-C, and the signals that mean the same.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::failure::{Exit, Failure};

/// Installs the signal handler. While no action is registered by [`instead`], a signal ends the program with exit code
/// 130.
pub(crate) fn listen() -> Result<(), Failure> {
    ctrlc::set_handler(on_signal).map_err(|error| {
        Failure::new(Exit::Failed, "Internal", format!("signals cannot be caught: {error}"))
    })
}

/// Registers the action of a signal while the returned value is kept. It runs on a thread of its own; one more signal
/// ends the program at once.
#[must_use]
pub(crate) fn instead(action: impl FnOnce() + Send + 'static) -> Instead {
    IS_CAUGHT.store(false, Ordering::Release);
    *lock() = Some(Box::new(action));
    Instead(())
}

/// Ends when it is dropped.
pub(crate) struct Instead(());

impl Drop for Instead {
    fn drop(&mut self) {
        // Not dropped with the lock held.
        let action = lock().take();
        drop(action);
    }
}

/// Whether a signal was received since the last [`instead`].
pub(crate) fn is_caught() -> bool {
    IS_CAUGHT.load(Ordering::Acquire)
}

fn on_signal() {
    let action = lock().take();
    let Some(action) = action else { std::process::exit(Exit::Interrupted as i32) };
    IS_CAUGHT.store(true, Ordering::Release);
    // So that the next signal is heard.
    std::thread::spawn(action);
}

type Action = Box<dyn FnOnce() + Send>;

static ACTION: Mutex<Option<Action>> = Mutex::new(None);
static IS_CAUGHT: AtomicBool = AtomicBool::new(false);

fn lock() -> MutexGuard<'static, Option<Action>> {
    ACTION.lock().unwrap_or_else(PoisonError::into_inner)
}
