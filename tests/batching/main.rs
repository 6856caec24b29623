//! Writes in batches.
#![cfg(feature = "write")]

mod batches;
mod callbacks;
mod flush;
mod gauges;
mod histories;
mod hosts;
mod logging;
mod memory;
mod merging;
mod model;
mod options;
mod outages;
#[path = "../random/mod.rs"]
mod random;
mod restarts;
mod retries;
mod series;
mod shared;
mod stress;
#[path = "../support/mod.rs"]
mod support;
