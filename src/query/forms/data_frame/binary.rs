//! Columns of text and of bytes.

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_schema::DataType;
use polars_arrow::array::{
    Array as PolarsArray, BinaryViewArrayGeneric, MutableBinaryViewArray, ViewType,
};
use polars_core::datatypes::DataType as PolarsType;

use super::column_builder::{ColumnBuilder, Problem};

#[derive(Default)]
pub(super) struct TextBuilder(MutableBinaryViewArray<str>);

impl ColumnBuilder for TextBuilder {
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
pub(super) struct BinaryBuilder(MutableBinaryViewArray<[u8]>);

impl ColumnBuilder for BinaryBuilder {
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

/// Copies values behind those that are there.
///
/// # Errors
///
/// A value has more than the 4 GiB that the length of a view can count.
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
