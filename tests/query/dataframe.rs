//! Answers as data frames of polars.
#![cfg(all(feature = "polars", feature = "query"))]

use std::sync::Arc;

use crate::random::Random;
use crate::support::flight::{FlightServer, Step, ok};
use arrow_flight::encode::{DictionaryHandling, FlightDataEncoderBuilder};
use futures::TryStreamExt as _;
use influxdb3_blocking::arrow_array::builder::{
    Int32Builder, ListBuilder, StringBuilder, StringDictionaryBuilder,
};
use influxdb3_blocking::arrow_array::types::{Float16Type, Int8Type, Int32Type, UInt64Type};
use influxdb3_blocking::arrow_array::*;
use influxdb3_blocking::polars_core::prelude::{
    AnyValue, Categories, DataFrame, DataType, IntoColumn, NamedFrom, Series, TimeUnit, TimeZone,
};
use influxdb3_blocking::{Client, ErrorKind, Frame, Result};
use influxdb3_dev_server::DevServer;

/// An answer of these batches, encoded by `arrow-flight`: at once, and by way of a table.
fn answered(batches: Vec<RecordBatch>) -> Result<DataFrame> {
    let schema = batches[0].schema();
    let encoder = FlightDataEncoderBuilder::new()
        .with_schema(schema)
        .with_dictionary_handling(DictionaryHandling::Resend)
        .build(futures::stream::iter(batches.into_iter().map(Ok)));
    let data: Vec<_> = futures::executor::block_on(encoder.try_collect()).unwrap();
    let messages = data.iter().map(prost::Message::encode_to_vec).map(Step::Message);
    let steps = std::iter::once(Step::Head).chain(messages).chain([ok()]).collect();
    let server = FlightServer::replay(steps);
    let client = Client::builder().host(server.url()).database("db").build().unwrap();
    let query = || client.query("SELECT 1");
    let frame = query().dataframe();
    let table = query().table().unwrap().dataframe();
    match (&frame, &table) {
        (Ok(frame), Ok(table)) => assert!(frame.equals_missing(table)),
        (Err(frame), Err(table)) => assert_eq!(frame.to_string(), table.to_string()),
        _ => panic!("{frame:?} is not {table:?}"),
    }
    frame
}

fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, c)| (n, c, true)))
        .unwrap()
}

fn series<T, P>(values: T) -> Series
where
    Series: NamedFrom<T, P>,
    P: ?Sized,
{
    Series::new("c".into(), values)
}

fn cast(series: Series, to: DataType) -> Series {
    series.strict_cast(&to).unwrap()
}

fn categorical() -> DataType {
    DataType::from_categories(Categories::global())
}

fn zone(name: &str) -> Option<TimeZone> {
    TimeZone::opt_try_new(Some(name)).unwrap()
}

fn text() -> [Option<&'static str>; 3] {
    [Some("short"), None, Some("a text of more than twelve bytes")]
}

