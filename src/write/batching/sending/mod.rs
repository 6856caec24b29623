//! Sending: a request for a group of batches, the outcome for each of them, and the callbacks.

mod bad_lines;
mod outcome;
mod retrying;
mod verdict;
mod worker;

pub(crate) use self::outcome::Outcome;
#[cfg(feature = "spool")]
pub(crate) use self::outcome::fail;
