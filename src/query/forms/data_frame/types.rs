//! Which builder makes a column of which type of Arrow.

use arrow_array::ArrowPrimitiveType;
use arrow_array::types::*;
use arrow_buffer::i256;
use arrow_schema::{DataType, Field, FieldRef, TimeUnit};
use polars_core::datatypes::{DataType as PolarsType, TimeUnit as PolarsUnit, TimeZone};
use polars_utils::float16::pf16;

use super::binary::{BinaryBuilder, TextBuilder};
use super::categorical::CategoricalBuilder;
use super::column_builder::{ColumnBuilder, Problem};
use super::nested::{ListBuilder, StructBuilder};
use super::primitive::{BooleanBuilder, NullBuilder, converted, decimal, same};

/// The builder for a column of this type.
///
/// # Errors
///
/// polars has no such type, or none for the time zone of the column.
pub(super) fn builder(field: &Field) -> Result<Box<dyn ColumnBuilder>, Problem> {
    const DAY: i64 = 86_400_000_000_000;
    fn times<A: ArrowPrimitiveType<Native: Into<i64>>>(nanos: i64) -> Box<dyn ColumnBuilder> {
        let of_day = move |value: A::Native| {
            value.into().checked_mul(nanos).filter(|time| (0..DAY).contains(time))
        };
        converted::<A, i64>(of_day, PolarsType::Time)
    }
    fn millis<A: ArrowPrimitiveType<Native = i64>>(
        polars_type: PolarsType,
    ) -> Box<dyn ColumnBuilder> {
        converted::<A, i64>(|seconds| seconds.checked_mul(1_000), polars_type)
    }
    Ok(match field.data_type() {
        DataType::Null => Box::<NullBuilder>::default(),
        DataType::Boolean => Box::<BooleanBuilder>::default(),
        DataType::Int8 => same::<Int8Type>(PolarsType::Int8),
        DataType::Int16 => same::<Int16Type>(PolarsType::Int16),
        DataType::Int32 => same::<Int32Type>(PolarsType::Int32),
        DataType::Int64 => same::<Int64Type>(PolarsType::Int64),
        DataType::UInt8 => same::<UInt8Type>(PolarsType::UInt8),
        DataType::UInt16 => same::<UInt16Type>(PolarsType::UInt16),
        DataType::UInt32 => same::<UInt32Type>(PolarsType::UInt32),
        DataType::UInt64 => same::<UInt64Type>(PolarsType::UInt64),
        DataType::Float16 => converted::<Float16Type, pf16>(|v| Some(pf16(v)), PolarsType::Float16),
        DataType::Float32 => same::<Float32Type>(PolarsType::Float32),
        DataType::Float64 => same::<Float64Type>(PolarsType::Float64),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Box::<TextBuilder>::default(),
        DataType::Binary
        | DataType::LargeBinary
        | DataType::BinaryView
        | DataType::FixedSizeBinary(_) => Box::<BinaryBuilder>::default(),
        DataType::Timestamp(unit, zone) => {
            let zone = TimeZone::opt_try_new(zone.as_deref())?;
            match unit {
                TimeUnit::Second => millis::<TimestampSecondType>(PolarsType::Datetime(
                    PolarsUnit::Milliseconds,
                    zone,
                )),
                TimeUnit::Millisecond => same::<TimestampMillisecondType>(PolarsType::Datetime(
                    PolarsUnit::Milliseconds,
                    zone,
                )),
                TimeUnit::Microsecond => same::<TimestampMicrosecondType>(PolarsType::Datetime(
                    PolarsUnit::Microseconds,
                    zone,
                )),
                TimeUnit::Nanosecond => same::<TimestampNanosecondType>(PolarsType::Datetime(
                    PolarsUnit::Nanoseconds,
                    zone,
                )),
            }
        }
        DataType::Date32 => same::<Date32Type>(PolarsType::Date),
        DataType::Date64 => {
            same::<Date64Type>(PolarsType::Datetime(PolarsUnit::Milliseconds, None))
        }
        DataType::Time32(TimeUnit::Second) => times::<Time32SecondType>(1_000_000_000),
        DataType::Time32(_) => times::<Time32MillisecondType>(1_000_000),
        DataType::Time64(TimeUnit::Microsecond) => times::<Time64MicrosecondType>(1_000),
        DataType::Time64(_) => times::<Time64NanosecondType>(1),
        DataType::Duration(TimeUnit::Second) => {
            millis::<DurationSecondType>(PolarsType::Duration(PolarsUnit::Milliseconds))
        }
        DataType::Duration(TimeUnit::Millisecond) => {
            same::<DurationMillisecondType>(PolarsType::Duration(PolarsUnit::Milliseconds))
        }
        DataType::Duration(TimeUnit::Microsecond) => {
            same::<DurationMicrosecondType>(PolarsType::Duration(PolarsUnit::Microseconds))
        }
        DataType::Duration(TimeUnit::Nanosecond) => {
            same::<DurationNanosecondType>(PolarsType::Duration(PolarsUnit::Nanoseconds))
        }
        DataType::Decimal32(precision, scale) => {
            decimal::<Decimal32Type>(*precision, *scale, |value| Some(value.into()))?
        }
        DataType::Decimal64(precision, scale) => {
            decimal::<Decimal64Type>(*precision, *scale, |value| Some(value.into()))?
        }
        DataType::Decimal128(precision, scale) => {
            decimal::<Decimal128Type>(*precision, *scale, Some)?
        }
        DataType::Decimal256(precision, scale) => {
            decimal::<Decimal256Type>((*precision).min(38), *scale, i256::to_i128)?
        }
        DataType::Dictionary(keys, values)
            if matches!(**values, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View) =>
        {
            match **keys {
                DataType::Int8 => Box::new(CategoricalBuilder::<Int8Type>::new()),
                DataType::Int16 => Box::new(CategoricalBuilder::<Int16Type>::new()),
                DataType::Int32 => Box::new(CategoricalBuilder::<Int32Type>::new()),
                DataType::Int64 => Box::new(CategoricalBuilder::<Int64Type>::new()),
                DataType::UInt8 => Box::new(CategoricalBuilder::<UInt8Type>::new()),
                DataType::UInt16 => Box::new(CategoricalBuilder::<UInt16Type>::new()),
                DataType::UInt32 => Box::new(CategoricalBuilder::<UInt32Type>::new()),
                DataType::UInt64 => Box::new(CategoricalBuilder::<UInt64Type>::new()),
                _ => return Err(Problem::new("polars has no such type")),
            }
        }
        DataType::List(values)
        | DataType::LargeList(values)
        | DataType::FixedSizeList(values, _) => Box::new(ListBuilder::new(part(values)?)),
        DataType::Struct(fields) => {
            let named = |field: &FieldRef| Ok((field.name().clone(), part(field)?));
            let parts = fields.iter().map(named).collect::<Result<_, Problem>>()?;
            Box::new(StructBuilder::new(parts))
        }
        DataType::Dictionary(..) => {
            return Err(Problem::new("polars has categories of text only: CAST it"));
        }
        _ => return Err(Problem::new("polars has no such type: CAST it to another")),
    })
}

/// The builder for the values of a list, or for a field of a struct.
fn part(field: &Field) -> Result<Box<dyn ColumnBuilder>, Problem> {
    builder(field).map_err(|Problem(problem)| {
        Problem(format!("its part {:?} ({}): {problem}", field.name(), field.data_type()))
    })
}
