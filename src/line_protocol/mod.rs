//! Line protocol, in memory only: from columns to bytes, and from a text to its lines.
//!
//! `encoder` is the one place that writes a line; points, line buffers and every kind of row go through it.

mod digits;
pub(crate) mod duplicate_keys;
pub(crate) mod encoder;
pub(crate) mod escape;
mod field_value;
mod float;
pub(crate) mod key_filter;
mod line_buffer;
pub(crate) mod number;
#[cfg(feature = "write")]
pub(crate) mod series;
pub(crate) mod short_bytes;
pub(crate) mod split;
mod tag_rules;
mod tag_value;
pub(crate) mod text;

pub use field_value::FieldValue;
pub use line_buffer::{Line, LineBuffer};
pub(crate) use tag_rules::TagRules;
pub use tag_value::{Optional, Required, TagValue};
