//! `write_file`.
#![cfg(feature = "write")]

mod annotated;
mod batching;
mod batching_limits;
mod damaged;
mod digits;
mod formats;
mod hostile;
mod ipc;
mod layout;
mod line_protocol;
mod options;
#[path = "../random/mod.rs"]
mod random;
mod readers;
#[path = "../support/mod.rs"]
mod support;
mod too_large;
mod untidy_text;
mod writers;
