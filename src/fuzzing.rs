//! Doors for the fuzz targets to what is not public. No part of the interface of this crate.

#![allow(missing_docs, clippy::missing_errors_doc)]

use crate::line_protocol::TagRules;
use crate::line_protocol::encoder::Encoded;
use crate::line_protocol::text;
use crate::{Point, Precision, Result};

/// The point as a client with default tags and a tag order writes it; false if no field was left.
pub fn encode_point(
    point: &Point,
    default_tags: Vec<(String, String)>,
    tag_order: Vec<String>,
    precision: Precision,
    out: &mut Vec<u8>,
) -> Result<bool> {
    let rules = TagRules::new(default_tags, tag_order)?;
    Ok(point.encode(precision, &rules, out)? == Encoded::Line)
}

/// The lines of a text up to the first that is refused, each with whether it has a timestamp.
pub fn text_lines(text: &[u8]) -> impl Iterator<Item = Result<(&[u8], bool)>> {
    text::lines(text).map(|line| line.map(|line| (line.bytes, line.has_timestamp)))
}

/// Where the lines of what this crate has encoded end.
pub fn line_ends(encoded: &[u8]) -> Vec<usize> {
    text::line_ends(encoded).collect()
}
