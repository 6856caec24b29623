//! What every fuzz target checks: an entry point of the crate against an oracle that knows nothing of its insides.
//!
//! The targets in `fuzz_targets/` call these for as long as one likes; `tests/corpus.rs` of the crate calls them on
//! stable Rust with every seed, what is left of it when it is cut off, and thousands of mutations.
//!
//! To add a target: a module here with `pub fn check(data: &[u8])`, a line in `TARGETS`, a file of three lines in
//! `fuzz_targets/`, its `[[bin]]` in `fuzz/Cargo.toml`, and a few seeds in `seeds/<name>/`.

pub mod cells;
pub mod column;
pub mod columns;
pub mod connection_string;
pub mod csv;
pub mod error_body;
pub mod flight;
pub mod frame;
pub mod frame_column;
pub mod json_text;
pub mod line_buffer;
pub mod model;
pub mod point;
pub mod records;
pub mod table;
pub mod text_split;
pub mod time_text;

/// Checks one input, and panics if something is wrong with what the crate makes of it.
pub type Check = fn(&[u8]);

/// Every target by its name.
#[allow(dead_code)] // each fuzz target uses one of them
pub const TARGETS: &[(&str, Check)] = &[
    ("point", point::check),
    ("line_buffer", line_buffer::check),
    ("records", records::check),
    ("columns", columns::check),
    ("csv", csv::check),
    ("json_text", json_text::check),
    ("frame", frame::check),
    ("text_split", text_split::check),
    ("error_body", error_body::check),
    ("connection_string", connection_string::check),
    ("flight", flight::check),
    ("time_text", time_text::check),
];
