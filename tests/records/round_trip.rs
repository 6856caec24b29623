//! Random record batches come back from the server as they were.
#![cfg(all(feature = "arrow", feature = "query"))]

use std::sync::Arc;

use influxdb3_blocking::arrow_array::types::Int32Type;
use influxdb3_blocking::arrow_array::*;
use influxdb3_blocking::{Client, Columns, LineBuffer, Point, Row};
use influxdb3_dev_server::DevServer;

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) ^ self.0 << 31
    }

    fn option<T>(&mut self, value: impl FnOnce(&mut Self) -> T) -> Option<T> {
        (!self.next().is_multiple_of(5)).then(|| value(self))
    }

    fn vec<T>(&mut self, rows: usize, value: impl Fn(&mut Self) -> T) -> Vec<Option<T>> {
        (0..rows).map(|_| self.option(&value)).collect()
    }

    fn text(&mut self, pieces: &[&str]) -> String {
        (0..self.next() % 6).map(|_| pieces[(self.next() % pieces.len() as u64) as usize]).collect()
    }

    fn float(&mut self) -> f64 {
        match self.next() % 4 {
            0 => f64::from_bits(self.next()),
            1 => (self.next() % 1000) as f64 / 8.0,
            2 => -((self.next() % 1000) as f64),
            _ => f64::NAN,
        }
    }
}

/// What a field comes back as.
#[derive(Debug, PartialEq)]
enum Value {
    Integer(i64),
    Unsigned(u64),
    /// By its bits.
    Float(u64),
    /// Likewise; the server holds it as a float of twice the width.
    Single(u32),
    Boolean(bool),
    Text(String),
}

const TEXT: [&str; 14] =
    ["a", " ", ",", "=", "\\", "\"", "\n", "\t", "ü", "🏠", "#", "\r", "1i", "\u{0}"];
/// Of a tag, without what no tag can have.
const TAG: [&str; 9] = ["a", " ", ",", "=", "\"", "ü", "🏠", "#", "1"];

#[test]
fn random_batches_of_all_types_come_back_equal() {
    let server = DevServer::start().unwrap();
    let client = Client::builder().host(server.url()).database("db").build().unwrap();
    let mut random = Random(42);
    for round in 0..12 {
        let rows = [1, 7, 300, 2500][round % 4];
        let table = format!("t{round}");
        let (batch, expected, tags) = random_batch(&mut random, rows);
        client
            .write(Columns::new(&batch).measurement(&table).tags(["tag", "kind"]))
            .send()
            .unwrap();
        let found = client.query(format!("SELECT * FROM {table} ORDER BY time")).table().unwrap();
        let written: Vec<usize> = (0..rows)
            .filter(|&row| expected.iter().any(|(_, values)| values[row].is_some()))
            .collect();
        assert_eq!(found.num_rows(), written.len());
        for (row, &place) in found.rows().zip(&written) {
            assert_eq!(
                row.get::<std::time::SystemTime>("time").unwrap(),
                std::time::UNIX_EPOCH + std::time::Duration::from_nanos(place as u64)
            );
            for (name, values) in &expected {
                let wanted = &values[place];
                // A column of which no row had a value is not there.
                if values.iter().any(Option::is_some) {
                    assert_eq!(
                        &value(&row, name, wanted),
                        wanted,
                        "{name} of row {place} in {table}"
                    );
                }
            }
            for (name, values) in &tags {
                if values.iter().any(Option::is_some) {
                    let found = row.get::<Option<String>>(*name).unwrap();
                    assert_eq!(found, values[place], "{name} of row {place} in {table}");
                }
            }
        }
    }
}

#[test]
fn a_byte_order_mark_in_a_text_makes_no_second_table() {
    let server = DevServer::start().unwrap();
    let client = Client::builder().host(server.url()).database("db").build().unwrap();
    client.write("\u{feff}cpu,host=a v=1 1\ncpu,host=a v=2 2\n").send().unwrap();
    client.write(b"\xef\xbb\xbfcpu,host=a v=3 3").send().unwrap();
    let tables = client.query("SHOW TABLES").table().unwrap();
    let names = tables.rows().map(|row| row.get::<String>("table_name").unwrap());
    assert_eq!(names.filter(|name| name.ends_with("cpu")).collect::<Vec<_>>(), ["cpu"]);
    assert_eq!(client.query("SELECT * FROM cpu").table().unwrap().num_rows(), 3);

    // It is the mark of a text only: a name that begins with this character keeps it.
    let mut lines = LineBuffer::new();
    lines.measurement("\u{feff}odd").unwrap().field("f", 1).unwrap().end().unwrap();
    client.write(&lines).send().unwrap();
    client.write(Point::new("\u{feff}odd").field("f", 2)).send().unwrap();
    assert_eq!(client.query("SELECT * FROM \"\u{feff}odd\"").table().unwrap().num_rows(), 2);
}

