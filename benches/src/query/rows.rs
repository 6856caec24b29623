//! What it takes to read the values of an answer that is there: the ways of this crate, arrays of Arrow as they are, which is
//! the bound, and the rows of influxdb3-client.

use std::time::Instant;

use arrow_array::cast::AsArray as _;
use arrow_array::types::{Float64Type, Int32Type, TimestampNanosecondType};
use influxdb3_blocking::{Table as Answer, Timestamp};
use influxdb3_client::{QueryResult, Value};
use serde::Deserialize;

use crate::Server;
use crate::contenders::client;
use crate::report::{Rounds, Table, rate, times};

const ROWS: usize = 65_536;
const BATCHES: usize = 8;
const ROUNDS: usize = 9;

/// A way to read all values of an answer: returns their sum, as [`Sum`] has it.
struct Way {
    title: &'static str,
    read: fn(&Answer) -> u64,
}

const NUMBERS: [Way; 6] = [
    Way { title: "arrays of Arrow", read: numbers::arrays },
    Way { title: "`Table::values`, column by column", read: numbers::values },
    Way { title: "`Row::get` by place", read: numbers::by_place },
    Way { title: "`Row::get` by name", read: numbers::by_name },
    Way { title: "`Row::deserialize` into a struct", read: numbers::structs },
    Way { title: "influxdb3-client, `Row::at`", read: peer },
];

const TAGS: [Way; 7] = [
    Way { title: "arrays of Arrow", read: tags::arrays },
    Way { title: "`Table::values`, column by column", read: tags::values },
    Way { title: "`Row::get` by place", read: tags::by_place },
    Way { title: "`Row::get` by name", read: tags::by_name },
    Way { title: "`Row::deserialize` into a struct with `&str`", read: tags::structs },
    Way { title: "`Row::deserialize` into a struct with `String`", read: tags::owned_structs },
    Way { title: "influxdb3-client, `Row::at`", read: peer },
];

pub fn run(server: &Server) {
    let client = client(&format!("http://127.0.0.1:{}", server.flight));
    for (shape, title, ways) in [
        ("numbers", "time and 4 floats", &NUMBERS[..]),
        ("tags", "time, 2 floats, 2 tags as dictionaries", &TAGS),
    ] {
        let answer = client.query(format!("..{shape} {ROWS} {BATCHES}..")).table().unwrap();
        let sum = (ways[0].read)(&answer);
        let mut rounds = Rounds::new(ways.len());
        for _ in 0..ROUNDS {
            for (number, way) in ways.iter().enumerate() {
                let start = Instant::now();
                let read = (way.read)(&answer);
                rounds.add(number, start.elapsed().as_nanos() as f64 / answer.num_rows() as f64);
                assert_eq!(read, sum, "{}", way.title);
            }
        }
        let title = format!(
            "The values of an answer that is there: {title}; {BATCHES} batches of {ROWS} rows"
        );
        let columns = ["ns/row, best", "median", "rows/s", "of the arrays' time", "times as fast"];
        let table = Table::begin("query", &title, &columns);
        let peer = ways.len() - 1;
        for (number, way) in ways.iter().enumerate() {
            let ratio = Some(rounds.times_as_fast(number, peer)).filter(|_| number != peer);
            let cells = [
                format!("{:.1}", rounds.best(number)),
                format!("{:.1}", rounds.median(number)),
                rate(1e9 / rounds.best(number)),
                format!("{:.1}", rounds.times_as_fast(0, number)),
                ratio.map_or_else(String::new, |ratio| times(ratio, "influxdb3-client")),
            ];
            table.row(way.title, &cells, "rows");
        }
    }
}

/// A sum of values that is the same in any order, so that all have to be read and everyone reads the same.
#[derive(Default)]
struct Sum(u64);

impl Sum {
    fn time(&mut self, nanos: i64) {
        self.0 = self.0.wrapping_add(nanos as u64);
    }

    fn float(&mut self, value: f64) {
        self.0 = self.0.wrapping_add(value.to_bits());
    }

    fn text(&mut self, text: &str) {
        let ends = text.as_bytes().first().zip(text.as_bytes().last());
        self.0 = self.0.wrapping_add(
            ends.map_or(0, |(first, last)| u64::from(*first) << 8 | u64::from(*last)),
        );
    }

    fn stamp(&mut self, time: Timestamp) {
        self.time(time.as_nanos() as i64);
    }
}

fn peer(answer: &Answer) -> u64 {
    let mut sum = Sum::default();
    for row in QueryResult::new(answer.schema(), answer.batches().to_vec()) {
        let row = row.unwrap();
        for place in 0..row.len() {
            match row.at(place) {
                Some(Value::Timestamp(nanos)) => sum.time(*nanos),
                Some(Value::F64(value)) => sum.float(*value),
                Some(Value::String(text)) => sum.text(text),
                other => panic!("{other:?}"),
            }
        }
    }
    sum.0
}

mod numbers {
    use super::*;

    const FIELDS: [&str; 4] = ["f0", "f1", "f2", "f3"];

