use std::marker::PhantomData;

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::ArrowDictionaryKeyType;
use arrow_buffer::{ArrowNativeType, NullBuffer};
use arrow_schema::DataType;
use polars_arrow::array::Array as PolarsArray;
use polars_arrow::bitmap::BitmapBuilder;
use polars_core::datatypes::{Categories, DataType as PolarsType};

use super::column_builder::{ColumnBuilder, Problem};
use super::primitive::primitive;

/// Dictionaries of text, as the categories that all data frames of the program share.
pub(super) struct CategoricalBuilder<K> {
    /// The number of each row's category; 0 for null.
    numbers: Vec<u32>,
    validity: BitmapBuilder,
    polars_type: PolarsType,
    keys: PhantomData<K>,
}

impl<K> CategoricalBuilder<K> {
    pub(super) fn new() -> Self {
        Self {
            numbers: Vec::new(),
            validity: BitmapBuilder::new(),
            polars_type: PolarsType::from_categories(Categories::global()),
            keys: PhantomData,
        }
    }
}

impl<K: ArrowDictionaryKeyType> ColumnBuilder for CategoricalBuilder<K> {
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
        // For each value of the dictionary the number of its category, which is `None` for a value that is null; and `None`
        // around it until a row has that value. So categories are those that rows have.
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
