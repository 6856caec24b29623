//! InfluxQL in the dev server, beside the first server that had it: the same rows for the same statement.
//!
//! The two are of different ages: version 1 answers in series and version 3 in one table, and what is known to be
//! different is not asked here.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::process::Command;

use influxdb3_blocking::arrow_schema::{DataType, Field};
use influxdb3_blocking::{Client, Language, Precision, Row, Table, Timestamp};
use influxdb3_dev_server::DevServer;
use serde_json::Value;

use crate::third_party::{Folder, INFLUXDB_1, Running, free_port, post, post_form};

/// InfluxDB 1.
struct First {
    _running: Running,
    address: SocketAddr,
}

impl First {
    fn start() -> Option<Self> {
        let program = INFLUXDB_1.find()?;
        let (folder, address, backup) = (Folder::new("influxdb-1"), free_port(), free_port());
        let at = |name: &str| folder.path(name).display().to_string();
        let config = format!(
            "reporting-disabled = true\nbind-address = \"{backup}\"\n[meta]\ndir = {:?}\n[data]\ndir = {:?}\nwal-dir = {:?}\n\
             [http]\nbind-address = \"{address}\"\n",
            at("meta"),
            at("data"),
            at("wal"),
        );
        std::fs::write(folder.path("config"), config).unwrap();
        let mut command = Command::new(program);
        command.arg("run").arg("-config").arg(folder.path("config"));
        command.stdout(std::process::Stdio::null()).stderr(folder.log());
        let mut running = Running::start(command, folder);
        running.wait_for(address);
        Some(Self { _running: running, address })
    }

    fn query(&self, statement: &str) -> Value {
        let form = [("db", "db"), ("epoch", "ns"), ("q", statement)];
        let (status, body) = post_form(self.address, "/query", &form);
        assert_eq!(status, 200, "{statement}: {body}");
        serde_json::from_str(&body).unwrap()
    }

    /// The rows of an answer, series for series.
    fn rows(&self, statement: &str) -> Vec<Cells> {
        let answer = self.query(statement);
        let result = &answer["results"][0];
        assert!(result["error"].is_null(), "{statement}: {result}");
        let mut rows = Vec::new();
        for series in result["series"].as_array().into_iter().flatten() {
            let columns = series["columns"].as_array().unwrap();
            for values in series["values"].as_array().unwrap() {
                let mut cells = Cells::new();
                cells.insert("iox::measurement".to_owned(), text_of(&series["name"]));
                for (tag, value) in series["tags"].as_object().into_iter().flatten() {
                    cells.insert(tag.clone(), text_of(value));
                }
                for (column, value) in columns.iter().zip(values.as_array().unwrap()) {
                    cells.insert(text_of(column), text_of(value));
                }
                rows.push(cells);
            }
        }
        rows
    }
}

/// A row: its values as text, by the names of the columns. Null and the empty text are one.
type Cells = BTreeMap<String, String>;

fn text_of(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Number(number) if number.is_f64() => format!("{:?}", number.as_f64().unwrap()),
        other => other.to_string(),
    }
}

fn cells(table: &Table, row: Row<'_>) -> Cells {
    let cell = |field: &Field| match field.data_type() {
        DataType::Timestamp(..) => {
            text(row.get::<Option<Timestamp>>(field.name()).unwrap(), |t| t.as_nanos())
        }
        DataType::Utf8 => text(row.get::<Option<String>>(field.name()).unwrap(), |text| text),
        DataType::Int64 => text(row.get::<Option<i64>>(field.name()).unwrap(), |integer| integer),
        DataType::Boolean => {
            text(row.get::<Option<bool>>(field.name()).unwrap(), |boolean| boolean)
        }
        DataType::Float64 => text(row.get::<Option<f64>>(field.name()).unwrap(), number),
        other => panic!("{}: {other}", field.name()),
    };
    table.schema().fields().iter().map(|field| (field.name().clone(), cell(field))).collect()
}

fn text<T, S: ToString>(value: Option<T>, show: impl Fn(T) -> S) -> String {
    value.map(|value| show(value).to_string()).unwrap_or_default()
}

/// As JSON has it, which does not tell 2.0 from 2.
fn number(value: f64) -> String {
    if value == value.trunc() && value.abs() < 1e15 {
        format!("{value:.0}")
    } else {
        format!("{value:?}")
    }
}

/// Three rooms and ten minutes, a second sensor that sleeps at times, and every kind of field.
fn lines() -> String {
    let mut lines = String::new();
    for minute in 0..10_i64 {
        let time = 1_700_000_040 + 60 * minute;
        for (n, room) in ["Kitchen", "Living\\ Room", "Bath"].into_iter().enumerate() {
            let temp = 20.0 + n as f64 + (minute * minute % 7) as f64 / 4.0;
            lines +=
                &format!("home,room={room} temp={temp},hum={}i {time}\n", 30 + (minute * 5) % 11);
        }
        if minute % 3 != 1 {
            let open = minute % 2 == 0;
            lines += &format!("door,room=Bath,side=in open={open},note=\"n {minute}\" {time}\n");
            lines += &format!("home,sensor=roof temp={} {}\n", -minute as f64 / 2.0, time + 7);
        }
    }
    lines
}

