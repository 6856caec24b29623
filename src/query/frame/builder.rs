//! What makes a column of polars.

use arrow_array::Array;
use polars_arrow::bitmap::BitmapBuilder;
use polars_core::datatypes::DataType as PolarsType;

/// Takes arrays of one type, and makes one array of polars of them.
pub(super) trait Builder {
    fn push(&mut self, array: &dyn Array) -> Result<(), Problem>;

    /// The array, and the type that it stands for.
    fn finish(
        self: Box<Self>,
    ) -> Result<(Box<dyn polars_arrow::array::Array>, PolarsType), Problem>;
}

/// Why polars cannot hold something.
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

/// The validity of arrays, one behind the other.
pub(super) fn extend_validity(validity: &mut BitmapBuilder, array: &dyn Array) {
    match array.nulls() {
        None => validity.extend_constant(array.len(), true),
        Some(nulls) => validity.extend_from_slice(nulls.validity(), nulls.offset(), nulls.len()),
    }
}