    #[derive(Deserialize)]
    struct Reading {
        time: Timestamp,
        f0: f64,
        f1: f64,
        f2: f64,
        f3: f64,
    }

    pub fn arrays(answer: &Answer) -> u64 {
        let mut sum = Sum::default();
        for batch in answer.batches() {
            let times = batch.column(0).as_primitive::<TimestampNanosecondType>();
            times.values().iter().for_each(|nanos| sum.time(*nanos));
            for column in &batch.columns()[1..] {
                let floats = column.as_primitive::<Float64Type>();
                floats.values().iter().for_each(|value| sum.float(*value));
            }
        }
        sum.0
    }

    pub fn values(answer: &Answer) -> u64 {
        let mut sum = Sum::default();
        answer.values::<Timestamp>("time").unwrap().for_each(|time| sum.stamp(time.unwrap()));
        for name in FIELDS {
            answer.values::<f64>(name).unwrap().for_each(|value| sum.float(value.unwrap()));
        }
        sum.0
    }

    pub fn by_place(answer: &Answer) -> u64 {
        let mut sum = Sum::default();
        for row in answer.rows() {
            sum.stamp(row.get(0).unwrap());
            (1..5).for_each(|place| sum.float(row.get(place).unwrap()));
        }
        sum.0
    }

    pub fn by_name(answer: &Answer) -> u64 {
        let mut sum = Sum::default();
        for row in answer.rows() {
            sum.stamp(row.get("time").unwrap());
            FIELDS.iter().for_each(|name| sum.float(row.get(*name).unwrap()));
        }
        sum.0
    }

    pub fn structs(answer: &Answer) -> u64 {
        let mut sum = Sum::default();
        for row in answer.rows() {
            let Reading { time, f0, f1, f2, f3 } = row.deserialize().unwrap();
            sum.stamp(time);
            [f0, f1, f2, f3].into_iter().for_each(|value| sum.float(value));
        }
        sum.0
    }
}

mod tags {
    use super::*;

    #[derive(Deserialize)]
    struct Reading<'a> {
        time: Timestamp,
        f0: f64,
        f1: f64,
        room: &'a str,
        sensor: &'a str,
    }

    #[derive(Deserialize)]
    struct OwnedReading {
        time: Timestamp,
        f0: f64,
        f1: f64,
        room: String,
        sensor: String,
    }

    pub fn arrays(answer: &Answer) -> u64 {
        let mut sum = Sum::default();
        for batch in answer.batches() {
            let times = batch.column(0).as_primitive::<TimestampNanosecondType>();
            times.values().iter().for_each(|nanos| sum.time(*nanos));
            for column in &batch.columns()[1..3] {
                let floats = column.as_primitive::<Float64Type>();
                floats.values().iter().for_each(|value| sum.float(*value));
            }
            for column in &batch.columns()[3..] {
                let tags = column.as_dictionary::<Int32Type>();
                let texts = tags.values().as_string::<i32>();
                tags.keys().values().iter().for_each(|key| sum.text(texts.value(*key as usize)));
            }
        }
        sum.0
    }

    pub fn values(answer: &Answer) -> u64 {
        let mut sum = Sum::default();
        answer.values::<Timestamp>("time").unwrap().for_each(|time| sum.stamp(time.unwrap()));
        for name in ["f0", "f1"] {
            answer.values::<f64>(name).unwrap().for_each(|value| sum.float(value.unwrap()));
        }
        for name in ["room", "sensor"] {
            answer.values::<&str>(name).unwrap().for_each(|text| sum.text(text.unwrap()));
        }
        sum.0
    }

    pub fn by_place(answer: &Answer) -> u64 {
        let mut sum = Sum::default();
        for row in answer.rows() {
            sum.stamp(row.get(0).unwrap());
            (1..3).for_each(|place| sum.float(row.get(place).unwrap()));
            (3..5).for_each(|place| sum.text(row.get(place).unwrap()));
        }
        sum.0
    }

    pub fn by_name(answer: &Answer) -> u64 {
        let mut sum = Sum::default();
        for row in answer.rows() {
            sum.stamp(row.get("time").unwrap());
            ["f0", "f1"].iter().for_each(|name| sum.float(row.get(*name).unwrap()));
            ["room", "sensor"].iter().for_each(|name| sum.text(row.get(*name).unwrap()));
        }
        sum.0
    }

    pub fn structs(answer: &Answer) -> u64 {
        let mut sum = Sum::default();
        for row in answer.rows() {
            let Reading { time, f0, f1, room, sensor } = row.deserialize().unwrap();
            sum.stamp(time);
            [f0, f1].into_iter().for_each(|value| sum.float(value));
            [room, sensor].into_iter().for_each(|text| sum.text(text));
        }
        sum.0
    }

    pub fn owned_structs(answer: &Answer) -> u64 {
        let mut sum = Sum::default();
        for row in answer.rows() {
            let OwnedReading { time, f0, f1, room, sensor } = row.deserialize().unwrap();
            sum.stamp(time);
            [f0, f1].into_iter().for_each(|value| sum.float(value));
            [room, sensor].iter().for_each(|text| sum.text(text));
        }
        sum.0
    }
}
