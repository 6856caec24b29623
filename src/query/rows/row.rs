use std::borrow::Cow;
use std::fmt;

use arrow_array::RecordBatch;
use arrow_schema::Field;

use super::cell::{Cell, Mismatch, RowRef};
use super::column_index::ColumnIndex;
use super::from_cell::{self, FromCell, sealed};
use crate::Result;

/// The rows of a record batch, one after the other.
///
/// ```no_run
/// use influxdb3_blocking::Rows;
///
/// # fn main() -> Result<(), influxdb3_blocking::Error> {
/// # let client = influxdb3_blocking::Client::from_env()?;
/// for batch in client.query("SELECT room, temp FROM home").reader()? {
///     for row in Rows::new(&batch?) {
///         let temp: Option<f64> = row.get("temp")?;
///         println!("{}: {temp:?}", row.get::<&str>("room")?);
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Rows<'a> {
    batch: &'a RecordBatch,
    next: usize,
}

/// One row of a record batch, or a value that is a struct.
///
/// ```
/// use std::sync::Arc;
///
/// use influxdb3_blocking::Rows;
/// use influxdb3_blocking::arrow_array::{
///     ArrayRef, Float64Array, RecordBatch, StringArray,
/// };
///
/// let rooms = StringArray::from(vec!["Kitchen"]);
/// let temps = Float64Array::from(vec![None, Some(21.5)]).slice(1, 1);
/// let batch = RecordBatch::try_from_iter([
///     ("room", Arc::new(rooms) as ArrayRef),
///     ("temp", Arc::new(temps)),
/// ])?;
/// for row in Rows::new(&batch) {
///     assert_eq!(row.get::<&str>("room")?, "Kitchen");
///     assert_eq!(row.get::<Option<f64>>(1)?, Some(21.5));
///     assert!(row.get::<bool>("temp").is_err());
/// }
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy)]
pub struct Row<'a>(RowRef<'a>);

impl<'a> Rows<'a> {
    /// The rows of this batch.
    ///
    /// ```
    #[doc = include_str!("../example_table.txt")]
    /// use influxdb3_blocking::Rows;
    ///
    /// for batch in table.batches() {
    ///     for (row, room) in Rows::new(batch).zip(["Kitchen", "Bath"]) {
    ///         assert_eq!(row.get::<&str>("room")?, room);
    ///     }
    /// }
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    #[must_use]
    pub fn new(batch: &'a RecordBatch) -> Self {
        Self { batch, next: 0 }
    }
}

impl<'a> Iterator for Rows<'a> {
    type Item = Row<'a>;

    fn next(&mut self) -> Option<Row<'a>> {
        let index = self.next;
        (index < self.batch.num_rows()).then(|| {
            self.next += 1;
            Row::new(self.batch, index)
        })
    }

    fn nth(&mut self, n: usize) -> Option<Row<'a>> {
        self.next = self.next.saturating_add(n).min(self.batch.num_rows());
        self.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.batch.num_rows() - self.next;
        (left, Some(left))
    }
}

impl ExactSizeIterator for Rows<'_> {}
impl std::iter::FusedIterator for Rows<'_> {}

impl<'a> Row<'a> {
    /// The batch has a row at this index.
    pub(crate) fn new(batch: &'a RecordBatch, index: usize) -> Self {
        Self(RowRef::new(batch.schema_ref().fields(), batch.columns(), index))
    }

