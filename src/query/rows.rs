//! Rows of record batches, and their values as Rust types.

use std::fmt;
use std::time::{Duration, SystemTime};

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowDictionaryKeyType, Date32Type, Date64Type, Decimal128Type, Decimal256Type,
    DurationMicrosecondType, DurationMillisecondType, DurationNanosecondType, DurationSecondType,
    Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    Time32MillisecondType, Time32SecondType, Time64MicrosecondType, Time64NanosecondType,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrowPrimitiveType, RecordBatch};
use arrow_buffer::ArrowNativeType;
use arrow_schema::{DataType, Field, Schema, TimeUnit};

use super::table::no_column;
use super::to_point::timestamp as to_timestamp;
use crate::{Error, ErrorKind, Result, Timestamp};

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

/// What a value can be read as: see [`Row::get`].
pub trait FromCell<'a>: Sized + sealed::FromCell<'a> {}

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
    /// | [`Timestamp`] | timestamps and dates |
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
    use super::{Cell, Misfit, Schema};
    use crate::Result;

    pub trait FromCell<'a>: Sized {
        const NAME: &'static str;
        fn from_cell(cell: Cell<'a>) -> Result<Self, Misfit>;
    }

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

/// Why a value is not what was asked for.
#[derive(Debug)]
pub enum Misfit {
    Null,
    Type,
    Value(String),
}

