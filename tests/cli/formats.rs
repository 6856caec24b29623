//! The forms of answers.

use std::sync::Arc;

use arrow_flight::encode::{DictionaryHandling, FlightDataEncoderBuilder};
use futures::TryStreamExt as _;
use influxdb3_blocking::arrow_array::builder::{ListBuilder, MapBuilder, StringBuilder};
use influxdb3_blocking::arrow_array::types::Int32Type;
use influxdb3_blocking::arrow_array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, DictionaryArray,
    DurationMillisecondArray, Float32Array, Float64Array, Int8Array, Int64Array, LargeStringArray,
    NullArray, RecordBatch, StringArray, StructArray, TimestampMillisecondArray,
    TimestampNanosecondArray, UInt64Array,
};
use influxdb3_blocking::arrow_schema::{DataType, Field};

use crate::run::{Folder, home_server, influx3, run};
use crate::support::flight::{FlightServer, Step, ok};

/// A server that answers with these batches, encoded by `arrow-flight`, with a dictionary for each batch.
fn server_of(batches: Vec<RecordBatch>) -> FlightServer {
    let encoder = FlightDataEncoderBuilder::new()
        .with_schema(batches[0].schema())
        .with_dictionary_handling(DictionaryHandling::Resend)
        .build(futures::stream::iter(batches.into_iter().map(Ok)));
    let data: Vec<_> = futures::executor::block_on(encoder.try_collect()).unwrap();
    let messages = data.iter().map(prost::Message::encode_to_vec).map(Step::Message);
    FlightServer::replay(std::iter::once(Step::Head).chain(messages).chain([ok()]).collect())
}

/// What the command makes of an answer of these batches.
fn shown(format: &str, batches: Vec<RecordBatch>) -> String {
    let server = server_of(batches);
    run(&mut influx3(&server.url(), ["query", "q", "--format", format, "--measurement", "m"])).ok()
}

fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    let columns = columns.into_iter().map(|(name, column)| (name, column, true));
    RecordBatch::try_from_iter_with_nullable(columns).unwrap()
}

fn simple() -> RecordBatch {
    batch(vec![
        ("room", Arc::new(StringArray::from(vec![Some("Living Room"), None, Some("a|b")]))),
        ("temp", Arc::new(Float64Array::from(vec![Some(21.0), Some(-0.5), None]))),
        ("n", Arc::new(Int64Array::from(vec![Some(i64::MAX), Some(-1), Some(0)]))),
        ("is", Arc::new(BooleanArray::from(vec![Some(true), None, Some(false)]))),
        ("time", Arc::new(TimestampNanosecondArray::from(vec![0, 1, 1_641_024_000_500_000_000]))),
    ])
}

#[test]
fn every_format_of_text_shows_the_same_values() {
    let of = |format: &str| shown(format, vec![simple()]);
    assert_eq!(
        of("csv"),
        "room,temp,n,is,time\n\
         Living Room,21.0,9223372036854775807,true,1970-01-01T00:00:00Z\n\
         ,-0.5,-1,,1970-01-01T00:00:00.000000001Z\n\
         a|b,,0,false,2022-01-01T08:00:00.500Z\n"
    );
    assert_eq!(
        of("jsonl"),
        "{\"room\":\"Living Room\",\"temp\":21.0,\"n\":9223372036854775807,\"is\":true,\
         \"time\":\"1970-01-01T00:00:00Z\"}\n\
         {\"room\":null,\"temp\":-0.5,\"n\":-1,\"is\":null,\"time\":\"1970-01-01T00:00:00.000000001Z\"}\n\
         {\"room\":\"a|b\",\"temp\":null,\"n\":0,\"is\":false,\"time\":\"2022-01-01T08:00:00.500Z\"}\n"
    );
    let lines = of("jsonl");
    let rows: Vec<serde_json::Value> =
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(&of("json")).unwrap(),
        serde_json::Value::Array(rows)
    );
    assert_eq!(
        of("vertical"),
        "\
-[ row 1 ]------------------------------
room | Living Room
temp | 21.0
n    | 9223372036854775807
is   | true
time | 1970-01-01T00:00:00Z
-[ row 2 ]------------------------------
room |
temp | -0.5
n    | -1
is   |
time | 1970-01-01T00:00:00.000000001Z
-[ row 3 ]------------------------------
room | a|b
temp |
n    | 0
is   | false
time | 2022-01-01T08:00:00.500Z
"
    );
    assert_eq!(
        of("markdown"),
        r"| room        | temp |                   n | is    | time                           |
| ----------- | ---: | ------------------: | ----- | ------------------------------ |
| Living Room | 21.0 | 9223372036854775807 | true  | 1970-01-01T00:00:00Z           |
|             | -0.5 |                  -1 |       | 1970-01-01T00:00:00.000000001Z |
| a\|b        |      |                   0 | false | 2022-01-01T08:00:00.500Z       |
"
    );
    assert_eq!(
        of("lp"),
        "m room=\"Living Room\",temp=21.0,n=9223372036854775807i,is=true 0\n\
         m temp=-0.5,n=-1i 1\n\
         m room=\"a|b\",n=0i,is=false 1641024000500000000\n"
    );
    assert_eq!(
        of("pretty"),
        "\
+-------------+------+---------------------+-------+--------------------------------+
| room        | temp |                   n | is    | time                           |
+-------------+------+---------------------+-------+--------------------------------+
| Living Room | 21.0 | 9223372036854775807 | true  | 1970-01-01T00:00:00Z           |
|             | -0.5 |                  -1 |       | 1970-01-01T00:00:00.000000001Z |
| a|b         |      |                   0 | false | 2022-01-01T08:00:00.500Z       |
+-------------+------+---------------------+-------+--------------------------------+
3 rows
"
    );
}

