//! Which columns are written and under which names: the same words mean the same on batches, frames and structs.
#![cfg(all(feature = "arrow", feature = "polars", feature = "serde"))]

use std::sync::Arc;

use crate::support::http::Server;
use influxdb3_blocking::arrow_array::*;
use influxdb3_blocking::polars_core::df;
use influxdb3_blocking::{Client, Columns, ErrorKind, Frame, Record, Result, Structs};
use serde::Serialize;

fn written<R: Record<K>, K>(record: R) -> Result<String> {
    let server = Server::accepting();
    let client = Client::builder().host(server.url()).database("db").build().unwrap();
    client.write(record).send()?;
    Ok(server.requests().iter().map(|request| request.text()).collect())
}

#[derive(Serialize)]
struct Item {
    time: i64,
    room: &'static str,
    temp: f64,
    note: &'static str,
}

/// What the row is with the same options on each of the three; errors are their texts.
macro_rules! on_each {
    (|$records:ident| $set:expr) => {{
        let batch = RecordBatch::try_from_iter([
            ("time", Arc::new(Int64Array::from(vec![7])) as ArrayRef),
            ("room", Arc::new(StringArray::from(vec!["k"]))),
            ("temp", Arc::new(Float64Array::from(vec![1.5]))),
            ("note", Arc::new(StringArray::from(vec!["n"]))),
        ])
        .unwrap();
        let frame = df!("time" => [7_i64], "room" => ["k"], "temp" => [1.5], "note" => ["n"]).unwrap();
        let items = [Item { time: 7, room: "k", temp: 1.5, note: "n" }];
        let $records = Columns::new(&batch);
        let columns = written($set).map_err(text);
        let $records = Frame::new(&frame);
        let frame = written($set).map_err(text);
        let $records = Structs::new(&items);
        let structs = written($set).map_err(text);
        [columns, frame, structs]
    }};
}

fn text(error: influxdb3_blocking::Error) -> String {
    assert_eq!(error.kind(), ErrorKind::InvalidRecord);
    error.to_string()
}

fn all(line: &str) -> [Result<String, String>; 3] {
    [(); 3].map(|()| Ok(line.to_owned()))
}

fn refused(found: [Result<String, String>; 3], words: &[&str]) {
    for found in found {
        let error = found.unwrap_err();
        assert!(words.iter().all(|words| error.contains(words)), "{error}");
    }
}

#[test]
fn only_listed_fields_are_written() {
    let found = on_each!(|r| r.measurement("m").tags(["room"]).fields(["temp"]));
    assert_eq!(found, all("m,room=k temp=1.5 7\n"));
    let found = on_each!(|r| r.measurement("m").fields(["note", "temp"]));
    assert_eq!(found, all("m temp=1.5,note=\"n\" 7\n"));
}

#[test]
fn excluded_columns_are_as_if_they_were_not_there() {
    let found = on_each!(|r| r.measurement("m").tags(["room"]).exclude(["note"]));
    assert_eq!(found, all("m,room=k temp=1.5 7\n"));
    let found = on_each!(|r| r.measurement("m").exclude(["time", "note", "room"]));
    assert_eq!(found, all("m temp=1.5\n"));
}

#[test]
fn a_renamed_column_goes_by_its_new_name_everywhere() {
    let renamed = on_each!(|r| {
        r.measurement("m").rename("room", "place").tags(["place"]).rename("temp", "t").fields(["t"])
    });
    assert_eq!(renamed, all("m,place=k t=1.5 7\n"));
    let swapped = on_each!(|r| {
        r.measurement("m").rename("note", "temp").rename("temp", "note").exclude(["room"])
    });
    assert_eq!(swapped, all("m note=1.5,temp=\"n\" 7\n"));
    let roles = on_each!(|r| {
        r.rename("room", "measurement")
            .rename("time", "at")
            .rename("temp", "time")
            .exclude(["note"])
    });
    // What was `temp` is the time now.
    assert_eq!(roles, all("k at=7i 1\n"));
    let roles = on_each!(|r| r.rename("room", "measurement").rename("time", "at"));
    assert_eq!(roles, all("k at=7i,temp=1.5,note=\"n\"\n"));
}

