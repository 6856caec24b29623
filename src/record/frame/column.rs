//! A column of a data frame: its type is looked at once a block, and then there is a loop over its values.

use std::fmt::Write as _;
use std::ops::Range;

use polars_arrow::array::{
    Array, BinaryArray, BinaryViewArray, BooleanArray, PrimitiveArray, StaticArray, Utf8ViewArray,
};
use polars_arrow::types::NativeType;
use polars_core::datatypes::{CategoricalMapping, CategoricalPhysical, DataType, TimeUnit};
use polars_core::frame::column::Column as PolarsColumn;
use polars_core::series::Series;

use crate::columns::{
    ColumnDescription, ColumnValue, RenderedColumn, Role, ValueError, ValueKind, WrittenValues,
    binary_text, decimal, render_each, try_render_each,
};
use crate::{Error, Result, Timestamp};

/// A column, in the chunks that polars has it in.
pub(super) struct FrameColumn {
    series: Series,
    /// The row that each chunk begins at.
    starts: Vec<usize>,
    /// Whether the one value of the series is that of all rows.
    is_constant: bool,
}

impl FrameColumn {
    pub(super) fn new(column: &PolarsColumn) -> Self {
        let (series, is_constant) = match column {
            PolarsColumn::Scalar(scalar) => (scalar.as_single_value_series(), true),
            PolarsColumn::Series(series) => (Series::clone(series), false),
        };
        let mut rows = 0;
        let mut starts = Vec::new();
        for chunk in series.chunks() {
            starts.push(rows);
            rows += chunk.len();
        }
        Self { series, starts, is_constant }
    }

    pub(super) fn describe(&self) -> ColumnDescription<'_> {
        let data_type = self.series.dtype();
        ColumnDescription { name: self.series.name(), kind: kind_of(data_type), data_type }
    }

    /// Whether rows refer to values, each of which is written once.
    pub(super) fn is_shared(&self) -> bool {
        self.is_constant
            || matches!(self.series.dtype(), DataType::Categorical(..) | DataType::Enum(..))
    }

    /// Renders some rows.
    pub(super) fn render<R: Role>(
        &self,
        rows: Range<usize>,
        role: &R,
        written: &mut WrittenValues,
        rendered: &mut RenderedColumn,
    ) -> Result<(), ValueError> {
        if self.is_constant {
            // The one value is rendered once at most, so that the values below it need not be kept.
            let one = |_, rendered: &mut RenderedColumn| {
                self.chunks(0..1, role, &mut WrittenValues::default(), rendered)
            };
            return written.render(rows, role, rendered, |_| Some(0), one);
        }
        self.chunks(rows, role, written, rendered)
    }

    fn chunks<R: Role>(
        &self,
        rows: Range<usize>,
        role: &R,
        written: &mut WrittenValues,
        rendered: &mut RenderedColumn,
    ) -> Result<(), ValueError> {
        // The last chunk that begins at the first row or before it.
        let first = self.starts.partition_point(|&start| start <= rows.start).saturating_sub(1);
        let chunks = self.series.chunks().iter().zip(&self.starts).skip(first);
        for (chunk, &start) in chunks {
            if start >= rows.end {
                break;
            }
            let from = rows.start.max(start) - start;
            let to = rows.end.min(start + chunk.len()).saturating_sub(start);
            if from < to {
                render(&**chunk, self.series.dtype(), from..to, role, written, rendered)
                    .map_err(|error| ValueError { row: start + error.row, ..error })?;
            }
        }
        Ok(())
    }
}

fn kind_of(data_type: &DataType) -> ValueKind {
    match data_type {
        DataType::String | DataType::Categorical(..) | DataType::Enum(..) => ValueKind::Text,
        DataType::Boolean | DataType::Time | DataType::Duration(_) | DataType::Null => {
            ValueKind::Plain
        }
        DataType::Binary | DataType::BinaryOffset => ValueKind::Binary,
        DataType::List(_) | DataType::Array(..) | DataType::Struct(_) => ValueKind::Nested,
        DataType::Date | DataType::Datetime(..) | DataType::Decimal(..) => ValueKind::Times,
        data_type if data_type.is_primitive_numeric() => ValueKind::Times,
        _ => ValueKind::Unknown,
    }
}

