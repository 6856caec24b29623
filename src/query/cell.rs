//! One value of a record batch.

use std::fmt;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowDictionaryKeyType, Date32Type, Date64Type, Decimal32Type, Decimal64Type, Decimal128Type,
    Decimal256Type, DurationMicrosecondType, DurationMillisecondType, DurationNanosecondType,
    DurationSecondType, Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, Time32MillisecondType, Time32SecondType, Time64MicrosecondType,
    Time64NanosecondType, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrowPrimitiveType};
use arrow_buffer::ArrowNativeType;
use arrow_schema::{DataType, TimeUnit};

use super::from_cell::Misfit;
use super::rfc3339;
use super::to_point::timestamp;
use crate::Timestamp;

/// A value, whatever array it comes from.
pub enum Cell<'a> {
    Null,
    Bool(bool),
    Signed(i64),
    Unsigned(u64),
    Float(f64),
    Text(&'a str),
    Binary(&'a [u8]),
    /// Since 1970, in this unit.
    Time(i64, TimeUnit),
    Days(i64),
    Duration(i64, TimeUnit),
    Decimal(String),
    Other,
}

impl<'a> Cell<'a> {
    pub(super) fn read(array: &'a dyn Array, row: usize) -> Self {
        if array.is_null(row) {
            return Self::Null;
        }
        match array.data_type() {
            DataType::Null => Self::Null,
            DataType::Boolean => Self::Bool(array.as_boolean().value(row)),
            DataType::Int8 => Self::Signed(native::<Int8Type>(array, row).into()),
            DataType::Int16 => Self::Signed(native::<Int16Type>(array, row).into()),
            DataType::Int32 => Self::Signed(native::<Int32Type>(array, row).into()),
            DataType::Int64 => Self::Signed(native::<Int64Type>(array, row)),
            DataType::UInt8 => Self::Unsigned(native::<UInt8Type>(array, row).into()),
            DataType::UInt16 => Self::Unsigned(native::<UInt16Type>(array, row).into()),
            DataType::UInt32 => Self::Unsigned(native::<UInt32Type>(array, row).into()),
            DataType::UInt64 => Self::Unsigned(native::<UInt64Type>(array, row)),
            DataType::Float16 => Self::Float(native::<Float16Type>(array, row).to_f64()),
            DataType::Float32 => Self::Float(native::<Float32Type>(array, row).into()),
            DataType::Float64 => Self::Float(native::<Float64Type>(array, row)),
            DataType::Utf8 => Self::Text(array.as_string::<i32>().value(row)),
            DataType::LargeUtf8 => Self::Text(array.as_string::<i64>().value(row)),
            DataType::Utf8View => Self::Text(array.as_string_view().value(row)),
            DataType::Binary => Self::Binary(array.as_binary::<i32>().value(row)),
            DataType::LargeBinary => Self::Binary(array.as_binary::<i64>().value(row)),
            DataType::BinaryView => Self::Binary(array.as_binary_view().value(row)),
            DataType::FixedSizeBinary(_) => Self::Binary(array.as_fixed_size_binary().value(row)),
            DataType::Timestamp(unit, _) => Self::Time(time_of(array, *unit, row), *unit),
            DataType::Date32 => Self::Days(native::<Date32Type>(array, row).into()),
            DataType::Date64 => Self::Time(native::<Date64Type>(array, row), TimeUnit::Millisecond),
            DataType::Time32(TimeUnit::Second) => {
                Self::Duration(native::<Time32SecondType>(array, row).into(), TimeUnit::Second)
            }
            DataType::Time32(_) => Self::Duration(
                native::<Time32MillisecondType>(array, row).into(),
                TimeUnit::Millisecond,
            ),
            DataType::Time64(TimeUnit::Microsecond) => {
                Self::Duration(native::<Time64MicrosecondType>(array, row), TimeUnit::Microsecond)
            }
            DataType::Time64(_) => {
                Self::Duration(native::<Time64NanosecondType>(array, row), TimeUnit::Nanosecond)
            }
            DataType::Duration(unit) => Self::Duration(duration_of(array, *unit, row), *unit),
            DataType::Decimal32(..) => {
                Self::Decimal(array.as_primitive::<Decimal32Type>().value_as_string(row))
            }
            DataType::Decimal64(..) => {
                Self::Decimal(array.as_primitive::<Decimal64Type>().value_as_string(row))
            }
            DataType::Decimal128(..) => {
                Self::Decimal(array.as_primitive::<Decimal128Type>().value_as_string(row))
            }
            DataType::Decimal256(..) => {
                Self::Decimal(array.as_primitive::<Decimal256Type>().value_as_string(row))
            }
            DataType::Dictionary(keys, _) => match **keys {
                DataType::Int8 => Self::look_up::<Int8Type>(array, row),
                DataType::Int16 => Self::look_up::<Int16Type>(array, row),
                DataType::Int32 => Self::look_up::<Int32Type>(array, row),
                DataType::Int64 => Self::look_up::<Int64Type>(array, row),
                DataType::UInt8 => Self::look_up::<UInt8Type>(array, row),
                DataType::UInt16 => Self::look_up::<UInt16Type>(array, row),
                DataType::UInt32 => Self::look_up::<UInt32Type>(array, row),
                DataType::UInt64 => Self::look_up::<UInt64Type>(array, row),
                _ => Self::Other,
            },
            _ => Self::Other,
        }
    }

    fn look_up<K: ArrowDictionaryKeyType>(array: &'a dyn Array, row: usize) -> Self {
        let dictionary = array.as_dictionary::<K>();
        Self::read(dictionary.values(), dictionary.keys().value(row).as_usize())
    }

    pub(super) fn misfit<T>(&self) -> Result<T, Misfit> {
        Err(match self {
            Self::Null => Misfit::Null,
            _ => Misfit::Type,
        })
    }
}

/// As a person would write it.
impl fmt::Debug for Cell<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => value.fmt(f),
            Self::Signed(value) => value.fmt(f),
            Self::Unsigned(value) => value.fmt(f),
            Self::Float(value) => value.fmt(f),
            Self::Text(value) => value.fmt(f),
            Self::Binary(value) => value.fmt(f),
            Self::Time(value, unit) => match rfc3339::format(timestamp(*value, *unit)) {
                Some(text) => f.write_str(&text),
                None => write!(f, "{value} {unit:?}s since 1970"),
            },
            Self::Days(value) => match rfc3339::format(Timestamp::seconds(value * 86_400)) {
                Some(text) => f.write_str(text.trim_end_matches("T00:00:00Z")),
                None => write!(f, "{value} days since 1970"),
            },
            Self::Duration(value, unit) => write!(f, "{value} {unit:?}s"),
            Self::Decimal(text) => f.write_str(text),
            Self::Other => f.write_str("…"),
        }
    }
}