#[test]
fn a_name_that_is_not_there_is_an_error_that_lists_what_is() {
    let list = |r: [Result<String, String>; 3]| {
        refused(r, &["\"tmep\"", "\"time\"", "\"room\"", "\"temp\"", "\"note\""]);
    };
    list(on_each!(|r| r.measurement("m").fields(["tmep"])));
    list(on_each!(|r| r.measurement("m").exclude(["tmep"])));
    list(on_each!(|r| r.measurement("m").rename("tmep", "x")));
}

#[test]
fn options_that_contradict_each_other_are_refused() {
    let tag = on_each!(|r| r.measurement("m").tags(["room"]).exclude(["room"]));
    refused(tag, &["\"room\" cannot be a tag and excluded"]);
    let field = on_each!(|r| r.measurement("m").fields(["temp"]).exclude(["temp"]));
    refused(field, &["\"temp\" cannot be a field and excluded"]);
    let time = on_each!(|r| r.measurement("m").timestamp_column("time").exclude(["time"]));
    refused(time, &["\"time\" cannot be the timestamp and excluded"]);
    let name = on_each!(|r| r.measurement_column("room").exclude(["room"]));
    refused(name, &["\"room\" cannot be the measurement and excluded"]);
}

#[test]
fn a_column_with_the_usual_name_of_the_measurement_is_a_field_if_it_is_not_the_measurement() {
    #[derive(Serialize)]
    struct Named {
        measurement: &'static str,
        device: &'static str,
        f: i64,
    }
    let batch = RecordBatch::try_from_iter([
        ("measurement", Arc::new(StringArray::from(vec!["a"])) as ArrayRef),
        ("device", Arc::new(StringArray::from(vec!["d"]))),
        ("f", Arc::new(Int64Array::from(vec![1]))),
    ])
    .unwrap();
    let frame = df!("measurement" => ["a"], "device" => ["d"], "f" => [1_i64]).unwrap();
    let items = [Named { measurement: "a", device: "d", f: 1 }];
    let given = "m measurement=\"a\",device=\"d\",f=1i\n";
    assert_eq!(written(Columns::new(&batch).measurement("m")).unwrap(), given);
    assert_eq!(written(Frame::new(&frame).measurement("m")).unwrap(), given);
    assert_eq!(written(Structs::new(&items).measurement("m")).unwrap(), given);
    let by_device = "d measurement=\"a\",f=1i\n";
    assert_eq!(written(Columns::new(&batch).measurement_column("device")).unwrap(), by_device);
    assert_eq!(written(Frame::new(&frame).measurement_column("device")).unwrap(), by_device);
    assert_eq!(written(Structs::new(&items).measurement_column("device")).unwrap(), by_device);
}

#[test]
fn columns_of_equal_names_or_without_one_can_be_left_out() {
    let one = || Arc::new(Int64Array::from(vec![1])) as ArrayRef;
    let batch =
        RecordBatch::try_from_iter([("", one()), ("a", one()), ("", one()), ("f", one())]).unwrap();
    let columns = || Columns::new(&batch).measurement("m");
    assert_eq!(written(columns().exclude([""])).unwrap(), "m a=1i,f=1i\n");
    assert_eq!(written(columns().fields(["f"])).unwrap(), "m f=1i\n");
    let error = written(columns()).unwrap_err().to_string();
    assert!(
        error.contains("two columns have the name \"\"") && error.contains("exclude"),
        "{error}"
    );
    let one = batch.project(&[0, 1]).unwrap();
    let error = written(Columns::new(&one).measurement("m")).unwrap_err().to_string();
    assert!(error.contains("column 1 has no name") && error.contains("rename"), "{error}");
    let named = written(Columns::new(&one).measurement("m").rename("", "row"));
    assert_eq!(named.unwrap(), "m row=1i,a=1i\n");
}

