//! Rows as a test knows them, and the rules of line protocol said once more, as plainly as they can be.

#![allow(dead_code)] // each user takes a part of it

use std::collections::BTreeMap;

use arbitrary::{Result, Unstructured};
use influxdb_line_protocol::{FieldValue as Parsed, ParsedLine};
use influxdb3_blocking::{FieldValue, Point, Precision, Timestamp};

/// What a caller says, in the order of the calls.
#[derive(Debug, Default)]
pub struct Model {
    pub measurement: String,
    pub tags: Vec<(String, String)>,
    pub fields: Vec<(String, FieldValue<'static>)>,
    pub nanos: Option<i64>,
    /// What a client adds to the tags.
    pub default_tags: Vec<(String, String)>,
}

impl Model {
    pub fn arbitrary(u: &mut Unstructured<'_>) -> Result<Self> {
        let mut model = Self { measurement: name(u)?, ..Self::default() };
        for _ in 0..count(u)? {
            model.tags.push((name(u)?, name(u)?));
        }
        for _ in 0..count(u)? {
            model.fields.push((name(u)?, value(u)?));
        }
        for _ in 0..u.int_in_range(0u8..=3)?.saturating_sub(1) {
            model.default_tags.push((name(u)?, name(u)?));
        }
        model.nanos = u.arbitrary()?;
        Ok(model)
    }

    pub fn point(&self) -> Point {
        let mut point = Point::new(&self.measurement);
        for (key, value) in &self.tags {
            point = point.tag(key, value);
        }
        for (key, value) in &self.fields {
            point = point.field(key, value.clone());
        }
        match self.nanos {
            Some(nanos) => point.time(Timestamp::nanos(nanos)),
            None => point,
        }
    }

    /// The point's own tags and fields that a line should have: the last of each key, and none without a value.
    pub fn columns(&self) -> (BTreeMap<&str, &str>, BTreeMap<&str, &FieldValue<'static>>) {
        let mut tags: BTreeMap<&str, &str> = self.tags.iter().map(|(k, v)| (&**k, &**v)).collect();
        tags.retain(|_, value| !value.is_empty());
        let mut fields: BTreeMap<_, _> = self.fields.iter().map(|(k, v)| (&**k, v)).collect();
        fields.retain(|_, value| is_written(value));
        (tags, fields)
    }

    /// All tags that a line should have.
    pub fn all_tags(&self) -> BTreeMap<&str, &str> {
        let mut tags: BTreeMap<&str, &str> =
            self.default_tags.iter().map(|(k, v)| (&**k, &**v)).collect();
        tags.retain(|_, value| !value.is_empty());
        tags.extend(self.columns().0);
        tags
    }

    pub fn default_tags_can_be_written(&self) -> bool {
        let mut written = self.default_tags.iter().filter(|(_, value)| !value.is_empty());
        written.all(|(k, v)| is_key(k) && is_name(v))
    }

    pub fn can_be_written(&self, precision: Precision) -> bool {
        let (tags, (own, fields)) = (self.all_tags(), self.columns());
        let time = self.nanos.is_none_or(|nanos| {
            nanos.div_euclid(precision.nanos()).checked_mul(precision.nanos()).is_some()
        });
        is_measurement(&self.measurement)
            && own.iter().all(|(k, v)| is_key(k) && is_name(v))
            && fields.keys().all(|k| is_key(k))
            && !fields.is_empty()
            && !fields.keys().any(|k| tags.contains_key(k))
            && time
    }

    /// That a line says exactly this, tags in any order.
    pub fn check(&self, line: &ParsedLine<'_>, precision: Precision) {
        let (tags, (_, fields)) = (self.all_tags(), self.columns());
        assert_eq!(line.series.measurement, self.measurement.as_str());
        let mut parsed = tags_of(line);
        parsed.sort_unstable();
        assert_eq!(parsed, tags.into_iter().collect::<Vec<_>>());
        assert_eq!(line.field_set.len(), fields.len());
        for (key, value) in &line.field_set {
            assert_same(fields[key.as_str()], value);
        }
        let expected = self.nanos.map(|nanos| nanos.div_euclid(precision.nanos()));
        assert_eq!(line.timestamp, expected);
    }
}

/// The tags of a line, in its order.
pub fn tags_of<'l>(line: &'l ParsedLine<'_>) -> Vec<(&'l str, &'l str)> {
    let tags = line.series.tag_set.iter().flatten();
    tags.map(|(key, value)| (key.as_str(), value.as_str())).collect()
}

