//! The steps of which every line is made: measurement, tags, fields, time, end.
//!
//! A step that fails may leave a part of itself behind: whoever makes a line cuts the buffer back to where it began.

use crate::line_protocol::{FieldValue, escape, number};
use crate::{Error, Precision, Result, Timestamp};

/// What became of a row.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Encoded {
    /// One line was appended.
    Line,
    /// No field was left, so that there is no line; the buffer is as it was.
    NoFields,
}

/// Appends `,key=value`.
#[inline]
pub(crate) fn tag(out: &mut Vec<u8>, key: &str, value: &str) -> Result<()> {
    tag_key(out, key)?;
    escape::tag_value(out, value, key)
}

/// Appends `,key=`, and gives a number that equal keys share.
#[inline]
pub(crate) fn tag_key(out: &mut Vec<u8>, key: &str) -> Result<u64> {
    escape::tag_key(out, key)
}

/// Appends ` key=` for the first field of a line and `,key=` for every other, and gives a number that equal keys share.
#[inline]
pub(crate) fn field_key(out: &mut Vec<u8>, first: bool, key: &str) -> Result<u64> {
    escape::field_key(out, if first { b' ' } else { b',' }, key)
}

/// Appends a value for which [`FieldValue::is_written`] holds.
#[inline(always)]
pub(crate) fn field_value(out: &mut Vec<u8>, value: &FieldValue<'_>) {
    match value {
        FieldValue::Float(value) => number::float(out, *value),
        FieldValue::Float32(value) => number::float32(out, *value),
        FieldValue::Integer(value) => number::integer(out, *value),
        FieldValue::Unsigned(value) => number::unsigned(out, *value),
        FieldValue::Boolean(value) => number::boolean(out, *value),
        FieldValue::Text(text) => escape::text(out, text),
        FieldValue::Null => debug_assert!(false, "a null is left out"),
    }
}

/// Appends a space and the time, and the newline.
#[inline]
pub(crate) fn end(out: &mut Vec<u8>, time: Option<Timestamp>, precision: Precision) -> Result<()> {
    match time {
        Some(time) => number::time(out, time.scaled(precision)?),
        None => out.push(b'\n'),
    }
    Ok(())
}

/// The error of a row that has no field left where one is needed.
#[cold]
pub(crate) fn no_fields() -> Error {
    Error::invalid_record(
        "no field is left to write (nulls, NaN and infinities are left out): give it at least one field",
    )
}

/// The error of a key that stands for two columns.
#[cold]
pub(crate) fn tag_and_field(key: &str) -> Error {
    Error::invalid_record(format!(
        "{} is both a tag and a field, but a column is only one of them: rename one",
        escape::quoted(key)
    ))
}

/// Says which measurement an error is about.
#[cold]
pub(crate) fn of_measurement(error: Error, measurement: &str) -> Error {
    error.in_context(&format!("measurement {}", escape::quoted(measurement)))
}
