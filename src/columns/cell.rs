//! One value of a column, and what it is written as.

use crate::calendar::days_in;
use crate::line_protocol::{escape, number, short_bytes};
use crate::timestamp::time_text;
use crate::{Error, Precision, Result, Timestamp};

/// A value of a column.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cell<'a> {
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

/// What a column is in a line. `write` appends a cell with its key, and tells whether there was something to write;
/// what it appended before an error or a `false` is taken back by its caller.
///
/// Cells are written by code that knows their variant, so that the matches here vanish where they are inlined.
pub(crate) trait Role {
    fn write(&self, out: &mut Vec<u8>, cell: Cell<'_>) -> Result<bool>;

    /// What stands in a line that has no value of this column.
    fn default(&self) -> &[u8] {
        &[]
    }
}

/// The name of the measurement.
#[derive(Clone, Debug)]
pub(crate) struct Measurement;

/// A tag.
#[derive(Clone, Debug)]
pub(crate) struct Tag {
    pub(crate) key: String,
    /// `,key=`
    pub(crate) prefix: Prefix,
    /// `,key=value` of a default tag of this key.
    pub(crate) default: Vec<u8>,
}

/// A field.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    /// `,key=`
    pub(crate) prefix: Prefix,
}

/// What stands before each value of a column.
#[derive(Clone, Debug)]
pub(crate) struct Prefix {
    text: Vec<u8>,
    /// Its beginning, which is mostly all of it and is copied without asking how long it is.
    chunk: [u8; 32],
}

/// The timestamp; it ends the line.
#[derive(Clone, Debug)]
pub(crate) struct Time {
    /// The unit of integers.
    unit: Precision,
    /// What is written.
    precision: Precision,
    /// Whether an integer that could be a day, such as 20220101, is refused.
    refuses_days: bool,
    /// What ends the line of a row without a time; empty if that is an error.
    default: Vec<u8>,
}

impl From<Vec<u8>> for Prefix {
    fn from(text: Vec<u8>) -> Self {
        let mut chunk = [0; 32];
        chunk.iter_mut().zip(&text).for_each(|(place, byte)| *place = *byte);
        Self { text, chunk }
    }
}

impl Prefix {
    #[inline(always)]
    fn append(&self, out: &mut Vec<u8>) {
        match self.text.len() {
            length @ ..=32 => short_bytes::append_chunk(out, &self.chunk, length),
            _ => out.extend_from_slice(&self.text),
        }
    }
}

impl Role for Measurement {
    #[inline(always)]
    fn write(&self, out: &mut Vec<u8>, cell: Cell<'_>) -> Result<bool> {
        match cell {
            Cell::Text(text) => escape::measurement(out, text)?,
            Cell::Null => {
                return Err(Error::invalid_record("there is no measurement: give each row one"));
            }
            _ => return Err(Error::invalid_record("the name of a measurement must be text")),
        }
        Ok(true)
    }
}

impl Role for Tag {
    #[inline(always)]
    fn write(&self, out: &mut Vec<u8>, cell: Cell<'_>) -> Result<bool> {
        if let Cell::Null | Cell::Text("") = cell {
            return Ok(false);
        }
        self.prefix.append(out);
        match cell {
            Cell::Null => {}
            Cell::Text(text) => escape::tag_value(out, text, &self.key)?,
            Cell::Integer(value) => number::plain_integer(out, value),
            Cell::Unsigned(value) => {
                out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
            }
            Cell::Float(value) if value.is_finite() => number::float(out, value),
            Cell::Float32(value) if value.is_finite() => number::float32(out, value),
            Cell::Float(_) | Cell::Float32(_) => return Ok(false),
            Cell::Number(digits) => out.extend_from_slice(digits.as_bytes()),
            Cell::Boolean(value) => number::boolean(out, value),
            Cell::Instant(_) | Cell::Day(_) | Cell::Clock(_) => time(out, cell)?,
        }
        Ok(true)
    }

    #[inline]
    fn default(&self) -> &[u8] {
        &self.default
    }
}

impl Role for Field {
    #[inline(always)]
    fn write(&self, out: &mut Vec<u8>, cell: Cell<'_>) -> Result<bool> {
        if let Cell::Null = cell {
            return Ok(false);
        }
        self.prefix.append(out);
        field_value(out, cell)
    }
}

