//! The pieces of one array: its type is looked at once, and then there is a loop over its values.

use std::fmt::Write as _;
use std::ops::Range;

use arrow_array::cast::AsArray;
use arrow_array::types::*;
use arrow_array::{Array, ArrayAccessor, ArrayRef, ArrowPrimitiveType};
use arrow_buffer::ArrowNativeType;
use arrow_schema::{DataType, TimeUnit};

use crate::columns::{Cell, CellError, Pieces, Rendered, Role, decimal, render_each};
use crate::{Error, Timestamp};

/// Adds the pieces of some rows.
pub(super) fn render<R: Role>(
    array: &ArrayRef,
    rows: Range<usize>,
    role: &R,
    rendered: &mut Rendered,
    pieces: &mut Pieces,
) -> Result<(), CellError> {
    let DataType::Dictionary(key, _) = array.data_type() else {
        return plain(array, rows, role, pieces);
    };
    match key.as_ref() {
        DataType::Int8 => dictionary::<Int8Type, R>(array, rows, role, rendered, pieces),
        DataType::Int16 => dictionary::<Int16Type, R>(array, rows, role, rendered, pieces),
        DataType::Int32 => dictionary::<Int32Type, R>(array, rows, role, rendered, pieces),
        DataType::Int64 => dictionary::<Int64Type, R>(array, rows, role, rendered, pieces),
        DataType::UInt8 => dictionary::<UInt8Type, R>(array, rows, role, rendered, pieces),
        DataType::UInt16 => dictionary::<UInt16Type, R>(array, rows, role, rendered, pieces),
        DataType::UInt32 => dictionary::<UInt32Type, R>(array, rows, role, rendered, pieces),
        DataType::UInt64 => dictionary::<UInt64Type, R>(array, rows, role, rendered, pieces),
        other => Err(unexpected(rows.start, other)),
    }
}

/// Each value that a row refers to is written once in a batch.
fn dictionary<K: ArrowDictionaryKeyType, R: Role>(
    array: &ArrayRef,
    rows: Range<usize>,
    role: &R,
    rendered: &mut Rendered,
    pieces: &mut Pieces,
) -> Result<(), CellError> {
    let array = array.as_dictionary::<K>();
    let (keys, values) = (array.keys(), array.values());
    let number = |row: usize| (!keys.is_null(row)).then(|| keys.value(row).as_usize());
    rendered.render(rows, role, pieces, number, |number, pieces| {
        if number >= values.len() {
            let error = Error::invalid_record("the dictionary has no value of this number");
            return Err(CellError { row: number, error });
        }
        plain(values, number..number + 1, role, pieces)
    })
}

