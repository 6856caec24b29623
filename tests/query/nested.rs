//! Lists, structs, maps, intervals and durations, as a server sends them.
#![cfg(feature = "query")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::support::batches::answer;
use crate::support::flight::{FlightServer, Step, ok};
use arrow_flight::{FlightData, SchemaAsIpc};
use influxdb3_blocking::arrow_array::builder::{
    Int64Builder, ListBuilder, MapBuilder, StringBuilder,
};
use influxdb3_blocking::arrow_array::types::IntervalMonthDayNano;
use influxdb3_blocking::arrow_array::{
    ArrayRef, DurationNanosecondArray, Float64Array, IntervalMonthDayNanoArray, RecordBatch,
    StructArray, TimestampNanosecondArray,
};
use influxdb3_blocking::arrow_schema::{DataType, Field, Schema, UnionFields, UnionMode};
use influxdb3_blocking::{Client, ErrorKind, Row, Table, Timestamp};
use influxdb3_dev_server::DevServer;

/// What a query for selectors, `array_agg` and the like answers: the second row is null throughout.
fn selected() -> Table {
    let selector = RecordBatch::try_from_iter_with_nullable([
        ("value", Arc::new(Float64Array::from(vec![23.3, 0.0])) as ArrayRef, true),
        ("time", Arc::new(TimestampNanosecondArray::from(vec![7, 0])), true),
    ])
    .unwrap();
    let (fields, arrays) = (selector.schema().fields().clone(), selector.columns().to_vec());
    let max: ArrayRef = Arc::new(StructArray::new(fields, arrays, Some(vec![true, false].into())));
    let mut list = ListBuilder::new(ListBuilder::new(Int64Builder::new()));
    list.values().append_value([Some(1), None]);
    list.values().append_value([]);
    list.append(true);
    list.append_null();
    let mut map = MapBuilder::new(None, StringBuilder::new(), Int64Builder::new());
    map.keys().append_value("a");
    map.values().append_value(1);
    map.keys().append_value("b");
    map.values().append_null();
    map.append(true).unwrap();
    map.append(false).unwrap();
    let interval = IntervalMonthDayNano::new(0, 1, 1_000_000_000);
    let columns: [(&str, ArrayRef); 5] = [
        ("max", max),
        ("lists", Arc::new(list.finish())),
        ("map", Arc::new(map.finish())),
        ("every", Arc::new(IntervalMonthDayNanoArray::from(vec![Some(interval), None]))),
        ("lasted", Arc::new(DurationNanosecondArray::from(vec![Some(1_500_000_000), None]))),
    ];
    let columns = columns.map(|(name, column)| (name, column, true));
    let batch = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
    let server = FlightServer::replay(answer(vec![batch]));
    let client = Client::builder().host(server.url()).database("db").build().unwrap();
    client.query("SELECT 1").table().unwrap()
}

