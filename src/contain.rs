//! Panics of code that is not ours end here.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs `work`; a panic becomes its message.
pub(crate) fn contain<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|payload| {
        let message = message_of(&*payload);
        // The payload may be anything, also something that panics when it is dropped.
        if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
            std::mem::forget(again);
        }
        message
    })
}

/// Logs where a panic of the logger must not go further. The logger is not ours, so no lock may be held.
pub(crate) fn log_safely(level: log::Level, text: fmt::Arguments<'_>) {
    let _ = contain(|| log::log!(level, "{text}"));
}

pub(crate) fn log_error(text: fmt::Arguments<'_>) {
    log_safely(log::Level::Error, text);
}

fn message_of(payload: &(dyn Any + Send)) -> String {
    match (payload.downcast_ref::<&str>(), payload.downcast_ref::<String>()) {
        (Some(text), _) => (*text).to_owned(),
        (_, Some(text)) => text.clone(),
        _ => "without a message".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Nasty;

    impl Drop for Nasty {
        fn drop(&mut self) {
            panic!("once more");
        }
    }

    #[test]
    fn whatever_a_panic_carries_it_ends_here() {
        assert_eq!(contain(|| 1), Ok(1));
        assert_eq!(contain(|| panic!("plain")), Err::<(), _>("plain".into()));
        let number = 2;
        assert_eq!(contain(|| panic!("number {number}")), Err::<(), _>("number 2".into()));
        let nasty = contain(|| std::panic::panic_any(Nasty));
        assert_eq!(nasty, Err::<(), _>("without a message".into()));
    }
}
