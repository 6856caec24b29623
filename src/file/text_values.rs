//! Texts that stand for values: the cells of CSV and the scalars of JSON, judged by one rule.
//!
//! Digits are never changed: a number goes from the file to its line as it stands, unless it has a form that line
//! protocol does not know.

use std::borrow::Cow;

use super::null_texts::NullTexts;
use super::seen_kinds::SeenKinds;
use crate::columns::ColumnValue;
use crate::line_protocol::escape;
use crate::{ColumnType, Error, Result};

/// Takes note of what a text could be.
#[inline]
pub(super) fn see(seen: &mut SeenKinds, text: &str, is_quoted: bool, nulls: &NullTexts) {
    match shape(text.as_bytes()) {
        // An integer of at most 18 digits fits 64 bits.
        NumberShape::Digits { negative, count: 1..=18 } if nulls.lists_none() => {
            seen.add(SeenKinds::INTEGER);
            if negative {
                seen.add(SeenKinds::NEGATIVE);
            }
        }
        NumberShape::Decimal if nulls.lists_none() => seen.add(SeenKinds::FLOAT),
        _ => see_slowly(seen, text, is_quoted, nulls),
    }
}

fn see_slowly(seen: &mut SeenKinds, text: &str, is_quoted: bool, nulls: &NullTexts) {
    if nulls.has_text(text, is_quoted) {
        // A NaN is no value, but says that the numbers beside it are floats.
        if text.eq_ignore_ascii_case("nan") {
            seen.add(SeenKinds::NAN);
        }
        return;
    }
    let trimmed = text.trim_ascii();
    if !may_be_other(trimmed) {
        seen.add(SeenKinds::TEXT);
    } else if let Some((negative, digits)) = integer(trimmed) {
        seen.add_integer(negative, digits);
    } else if nulls.has_other(trimmed) {
        seen.add(SeenKinds::WORD);
    } else if boolean(trimmed).is_some() {
        seen.add(SeenKinds::BOOLEAN);
    } else if trimmed.parse::<f64>().is_ok() {
        seen.add(SeenKinds::FLOAT);
    } else if has_other_mark(trimmed) {
        seen.add(SeenKinds::OTHER_MARK);
    } else {
        seen.add(SeenKinds::TEXT);
    }
}

/// Takes note of a text that is one whatever it looks like, as JSON has them in quotes.
#[cfg(feature = "json")]
pub(super) fn see_text(seen: &mut SeenKinds, text: &str, nulls: &NullTexts) {
    if nulls.has_listed(text) {
    } else if nulls.has_other(text) {
        seen.add(SeenKinds::WORD);
    } else {
        seen.add(SeenKinds::TEXT);
    }
}

/// Whether a text can be a number, a boolean or a word for nothing by its first byte and its length; most cannot.
#[inline]
fn may_be_other(text: &str) -> bool {
    match (text.as_bytes().first(), text.len()) {
        (Some(b'N'), 2)
        | (Some(b'N' | b'n' | b'I' | b'i'), 3)
        | (Some(b'N' | b'n' | b'T' | b't'), 4)
        | (Some(b'F' | b'f'), 5)
        | (Some(b'u'), 7 | 11)
        | (Some(b'I' | b'i'), 8) => true,
        (Some(first), _) => first.is_ascii() && !first.is_ascii_alphabetic(),
        (None, _) => true,
    }
}

/// A text as a value of a type.
#[inline(always)]
pub(super) fn value<'a>(
    text: &'a str,
    is_quoted: bool,
    column_type: ColumnType,
    nulls: &NullTexts,
) -> Result<ColumnValue<'a>> {
    if nulls.has_listed(text) {
        return Ok(ColumnValue::Null);
    }
    let value = match column_type {
        ColumnType::Text if nulls.has_usual_text(text, is_quoted) => Some(ColumnValue::Null),
        ColumnType::Text => Some(ColumnValue::Text(text)),
        // What line protocol reads is written as it stands: there is no rounding in between.
        ColumnType::Float if is_plain_float(text.as_bytes()) => Some(ColumnValue::Number(text)),
        ColumnType::Integer => text.parse().ok().map(ColumnValue::Integer),
        ColumnType::Unsigned => text.parse().ok().map(ColumnValue::Unsigned),
        ColumnType::Float | ColumnType::Boolean => None,
    };
    match value {
        Some(value) => Ok(value),
        None => unusual_value(text, is_quoted, column_type, nulls),
    }
}

