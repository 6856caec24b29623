//! What the rows of a column mean, whoever keeps them.

#![allow(dead_code)] // each user takes a part of it

use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, SecondsFormat};
use influxdb3_blocking::{FieldValue, Point, Precision};

use super::model::is_written;

/// What one row means.
#[derive(Clone, Debug)]
pub enum Cell {
    Field(FieldValue<'static>),
    /// Nanoseconds since 1970.
    Instant(i128),
    /// Days since 1970.
    Day(i32),
    /// Nanoseconds since midnight.
    Clock(i64),
    /// A number divided by ten to the power of another.
    Decimal(i128, i8),
    /// Text, if it is UTF-8.
    Bytes(Vec<u8>),
    /// What no line can hold.
    Unwritable,
}

/// What a column can be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Class {
    Text,
    Float,
    Decimal,
    /// Text when asked for, and else nothing.
    Binary,
    /// What can be a time and needs no reading.
    Exact,
    /// What can be a tag or a field, and no time.
    Plain,
    Refused,
}

impl Class {
    pub fn can_be_time(self) -> bool {
        !matches!(self, Self::Plain | Self::Refused)
    }

    /// Whether a time of this is what the tests of reading times say.
    pub fn is_read_as_time(self) -> bool {
        matches!(self, Self::Text | Self::Float | Self::Decimal | Self::Binary)
    }

    pub fn can_be_name(self) -> bool {
        matches!(self, Self::Text | Self::Binary)
    }
}

#[derive(Clone, Debug)]
pub struct Cells {
    pub class: Class,
    pub rows: Vec<Cell>,
}

impl Cells {
    pub fn text(&self, row: usize) -> Option<String> {
        match &self.rows[row] {
            Cell::Field(FieldValue::Text(text)) => Some(text.to_string()),
            Cell::Bytes(bytes) => String::from_utf8(bytes.clone()).ok(),
            _ => None,
        }
    }

    /// The time of a row in nanoseconds; nothing if there is none, or none that can be written.
    pub fn nanos(&self, row: usize, unit: Precision, precision: Precision) -> Option<i64> {
        let nanos = match &self.rows[row] {
            Cell::Instant(nanos) => *nanos,
            Cell::Day(day) => i128::from(*day) * 86_400_000_000_000,
            Cell::Field(FieldValue::Integer(value)) => {
                i128::from(*value) * i128::from(unit.nanos())
            }
            Cell::Field(FieldValue::Unsigned(value)) => {
                i128::from(i64::try_from(*value).ok()?) * i128::from(unit.nanos())
            }
            _ => return None,
        };
        let floor = nanos.div_euclid(precision.nanos().into()) * i128::from(precision.nanos());
        i64::try_from(floor).ok()
    }

    /// The value of a tag, empty if there is none; nothing if it cannot be written.
    pub fn tag(&self, row: usize) -> Option<String> {
        match &self.rows[row] {
            Cell::Field(FieldValue::Text(text)) => Some(text.to_string()),
            Cell::Bytes(bytes) => String::from_utf8(bytes.clone()).ok(),
            Cell::Field(value) if !is_written(value) => Some(String::new()),
            Cell::Field(FieldValue::Integer(value)) => Some(value.to_string()),
            Cell::Field(FieldValue::Unsigned(value)) => Some(value.to_string()),
            Cell::Field(FieldValue::Boolean(value)) => Some(value.to_string()),
            Cell::Field(value) => {
                let line = Point::new("m").field("f", value.clone());
                let line = line.to_line_protocol(Precision::Second).ok()?;
                line.strip_prefix("m f=").map(str::to_owned)
            }
            Cell::Decimal(number, scale) => Some(decimal_text(*number, *scale)),
            cell => date(cell),
        }
    }

    /// The value of a field; nothing if it cannot be written.
    pub fn field(&self, row: usize) -> Option<FieldValue<'static>> {
        match &self.rows[row] {
            Cell::Field(value) => Some(value.clone()),
            Cell::Bytes(bytes) => {
                String::from_utf8(bytes.clone()).ok().map(|text| FieldValue::Text(text.into()))
            }
            // The nearest number is found by the standard library.
            Cell::Decimal(number, scale) => {
                let value = format!("{number}e{}", -i32::from(*scale)).parse::<f64>();
                Some(FieldValue::Float(value.expect("a number")))
            }
            cell => date(cell).map(|text| FieldValue::Text(text.into())),
        }
    }
}

/// The text of a date, by another calendar than that of the crate.
fn date(cell: &Cell) -> Option<String> {
    let has_four_digits = |year: i32| (0..=9999).contains(&year);
    match cell {
        Cell::Instant(nanos) => {
            let seconds = i64::try_from(nanos.div_euclid(1_000_000_000)).ok()?;
            let rest = nanos.rem_euclid(1_000_000_000) as u32;
            let time = DateTime::from_timestamp(seconds, rest)?;
            has_four_digits(time.year()).then(|| time.to_rfc3339_opts(SecondsFormat::AutoSi, true))
        }
        Cell::Day(day) => {
            let day = NaiveDate::from_epoch_days(*day)?;
            has_four_digits(day.year()).then(|| day.format("%Y-%m-%d").to_string())
        }
        Cell::Clock(nanos) => {
            let (seconds, rest) =
                (nanos.div_euclid(1_000_000_000), nanos.rem_euclid(1_000_000_000));
            let seconds = u32::try_from(seconds).ok()?;
            let time = NaiveTime::from_num_seconds_from_midnight_opt(seconds, rest as u32)?;
            Some(time.format("%H:%M:%S%.f").to_string())
        }
        _ => None,
    }
}

/// All digits, by arithmetic.
fn decimal_text(number: i128, scale: i8) -> String {
    let sign = if number < 0 { "-" } else { "" };
    let number = number.unsigned_abs();
    match usize::try_from(scale) {
        Ok(0) => format!("{sign}{number}"),
        Ok(places) => {
            let unit = 10u128.pow(scale as u32);
            format!("{sign}{}.{:0places$}", number / unit, number % unit)
        }
        Err(_) if number == 0 => "0".to_owned(),
        Err(_) => format!("{sign}{number}{}", "0".repeat(scale.unsigned_abs().into())),
    }
}
