//! What a file that contradicts its format does to the crates that read Parquet, Arrow IPC and ORC: an error, or a panic.

use super::unreadable;
use crate::contain::contain;
use crate::{Error, Result};

/// Runs a reader of another crate. That it panics is an error of the file, which it is read no further after. (With
/// `panic = "abort"` the process ends all the same.)
pub(super) fn guarded<T>(read: impl FnOnce() -> Result<T>) -> Result<T> {
    contain(read).unwrap_or_else(|_| Err(unreadable("it is damaged: it contradicts itself")))
}

/// What a reader says about a file that it cannot read.
pub(super) fn damaged(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    unreadable(format!("it is damaged, or not what its extension says: {error}")).with_source(error)
}
