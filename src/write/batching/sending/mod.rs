//! Sending: a request for a group of batches, what its answer means for each of them, and who is told.

mod bad_lines;
mod outcome;
mod retrying;
mod verdict;
mod worker;

pub(crate) use self::outcome::Outcome;
#[cfg(feature = "spool")]
pub(crate) use self::outcome::fail;
