//! Cells of CSV as values of a type.

use crate::columns::Cell;
use crate::file::types::Seen;
use crate::{ColumnType, Error, Result};

/// What is no value.
#[derive(Debug)]
pub(super) enum Nulls {
    /// The empty cell, and in columns that are no text what programs write for nothing.
    Usual,
    /// These, in columns of every type.
    Listed(Vec<String>),
}

impl Nulls {
    /// Whether a cell of text is no value. A quoted cell is one, were it empty.
    #[inline(always)]
    pub(super) fn has_text(&self, cell: &str, is_quoted: bool) -> bool {
        match self {
            Self::Usual => cell.is_empty() && !is_quoted,
            Self::Listed(listed) => listed.iter().any(|null| null == cell),
        }
    }

    /// Whether a cell of something that is no text is no value.
    #[inline(always)]
    fn has_other(&self, cell: &str) -> bool {
        match self {
            Self::Usual => cell.is_empty() || USUAL.contains(&cell),
            Self::Listed(listed) => cell.is_empty() || listed.iter().any(|null| null == cell),
        }
    }
}

/// Takes note of what a cell could be.
#[inline]
pub(super) fn see(seen: &mut Seen, cell: &str, is_quoted: bool, nulls: &Nulls) {
    if nulls.has_text(cell, is_quoted) {
        return;
    }
    match shape(cell.as_bytes()) {
        // An integer so short fits.
        Shape::Digits { negative, count: 1..=18 } => {
            seen.add(Seen::INTEGER);
            if negative {
                seen.add(Seen::NEGATIVE);
            }
        }
        Shape::Decimal => seen.add(Seen::FLOAT),
        _ => see_slowly(seen, cell, nulls),
    }
}

fn see_slowly(seen: &mut Seen, cell: &str, nulls: &Nulls) {
    let text = cell.trim_ascii();
    if let Some((negative, digits)) = integer(text) {
        seen.add_integer(negative, digits);
    } else if nulls.has_other(text) {
    } else if boolean(text).is_some() {
        seen.add(Seen::BOOLEAN);
    } else if text.parse::<f64>().is_ok() {
        seen.add(Seen::FLOAT);
    } else {
        seen.add(Seen::TEXT);
    }
}

/// A cell as a value of a type.
#[inline(always)]
pub(super) fn value<'a>(
    cell: &'a str,
    is_quoted: bool,
    column_type: ColumnType,
    nulls: &Nulls,
) -> Result<Cell<'a>> {
    if nulls.has_text(cell, is_quoted) {
        return Ok(Cell::Null);
    }
    let text = match column_type {
        ColumnType::Text => return Ok(Cell::Text(cell)),
        _ => cell.trim_ascii(),
    };
    let value = match column_type {
        // What line protocol reads is written as it stands: there is no rounding in between.
        ColumnType::Float if is_plain_float(text.as_bytes()) => Some(Cell::Number(text)),
        ColumnType::Float => text.parse().ok().map(Cell::Float),
        ColumnType::Integer => text.parse().ok().map(Cell::Integer),
        ColumnType::Unsigned => text.parse().ok().map(Cell::Unsigned),
        ColumnType::Boolean => boolean(text).map(Cell::Boolean),
        ColumnType::Text => Some(Cell::Text(cell)),
    };
    match value {
        Some(value) => Ok(value),
        None if nulls.has_other(text) => Ok(Cell::Null),
        None => Err(no_value(cell, column_type)),
    }
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

/// What digits, a point and a sign make of a cell.
enum Shape {
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
fn shape(text: &[u8]) -> Shape {
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
        ([b'0'..=b'9', ..], 0, 0) => Shape::Digits { negative, count: digits.len() },
        ([b'0'..=b'9', .., b'0'..=b'9'], 1, 1) => Shape::Decimal,
        _ => Shape::Other,
    }
}

/// Whether the server reads this as a finite number, and it has not too many digits to be one.
#[inline(always)]
fn is_plain_float(text: &[u8]) -> bool {
    text.len() <= 300 && !matches!(shape(text), Shape::Other)
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
fn no_value(cell: &str, column_type: ColumnType) -> Error {
    let wanted = column_type.value_name();
    Error::invalid_record(format!(
        "{} is not {wanted}: choose another type with column_type, or say what is no value with null_values",
        crate::line_protocol::escape::quoted(cell)
    ))
}

/// What programs write for nothing where there should be a number.
const USUAL: [&str; 10] = ["NA", "N/A", "n/a", "#N/A", "NULL", "null", "None", "<NA>", "NaT", "-"];

#[cfg(test)]
mod tests {
    use super::*;

    fn column_type(cells: &[&str]) -> ColumnType {
        let mut seen = Seen::default();
        cells.iter().for_each(|cell| see(&mut seen, cell, false, &Nulls::Usual));
        seen.column_type()
    }

    #[test]
    fn a_column_has_the_type_of_all_its_cells() {
        assert_eq!(column_type(&["1", "-2", "", " 3 ", "+4", "007"]), ColumnType::Integer);
        assert_eq!(column_type(&["1", "2.5", "NA"]), ColumnType::Float);
        for float in ["1.", ".5", "1e3", "-1E-3", "nan", "NaN", "-inf", "Infinity", "1.5"] {
            assert_eq!(column_type(&[float]), ColumnType::Float, "{float}");
        }
        assert_eq!(column_type(&["true", "False", "TRUE", "null"]), ColumnType::Boolean);
        for text in ["x", "1x", "1_000", "1,5", "--1", "0x10", "tru", "-", "NA"] {
            assert_eq!(column_type(&[text]), ColumnType::Text, "{text}");
        }
        assert_eq!(column_type(&["1", "x"]), ColumnType::Text);
        assert_eq!(column_type(&["18446744073709551615"]), ColumnType::Unsigned);
    }

    #[test]
    fn only_what_line_protocol_reads_is_passed_on_as_it_stands() {
        for plain in ["0", "-0", "1.5", "007.10", "123456789012345678901234567890"] {
            assert!(is_plain_float(plain.as_bytes()), "{plain}");
        }
        for other in ["", "-", ".", "1.", ".5", "1.5.2", "1e3", "+1", "--1", "1-", "٣"] {
            assert!(!is_plain_float(other.as_bytes()), "{other}");
        }
        let long = "9".repeat(400);
        assert!(!is_plain_float(long.as_bytes()));
        assert!(matches!(
            value(&long, false, ColumnType::Float, &Nulls::Usual),
            Ok(Cell::Float(value)) if value.is_infinite()
        ));
    }

    #[test]
    fn nothing_is_nothing_where_it_cannot_be_a_text() {
        let null = |cell, quoted, column_type, nulls: &Nulls| {
            matches!(value(cell, quoted, column_type, nulls), Ok(Cell::Null))
        };
        assert!(null("", false, ColumnType::Text, &Nulls::Usual));
        assert!(!null("", true, ColumnType::Text, &Nulls::Usual));
        assert!(!null("NA", false, ColumnType::Text, &Nulls::Usual));
        assert!(null("NA", false, ColumnType::Integer, &Nulls::Usual));
        let listed = Nulls::Listed(vec!["?".into()]);
        assert!(null("?", false, ColumnType::Text, &listed));
        assert!(null("", false, ColumnType::Float, &listed));
        assert!(!null("", false, ColumnType::Text, &listed));
        assert!(value("NA", false, ColumnType::Integer, &listed).is_err());
    }
}