const STATEMENTS: &[&str] = &[
    "SELECT * FROM home",
    "SELECT temp, hum FROM home WHERE room = 'Kitchen'",
    "SELECT temp AS t, room FROM home WHERE room != 'Kitchen' AND temp > 21.5",
    "SELECT temp FROM home WHERE room = '' OR hum >= 38",
    "SELECT temp FROM home WHERE room =~ /^(Ba|Li)/ AND sensor !~ /r/",
    "SELECT open, note FROM door WHERE open = true OR note = 'n 3'",
    "SELECT open FROM door WHERE note = 12",
    "SELECT temp FROM home WHERE time >= '2023-11-14T22:17:00Z' AND time < '2023-11-14 22:19:00' + 1m",
    "SELECT temp FROM home WHERE time = 1700000040s",
    "SELECT hum, temp FROM home ORDER BY time DESC LIMIT 5",
    "SELECT temp FROM home GROUP BY room LIMIT 2 OFFSET 1",
    "SELECT temp FROM home GROUP BY * ORDER BY time DESC LIMIT 1",
    "SELECT MEAN(temp) FROM home GROUP BY room",
    "SELECT COUNT(temp), SUM(hum), SPREAD(temp) FROM home",
    "SELECT COUNT(*) FROM home",
    "SELECT MIN(temp), MAX(temp), FIRST(temp), LAST(temp) FROM home GROUP BY room",
    "SELECT MEAN(temp) AS average FROM home WHERE time >= 1700000100s AND time < 1700000400s",
    "SELECT MAX(temp) FROM home GROUP BY room",
    "SELECT MAX(temp), room FROM home",
    "SELECT FIRST(temp), hum FROM home WHERE room = 'Bath'",
    "SELECT LAST(note) FROM door",
    "SELECT MIN(temp) FROM home WHERE time >= 1700000040s AND time < 1700000640s GROUP BY time(2m), room",
    "SELECT MEAN(temp), COUNT(hum) FROM home WHERE time >= 1699999980s AND time < 1700000760s GROUP BY time(1m)",
    "SELECT COUNT(note) FROM door WHERE time >= 1700000000s AND time < 1700000700s GROUP BY time(1m, 20s)",
    "SELECT MEAN(temp) FROM home WHERE sensor = 'roof' AND time >= 1700000040s AND time < 1700000640s GROUP BY time(1m) FILL(none)",
    "SELECT MEAN(temp) FROM home WHERE sensor = 'roof' AND time >= 1700000040s AND time < 1700000640s GROUP BY time(1m) FILL(previous)",
    "SELECT MEAN(temp) FROM home WHERE sensor = 'roof' AND time >= 1700000040s AND time < 1700000640s GROUP BY time(1m) FILL(-1)",
    "SELECT MEAN(temp) FROM home WHERE sensor = 'roof' AND time >= 1700000040s AND time < 1700000640s GROUP BY time(1m) ORDER BY time DESC LIMIT 4",
    "SELECT MEAN(temp) FROM home WHERE room = 'Attic'",
    "SELECT room FROM home",
    "SELECT temp FROM nothing",
    "SHOW MEASUREMENTS",
    "SHOW MEASUREMENTS LIMIT 1 OFFSET 1",
    "SHOW TAG KEYS",
    "SHOW FIELD KEYS FROM home",
    "SHOW TAG VALUES FROM home WITH KEY = room WHERE time >= 0",
    "SHOW TAG VALUES WITH KEY IN (room, side) WHERE time >= 0 AND time < 1700000640s",
];

#[test]
fn statements_have_the_same_rows_in_version_1_and_in_the_dev_server() {
    let Some(first) = First::start() else { return };
    first.query("CREATE DATABASE db");
    let lines = lines();
    let (status, body) = post(first.address, "/write?db=db&precision=s", "text/plain", &lines);
    assert_eq!(status, 204, "{body}");
    let server = DevServer::start().unwrap();
    let client = Client::builder().host(server.url()).database("db").build().unwrap();
    client.write(lines).precision(Precision::Second).send().unwrap();

    let mut differences = Vec::new();
    for statement in STATEMENTS {
        let table = client.query(*statement).language(Language::InfluxQl).table().unwrap();
        let mut ours: Vec<_> = table.rows().map(|row| cells(&table, row)).collect();
        let mut theirs = first.rows(statement);
        for row in ours.iter().chain(&theirs) {
            assert!(!row.is_empty(), "{statement}");
        }
        // Version 1 leaves out what is null in every row.
        for row in &mut theirs {
            for field in table.schema().fields() {
                row.entry(field.name().clone()).or_default();
            }
        }
        // Of one time each has an order of its own, and a series without the tag is the last in version 3.
        ours.sort();
        theirs.sort();
        if ours != theirs {
            differences
                .push(format!("{statement}\n  version 1:  {theirs:?}\n  dev server: {ours:?}"));
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}
