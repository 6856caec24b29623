//! Accepting lines: from the lines of one call to sealed batches.
//!
//! `accept.rs` decides whether there is room for them, `dropping.rs` what goes if there is none. The `Accumulator`
//! has the open batches and seals them.

mod accept;
mod accumulator;
mod call_lines;
mod dropping;
mod open_batches;
mod process_lock;
mod sharded_lines;

pub(crate) use self::accumulator::{Accumulator, Changes};
pub(crate) use self::call_lines::CallLines;
#[cfg(feature = "spool")]
pub(crate) use self::dropping::Losses;
