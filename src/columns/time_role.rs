//! The timestamp of a line, from a column of values of any type that can be one.

use super::column_value::ColumnValue;
use super::role::Role;
use crate::calendar::days_in;
use crate::line_protocol::{escape, number};
use crate::timestamp::time_text;
use crate::{Error, Precision, Result, Timestamp};

/// The timestamp. Writing it ends the line.
#[derive(Clone, Debug)]
pub(crate) struct TimeRole {
    /// The unit of integers in the column.
    unit: Precision,
    /// The precision of the lines.
    precision: Precision,
    /// Whether an integer that could be a day, such as 20220101, is refused.
    refuses_days: bool,
    /// A space, a timestamp and a newline for rows without a time; empty if such a row is an error.
    default: Vec<u8>,
}

impl TimeRole {
    pub(crate) fn new(unit: Precision, precision: Precision) -> Self {
        Self { unit, precision, refuses_days: false, default: Vec::new() }
    }

    /// Refuses integers that could be days.
    pub(super) fn refusing_days(self, refuses_days: bool) -> Self {
        Self { refuses_days, ..self }
    }

    /// Gives rows without a time this one; with none, such a row is an error.
    pub(super) fn with_default(self, time: Option<Timestamp>) -> Result<Self> {
        let default = time.map(|time| end_of_line(time, self.precision)).transpose()?;
        Ok(Self { default: default.unwrap_or_default(), ..self })
    }

    /// The time that a value stands for.
    ///
    /// # Errors
    /// It is null, of a type that has no times, or a text or number that is none.
    #[inline(always)]
    pub(crate) fn read(&self, value: ColumnValue<'_>) -> Result<Timestamp> {
        match value {
            ColumnValue::Integer(value) if self.refuses_days && is_day(value) => Err(day(value)),
            ColumnValue::Integer(value) => Ok(Timestamp::of_unit(value, self.unit)),
            ColumnValue::Instant(time) => Ok(time),
            ColumnValue::Unsigned(value) => match i64::try_from(value) {
                Ok(value) => Ok(Timestamp::of_unit(value, self.unit)),
                Err(_) => Err(no_time(ColumnValue::Unsigned(value))),
            },
            ColumnValue::Text(text) | ColumnValue::Number(text) => self.of_text(text),
            ColumnValue::Float(value) => self.of_float(value),
            ColumnValue::Float32(value) => self.of_float(f64::from(value)),
            ColumnValue::Day(day) => Ok(Timestamp::from_nanos(i128::from(day) * NANOS_PER_DAY)),
            ColumnValue::Null => Err(Error::invalid_record(
                "there is no timestamp: give each row one, or leave the row out",
            )),
            ColumnValue::Boolean(_) | ColumnValue::Clock(_) => Err(no_time(value)),
        }
    }

    /// Whether a text is, byte by byte, the number that is written for it. It is in most files, and is copied then. May be
    /// false for a few texts that are.
    #[inline]
    fn is_written_as(&self, text: &str) -> bool {
        // A number of this many digits, the first of them below 9, fits 64 bits as nanoseconds.
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

    /// Programs whose integer columns cannot have nulls make float columns of them, pandas among them.
    fn of_float(&self, value: f64) -> Result<Timestamp> {
        let digits = format!("{value}");
        match time_text::parse_or_number(&digits, self.unit) {
            Ok(time) => Ok(time),
            Err(_) => Err(no_time(ColumnValue::Float(value))),
        }
    }
}

impl Role for TimeRole {
    #[inline(always)]
    fn write(&self, out: &mut Vec<u8>, value: ColumnValue<'_>) -> Result<bool> {
        if let ColumnValue::Null = value
            && !self.default.is_empty()
        {
            return Ok(false);
        }
        if let ColumnValue::Text(text) = value
            && self.is_written_as(text)
        {
            out.push(b' ');
            out.extend_from_slice(text.as_bytes());
            out.push(b'\n');
            return Ok(true);
        }
        let scaled = self.read(value)?.scaled(self.precision)?;
        number::time(out, scaled);
        Ok(true)
    }

    #[inline]
    fn default(&self) -> &[u8] {
        &self.default
    }
}

#[cold]
fn no_time(value: ColumnValue<'_>) -> Error {
    let what = match value {
        ColumnValue::Unsigned(value) => value.to_string(),
        ColumnValue::Float(value) => value.to_string(),
        ColumnValue::Boolean(value) => value.to_string(),
        _ => "a time of the day".to_owned(),
    };
    Error::invalid_record(format!(
        "{what} is no timestamp: use an integer, a date with a time as text, or a type for timestamps"
    ))
}

/// What ends a line with this time: a space, the number and a newline.
pub(super) fn end_of_line(time: Timestamp, precision: Precision) -> Result<Vec<u8>> {
    let mut end = Vec::new();
    number::time(&mut end, time.scaled(precision)?);
    Ok(end)
}

/// Whether a number has the digits of a day of the years 1900 to 2100, such as 20220101.
fn is_day(number: i64) -> bool {
    let (year, month, day) = (number / 10_000, number / 100 % 100, number % 100);
    (1900..=2100).contains(&year)
        && (1..=12).contains(&month)
        && (1..=days_in(year, month)).contains(&day)
}

/// The error of a number that may be a day.
#[cold]
fn day(number: i64) -> Error {
    let (year, month, day) = (number / 10_000, number / 100 % 100, number % 100);
    Error::invalid_record(format!(
        "is {number} the day {year:04}-{month:02}-{day:02}, or a number of units since 1970? Say date_unit(…) if it is a \
         number; else write the day with hyphens, or say time_format(\"%Y%m%d\") for CSV and JSON"
    ))
}

/// The length of `20220101`.
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
            let time = TimeRole::new(unit, precision);
            let lengths =
                (1..=21).flat_map(|length| ["0", "1", "8", "9"].map(|d| d.repeat(length)));
            let odd =
                ["", "-1", "+1", " 1", "1 ", "1.0", "1e3", "01", "1_0", "9223372036854775807"];
            for text in lengths.chain(odd.map(str::to_owned)) {
                let mut out = Vec::new();
                let written = time.write(&mut out, ColumnValue::Text(&text));
                let read =
                    time.read(ColumnValue::Text(&text)).and_then(|time| time.scaled(precision));
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