#[test]
fn a_skipped_field_of_a_struct_is_known() {
    #[derive(Serialize)]
    struct Sparse {
        a: i64,
        #[serde(skip_serializing_if = "Option::is_none")]
        b: Option<i64>,
    }
    let items = [Sparse { a: 1, b: None }];
    let structs = || Structs::new(&items).measurement("m");
    assert_eq!(written(structs().fields(["a", "b"])).unwrap(), "m a=1i\n");
    assert_eq!(written(structs().exclude(["b"])).unwrap(), "m a=1i\n");
    assert_eq!(written(structs().rename("b", "c")).unwrap(), "m a=1i\n");
    // Where there is no item, nobody knows.
    assert_eq!(written(Structs::new(&items[..0]).measurement("m").exclude(["x"])).unwrap(), "");
}

#[test]
fn binary_is_text_when_asked_for() {
    #[derive(Serialize)]
    struct Bytes {
        #[serde(with = "bytes")]
        b: &'static [u8],
    }
    mod bytes {
        pub(super) fn serialize<S: serde::Serializer>(
            bytes: &&[u8],
            to: S,
        ) -> Result<S::Ok, S::Error> {
            to.serialize_bytes(bytes)
        }
    }
    let text = b"a \"\xc3\xbc\"";
    let arrays: Vec<ArrayRef> = vec![
        Arc::new(BinaryArray::from_vec(vec![text])),
        Arc::new(LargeBinaryArray::from_vec(vec![text])),
        Arc::new(BinaryViewArray::from_iter_values([text])),
        Arc::new(FixedSizeBinaryArray::try_from_iter([text].into_iter()).unwrap()),
    ];
    for array in arrays {
        let name = array.data_type().to_string();
        let batch = RecordBatch::try_from_iter([("b", array.clone()), ("c", array)]).unwrap();
        let columns = || Columns::new(&batch).measurement("m");
        let error = written(columns()).unwrap_err().to_string();
        assert!(error.contains("binary_as_text") && error.contains("exclude"), "{error}");
        let found = written(columns().binary_as_text(true).tags(["c"])).unwrap();
        assert_eq!(found, "m,c=a\\ \"ü\" b=\"a \\\"ü\\\"\"\n", "{name}");
        let found = written(Columns::new(&batch).measurement_column("b").exclude(["c"]));
        assert!(found.is_err(), "{name}");
    }
    let frame = df!("b" => [&text[..]]).unwrap();
    let found = written(Frame::new(&frame).measurement("m").binary_as_text(true)).unwrap();
    assert_eq!(found, "m b=\"a \\\"ü\\\"\"\n");
    let found = written(Structs::new([Bytes { b: text }]).measurement("m").binary_as_text(true));
    assert_eq!(found.unwrap(), "m b=\"a \\\"ü\\\"\"\n");
    let error = written(Structs::new([Bytes { b: text }]).measurement("m")).unwrap_err();
    assert!(error.to_string().contains("binary_as_text"), "{error}");

    // What is no text is named by its place.
    let mixed: [&[u8]; 3] = [b"fine", b"also", b"no\xff"];
    let batch = Arc::new(BinaryArray::from_vec(mixed.to_vec())) as ArrayRef;
    let batch = RecordBatch::try_from_iter([("b", batch)]).unwrap();
    let frame = df!("b" => mixed).unwrap();
    for error in [
        written(Columns::new(&batch).measurement("m").binary_as_text(true)).unwrap_err(),
        written(Frame::new(&frame).measurement("m").binary_as_text(true)).unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::InvalidRecord);
        let error = error.to_string();
        assert!(error.contains("row 3, column \"b\"") && error.contains("byte 3"), "{error}");
    }
}
