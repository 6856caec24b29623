//! One column of a record batch, and what each of its rows means, kept beside the array.

#![allow(dead_code)] // each user takes a part of it

use std::sync::Arc;

use arbitrary::{Arbitrary, Result, Unstructured};
use chrono::{DateTime, Datelike, NaiveDate, SecondsFormat};
use influxdb3_blocking::arrow_array::types::{Int8Type, UInt16Type};
use influxdb3_blocking::arrow_array::*;
use influxdb3_blocking::{FieldValue, Point, Precision};

use super::model::{is_written, name};

/// What a column is drawn as; without one it is anything.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    Text,
    Time,
}

#[derive(Clone, Copy, Debug)]
pub struct Size {
    pub rows: usize,
    /// How many rows of the array stand before those of the batch, and as many behind them.
    pub offset: usize,
    /// Whether all of it can be written.
    pub tame: bool,
}

/// What one row means.
#[derive(Clone, Debug)]
enum Cell {
    Field(FieldValue<'static>),
    /// Nanoseconds since 1970.
    Instant(i128),
    /// Days since 1970.
    Day(i32),
}

#[derive(Debug)]
pub struct Column {
    pub name: String,
    /// The rows, and as many others before and behind them as the offset says.
    pub array: ArrayRef,
    cells: Vec<Cell>,
}

impl Column {
    pub fn draw(
        u: &mut Unstructured<'_>,
        name: String,
        kind: Option<Kind>,
        size: Size,
    ) -> Result<Self> {
        let Size { rows, offset, tame } = size;
        let length = rows + 2 * offset;
        let is_time = kind == Some(Kind::Time);
        let kinds = match kind {
            Some(Kind::Text) => 0..=4,
            Some(Kind::Time) => 5..=11,
            None if tame => 0..=23,
            None => 0..=24,
        };
        let kind: u8 = u.int_in_range(kinds)?;
        let nulls = u.ratio(1, 2)? && !(tame && is_time);
        let (array, cells) = any_array(u, kind, length, nulls, tame)?;
        Ok(Self { name, array, cells: cells[offset..offset + rows].to_vec() })
    }

    pub fn is_text(&self) -> bool {
        use influxdb3_blocking::arrow_schema::DataType::{Dictionary, LargeUtf8, Utf8, Utf8View};
        match self.array.data_type() {
            Dictionary(_, values) => matches!(**values, Utf8 | LargeUtf8 | Utf8View),
            other => matches!(other, Utf8 | LargeUtf8 | Utf8View),
        }
    }

    pub fn is_float(&self) -> bool {
        self.array.data_type().is_floating()
    }

    pub fn is_binary(&self) -> bool {
        self.array.data_type().is_binary()
    }

    pub fn can_be_time(&self) -> bool {
        use influxdb3_blocking::arrow_schema::DataType::{Boolean, Duration, Null};
        !self.is_binary() && !matches!(self.array.data_type(), Boolean | Duration(_) | Null)
    }

    pub fn text(&self, row: usize) -> Option<String> {
        match &self.cells[row] {
            Cell::Field(FieldValue::Text(text)) => Some(text.to_string()),
            _ => None,
        }
    }

