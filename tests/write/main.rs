//! Synchronous writes, and what the answers of a server mean.
#![cfg(feature = "write")]

mod hostile_answers;
mod hosts;
mod proxy_answers;
mod recorded_answers;
mod round_trip;
mod server_errors;
mod server_state;
#[path = "../support/mod.rs"]
mod support;
mod sync;
mod versions;
