use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{Schema, SchemaRef};

use super::rows::{Row, Rows};
use super::stats::QueryStats;
use crate::{Error, ErrorKind, Result};

/// The whole answer to a query.
///
/// The rows lie in record batches, as the server sent them; cloning a table copies no data.
///
/// ```no_run
/// # fn main() -> Result<(), influxdb3_blocking::Error> {
/// # let client = influxdb3_blocking::Client::from_env()?;
/// let table = client.query("SELECT room, temp FROM home").table()?;
/// for row in table.rows() {
///     let (room, temp): (&str, Option<f64>) = (row.get("room")?, row.get("temp")?);
///     println!("{room}: {temp:?}");
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Table {
    schema: SchemaRef,
    batches: Vec<RecordBatch>,
    num_rows: usize,
    stats: QueryStats,
}

impl Table {
    /// All batches must have the schema.
    pub(super) fn new(schema: SchemaRef, batches: Vec<RecordBatch>, stats: QueryStats) -> Self {
        let num_rows = batches.iter().map(RecordBatch::num_rows).fold(0, usize::saturating_add);
        Self { schema, batches, num_rows, stats }
    }

    /// The schema, which an empty answer has as well.
    #[must_use]
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// The record batches; none of them is empty.
    #[must_use]
    pub fn batches(&self) -> &[RecordBatch] {
        &self.batches
    }

    /// The record batches, owned.
    #[must_use]
    pub fn into_batches(self) -> Vec<RecordBatch> {
        self.batches
    }

    /// How many rows there are.
    #[must_use]
    pub fn num_rows(&self) -> usize {
        self.num_rows
    }

    /// How many columns there are.
    #[must_use]
    pub fn num_columns(&self) -> usize {
        self.schema.fields().len()
    }

    /// The column of this name: one array for each batch. `None` if there is no such column.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<Vec<ArrayRef>> {
        let index = self.schema.index_of(name).ok()?;
        Some(self.batches.iter().map(|batch| Arc::clone(batch.column(index))).collect())
    }

    /// A table of these columns, in this order. Copies no data.
    ///
    /// # Errors
    ///
    /// Fails if there is no column of one of these names.
    pub fn select(&self, names: &[&str]) -> Result<Self> {
        let find =
            |name: &&str| self.schema.index_of(name).map_err(|_| no_column(&self.schema, name));
        let indices = names.iter().map(find).collect::<Result<Vec<_>>>()?;
        let schema = Arc::new(self.schema.project(&indices)?);
        let project = |batch: &RecordBatch| batch.project(&indices);
        let batches = self.batches.iter().map(project).collect::<Result<_, _>>()?;
        Ok(Self { schema, batches, num_rows: self.num_rows, stats: self.stats.clone() })
    }

    /// The table as a data frame of polars; each value is copied once, and each column is one piece. A table without
    /// rows makes a frame without rows that has its columns and types.
    ///
    /// | Arrow | polars |
    /// |---|---|
    /// | integers, floats, booleans, binary, null | the same |
    /// | text | `String` |
    /// | dictionaries of text, which tags are | `Categorical`, of the categories that all frames share |
    /// | timestamps | `Datetime` of the same unit and zone; seconds become milliseconds |
    /// | `Date32`, `Date64` | `Date`, `Datetime` in milliseconds |
    /// | times of the day | `Time` |
    /// | durations | `Duration` of the same unit; seconds become milliseconds |
    /// | decimals | `Decimal` of the same digits, 38 at most |
    /// | lists, structs | `List`, `Struct` |
    ///
    /// [`QueryRequest::dataframe`](super::QueryRequest::dataframe) takes less memory.
    ///
    /// # Errors
    ///
    /// Fails with [`ErrorKind::Decode`] and the name of the column if polars has no such type (intervals, maps, unions
    /// and dictionaries of anything but text) or cannot hold a value (a second beyond the milliseconds of 64 bits, a
    /// decimal of more than 38 digits), and if two columns have the same name.
    #[cfg(feature = "polars")]
    pub fn dataframe(&self) -> Result<polars_core::frame::DataFrame> {
        let mut frame = super::frame::FrameBuilder::new(&self.schema)?;
        self.batches.iter().try_for_each(|batch| frame.push(batch))?;
        frame.finish()
    }

    /// What the server said about the query; empty if it says nothing, as Core does.
    #[must_use]
    pub fn stats(&self) -> &QueryStats {
        &self.stats
    }

    /// The rows, one after the other.
    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> + Clone {
        self.batches.iter().flat_map(Rows::new)
    }
}

pub(super) fn no_column(schema: &Schema, name: &str) -> Error {
    let names: Vec<_> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    Error::new(
        ErrorKind::Decode,
        format!("the answer has no column {name:?}: it has {}", names.join(", ")),
    )
}

#[cfg(test)]
mod tests {
    use arrow_array::{Int64Array, StringArray};
    use arrow_schema::{DataType, Field};

    use super::*;

    fn table() -> Table {
        let fields = [("a", DataType::Int64), ("b", DataType::Utf8)];
        let fields = fields.map(|(name, data_type)| Field::new(name, data_type, true));
        let schema = Arc::new(Schema::new(fields.to_vec()));
        let batch = |numbers: Vec<i64>, text: Vec<&str>| {
            let columns: Vec<ArrayRef> =
                vec![Arc::new(Int64Array::from(numbers)), Arc::new(StringArray::from(text))];
            RecordBatch::try_new(Arc::clone(&schema), columns).unwrap()
        };
        Table::new(
            Arc::clone(&schema),
            vec![batch(vec![1, 2], vec!["x", "y"]), batch(vec![3], vec!["z"])],
            QueryStats::default(),
        )
    }

    #[test]
    fn rows_go_through_all_batches() {
        let table = table();
        assert_eq!((table.num_rows(), table.num_columns()), (3, 2));
        let rows: Vec<(i64, &str)> =
            table.rows().map(|row| (row.get(0).unwrap(), row.get("b").unwrap())).collect();
        assert_eq!(rows, [(1, "x"), (2, "y"), (3, "z")]);
    }

    #[test]
    fn columns_are_found_and_selected_by_name() {
        let table = table();
        assert_eq!(table.column("b").unwrap().len(), 2);
        assert!(table.column("c").is_none());
        let selected = table.select(&["b", "a"]).unwrap();
        assert_eq!(selected.rows().next().unwrap().get::<i64>(1).unwrap(), 1);
        let none = table.select(&[]).unwrap();
        assert_eq!((none.num_rows(), none.num_columns()), (3, 0));
        let error = table.select(&["a", "c"]).unwrap_err();
        assert_eq!(error.to_string(), "the answer has no column \"c\": it has a, b");
    }
}
