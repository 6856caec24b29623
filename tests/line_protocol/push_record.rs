//! A line buffer takes the lines of records of every kind.

#![allow(clippy::unwrap_used)] // in functions beside the tests

use influxdb3_blocking::{
    ErrorKind, LineBuffer, Lines, Point, Precision, Record, Result, Timestamp,
};

fn text(buffer: &LineBuffer) -> &str {
    std::str::from_utf8(buffer.as_bytes()).unwrap()
}

/// A record that makes two lines, and then fails if it is told to.
struct Pair {
    fails: bool,
}

impl Record for Pair {
    fn encode(self, lines: &mut Lines<'_>) -> Result<()> {
        "pair n=1i\npair n=2i".encode(lines)?;
        if self.fails { Point::new("").encode(lines) } else { Ok(()) }
    }
}

#[test]
fn every_kind_of_record_adds_its_lines() {
    let mut buffer = LineBuffer::new();
    buffer.push_record("\n# a comment\nhome temp=1\r\nhome temp=2 7\n").unwrap();
    buffer.push_record(b"bytes f=1".as_slice()).unwrap();
    buffer.push_record(Point::new("point").field("f", 1).time(Timestamp::micros(1))).unwrap();
    buffer.push_record((0..2).map(|n| Point::new("many").field("n", n))).unwrap();
    buffer.push_record(vec![Pair { fails: false }]).unwrap();
    let mut other = LineBuffer::new();
    other.measurement("other").unwrap().field("f", true).unwrap().end().unwrap();
    buffer.push_record([&other, &other]).unwrap();
    assert_eq!(
        text(&buffer),
        "home temp=1\nhome temp=2 7\nbytes f=1\npoint f=1i 1000\nmany n=0i\nmany n=1i\n\
         pair n=1i\npair n=2i\nother f=true\nother f=true\n"
    );
    assert_eq!(buffer.lines(), 10);
}

#[test]
fn a_record_that_is_refused_leaves_the_buffer_as_it_was() {
    let mut buffer = LineBuffer::new();
    buffer.push_record("kept f=1").unwrap();
    // A line that is never ended is not there either.
    let _ = buffer.measurement("begun").unwrap().field("f", 1).unwrap();
    let error = buffer.push_record([Pair { fails: false }, Pair { fails: true }]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRecord);
    assert!(error.to_string().starts_with("record 2: "), "{error}");
    assert_eq!((text(&buffer), buffer.lines()), ("kept f=1\n", 1));
    buffer.measurement("kept").unwrap().field("f", 2).unwrap().end().unwrap();
    assert_eq!((text(&buffer), buffer.lines()), ("kept f=1\nkept f=2i\n", 2));
    assert_eq!(buffer.into_bytes(), b"kept f=1\nkept f=2i\n");
}

#[test]
fn points_without_fields_are_left_out_of_collections_and_refused_alone() {
    let mut buffer = LineBuffer::new();
    buffer.push_record([Point::new("empty"), Point::new("m").field("f", 1)]).unwrap();
    assert_eq!((text(&buffer), buffer.lines()), ("m f=1i\n", 1));
    let error = buffer.push_record(Point::new("empty")).unwrap_err();
    assert!(error.to_string().contains("no fields"), "{error}");
}

#[test]
fn times_are_in_the_precision_of_the_buffer() {
    let mut seconds = LineBuffer::with_precision(Precision::Second);
    seconds.push_record(Point::new("m").field("f", 1).time(Timestamp::millis(-1))).unwrap();
    assert_eq!(text(&seconds), "m f=1i -1\n");
    let error = LineBuffer::new().push_record(&seconds).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRecord);
    assert!(error.to_string().contains("timestamps are in s"), "{error}");
}

#[cfg(feature = "derive")]
#[test]
fn structs_that_derive_record_need_no_client() {
    #[derive(influxdb3_blocking::Record)]
    #[influx(measurement = "home")]
    struct Reading {
        #[influx(tag)]
        room: &'static str,
        temp: f64,
        #[influx(time)]
        at: Timestamp,
    }
    let mut buffer = LineBuffer::new();
    let at = Timestamp::nanos(5);
    buffer.push_record(vec![Reading { room: "Living Room", temp: 21.5, at }]).unwrap();
    assert_eq!(text(&buffer), "home,room=Living\\ Room temp=21.5 5\n");
}

#[cfg(feature = "serde")]
#[test]
fn structs_that_are_serialize_need_no_client() {
    #[derive(serde::Serialize)]
    struct Reading {
        room: &'static str,
        temp: Option<f64>,
        time: Timestamp,
    }
    let items = [21.5, f64::NAN].map(|temp| Reading {
        room: "Kitchen",
        temp: Some(temp),
        time: Timestamp::nanos(5),
    });
    let structs = influxdb3_blocking::Structs::new(&items).measurement("home").tags(["room"]);
    let mut buffer = LineBuffer::new();
    buffer.push_record(structs).unwrap();
    // The other has no field.
    assert_eq!((text(&buffer), buffer.lines()), ("home,room=Kitchen temp=21.5 5\n", 1));
}

#[cfg(feature = "arrow")]
#[test]
fn record_batches_need_no_client() {
    use std::sync::Arc;

    use influxdb3_blocking::Columns;
    use influxdb3_blocking::arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch};

    let column = |values: [Option<f64>; 3]| Arc::new(Float64Array::from_iter(values)) as ArrayRef;
    let batch = RecordBatch::try_from_iter_with_nullable([
        ("time", Arc::new(Int64Array::from(vec![1, 2, 3])) as ArrayRef, false),
        ("temp", column([Some(21.5), None, Some(-0.5)]), true),
    ])
    .unwrap();
    let mut buffer = LineBuffer::new();
    buffer.push_record(Columns::new(&batch).measurement("home")).unwrap();
    assert_eq!((text(&buffer), buffer.lines()), ("home temp=21.5 1\nhome temp=-0.5 3\n", 2));
    let error = buffer.push_record(Columns::new(&batch)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRecord);
    assert_eq!(buffer.lines(), 2);
}
