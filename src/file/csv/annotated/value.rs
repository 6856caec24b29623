//! The values of annotated columns.

use crate::file::time_format::TimeFormat;
use crate::line_protocol::{escape, number};
use crate::timestamp::time_text;
use crate::{ColumnType, Error, FieldValue, Precision, Result, Timestamp};

/// The type of a column.
#[derive(Clone, Debug)]
pub(super) enum Datatype {
    Text,
    Float(NumberFormat),
    Integer(NumberFormat),
    Unsigned(NumberFormat),
    Boolean(BooleanFormat),
    /// Nanoseconds, written with units.
    Duration,
    Time(TimeForm),
}

/// How numbers are written: their decimal mark, and what stands between digits and says nothing.
#[derive(Clone, Debug)]
pub(super) struct NumberFormat {
    /// None for a point, unless the caller has said otherwise.
    mark: Option<char>,
    ignored: Vec<char>,
}

/// The texts that are true and those that are false; with none, every other one is.
#[derive(Clone, Debug, Default)]
pub(super) struct BooleanFormat {
    yes: Vec<String>,
    no: Vec<String>,
}

#[derive(Clone, Debug)]
pub(super) enum TimeForm {
    /// An integer or a date.
    Any,
    Number,
    Rfc3339,
    GoLayout(TimeFormat),
}

impl Datatype {
    /// The type that the caller has chosen for a column.
    pub(super) fn of(column_type: ColumnType) -> Self {
        match column_type {
            ColumnType::Integer => Self::Integer(NumberFormat::new("")),
            ColumnType::Unsigned => Self::Unsigned(NumberFormat::new("")),
            ColumnType::Float => Self::Float(NumberFormat::new("")),
            ColumnType::Boolean => Self::Boolean(BooleanFormat::default()),
            ColumnType::Text => Self::Text,
        }
    }

    /// Lets numbers that have no format of their own have a decimal comma.
    pub(super) fn set_decimal_comma(&mut self) {
        if let Self::Float(format) | Self::Integer(format) | Self::Unsigned(format) = self {
            format.mark.get_or_insert(',');
        }
    }

    /// What a cell is as a field. `unit` is that of times that are integers.
    pub(super) fn field<'a>(&self, cell: &'a str, unit: Precision) -> Result<FieldValue<'a>> {
        let value = match self {
            Self::Text => Some(FieldValue::from(cell)),
            Self::Float(format) => format.plain(cell).parse::<f64>().ok().map(FieldValue::Float),
            Self::Integer(format) => format.plain(cell).parse().ok().map(FieldValue::Integer),
            Self::Unsigned(format) => format.plain(cell).parse().ok().map(FieldValue::Unsigned),
            Self::Boolean(format) => format.read(cell).map(FieldValue::Boolean),
            Self::Duration => duration(cell).map(FieldValue::Integer),
            // No field of InfluxDB is a time: a valid one is written as text.
            Self::Time(form) => {
                form.read(cell, unit)?;
                Some(FieldValue::from(cell))
            }
        };
        value.ok_or_else(|| {
            Error::invalid_record(format!(
                "{} is not of the type {}",
                escape::quoted(cell),
                self.name()
            ))
        })
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Text => "string",
            Self::Float(_) => "double",
            Self::Integer(_) => "long",
            Self::Unsigned(_) => "unsignedLong",
            Self::Boolean(_) => "boolean",
            Self::Duration => "duration",
            Self::Time(_) => "dateTime",
        }
    }
}

/// What a cell without a type is as a field: what it would be in line protocol.
pub(super) fn untyped(cell: &str) -> Result<FieldValue<'_>> {
    let integer = || cell.strip_suffix('i')?.parse().ok().map(FieldValue::Integer);
    let unsigned = || cell.strip_suffix('u')?.parse().ok().map(FieldValue::Unsigned);
    let boolean = || number::read_boolean(cell).map(FieldValue::Boolean);
    let float = || cell.parse::<f64>().ok().map(FieldValue::Float);
    float().or_else(integer).or_else(unsigned).or_else(boolean).ok_or_else(|| {
        Error::invalid_record(format!(
            "{} is neither a number nor a boolean, and its column has no datatype: give it one, such as string",
            escape::quoted(cell)
        ))
    })
}

impl NumberFormat {
    /// The decimal mark and behind it what is left out; `strict` before it changes nothing, as no decimals are ever cut
    /// off here.
    pub(super) fn new(format: &str) -> Self {
        let format = format.strip_prefix("strict").unwrap_or(format);
        let mut marks = format.chars();
        match marks.next() {
            None => Self { mark: None, ignored: vec![' ', '\n', '\t', '\r', '_'] },
            Some(mark) => Self { mark: Some(mark), ignored: marks.collect() },
        }
    }

