//! The spool: what waits on the disk is sent, in order, once it can be, whatever happened in between.
#![cfg(feature = "spool")]

mod accounts;
mod always;
#[cfg(feature = "query")]
mod crashes;
mod directories;
mod faults;
#[path = "../random/mod.rs"]
mod random;
mod scratch;
#[path = "../support/mod.rs"]
mod support;
mod trouble;
