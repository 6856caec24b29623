//! Synchronous writes, and what the answers of a server mean.
#![cfg(feature = "write")]

mod answers;
mod hostile;
mod hosts;
mod recorded;
mod round_trip;
mod server_errors;
mod server_state;
#[path = "../support/mod.rs"]
mod support;
mod sync;
mod versions;
