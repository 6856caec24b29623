use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{Schema, SchemaRef};
use arrow_select::concat::concat_batches;

use crate::contain::contain;
use crate::query::answer::QueryStats;
use crate::query::rows::{ColumnIndex, FindColumn as _, FromCell, Row, Rows, Values};
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
///     let room: &str = row.get("room")?;
///     let temp: Option<f64> = row.get("temp")?;
///     println!("{room}: {temp:?}");
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Table {
    schema: SchemaRef,
    batches: Vec<RecordBatch>,
    /// For each batch, how many rows it and those before it have.
    ends: Vec<usize>,
    stats: QueryStats,
}

impl Table {
    /// All batches must have the schema, and rows.
    pub(crate) fn new(schema: SchemaRef, batches: Vec<RecordBatch>, stats: QueryStats) -> Self {
        let add = |rows: &mut usize, batch: &RecordBatch| {
            *rows = rows.saturating_add(batch.num_rows());
            Some(*rows)
        };
        let ends = batches.iter().scan(0, add).collect();
        Self { schema, batches, ends, stats }
    }

    /// A table of record batches from anywhere, such as those that a [`Reader`](super::Reader) gave.
    ///
    /// ```no_run
    /// # fn main() -> Result<(), influxdb3_blocking::Error> {
    /// # let client = influxdb3_blocking::Client::from_env()?;
    /// use influxdb3_blocking::Table;
    ///
    /// let mut reader = client.query("SELECT * FROM home").reader()?;
    /// let first = reader.next().transpose()?;
    /// println!("{} rows", Table::from_batches(reader.schema(), first)?.num_rows());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails with [`ErrorKind::Decode`] if a batch has other columns than the schema.
    pub fn from_batches(
        schema: SchemaRef,
        batches: impl IntoIterator<Item = RecordBatch>,
    ) -> Result<Self> {
        let batches: Vec<_> = batches.into_iter().filter(|batch| batch.num_rows() > 0).collect();
        let types = |schema: &Schema| -> Vec<_> {
            schema.fields().iter().map(|field| field.data_type().clone()).collect()
        };
        let expected = types(&schema);
        match batches.iter().position(|batch| types(batch.schema_ref()) != expected) {
            Some(place) => Err(Error::new(
                ErrorKind::Decode,
                format!("the record batch {} has other columns than the schema", place + 1),
            )),
            None => Ok(Self::new(schema, batches, QueryStats::default())),
        }
    }

    /// The schema, which an empty answer has as well.
    ///
    /// ```
    #[doc = include_str!("../example_table.txt")]
    /// let schema = table.schema();
    /// assert_eq!(schema.field(0).name(), "room");
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    #[must_use]
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// The record batches; none of them is empty.
    ///
    /// ```
    #[doc = include_str!("../example_table.txt")]
    /// for batch in table.batches() {
    ///     assert_eq!(batch.num_columns(), 2);
    /// }
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    #[must_use]
    pub fn batches(&self) -> &[RecordBatch] {
        &self.batches
    }

    /// The record batches, owned.
    ///
    /// ```no_run
    /// # let client = influxdb3_blocking::Client::from_env()?;
    /// let table = client.query("SELECT * FROM home").table()?;
    /// for batch in table.into_batches() {
    ///     println!("{} rows", batch.num_rows()); // its memory is freed here
    /// }
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    #[must_use]
    pub fn into_batches(self) -> Vec<RecordBatch> {
        self.batches
    }

    /// How many rows there are.
    ///
    /// ```
    #[doc = include_str!("../example_table.txt")]
    /// assert_eq!(table.num_rows(), 2);
    /// assert_eq!(table.rows().count(), 2);
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    #[must_use]
    pub fn num_rows(&self) -> usize {
        self.ends.last().copied().unwrap_or(0)
    }

    /// How many columns there are.
    ///
    /// ```
    #[doc = include_str!("../example_table.txt")]
    /// assert_eq!(table.num_columns(), 2);
    /// assert_eq!(table.select(&["temp"])?.num_columns(), 1);
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    #[must_use]
    pub fn num_columns(&self) -> usize {
        self.schema.fields().len()
    }

    /// The column of this name: one array for each batch. `None` if there is no such column.
    ///
    /// ```no_run
    /// # let client = influxdb3_blocking::Client::from_env()?;
    /// let table = client.query("SELECT temp FROM home").table()?;
    /// for array in table.column("temp").unwrap_or_default() {
    ///     println!("{} values", array.len());
    /// }
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    #[must_use]
    pub fn column(&self, name: &str) -> Option<Vec<ArrayRef>> {
        let index = self.schema.index_of(name).ok()?;
        Some(self.batches.iter().map(|batch| Arc::clone(batch.column(index))).collect())
    }

    /// A table of these columns, in this order. Copies no data.
    ///
    /// ```no_run
    /// # let client = influxdb3_blocking::Client::from_env()?;
    /// let table = client.query("SELECT * FROM home").table()?;
    /// for row in table.select(&["room", "temp"])?.rows() {
    ///     println!("{row:?}");
    /// }
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if there is no column of one of these names.
    pub fn select(&self, names: &[&str]) -> Result<Self> {
        let fields = self.schema.fields();
        let indices = names.iter().map(|name| name.find(fields)).collect::<Result<Vec<_>>>()?;
        let schema = Arc::new(self.schema.project(&indices)?);
        let project = |batch: &RecordBatch| batch.project(&indices);
        let batches = self.batches.iter().map(project).collect::<Result<_, _>>()?;
        Ok(Self { schema, batches, ends: self.ends.clone(), stats: self.stats.clone() })
    }