/// Renders some rows of a chunk.
fn render<R: Role>(
    chunk: &dyn Array,
    data_type: &DataType,
    rows: Range<usize>,
    role: &R,
    written: &mut WrittenValues,
    rendered: &mut RenderedColumn,
) -> Result<(), ValueError> {
    macro_rules! values {
        ($array:ty, $convert:expr) => {
            each::<$array, R>(chunk, rows, role, rendered, $convert)
        };
    }
    macro_rules! instants {
        ($nanos:expr) => {
            values!(PrimitiveArray<i64>, |v| ColumnValue::Instant(Timestamp::from_nanos(
                i128::from(v) * $nanos
            )))
        };
    }
    match data_type {
        DataType::Null => render_each(rows, role, rendered, |_| ColumnValue::Null),
        DataType::Boolean => values!(BooleanArray, ColumnValue::Boolean),
        DataType::Int8 => values!(PrimitiveArray<i8>, |v| ColumnValue::Integer(v.into())),
        DataType::Int16 => values!(PrimitiveArray<i16>, |v| ColumnValue::Integer(v.into())),
        DataType::Int32 => values!(PrimitiveArray<i32>, |v| ColumnValue::Integer(v.into())),
        DataType::Int64 | DataType::Duration(_) => {
            values!(PrimitiveArray<i64>, ColumnValue::Integer)
        }
        DataType::UInt8 => values!(PrimitiveArray<u8>, |v| ColumnValue::Unsigned(v.into())),
        DataType::UInt16 => values!(PrimitiveArray<u16>, |v| ColumnValue::Unsigned(v.into())),
        DataType::UInt32 => values!(PrimitiveArray<u32>, |v| ColumnValue::Unsigned(v.into())),
        DataType::UInt64 => values!(PrimitiveArray<u64>, ColumnValue::Unsigned),
        DataType::Int128 => wide::<i128, R>(chunk, rows, role, rendered, |v| {
            v.try_into().ok().map(ColumnValue::Integer)
        }),
        DataType::UInt128 => wide::<u128, R>(chunk, rows, role, rendered, |v| {
            v.try_into().ok().map(ColumnValue::Unsigned)
        }),
        DataType::Float16 => {
            values!(PrimitiveArray<polars_utils::float16::pf16>, |v| ColumnValue::Float32(v.into()))
        }
        DataType::Float32 => values!(PrimitiveArray<f32>, ColumnValue::Float32),
        DataType::Float64 => values!(PrimitiveArray<f64>, ColumnValue::Float),
        DataType::Decimal(_, scale) => decimals(chunk, rows, role, rendered, *scale),
        DataType::Binary => {
            try_each::<BinaryViewArray, R>(chunk, rows, role, rendered, binary_text)
        }
        DataType::BinaryOffset => {
            try_each::<BinaryArray<i64>, R>(chunk, rows, role, rendered, binary_text)
        }
        DataType::String => values!(Utf8ViewArray, ColumnValue::Text),
        DataType::Categorical(categories, mapping) => {
            let width = categories.physical();
            named(chunk, width, mapping, rows, role, written, rendered)
        }
        DataType::Enum(categories, mapping) => {
            let width = categories.physical();
            named(chunk, width, mapping, rows, role, written, rendered)
        }
        DataType::Datetime(TimeUnit::Milliseconds, _) => instants!(1_000_000),
        DataType::Datetime(TimeUnit::Microseconds, _) => instants!(1_000),
        DataType::Datetime(TimeUnit::Nanoseconds, _) => instants!(1),
        DataType::Date => values!(PrimitiveArray<i32>, |v| ColumnValue::Day(v.into())),
        DataType::Time => values!(PrimitiveArray<i64>, ColumnValue::Clock),
        _ => Err(unexpected(rows.start)),
    }
}

#[inline(always)]
fn each<'a, A: StaticArray, R: Role>(
    chunk: &'a dyn Array,
    rows: Range<usize>,
    role: &R,
    rendered: &mut RenderedColumn,
    convert: impl Fn(A::ValueT<'a>) -> ColumnValue<'a>,
) -> Result<(), ValueError> {
    let array = array::<A>(chunk, rows.start)?;
    // The rows are within the chunk: where `get` gives none, there is a null.
    render_each(rows, role, rendered, |row| array.get(row).map_or(ColumnValue::Null, &convert))
}