/// Arrow arrays of three rows, the second being null, and the same values made by polars.
fn pairs() -> Vec<(ArrayRef, Series)> {
    use DataType::*;
    let times = vec![Some(1_641_024_000_123_i64), None, Some(-1)];
    let thousands = times.iter().map(|v| v.map(|v| v * 1000)).collect::<Vec<_>>();
    let clock = vec![Some(1_i32), None, Some(86_399)];
    let nanos =
        |unit: i64| clock.iter().map(|v| v.map(|v| i64::from(v) * unit)).collect::<Vec<_>>();
    let small = vec![Some(1_i64), None, Some(-12_345)];
    let decimal = |p, s| cast(series([Some("0.01"), None, Some("-123.45")]), Decimal(p, s));
    let bytes = [Some(&b"\x00x"[..]), None, Some(b"\xff\xfe")];
    vec![
        (Arc::new(NullArray::new(3)), Series::new_null("c".into(), 3)),
        (
            Arc::new(BooleanArray::from(vec![Some(true), None, Some(false)])),
            series([Some(true), None, Some(false)]),
        ),
        (
            Arc::new(Int8Array::from(vec![Some(-8), None, Some(8)])),
            cast(series([Some(-8), None, Some(8)]), Int8),
        ),
        (
            Arc::new(Int16Array::from(vec![Some(-8), None, Some(8)])),
            cast(series([Some(-8), None, Some(8)]), Int16),
        ),
        (
            Arc::new(Int32Array::from(vec![Some(-8), None, Some(8)])),
            series([Some(-8), None, Some(8)]),
        ),
        (
            Arc::new(Int64Array::from(vec![Some(i64::MIN), None, Some(8)])),
            series([Some(i64::MIN), None, Some(8)]),
        ),
        (
            Arc::new(UInt8Array::from(vec![Some(255), None, Some(8)])),
            cast(series([Some(255), None, Some(8)]), UInt8),
        ),
        (
            Arc::new(UInt16Array::from(vec![Some(255), None, Some(8)])),
            cast(series([Some(255), None, Some(8)]), UInt16),
        ),
        (
            Arc::new(UInt32Array::from(vec![Some(255), None, Some(8)])),
            series([Some(255_u32), None, Some(8)]),
        ),
        (
            Arc::new(UInt64Array::from(vec![Some(u64::MAX), None, Some(8)])),
            series([Some(u64::MAX), None, Some(8)]),
        ),
        (
            Arc::new(
                [Some(0.5_f32), None, Some(-2.0)]
                    .into_iter()
                    .map(|v| v.map(<Float16Type as ArrowPrimitiveType>::Native::from_f32))
                    .collect::<Float16Array>(),
            ),
            cast(series([Some(0.5_f32), None, Some(-2.0)]), Float16),
        ),
        (
            Arc::new(Float32Array::from(vec![Some(0.1), None, Some(f32::NAN)])),
            series([Some(0.1_f32), None, Some(f32::NAN)]),
        ),
        (
            Arc::new(Float64Array::from(vec![Some(-0.0), None, Some(f64::INFINITY)])),
            series([Some(-0.0), None, Some(f64::INFINITY)]),
        ),
        (Arc::new(StringArray::from(text().to_vec())), series(text())),
        (Arc::new(LargeStringArray::from(text().to_vec())), series(text())),
        (Arc::new(StringViewArray::from(text().to_vec())), series(text())),
        (Arc::new(BinaryArray::from(bytes.to_vec())), series(bytes)),
        (Arc::new(LargeBinaryArray::from(bytes.to_vec())), series(bytes)),
        (Arc::new(BinaryViewArray::from(bytes.to_vec())), series(bytes)),
        (
            Arc::new(
                FixedSizeBinaryArray::try_from_sparse_iter_with_size(bytes.into_iter(), 2).unwrap(),
            ),
            series(bytes),
        ),
        (
            Arc::new(text().into_iter().collect::<DictionaryArray<Int8Type>>()),
            cast(series(text()), categorical()),
        ),
        (
            Arc::new(text().into_iter().collect::<DictionaryArray<Int32Type>>()),
            cast(series(text()), categorical()),
        ),
        (
            Arc::new(text().into_iter().collect::<DictionaryArray<UInt64Type>>()),
            cast(series(text()), categorical()),
        ),
        (
            Arc::new(TimestampSecondArray::from(times.clone())),
            cast(series(thousands.clone()), Datetime(TimeUnit::Milliseconds, None)),
        ),
        (
            Arc::new(TimestampMillisecondArray::from(times.clone())),
            cast(series(times.clone()), Datetime(TimeUnit::Milliseconds, None)),
        ),
        (
            Arc::new(TimestampMicrosecondArray::from(times.clone()).with_timezone("Europe/Paris")),
            cast(series(times.clone()), Datetime(TimeUnit::Microseconds, zone("Europe/Paris"))),
        ),
        (
            Arc::new(TimestampNanosecondArray::from(times.clone()).with_timezone("UTC")),
            cast(series(times.clone()), Datetime(TimeUnit::Nanoseconds, zone("UTC"))),
        ),
        (
            Arc::new(TimestampNanosecondArray::from(times.clone()).with_timezone("+02:00")),
            cast(series(times.clone()), Datetime(TimeUnit::Nanoseconds, zone("Etc/GMT-2"))),
        ),
        (
            Arc::new(Date32Array::from(vec![Some(19_000), None, Some(-1)])),
            cast(series([Some(19_000_i32), None, Some(-1)]), Date),
        ),
        (
            Arc::new(Date64Array::from(times.clone())),
            cast(series(times.clone()), Datetime(TimeUnit::Milliseconds, None)),
        ),
        (
            Arc::new(Time32SecondArray::from(clock.clone())),
            cast(series(nanos(1_000_000_000)), Time),
        ),
        (
            Arc::new(Time32MillisecondArray::from(clock.clone())),
            cast(series(nanos(1_000_000)), Time),
        ),
        (Arc::new(Time64MicrosecondArray::from(nanos(1))), cast(series(nanos(1_000)), Time)),
        (Arc::new(Time64NanosecondArray::from(nanos(1))), cast(series(nanos(1)), Time)),
        (
            Arc::new(DurationSecondArray::from(times.clone())),
            cast(series(thousands), Duration(TimeUnit::Milliseconds)),
        ),
        (
            Arc::new(DurationMillisecondArray::from(times.clone())),
            cast(series(times.clone()), Duration(TimeUnit::Milliseconds)),
        ),
        (
            Arc::new(DurationMicrosecondArray::from(times.clone())),
            cast(series(times.clone()), Duration(TimeUnit::Microseconds)),
        ),
        (
            Arc::new(DurationNanosecondArray::from(times.clone())),
            cast(series(times), Duration(TimeUnit::Nanoseconds)),
        ),
        (
            Arc::new(
                Decimal32Array::from(vec![Some(1), None, Some(-12_345)])
                    .with_precision_and_scale(9, 2)
                    .unwrap(),
            ),
            decimal(9, 2),
        ),
        (
            Arc::new(Decimal64Array::from(small.clone()).with_precision_and_scale(18, 2).unwrap()),
            decimal(18, 2),
        ),
        (
            Arc::new(
                Decimal128Array::from_iter(small.iter().map(|v| v.map(i128::from)))
                    .with_precision_and_scale(38, 2)
                    .unwrap(),
            ),
            decimal(38, 2),
        ),
        (
            Arc::new(
                Decimal256Array::from_iter(small.iter().map(|v| v.map(Into::into)))
                    .with_precision_and_scale(76, 2)
                    .unwrap(),
            ),
            decimal(38, 2),
        ),
    ]
}

