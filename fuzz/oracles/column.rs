//! Columns of Arrow, and what each of their rows means, kept beside the array.

#![allow(dead_code)] // each user takes a part of it

use std::sync::Arc;

use arbitrary::{Arbitrary, Result, Unstructured};
use influxdb3_blocking::FieldValue;
use influxdb3_blocking::arrow_array::types::{
    ArrowPrimitiveType, Decimal256Type, Float16Type, Int8Type, Int32Type, UInt16Type,
};
use influxdb3_blocking::arrow_array::*;
use influxdb3_blocking::arrow_schema::DataType;

use super::cells::{Cell, Cells, Class};
use super::model::name;
use super::table::{Kind, Size, tame_name};

/// An array, and as many other values before and behind its rows as the size says.
pub fn draw(u: &mut Unstructured<'_>, kind: Option<Kind>, size: Size) -> Result<(ArrayRef, Cells)> {
    let Size { rows, offset, tame } = size;
    let is_time = kind == Some(Kind::Time);
    let kind: u8 = match kind {
        Some(Kind::Text) => *u.choose(&[0, 1, 2, 3, 4, 24])?,
        Some(Kind::Time) => *u.choose(&[5, 6, 7, 8, 9, 10, 11, 25])?,
        None => u.int_in_range(0..=if tame { REFUSED - 1 } else { REFUSED })?,
    };
    let nulls = u.ratio(1, 2)? && !(tame && is_time);
    let (array, cells) = any_array(u, kind, rows + 2 * offset, nulls, tame)?;
    let class = class(array.data_type());
    Ok((array, Cells { class, rows: cells[offset..offset + rows].to_vec() }))
}

/// One of a type that no column of InfluxDB can hold.
pub fn draw_refused(u: &mut Unstructured<'_>, rows: usize) -> Result<ArrayRef> {
    Ok(any_array(u, REFUSED, rows, false, true)?.0)
}

fn class(data_type: &DataType) -> Class {
    use DataType::{
        Boolean, Dictionary, Duration, Interval, Null, RunEndEncoded, Time32, Time64, Utf8View,
    };
    match data_type {
        Dictionary(_, values) if matches!(**values, Dictionary(..)) => Class::Refused,
        Dictionary(_, values) => class(values),
        RunEndEncoded(_, values) => class(values.data_type()),
        Utf8View => Class::Text,
        other if other.is_string() => Class::Text,
        other if other.is_floating() => Class::Float,
        other if other.is_decimal() => Class::Decimal,
        other if other.is_binary() => Class::Binary,
        other if other.is_nested() => Class::Refused,
        Interval(_) => Class::Refused,
        Boolean | Duration(_) | Null | Time32(_) | Time64(_) => Class::Plain,
        _ => Class::Exact,
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
            let values = draw_values(u, length, nulls, $draw)?;
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
            let values = draw_values(u, length, nulls, name)?;
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
            let keys = draw_values(u, length, nulls, |u| {
                u.int_in_range(if nulls { 1..=5 } else { 2..=5 })
            })?;
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
            let values = draw_values(u, length, nulls, digits)?;
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
            let values = draw_values(u, length, nulls, plain::<f64>)?;
            let array = DictionaryArray::<Int32Type>::new(
                (0..length as i32).collect(),
                Arc::new(Float64Array::from(values.clone())),
            );
            (Arc::new(array), values.into_iter().map(field).collect())
        }
        39..=41 => {
            let bytes = |u: &mut Unstructured<'_>| match tame || u.ratio(7, 8)? {
                true => name(u).map(String::into_bytes),
                false => u.arbitrary::<Vec<u8>>(),
            };
            let values = draw_values(u, length, nulls, bytes)?;
            let cell = |value: &Option<Vec<u8>>| match value {
                Some(bytes) => Cell::Bytes(bytes.clone()),
                None => field(None::<bool>),
            };
            let cells = values.iter().map(cell).collect();
            let array: ArrayRef = match kind {
                39 => Arc::new(values.into_iter().collect::<BinaryArray>()),
                40 => Arc::new(values.into_iter().collect::<LargeBinaryArray>()),
                _ => Arc::new(values.into_iter().collect::<BinaryViewArray>()),
            };
            (array, cells)
        }
        42 => {
            // Runs of one to three rows.
            let (mut ends, mut values, mut rows) = (Vec::new(), Vec::new(), Vec::new());
            while rows.len() < length {
                let run = u.int_in_range(1..=3)?.min(length - rows.len());
                let value = if nulls && u.ratio(1, 4)? { None } else { Some(name(u)?) };
                let cell = value.clone().map_or_else(|| field(None::<bool>), text);
                rows.extend(vec![cell; run]);
                ends.push(rows.len() as i32);
                values.push(value);
            }
            let values = StringArray::from(values);
            let array = RunArray::<Int32Type>::try_new(&Int32Array::from(ends), &values);
            (Arc::new(array.expect("runs")), rows)
        }
        _ => {
            let array = refused(u.int_in_range(0..=3)?, length);
            (array, vec![Cell::Unwritable; length])
        }
    })
}

/// The last of the kinds: what no column of InfluxDB can hold.
const REFUSED: u8 = 43;

fn refused(kind: u8, length: usize) -> ArrayRef {
    use influxdb3_blocking::arrow_schema::{Field, Fields, IntervalUnit};
    let item = Arc::new(Field::new("item", DataType::Int64, true));
    let data_type = match kind {
        0 => DataType::Interval(IntervalUnit::MonthDayNano),
        1 => DataType::List(item),
        2 => DataType::Struct(Fields::from(vec![item])),
        _ => {
            let inner = DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::Utf8));
            DataType::Dictionary(Box::new(DataType::Int8), Box::new(inner))
        }
    };
    new_null_array(&data_type, length)
}

pub fn draw_values<T>(
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

fn decimal_float(u: &mut Unstructured<'_>) -> Result<f64> {
    Ok(f64::from(u.arbitrary::<i32>()?) / 1000.0)
}
