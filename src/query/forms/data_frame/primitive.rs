//! Columns of numbers, times, booleans and nulls.

use std::marker::PhantomData;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrowPrimitiveType};
use polars_arrow::array::{Array as PolarsArray, BooleanArray, NullArray, PrimitiveArray};
use polars_arrow::bitmap::BitmapBuilder;
use polars_arrow::types::NativeType;
use polars_core::datatypes::{CompatLevel, DataType as PolarsType};

use super::column_builder::{ColumnBuilder, Problem, extend_validity};

/// Copies values that polars has as they are.
struct SameBuilder<A: ArrowPrimitiveType> {
    values: Vec<A::Native>,
    validity: BitmapBuilder,
    polars_type: PolarsType,
}

/// A builder for values that polars has as they are.
pub(super) fn same<A: ArrowPrimitiveType<Native: NativeType>>(
    polars_type: PolarsType,
) -> Box<dyn ColumnBuilder> {
    Box::new(SameBuilder::<A> { values: Vec::new(), validity: BitmapBuilder::new(), polars_type })
}

impl<A: ArrowPrimitiveType<Native: NativeType>> ColumnBuilder for SameBuilder<A> {
    fn push(&mut self, array: &dyn Array) -> Result<(), Problem> {
        self.values.extend_from_slice(array.as_primitive::<A>().values());
        extend_validity(&mut self.validity, array);
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<(Box<dyn PolarsArray>, PolarsType), Problem> {
        primitive(self.values, self.validity, self.polars_type)
    }
}

/// Converts each value.
struct ConvertingBuilder<A, T, F> {
    values: Vec<T>,
    validity: BitmapBuilder,
    polars_type: PolarsType,
    convert: F,
    from: PhantomData<A>,
}

/// A builder for values that become others; `convert` gives `None` for what polars cannot hold.
pub(super) fn converted<A: ArrowPrimitiveType, T: NativeType>(
    convert: impl Fn(A::Native) -> Option<T> + 'static,
    polars_type: PolarsType,
) -> Box<dyn ColumnBuilder> {
    Box::new(ConvertingBuilder {
        values: Vec::new(),
        validity: BitmapBuilder::new(),
        polars_type,
        convert,
        from: PhantomData::<A>,
    })
}

impl<A, T, F> ColumnBuilder for ConvertingBuilder<A, T, F>
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

/// The array of these values, as polars holds a column of the type.
pub(super) fn primitive<T: NativeType>(
    values: Vec<T>,
    validity: BitmapBuilder,
    polars_type: PolarsType,
) -> Result<(Box<dyn PolarsArray>, PolarsType), Problem> {
    let physical = polars_type.to_physical().try_to_arrow(CompatLevel::newest())?;
    let array = PrimitiveArray::try_new(physical, values.into(), validity.into_opt_validity())?;
    Ok((array.boxed(), polars_type))
}

/// A builder for decimals.
///
/// # Errors
///
/// The scale is negative, or the precision is beyond the 38 digits of polars.
pub(super) fn decimal<A: ArrowPrimitiveType>(
    precision: u8,
    scale: i8,
    convert: fn(A::Native) -> Option<i128>,
) -> Result<Box<dyn ColumnBuilder>, Problem> {
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

/// Counts rows: a column of nulls has nothing else.
#[derive(Default)]
pub(super) struct NullBuilder(usize);

impl ColumnBuilder for NullBuilder {
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
pub(super) struct BooleanBuilder {
    values: BitmapBuilder,
    validity: BitmapBuilder,
}

impl ColumnBuilder for BooleanBuilder {
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