#[test]
fn every_type_becomes_what_polars_makes_of_the_same_values() {
    for (array, expected) in pairs() {
        let name = array.data_type().to_string();
        // The second batch is a part, so that nothing begins where its memory does.
        let two = vec![batch(vec![("c", array.clone())]), batch(vec![("c", array.slice(1, 2))])];
        let df = answered(two).unwrap_or_else(|error| panic!("{name}: {error}"));
        let mut twice = expected.clone();
        twice.append(&expected.slice(1, 2)).unwrap();
        assert_eq!(df["c"].dtype(), twice.dtype(), "{name}");
        assert_eq!(df["c"].n_chunks(), 1, "{name}");
        let expected = DataFrame::new_infer_height(vec![twice.into_column()]).unwrap();
        assert!(df.equals_missing(&expected), "{name}: {:?}", df["c"]);
    }
}

#[test]
fn an_answer_without_rows_keeps_its_columns_and_types() {
    for (array, expected) in pairs() {
        let df = answered(vec![batch(vec![("c", array.slice(0, 0)), ("d", array.slice(0, 0))])]);
        let df = df.unwrap();
        assert_eq!(df.shape(), (0, 2));
        assert_eq!(df["d"].dtype(), expected.dtype());
    }
}

#[test]
fn lists_and_structs_are_taken_with_what_is_in_them() {
    let mut lists = ListBuilder::new(Int32Builder::new());
    lists.append_value([Some(1), None]);
    lists.append_null();
    lists.append_value([]);
    lists.append_value([Some(3)]);
    let mut names = ListBuilder::new(StringDictionaryBuilder::<Int32Type>::new());
    names.append_value([Some("a"), Some("b"), Some("a")]);
    names.append_value([None::<&str>; 0]);
    names.append_null();
    names.append_value([Some("b")]);
    let lists: ArrayRef = Arc::new(lists.finish());
    let names: ArrayRef = Arc::new(names.finish());
    let first = batch(vec![
        (
            "value",
            Arc::new(Float64Array::from(vec![Some(1.5), None, Some(2.5), Some(3.5)])) as ArrayRef,
        ),
        ("time", Arc::new(TimestampNanosecondArray::from(vec![1, 2, 3, 4]))),
    ]);
    let structs: ArrayRef = Arc::new(StructArray::from(first));
    let whole = batch(vec![("l", lists), ("n", names), ("s", structs)]);
    let df = answered(vec![whole.slice(1, 3), whole]).unwrap();

    let numbers = [series([Some(1), None]), series([0_i32; 0]), series([3])];
    let of = |n: usize| Some(numbers[n].clone());
    let expected = series([None, of(1), of(2), of(0), None, of(1), of(2)]);
    assert!(df["l"].as_materialized_series().equals_missing(&expected), "{:?}", df["l"]);

    assert_eq!(*df["n"].dtype(), DataType::List(Box::new(categorical())));
    let AnyValue::List(last) = df["n"].get(3).unwrap() else { panic!("no list") };
    let expected = cast(series(["a", "b", "a"]), categorical());
    assert!(last.equals_missing(&expected), "{last:?}");

    let part = |name: &str| df["s"].struct_().unwrap().field_by_name(name).unwrap();
    let value = [None, Some(2.5), Some(3.5), Some(1.5), None, Some(2.5), Some(3.5)];
    assert!(part("value").equals_missing(&series(value)));
    let time =
        cast(series([2_i64, 3, 4, 1, 2, 3, 4]), DataType::Datetime(TimeUnit::Nanoseconds, None));
    assert!(part("time").equals_missing(&time));
}

