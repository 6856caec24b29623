//! The spool: what waits on the disk is sent, in order, once it can be, whatever happened in between.
#![cfg(feature = "spool")]

mod always;
#[cfg(feature = "query")]
mod crashes;
mod damage;
mod directories;
mod fixtures;
mod full;
mod on_failure;
#[path = "../random/mod.rs"]
mod random;
mod random_programs;
#[path = "../support/mod.rs"]
mod support;
mod waits;
