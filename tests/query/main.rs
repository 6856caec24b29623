//! Queries in every form.
#![cfg(feature = "write")]

mod agreement;
mod anywhere;
mod catalog;
mod connect;
mod connections;
mod control;
mod dataframe;
mod faults;
mod hosts;
mod influxql;
mod modes;
mod nested;
mod over_http;
mod params;
#[path = "../random/mod.rs"]
mod random;
mod read_ahead;
mod recorded;
mod rows;
mod secrets;
#[path = "../support/mod.rs"]
mod support;
mod tables;