#[test]
fn an_answer_without_rows_has_its_columns() {
    let server = home_server();
    let of = |format: &str| {
        let sql = "SELECT room, temp FROM home WHERE temp > 1000";
        let arguments = ["query", sql, "--format", format, "-m", "home"];
        run(&mut influx3(&server.url(), arguments)).ok()
    };
    assert_eq!(of("csv"), "room,temp\n");
    assert_eq!(of("json"), "[]\n");
    assert_eq!(
        (of("jsonl"), of("lp"), of("vertical")),
        (String::new(), String::new(), String::new())
    );
    assert_eq!(of("markdown"), "| room | temp |\n| ---- | ---: |\n");
    assert_eq!(
        of("pretty"),
        "+------+------+\n| room | temp |\n+------+------+\n+------+------+\n0 rows\n"
    );
    for name in ["none.parquet", "none.feather"] {
        let folder = Folder::new();
        let file = folder.path(name);
        let sql = "SELECT room, temp, time FROM home WHERE temp > 1000";
        run(influx3(&server.url(), ["query", sql, "--output"]).arg(&file)).ok();
        let mut write = influx3(&server.url(), ["write", "-m", "m", "--dry-run"]);
        assert_eq!(run(write.arg(&file)).ok(), "", "{name}");
    }
}