    /// The whole table as one record batch. Copies all values, unless there is one batch already; until the table is
    /// dropped, they are in memory twice.
    ///
    /// ```no_run
    /// # fn main() -> Result<(), influxdb3_blocking::Error> {
    /// # let client = influxdb3_blocking::Client::from_env()?;
    /// let batch = client.query("SELECT room, temp FROM home").table()?.concat()?;
    /// println!("{} rows", batch.num_rows());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails with [`ErrorKind::TooLarge`] if a column does not fit one array: more than 2 GiB of text, for example, or
    /// more values of a dictionary than its keys can tell apart.
    pub fn concat(&self) -> Result<RecordBatch> {
        if let [batch] = &self.batches[..] {
            return Ok(batch.clone());
        }
        // Where offsets or lengths overflow, some kernels of arrow give an error, and others panic. A kernel owns what it
        // builds, and the batches are not changed, so that a panic leaves nothing behind.
        let concat = || concat_batches(&self.schema, &self.batches);
        let too_large = |why: String| {
            Error::new(
                ErrorKind::TooLarge,
                format!("the table does not fit one record batch ({why}): use its batches"),
            )
        };
        match contain(concat) {
            Ok(Ok(batch)) => Ok(batch),
            Ok(Err(error)) => Err(too_large(error.to_string()).with_source(error)),
            Err(_) => Err(too_large("a column has too many values".to_owned())),
        }
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
    /// [`QueryRequest::dataframe`](crate::QueryRequest::dataframe) takes less memory.
    ///
    /// ```no_run
    /// # let client = influxdb3_blocking::Client::from_env()?;
    /// let table = client.query("SELECT room, temp FROM home").table()?;
    /// println!("{:?}", table.dataframe()?.get_column_names());
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Fails with [`ErrorKind::Decode`] and the name of the column if polars has no such type (intervals, maps, unions
    /// and dictionaries of anything but text) or cannot hold a value (a second beyond the milliseconds of 64 bits, a
    /// decimal of more than 38 digits), and if two columns have the same name.
    #[cfg(feature = "polars")]
    pub fn dataframe(&self) -> Result<polars_core::frame::DataFrame> {
        let mut builder = super::data_frame::DataFrameBuilder::new(&self.schema)?;
        self.batches.iter().try_for_each(|batch| builder.push(batch))?;
        builder.finish()
    }

    /// The server's statistics of the query; empty if it sends none, as Core does.
    ///
    /// ```no_run
    /// # let client = influxdb3_blocking::Client::from_env()?;
    /// let table = client.query("SELECT * FROM home").table()?;
    /// if let Some(bytes) = table.stats().max_memory_bytes {
    ///     println!("the server needed {bytes} bytes");
    /// }
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    #[must_use]
    pub fn stats(&self) -> &QueryStats {
        &self.stats
    }

    /// The rows, one after the other.
    ///
    /// ```
    #[doc = include_str!("../example_table.txt")]
    /// let mut warm = table.rows().filter(|row| {
    ///     row.get::<f64>("temp").is_ok_and(|temp| temp > 23.0)
    /// });
    /// let room: Option<&str> = warm.next().and_then(|row| row.get("room").ok());
    /// assert_eq!(room, Some("Bath"));
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> + Clone {
        self.batches.iter().flat_map(Rows::new)
    }

    /// The row with this number, from 0. `None` if `number` is not less than [`num_rows`](Self::num_rows).
    ///
    /// ```no_run
    /// # fn main() -> Result<(), influxdb3_blocking::Error> {
    /// # let client = influxdb3_blocking::Client::from_env()?;
    /// let table = client.query("SELECT count(*) AS n FROM home").table()?;
    /// if let Some(row) = table.row(0) {
    ///     println!("{} rows", row.get::<u64>("n")?);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn row(&self, number: usize) -> Option<Row<'_>> {
        let place = self.ends.partition_point(|end| *end <= number);
        let batch = self.batches.get(place)?;
        let start = place.checked_sub(1).map_or(0, |before| self.ends[before]);
        Some(Row::new(batch, number - start))
    }

    /// The values of a column, found by its name or by its place, as values of `T`: what [`Row::get`] gives for each
    /// row.
    ///
    /// ```no_run
    /// # fn main() -> Result<(), influxdb3_blocking::Error> {
    /// # let client = influxdb3_blocking::Client::from_env()?;
    /// let table = client.query("SELECT temp FROM home").table()?;
    /// let temps: Vec<Option<f64>> = table.values("temp")?.collect::<Result<_, _>>()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if there is no such column. A value that is null or does not fit is an error of its own, and the next one
    /// may fit.
    pub fn values<'a, T: FromCell<'a>>(
        &'a self,
        column: impl ColumnIndex,
    ) -> Result<Values<'a, T>> {
        let fields = self.schema.fields();
        let index = column.find(fields)?;
        Ok(Values::new(&fields[index], &self.batches, index, self.num_rows()))
    }
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