/// As [`each`], of values that may be an error.
fn try_each<'a, A: StaticArray, R: Role>(
    chunk: &'a dyn Array,
    rows: Range<usize>,
    role: &R,
    rendered: &mut RenderedColumn,
    convert: impl Fn(A::ValueT<'a>) -> Result<ColumnValue<'a>>,
) -> Result<(), ValueError> {
    let array = array::<A>(chunk, rows.start)?;
    try_render_each(rows, role, rendered, |row| {
        array.get(row).map_or(Ok(ColumnValue::Null), &convert)
    })
}

/// Integers of 128 bits, of which those that are longer than 64 are an error.
fn wide<T: NativeType, R: Role>(
    chunk: &dyn Array,
    rows: Range<usize>,
    role: &R,
    rendered: &mut RenderedColumn,
    convert: impl Fn(T) -> Option<ColumnValue<'static>>,
) -> Result<(), ValueError> {
    let array = array::<PrimitiveArray<T>>(chunk, rows.start)?;
    for row in rows {
        let result = match StaticArray::get(array, row).map(|value| (value, convert(value))) {
            None => rendered.push(role, ColumnValue::Null),
            Some((_, Some(value))) => rendered.push(role, value),
            Some((value, None)) => Err(Error::invalid_record(format!(
                "{value} does not fit 64 bits: make the column a float or text"
            ))),
        };
        result.map_err(|error| ValueError { row, error })?;
    }
    Ok(())
}

fn decimals<R: Role>(
    chunk: &dyn Array,
    rows: Range<usize>,
    role: &R,
    rendered: &mut RenderedColumn,
    scale: usize,
) -> Result<(), ValueError> {
    let array = array::<PrimitiveArray<i128>>(chunk, rows.start)?;
    // polars has no more than 38 digits.
    let scale = i8::try_from(scale).map_err(|_| unexpected(rows.start))?;
    let (mut digits, mut text) = (String::new(), String::new());
    for row in rows {
        let value = match StaticArray::get(array, row) {
            None => ColumnValue::Null,
            Some(value) => {
                digits.clear();
                text.clear();
                // Writing into a String does not fail.
                let _ = write!(digits, "{value}");
                decimal::write(&mut text, &digits, scale);
                ColumnValue::Number(&text)
            }
        };
        rendered.push(role, value).map_err(|error| ValueError { row, error })?;
    }
    Ok(())
}

/// Categories, by the width of their numbers.
fn named<R: Role>(
    chunk: &dyn Array,
    width: CategoricalPhysical,
    mapping: &CategoricalMapping,
    rows: Range<usize>,
    role: &R,
    written: &mut WrittenValues,
    rendered: &mut RenderedColumn,
) -> Result<(), ValueError> {
    match width {
        CategoricalPhysical::U8 => {
            categories::<u8, R>(chunk, mapping, rows, role, written, rendered)
        }
        CategoricalPhysical::U16 => {
            categories::<u16, R>(chunk, mapping, rows, role, written, rendered)
        }
        CategoricalPhysical::U32 => {
            categories::<u32, R>(chunk, mapping, rows, role, written, rendered)
        }
    }
}

/// Each category that a row refers to is written once in a frame.
fn categories<T: NativeType + Into<u32>, R: Role>(
    chunk: &dyn Array,
    mapping: &CategoricalMapping,
    rows: Range<usize>,
    role: &R,
    written: &mut WrittenValues,
    rendered: &mut RenderedColumn,
) -> Result<(), ValueError> {
    let array = array::<PrimitiveArray<T>>(chunk, rows.start)?;
    let number = |row: usize| StaticArray::get(array, row).map(|number| number.into() as usize);
    written.render(rows, role, rendered, number, |number, rendered| {
        let name = u32::try_from(number).ok().and_then(|number| mapping.cat_to_str(number));
        let name = name.ok_or_else(|| Error::invalid_record("the category has no name"));
        name.and_then(|name| rendered.push(role, ColumnValue::Text(name)))
            .map_err(|error| ValueError { row: number, error })
    })
}

fn array<A: Array>(chunk: &dyn Array, row: usize) -> Result<&A, ValueError> {
    chunk.as_any().downcast_ref().ok_or_else(|| unexpected(row))
}

/// The types were looked at before.
#[cold]
fn unexpected(row: usize) -> ValueError {
    ValueError { row, error: Error::invalid_record("polars has the values in an unknown form") }
}
