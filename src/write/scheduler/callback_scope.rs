//! Callbacks, and which scheduler's worker each of them blocks.

use std::cell::RefCell;

use crate::contain::contain;

/// Runs a callback, or anything else that holds up a worker of `scheduler`.
pub(crate) fn call_back(scheduler: usize, callback: impl FnOnce()) -> Result<(), String> {
    let _scope = CallbackScope::enter(scheduler);
    contain(callback)
}

/// Whether this is called by something that holds up a worker of `scheduler`, be it directly or by way of the
/// callbacks of others.
pub(crate) fn is_in_callback(scheduler: usize) -> bool {
    CALLBACKS_OF.try_with(|stack| stack.borrow().contains(&scheduler)).unwrap_or(false)
}

/// One more callback that this thread is in, until it is dropped.
struct CallbackScope;

impl CallbackScope {
    fn enter(scheduler: usize) -> Option<Self> {
        // Thread locals may be gone already, as a client may be dropped by one of them.
        CALLBACKS_OF.try_with(|stack| stack.borrow_mut().push(scheduler)).ok().map(|()| Self)
    }
}

impl Drop for CallbackScope {
    fn drop(&mut self) {
        let _ = CALLBACKS_OF.try_with(|stack| stack.borrow_mut().pop());
    }
}

thread_local! {
    /// The schedulers whose workers this thread holds up, the innermost last.
    static CALLBACKS_OF: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callbacks_know_whose_worker_they_hold_up() {
        assert!(!is_in_callback(7));
        call_back(7, || {
            assert!(is_in_callback(7) && !is_in_callback(8));
            // A worker of 7 is held up all the same.
            call_back(8, || assert!(is_in_callback(8) && is_in_callback(7))).unwrap();
            assert!(is_in_callback(7));
            call_back(8, || panic!("contained")).unwrap_err();
            assert!(is_in_callback(7) && !is_in_callback(8));
        })
        .unwrap();
        assert!(!is_in_callback(7));
    }
}