/// Appends the value of a field; false if there is none.
#[inline(always)]
pub(crate) fn field_value(out: &mut Vec<u8>, cell: Cell<'_>) -> Result<bool> {
    match cell {
        Cell::Null => return Ok(false),
        Cell::Float(value) if value.is_finite() => number::float(out, value),
        Cell::Float32(value) if value.is_finite() => number::float32(out, value),
        Cell::Float(_) | Cell::Float32(_) => return Ok(false),
        Cell::Number(digits) => out.extend_from_slice(digits.as_bytes()),
        Cell::Integer(value) => number::integer(out, value),
        Cell::Unsigned(value) => number::unsigned(out, value),
        Cell::Boolean(value) => number::boolean(out, value),
        Cell::Text(text) => escape::text(out, text),
        Cell::Instant(_) | Cell::Day(_) | Cell::Clock(_) => {
            out.push(b'"');
            time(out, cell)?;
            out.push(b'"');
        }
    }
    Ok(true)
}

impl Time {
    pub(crate) fn new(unit: Precision, precision: Precision) -> Self {
        Self { unit, precision, refuses_days: false, default: Vec::new() }
    }

    /// Refuses integers that could be days.
    pub(super) fn refusing_days(self, refuses_days: bool) -> Self {
        Self { refuses_days, ..self }
    }

    /// Lets rows without a time have this one.
    pub(super) fn with_default(self, time: Option<Timestamp>) -> Result<Self> {
        let default = time.map(|time| end_of_line(time, self.precision)).transpose()?;
        Ok(Self { default: default.unwrap_or_default(), ..self })
    }

    /// The time that a cell means.
    #[inline(always)]
    pub(crate) fn read(&self, cell: Cell<'_>) -> Result<Timestamp> {
        match cell {
            Cell::Integer(value) if self.refuses_days && is_day(value) => Err(day(value)),
            Cell::Integer(value) => Ok(Timestamp::of_unit(value, self.unit)),
            Cell::Instant(time) => Ok(time),
            Cell::Unsigned(value) => match i64::try_from(value) {
                Ok(value) => Ok(Timestamp::of_unit(value, self.unit)),
                Err(_) => Err(no_time(cell)),
            },
            Cell::Text(text) | Cell::Number(text) => self.of_text(text),
            Cell::Float(value) => self.of_float(value),
            Cell::Float32(value) => self.of_float(f64::from(value)),
            Cell::Day(day) => Ok(Timestamp::from_nanos(i128::from(day) * NANOS_PER_DAY)),
            Cell::Null => Err(Error::invalid_record(
                "there is no timestamp: give each row one, or leave the row out",
            )),
            Cell::Boolean(_) | Cell::Clock(_) => Err(no_time(cell)),
        }
    }

    /// Whether a text is the very number that is to be written, as it is in most files.
    #[inline]
    fn is_written_as(&self, text: &str) -> bool {
        // With so many digits, the first of them below 9, nanoseconds still fit 64 bits.
        let most = match self.precision {
            Precision::Nanosecond => 19,
            Precision::Microsecond => 16,
            Precision::Millisecond => 13,
            Precision::Second => 10,
        };
        let digits = text.as_bytes();
        let (Some(first), true) = (digits.first(), self.unit == self.precision) else {
            return false;
        };
        (*first != b'0' || digits.len() == 1)
            && (digits.len() < most || (digits.len() == most && *first < b'9'))
            && digits.iter().all(u8::is_ascii_digit)
            && !(self.refuses_days && digits.len() == DIGITS_OF_DAY)
    }

    fn of_text(&self, text: &str) -> Result<Timestamp> {
        let trimmed = text.trim_ascii();
        if self.refuses_days
            && trimmed.len() == DIGITS_OF_DAY
            && let Ok(value) = trimmed.parse()
            && is_day(value)
        {
            return Err(day(value));
        }
        time_text::parse_or_number(text, self.unit).map_err(|error| {
            let has_exponent = trimmed.contains(['e', 'E']) && trimmed.parse::<f64>().is_ok();
            if !has_exponent {
                return error;
            }
            Error::invalid_record(format!(
                "{} is a number with an exponent, and as a time it may have lost digits: write it in full",
                escape::quoted(text)
            ))
        })
    }

    /// Programs that have no integers with gaps make floats of them.
    fn of_float(&self, value: f64) -> Result<Timestamp> {
        let digits = format!("{value}");
        match time_text::parse_or_number(&digits, self.unit) {
            Ok(time) => Ok(time),
            Err(_) => Err(no_time(Cell::Float(value))),
        }
    }
}

