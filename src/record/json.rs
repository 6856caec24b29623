//! JSON objects with `measurement`, `tags`, `fields` and `time` are records, and so are arrays of them.

use serde_json::{Map, Number, Value};

use super::{Lines, Record};
use crate::timestamp::time_text;
use crate::{Error, FieldValue, Point, Precision, Result, Timestamp};

/// An object is a point: `measurement` is its name, `tags` an object of texts, `fields` an object of numbers, booleans
/// and texts, `time` a number in the precision of the write, also as text, or a text such as `2022-01-01T08:00:00Z`.
///
/// `tags` and `time` may be missing or null. Null tags and fields are left out; numbers and booleans as tags become
/// texts. A number without point and exponent is an integer, and an unsigned one if it does not fit 63 bits; every
/// other number is a float. Other keys are an error, as they would be lost.
///
/// Which float the digits of a text became was decided when the `Value` was made: `serde_json` comes close, and is exact
/// with its feature `float_roundtrip`. Here no feature of it changes a byte. Fields are written in the order of their keys.
///
/// An array is a collection of such objects.
///
/// ```
/// # let client = influxdb3_blocking::Client::builder().host("http://localhost:1").database("d").build()?;
/// use influxdb3_blocking::Precision;
///
/// let request = client
///     .write(serde_json::json!({
///         "measurement": "home",
///         "tags": {"room": "Kitchen"},
///         "fields": {"temp": 72.2, "co": 4},
///         "time": 1641067200,
///     }))
///     .precision(Precision::Second);
/// # Ok::<_, influxdb3_blocking::Error>(())
/// ```
impl Record for &Value {
    fn encode(self, lines: &mut Lines<'_>) -> Result<()> {
        match self {
            Value::Array(records) => lines.push_all(records.iter(), Record::encode),
            Value::Object(object) => {
                let point = point(object, lines.precision())?;
                lines.push_point(&point)
            }
            other => Err(Error::invalid_record(format!(
                "a JSON record is an object or an array of objects, not {}",
                kind(other)
            ))),
        }
    }
}

impl Record for Value {
    fn encode(self, lines: &mut Lines<'_>) -> Result<()> {
        (&self).encode(lines)
    }
}

impl Record for &Map<String, Value> {
    fn encode(self, lines: &mut Lines<'_>) -> Result<()> {
        let point = point(self, lines.precision())?;
        lines.push_point(&point)
    }
}

fn point(object: &Map<String, Value>, precision: Precision) -> Result<Point> {
    let measurement = match object.get("measurement") {
        Some(Value::String(name)) => name,
        Some(other) => return Err(wrong("measurement", other, "a text")),
        None => return Err(Error::invalid_record("the JSON record has no key \"measurement\"")),
    };
    let mut point = Point::new(measurement);
    for (key, value) in object {
        point = match (key.as_str(), value) {
            ("measurement", _) | ("tags" | "time", Value::Null) => point,
            ("tags", Value::Object(tags)) => tags.iter().try_fold(point, tag)?,
            ("fields", Value::Object(fields)) => {
                sorted(fields).into_iter().try_fold(point, field)?
            }
            ("tags" | "fields", other) => return Err(wrong(key, other, "an object")),
            ("time", value) => point.time(time(value, precision)?),
            _ => {
                return Err(Error::invalid_record(format!(
                    "the JSON record has the key {key:?}, which means nothing: it has \"measurement\", \
                     \"tags\", \"fields\" and \"time\""
                )));
            }
        };
    }
    if !object.contains_key("fields") {
        return Err(Error::invalid_record("the JSON record has no key \"fields\""));
    }
    Ok(point)
}

/// The entries of an object by their keys: their order would depend on a feature of `serde_json` otherwise.
fn sorted(object: &Map<String, Value>) -> Vec<(&String, &Value)> {
    let mut entries: Vec<_> = object.iter().collect();
    entries.sort_unstable_by_key(|(key, _)| *key);
    entries
}

fn tag(point: Point, (key, value): (&String, &Value)) -> Result<Point> {
    Ok(match value {
        Value::Null => point,
        Value::String(text) => point.tag(key, text),
        Value::Number(value) => match number(value) {
            FieldValue::Integer(value) => point.tag(key, value.to_string()),
            FieldValue::Unsigned(value) => point.tag(key, value.to_string()),
            FieldValue::Float(value) => point.tag(key, zmij::Buffer::new().format(value)),
            _ => point,
        },
        Value::Bool(value) => point.tag(key, if *value { "true" } else { "false" }),
        other => return Err(wrong(&format!("tags.{key}"), other, "a text")),
    })
}

fn field(point: Point, (key, value): (&String, &Value)) -> Result<Point> {
    let value = match value {
        Value::Null => FieldValue::Null,
        Value::String(text) => FieldValue::from(text),
        Value::Bool(value) => FieldValue::from(*value),
        Value::Number(value) => number(value),
        other => {
            return Err(wrong(&format!("fields.{key}"), other, "a number, a boolean or a text"));
        }
    };
    Ok(point.field(key, value))
}

/// A number by its value, whatever text `serde_json` keeps of it.
fn number(number: &Number) -> FieldValue<'static> {
    // With the feature arbitrary_precision, `-0` is an integer; without it, it has a sign.
    let is_minus_zero =
        || number.as_f64().is_some_and(|value| value == 0.0 && value.is_sign_negative());
    match (number.as_i64(), number.as_u64(), number.as_f64()) {
        (Some(0), _, Some(value)) if is_minus_zero() => FieldValue::Float(value),
        (Some(value), _, _) => FieldValue::Integer(value),
        (None, Some(value), _) => FieldValue::Unsigned(value),
        (None, None, Some(value)) => FieldValue::Float(value),
        (None, None, None) => FieldValue::Null,
    }
}

/// Numbers are units of the precision, with decimals or without, and may be in text, as in files.
fn time(value: &Value, precision: Precision) -> Result<Timestamp> {
    let read = match value {
        Value::Number(value) => match number(value) {
            FieldValue::Integer(value) => return Ok(Timestamp::of_unit(value, precision)),
            FieldValue::Float(value) => time_text::parse_or_number(&value.to_string(), precision),
            _ => time_text::parse_or_number(&value.to_string(), precision),
        },
        Value::String(text) => time_text::parse_or_number(text, precision),
        _ => {
            let wanted = format!("a number (in {precision}) or a time as text");
            return Err(wrong("time", value, &wanted));
        }
    };
    read.map_err(|error| error.in_context("the key \"time\""))
}

fn wrong(key: &str, value: &Value, wanted: &str) -> Error {
    Error::invalid_record(format!("the key {key:?} is {}, but must be {wanted}", kind(value)))
}

fn kind(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => format!("the boolean {value}"),
        Value::Number(number) => format!("the number {number}"),
        Value::String(_) => "a text".to_owned(),
        Value::Array(_) => "an array".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}