#[test]
fn nested_values_are_read_by_get() {
    let table = selected();
    let row = table.row(0).unwrap();
    let max: Row<'_> = row.get("max").unwrap();
    assert_eq!(max.get::<f64>("value").unwrap(), 23.3);
    assert_eq!(max.get::<Timestamp>(1).unwrap(), Timestamp::nanos(7));
    assert_eq!(max.to_point("m").unwrap().timestamp(), Some(Timestamp::nanos(7)));
    let lists: Vec<Vec<Option<i64>>> = row.get("lists").unwrap();
    assert_eq!(lists, [vec![Some(1), None], vec![]]);
    let map: BTreeMap<&str, Option<i64>> = row.get("map").unwrap();
    assert_eq!(map, BTreeMap::from([("a", Some(1)), ("b", None)]));
    let entries: Vec<Row<'_>> = row.get("map").unwrap();
    assert_eq!(entries[1].get::<&str>(0).unwrap(), "b");
    assert_eq!(row.get::<Duration>("every").unwrap(), Duration::from_secs(86_401));
    let every = IntervalMonthDayNano::new(0, 1, 1_000_000_000);
    assert_eq!(row.get::<IntervalMonthDayNano>("every").unwrap(), every);
    assert_eq!(row.get::<Duration>("lasted").unwrap(), Duration::from_millis(1_500));
    let null = table.row(1).unwrap();
    assert!(null.get::<Option<Row<'_>>>("max").unwrap().is_none());
    assert!(null.get::<Option<Vec<Vec<i64>>>>("lists").unwrap().is_none());
    assert!(null.get::<Option<BTreeMap<&str, i64>>>("map").unwrap().is_none());
    assert!(null.get::<Option<Duration>>("every").unwrap().is_none());
}

#[test]
fn a_row_with_nested_values_is_shown_as_a_person_would_write_it() {
    let table = selected();
    assert_eq!(
        format!("{:?}", table.row(0).unwrap()),
        "{\"max\": {\"value\": 23.3, \"time\": 1970-01-01T00:00:00.000000007Z}, \
         \"lists\": [[1, null], []], \"map\": {\"a\": 1, \"b\": null}, \"every\": P1DT1S, \
         \"lasted\": PT1.5S}"
    );
}

#[test]
fn what_does_not_fit_inside_names_the_place() {
    let table = selected();
    let row = table.row(0).unwrap();
    let text = |error: influxdb3_blocking::Error| error.to_string();
    let lists = text(row.get::<Vec<Vec<i64>>>("lists").unwrap_err());
    assert!(lists.starts_with("the column \"lists\" ("), "{lists}");
    assert!(lists.ends_with("its element 0 cannot be read as Vec<i64>: its element 1 is null: read it as Option<i64>"), "{lists}");
    let map = text(row.get::<BTreeMap<&str, i64>>("map").unwrap_err());
    assert!(map.ends_with("its value of \"b\" is null: read it as Option<i64>"), "{map}");
    let keys = text(row.get::<BTreeMap<i64, Option<i64>>>("map").unwrap_err());
    assert!(keys.ends_with("its key \"a\" cannot be read as i64"), "{keys}");
    let part = row.get::<Row<'_>>("max").unwrap().get::<&str>("value").unwrap_err();
    assert_eq!(text(part), "the column \"value\" (Float64) cannot be read as &str");
    let scalar = text(row.get::<f64>("max").unwrap_err());
    assert!(scalar.ends_with("cannot be read as f64"), "{scalar}");
}

#[cfg(feature = "serde")]
#[test]
fn nested_values_are_read_by_serde() {
    use serde::Deserialize;

    #[derive(Debug, Deserialize, PartialEq)]
    struct Selected {
        max: Option<Max>,
        lists: Option<Vec<Vec<Option<i64>>>>,
        map: Option<BTreeMap<String, Option<i64>>>,
        every: Option<Duration>,
        lasted: Option<Duration>,
    }
    #[derive(Debug, Deserialize, PartialEq)]
    struct Max {
        value: f64,
        time: Timestamp,
    }
    let table = selected();
    let rows: Vec<Selected> = table.rows().map(|row| row.deserialize().unwrap()).collect();
    let map = [("a".to_owned(), Some(1)), ("b".to_owned(), None)];
    let first = Selected {
        max: Some(Max { value: 23.3, time: Timestamp::nanos(7) }),
        lists: Some(vec![vec![Some(1), None], vec![]]),
        map: Some(map.into()),
        every: Some(Duration::from_secs(86_401)),
        lasted: Some(Duration::from_millis(1_500)),
    };
    let null = Selected { max: None, lists: None, map: None, every: None, lasted: None };
    assert_eq!(rows, [first, null]);

    #[derive(Debug, Deserialize)]
    #[allow(dead_code)]
    struct Wrong {
        max: (String, i64),
    }
    let row = table.row(0).unwrap();
    let error = row.deserialize::<Wrong>().unwrap_err().to_string();
    assert!(error.starts_with("the column \"max\" (Struct"), "{error}");
    assert!(
        error.ends_with(": the column \"value\" (Float64) cannot be read as String"),
        "{error}"
    );
    #[derive(Debug, Deserialize)]
    #[allow(dead_code)]
    struct NotNull {
        lists: Vec<Vec<i64>>,
    }
    let error = row.deserialize::<NotNull>().unwrap_err().to_string();
    assert!(
        error.ends_with("its element 0: its element 1 is null: read it as Option<i64>"),
        "{error}"
    );
    let error = row.deserialize::<i64>().unwrap_err().to_string();
    assert_eq!(error, "a row cannot be read as i64: read it as a struct, a map or a tuple");
}

/// A server, with three rows of a table `m`.
fn server() -> (DevServer, Client) {
    let server = DevServer::start().unwrap();
    let client = Client::builder().host(server.url()).database("db").build().unwrap();
    client.write("m,t=a f=1.5 1\nm,t=a f=2.5 2\nm,t=b g=1i 3").send().unwrap();
    (server, client)
}

#[test]
fn what_datafusion_returns_can_be_read() {
    let (_server, client) = server();
    let sql = "SELECT t, array_agg(f ORDER BY time) AS fs, named_struct('n', count(*), 'last', max(time)) AS s, \
               INTERVAL '1 month 2 days' AS i, max(time) - min(time) AS d, max(time) AT TIME ZONE 'Europe/Berlin' AS z \
               FROM m GROUP BY t ORDER BY t";
    let table = client.query(sql).table().unwrap();
    let row = table.row(0).unwrap();
    assert_eq!(row.get::<Vec<f64>>("fs").unwrap(), [1.5, 2.5]);
    let part: Row<'_> = row.get("s").unwrap();
    assert_eq!((part.get("n").unwrap(), part.get("last").unwrap()), (2_i64, Timestamp::nanos(2)));
    assert_eq!(row.get::<String>("i").unwrap(), "P1M2D");
    assert_eq!(row.get::<Duration>("d").unwrap(), Duration::from_nanos(1));
    // For SQL this is the time of a clock in Berlin.
    assert_eq!(row.get::<String>("z").unwrap(), "1969-12-31T23:00:00.000000002Z");
    assert_eq!(table.row(1).unwrap().get::<Vec<Option<f64>>>("fs").unwrap(), [None]);
}

/// What DataFusion makes of each type, sent by `arrow-flight`: as text by `get`, and as it is shown.
#[test]
fn every_type_that_datafusion_casts_to_can_be_read_and_shown() {
    let (_server, client) = server();
    let day = "DATE '2022-01-01'";
    let at = "TIMESTAMP '2022-01-01T08:00:00.5'";
    let casts = [
        ("arrow_cast(-7, 'Int8')", "-7"),
        ("arrow_cast(7, 'UInt64')", "7"),
        ("arrow_cast(1.5, 'Float16')", "1.5"),
        ("arrow_cast(0.1, 'Float32')", "0.1"),
        ("arrow_cast('x', 'LargeUtf8')", "\"x\""),
        ("arrow_cast('x', 'Utf8View')", "\"x\""),
        ("arrow_cast('x', 'Dictionary(Int8, Utf8)')", "\"x\""),
        ("arrow_cast('x', 'Binary')", "0x78"),
        ("arrow_cast('x', 'BinaryView')", "0x78"),
        ("arrow_cast(1.5, 'Decimal128(10, 3)')", "1.500"),
        ("arrow_cast(1.5, 'Decimal256(40, 1)')", "1.5"),
        (day, "2022-01-01"),
        (&format!("arrow_cast({day}, 'Date64')"), "2022-01-01"),
        (at, "2022-01-01T08:00:00.500Z"),
        (&format!("arrow_cast({at}, 'Timestamp(Second, None)')"), "2022-01-01T08:00:00Z"),
        (&format!("arrow_cast({at}, 'Timestamp(ns, \"UTC\")')"), "2022-01-01T08:00:00.500Z"),
        (&format!("arrow_cast({at}, 'Timestamp(ms, \"+00:00\")')"), "2022-01-01T08:00:00.500Z"),
        ("TIME '08:00:01'", "08:00:01"),
        ("arrow_cast(1500, 'Duration(Millisecond)')", "PT1.5S"),
        ("INTERVAL '1 year 2 days 3.5 seconds'", "P12M2DT3.5S"),
        ("named_struct('a', 1, 'b', named_struct('c', NULL))", "{\"a\": 1, \"b\": {\"c\": null}}"),
        ("(SELECT array_agg(f) FROM m WHERE f > 1)", "[1.5, 2.5]"),
        (
            "(SELECT arrow_cast(array_agg(f), 'LargeList(Float64)') FROM m WHERE f > 1)",
            "[1.5, 2.5]",
        ),
        ("NULL", "null"),
        ("1 = 1", "true"),
    ];
    for (expression, shown) in casts {
        let table = client.query(format!("SELECT {expression} AS c")).table();
        let table = table.unwrap_or_else(|error| panic!("{expression}: {error}"));
        let row = table.row(0).unwrap();
        assert_eq!(format!("{row:?}"), format!("{{\"c\": {shown}}}"), "{expression}");
        // What has a text of its own is read as that text.
        if let Ok(text) = row.get::<String>("c") {
            assert_eq!(text, shown.trim_matches('"'), "{expression}");
        }
        #[cfg(feature = "serde")]
        assert_eq!(
            row.get::<String>("c").ok(),
            row.deserialize::<(String,)>().ok().map(|(text,)| text),
            "{expression}"
        );
    }
}

/// Types of which not even an empty column can be made.
#[test]
fn types_that_cannot_be_are_refused_with_the_schema() {
    let field = |data_type| Arc::new(Field::new("x", data_type, true));
    let union = || DataType::Union(UnionFields::empty(), UnionMode::Dense);
    let ends = |data_type| {
        DataType::RunEndEncoded(
            Arc::new(Field::new("ends", data_type, false)),
            field(DataType::Utf8),
        )
    };
    for data_type in [
        union(),
        DataType::Union(UnionFields::empty(), UnionMode::Sparse),
        DataType::Map(field(DataType::Int64), false),
        DataType::Map(field(DataType::Struct(vec![field(DataType::Utf8)].into())), false),
        ends(DataType::Int8),
        ends(DataType::Utf8),
        DataType::FixedSizeBinary(-1),
        DataType::List(field(union())),
        DataType::Struct(vec![field(union())].into()),
        DataType::RunEndEncoded(
            Arc::new(Field::new("ends", DataType::Int32, false)),
            field(union()),
        ),
    ] {
        let schema = Schema::new(vec![Field::new("c", data_type.clone(), true)]);
        let options = arrow_ipc::writer::IpcWriteOptions::default();
        let schema = FlightData::from(SchemaAsIpc::new(&schema, &options));
        let metadata = FlightData { app_metadata: "x".into(), ..FlightData::default() };
        let messages = [schema, metadata].map(|data| prost::Message::encode_to_vec(&data));
        let messages = messages.map(Step::Message);
        let steps = std::iter::once(Step::Head).chain(messages).chain([ok()]).collect();
        let server = FlightServer::replay(steps);
        let client = Client::builder().host(server.url()).database("db").build().unwrap();
        let asked = client.query("SELECT 1").chunks();
        let error = asked.and_then(|chunks| chunks.collect::<Result<Vec<_>, _>>()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode, "{data_type}: {error}");
        assert!(error.to_string().contains("the column \"c\""), "{data_type}: {error}");
    }
}
