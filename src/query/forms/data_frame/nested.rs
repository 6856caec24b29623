//! Columns of lists and structs, as `array_agg` and `selector_first` make them.

use arrow_array::cast::AsArray;
use arrow_array::{Array, GenericListArray, OffsetSizeTrait};
use arrow_schema::DataType;
use polars_arrow::array::{Array as PolarsArray, ListArray, StructArray};
use polars_arrow::bitmap::BitmapBuilder;
use polars_core::datatypes::{CompatLevel, DataType as PolarsType, Field as PolarsField};

use super::column_builder::{ColumnBuilder, Problem, extend_validity};

/// Lists: of any lengths, or all of one.
pub(super) struct ListBuilder {
    offsets: Vec<i64>,
    values: Box<dyn ColumnBuilder>,
    validity: BitmapBuilder,
}

impl ListBuilder {
    pub(super) fn new(values: Box<dyn ColumnBuilder>) -> Self {
        Self { offsets: vec![0], values, validity: BitmapBuilder::new() }
    }

    /// Lists with offsets.
    fn push_lists<O: OffsetSizeTrait>(
        &mut self,
        lists: &GenericListArray<O>,
    ) -> Result<(), Problem> {
        let offsets = lists.value_offsets();
        let (Some(first), Some(last)) = (offsets.first(), offsets.last()) else { return Ok(()) };
        let (first, last) = (first.as_usize(), last.as_usize());
        lists.offsets().lengths().for_each(|length| self.add(length));
        self.values.push(&lists.values().slice(first, last - first))
    }

    /// Adds a list of `length` values.
    fn add(&mut self, length: usize) {
        // No overflow: the values are in memory, so there are fewer than 2^63.
        let end = self.offsets.last().copied().unwrap_or_default() + length as i64;
        self.offsets.push(end);
    }
}

impl ColumnBuilder for ListBuilder {
    fn push(&mut self, array: &dyn Array) -> Result<(), Problem> {
        extend_validity(&mut self.validity, array);
        match array.data_type() {
            DataType::List(_) => self.push_lists(array.as_list::<i32>()),
            DataType::LargeList(_) => self.push_lists(array.as_list::<i64>()),
            _ => {
                let lists = array.as_fixed_size_list();
                let length = lists.value_length().unsigned_abs() as usize;
                (0..lists.len()).for_each(|_| self.add(length));
                self.values.push(lists.values())
            }
        }
    }

    fn finish(self: Box<Self>) -> Result<(Box<dyn PolarsArray>, PolarsType), Problem> {
        let (values, polars_type) = self.values.finish()?;
        let polars_type = PolarsType::List(Box::new(polars_type));
        let physical = polars_type.to_physical().try_to_arrow(CompatLevel::newest())?;
        let validity = self.validity.into_opt_validity();
        let array =
            ListArray::<i64>::try_new(physical, self.offsets.try_into()?, values, validity)?;
        Ok((array.boxed(), polars_type))
    }
}

pub(super) struct StructBuilder {
    parts: Vec<(String, Box<dyn ColumnBuilder>)>,
    validity: BitmapBuilder,
}

impl StructBuilder {
    /// The names of the fields, and a builder for each.
    pub(super) fn new(parts: Vec<(String, Box<dyn ColumnBuilder>)>) -> Self {
        Self { parts, validity: BitmapBuilder::new() }
    }
}

impl ColumnBuilder for StructBuilder {
    fn push(&mut self, array: &dyn Array) -> Result<(), Problem> {
        extend_validity(&mut self.validity, array);
        let columns = array.as_struct().columns();
        self.parts.iter_mut().zip(columns).try_for_each(|((_, part), column)| part.push(column))
    }

    fn finish(self: Box<Self>) -> Result<(Box<dyn PolarsArray>, PolarsType), Problem> {
        let (mut fields, mut values) = (Vec::new(), Vec::new());
        for (name, part) in self.parts {
            let (array, polars_type) = part.finish()?;
            fields.push(PolarsField::new(name.into(), polars_type));
            values.push(array);
        }
        let polars_type = PolarsType::Struct(fields);
        let physical = polars_type.to_physical().try_to_arrow(CompatLevel::newest())?;
        let length = self.validity.len();
        let validity = self.validity.into_opt_validity();
        let array = StructArray::try_new(physical, length, values, validity)?;
        Ok((array.boxed(), polars_type))
    }
}
