//! Arrow record batches are records.

mod array;
mod record_batch_encoder;

use std::fmt;

use arrow_array::{RecordBatch, RecordBatchReader};

use super::{Lines, Record};
use crate::Result;
use crate::columns::{LayoutOptions, layout_options};
pub(crate) use record_batch_encoder::RecordBatchEncoder;

/// An Arrow record batch, or all batches of a reader, to be written: each row is a line.
///
/// ```
/// use std::sync::Arc;
///
/// use arrow_array::{
///     ArrayRef, Float64Array, RecordBatch, StringArray, TimestampSecondArray,
/// };
/// use influxdb3_blocking::{Client, Columns};
///
/// let batch = RecordBatch::try_from_iter([
///     (
///         "time",
///         Arc::new(TimestampSecondArray::from(vec![1_641_024_000])) as ArrayRef,
///     ),
///     ("room", Arc::new(StringArray::from(vec!["Kitchen"]))),
///     ("temp", Arc::new(Float64Array::from(vec![21.5]))),
/// ])?;
/// # let client = Client::builder().host("http://localhost:1").database("sensors").build()?;
/// let columns = Columns::new(&batch).measurement("home").tags(["room"]);
/// let request = client.write(columns);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
///
/// # How columns are used
///
/// - The **measurement** is the name given here, or else the text in the column that
///   [`measurement_column`](Self::measurement_column) names, or in `measurement`, or in `iox::measurement`.
/// - The **timestamp** is the column that [`timestamp_column`](Self::timestamp_column) names, or `time` if there is one.
///   Arrow timestamps and dates count by their unit, integers by [`date_unit`](Self::date_unit), and text is read as
///   RFC 3339 and its relatives. A null timestamp is an error. Without such a column the server gives all
///   rows its time, and rows of equal tags become one.
/// - **Tags** are the columns listed in [`tags`](Self::tags), of text or of anything else that has one.
/// - **Fields** are all others, or those listed in [`fields`](Self::fields); what [`exclude`](Self::exclude) lists is left
///   out, and [`rename`](Self::rename) gives a column another name. A name that no column has is an error that lists the
///   columns there are.
///
/// | Arrow | field |
/// |---|---|
/// | signed integers, durations | integer |
/// | unsigned integers | unsigned integer |
/// | floats of every width, decimals (all their digits are written) | float |
/// | booleans | boolean |
/// | text of every kind | string |
/// | timestamps, dates, times of the day | string: `2022-01-01T08:00:00Z`, `2022-01-01`, `08:00:00` |
/// | dictionaries, run-end encoded arrays | what their values are |
/// | binary of every kind, with [`binary_as_text`](Self::binary_as_text) | string |
///
/// Nulls, NaN, infinities and empty tags are left out, and so are rows without a field. Columns of nested types and of
/// intervals, and of binary values without [`binary_as_text`](Self::binary_as_text), are an error that names the column,
/// before anything is written, unless they are left out.
///
/// The client's default tags are added where the table has none of that name, or no value.
#[must_use = "this is written by `client.write(…).send()`, or into a `LineBuffer` by `push_record`"]
pub struct Columns<'a> {
    source: BatchSource<'a>,
    layout: LayoutOptions,
}

/// The source of the rows.
enum BatchSource<'a> {
    Batch(&'a RecordBatch),
    Reader(Box<dyn RecordBatchReader + 'a>),
}

impl<'a> Columns<'a> {
    /// The rows of a record batch.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use influxdb3_blocking::arrow_array::{ArrayRef, Int64Array, RecordBatch};
    /// use influxdb3_blocking::{Columns, LineBuffer};
    ///
    /// let count = Arc::new(Int64Array::from(vec![3, 4])) as ArrayRef;
    /// let batch = RecordBatch::try_from_iter([("n", count)])?;
    /// let mut lines = LineBuffer::new();
    /// lines.push_record(Columns::new(&batch).measurement("count"))?;
    /// assert_eq!(lines.as_bytes(), b"count n=3i\ncount n=4i\n");
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    pub fn new(batch: &'a RecordBatch) -> Self {
        Self { source: BatchSource::Batch(batch), layout: LayoutOptions::default() }
    }

    /// The rows of all batches of a reader. All lines are in memory before the first is sent, as with every record;
    /// where that is too much, write batch by batch.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use arrow_array::{ArrayRef, Int64Array, RecordBatch, RecordBatchIterator};
    /// use influxdb3_blocking::{Client, Columns};
    ///
    /// let batch = RecordBatch::try_from_iter([
    ///     ("time", Arc::new(Int64Array::from(vec![1, 2])) as ArrayRef),
    ///     ("value", Arc::new(Int64Array::from(vec![3, 4]))),
    /// ])?;
    /// let batches = [Ok(batch.clone()), Ok(batch.clone())];
    /// let reader = RecordBatchIterator::new(batches, batch.schema());
    /// # let client = Client::builder().host("http://localhost:1").database("sensors").build()?;
    /// let request = client.write(Columns::from_reader(reader).measurement("counts"));
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    pub fn from_reader(reader: impl RecordBatchReader + 'a) -> Self {
        Self { source: BatchSource::Reader(Box::new(reader)), layout: LayoutOptions::default() }
    }

    layout_options!(
        layout,
        r#"# use influxdb3_blocking::{Columns, Precision, arrow_array::*};
# fn written(home: Columns<'_>) -> influxdb3_blocking::Result<String> {
#     let mut lines = influxdb3_blocking::LineBuffer::new();
#     lines.push_record(home)?;
#     Ok(String::from_utf8_lossy(lines.as_bytes()).into_owned())
# }
# let columns: [(_, ArrayRef); 5] = [
#     ("time", std::sync::Arc::new(Int64Array::from(vec![1]))),
#     ("until", std::sync::Arc::new(Int64Array::from(vec![2]))),
#     ("measurement", std::sync::Arc::new(StringArray::from(vec!["home"]))),
#     ("room", std::sync::Arc::new(StringArray::from(vec!["Kitchen"]))),
#     ("temp", std::sync::Arc::new(Float64Array::from(vec![21.5]))),
# ];
# let columns = [4, 1, 0, 2, 3].map(|place| columns[place].clone());
# let batch = RecordBatch::try_from_iter(columns)?;
// time: 1, until: 2, measurement: home, room: Kitchen, temp: 21.5
let home = Columns::new(&batch);"#
    );
}

impl Record for Columns<'_> {
    fn encode(self, lines: &mut Lines<'_>) -> Result<()> {
        let Self { source, layout } = self;
        let new = |schema, lines: &Lines<'_>| {
            RecordBatchEncoder::new(schema, &layout, lines.rules(), lines.precision())
        };
        match source {
            BatchSource::Batch(batch) => {
                let mut encoder = new(batch.schema_ref(), lines)?;
                encoder.encode(batch, 0..batch.num_rows(), lines).map_err(|error| error.at_row(0))
            }
            BatchSource::Reader(reader) => {
                let mut encoder = new(&reader.schema(), lines)?;
                let mut rows = 0;
                for batch in reader {
                    let batch = batch?;
                    encoder
                        .encode(&batch, 0..batch.num_rows(), lines)
                        .map_err(|error| error.at_row(rows))?;
                    rows += batch.num_rows();
                }
                Ok(())
            }
        }
    }
}

impl fmt::Debug for Columns<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Columns").field("layout", &self.layout).finish_non_exhaustive()
    }
}
