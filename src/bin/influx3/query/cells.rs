//! Values as text: what is the same in all formats that are text.

use std::io::Write as _;
use std::sync::Arc;

use arrow_array::cast::AsArray as _;
use arrow_array::types::{
    Float32Type, Float64Type, Int64Type, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType, UInt64Type,
};
use arrow_array::{Array, ArrayRef, PrimitiveArray, RecordBatch};
use arrow_cast::cast;
use arrow_schema::{DataType, Field, Schema, TimeUnit};
use influxdb3_blocking::{Rows, Timestamp, arrow_array, arrow_schema};

/// The values of a column.
#[derive(Debug)]
pub(super) struct Cells {
    /// Has the nulls; in the type that `kind` says.
    array: ArrayRef,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Null,
    Boolean,
    Signed,
    Unsigned,
    Single,
    Double,
    Text,
    LargeText,
    TextView,
    Time(TimeUnit),
    /// The place of each value among those of a dictionary.
    Dictionary(Vec<usize>, Box<Cells>),
    List(Box<Cells>),
    LargeList(Box<Cells>),
    Struct(Vec<(String, Cells)>),
    Map(Box<Cells>, Box<Cells>),
    /// What has a text of its own: dates, durations, decimals …; as a batch of one column.
    Other(RecordBatch),
}

/// What a text stands for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Means {
    Null,
    /// A finite number.
    Number,
    /// NaN or an infinity, which JSON has none of.
    NoNumber,
    Boolean,
    Text,
    /// JSON of a list, a struct or a map.
    Json,
}

impl Cells {
    /// The columns of a batch.
    pub(super) fn of(batch: &RecordBatch) -> Vec<Self> {
        batch.columns().iter().map(Self::new).collect()
    }

    fn new(array: &ArrayRef) -> Self {
        let as_type = |data_type: DataType, kind: Kind| {
            // Widening, or the same.
            let array = cast(array, &data_type).unwrap_or_else(|_| array.clone());
            Self { array, kind }
        };
        let keep = |kind| Self { array: array.clone(), kind };
        match array.data_type() {
            DataType::Null => keep(Kind::Null),
            DataType::Boolean => keep(Kind::Boolean),
            data_type if data_type.is_signed_integer() => as_type(DataType::Int64, Kind::Signed),
            data_type if data_type.is_unsigned_integer() => {
                as_type(DataType::UInt64, Kind::Unsigned)
            }
            DataType::Float16 | DataType::Float32 => as_type(DataType::Float32, Kind::Single),
            DataType::Float64 => keep(Kind::Double),
            DataType::Utf8 => keep(Kind::Text),
            DataType::LargeUtf8 => keep(Kind::LargeText),
            DataType::Utf8View => keep(Kind::TextView),
            DataType::Timestamp(unit, _) => keep(Kind::Time(*unit)),
            DataType::Dictionary(..) => {
                let dictionary = array.as_any_dictionary();
                let values = Self::new(dictionary.values());
                // There are no keys of a dictionary without values.
                let keys = match dictionary.values().is_empty() {
                    true => vec![0; array.len()],
                    false => dictionary.normalized_keys(),
                };
                keep(Kind::Dictionary(keys, Box::new(values)))
            }
            DataType::List(_) => {
                keep(Kind::List(Box::new(Self::new(array.as_list::<i32>().values()))))
            }
            DataType::LargeList(_) => {
                keep(Kind::LargeList(Box::new(Self::new(array.as_list::<i64>().values()))))
            }
            DataType::FixedSizeList(item, _) => match cast(array, &DataType::List(item.clone())) {
                Ok(lists) => Self::new(&lists),
                Err(_) => keep(Self::other(array)),
            },
            DataType::Struct(fields) => {
                let columns = array.as_struct().columns().iter().map(Self::new);
                let names = fields.iter().map(|field| field.name().clone());
                keep(Kind::Struct(names.zip(columns).collect()))
            }
            DataType::Map(..) => {
                let map = array.as_map();
                let (keys, values) = (Self::new(map.keys()), Self::new(map.values()));
                keep(Kind::Map(Box::new(keys), Box::new(values)))
            }
            _ => keep(Self::other(array)),
        }
    }

    fn other(array: &ArrayRef) -> Kind {
        let field = Field::new("c", array.data_type().clone(), true);
        let batch = RecordBatch::try_new(Arc::new(Schema::new(vec![field])), vec![array.clone()]);
        // A column fits its own schema.
        batch.map_or(Kind::Null, Kind::Other)
    }

