//! Columns that are not nested.

use arrow_array::cast::AsArray;
use arrow_array::types::*;
use arrow_array::{Array, ArrowPrimitiveType};
use arrow_buffer::{ArrowNativeType, NullBuffer, i256};
use arrow_schema::{DataType, Field, FieldRef, TimeUnit};
use polars_arrow::array::{
    Array as PolarsArray, BinaryViewArrayGeneric, BooleanArray, MutableBinaryViewArray, NullArray,
    PrimitiveArray, ViewType,
};
use polars_arrow::bitmap::BitmapBuilder;
use polars_arrow::types::NativeType;
use polars_core::datatypes::{
    Categories, CompatLevel, DataType as PolarsType, TimeUnit as PolarsUnit, TimeZone,
};

use polars_utils::float16::pf16;

use super::builder::{Builder, Problem, extend_validity};
use super::nested::{Lists, Structs};

/// What takes the values of a column.
pub(super) fn builder(field: &Field) -> Result<Box<dyn Builder>, Problem> {
    const DAY: i64 = 86_400_000_000_000;
    fn times<A: ArrowPrimitiveType<Native: Into<i64>>>(nanos: i64) -> Box<dyn Builder> {
        let of_day = move |value: A::Native| {
            value.into().checked_mul(nanos).filter(|time| (0..DAY).contains(time))
        };
        converted::<A, i64>(of_day, PolarsType::Time)
    }
    fn millis<A: ArrowPrimitiveType<Native = i64>>(polars_type: PolarsType) -> Box<dyn Builder> {
        converted::<A, i64>(|seconds| seconds.checked_mul(1_000), polars_type)
    }
    Ok(match field.data_type() {
        DataType::Null => Box::new(Nulls(0)),
        DataType::Boolean => Box::<Booleans>::default(),
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
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Box::<Texts>::default(),
        DataType::Binary
        | DataType::LargeBinary
        | DataType::BinaryView
        | DataType::FixedSizeBinary(_) => Box::<Bytes>::default(),
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
                DataType::Int8 => Box::new(Named::<Int8Type>::new()),
                DataType::Int16 => Box::new(Named::<Int16Type>::new()),
                DataType::Int32 => Box::new(Named::<Int32Type>::new()),
                DataType::Int64 => Box::new(Named::<Int64Type>::new()),
                DataType::UInt8 => Box::new(Named::<UInt8Type>::new()),
                DataType::UInt16 => Box::new(Named::<UInt16Type>::new()),
                DataType::UInt32 => Box::new(Named::<UInt32Type>::new()),
                DataType::UInt64 => Box::new(Named::<UInt64Type>::new()),
                _ => return Err(Problem::new("polars has no such type")),
            }
        }
        DataType::List(values)
        | DataType::LargeList(values)
        | DataType::FixedSizeList(values, _) => Box::new(Lists::new(part(values)?)),
        DataType::Struct(fields) => {
            let named = |field: &FieldRef| Ok((field.name().clone(), part(field)?));
            let parts = fields.iter().map(named).collect::<Result<_, Problem>>()?;
            Box::new(Structs::new(parts))
        }
        DataType::Dictionary(..) => {
            return Err(Problem::new("polars has categories of text only: CAST it"));
        }
        _ => return Err(Problem::new("polars has no such type: CAST it to another")),
    })
}

/// Of a part of a nested type.
fn part(field: &Field) -> Result<Box<dyn Builder>, Problem> {
    builder(field).map_err(|Problem(problem)| {
        Problem(format!("its part {:?} ({}): {problem}", field.name(), field.data_type()))
    })
}

/// Values that polars has as they are.
struct Same<A: ArrowPrimitiveType> {
    values: Vec<A::Native>,
    validity: BitmapBuilder,
    polars_type: PolarsType,
}

fn same<A: ArrowPrimitiveType<Native: NativeType>>(polars_type: PolarsType) -> Box<dyn Builder> {
    Box::new(Same::<A> { values: Vec::new(), validity: BitmapBuilder::new(), polars_type })
}