/// A value, whatever array it comes from.
#[derive(Debug)]
pub enum Cell<'a> {
    Null,
    Bool(bool),
    Signed(i64),
    Unsigned(u64),
    Float(f64),
    Text(&'a str),
    Binary(&'a [u8]),
    /// Since 1970, in this unit.
    Time(i64, TimeUnit),
    Days(i64),
    Duration(i64, TimeUnit),
    Decimal(String),
    Other,
}

impl<'a> Cell<'a> {
    fn read(array: &'a dyn Array, row: usize) -> Self {
        if array.is_null(row) {
            return Self::Null;
        }
        match array.data_type() {
            DataType::Null => Self::Null,
            DataType::Boolean => Self::Bool(array.as_boolean().value(row)),
            DataType::Int8 => Self::Signed(native::<Int8Type>(array, row).into()),
            DataType::Int16 => Self::Signed(native::<Int16Type>(array, row).into()),
            DataType::Int32 => Self::Signed(native::<Int32Type>(array, row).into()),
            DataType::Int64 => Self::Signed(native::<Int64Type>(array, row)),
            DataType::UInt8 => Self::Unsigned(native::<UInt8Type>(array, row).into()),
            DataType::UInt16 => Self::Unsigned(native::<UInt16Type>(array, row).into()),
            DataType::UInt32 => Self::Unsigned(native::<UInt32Type>(array, row).into()),
            DataType::UInt64 => Self::Unsigned(native::<UInt64Type>(array, row)),
            DataType::Float16 => Self::Float(native::<Float16Type>(array, row).to_f64()),
            DataType::Float32 => Self::Float(native::<Float32Type>(array, row).into()),
            DataType::Float64 => Self::Float(native::<Float64Type>(array, row)),
            DataType::Utf8 => Self::Text(array.as_string::<i32>().value(row)),
            DataType::LargeUtf8 => Self::Text(array.as_string::<i64>().value(row)),
            DataType::Utf8View => Self::Text(array.as_string_view().value(row)),
            DataType::Binary => Self::Binary(array.as_binary::<i32>().value(row)),
            DataType::LargeBinary => Self::Binary(array.as_binary::<i64>().value(row)),
            DataType::BinaryView => Self::Binary(array.as_binary_view().value(row)),
            DataType::FixedSizeBinary(_) => Self::Binary(array.as_fixed_size_binary().value(row)),
            DataType::Timestamp(unit, _) => Self::Time(timestamp(array, *unit, row), *unit),
            DataType::Date32 => Self::Days(native::<Date32Type>(array, row).into()),
            DataType::Date64 => Self::Time(native::<Date64Type>(array, row), TimeUnit::Millisecond),
            DataType::Time32(TimeUnit::Second) => {
                Self::Duration(native::<Time32SecondType>(array, row).into(), TimeUnit::Second)
            }
            DataType::Time32(_) => Self::Duration(
                native::<Time32MillisecondType>(array, row).into(),
                TimeUnit::Millisecond,
            ),
            DataType::Time64(TimeUnit::Microsecond) => {
                Self::Duration(native::<Time64MicrosecondType>(array, row), TimeUnit::Microsecond)
            }
            DataType::Time64(_) => {
                Self::Duration(native::<Time64NanosecondType>(array, row), TimeUnit::Nanosecond)
            }
            DataType::Duration(unit) => Self::Duration(duration(array, *unit, row), *unit),
            DataType::Decimal128(..) => {
                Self::Decimal(array.as_primitive::<Decimal128Type>().value_as_string(row))
            }
            DataType::Decimal256(..) => {
                Self::Decimal(array.as_primitive::<Decimal256Type>().value_as_string(row))
            }
            DataType::Dictionary(keys, _) => match **keys {
                DataType::Int8 => Self::look_up::<Int8Type>(array, row),
                DataType::Int16 => Self::look_up::<Int16Type>(array, row),
                DataType::Int32 => Self::look_up::<Int32Type>(array, row),
                DataType::Int64 => Self::look_up::<Int64Type>(array, row),
                DataType::UInt8 => Self::look_up::<UInt8Type>(array, row),
                DataType::UInt16 => Self::look_up::<UInt16Type>(array, row),
                DataType::UInt32 => Self::look_up::<UInt32Type>(array, row),
                DataType::UInt64 => Self::look_up::<UInt64Type>(array, row),
                _ => Self::Other,
            },
            _ => Self::Other,
        }
    }

    fn look_up<K: ArrowDictionaryKeyType>(array: &'a dyn Array, row: usize) -> Self {
        let dictionary = array.as_dictionary::<K>();
        Self::read(dictionary.values(), dictionary.keys().value(row).as_usize())
    }

    fn misfit<T>(&self) -> Result<T, Misfit> {
        Err(match self {
            Self::Null => Misfit::Null,
            _ => Misfit::Type,
        })
    }
}

macro_rules! from_cell {
    ($type:ty, $name:expr, $cell:ident => $read:expr) => {
        impl<'a> FromCell<'a> for $type {}
        impl<'a> sealed::FromCell<'a> for $type {
            const NAME: &'static str = $name;

            fn from_cell($cell: Cell<'a>) -> Result<Self, Misfit> {
                $read
            }
        }
    };
}

macro_rules! integer_from_cell {
    ($($type:ident)*) => {
        $(from_cell!($type, stringify!($type), cell => match cell {
            Cell::Signed(value) => value.try_into().map_err(|_| Misfit::Value(value.to_string())),
            Cell::Unsigned(value) => value.try_into().map_err(|_| Misfit::Value(value.to_string())),
            other => other.misfit(),
        });)*
    };
}

integer_from_cell!(i8 i16 i32 u8 u16 u32 u64 isize usize);

from_cell!(i64, "i64", cell => match cell {
    Cell::Signed(value) => Ok(value),
    Cell::Unsigned(value) => value.try_into().map_err(|_| Misfit::Value(value.to_string())),
    Cell::Time(value, unit) => value
        .checked_mul(nanoseconds(unit))
        .ok_or_else(|| Misfit::Value(format!("{value} {unit:?}s since 1970"))),
    other => other.misfit(),
});

from_cell!(f64, "f64", cell => match cell {
    Cell::Float(value) => Ok(value),
    Cell::Signed(value) if value.unsigned_abs() <= EXACT => Ok(value as Self),
    Cell::Unsigned(value) if value <= EXACT => Ok(value as Self),
    Cell::Signed(value) => Err(Misfit::Value(value.to_string())),
    Cell::Unsigned(value) => Err(Misfit::Value(value.to_string())),
    Cell::Decimal(value) => value.parse().map_err(|_| Misfit::Value(value)),
    other => other.misfit(),
});

from_cell!(f32, "f32", cell => {
    let double = <f64 as sealed::FromCell<'_>>::from_cell(cell)?;
    let single = double as Self;
    if single.is_infinite() && double.is_finite() {
        return Err(Misfit::Value(double.to_string()));
    }
    Ok(single)
});

from_cell!(bool, "bool", cell => match cell {
    Cell::Bool(value) => Ok(value),
    other => other.misfit(),
});

from_cell!(&'a str, "&str", cell => match cell {
    Cell::Text(text) => Ok(text),
    other => other.misfit(),
});

