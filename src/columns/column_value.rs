//! One value of a column, and what a field has of it.

use crate::line_protocol::{escape, number};
use crate::timestamp::time_text;
use crate::{Error, Result, Timestamp};

/// A value of a column, of any source format.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ColumnValue<'a> {
    Null,
    Integer(i64),
    Unsigned(u64),
    Float(f64),
    Float32(f32),
    /// A number that is written as it stands: digits, with a point or an exponent or without.
    Number(&'a str),
    Boolean(bool),
    Text(&'a str),
    Instant(Timestamp),
    /// A day since 1970.
    Day(i64),
    /// Nanoseconds since midnight.
    Clock(i64),
}

/// Appends the value of a field without its key; false, and nothing is appended, if a line leaves the field out (null, NaN,
/// an infinity).
#[inline(always)]
pub(crate) fn field_value(out: &mut Vec<u8>, value: ColumnValue<'_>) -> Result<bool> {
    match value {
        ColumnValue::Null => return Ok(false),
        ColumnValue::Float(value) if value.is_finite() => number::float(out, value),
        ColumnValue::Float32(value) if value.is_finite() => number::float32(out, value),
        ColumnValue::Float(_) | ColumnValue::Float32(_) => return Ok(false),
        ColumnValue::Number(digits) => out.extend_from_slice(digits.as_bytes()),
        ColumnValue::Integer(value) => number::integer(out, value),
        ColumnValue::Unsigned(value) => number::unsigned(out, value),
        ColumnValue::Boolean(value) => number::boolean(out, value),
        ColumnValue::Text(text) => escape::text(out, text),
        ColumnValue::Instant(_) | ColumnValue::Day(_) | ColumnValue::Clock(_) => {
            out.push(b'"');
            push_time_text(out, value)?;
            out.push(b'"');
        }
    }
    Ok(true)
}

/// The text of a binary value.
pub(crate) fn binary_text(value: &[u8]) -> Result<ColumnValue<'_>> {
    std::str::from_utf8(value).map(ColumnValue::Text).map_err(|error| {
        Error::invalid_record(format!(
            "the binary value is no text in UTF-8 from byte {} on: leave the column out with .exclude(…)",
            error.valid_up_to() + 1
        ))
    })
}

/// Appends the text of an instant, a day or a time of the day.
///
/// # Errors
/// It has no text in RFC 3339.
pub(super) fn push_time_text(out: &mut Vec<u8>, value: ColumnValue<'_>) -> Result<()> {
    let out = &mut time_text::Utf8(out);
    let is_written = match value {
        ColumnValue::Instant(time) => time_text::write(out, time),
        ColumnValue::Day(day) => time_text::write_day(out, day),
        ColumnValue::Clock(nanos) => time_text::write_clock(out, nanos),
        _ => Ok(false),
    };
    if is_written == Ok(true) {
        return Ok(());
    }
    Err(Error::invalid_record(
        "the date is outside of the years 0 to 9999, or the time outside of a day: write it as a number or as text",
    ))
}
