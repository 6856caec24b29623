use arrow_array::cast::AsArray;
use arrow_array::types::*;
use arrow_array::{Array, ArrayRef, ArrowPrimitiveType, OffsetSizeTrait};
use arrow_buffer::ArrowNativeType;
use arrow_schema::{DataType, Field, Fields, IntervalUnit, TimeUnit};

/// A value of any kind of array: dictionaries, unions and run-end encoded arrays are looked through.
#[derive(Clone)]
pub enum Cell<'a> {
    Null,
    Bool(bool),
    Signed(i64),
    Unsigned(u64),
    Single(f32),
    Double(f64),
    Text(&'a str),
    Binary(&'a [u8]),
    /// A timestamp: the number of units since 1970, in UTC.
    Time(i64, TimeUnit),
    /// A day, as milliseconds since 1970. A `Date64` may be within a day.
    Date(i64),
    /// The number of units since midnight.
    TimeOfDay(i64, TimeUnit),
    Duration(i64, TimeUnit),
    Interval(IntervalMonthDayNano),
    /// The digits of a decimal, with its point.
    Decimal(String),
    List(List<'a>),
    /// The entries are structs of a key and a value.
    Map(List<'a>),
    Struct(RowRef<'a>),
}

/// A part of an array: the value of a list.
#[derive(Clone, Copy)]
pub struct List<'a> {
    values: &'a dyn Array,
    start: usize,
    end: usize,
}

/// Named columns and one place in them: a row of a record batch, or the value of a struct.
#[derive(Clone, Copy)]
pub struct RowRef<'a> {
    fields: &'a Fields,
    columns: &'a [ArrayRef],
    index: usize,
}

/// Why a value cannot be read as the type that was asked for.
#[derive(Debug)]
pub enum Mismatch {
    Null,
    /// Values of this type never can.
    Type,
    /// The value as text, which is of the right type and out of its range.
    Value(String),
    /// What is wrong inside of the value, as a sentence.
    Inside(String),
}

impl<'a> Cell<'a> {
    /// The value of the array in this row, which it must have.
    pub(crate) fn read(array: &'a dyn Array, row: usize) -> Self {
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
            DataType::Float16 => Self::Single(native::<Float16Type>(array, row).to_f32()),
            DataType::Float32 => Self::Single(native::<Float32Type>(array, row)),
            DataType::Float64 => Self::Double(native::<Float64Type>(array, row)),
            DataType::Utf8 => Self::Text(array.as_string::<i32>().value(row)),
            DataType::LargeUtf8 => Self::Text(array.as_string::<i64>().value(row)),
            DataType::Utf8View => Self::Text(array.as_string_view().value(row)),
            DataType::Binary => Self::Binary(array.as_binary::<i32>().value(row)),
            DataType::LargeBinary => Self::Binary(array.as_binary::<i64>().value(row)),
            DataType::BinaryView => Self::Binary(array.as_binary_view().value(row)),
            DataType::FixedSizeBinary(_) => Self::Binary(array.as_fixed_size_binary().value(row)),
            DataType::Timestamp(unit, _) => Self::Time(time_of(array, *unit, row), *unit),
            DataType::Date32 => {
                Self::Date(i64::from(native::<Date32Type>(array, row)) * 86_400_000)
            }
            DataType::Date64 => Self::Date(native::<Date64Type>(array, row)),
            DataType::Time32(TimeUnit::Second) => {
                Self::TimeOfDay(native::<Time32SecondType>(array, row).into(), TimeUnit::Second)
            }
            DataType::Time32(_) => Self::TimeOfDay(
                native::<Time32MillisecondType>(array, row).into(),
                TimeUnit::Millisecond,
            ),
            DataType::Time64(TimeUnit::Microsecond) => {
                Self::TimeOfDay(native::<Time64MicrosecondType>(array, row), TimeUnit::Microsecond)
            }
            DataType::Time64(_) => {
                Self::TimeOfDay(native::<Time64NanosecondType>(array, row), TimeUnit::Nanosecond)
            }
            DataType::Duration(unit) => Self::Duration(duration_of(array, *unit, row), *unit),
            DataType::Interval(unit) => Self::Interval(interval_of(array, *unit, row)),
            DataType::Decimal32(..) => {
                Self::Decimal(array.as_primitive::<Decimal32Type>().value_as_string(row))
            }
            DataType::Decimal64(..) => {
                Self::Decimal(array.as_primitive::<Decimal64Type>().value_as_string(row))
            }
            DataType::Decimal128(..) => {
                Self::Decimal(array.as_primitive::<Decimal128Type>().value_as_string(row))
            }
            DataType::Decimal256(..) => {
                Self::Decimal(array.as_primitive::<Decimal256Type>().value_as_string(row))
            }
            DataType::List(_) => Self::List(List::of_offsets::<i32>(array, row)),
            DataType::LargeList(_) => Self::List(List::of_offsets::<i64>(array, row)),
            DataType::ListView(_) => Self::List(List::of_views::<i32>(array, row)),
            DataType::LargeListView(_) => Self::List(List::of_views::<i64>(array, row)),
            DataType::FixedSizeList(..) => {
                let lists = array.as_fixed_size_list();
                let length = lists.value_length().as_usize();
                Self::List(List::new(lists.values(), row * length, length))
            }
            DataType::Map(..) => {
                let maps = array.as_map();
                let start = maps.value_offsets().get(row).map_or(0, |offset| offset.as_usize());
                Self::Map(List::new(maps.entries(), start, maps.value_length(row).as_usize()))
            }
            DataType::Struct(fields) => {
                Self::Struct(RowRef::new(fields, array.as_struct().columns(), row))
            }
            DataType::Union(..) => {
                let union = array.as_union();
                Self::read(union.child(union.type_id(row)), union.value_offset(row))
            }
            DataType::Dictionary(keys, _) => match **keys {
                DataType::Int8 => Self::look_up::<Int8Type>(array, row),
                DataType::Int16 => Self::look_up::<Int16Type>(array, row),
                DataType::Int32 => Self::look_up::<Int32Type>(array, row),
                DataType::Int64 => Self::look_up::<Int64Type>(array, row),
                DataType::UInt8 => Self::look_up::<UInt8Type>(array, row),
                DataType::UInt16 => Self::look_up::<UInt16Type>(array, row),
                DataType::UInt32 => Self::look_up::<UInt32Type>(array, row),
                // Arrow has no arrays with other keys.
                _ => Self::look_up::<UInt64Type>(array, row),
            },
            DataType::RunEndEncoded(ends, _) => match ends.data_type() {
                DataType::Int16 => Self::find_run::<Int16Type>(array, row),
                DataType::Int32 => Self::find_run::<Int32Type>(array, row),
                // Arrow has no arrays with other ends.
                _ => Self::find_run::<Int64Type>(array, row),
            },
        }
    }

    fn look_up<K: ArrowDictionaryKeyType>(array: &'a dyn Array, row: usize) -> Self {
        let dictionary = array.as_dictionary::<K>();
        Self::read(dictionary.values(), dictionary.keys().value(row).as_usize())
    }

    fn find_run<R: RunEndIndexType>(array: &'a dyn Array, row: usize) -> Self {
        let runs = array.as_run::<R>();
        Self::read(runs.values(), runs.get_physical_index(row))
    }

    /// The error that it is not of the type that was asked for.
    pub(crate) fn mismatch<T>(&self) -> Result<T, Mismatch> {
        Err(match self {
            Self::Null => Mismatch::Null,
            _ => Mismatch::Type,
        })
    }
}

impl<'a> List<'a> {
    fn new(values: &'a dyn Array, start: usize, length: usize) -> Self {
        Self { values, start, end: start + length }
    }

    fn of_offsets<O: OffsetSizeTrait>(array: &'a dyn Array, row: usize) -> Self {
        let lists = array.as_list::<O>();
        let start = lists.value_offsets().get(row).map_or(0, |offset| offset.as_usize());
        Self::new(lists.values(), start, lists.value_length(row).as_usize())
    }

    fn of_views<O: OffsetSizeTrait>(array: &'a dyn Array, row: usize) -> Self {
        let lists = array.as_list_view::<O>();
        let start = lists.value_offset(row).as_usize();
        Self::new(lists.values(), start, lists.value_size(row).as_usize())
    }

    pub(crate) fn cells(self) -> impl ExactSizeIterator<Item = Cell<'a>> {
        (self.start..self.end).map(move |row| Cell::read(self.values, row))
    }
}

