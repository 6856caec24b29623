//! Any points as JSON objects and as what is `Serialize`: what is accepted comes back from InfluxData's own parser as
//! it was given, one line a record; what is refused could not have. Any other JSON is refused or makes lines that parse.

use std::collections::BTreeMap;

use arbitrary::{Result, Unstructured};
use influxdb_line_protocol::parse_lines;
use influxdb3_blocking::{FieldValue, Precision, Structs, fuzzing};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};

use super::model::{Model, is_written, name, precision};

pub fn check(data: &[u8]) {
    if let Ok(json) = serde_json::from_slice(data) {
        any_json(&json);
    }
    let _ = draw_and_check(&mut Unstructured::new(data)); // an error: the data was too short
}

fn any_json(json: &Value) {
    for precision in [Precision::Nanosecond, Precision::Second] {
        let Ok((out, count)) = fuzzing::encode_record(json, Vec::new(), precision) else {
            continue;
        };
        let text = std::str::from_utf8(&out).expect("line protocol is UTF-8");
        let lines: Vec<_> = parse_lines(text).map(|line| line.expect("it parses")).collect();
        assert_eq!(lines.len(), count, "{text}");
        assert!(count == 1 || json.is_array(), "{text}");
    }
}

fn draw_and_check(u: &mut Unstructured<'_>) -> Result<()> {
    let precision = precision(u)?;
    let mut defaults = Vec::new();
    for _ in 0..u.int_in_range(0u8..=3)?.saturating_sub(1) {
        defaults.push((name(u)?, name(u)?));
    }
    let mut models = Vec::new();
    for _ in 0..=u.int_in_range(0..=2)? {
        let model = Model::arbitrary(u)?;
        models.push(Model { default_tags: defaults.clone(), ..model });
    }

    let jsons: Vec<Value> = models.iter().map(|model| as_json(model, precision)).collect();
    let twins: Vec<Model> = models.iter().map(as_json_knows_it).collect();
    let encoded = fuzzing::encode_record(&jsons, defaults.clone(), precision);
    compare(encoded, &twins, &defaults, precision);
    let encoded = fuzzing::encode_record(Value::Array(jsons), defaults.clone(), precision);
    compare(encoded, &twins, &defaults, precision);

    // Keys that mean something in a struct are left to the tests.
    let twins: Vec<Model> = models.iter().map(without_special_keys).collect();
    for twin in twins {
        let item = Item::of(&twin, precision);
        let keys: Vec<String> = twin.tags.iter().map(|(key, _)| key.clone()).collect();
        let structs = Structs::new([item]).measurement(&twin.measurement).tags(keys);
        let encoded = fuzzing::encode_record(structs, defaults.clone(), precision);
        compare(encoded, &[twin], &defaults, precision);
    }
    Ok(())
}

type Encoded = influxdb3_blocking::Result<(Vec<u8>, usize)>;

fn compare(
    encoded: Encoded,
    models: &[Model],
    defaults: &[(String, String)],
    precision: Precision,
) {
    let has_fields = |model: &&Model| !model.columns().1.is_empty();
    let rules = Model { default_tags: defaults.to_vec(), ..Model::default() };
    let can_be_written = rules.default_tags_can_be_written()
        && models.iter().filter(has_fields).all(|model| model.can_be_written(precision));
    match encoded {
        Ok((out, count)) => {
            assert!(can_be_written, "{models:?}");
            let text = std::str::from_utf8(&out).expect("line protocol is UTF-8");
            let lines: Vec<_> = parse_lines(text).map(|line| line.expect("it parses")).collect();
            let written: Vec<&Model> = models.iter().filter(has_fields).collect();
            assert_eq!((lines.len(), count), (written.len(), written.len()), "{text}");
            for (line, model) in lines.iter().zip(written) {
                model.check(line, precision);
            }
        }
        // A record that has no fields may be refused for its names as well.
        Err(error) => {
            let is_refused = |model: &Model| !model.can_be_written(precision);
            assert!(!can_be_written || models.iter().any(is_refused), "{error}: {models:?}");
        }
    }
}

