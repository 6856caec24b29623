//! Answers as data frames of polars. Columns grow while the batches are received, so that each value is copied once and
//! an answer is in memory once.

mod binary;
mod categorical;
mod column_builder;
mod nested;
mod primitive;
mod types;

use arrow_array::RecordBatch;
use arrow_schema::{DataType, Schema};
use polars_core::frame::DataFrame;
use polars_core::frame::column::Column;
use polars_core::series::Series;
use polars_utils::IdxSize;

use self::column_builder::{ColumnBuilder, Problem};
use crate::{Error, ErrorKind, Result};

/// Makes one data frame of the batches of an answer.
pub(crate) struct DataFrameBuilder {
    columns: Vec<GrowingColumn>,
    rows: usize,
}

/// A column of the data frame that is being made.
struct GrowingColumn {
    name: String,
    data_type: DataType,
    values: Box<dyn ColumnBuilder>,
}

impl DataFrameBuilder {
    /// Takes batches of this schema.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Decode`] if polars lacks the type of a column, or if two columns have the same name.
    pub(crate) fn new(schema: &Schema) -> Result<Self> {
        let mut columns: Vec<GrowingColumn> = Vec::new();
        for field in schema.fields() {
            let (name, data_type) = (field.name(), field.data_type());
            if columns.iter().any(|column| column.name == *name) {
                return Err(Error::new(
                    ErrorKind::Decode,
                    format!(
                        "a data frame cannot have two columns {name:?}: give one another name with AS"
                    ),
                ));
            }
            let values =
                types::builder(field).map_err(|problem| unfit(name, data_type, problem))?;
            columns.push(GrowingColumn {
                name: name.clone(),
                data_type: data_type.clone(),
                values,
            });
        }
        Ok(Self { columns, rows: 0 })
    }

    /// Adds the rows of a batch of the schema.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Decode`] if polars cannot hold a value, or the number of rows.
    pub(crate) fn push(&mut self, batch: &RecordBatch) -> Result<()> {
        self.rows += batch.num_rows();
        // polars keeps the last value of `IdxSize` for itself, and panics where a frame has more rows.
        if self.rows >= IdxSize::MAX as usize {
            return Err(Error::new(
                ErrorKind::Decode,
                format!(
                    "a data frame holds less than {} rows: read the answer in parts",
                    IdxSize::MAX
                ),
            ));
        }
        for (column, array) in self.columns.iter_mut().zip(batch.columns()) {
            let pushed = column.values.push(array);
            pushed.map_err(|problem| unfit(&column.name, &column.data_type, problem))?;
        }
        Ok(())
    }

    /// The data frame of all rows.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Decode`] if polars refuses it.
    pub(crate) fn finish(self) -> Result<DataFrame> {
        let column = |GrowingColumn { name, data_type, values }| {
            let series = values.finish().and_then(|(array, polars_type)| {
                Ok(Series::from_chunk_and_dtype(name.as_str().into(), array, &polars_type)?)
            });
            series.map(Column::from).map_err(|problem| unfit(&name, &data_type, problem))
        };
        let columns = self.columns.into_iter().map(column).collect::<Result<Vec<_>>>()?;
        DataFrame::new(self.rows, columns).map_err(|error| {
            Error::new(ErrorKind::Decode, format!("polars refuses the answer: {error}"))
                .with_source(error)
        })
    }
}

fn unfit(name: &str, data_type: &DataType, Problem(problem): Problem) -> Error {
    Error::new(
        ErrorKind::Decode,
        format!("the column {name:?} ({data_type}) does not fit a data frame: {problem}"),
    )
}
