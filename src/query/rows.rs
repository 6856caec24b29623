//! Rows of record batches.

use std::fmt;

use arrow_array::RecordBatch;
use arrow_schema::{Field, Schema};

use super::cell::Cell;
use super::from_cell::{FromCell, Misfit};
use super::table::no_column;
use crate::{Error, ErrorKind, Result};

/// The rows of a record batch, one after the other.
///
/// ```no_run
/// use influxdb3_blocking::Rows;
///
/// # fn main() -> Result<(), influxdb3_blocking::Error> {
/// # let client = influxdb3_blocking::Client::from_env()?;
/// for batch in client.query("SELECT room, temp FROM home").reader()? {
///     for row in Rows::new(&batch?) {
///         println!("{}: {:?}", row.get::<&str>("room")?, row.get::<Option<f64>>("temp")?);
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

/// One row of a record batch.
#[derive(Clone, Copy)]
pub struct Row<'a> {
    batch: &'a RecordBatch,
    index: usize,
}

/// What finds a column: its name, or its place.
pub trait ColumnIndex: sealed::ColumnIndex {}

impl<'a> Rows<'a> {
    /// The rows of this batch.
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
            Row { batch: self.batch, index }
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
    #[cfg(feature = "serde")]
    pub(super) fn new(batch: &'a RecordBatch, index: usize) -> Self {
        Self { batch, index }
    }

    /// The value of a column, found by its name or by its place.
    ///
    /// | as | from columns of |
    /// |---|---|
    /// | `bool` | booleans |
    /// | integers | integers, if the value fits; `i64` also from timestamps of any unit, in nanoseconds |
    /// | `f64`, `f32` | floats (rounded to the nearest), decimals, and integers that are exact as such |
    /// | `&str`, `String` | text, in whatever form it comes; `String` also from decimals |
    /// | `&[u8]`, `Vec<u8>` | binary |
    /// | `SystemTime` | timestamps and dates |
    /// | [`Timestamp`](crate::Timestamp) | timestamps and dates |
    /// | `Duration` | durations that are not negative, and times of day |
    /// | `Option<T>` | the same, null being `None` |
    ///
    /// # Errors
    ///
    /// Fails if there is no such column, if its value is null and `T` is no `Option`, or if it does not fit `T`:
    /// the error names the column and its type.
    pub fn get<T: FromCell<'a>>(&self, column: impl ColumnIndex) -> Result<T> {
        let schema = self.batch.schema_ref();
        let index = column.find(schema)?;
        let array = self.batch.column(index);
        let cell = Cell::read(array, self.index);
        T::from_cell(cell).map_err(|misfit| {
            let field = schema.field(index);
            let (name, data_type) = (field.name(), field.data_type());
            let wanted = T::NAME;
            let text = match misfit {
                Misfit::Null => format!(
                    "the column {name:?} ({data_type}) is null in this row: read it as Option<{wanted}>"
                ),
                Misfit::Type => format!("the column {name:?} ({data_type}) cannot be read as {wanted}"),
                Misfit::Value(value) => {
                    format!("the column {name:?} ({data_type}) holds {value}, which does not fit {wanted}")
                }
            };
            Error::new(ErrorKind::Decode, text)
        })
    }

    /// How many columns there are.
    #[must_use]
    pub fn num_columns(&self) -> usize {
        self.batch.num_columns()
    }

    /// The columns with the values of this row.
    pub(super) fn cells(&self) -> impl Iterator<Item = (&'a Field, Cell<'a>)> {
        let index = self.index;
        let fields = self.batch.schema_ref().fields().iter().map(|field| &**field);
        fields.zip(self.batch.columns().iter().map(move |array| Cell::read(array, index)))
    }

    /// The column at a place that there is.
    #[cfg(feature = "serde")]
    pub(super) fn field(&self, place: usize) -> &'a Field {
        self.batch.schema_ref().field(place)
    }

    /// The value at a place that there is.
    #[cfg(feature = "serde")]
    pub(super) fn cell(&self, place: usize) -> Cell<'a> {
        Cell::read(self.batch.column(place), self.index)
    }
}

impl fmt::Debug for Row<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.cells().map(|(field, cell)| (field.name(), cell))).finish()
    }
}

mod sealed {
    use super::Schema;
    use crate::Result;

    pub trait ColumnIndex {
        fn find(&self, schema: &Schema) -> Result<usize>;
    }
}

impl ColumnIndex for &str {}
impl sealed::ColumnIndex for &str {
    fn find(&self, schema: &Schema) -> Result<usize> {
        let position = schema.fields().iter().position(|field| field.name() == self);
        position.ok_or_else(|| no_column(schema, self))
    }
}

impl ColumnIndex for &String {}
impl sealed::ColumnIndex for &String {
    fn find(&self, schema: &Schema) -> Result<usize> {
        sealed::ColumnIndex::find(&self.as_str(), schema)
    }
}

impl ColumnIndex for usize {}
impl sealed::ColumnIndex for usize {
    fn find(&self, schema: &Schema) -> Result<usize> {
        let count = schema.fields().len();
        if *self < count {
            return Ok(*self);
        }
        Err(Error::new(
            ErrorKind::Decode,
            format!("the answer has no column {self}: it has {count}, the first one being 0"),
        ))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::{Duration, SystemTime};

    use arrow_array::types::Int16Type;
    use arrow_array::*;

    use super::*;

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
        assert_eq!(
            error.to_string(),
            "the column \"c\" (Int64) is null in this row: read it as Option<i64>"
        );
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
            "{\"room\": \"Hall\", \"temp\": 21.5, \"hum\": null, \"time\": 2022-01-01T08:00:00.5Z, \
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