fn as_json(model: &Model, precision: Precision) -> Value {
    let tags: Map<String, Value> =
        model.tags.iter().map(|(key, value)| (key.clone(), json!(value))).collect();
    let fields: Map<String, Value> =
        model.fields.iter().map(|(key, value)| (key.clone(), field(value))).collect();
    let time = model.nanos.map(|nanos| nanos.div_euclid(precision.nanos()));
    json!({"measurement": model.measurement, "tags": tags, "fields": fields, "time": time})
}

fn field(value: &FieldValue<'_>) -> Value {
    match value {
        FieldValue::Float(value) => json!(value),
        FieldValue::Float32(value) => json!(f64::from(*value)),
        FieldValue::Integer(value) => json!(value),
        FieldValue::Unsigned(value) => json!(value),
        FieldValue::Boolean(value) => json!(value),
        FieldValue::Text(text) => json!(text),
        _ => Value::Null,
    }
}

/// JSON has no unsigned integers of its own and one kind of floats.
fn as_json_knows_it(model: &Model) -> Model {
    let field = |value: &FieldValue<'static>| match value {
        FieldValue::Float32(value) => FieldValue::Float(f64::from(*value)),
        FieldValue::Unsigned(value) => match i64::try_from(*value) {
            Ok(value) => FieldValue::Integer(value),
            Err(_) => FieldValue::Unsigned(*value),
        },
        other => other.clone(),
    };
    Model {
        measurement: model.measurement.clone(),
        tags: model.tags.clone(),
        fields: model.fields.iter().map(|(key, value)| (key.clone(), field(value))).collect(),
        nanos: model.nanos,
        default_tags: model.default_tags.clone(),
    }
}

fn without_special_keys(model: &Model) -> Model {
    let (tags, fields) = model.columns();
    let is_tag = |key: &str| model.tags.iter().any(|(tag, _)| tag == key);
    let is_special = |key: &str| ["time", "measurement", "iox::measurement"].contains(&key);
    Model {
        measurement: model.measurement.clone(),
        tags: tags
            .into_iter()
            .filter(|(key, _)| !is_special(key))
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect(),
        fields: fields
            .into_iter()
            .filter(|(key, _)| !is_special(key) && !is_tag(key))
            .map(|(key, value)| (key.to_owned(), value.clone()))
            .collect(),
        nanos: model.nanos,
        default_tags: model.default_tags.clone(),
    }
}

/// A model as a map that is `Serialize`.
struct Item(BTreeMap<String, Cell>);

enum Cell {
    Field(FieldValue<'static>),
    Text(String),
    Time(i64),
}

impl Item {
    fn of(model: &Model, precision: Precision) -> Self {
        let mut cells = BTreeMap::new();
        for (key, value) in &model.tags {
            cells.insert(key.clone(), Cell::Text(value.clone()));
        }
        for (key, value) in model.fields.iter().filter(|(_, value)| is_written(value)) {
            cells.insert(key.clone(), Cell::Field(value.clone()));
        }
        if let Some(nanos) = model.nanos {
            cells.insert("time".to_owned(), Cell::Time(nanos.div_euclid(precision.nanos())));
        }
        Self(cells)
    }
}

impl Serialize for Item {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_map(&self.0)
    }
}

impl Serialize for Cell {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Time(value) => serializer.serialize_i64(*value),
            Self::Field(FieldValue::Float(value)) => serializer.serialize_f64(*value),
            Self::Field(FieldValue::Float32(value)) => serializer.serialize_f32(*value),
            Self::Field(FieldValue::Integer(value)) => serializer.serialize_i64(*value),
            Self::Field(FieldValue::Unsigned(value)) => serializer.serialize_u64(*value),
            Self::Field(FieldValue::Boolean(value)) => serializer.serialize_bool(*value),
            Self::Field(FieldValue::Text(text)) => serializer.serialize_str(text),
            Self::Field(_) => serializer.serialize_none(),
        }
    }
}