    /// The number as it is written everywhere.
    fn plain(&self, cell: &str) -> String {
        let decimal = self.mark.unwrap_or('.');
        let character = |character: char| match character {
            mark if mark == decimal => '.',
            // A point that is neither the mark nor left out makes it no number.
            '.' => ',',
            other => other,
        };
        cell.chars().filter(|character| !self.ignored.contains(character)).map(character).collect()
    }
}

impl BooleanFormat {
    /// `yes,Yes:no,No`; none for the built-in words.
    pub(super) fn new(format: &str) -> Result<Self> {
        if format.is_empty() {
            return Ok(Self::default());
        }
        let Some((yes, no)) = format.split_once(':') else {
            return Err(Error::invalid_record(format!(
                "the format {} of booleans has no colon: write it as yes:no",
                escape::quoted(format)
            )));
        };
        let words = |list: &str| -> Vec<String> {
            list.split(',').filter(|word| !word.is_empty()).map(str::to_owned).collect()
        };
        let format = Self { yes: words(yes), no: words(no) };
        if format.yes.is_empty() && format.no.is_empty() {
            return Err(Error::invalid_record(
                "the format of booleans names neither what is true nor what is false",
            ));
        }
        Ok(format)
    }

    fn read(&self, cell: &str) -> Option<bool> {
        if self.yes.is_empty() && self.no.is_empty() {
            return match cell.as_bytes().first()? {
                b't' | b'T' | b'y' | b'Y' | b'1' => Some(true),
                b'f' | b'F' | b'n' | b'N' | b'0' => Some(false),
                _ => None,
            };
        }
        let has = |words: &[String]| words.iter().any(|word| word == cell);
        match (has(&self.yes), has(&self.no)) {
            (_, true) => Some(false),
            (true, false) => Some(true),
            (false, false) if self.no.is_empty() => Some(false),
            (false, false) if self.yes.is_empty() => Some(true),
            (false, false) => None,
        }
    }
}

impl TimeForm {
    pub(super) fn read(&self, cell: &str, unit: Precision) -> Result<Timestamp> {
        match self {
            Self::Any => time_text::parse_or_number(cell, unit),
            Self::Rfc3339 => time_text::parse(cell),
            Self::GoLayout(format) => format.read(cell),
            Self::Number => match cell.parse() {
                Ok(number) => Ok(Timestamp::of_unit(number, unit)),
                Err(_) => Err(Error::invalid_record(format!(
                    "{} is not of the type dateTime:number",
                    escape::quoted(cell)
                ))),
            },
        }
    }
}

/// Nanoseconds of a text such as `1h2m3.5s`.
fn duration(text: &str) -> Option<i64> {
    let (is_negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(0);
    }
    let mut total = 0_i128;
    loop {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, behind) = rest.split_at(end);
        let (unit, nanos) = UNITS.iter().find(|(unit, _)| behind.starts_with(unit))?;
        let (whole, decimals) = number.split_once('.').unwrap_or((number, ""));
        if (whole.is_empty() && decimals.is_empty()) || whole.len() > 15 || decimals.len() > 15 {
            return None;
        }
        let value =
            |digits: &str| if digits.is_empty() { Some(0) } else { digits.parse::<i128>().ok() };
        let scale = 10_i128.pow(decimals.len() as u32); // at most 15
        total += value(whole)? * nanos + value(decimals)? * nanos / scale;
        rest = behind.get(unit.len()..)?;
        if rest.is_empty() {
            break;
        }
    }
    i64::try_from(if is_negative { -total } else { total }).ok()
}

/// Units of durations in nanoseconds, each before those that it begins with.
const UNITS: [(&str, i128); 10] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
    ("d", 86_400_000_000_000),
    ("w", 604_800_000_000_000),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_nanoseconds() {
        for (text, nanos) in [
            ("0", 0),
            ("1ms", 1_000_000),
            ("2us", 2_000),
            ("1h2m3.5s", 3_723_500_000_000),
            ("-1.5µs", -1_500),
            ("1d", 86_400_000_000_000),
            ("0s", 0),
        ] {
            assert_eq!(duration(text), Some(nanos), "{text}");
        }
        for text in ["", "1", "s", "1x", "1h2", "1mo", "99999999999999999999s", ".s", "1..s"] {
            assert_eq!(duration(text), None, "{text}");
        }
    }
}
