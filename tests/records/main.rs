//! What can be written besides points.

mod arrow;
mod frame;
mod json;
mod layout;
mod round_trip;
mod structs;
#[path = "../support/mod.rs"]
mod support;