#[test]
fn values_of_every_type_have_a_form() {
    let dictionary: DictionaryArray<Int32Type> = [Some("a"), None].into_iter().collect();
    let mut list = ListBuilder::new(StringBuilder::new());
    list.values().append_value("say \"hi\"");
    list.values().append_null();
    list.append(true);
    list.append(false);
    let structs = StructArray::from(vec![(
        Arc::new(Field::new("value", DataType::Float64, true)),
        Arc::new(Float64Array::from(vec![Some(21.5), Some(f64::NAN)])) as ArrayRef,
    )]);
    let mut map = MapBuilder::new(None, StringBuilder::new(), StringBuilder::new());
    map.keys().append_value("k\n");
    map.values().append_value("v");
    map.append(true).unwrap();
    map.append(true).unwrap();
    let decimal = Decimal128Array::from(vec![1250, -5]).with_precision_and_scale(9, 2).unwrap();
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("dictionary", Arc::new(dictionary)),
        ("list", Arc::new(list.finish())),
        ("struct", Arc::new(structs)),
        ("map", Arc::new(map.finish())),
        ("decimal", Arc::new(decimal)),
        ("single", Arc::new(Float32Array::from(vec![0.1, f32::INFINITY]))),
        ("small", Arc::new(Int8Array::from(vec![Some(-128), None]))),
        ("large", Arc::new(UInt64Array::from(vec![u64::MAX, 0]))),
        ("text", Arc::new(LargeStringArray::from(vec!["\t", "\u{1f600} 温度"]))),
        ("date", Arc::new(Date32Array::from(vec![18_993, -1]))),
        ("duration", Arc::new(DurationMillisecondArray::from(vec![1500, -1]))),
        ("binary", Arc::new(BinaryArray::from_vec(vec![&[0, 255], &[]]))),
        ("millis", Arc::new(TimestampMillisecondArray::from(vec![Some(1), None]))),
        ("null", Arc::new(NullArray::new(2))),
    ];
    let batch = batch(columns);
    let json = shown("jsonl", vec![batch.clone()]);
    let rows: Vec<serde_json::Value> =
        json.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(
        rows[0],
        serde_json::json!({
            "dictionary": "a", "list": ["say \"hi\"", null], "struct": {"value": 21.5},
            "map": {"k\n": "v"}, "decimal": 12.5, "single": 0.1, "small": -128, "large": u64::MAX,
            "text": "\t", "date": "2022-01-01", "duration": "PT1.5S", "binary": "0x00ff",
            "millis": "1970-01-01T00:00:00.001Z", "null": null
        })
    );
    assert!(json.contains("\"decimal\":12.50,"), "no digit is lost: {json}");
    assert_eq!(
        rows[1],
        serde_json::json!({
            "dictionary": null, "list": null, "struct": {"value": null}, "map": {}, "decimal": -0.05,
            "single": null, "small": null, "large": 0, "text": "\u{1f600} 温度", "date": "1969-12-31",
            "duration": "-PT0.001S", "binary": "0x", "millis": null, "null": null
        })
    );
    let csv = shown("csv", vec![batch.clone()]);
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let rows: Vec<Vec<String>> = reader
        .records()
        .map(|record| record.unwrap().iter().map(str::to_owned).collect())
        .collect();
    assert_eq!(
        rows[0],
        [
            "a",
            r#"["say \"hi\"",null]"#,
            r#"{"value":21.5}"#,
            r#"{"k\n":"v"}"#,
            "12.50",
            "0.1",
            "-128",
            "18446744073709551615",
            "\t",
            "2022-01-01",
            "PT1.5S",
            "0x00ff",
            "1970-01-01T00:00:00.001Z",
            ""
        ]
    );
    // And nothing of it stops the others.
    for format in ["pretty", "vertical", "markdown"] {
        let text = shown(format, vec![batch.clone()]);
        assert!(text.contains("PT1.5S") && text.contains("温度"), "{format}: {text}");
        assert!(!text.contains('\t'), "{format}: {text}");
    }
}

#[test]
fn a_value_that_is_wider_than_any_line_is_printed_whole() {
    let wide = "x".repeat(70_000);
    let batch = batch(vec![("v", Arc::new(StringArray::from(vec!["short", &wide])))]);
    for format in ["pretty", "vertical", "markdown"] {
        let text = shown(format, vec![batch.clone()]);
        assert!(text.contains("short") && text.contains(&wide), "{format}");
    }
}

#[test]
fn dictionaries_that_change_from_batch_to_batch_fit_every_file() {
    let of = |values: [&str; 2]| {
        let rooms: DictionaryArray<Int32Type> = values.into_iter().collect();
        batch(vec![
            ("room", Arc::new(rooms)),
            ("v", Arc::new(Int64Array::from(vec![1, 2]))),
            ("time", Arc::new(TimestampNanosecondArray::from(vec![1, 2]))),
        ])
    };
    for name in ["rooms.parquet", "rooms.feather"] {
        let folder = Folder::new();
        let file = folder.path(name);
        let server = server_of(vec![of(["a", "b"]), of(["c", "a"])]);
        run(influx3(&server.url(), ["query", "q", "--output"]).arg(&file)).ok();
        let mut write = influx3(&server.url(), ["write", "-m", "m", "-t", "room", "--dry-run"]);
        assert_eq!(
            run(write.arg(&file)).ok(),
            "m,room=a v=1i 1\nm,room=b v=2i 2\nm,room=c v=1i 1\nm,room=a v=2i 2\n",
            "{name}"
        );
    }
}

#[test]
fn no_value_commands_the_terminal_or_breaks_a_table() {
    let evil = "x\u{1b}[2J\u{202e}\ny|";
    let batch = batch(vec![(evil, Arc::new(StringArray::from(vec![evil])))]);
    for format in ["pretty", "vertical", "markdown"] {
        let text = shown(format, vec![batch.clone()]);
        assert!(!text.contains(['\u{1b}', '\u{202e}']), "{format}: {text:?}");
        assert!(text.contains("[2J"), "{format}: {text:?}");
    }
}