from_cell!(String, "String", cell => match cell {
    Cell::Text(text) => Ok(text.to_owned()),
    Cell::Decimal(text) => Ok(text),
    other => other.misfit(),
});

from_cell!(&'a [u8], "&[u8]", cell => match cell {
    Cell::Binary(bytes) => Ok(bytes),
    other => other.misfit(),
});

from_cell!(Vec<u8>, "Vec<u8>", cell => match cell {
    Cell::Binary(bytes) => Ok(bytes.to_vec()),
    other => other.misfit(),
});

from_cell!(Timestamp, "Timestamp", cell => match cell {
    Cell::Time(value, unit) => Ok(to_timestamp(value, unit)),
    // Days are 32 bits.
    Cell::Days(value) => Ok(Self::seconds(value * 86_400)),
    other => other.misfit(),
});

from_cell!(SystemTime, "SystemTime", cell => {
    let (value, scale) = match cell {
        Cell::Time(value, unit) => (value, nanoseconds(unit).into()),
        Cell::Days(value) => (value, 86_400 * i128::from(nanoseconds(TimeUnit::Second))),
        other => return other.misfit(),
    };
    let nanos = i128::from(value) * scale;
    let distance = to_duration(nanos.unsigned_abs());
    let time = if nanos < 0 {
        Self::UNIX_EPOCH.checked_sub(distance)
    } else {
        Self::UNIX_EPOCH.checked_add(distance)
    };
    time.ok_or_else(|| Misfit::Value(format!("{nanos} nanoseconds since 1970")))
});

from_cell!(Duration, "Duration", cell => match cell {
    Cell::Duration(value, unit) if value >= 0 => {
        Ok(to_duration(value.unsigned_abs() as u128 * nanoseconds(unit).unsigned_abs() as u128))
    }
    Cell::Duration(value, unit) => Err(Misfit::Value(format!("{value} {unit:?}s"))),
    other => other.misfit(),
});

impl<'a, T: FromCell<'a>> FromCell<'a> for Option<T> {}
impl<'a, T: FromCell<'a>> sealed::FromCell<'a> for Option<T> {
    const NAME: &'static str = T::NAME;

    fn from_cell(cell: Cell<'a>) -> Result<Self, Misfit> {
        match cell {
            Cell::Null => Ok(None),
            cell => T::from_cell(cell).map(Some),
        }
    }
}

/// Integers up to here are exact as `f64`.
const EXACT: u64 = 1 << 53;

fn native<T: ArrowPrimitiveType>(array: &dyn Array, row: usize) -> T::Native {
    array.as_primitive::<T>().value(row)
}

fn timestamp(array: &dyn Array, unit: TimeUnit, row: usize) -> i64 {
    match unit {
        TimeUnit::Second => native::<TimestampSecondType>(array, row),
        TimeUnit::Millisecond => native::<TimestampMillisecondType>(array, row),
        TimeUnit::Microsecond => native::<TimestampMicrosecondType>(array, row),
        TimeUnit::Nanosecond => native::<TimestampNanosecondType>(array, row),
    }
}

fn duration(array: &dyn Array, unit: TimeUnit, row: usize) -> i64 {
    match unit {
        TimeUnit::Second => native::<DurationSecondType>(array, row),
        TimeUnit::Millisecond => native::<DurationMillisecondType>(array, row),
        TimeUnit::Microsecond => native::<DurationMicrosecondType>(array, row),
        TimeUnit::Nanosecond => native::<DurationNanosecondType>(array, row),
    }
}

pub(super) fn nanoseconds(unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Second => 1_000_000_000,
        TimeUnit::Millisecond => 1_000_000,
        TimeUnit::Microsecond => 1_000,
        TimeUnit::Nanosecond => 1,
    }
}

fn to_duration(nanos: u128) -> Duration {
    const SECOND: u128 = 1_000_000_000;
    // 64 bits of milliseconds or days stay far below 64 bits of seconds; the rest is below a second.
    Duration::new(u64::try_from(nanos / SECOND).unwrap_or(u64::MAX), (nanos % SECOND) as u32)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

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
        assert_eq!(format!("{row:?}"), r#"{"c": Signed(1)}"#);
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
