//! Rendering one array: its type is looked at once, and then there is a loop over its values.

use std::fmt::Write as _;
use std::ops::Range;

use arrow_array::cast::AsArray;
use arrow_array::types::*;
use arrow_array::{Array, ArrayAccessor, ArrayRef, ArrowPrimitiveType};
use arrow_buffer::ArrowNativeType;
use arrow_schema::{DataType, TimeUnit};

use crate::columns::{
    ColumnValue, RenderedColumn, Role, ValueError, WrittenValues, binary_text, decimal,
    render_each, try_render_each,
};
use crate::{Error, Timestamp};

/// Renders some rows.
pub(super) fn render<R: Role>(
    array: &ArrayRef,
    rows: Range<usize>,
    role: &R,
    written: &mut WrittenValues,
    rendered: &mut RenderedColumn,
) -> Result<(), ValueError> {
    if let DataType::RunEndEncoded(ends, _) = array.data_type() {
        return match ends.data_type() {
            DataType::Int16 => runs::<Int16Type, R>(array, rows, role, written, rendered),
            DataType::Int32 => runs::<Int32Type, R>(array, rows, role, written, rendered),
            DataType::Int64 => runs::<Int64Type, R>(array, rows, role, written, rendered),
            other => Err(unexpected(rows.start, other)),
        };
    }
    let DataType::Dictionary(key, _) = array.data_type() else {
        return plain(array, rows, role, rendered);
    };
    match key.as_ref() {
        DataType::Int8 => dictionary::<Int8Type, R>(array, rows, role, written, rendered),
        DataType::Int16 => dictionary::<Int16Type, R>(array, rows, role, written, rendered),
        DataType::Int32 => dictionary::<Int32Type, R>(array, rows, role, written, rendered),
        DataType::Int64 => dictionary::<Int64Type, R>(array, rows, role, written, rendered),
        DataType::UInt8 => dictionary::<UInt8Type, R>(array, rows, role, written, rendered),
        DataType::UInt16 => dictionary::<UInt16Type, R>(array, rows, role, written, rendered),
        DataType::UInt32 => dictionary::<UInt32Type, R>(array, rows, role, written, rendered),
        DataType::UInt64 => dictionary::<UInt64Type, R>(array, rows, role, written, rendered),
        other => Err(unexpected(rows.start, other)),
    }
}

/// Each value that a row refers to is written once in a batch.
fn dictionary<K: ArrowDictionaryKeyType, R: Role>(
    array: &ArrayRef,
    rows: Range<usize>,
    role: &R,
    written: &mut WrittenValues,
    rendered: &mut RenderedColumn,
) -> Result<(), ValueError> {
    let array = array.as_dictionary::<K>();
    let (keys, values) = (array.keys(), array.values());
    let number = |row: usize| (!keys.is_null(row)).then(|| keys.value(row).as_usize());
    written.render(rows, role, rendered, number, |number, rendered| {
        if number >= values.len() {
            let error = Error::invalid_record("the dictionary has no value of this number");
            return Err(ValueError { row: number, error });
        }
        plain(values, number..number + 1, role, rendered)
    })
}

/// Each run that a row is of is written once in a batch.
fn runs<E: RunEndIndexType, R: Role>(
    array: &ArrayRef,
    rows: Range<usize>,
    role: &R,
    written: &mut WrittenValues,
    rendered: &mut RenderedColumn,
) -> Result<(), ValueError> {
    let array = array.as_run::<E>();
    let number = |row: usize| Some(array.get_physical_index(row));
    written.render(rows, role, rendered, number, |number, rendered| {
        plain(array.values(), number..number + 1, role, rendered)
    })
}

