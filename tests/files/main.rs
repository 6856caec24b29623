//! `write_file`.

mod batching;
mod batching_limits;
mod damaged;
mod formats;
mod hostile;
mod layout;
mod options;
#[path = "../random/mod.rs"]
mod random;
#[path = "../support/mod.rs"]
mod support;
