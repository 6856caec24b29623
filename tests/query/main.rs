//! Queries in every form.
#![cfg(feature = "write")]

mod answer_forms;
mod any_context;
mod catalog;
mod connect;
mod connections;
mod dataframe;
mod faults;
mod get_and_serde;
mod hosts;
mod influxql;
mod nested;
mod over_http;
mod params;
#[path = "../random/mod.rs"]
mod random;
mod read_ahead;
mod recorded_answers;
mod rows;
mod running_queries;
mod secrets;
#[path = "../support/mod.rs"]
mod support;
mod tables;