    /// The value of a column, found by its name or by its place.
    ///
    /// | as | from columns of |
    /// |---|---|
    /// | `bool` | booleans |
    /// | integers | integers, and decimals without a fraction, if the value fits |
    /// | `i64`, `u64`, `isize`, `usize`, `i128`, `u128` | also timestamps (since 1970), times of the day (since midnight) and durations, in nanoseconds |
    /// | `f64`, `f32` | floats (rounded to the nearest), decimals, and integers that are exact as such |
    /// | `&str` | text of every Arrow type, also in dictionaries |
    /// | `String`, `Box<str>`, `Arc<str>`, `Cow<str>` | also decimals, and in ISO 8601 timestamps (in UTC, with `Z`), dates, times of the day, durations and intervals |
    /// | `char` | text of one character |
    /// | `&[u8]`, `Vec<u8>` | binary |
    /// | [`Timestamp`](crate::Timestamp), `SystemTime` | timestamps, dates (their beginning in UTC), and text in the form of RFC 3339 |
    /// | the same of chrono, jiff and time, with these features | the same: `DateTime<Utc>`, `jiff::Timestamp`, `OffsetDateTime` |
    /// | `Duration` | durations, times of the day, and intervals without months, if not negative |
    /// | `IntervalMonthDayNano` of `arrow_array::types` | intervals |
    /// | `Vec<T>` | lists of what can be read as `T`; maps, as their entries; binary, as its bytes |
    /// | `BTreeMap<K, V>`, `HashMap<K, V>` | maps and structs |
    /// | `Row` | structs |
    /// | `Option<T>` | the same, null being `None` |
    ///
    /// Dictionaries, unions and run-end encoded columns count as what they hold. An integer is never taken for a time:
    /// read it as `i64`, and say what it counts: [`Timestamp::seconds`](crate::Timestamp::seconds).
    ///
    /// ```no_run
    /// use influxdb3_blocking::{Row, Timestamp};
    ///
    /// # fn main() -> Result<(), influxdb3_blocking::Error> {
    /// # let client = influxdb3_blocking::Client::from_env()?;
    /// let table = client
    ///     .query(
    ///         "SELECT room, array_agg(temp) AS temps, \
    ///          selector_max(temp, time) AS hottest FROM home GROUP BY room",
    ///     )
    ///     .table()?;
    /// for row in table.rows() {
    ///     let temps: Vec<Option<f64>> = row.get("temps")?;
    ///     let hottest: Row = row.get("hottest")?;
    ///     let value: f64 = hottest.get("value")?;
    ///     let time: Timestamp = hottest.get("time")?;
    ///     let room: &str = row.get("room")?;
    ///     println!("{room}: {value} at {time}, of {}", temps.len());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if there is no such column, if its value is null and `T` is no `Option`, or if it does not fit `T`:
    /// the error names the column and its type.
    pub fn get<T: FromCell<'a>>(&self, column: impl ColumnIndex) -> Result<T> {
        let (field, cell) = self.0.at(column.find(self.0.fields())?);
        from_cell::fit(field, cell)
    }

    /// How many columns there are.
    ///
    /// ```
    #[doc = include_str!("../example_table.txt")]
    /// for row in table.rows() {
    ///     assert_eq!(row.num_columns(), 2);
    ///     assert!(row.get::<f64>(row.num_columns()).is_err());
    /// }
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    #[must_use]
    pub fn num_columns(&self) -> usize {
        self.0.len()
    }

    /// The columns with the values of this row.
    pub(crate) fn cells(&self) -> impl Iterator<Item = (&'a Field, Cell<'a>)> {
        self.0.cells()
    }

    #[cfg(feature = "serde")]
    pub(super) fn as_cell(&self) -> Cell<'a> {
        Cell::Struct(self.0)
    }
}

impl<'a> FromCell<'a> for Row<'a> {}
impl<'a> sealed::ReadCell<'a> for Row<'a> {
    fn name() -> Cow<'static, str> {
        "Row".into()
    }

    fn from_cell(cell: Cell<'a>) -> Result<Self, Mismatch> {
        match cell {
            Cell::Struct(row) => Ok(Self(row)),
            other => other.mismatch(),
        }
    }
}