    /// The time of a row in nanoseconds; nothing if there is none, or none that can be written.
    pub fn nanos(&self, row: usize, unit: Precision, precision: Precision) -> Option<i64> {
        let nanos = match &self.cells[row] {
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
        match &self.cells[row] {
            Cell::Field(FieldValue::Text(text)) => Some(text.to_string()),
            Cell::Field(value) if !is_written(value) => Some(String::new()),
            Cell::Field(FieldValue::Integer(value)) => Some(value.to_string()),
            Cell::Field(FieldValue::Unsigned(value)) => Some(value.to_string()),
            Cell::Field(FieldValue::Boolean(value)) => Some(value.to_string()),
            Cell::Field(value) => {
                let line = Point::new("m").field("f", value.clone());
                let line = line.to_line_protocol(Precision::Second).ok()?;
                line.strip_prefix("m f=").map(str::to_owned)
            }
            cell => date(cell),
        }
    }

    /// The value of a field; nothing if it cannot be written.
    pub fn field(&self, row: usize) -> Option<FieldValue<'static>> {
        match &self.cells[row] {
            Cell::Field(value) => Some(value.clone()),
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
        _ => None,
    }
}

fn any_array(
    u: &mut Unstructured<'_>,
    kind: u8,
    length: usize,
    nulls: bool,
    tame: bool,
) -> Result<(ArrayRef, Vec<Cell>)> {
    macro_rules! array {
        ($array:ty, $draw:expr, $cell:expr) => {{
            let values = draw(u, length, nulls, $draw)?;
            let cells = values.iter().map(|value| match value {
                Some(value) => $cell(value.clone()),
                None => Cell::Field(FieldValue::Null),
            });
            let cells = cells.collect();
            (Arc::new(<$array>::from(values)) as ArrayRef, cells)
        }};
    }
    fn plain<T: for<'a> Arbitrary<'a>>(u: &mut Unstructured<'_>) -> Result<T> {
        u.arbitrary()
    }
    // Small ones are times that can be written in every unit.
    let instant = |u: &mut Unstructured<'_>| match tame {
        true => Ok(u.arbitrary::<i32>()?.into()),
        false => u.arbitrary::<i64>(),
    };
    let name = |u: &mut Unstructured<'_>| match tame {
        true => tame_name(u),
        false => name(u),
    };
    fn text(value: String) -> Cell {
        Cell::Field(FieldValue::Text(value.into()))
    }
    fn field(value: impl Into<FieldValue<'static>>) -> Cell {
        Cell::Field(value.into())
    }
    let times = |unit: i128| move |value: i64| Cell::Instant(i128::from(value) * unit);
    Ok(match kind {
        0 => array!(StringArray, name, text),
        1 => array!(LargeStringArray, name, text),
        2 => array!(StringViewArray, name, text),
        3 | 4 => {
            let values = draw(u, length, nulls, name)?;
            let cells = values.iter().cloned();
            let cells =
                cells.map(|value| value.map_or_else(|| field(None::<bool>), text)).collect();
            let texts = values.iter().map(Option::as_deref);
            let array: ArrayRef = if kind == 3 {
                Arc::new(texts.collect::<DictionaryArray<Int8Type>>())
            } else {
                Arc::new(texts.collect::<DictionaryArray<UInt16Type>>())
            };
            (array, cells)
        }
        5 => array!(Int64Array, instant, field),
        6 => array!(TimestampSecondArray, instant, times(1_000_000_000)),
        7 => array!(TimestampMillisecondArray, instant, times(1_000_000)),
        8 => array!(TimestampMicrosecondArray, instant, times(1_000)),
        9 => array!(TimestampNanosecondArray, instant, times(1)),
        10 => array!(UInt64Array, |u| Ok(instant(u)?.unsigned_abs()), field),
        11 => array!(
            Date32Array,
            |u| Ok((instant(u)? >> if tame { 16 } else { 0 }) as i32),
            Cell::Day
        ),
        12 => array!(Int8Array, plain::<i8>, field),
        13 => array!(Int16Array, plain::<i16>, field),
        14 => array!(Int32Array, plain::<i32>, field),
        15 => array!(UInt8Array, plain::<u8>, field),
        16 => array!(UInt16Array, plain::<u16>, field),
        17 => array!(UInt32Array, plain::<u32>, field),
        18 => array!(Float32Array, plain::<f32>, field),
        19 => array!(Float64Array, plain::<f64>, field),
        20 => array!(Float64Array, decimal_float, field),
        21 => array!(BooleanArray, plain::<bool>, field),
        22 => array!(DurationMillisecondArray, plain::<i64>, field),
        23 => {
            let array = Arc::new(NullArray::new(length));
            (array, vec![field(None::<bool>); length])
        }
        _ => {
            let values = draw(u, length, nulls, plain::<Vec<u8>>)?;
            let array = BinaryArray::from_iter(values);
            (Arc::new(array), vec![field(None::<bool>); length])
        }
    })
}

fn draw<T>(
    u: &mut Unstructured<'_>,
    length: usize,
    nulls: bool,
    mut value: impl FnMut(&mut Unstructured<'_>) -> Result<T>,
) -> Result<Vec<Option<T>>> {
    let one = |u: &mut Unstructured<'_>| match nulls && u.ratio(1, 4)? {
        true => Ok(None),
        false => value(u).map(Some),
    };
    let mut one = one;
    (0..length).map(|_| one(u)).collect()
}

/// A name that can stand everywhere.
pub fn tame_name(u: &mut Unstructured<'_>) -> Result<String> {
    let name = u.choose(&["a", "a b", "a,b", "a=b", "a\\b", "\"", "é", "long name of something"]);
    Ok((*name?).to_owned())
}

fn decimal_float(u: &mut Unstructured<'_>) -> Result<f64> {
    Ok(f64::from(u.arbitrary::<i32>()?) / 1000.0)
}