impl Role for Time {
    #[inline(always)]
    fn write(&self, out: &mut Vec<u8>, cell: Cell<'_>) -> Result<bool> {
        if let Cell::Null = cell
            && !self.default.is_empty()
        {
            return Ok(false);
        }
        if let Cell::Text(text) = cell
            && self.is_written_as(text)
        {
            out.push(b' ');
            out.extend_from_slice(text.as_bytes());
            out.push(b'\n');
            return Ok(true);
        }
        let scaled = self.read(cell)?.scaled(self.precision)?;
        number::time(out, scaled);
        Ok(true)
    }

    #[inline]
    fn default(&self) -> &[u8] {
        &self.default
    }
}

/// The text of a binary value.
pub(crate) fn binary_text(value: &[u8]) -> Result<Cell<'_>> {
    std::str::from_utf8(value).map(Cell::Text).map_err(|error| {
        Error::invalid_record(format!(
            "the binary value is no text in UTF-8 from byte {} on: leave the column out with .exclude(…)",
            error.valid_up_to() + 1
        ))
    })
}

fn time(out: &mut Vec<u8>, cell: Cell<'_>) -> Result<()> {
    let out = &mut time_text::Utf8(out);
    let is_written = match cell {
        Cell::Instant(time) => time_text::write(out, time),
        Cell::Day(day) => time_text::write_day(out, day),
        Cell::Clock(nanos) => time_text::write_clock(out, nanos),
        _ => Ok(false),
    };
    if is_written == Ok(true) {
        return Ok(());
    }
    Err(Error::invalid_record(
        "the date is outside of the years 0 to 9999, or the time outside of a day: write it as a number or as text",
    ))
}

#[cold]
fn no_time(cell: Cell<'_>) -> Error {
    let what = match cell {
        Cell::Unsigned(value) => value.to_string(),
        Cell::Float(value) => value.to_string(),
        Cell::Boolean(value) => value.to_string(),
        _ => "a time of the day".to_owned(),
    };
    Error::invalid_record(format!(
        "{what} is no timestamp: use an integer, a date with a time as text, or a type for timestamps"
    ))
}

/// What ends a line with this time.
pub(super) fn end_of_line(time: Timestamp, precision: Precision) -> Result<Vec<u8>> {
    let mut end = Vec::new();
    number::time(&mut end, time.scaled(precision)?);
    Ok(end)
}

/// Whether a number is written as a day of the years 1900 to 2100.
fn is_day(number: i64) -> bool {
    let (year, month, day) = (number / 10_000, number / 100 % 100, number % 100);
    (1900..=2100).contains(&year)
        && (1..=12).contains(&month)
        && (1..=days_in(year, month)).contains(&day)
}

#[cold]
fn day(number: i64) -> Error {
    let (year, month, day) = (number / 10_000, number / 100 % 100, number % 100);
    Error::invalid_record(format!(
        "is {number} the day {year:04}-{month:02}-{day:02}, or a number of units since 1970? Say date_unit(…) if it is a \
         number; else write the day with hyphens, or say time_format(\"%Y%m%d\") for CSV and JSON"
    ))
}

const DIGITS_OF_DAY: usize = 8;
const NANOS_PER_DAY: i128 = 86_400_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_is_written_as_it_stands_is_what_reading_it_makes_of_it() {
        use Precision::{Microsecond, Millisecond, Nanosecond, Second};
        let units = [Nanosecond, Microsecond, Millisecond, Second];
        let mut taken = 0;
        for (unit, precision) in units.into_iter().flat_map(|u| units.map(|p| (u, p))) {
            let time = Time::new(unit, precision);
            let lengths =
                (1..=21).flat_map(|length| ["0", "1", "8", "9"].map(|d| d.repeat(length)));
            let odd =
                ["", "-1", "+1", " 1", "1 ", "1.0", "1e3", "01", "1_0", "9223372036854775807"];
            for text in lengths.chain(odd.map(str::to_owned)) {
                let mut out = Vec::new();
                let written = time.write(&mut out, Cell::Text(&text));
                let read = time.read(Cell::Text(&text)).and_then(|time| time.scaled(precision));
                match (written, read) {
                    (Ok(true), Ok(read)) => assert_eq!(out, format!(" {read}\n").as_bytes()),
                    (Err(_), Err(_)) => {}
                    other => panic!("{text}: {other:?}"),
                }
                taken += usize::from(time.is_written_as(&text));
            }
        }
        assert!(taken > 100, "{taken}");
    }
}
