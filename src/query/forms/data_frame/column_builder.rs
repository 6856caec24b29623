//! What all builders of columns have.

use arrow_array::Array;
use polars_arrow::bitmap::BitmapBuilder;
use polars_core::datatypes::DataType as PolarsType;

/// Takes arrays of one type of Arrow, and makes one array of polars of their values.
pub(super) trait ColumnBuilder {
    /// Adds the values of an array of the type that the builder is for.
    ///
    /// # Errors
    ///
    /// polars cannot hold a value.
    fn push(&mut self, array: &dyn Array) -> Result<(), Problem>;

    /// The array, and the type of its column. The array itself has the type in which polars holds such a column.
    fn finish(
        self: Box<Self>,
    ) -> Result<(Box<dyn polars_arrow::array::Array>, PolarsType), Problem>;
}

/// Why polars cannot hold a column, as the end of a sentence about it.
#[derive(Debug)]
pub(super) struct Problem(pub(super) String);

impl Problem {
    pub(super) fn new(what: impl Into<String>) -> Self {
        Self(what.into())
    }
}

impl From<polars_core::error::PolarsError> for Problem {
    fn from(error: polars_core::error::PolarsError) -> Self {
        Self(error.to_string())
    }
}

/// Adds to the validity of a column that of another array.
pub(super) fn extend_validity(validity: &mut BitmapBuilder, array: &dyn Array) {
    match array.nulls() {
        None => validity.extend_constant(array.len(), true),
        Some(nulls) => validity.extend_from_slice(nulls.validity(), nulls.offset(), nulls.len()),
    }
}
