//! The client against programs and libraries of others: what they take, what they answer, and what they write.
//!
//! Each test looks for its program. One that is not installed is said on standard error, unless `INTEROP_REQUIRED` names
//! it: then its tests fail. `.ci/interop` installs what can be had.
#![cfg(all(feature = "query", feature = "tls", feature = "files"))]

mod flight_server;
mod influxql;
mod python_client;
#[path = "../support/mod.rs"]
mod support;
mod third_party;
mod victoria_metrics;