impl<A: ArrowPrimitiveType<Native: NativeType>> Builder for Same<A> {
    fn push(&mut self, array: &dyn Array) -> Result<(), Problem> {
        self.values.extend_from_slice(array.as_primitive::<A>().values());
        extend_validity(&mut self.validity, array);
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<(Box<dyn PolarsArray>, PolarsType), Problem> {
        primitive(self.values, self.validity, self.polars_type)
    }
}

/// Values that become others.
struct Converted<A, T, F> {
    values: Vec<T>,
    validity: BitmapBuilder,
    polars_type: PolarsType,
    convert: F,
    from: std::marker::PhantomData<A>,
}

fn converted<A: ArrowPrimitiveType, T: NativeType>(
    convert: impl Fn(A::Native) -> Option<T> + 'static,
    polars_type: PolarsType,
) -> Box<dyn Builder> {
    Box::new(Converted {
        values: Vec::new(),
        validity: BitmapBuilder::new(),
        polars_type,
        convert,
        from: std::marker::PhantomData::<A>,
    })
}

impl<A, T, F> Builder for Converted<A, T, F>
where
    A: ArrowPrimitiveType,
    T: NativeType,
    F: Fn(A::Native) -> Option<T>,
{
    fn push(&mut self, array: &dyn Array) -> Result<(), Problem> {
        for value in array.as_primitive::<A>() {
            let converted = match value {
                None => T::default(),
                Some(value) => (self.convert)(value).ok_or_else(|| {
                    Problem(format!("its value {value:?} is out of the range that polars has"))
                })?,
            };
            self.values.push(converted);
        }
        extend_validity(&mut self.validity, array);
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<(Box<dyn PolarsArray>, PolarsType), Problem> {
        primitive(self.values, self.validity, self.polars_type)
    }
}

fn primitive<T: NativeType>(
    values: Vec<T>,
    validity: BitmapBuilder,
    polars_type: PolarsType,
) -> Result<(Box<dyn PolarsArray>, PolarsType), Problem> {
    let physical = polars_type.to_physical().try_to_arrow(CompatLevel::newest())?;
    let array = PrimitiveArray::try_new(physical, values.into(), validity.into_opt_validity())?;
    Ok((array.boxed(), polars_type))
}

fn decimal<A: ArrowPrimitiveType>(
    precision: u8,
    scale: i8,
    convert: fn(A::Native) -> Option<i128>,
) -> Result<Box<dyn Builder>, Problem> {
    let (precision, Ok(scale)) = (usize::from(precision), usize::try_from(scale)) else {
        return Err(Problem::new("polars has no decimals of a negative scale: CAST it"));
    };
    if !(1..=38).contains(&precision) || scale > precision {
        return Err(Problem::new(
            "polars has decimals of 38 digits, behind the point or before it",
        ));
    }
    let most = 10_u128.pow(precision as u32); // 38 at most
    let fits = move |value| convert(value).filter(|value| value.unsigned_abs() < most);
    Ok(converted::<A, i128>(fits, PolarsType::Decimal(precision, scale)))
}

/// Nulls, and how many.
struct Nulls(usize);

impl Builder for Nulls {
    fn push(&mut self, array: &dyn Array) -> Result<(), Problem> {
        self.0 += array.len();
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<(Box<dyn PolarsArray>, PolarsType), Problem> {
        let physical = PolarsType::Null.try_to_arrow(CompatLevel::newest())?;
        Ok((NullArray::try_new(physical, self.0)?.boxed(), PolarsType::Null))
    }
}

#[derive(Default)]
struct Booleans {
    values: BitmapBuilder,
    validity: BitmapBuilder,
}

impl Builder for Booleans {
    fn push(&mut self, array: &dyn Array) -> Result<(), Problem> {
        let values = array.as_boolean().values();
        self.values.extend_from_slice(values.values(), values.offset(), values.len());
        extend_validity(&mut self.validity, array);
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<(Box<dyn PolarsArray>, PolarsType), Problem> {
        let physical = PolarsType::Boolean.try_to_arrow(CompatLevel::newest())?;
        let validity = self.validity.into_opt_validity();
        Ok((
            BooleanArray::try_new(physical, self.values.freeze(), validity)?.boxed(),
            PolarsType::Boolean,
        ))
    }
}

#[derive(Default)]
struct Texts(MutableBinaryViewArray<str>);

impl Builder for Texts {
    fn push(&mut self, array: &dyn Array) -> Result<(), Problem> {
        match array.data_type() {
            DataType::Utf8 => extend(&mut self.0, array.as_string::<i32>().iter()),
            DataType::LargeUtf8 => extend(&mut self.0, array.as_string::<i64>().iter()),
            _ => extend(&mut self.0, array.as_string_view().iter()),
        }
    }

    fn finish(self: Box<Self>) -> Result<(Box<dyn PolarsArray>, PolarsType), Problem> {
        let array: BinaryViewArrayGeneric<str> = self.0.freeze();
        Ok((array.boxed(), PolarsType::String))
    }
}

#[derive(Default)]
struct Bytes(MutableBinaryViewArray<[u8]>);

impl Builder for Bytes {
    fn push(&mut self, array: &dyn Array) -> Result<(), Problem> {
        match array.data_type() {
            DataType::Binary => extend(&mut self.0, array.as_binary::<i32>().iter()),
            DataType::LargeBinary => extend(&mut self.0, array.as_binary::<i64>().iter()),
            DataType::BinaryView => extend(&mut self.0, array.as_binary_view().iter()),
            _ => extend(&mut self.0, array.as_fixed_size_binary().iter()),
        }
    }

    fn finish(self: Box<Self>) -> Result<(Box<dyn PolarsArray>, PolarsType), Problem> {
        let array: BinaryViewArrayGeneric<[u8]> = self.0.freeze();
        Ok((array.boxed(), PolarsType::Binary))
    }
}

fn extend<'a, T: ViewType + ?Sized + 'a>(
    out: &mut MutableBinaryViewArray<T>,
    values: impl Iterator<Item = Option<&'a T>>,
) -> Result<(), Problem>
where
    &'a T: AsRef<T>,
{
    out.reserve(values.size_hint().0);
    for value in values {
        if value.is_some_and(|value| size_of_val(value) > u32::MAX as usize) {
            return Err(Problem::new("a value of it has more than 4 GiB"));
        }
        out.push(value);
    }
    Ok(())
}

/// Dictionaries of text, as categories that all frames of the program share.
struct Named<K> {
    numbers: Vec<u32>,
    validity: BitmapBuilder,
    polars_type: PolarsType,
    keys: std::marker::PhantomData<K>,
}

impl<K> Named<K> {
    fn new() -> Self {
        Self {
            numbers: Vec::new(),
            validity: BitmapBuilder::new(),
            polars_type: PolarsType::from_categories(Categories::global()),
            keys: std::marker::PhantomData,
        }
    }
}

impl<K: ArrowDictionaryKeyType> Builder for Named<K> {
    fn push(&mut self, array: &dyn Array) -> Result<(), Problem> {
        let PolarsType::Categorical(_, mapping) = &self.polars_type else {
            return Err(Problem::new("its categories are gone"));
        };
        let dictionary = array.as_dictionary::<K>();
        let values = dictionary.values();
        let text = |number: usize| match values.data_type() {
            _ if values.is_null(number) => None,
            DataType::Utf8 => Some(values.as_string::<i32>().value(number)),
            DataType::LargeUtf8 => Some(values.as_string::<i64>().value(number)),
            _ => Some(values.as_string_view().value(number)),
        };
        // What a value of the dictionary is in the mapping, once a row has it.
        let mut known: Vec<Option<Option<u32>>> = vec![None; values.len()];
        let valid =
            |row: usize| dictionary.keys().nulls().is_none_or(|n: &NullBuffer| n.is_valid(row));
        for (row, key) in dictionary.keys().values().iter().enumerate() {
            let number = match known.get_mut(key.as_usize()) {
                _ if !valid(row) => None,
                None => return Err(Problem::new("its dictionary lacks a value")),
                Some(Some(number)) => *number,
                Some(unknown) => {
                    let number = match text(key.as_usize()) {
                        None => None,
                        Some(text) => Some(mapping.insert_cat(text)?),
                    };
                    *unknown.insert(number)
                }
            };
            self.validity.push(number.is_some());
            self.numbers.push(number.unwrap_or_default());
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<(Box<dyn PolarsArray>, PolarsType), Problem> {
        primitive(self.numbers, self.validity, self.polars_type)
    }
}
