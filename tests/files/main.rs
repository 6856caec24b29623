//! `write_file`.

mod batching;
mod batching_limits;
mod damaged;
mod formats;
mod hostile;
mod ipc;
mod layout;
mod options;
#[path = "../random/mod.rs"]
mod random;
mod readers;
#[path = "../support/mod.rs"]
mod support;
mod writers;
