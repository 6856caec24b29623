//! What can be written besides points.
#![cfg(feature = "write")]

mod arrow;
mod derive;
mod frame;
mod json;
mod json_numbers;
mod layout;
mod round_trip;
mod structs;
#[path = "../support/mod.rs"]
mod support;
