//! Queries in every form.

mod anywhere;
mod connect;
mod connections;
mod control;
mod dataframe;
mod faults;
mod modes;
#[path = "../random/mod.rs"]
mod random;
mod read_ahead;
mod recorded;
mod rows;
#[path = "../support/mod.rs"]
mod support;