fn value(row: &Row<'_>, name: &str, like: &Option<Value>) -> Option<Value> {
    match like {
        Some(Value::Integer(_)) => row.get::<Option<i64>>(name).unwrap().map(Value::Integer),
        Some(Value::Unsigned(_)) => row.get::<Option<u64>>(name).unwrap().map(Value::Unsigned),
        Some(Value::Float(_)) => {
            row.get::<Option<f64>>(name).unwrap().map(|v| Value::Float(v.to_bits()))
        }
        Some(Value::Single(_)) => {
            row.get::<Option<f64>>(name).unwrap().map(|v| Value::Single((v as f32).to_bits()))
        }
        Some(Value::Boolean(_)) => row.get::<Option<bool>>(name).unwrap().map(Value::Boolean),
        Some(Value::Text(_)) => row.get::<Option<String>>(name).unwrap().map(Value::Text),
        None => {
            let is_null = row.get::<Option<i64>>(name).map(|v| v.is_none());
            let is_null = is_null.or_else(|_| row.get::<Option<u64>>(name).map(|v| v.is_none()));
            let is_null = is_null.or_else(|_| row.get::<Option<f64>>(name).map(|v| v.is_none()));
            let is_null = is_null.or_else(|_| row.get::<Option<bool>>(name).map(|v| v.is_none()));
            let is_null = is_null.or_else(|_| row.get::<Option<String>>(name).map(|v| v.is_none()));
            assert!(is_null.unwrap(), "{name}");
            None
        }
    }
}

type Expected = Vec<(&'static str, Vec<Option<Value>>)>;
type Tags = Vec<(&'static str, Vec<Option<String>>)>;

fn random_batch(random: &mut Random, rows: usize) -> (RecordBatch, Expected, Tags) {
    let mut columns: Vec<(&str, ArrayRef)> = Vec::new();
    let mut expected: Expected = Vec::new();
    columns.push(("time", Arc::new(Int64Array::from_iter_values(0..rows as i64))));
    macro_rules! numbers {
        ($($name:literal $array:ty, $native:ty, $value:ident($wide:ty);)*) => {$(
            let values = random.vec(rows, |random| random.next() as $native);
            columns.push(($name, Arc::new(<$array>::from(values.clone()))));
            let wide = values.iter().map(|v| v.map(|v| Value::$value(<$wide>::from(v)))).collect();
            expected.push(($name, wide));
        )*};
    }
    numbers! {
        "i8" Int8Array, i8, Integer(i64);
        "i16" Int16Array, i16, Integer(i64);
        "i32" Int32Array, i32, Integer(i64);
        "i64" Int64Array, i64, Integer(i64);
        "u8" UInt8Array, u8, Unsigned(u64);
        "u16" UInt16Array, u16, Unsigned(u64);
        "u32" UInt32Array, u32, Unsigned(u64);
        "u64" UInt64Array, u64, Unsigned(u64);
    }
    let floats = random.vec(rows, Random::float);
    columns.push(("f64", Arc::new(Float64Array::from(floats.clone()))));
    let finite = |v: &f64| v.is_finite();
    expected.push((
        "f64",
        floats.iter().map(|v| v.filter(finite).map(|v| Value::Float(v.to_bits()))).collect(),
    ));
    let singles: Vec<Option<f32>> = floats.iter().map(|v| v.map(|v| v as f32)).collect();
    columns.push(("f32", Arc::new(Float32Array::from(singles.clone()))));
    expected.push((
        "f32",
        singles
            .iter()
            .map(|v| v.filter(|v| v.is_finite()).map(|v| Value::Single(v.to_bits())))
            .collect(),
    ));
    let decimals = random.vec(rows, |random| i128::from(random.next() as i64));
    let array = Decimal128Array::from(decimals.clone()).with_precision_and_scale(38, 4).unwrap();
    let text = |place: usize| array.value_as_string(place).parse::<f64>().unwrap();
    let values = (0..rows)
        .map(|place| decimals[place].map(|_| Value::Float(text(place).to_bits())))
        .collect();
    expected.push(("decimal", values));
    columns.push(("decimal", Arc::new(array)));
    let booleans = random.vec(rows, |random| random.next().is_multiple_of(2));
    columns.push(("boolean", Arc::new(BooleanArray::from(booleans.clone()))));
    expected.push(("boolean", booleans.into_iter().map(|v| v.map(Value::Boolean)).collect()));
    let texts = random.vec(rows, |random| random.text(&TEXT));
    columns.push(("utf8", Arc::new(StringArray::from(texts.clone()))));
    columns.push(("large", Arc::new(LargeStringArray::from(texts.clone()))));
    columns.push(("view", Arc::new(texts.iter().collect::<StringViewArray>())));
    columns.push((
        "dictionary",
        Arc::new(texts.iter().map(Option::as_deref).collect::<DictionaryArray<Int32Type>>()),
    ));
    for name in ["utf8", "large", "view", "dictionary"] {
        expected.push((name, texts.iter().map(|v| v.clone().map(Value::Text)).collect()));
    }
    let mut tags: Tags = Vec::new();
    for name in ["tag", "kind"] {
        let values = random.vec(rows, |random| random.text(&TAG));
        let array: ArrayRef = match name {
            "tag" => Arc::new(StringArray::from(values.clone())),
            _ => Arc::new(
                values.iter().map(Option::as_deref).collect::<DictionaryArray<Int32Type>>(),
            ),
        };
        columns.push((name, array));
        tags.push((name, values.into_iter().map(|v| v.filter(|v| !v.is_empty())).collect()));
    }
    let batch =
        RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, c)| (n, c, true)));
    (batch.unwrap(), expected, tags)
}
