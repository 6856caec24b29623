//! InfluxData's client for Python and this one: of the same points they make the same tables, of the same files too, and
//! they read the same answers.

use influxdb3_blocking::{Client, Language, Point, Precision, Table, Timestamp, WriteOptions};
use influxdb3_dev_server::DevServer;
use serde_json::{Value, json};

use crate::third_party::{PYTHON_CLIENT, output, script};

/// One server; each client writes into a database of its own.
struct Pair {
    server: DevServer,
    python: std::path::PathBuf,
    ours: Client,
}

impl Pair {
    fn start() -> Option<Self> {
        let python = PYTHON_CLIENT.find()?.to_owned();
        let server = DevServer::start().unwrap();
        let ours = Client::builder().host(server.url()).database("ours").build().unwrap();
        Some(Self { server, python, ours })
    }

    /// Has Python do something in its database.
    fn python(&self, task: Value) -> Vec<u8> {
        self.python_in("theirs", task)
    }

    fn python_in(&self, database: &str, mut task: Value) -> Vec<u8> {
        task["host"] = self.server.url().into();
        task["database"] = database.into();
        output(script(&self.python, "client.py"), &task.to_string())
    }

    /// Both databases have the same tables with the same rows, so many of them.
    fn assert_equal(&self, rows: usize) {
        let tables = self.server.tables("ours");
        assert_eq!(self.server.tables("theirs"), tables);
        let mut found = 0;
        for table in &tables {
            let ours = self.server.lines("ours", table);
            assert_eq!(self.server.lines("theirs", table), ours, "{table}");
            found += ours.len();
        }
        assert_eq!(found, rows);
    }
}

/// A value of a field, as text, for both languages.
#[derive(Clone)]
enum Field {
    Float(f64),
    Integer(i64),
    Text(String),
    Boolean(bool),
}

/// A point for both languages; the time is in the unit.
struct Both {
    measurement: String,
    tags: Vec<(String, String)>,
    fields: Vec<(String, Field)>,
    time: i64,
    unit: (&'static str, Precision),
}

impl Both {
    fn python(&self) -> Value {
        let fields: Vec<_> = self
            .fields
            .iter()
            .map(|(key, value)| match value {
                Field::Float(value) => json!([key, "float", format!("{value:?}")]),
                Field::Integer(value) => json!([key, "integer", value.to_string()]),
                Field::Text(value) => json!([key, "text", value]),
                Field::Boolean(value) => json!([key, "boolean", value.to_string()]),
            })
            .collect();
        json!({
            "measurement": self.measurement,
            "tags": self.tags,
            "fields": fields,
            "time": self.time,
            "precision": self.unit.0,
        })
    }

