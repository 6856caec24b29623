//! Writes in batches.
#![cfg(feature = "write")]

mod batches;
mod buffer_limit;
mod callbacks;
mod congestion;
mod cut_connections;
mod flush;
mod forks;
mod hosts;
mod logging;
mod merging;
mod model;
mod options;
mod outages;
#[path = "../random/mod.rs"]
mod random;
mod random_programs;
mod restarts;
mod retries;
mod series_order;
mod shared_scheduler;
mod stats;
#[path = "../support/mod.rs"]
mod support;
