//! The command `influx3`, run as a person or a script runs it.

mod config;
mod formats;
mod interrupt;
mod prompt;
mod query;
mod round_trip;
mod run;
mod spool;
#[path = "../support/mod.rs"]
mod support;
#[cfg(target_os = "linux")]
mod terminal;
mod write;
