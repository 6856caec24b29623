//! The rows that everyone encodes.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray, TimestampNanosecondArray,
};
use influxdb3_blocking::{LineBuffer, Timestamp};

pub struct Shape {
    pub id: &'static str,
    pub title: &'static str,
    pub rows: Vec<Row>,
    /// The same rows in line protocol.
    pub lines: Vec<u8>,
    pub line_ends: Vec<usize>,
    /// And as columns.
    pub batch: RecordBatch,
}

pub struct Row {
    pub measurement: &'static str,
    pub tags: Vec<(&'static str, String)>,
    pub fields: Vec<(&'static str, Value)>,
    pub nanos: i64,
}

pub enum Value {
    Float(f64),
    Integer(i64),
    Text(String),
}

pub fn all() -> Vec<Shape> {
    vec![
        shape("sensor", "2 tags, 2 floats, 1 integer, nanoseconds", sensor),
        shape("wide", "1 tag, 50 floats, nanoseconds", wide),
        shape("text", "3 tags, 3 texts with escapes, 1 integer, nanoseconds", text),
    ]
}

fn sensor(number: u64) -> Row {
    let random = mix(number);
    Row {
        measurement: "home",
        tags: vec![
            ("room", ["Kitchen", "Bathroom", "Office", "Garage"][(random % 4) as usize].to_owned()),
            ("sensor", format!("s{:04}", random >> 8 & 1023)),
        ],
        fields: vec![
            // As a sensor reports it, and as arithmetic leaves it.
            ("temp", Value::Float((random >> 20 & 0xfff) as f64 / 100.0)),
            ("hum", Value::Float((random >> 33) as f64 / 7e7)),
            ("co", Value::Integer((random >> 50 & 1023) as i64)),
        ],
        nanos: time(number),
    }
}

fn wide(number: u64) -> Row {
    let field = |column: usize| {
        let random = mix(number * 50 + column as u64);
        let value = if column.is_multiple_of(2) {
            (random >> 40) as f64 / 1000.0
        } else {
            (random >> 11) as f64 / (1u64 << 53) as f64
        };
        (WIDE[column], Value::Float(value))
    };
    Row {
        measurement: "telemetry",
        tags: vec![("machine", format!("press-{}", number % 16))],
        fields: (0..50).map(field).collect(),
        nanos: time(number),
    }
}

fn text(number: u64) -> Row {
    let random = mix(number);
    Row {
        measurement: "web log",
        tags: vec![
            ("data center", ["eu west 1", "us east 2"][(random % 2) as usize].to_owned()),
            ("host", format!("web-{:03}.example.com", random >> 8 & 255)),
            ("path", format!(r"C:\logs\app {}", random >> 20 & 7)),
        ],
        fields: vec![
            ("request", Value::Text(format!(r#"GET "/items/{}?q=a,b" HTTP/1.1"#, random >> 40))),
            (
                "agent",
                Value::Text(
                    "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0".into(),
                ),
            ),
            (
                "message",
                Value::Text(format!("worker {} said \"done\", then left\nC:\\logs", random >> 50)),
            ),
            ("status", Value::Integer(200 + (random >> 60) as i64)),
        ],
        nanos: time(number),
    }
}

fn shape(id: &'static str, title: &'static str, row: fn(u64) -> Row) -> Shape {
    let rows: Vec<Row> = (0..ROWS).map(row).collect();
    let mut lines = LineBuffer::new();
    let mut line_ends = Vec::new();
    for row in &rows {
        let mut line = lines.measurement(row.measurement).unwrap();
        for (key, value) in &row.tags {
            line = line.tag(key, value).unwrap();
        }
        for (key, value) in &row.fields {
            line = match value {
                Value::Float(value) => line.field(key, *value),
                Value::Integer(value) => line.field(key, *value),
                Value::Text(value) => line.field(key, value),
            }
            .unwrap();
        }
        line.at(Timestamp::nanos(row.nanos)).unwrap();
        line_ends.push(lines.len());
    }
    let batch = batch(&rows);
    Shape { id, title, rows, lines: lines.as_bytes().to_vec(), line_ends, batch }
}

/// All rows of a shape have the same columns.
fn batch(rows: &[Row]) -> RecordBatch {
    let mut columns: Vec<(&str, ArrayRef)> = Vec::new();
    for (number, (key, _)) in rows[0].tags.iter().enumerate() {
        let values = rows.iter().map(|row| Some(row.tags[number].1.as_str()));
        columns.push((key, Arc::new(values.collect::<StringArray>())));
    }
    for (number, (key, first)) in rows[0].fields.iter().enumerate() {
        let values = rows.iter().map(|row| &row.fields[number].1);
        let array: ArrayRef = match first {
            Value::Float(_) => Arc::new(
                values
                    .map(|value| if let Value::Float(value) = value { Some(*value) } else { None })
                    .collect::<Float64Array>(),
            ),
            Value::Integer(_) => Arc::new(
                values
                    .map(
                        |value| if let Value::Integer(value) = value { Some(*value) } else { None },
                    )
                    .collect::<Int64Array>(),
            ),
            Value::Text(_) => Arc::new(
                values
                    .map(|value| if let Value::Text(value) = value { Some(value) } else { None })
                    .collect::<StringArray>(),
            ),
        };
        columns.push((key, array));
    }
    let times = rows.iter().map(|row| row.nanos);
    columns.push(("time", Arc::new(TimestampNanosecondArray::from_iter_values(times))));
    RecordBatch::try_from_iter(columns).unwrap()
}

fn time(number: u64) -> i64 {
    1_641_024_000_000_000_000 + (number * 1_000_000_007) as i64
}

/// SplitMix64.
fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

const ROWS: u64 = 1_000;

const WIDE: [&str; 50] = [
    "pressure_01",
    "pressure_02",
    "pressure_03",
    "pressure_04",
    "pressure_05",
    "pressure_06",
    "pressure_07",
    "pressure_08",
    "pressure_09",
    "pressure_10",
    "flow_01",
    "flow_02",
    "flow_03",
    "flow_04",
    "flow_05",
    "flow_06",
    "flow_07",
    "flow_08",
    "flow_09",
    "flow_10",
    "temperature_01",
    "temperature_02",
    "temperature_03",
    "temperature_04",
    "temperature_05",
    "temperature_06",
    "temperature_07",
    "temperature_08",
    "temperature_09",
    "temperature_10",
    "current_01",
    "current_02",
    "current_03",
    "current_04",
    "current_05",
    "current_06",
    "current_07",
    "current_08",
    "current_09",
    "current_10",
    "torque_01",
    "torque_02",
    "torque_03",
    "torque_04",
    "torque_05",
    "torque_06",
    "torque_07",
    "torque_08",
    "torque_09",
    "torque_10",
];
