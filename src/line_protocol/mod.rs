//! Line protocol, in memory only: from columns to bytes, and from a text to its lines.
//!
//! `encoder` is the one place that writes a line; points, line buffers and every kind of row go through it.

mod cut;
mod digits;
pub(crate) mod encoder;
pub(crate) mod escape;
mod few;
mod field_value;
mod float;
pub(crate) mod key_filter;
pub(crate) mod keys;
mod known;
mod line_buffer;
pub(crate) mod number;
pub(crate) mod parse;
pub(crate) mod point_buffer;
mod point_head;
pub(crate) mod point_line;
mod tag_rules;
mod tag_value;
pub(crate) mod text;
pub(crate) mod words;

pub use field_value::FieldValue;
pub use line_buffer::{Line, LineBuffer};
pub(crate) use tag_rules::TagRules;
pub use tag_value::{Optional, Required, TagValue};