    /// Appends the text of a value and says what it stands for; of null nothing is appended.
    pub(super) fn push(&self, row: usize, out: &mut Vec<u8>) -> Means {
        let array = &self.array;
        if array.is_null(row) {
            return Means::Null;
        }
        match &self.kind {
            Kind::Null => Means::Null,
            Kind::Boolean => {
                let text: &[u8] = if array.as_boolean().value(row) { b"true" } else { b"false" };
                out.extend_from_slice(text);
                Means::Boolean
            }
            Kind::Signed => {
                let value = array.as_primitive::<Int64Type>().value(row);
                out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
                Means::Number
            }
            Kind::Unsigned => {
                let value = array.as_primitive::<UInt64Type>().value(row);
                out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
                Means::Number
            }
            Kind::Single => {
                let value = array.as_primitive::<Float32Type>().value(row);
                push_float(value.is_finite(), zmij::Buffer::new().format(value), out)
            }
            Kind::Double => {
                let value = array.as_primitive::<Float64Type>().value(row);
                push_float(value.is_finite(), zmij::Buffer::new().format(value), out)
            }
            Kind::Text => push_text(array.as_string::<i32>().value(row), out),
            Kind::LargeText => push_text(array.as_string::<i64>().value(row), out),
            Kind::TextView => push_text(array.as_string_view().value(row), out),
            Kind::Time(unit) => {
                // Writing into a vector does not fail.
                let _ = write!(out, "{}", time(array, *unit, row));
                Means::Text
            }
            Kind::Dictionary(keys, values) => match keys.get(row) {
                Some(key) => values.push(*key, out),
                None => Means::Null,
            },
            Kind::List(values) => {
                let offsets = array.as_list::<i32>().value_offsets();
                let at = |place: usize| offsets.get(place).map_or(0, |offset| *offset as usize);
                values.push_list(at(row)..at(row + 1), out)
            }
            Kind::LargeList(values) => {
                let offsets = array.as_list::<i64>().value_offsets();
                let at = |place: usize| offsets.get(place).map_or(0, |offset| *offset as usize);
                values.push_list(at(row)..at(row + 1), out)
            }
            Kind::Struct(columns) => {
                let pairs = columns.iter().map(|(name, cells)| (name.as_str(), cells));
                push_object(pairs, row, out);
                Means::Json
            }
            Kind::Map(keys, values) => {
                let offsets = array.as_map().value_offsets();
                let at = |place: usize| offsets.get(place).map_or(0, |offset| *offset as usize);
                out.push(b'{');
                let mut key = Vec::new();
                for (number, place) in (at(row)..at(row + 1)).enumerate() {
                    if number > 0 {
                        out.push(b',');
                    }
                    key.clear();
                    keys.push(place, &mut key);
                    push_json_text(&String::from_utf8_lossy(&key), out);
                    out.push(b':');
                    values.push_json(place, out);
                }
                out.push(b'}');
                Means::Json
            }
            Kind::Other(batch) => {
                let Some(cell) = Rows::new(batch).nth(row) else { return Means::Null };
                match cell.get::<String>(0) {
                    Ok(text) => out.extend_from_slice(text.as_bytes()),
                    // As a person would write it: {"c": 0x00ff}
                    Err(_) => {
                        let text = format!("{cell:?}");
                        let text = text.strip_prefix("{\"c\": ").unwrap_or(&text);
                        out.extend_from_slice(text.strip_suffix('}').unwrap_or(text).as_bytes());
                    }
                }
                match array.data_type().is_decimal() {
                    true => Means::Number,
                    false => Means::Text,
                }
            }
        }
    }

    /// Appends the value as JSON.
    pub(super) fn push_json(&self, row: usize, out: &mut Vec<u8>) {
        let start = out.len();
        match self.push(row, out) {
            Means::Null | Means::NoNumber => {
                out.truncate(start);
                out.extend_from_slice(b"null");
            }
            Means::Number | Means::Boolean | Means::Json => {}
            Means::Text => {
                let text = out.get(start..).unwrap_or_default();
                if text.iter().all(|byte| !matches!(byte, b'"' | b'\\' | 0..=0x1f)) {
                    out.insert(start, b'"');
                    out.push(b'"');
                } else {
                    let text = String::from_utf8_lossy(text).into_owned();
                    out.truncate(start);
                    push_json_text(&text, out);
                }
            }
        }
    }

    fn push_list(&self, places: std::ops::Range<usize>, out: &mut Vec<u8>) -> Means {
        out.push(b'[');
        for (number, place) in places.enumerate() {
            if number > 0 {
                out.push(b',');
            }
            self.push_json(place, out);
        }
        out.push(b']');
        Means::Json
    }
}

/// Appends a row as an object of JSON.
pub(super) fn push_object<'a>(
    cells: impl Iterator<Item = (&'a str, &'a Cells)>,
    row: usize,
    out: &mut Vec<u8>,
) {
    out.push(b'{');
    for (number, (name, cells)) in cells.enumerate() {
        if number > 0 {
            out.push(b',');
        }
        push_json_text(name, out);
        out.push(b':');
        cells.push_json(row, out);
    }
    out.push(b'}');
}

pub(super) fn push_json_text(text: &str, out: &mut Vec<u8>) {
    // Writing a text into a vector does not fail.
    let _ = serde_json::to_writer(out, text);
}

fn push_text(text: &str, out: &mut Vec<u8>) -> Means {
    out.extend_from_slice(text.as_bytes());
    Means::Text
}

fn push_float(is_finite: bool, text: &str, out: &mut Vec<u8>) -> Means {
    // 1e300, as it is shown elsewhere.
    let (number, exponent) = text.split_once("e+").unwrap_or((text, ""));
    out.extend_from_slice(number.as_bytes());
    if !exponent.is_empty() {
        out.push(b'e');
        out.extend_from_slice(exponent.as_bytes());
    }
    if is_finite { Means::Number } else { Means::NoNumber }
}

fn time(array: &ArrayRef, unit: TimeUnit, row: usize) -> Timestamp {
    fn value<T: arrow_array::types::ArrowPrimitiveType<Native = i64>>(
        array: &ArrayRef,
        row: usize,
    ) -> i64 {
        let times: &PrimitiveArray<T> = array.as_primitive();
        times.value(row)
    }
    match unit {
        TimeUnit::Second => Timestamp::seconds(value::<TimestampSecondType>(array, row)),
        TimeUnit::Millisecond => Timestamp::millis(value::<TimestampMillisecondType>(array, row)),
        TimeUnit::Microsecond => Timestamp::micros(value::<TimestampMicrosecondType>(array, row)),
        TimeUnit::Nanosecond => Timestamp::nanos(value::<TimestampNanosecondType>(array, row)),
    }
}