/// As a person would write it.
impl fmt::Debug for Row<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::{Duration, SystemTime};

    use arrow_array::types::Int16Type;
    use arrow_array::*;
    use arrow_schema::Schema;

    use super::*;
    use crate::ErrorKind;

    /// A batch of one column `c`.
    fn batch(array: impl Array + 'static) -> RecordBatch {
        let field = Field::new("c", array.data_type().clone(), true);
        let schema = Arc::new(Schema::new(vec![field]));
        RecordBatch::try_new(schema, vec![Arc::new(array)]).unwrap()
    }

    fn get<T: for<'a> FromCell<'a>>(array: impl Array + 'static) -> Result<T> {
        Rows::new(&batch(array)).next().unwrap().get("c")
    }

    fn text(array: impl Array + 'static) -> String {
        Rows::new(&batch(array)).next().unwrap().get::<&str>(0).unwrap().to_owned()
    }

    #[test]
    fn text_is_text_in_every_form() {
        assert_eq!(text(StringArray::from(vec!["x"])), "x");
        assert_eq!(text(LargeStringArray::from(vec!["x"])), "x");
        assert_eq!(
            text(StringViewArray::from(vec!["a text that is longer than a view"])).len(),
            33
        );
        assert_eq!(text(["x"].into_iter().collect::<DictionaryArray<Int16Type>>()), "x");
        let keys = UInt8Array::from(vec![1]);
        let values = Arc::new(StringViewArray::from(vec!["a", "b"]));
        assert_eq!(text(DictionaryArray::new(keys, values)), "b");
    }

    #[test]
    fn timestamps_of_any_unit_are_nanoseconds() {
        assert_eq!(get::<i64>(TimestampSecondArray::from(vec![-2])).unwrap(), -2_000_000_000);
        assert_eq!(get::<i64>(TimestampMillisecondArray::from(vec![2])).unwrap(), 2_000_000);
        assert_eq!(get::<i64>(TimestampMicrosecondArray::from(vec![2])).unwrap(), 2_000);
        let zoned = TimestampNanosecondArray::from(vec![2]).with_timezone("Europe/Paris");
        assert_eq!(get::<i64>(zoned).unwrap(), 2);
        let error = get::<i64>(TimestampSecondArray::from(vec![i64::MAX])).unwrap_err();
        assert!(error.to_string().contains("does not fit i64"), "{error}");
        let before = get::<SystemTime>(TimestampNanosecondArray::from(vec![-1])).unwrap();
        assert_eq!(SystemTime::UNIX_EPOCH.duration_since(before).unwrap().as_nanos(), 1);
        let date = get::<SystemTime>(Date32Array::from(vec![2])).unwrap();
        assert_eq!(date.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs(), 172_800);
    }

    #[test]
    fn numbers_are_read_as_what_holds_them() {
        assert_eq!(get::<u8>(Int64Array::from(vec![255])).unwrap(), 255);
        assert_eq!(get::<u64>(UInt64Array::from(vec![u64::MAX])).unwrap(), u64::MAX);
        assert_eq!(get::<f64>(Int64Array::from(vec![-7])).unwrap(), -7.0);
        assert_eq!(get::<f32>(Float64Array::from(vec![0.1])).unwrap(), 0.1);
        let decimal = Decimal128Array::from(vec![-1250]).with_precision_and_scale(10, 2).unwrap();
        assert_eq!(get::<f64>(decimal.clone()).unwrap(), -12.5);
        assert_eq!(get::<String>(decimal).unwrap(), "-12.50");
        assert_eq!(
            get::<Duration>(Time32MillisecondArray::from(vec![1500])).unwrap(),
            Duration::from_millis(1500)
        );
    }

    #[test]
    fn null_is_none_and_nothing_else() {
        assert_eq!(get::<Option<i64>>(Int64Array::from(vec![None])).unwrap(), None);
        assert_eq!(get::<Option<f32>>(NullArray::new(1)).unwrap(), None);
        assert_eq!(get::<Option<i64>>(Int64Array::from(vec![1])).unwrap(), Some(1));
        let error = get::<i64>(Int64Array::from(vec![None])).unwrap_err();
        assert_eq!(error.to_string(), "the column \"c\" (Int64) is null: read it as Option<i64>");
    }

    #[test]
    fn what_does_not_fit_names_the_column_and_its_type() {
        for (error, text) in [
            (get::<i64>(StringArray::from(vec!["1"])).unwrap_err(), "(Utf8) cannot be read as i64"),
            (
                get::<f64>(BooleanArray::from(vec![true])).unwrap_err(),
                "(Boolean) cannot be read as f64",
            ),
            (get::<i32>(Int64Array::from(vec![1 << 40])).unwrap_err(), "holds 1099511627776"),
            (
                get::<u64>(Int64Array::from(vec![-1])).unwrap_err(),
                "holds -1, which does not fit u64",
            ),
            (get::<f64>(UInt64Array::from(vec![u64::MAX])).unwrap_err(), "does not fit f64"),
            (get::<f32>(Float64Array::from(vec![1e300])).unwrap_err(), "does not fit f32"),
            (get::<Option<bool>>(Int64Array::from(vec![1])).unwrap_err(), "cannot be read as bool"),
        ] {
            assert_eq!(error.kind(), ErrorKind::Decode);
            assert!(error.to_string().contains(text), "{error}");
            assert!(error.to_string().contains("\"c\""), "{error}");
        }
    }

    #[test]
    fn columns_that_are_not_there_are_errors() {
        let batch = batch(Int64Array::from(vec![1]));
        let row = Rows::new(&batch).next().unwrap();
        assert!(row.get::<i64>("d").unwrap_err().to_string().contains("it has c"));
        assert!(row.get::<i64>(1).unwrap_err().to_string().contains("no column 1"));
        assert_eq!(format!("{row:?}"), r#"{"c": 1}"#);
    }

    #[test]
    fn a_row_is_shown_as_a_person_would_write_it() {
        let columns: [(&str, ArrayRef); 6] = [
            ("room", Arc::new(StringArray::from(vec!["Hall"]))),
            ("temp", Arc::new(Float64Array::from(vec![Some(21.5)]))),
            ("hum", Arc::new(Float64Array::from(vec![None]))),
            ("time", Arc::new(TimestampMillisecondArray::from(vec![1_641_024_000_500]))),
            ("day", Arc::new(Date32Array::from(vec![18_993]))),
            (
                "price",
                Arc::new(Decimal64Array::from(vec![1250]).with_precision_and_scale(9, 2).unwrap()),
            ),
        ];
        let batch = RecordBatch::try_from_iter_with_nullable(
            columns.map(|(name, column)| (name, column, true)),
        )
        .unwrap();
        assert_eq!(
            format!("{:?}", Rows::new(&batch).next().unwrap()),
            "{\"room\": \"Hall\", \"temp\": 21.5, \"hum\": null, \"time\": 2022-01-01T08:00:00.500Z, \
             \"day\": 2022-01-01, \"price\": 12.50}"
        );
        assert_eq!(Rows::new(&batch).next().unwrap().get::<String>("price").unwrap(), "12.50");
    }

    #[test]
    fn rows_can_be_skipped() {
        let batch = batch(Int64Array::from(vec![1, 2, 3]));
        let mut rows = Rows::new(&batch);
        assert_eq!(rows.nth(1).unwrap().get::<i64>(0).unwrap(), 2);
        assert_eq!(rows.len(), 1);
        assert!(rows.nth(5).is_none());
        assert!(rows.next().is_none());
    }
}