    fn rust(&self) -> Point {
        let time = match self.unit.1 {
            Precision::Second => Timestamp::seconds(self.time),
            Precision::Millisecond => Timestamp::millis(self.time),
            Precision::Microsecond => Timestamp::micros(self.time),
            _ => Timestamp::nanos(self.time),
        };
        let mut point = Point::new(&self.measurement).time(time);
        for (key, value) in &self.tags {
            point = point.tag(key, value);
        }
        for (key, value) in &self.fields {
            point = match value.clone() {
                Field::Float(value) => point.field(key, value),
                Field::Integer(value) => point.field(key, value),
                Field::Text(value) => point.field(key, value),
                Field::Boolean(value) => point.field(key, value),
            };
        }
        point
    }
}

const UNITS: [(&str, Precision); 4] = [
    ("s", Precision::Second),
    ("ms", Precision::Millisecond),
    ("us", Precision::Microsecond),
    ("ns", Precision::Nanosecond),
];

/// Points with every kind of name and value that both clients can write. A backslash is left out of names and tags: what
/// Python writes of it is another name once the server has read it.
fn points(unit: (&'static str, Precision)) -> Vec<Both> {
    let names =
        ["plain", "with space", "com,ma", "quo\"te", "größe 😀", "a=b", "'single'", "tab in text"];
    let floats =
        [0.0, -0.0, 0.1 + 0.2, 1e300, 5e-324, -1.5e-7, 123_456_789.125, 1e16, 9007199254740993.0];
    let texts = [
        "",
        "text",
        "quo\"te",
        "back\\slash",
        "\\",
        "line\nbreak",
        "tab\there",
        "ünï 😀",
        "a=b, c",
    ];
    (0..400_usize)
        .map(|n| {
            let name = |n: usize| names[n % names.len()];
            Both {
                measurement: name(n / 7).to_owned(),
                tags: (0..n % 4)
                    .map(|k| (format!("tag {}", name(n + k)), name(n + 3 * k).into()))
                    .collect(),
                fields: vec![
                    (format!("f {}", name(n)), Field::Float(floats[n % floats.len()])),
                    (
                        format!("i {}", name(n + 1)),
                        Field::Integer(i64::MAX / (n as i64 + 1) * (1 - 2 * (n as i64 % 2))),
                    ),
                    (format!("s {}", name(n + 2)), Field::Text(texts[n % texts.len()].to_owned())),
                    (format!("b {}", name(n + 3)), Field::Boolean(n % 2 == 0)),
                ],
                time: 1_700_000_000 + n as i64,
                unit,
            }
        })
        .collect()
}

#[test]
fn the_same_points_are_the_same_tables_in_every_precision() {
    for unit in UNITS {
        let Some(pair) = Pair::start() else { return };
        let points = points(unit);
        let theirs: Vec<_> = points.iter().map(Both::python).collect();
        pair.python(json!({"do": "write", "points": theirs, "precision": unit.0}));
        let ours: Vec<_> = points.iter().map(Both::rust).collect();
        pair.ours.write(&ours).precision(unit.1).send().unwrap();
        pair.assert_equal(points.len());
    }
}

#[test]
fn batches_are_the_same_tables_too() {
    let Some(pair) = Pair::start() else { return };
    let points = points(UNITS[3]);
    let theirs: Vec<_> = points.iter().map(Both::python).collect();
    pair.python(json!({"do": "write", "points": theirs, "precision": "ns", "batch_size": 30}));
    let options = WriteOptions::default().batch_size(30);
    let client = Client::builder().host(pair.server.url()).database("ours");
    let client = client.write_options(options).build().unwrap();
    for point in &points {
        client.write(point.rust()).send().unwrap();
    }
    client.close().unwrap();
    pair.assert_equal(points.len());
}

#[test]
fn dictionaries_are_the_same_rows() {
    let Some(pair) = Pair::start() else { return };
    let dicts = json!([
        {
            "measurement": "home",
            "tags": {"room": "Kitchen", "sensor": "K001"},
            "fields": {"temp": 72.2, "hum": 36.9, "co": 4, "open": true, "note": "it's \"new\""},
            "time": 1_641_067_200,
        },
        {"measurement": "home", "tags": {}, "fields": {"temp": 1e-7}, "time": 1_641_067_201},
    ]);
    pair.python(json!({"do": "write_dicts", "dicts": dicts, "precision": "s"}));
    pair.ours.write(dicts).precision(Precision::Second).send().unwrap();
    pair.assert_equal(2);
}

#[test]
fn a_file_is_the_same_table_whatever_its_format() {
    for extension in ["csv", "json", "parquet", "feather", "orc"] {
        let Some(pair) = Pair::start() else { return };
        let name = match extension {
            "csv" => "home-rfc3339.csv",
            "json" => "home.json",
            "parquet" => "home-snappy.parquet",
            "feather" => "home-lz4.feather",
            _ => "home-snappy.orc",
        };
        let file = format!("{}/tests/data/{name}", env!("CARGO_MANIFEST_DIR"));
        pair.python(json!({
            "do": "write_file", "file": file, "measurement": "home", "tags": ["room"], "precision": "ns",
        }));
        pair.ours.write_file(&file).measurement("home").tags(["room"]).send().unwrap();
        // A number of 32 bits is what it shows here, 35.9, and there what it is in 64 bits, 35.900001525878906.
        let rows = |database| {
            let sql = "SELECT time, room, temp, co, arrow_cast(hum, 'Float32') AS hum FROM home ORDER BY time, room";
            pair.ours.query(sql).database(database).table().unwrap().concat().unwrap()
        };
        assert_eq!(rows("theirs"), rows("ours"), "{extension}");
        assert_eq!(rows("ours").num_rows(), 26);
    }
}

#[test]
fn answers_are_the_same_rows() {
    let Some(pair) = Pair::start() else { return };
    let points: Vec<_> = points(UNITS[3]).iter().map(Both::rust).collect();
    pair.ours.write(&points).send().unwrap();
    pair.ours
        .write("home,room=Kitchen temp=21.5,hum=3i 1\nhome,room=Bath temp=2.5 2")
        .send()
        .unwrap();
    for (language, query) in [
        ("sql", "SELECT * FROM \"plain\" ORDER BY time"),
        ("sql", "SELECT * FROM home WHERE room = $room"),
        ("sql", "SELECT room, temp FROM home WHERE false"),
        ("influxql", "SELECT * FROM home"),
        ("influxql", "SELECT MEAN(temp) FROM home WHERE room = $room GROUP BY room"),
        ("influxql", "SHOW MEASUREMENTS"),
    ] {
        let task = json!({
            "do": "query", "language": language, "query": query, "parameters": {"room": "Kitchen"},
        });
        let file = pair.python_in("ours", task);
        let reader = arrow_ipc::reader::StreamReader::try_new(file.as_slice(), None).unwrap();
        let schema = reader.schema();
        let batches: Vec<_> = reader.map(|batch| batch.unwrap()).collect();
        let theirs = Table::from_batches(schema, batches).unwrap();
        let language = if language == "sql" { Language::Sql } else { Language::InfluxQl };
        let ours =
            pair.ours.query(query).language(language).param("room", "Kitchen").table().unwrap();
        assert_eq!(theirs.schema(), ours.schema(), "{query}");
        assert_eq!(theirs.concat().unwrap(), ours.concat().unwrap(), "{query}");
    }
}

#[test]
fn both_read_the_same_version() {
    let Some(pair) = Pair::start() else { return };
    let theirs = String::from_utf8(pair.python(json!({"do": "version"}))).unwrap();
    assert_eq!(theirs.trim(), pair.ours.server_version().unwrap());
}