/// An array that is no dictionary.
fn plain<R: Role>(
    array: &ArrayRef,
    rows: Range<usize>,
    role: &R,
    pieces: &mut Pieces,
) -> Result<(), CellError> {
    macro_rules! values {
        ($type:ty, $cell:expr) => {
            each(array.as_primitive::<$type>(), rows, role, pieces, $cell)
        };
    }
    macro_rules! instants {
        ($type:ty, $nanos:expr) => {
            values!($type, |v| Cell::Instant(Timestamp::from_nanos(i128::from(v) * $nanos)))
        };
    }
    macro_rules! decimals {
        ($type:ty, $scale:expr) => {
            decimals::<$type, R>(array, rows, role, pieces, *$scale)
        };
    }
    match array.data_type() {
        DataType::Null => render_each(rows, role, pieces, |_| Cell::Null),
        DataType::Boolean => each(array.as_boolean(), rows, role, pieces, Cell::Boolean),
        DataType::Int8 => values!(Int8Type, |v| Cell::Integer(v.into())),
        DataType::Int16 => values!(Int16Type, |v| Cell::Integer(v.into())),
        DataType::Int32 => values!(Int32Type, |v| Cell::Integer(v.into())),
        DataType::Int64 => values!(Int64Type, Cell::Integer),
        DataType::UInt8 => values!(UInt8Type, |v| Cell::Unsigned(v.into())),
        DataType::UInt16 => values!(UInt16Type, |v| Cell::Unsigned(v.into())),
        DataType::UInt32 => values!(UInt32Type, |v| Cell::Unsigned(v.into())),
        DataType::UInt64 => values!(UInt64Type, Cell::Unsigned),
        DataType::Float16 => values!(Float16Type, |v| Cell::Float32(v.to_f32())),
        DataType::Float32 => values!(Float32Type, Cell::Float32),
        DataType::Float64 => values!(Float64Type, Cell::Float),
        DataType::Utf8 => each(array.as_string::<i32>(), rows, role, pieces, Cell::Text),
        DataType::LargeUtf8 => each(array.as_string::<i64>(), rows, role, pieces, Cell::Text),
        DataType::Utf8View => each(array.as_string_view(), rows, role, pieces, Cell::Text),
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
        DataType::Date32 => values!(Date32Type, |v| Cell::Day(v.into())),
        DataType::Date64 => values!(Date64Type, |v| match v % MILLIS_PER_DAY {
            0 => Cell::Day(v / MILLIS_PER_DAY),
            _ => Cell::Instant(Timestamp::millis(v)),
        }),
        DataType::Time32(TimeUnit::Second) => {
            values!(Time32SecondType, |v| Cell::Clock(i64::from(v) * 1_000_000_000))
        }
        DataType::Time32(_) => {
            values!(Time32MillisecondType, |v| Cell::Clock(i64::from(v) * 1_000_000))
        }
        DataType::Time64(TimeUnit::Microsecond) => {
            values!(Time64MicrosecondType, |v| Cell::Clock(v.saturating_mul(1_000)))
        }
        DataType::Time64(_) => values!(Time64NanosecondType, Cell::Clock),
        DataType::Duration(TimeUnit::Second) => values!(DurationSecondType, Cell::Integer),
        DataType::Duration(TimeUnit::Millisecond) => {
            values!(DurationMillisecondType, Cell::Integer)
        }
        DataType::Duration(TimeUnit::Microsecond) => {
            values!(DurationMicrosecondType, Cell::Integer)
        }
        DataType::Duration(TimeUnit::Nanosecond) => values!(DurationNanosecondType, Cell::Integer),
        other => Err(unexpected(rows.start, other)),
    }
}

#[inline(always)]
fn each<'a, A: ArrayAccessor + 'a, R: Role>(
    array: A,
    rows: Range<usize>,
    role: &R,
    pieces: &mut Pieces,
    cell: impl Fn(A::Item) -> Cell<'a>,
) -> Result<(), CellError> {
    if array.null_count() == 0 {
        return render_each(rows, role, pieces, |row| cell(array.value(row)));
    }
    render_each(rows, role, pieces, |row| match array.is_null(row) {
        true => Cell::Null,
        false => cell(array.value(row)),
    })
}

fn decimals<T: ArrowPrimitiveType, R: Role>(
    array: &ArrayRef,
    rows: Range<usize>,
    role: &R,
    pieces: &mut Pieces,
    scale: i8,
) -> Result<(), CellError>
where
    T::Native: std::fmt::Display,
{
    let array = array.as_primitive::<T>();
    let (mut digits, mut text) = (String::new(), String::new());
    for row in rows {
        let cell = if array.is_null(row) {
            Cell::Null
        } else {
            digits.clear();
            text.clear();
            // Writing into a String does not fail.
            let _ = write!(digits, "{}", array.value(row));
            decimal::write(&mut text, &digits, scale);
            Cell::Number(&text)
        };
        pieces.push(role, cell).map_err(|error| CellError { row, error })?;
    }
    Ok(())
}

/// The encoder has refused such types before.
#[cold]
fn unexpected(row: usize, data_type: &DataType) -> CellError {
    let error = Error::invalid_record(format!("values of type {data_type} cannot be written"));
    CellError { row, error }
}

const MILLIS_PER_DAY: i64 = 86_400_000;
