//! Points, line buffers and the lines that they become.

mod buffer;
#[allow(unreachable_pub)] // it is a module of the oracles as well
#[path = "../../fuzz/oracles/model.rs"]
mod model;
mod parser;
mod points;
mod push_record;
#[path = "../random/mod.rs"]
mod random;
mod read_back;
mod round_trip;
mod timestamps;
