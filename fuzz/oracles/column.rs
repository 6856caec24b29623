//! One column of a record batch, and what each of its rows means, kept beside the array.

#![allow(dead_code)] // each user takes a part of it

use std::sync::Arc;

use arbitrary::{Arbitrary, Result, Unstructured};
use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, SecondsFormat};
use influxdb3_blocking::arrow_array::types::{
    ArrowPrimitiveType, Decimal256Type, Float16Type, Int8Type, Int32Type, UInt16Type,
};
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
    /// Nanoseconds since midnight.
    Clock(i64),
    /// A number divided by ten to the power of another.
    Decimal(i128, i8),
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
        let kind: u8 = match kind {
            Some(Kind::Text) => *u.choose(&[0, 1, 2, 3, 4, 24])?,
            Some(Kind::Time) => *u.choose(&[5, 6, 7, 8, 9, 10, 11, 25])?,
            None => u.int_in_range(0..=if tame { REFUSED - 1 } else { REFUSED })?,
        };
        let nulls = u.ratio(1, 2)? && !(tame && is_time);
        let (array, cells) = any_array(u, kind, length, nulls, tame)?;
        Ok(Self { name, array, cells: cells[offset..offset + rows].to_vec() })
    }

    /// One of a type that no column of InfluxDB can hold.
    pub fn draw_refused(u: &mut Unstructured<'_>, name: String, rows: usize) -> Result<Self> {
        let (array, cells) = any_array(u, REFUSED, rows, false, true)?;
        Ok(Self { name, array, cells })
    }

    pub fn is_text(&self) -> bool {
        use influxdb3_blocking::arrow_schema::DataType::{Dictionary, LargeUtf8, Utf8, Utf8View};
        match self.array.data_type() {
            Dictionary(_, values) => matches!(**values, Utf8 | LargeUtf8 | Utf8View),
            other => matches!(other, Utf8 | LargeUtf8 | Utf8View),
        }
    }

    pub fn is_float(&self) -> bool {
        use influxdb3_blocking::arrow_schema::DataType::Dictionary;
        match self.array.data_type() {
            Dictionary(_, values) => values.is_floating(),
            other => other.is_floating(),
        }
    }

    pub fn is_decimal(&self) -> bool {
        self.array.data_type().is_decimal()
    }

    pub fn is_refused(&self) -> bool {
        use influxdb3_blocking::arrow_schema::DataType::{Dictionary, Interval};
        match self.array.data_type() {
            Dictionary(_, values) => matches!(**values, Dictionary(..)),
            other => other.is_binary() || other.is_nested() || matches!(other, Interval(_)),
        }
    }

    pub fn can_be_time(&self) -> bool {
        use influxdb3_blocking::arrow_schema::DataType::{Boolean, Duration, Null, Time32, Time64};
        let data_type = self.array.data_type();
        !matches!(data_type, Boolean | Duration(_) | Null | Time32(_) | Time64(_))
            && !self.is_refused()
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
            Cell::Decimal(number, scale) => Some(decimal_text(*number, *scale)),
            cell => date(cell),
        }
    }

    /// The value of a field; nothing if it cannot be written.
    pub fn field(&self, row: usize) -> Option<FieldValue<'static>> {
        match &self.cells[row] {
            Cell::Field(value) => Some(value.clone()),
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
    // A time of the day in a unit, of which a second has so many.
    let clock = |u: &mut Unstructured<'_>, second: i64| match tame || u.ratio(15, 16)? {
        true => u.int_in_range(0..=86_400 * second - 1),
        false => Ok(u.arbitrary::<i32>()?.into()),
    };
    fn clocks<T: Into<i64>>(unit: i64) -> impl Fn(T) -> Cell {
        move |value| Cell::Clock(value.into() * unit)
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
        24 => {
            // With values that no row has, one that two numbers have, and one that is null.
            let mut values = vec![Some("of no row".to_owned()), None];
            for _ in 0..3 {
                values.push(Some(name(u)?));
            }
            values.push(values[2].clone());
            let keys =
                draw(u, length, nulls, |u| u.int_in_range(if nulls { 1..=5 } else { 2..=5 }))?;
            let cell = |key: &Option<u8>| match key.and_then(|key| values[usize::from(key)].clone())
            {
                Some(value) => text(value),
                None => field(None::<bool>),
            };
            let cells = keys.iter().map(cell).collect();
            let array = DictionaryArray::new(
                UInt8Array::from(keys),
                Arc::new(LargeStringArray::from(values.clone())),
            );
            (Arc::new(array), cells)
        }
        25 => array!(Date64Array, instant, |value: i64| match value % 86_400_000 {
            0 => Cell::Day((value / 86_400_000) as i32),
            _ => Cell::Instant(i128::from(value) * 1_000_000),
        }),
        26 => array!(
            Float16Array,
            |u| Ok(<Float16Type as ArrowPrimitiveType>::Native::from_bits(u.arbitrary()?)),
            |value: <Float16Type as ArrowPrimitiveType>::Native| field(value.to_f32())
        ),
        27 => array!(DurationSecondArray, plain::<i64>, field),
        28 => array!(DurationMicrosecondArray, plain::<i64>, field),
        29 => array!(DurationNanosecondArray, plain::<i64>, field),
        30 => array!(Time32SecondArray, |u| Ok(clock(u, 1)? as i32), clocks(1_000_000_000)),
        31 => array!(Time32MillisecondArray, |u| Ok(clock(u, 1_000)? as i32), clocks(1_000_000)),
        32 => array!(Time64MicrosecondArray, |u| clock(u, 1_000_000), clocks(1_000)),
        33 => array!(Time64NanosecondArray, |u| clock(u, 1_000_000_000), clocks(1)),
        34..=37 => {
            let scale = u.int_in_range(if kind == 34 { -2..=9 } else { -3..=18 })?;
            // As many digits as the narrowest has, so that each can be of any width.
            let digits = |u: &mut Unstructured<'_>| match kind {
                34 => Ok(i128::from(u.int_in_range(-999_999_999..=999_999_999)?)),
                35 => Ok(i128::from(u.arbitrary::<i64>()? / 10)),
                _ => Ok(u.arbitrary::<i128>()? / 10),
            };
            let values = draw(u, length, nulls, digits)?;
            let cell = |value: &Option<i128>| match value {
                Some(value) => Cell::Decimal(*value, scale),
                None => field(None::<bool>),
            };
            let cells = values.iter().map(cell).collect();
            let values = values.into_iter();
            macro_rules! decimals {
                ($array:ty, $digits:expr, $from:expr) => {{
                    let array: $array = values.map(|value| value.map($from)).collect();
                    Arc::new(array.with_precision_and_scale($digits, scale).expect("a scale"))
                }};
            }
            let array: ArrayRef = match kind {
                34 => decimals!(Decimal32Array, 9, |value| value as i32),
                35 => decimals!(Decimal64Array, 18, |value| value as i64),
                36 => decimals!(Decimal128Array, 38, |value| value),
                _ => decimals!(
                    Decimal256Array,
                    76,
                    <Decimal256Type as ArrowPrimitiveType>::Native::from_i128
                ),
            };
            (array, cells)
        }
        38 => {
            let values = draw(u, length, nulls, plain::<f64>)?;
            let array = DictionaryArray::<Int32Type>::new(
                (0..length as i32).collect(),
                Arc::new(Float64Array::from(values.clone())),
            );
            (Arc::new(array), values.into_iter().map(field).collect())
        }
        _ => {
            let array = refused(u.int_in_range(0..=7)?, length);
            (array, vec![field(None::<bool>); length])
        }
    })
}

/// The last of the kinds: what no column of InfluxDB can hold.
const REFUSED: u8 = 39;

fn refused(kind: u8, length: usize) -> ArrayRef {
    use influxdb3_blocking::arrow_schema::{DataType, Field, Fields, IntervalUnit};
    let item = Arc::new(Field::new("item", DataType::Int64, true));
    let data_type = match kind {
        0 => DataType::Binary,
        1 => DataType::LargeBinary,
        2 => DataType::BinaryView,
        3 => DataType::FixedSizeBinary(3),
        4 => DataType::Interval(IntervalUnit::MonthDayNano),
        5 => DataType::List(item),
        6 => DataType::Struct(Fields::from(vec![item])),
        _ => {
            let inner = DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::Utf8));
            DataType::Dictionary(Box::new(DataType::Int8), Box::new(inner))
        }
    };
    new_null_array(&data_type, length)
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