pub fn is_written(value: &FieldValue<'_>) -> bool {
    match value {
        FieldValue::Float(value) => value.is_finite(),
        FieldValue::Float32(value) => value.is_finite(),
        FieldValue::Null => false,
        _ => true,
    }
}

pub fn is_name(text: &str) -> bool {
    !text.is_empty() && !text.contains(['\n', '\t']) && !text.ends_with('\\')
}

pub fn is_measurement(text: &str) -> bool {
    is_name(text) && !text.contains('\0') && !text.starts_with('#')
}

pub fn is_key(text: &str) -> bool {
    is_name(text)
        && !text.chars().any(char::is_control)
        && text != "time"
        && text != "__chunk_order"
}

/// Bit by bit: a float that is off by one digit, or has lost its sign, is not the same.
pub fn assert_same(given: &FieldValue<'_>, parsed: &Parsed<'_>) {
    match (given, parsed) {
        (FieldValue::Float(a), Parsed::F64(b)) => assert_eq!(a.to_bits(), b.to_bits()),
        (FieldValue::Float32(a), Parsed::F64(b)) => assert_eq!(a.to_bits(), (*b as f32).to_bits()),
        (FieldValue::Integer(a), Parsed::I64(b)) => assert_eq!(a, b),
        (FieldValue::Unsigned(a), Parsed::U64(b)) => assert_eq!(a, b),
        (FieldValue::Boolean(a), Parsed::Boolean(b)) => assert_eq!(a, b),
        (FieldValue::Text(a), Parsed::String(b)) => assert_eq!(a.as_ref(), b.as_str()),
        (given, parsed) => panic!("{given:?} came back as {parsed:?}"),
    }
}

/// Often one of a few names, so that keys meet, and else any text.
pub fn name(u: &mut Unstructured<'_>) -> Result<String> {
    const FEW: &[&str] = &[
        "a",
        "b",
        "c",
        "room",
        "temperature",
        "a b",
        "a,b",
        "a=b",
        "a\\b",
        "a\"b",
        "é",
        "long name of a column, really",
        "time",
        "__chunk_order",
        "#a",
        "",
        "a\\",
        "a\nb",
        "a\\ b",
        "a\\,b",
        "x,a=,a=",
    ];
    match u.int_in_range(0..=7)? {
        0..=5 => u.choose(FEW).map(|name| (*name).to_owned()),
        6 => name_of_some_length(u),
        _ => u.arbitrary(),
    }
}

/// A name around the lengths at which the encoder changes its way (14, 16, 30, 32 and 255 bytes); many begin alike.
fn name_of_some_length(u: &mut Unstructured<'_>) -> Result<String> {
    const AROUND: &[usize] = &[14, 16, 30, 32, 255];
    let length = u.choose(AROUND)? - 2 + u.int_in_range(0..=4)?;
    let end = u.choose(&["a", "b", "1", " ", "=", "\\", "\n", "é"])?;
    Ok("k".repeat(length - end.len()) + end)
}

/// How many tags or fields: mostly a few, at times very many.
fn count(u: &mut Unstructured<'_>) -> Result<usize> {
    match u.int_in_range(0..=7)? {
        0 => u.int_in_range(0..=60),
        _ => u.int_in_range(0..=6),
    }
}

pub fn value(u: &mut Unstructured<'_>) -> Result<FieldValue<'static>> {
    Ok(match u.int_in_range(0..=7)? {
        0 => FieldValue::Float(u.arbitrary()?),
        1 => FieldValue::Float32(u.arbitrary()?),
        2 => FieldValue::Integer(u.arbitrary()?),
        3 => FieldValue::Unsigned(u.arbitrary()?),
        4 => FieldValue::Boolean(u.arbitrary()?),
        5 => FieldValue::Null,
        6 => FieldValue::Float(f64::from(u.arbitrary::<i16>()?) / 100.0),
        _ => FieldValue::Text(u.arbitrary::<String>()?.into()),
    })
}

pub fn precision(u: &mut Unstructured<'_>) -> Result<Precision> {
    u.choose(&PRECISIONS).copied()
}

pub const PRECISIONS: [Precision; 4] =
    [Precision::Nanosecond, Precision::Microsecond, Precision::Millisecond, Precision::Second];