impl<'a> RowRef<'a> {
    /// There are as many columns as fields, and all of them are longer than `index`.
    pub(crate) fn new(fields: &'a Fields, columns: &'a [ArrayRef], index: usize) -> Self {
        Self { fields, columns, index }
    }

    pub(crate) fn fields(self) -> &'a Fields {
        self.fields
    }

    pub(crate) fn len(self) -> usize {
        self.columns.len()
    }

    /// The column at this place, which must be there, and its value.
    pub(crate) fn at(self, place: usize) -> (&'a Field, Cell<'a>) {
        (&self.fields[place], Cell::read(&self.columns[place], self.index))
    }

    pub(crate) fn cells(self) -> impl ExactSizeIterator<Item = (&'a Field, Cell<'a>)> {
        (0..self.len()).map(move |place| self.at(place))
    }
}

impl Mismatch {
    /// What is wrong, as the end of a sentence about the value.
    pub(crate) fn describe(self, wanted: &str) -> String {
        match self {
            Self::Null => format!("is null: read it as Option<{wanted}>"),
            Self::Type => format!("cannot be read as {wanted}"),
            Self::Value(value) => format!("holds {value}, which does not fit {wanted}"),
            Self::Inside(problem) => format!("cannot be read as {wanted}: {problem}"),
        }
    }
}

fn native<T: ArrowPrimitiveType>(array: &dyn Array, row: usize) -> T::Native {
    array.as_primitive::<T>().value(row)
}

fn time_of(array: &dyn Array, unit: TimeUnit, row: usize) -> i64 {
    match unit {
        TimeUnit::Second => native::<TimestampSecondType>(array, row),
        TimeUnit::Millisecond => native::<TimestampMillisecondType>(array, row),
        TimeUnit::Microsecond => native::<TimestampMicrosecondType>(array, row),
        TimeUnit::Nanosecond => native::<TimestampNanosecondType>(array, row),
    }
}

fn duration_of(array: &dyn Array, unit: TimeUnit, row: usize) -> i64 {
    match unit {
        TimeUnit::Second => native::<DurationSecondType>(array, row),
        TimeUnit::Millisecond => native::<DurationMillisecondType>(array, row),
        TimeUnit::Microsecond => native::<DurationMicrosecondType>(array, row),
        TimeUnit::Nanosecond => native::<DurationNanosecondType>(array, row),
    }
}

fn interval_of(array: &dyn Array, unit: IntervalUnit, row: usize) -> IntervalMonthDayNano {
    match unit {
        IntervalUnit::YearMonth => {
            IntervalMonthDayNano::new(native::<IntervalYearMonthType>(array, row), 0, 0)
        }
        IntervalUnit::DayTime => {
            let IntervalDayTime { days, milliseconds } = native::<IntervalDayTimeType>(array, row);
            IntervalMonthDayNano::new(0, days, i64::from(milliseconds) * 1_000_000)
        }
        IntervalUnit::MonthDayNano => native::<IntervalMonthDayNanoType>(array, row),
    }
}