fn native<T: ArrowPrimitiveType>(array: &dyn Array, row: usize) -> T::Native {
    array.as_primitive::<T>().value(row)
}

fn time_of(array: &dyn Array, unit: TimeUnit, row: usize) -> i64 {
    match unit {
        TimeUnit::Second => native::<TimestampSecondType>(array, row),
        TimeUnit::Millisecond => native::<TimestampMillisecondType>(array, row),
        TimeUnit::Microsecond => native::<TimestampMicrosecondType>(array, row),
        TimeUnit::Nanosecond => native::<TimestampNanosecondType>(array, row),
    }
}

fn duration_of(array: &dyn Array, unit: TimeUnit, row: usize) -> i64 {
    match unit {
        TimeUnit::Second => native::<DurationSecondType>(array, row),
        TimeUnit::Millisecond => native::<DurationMillisecondType>(array, row),
        TimeUnit::Microsecond => native::<DurationMicrosecondType>(array, row),
        TimeUnit::Nanosecond => native::<DurationNanosecondType>(array, row),
    }
}

pub(super) fn nanoseconds(unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Second => 1_000_000_000,
        TimeUnit::Millisecond => 1_000_000,
        TimeUnit::Microsecond => 1_000,
        TimeUnit::Nanosecond => 1,
    }
}
