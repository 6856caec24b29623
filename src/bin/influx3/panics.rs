//! Panics: of a reader whose input is damaged, which the library makes an error of, or a fault of this program.

use std::panic::{self, AssertUnwindSafe};
use std::sync::{Mutex, PoisonError};

use crate::failure::{Exit, Failure};

/// Runs a command. A panic is shown as Rust does it only if `RUST_BACKTRACE` is set.
///
/// One that nobody catches becomes a failure. In a program that cannot catch any (`panic = "abort"`), each is told as
/// one and ends it with this exit code.
pub(crate) fn contained(
    exit: Exit,
    as_json: bool,
    run: impl FnOnce() -> Result<(), Failure>,
) -> Result<(), Failure> {
    let usual = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if std::env::var_os("RUST_BACKTRACE").is_some_and(|value| value != "0") {
            usual(info);
        }
        let what = info.to_string().replace('\n', " ");
        if cfg!(panic = "abort") {
            failure(exit, &what).report(as_json);
            std::process::exit(exit as i32);
        }
        *LAST.lock().unwrap_or_else(PoisonError::into_inner) = what;
    }));
    panic::catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|payload| {
        // Dropping it could panic again.
        std::mem::forget(payload);
        let what = LAST.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Err(failure(exit, &what))
    })
}

fn failure(exit: Exit, what: &str) -> Failure {
    Failure::new(exit, "Internal", format!("it gave up: {what}"))
        .with_advice("the input is damaged, or this is a fault of influx3")
}

/// The last panic, in one line.
static LAST: Mutex<String> = Mutex::new(String::new());