/// An array that is no dictionary and has no runs.
fn plain<R: Role>(
    array: &ArrayRef,
    rows: Range<usize>,
    role: &R,
    rendered: &mut RenderedColumn,
) -> Result<(), ValueError> {
    macro_rules! values {
        ($type:ty, $convert:expr) => {
            each(array.as_primitive::<$type>(), rows, role, rendered, $convert)
        };
    }
    macro_rules! instants {
        ($type:ty, $nanos:expr) => {
            values!($type, |v| ColumnValue::Instant(Timestamp::from_nanos(i128::from(v) * $nanos)))
        };
    }
    macro_rules! decimals {
        ($type:ty, $scale:expr) => {
            decimals::<$type, R>(array, rows, role, rendered, *$scale)
        };
    }
    match array.data_type() {
        DataType::Null => render_each(rows, role, rendered, |_| ColumnValue::Null),
        DataType::Boolean => each(array.as_boolean(), rows, role, rendered, ColumnValue::Boolean),
        DataType::Int8 => values!(Int8Type, |v| ColumnValue::Integer(v.into())),
        DataType::Int16 => values!(Int16Type, |v| ColumnValue::Integer(v.into())),
        DataType::Int32 => values!(Int32Type, |v| ColumnValue::Integer(v.into())),
        DataType::Int64 => values!(Int64Type, ColumnValue::Integer),
        DataType::UInt8 => values!(UInt8Type, |v| ColumnValue::Unsigned(v.into())),
        DataType::UInt16 => values!(UInt16Type, |v| ColumnValue::Unsigned(v.into())),
        DataType::UInt32 => values!(UInt32Type, |v| ColumnValue::Unsigned(v.into())),
        DataType::UInt64 => values!(UInt64Type, ColumnValue::Unsigned),
        DataType::Float16 => values!(Float16Type, |v| ColumnValue::Float32(v.to_f32())),
        DataType::Float32 => values!(Float32Type, ColumnValue::Float32),
        DataType::Float64 => values!(Float64Type, ColumnValue::Float),
        DataType::Utf8 => each(array.as_string::<i32>(), rows, role, rendered, ColumnValue::Text),
        DataType::LargeUtf8 => {
            each(array.as_string::<i64>(), rows, role, rendered, ColumnValue::Text)
        }
        DataType::Utf8View => each(array.as_string_view(), rows, role, rendered, ColumnValue::Text),
        DataType::Binary => binary(array.as_binary::<i32>(), rows, role, rendered),
        DataType::LargeBinary => binary(array.as_binary::<i64>(), rows, role, rendered),
        DataType::BinaryView => binary(array.as_binary_view(), rows, role, rendered),
        DataType::FixedSizeBinary(_) => binary(array.as_fixed_size_binary(), rows, role, rendered),
        DataType::Decimal32(_, scale) => decimals!(Decimal32Type, scale),
        DataType::Decimal64(_, scale) => decimals!(Decimal64Type, scale),
        DataType::Decimal128(_, scale) => decimals!(Decimal128Type, scale),
        DataType::Decimal256(_, scale) => decimals!(Decimal256Type, scale),
        DataType::Timestamp(TimeUnit::Second, _) => instants!(TimestampSecondType, 1_000_000_000),
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            instants!(TimestampMillisecondType, 1_000_000)
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => instants!(TimestampMicrosecondType, 1_000),
        DataType::Timestamp(TimeUnit::Nanosecond, _) => instants!(TimestampNanosecondType, 1),
        DataType::Date32 => values!(Date32Type, |v| ColumnValue::Day(v.into())),
        DataType::Date64 => values!(Date64Type, |v| match v % MILLIS_PER_DAY {
            0 => ColumnValue::Day(v / MILLIS_PER_DAY),
            _ => ColumnValue::Instant(Timestamp::millis(v)),
        }),
        DataType::Time32(TimeUnit::Second) => {
            values!(Time32SecondType, |v| ColumnValue::Clock(i64::from(v) * 1_000_000_000))
        }
        DataType::Time32(_) => {
            values!(Time32MillisecondType, |v| ColumnValue::Clock(i64::from(v) * 1_000_000))
        }
        DataType::Time64(TimeUnit::Microsecond) => {
            values!(Time64MicrosecondType, |v| ColumnValue::Clock(v.saturating_mul(1_000)))
        }
        DataType::Time64(_) => values!(Time64NanosecondType, ColumnValue::Clock),
        DataType::Duration(TimeUnit::Second) => values!(DurationSecondType, ColumnValue::Integer),
        DataType::Duration(TimeUnit::Millisecond) => {
            values!(DurationMillisecondType, ColumnValue::Integer)
        }
        DataType::Duration(TimeUnit::Microsecond) => {
            values!(DurationMicrosecondType, ColumnValue::Integer)
        }
        DataType::Duration(TimeUnit::Nanosecond) => {
            values!(DurationNanosecondType, ColumnValue::Integer)
        }
        other => Err(unexpected(rows.start, other)),
    }
}

#[inline(always)]
fn each<'a, A: ArrayAccessor + 'a, R: Role>(
    array: A,
    rows: Range<usize>,
    role: &R,
    rendered: &mut RenderedColumn,
    convert: impl Fn(A::Item) -> ColumnValue<'a>,
) -> Result<(), ValueError> {
    if array.null_count() == 0 {
        return render_each(rows, role, rendered, |row| convert(array.value(row)));
    }
    render_each(rows, role, rendered, |row| match array.is_null(row) {
        true => ColumnValue::Null,
        false => convert(array.value(row)),
    })
}

/// The encoder has refused binary values unless they are to be taken for text.
fn binary<'a, A: ArrayAccessor<Item = &'a [u8]>, R: Role>(
    array: A,
    rows: Range<usize>,
    role: &R,
    rendered: &mut RenderedColumn,
) -> Result<(), ValueError> {
    try_render_each(rows, role, rendered, |row| match array.is_null(row) {
        true => Ok(ColumnValue::Null),
        false => binary_text(array.value(row)),
    })
}

fn decimals<T: ArrowPrimitiveType, R: Role>(
    array: &ArrayRef,
    rows: Range<usize>,
    role: &R,
    rendered: &mut RenderedColumn,
    scale: i8,
) -> Result<(), ValueError>
where
    T::Native: std::fmt::Display,
{
    let array = array.as_primitive::<T>();
    let (mut digits, mut text) = (String::new(), String::new());
    for row in rows {
        let value = if array.is_null(row) {
            ColumnValue::Null
        } else {
            digits.clear();
            text.clear();
            // Writing into a String does not fail.
            let _ = write!(digits, "{}", array.value(row));
            decimal::write(&mut text, &digits, scale);
            ColumnValue::Number(&text)
        };
        rendered.push(role, value).map_err(|error| ValueError { row, error })?;
    }
    Ok(())
}

/// The encoder has refused such types before.
#[cold]
fn unexpected(row: usize, data_type: &DataType) -> ValueError {
    let error = Error::invalid_record(format!("values of type {data_type} cannot be written"));
    ValueError { row, error }
}

const MILLIS_PER_DAY: i64 = 86_400_000;