/// A text that is not simply a value of the type.
#[inline(never)]
fn unusual_value<'a>(
    text: &'a str,
    is_quoted: bool,
    column_type: ColumnType,
    nulls: &NullTexts,
) -> Result<ColumnValue<'a>> {
    if nulls.has_text(text, is_quoted) {
        return Ok(ColumnValue::Null);
    }
    let trimmed = text.trim_ascii();
    let value = match column_type {
        ColumnType::Float if is_plain_float(trimmed.as_bytes()) => {
            Some(ColumnValue::Number(trimmed))
        }
        ColumnType::Float => trimmed.parse().ok().map(ColumnValue::Float),
        ColumnType::Integer => without_zeros(trimmed).parse().ok().map(ColumnValue::Integer),
        ColumnType::Unsigned => without_zeros(trimmed).parse().ok().map(ColumnValue::Unsigned),
        ColumnType::Boolean => boolean(trimmed).map(ColumnValue::Boolean),
        ColumnType::Text => Some(ColumnValue::Text(text)),
    };
    match value {
        Some(value) => Ok(value),
        None if nulls.has_other(trimmed) => Ok(ColumnValue::Null),
        None => Err(no_value(text, column_type)),
    }
}

/// A number with its decimal comma as a point, and with its points as commas, so that it is no number any more.
pub(super) fn swap_marks(text: &str) -> Cow<'_, str> {
    if !text.bytes().any(|byte| matches!(byte, b',' | b'.')) {
        return Cow::Borrowed(text);
    }
    let swap = |mark| match mark {
        ',' => '.',
        '.' => ',',
        other => other,
    };
    Cow::Owned(text.chars().map(swap).collect())
}

/// `12.000` as `12`: what programs that have no integers with gaps make of an integer.
#[inline]
fn without_zeros(text: &str) -> &str {
    match text.split_once('.') {
        Some((whole, zeros)) if !zeros.is_empty() && zeros.bytes().all(|byte| byte == b'0') => {
            whole
        }
        _ => text,
    }
}

/// Whether a text is a decimal number but for its mark, which is a comma.
fn has_other_mark(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    unsigned.split_once(',').is_some_and(|(whole, decimals)| digits(whole) && digits(decimals))
}

/// The sign and the digits of an integer.
#[inline(always)]
fn integer(text: &str) -> Option<(bool, &str)> {
    let (negative, digits) = match text.as_bytes().first() {
        Some(b'-') => (true, text.get(1..).unwrap_or_default()),
        Some(b'+') => (false, text.get(1..).unwrap_or_default()),
        _ => (false, text),
    };
    let is_integer = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_integer.then_some((negative, digits))
}

/// What digits, a point and a sign make of a text.
enum NumberShape {
    /// `-?digits`
    Digits {
        negative: bool,
        count: usize,
    },
    /// `-?digits.digits`
    Decimal,
    Other,
}

#[inline(always)]
fn shape(text: &[u8]) -> NumberShape {
    let (negative, digits) = match text.strip_prefix(b"-") {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let (mut points, mut others) = (0, 0);
    for byte in digits {
        points += usize::from(*byte == b'.');
        others += usize::from(!byte.is_ascii_digit());
    }
    match (digits, points, others) {
        ([b'0'..=b'9', ..], 0, 0) => NumberShape::Digits { negative, count: digits.len() },
        ([b'0'..=b'9', .., b'0'..=b'9'], 1, 1) => NumberShape::Decimal,
        _ => NumberShape::Other,
    }
}

/// Whether the server reads this as a finite number, and it has not too many digits to be one.
#[inline(always)]
fn is_plain_float(text: &[u8]) -> bool {
    text.len() <= 300 && !matches!(shape(text), NumberShape::Other)
}

#[inline]
fn boolean(text: &str) -> Option<bool> {
    match text.len() {
        4 if text.eq_ignore_ascii_case("true") => Some(true),
        5 if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

#[cold]
pub(super) fn no_value(text: &str, column_type: ColumnType) -> Error {
    let wanted = column_type.value_name();
    Error::invalid_record(format!(
        "{} is not {wanted}: choose another type with column_type, or say what is no value with null_values",
        escape::quoted(text)
    ))
}