#[test]
fn what_polars_lacks_is_an_error_that_names_column_and_type() {
    let one = |column: ArrayRef| vec![batch(vec![("odd one", column)])];
    let keys = Int8Array::from(vec![0]);
    let mut map = MapBuilderOf::new(None, StringBuilder::new(), Int32Builder::new());
    map.append(true).unwrap();
    let cases: Vec<(ArrayRef, &str)> = vec![
        (Arc::new(IntervalYearMonthArray::from(vec![1])), "polars has no such type"),
        (Arc::new(map.finish()), "polars has no such type"),
        (
            Arc::new(DictionaryArray::new(keys, Arc::new(Int64Array::from(vec![1])))),
            "categories of text only",
        ),
        (
            Arc::new(Decimal128Array::from(vec![7]).with_precision_and_scale(10, -2).unwrap()),
            "negative scale",
        ),
        (Arc::new(TimestampSecondArray::from(vec![i64::MAX])), "out of the range"),
        (Arc::new(DurationSecondArray::from(vec![i64::MIN])), "out of the range"),
        (Arc::new(Time32SecondArray::from(vec![86_400])), "out of the range"),
        (
            Arc::new(TimestampSecondArray::from(vec![1]).with_timezone("Middle/Earth")),
            "Middle/Earth",
        ),
    ];
    for (column, words) in cases {
        let error = answered(one(column.clone())).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode);
        let start =
            format!("the column \"odd one\" ({}) does not fit a data frame: ", column.data_type());
        assert!(error.to_string().starts_with(&start), "{error}");
        assert!(error.to_string().contains(words), "{error}");
    }
}

type MapBuilderOf = builder::MapBuilder<StringBuilder, Int32Builder>;

#[test]
fn two_columns_of_one_name_are_refused_by_that_name() {
    let column = || Arc::new(Int64Array::from(vec![1])) as ArrayRef;
    let error = answered(vec![batch(vec![("a", column()), ("a", column())])]).unwrap_err();
    assert!(error.to_string().contains("two columns \"a\""), "{error}");
}

#[test]
fn a_frame_comes_back_from_the_server_as_it_was() {
    let server = DevServer::start().unwrap();
    let client = Client::builder().host(server.url()).database("db").build().unwrap();
    let mut random = Random::new(7);
    for (round, rows) in [1, 7, 300, 20_000].into_iter().enumerate() {
        let df = random_frame(&mut random, rows);
        let table = format!("t{round}");
        client.write(Frame::new(&df).measurement(&table).tags(["tag", "kind"])).send().unwrap();
        let names: Vec<String> = df.get_column_names().iter().map(|n| format!("\"{n}\"")).collect();
        let sql = format!("SELECT {} FROM {table} ORDER BY time", names.join(", "));
        let found = client.query(sql).dataframe().unwrap();
        assert_eq!(found.shape(), df.shape());
        for column in df.columns() {
            // Whether a tag comes as text or as a dictionary is the server's choice.
            let column = match column.dtype() {
                DataType::Categorical(..) => column.strict_cast(&DataType::String).unwrap(),
                _ => column.clone(),
            };
            let found = found.column(column.name()).unwrap();
            assert!(found.equals_missing(&column), "{} of {table}", column.name());
        }
    }
}

/// Of the types that InfluxDB holds. `i` is never null, so that every row has a line.
fn random_frame(random: &mut Random, rows: usize) -> DataFrame {
    fn column<T>(
        random: &mut Random,
        rows: usize,
        value: impl Fn(&mut Random) -> T,
    ) -> Vec<Option<T>> {
        // The first row has all columns, so that all of them are there.
        (0..rows).map(|row| (row == 0 || !random.one_in(5)).then(|| value(random))).collect()
    }
    let number = |random: &mut Random| loop {
        let number = random.float();
        if number.is_finite() {
            break number;
        }
    };
    let time: Vec<i64> = (0..rows as i64).collect();
    let tag = column(random, rows, |random| random.name());
    let kind = column(random, rows, |random| random.name());
    let columns = [
        ("time", cast(series(time), DataType::Datetime(TimeUnit::Nanoseconds, None))),
        ("tag", cast(series(tag), categorical())),
        ("kind", cast(series(kind), categorical())),
        ("i", series((0..rows).map(|_| random.integer()).collect::<Vec<_>>())),
        ("u", series(column(random, rows, Random::number))),
        ("f", series(column(random, rows, number))),
        ("b", series(column(random, rows, |random| random.one_in(2)))),
        ("s", series(column(random, rows, Random::hostile))),
    ];
    let named = |(name, series): (&str, Series)| series.with_name(name.into()).into_column();
    DataFrame::new_infer_height(columns.map(named).to_vec()).unwrap()
}
