//! A value is read alike by `row.get` and by serde, for every type that Arrow has.
#![cfg(all(feature = "query", feature = "serde"))]

use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::random::Random;
use crate::support::batches::messages;
use crate::support::flight::{FlightServer, Step, ok};
use influxdb3_blocking::arrow_array::builder::*;
use influxdb3_blocking::arrow_array::types::*;
use influxdb3_blocking::arrow_array::*;
use influxdb3_blocking::arrow_schema::{DataType, Field, Fields, IntervalUnit, TimeUnit};
use influxdb3_blocking::{Client, ErrorKind, FromCell, Row, Rows, Timestamp};
use serde::Deserialize;

/// A row of one column, `c`. It is there for ever, so that what borrows from it can be read as well.
fn row(array: ArrayRef) -> Row<'static> {
    let batch = RecordBatch::try_from_iter_with_nullable([("c", array, true)]).unwrap();
    Rows::new(Box::leak(Box::new(batch))).next().unwrap()
}

/// The value as a `T`, if it is one. Both ways and both forms of serde agree.
fn read<T>(row: Row<'static>) -> Option<T>
where
    T: FromCell<'static> + Deserialize<'static> + PartialEq + Debug,
{
    #[derive(Deserialize)]
    struct Named<T> {
        c: T,
    }
    let got = row.get::<T>("c");
    let by_name = row.deserialize::<Named<T>>().map(|named| named.c);
    let by_place = row.deserialize::<(T,)>().map(|(value,)| value);
    match (&got, &by_name, &by_place) {
        (Ok(got), Ok(by_name), Ok(by_place)) => assert_eq!((got, got), (by_name, by_place)),
        (Err(got), Err(by_name), Err(by_place)) => {
            for error in [got, by_name, by_place] {
                assert_eq!(error.kind(), ErrorKind::Decode);
                assert!(error.to_string().starts_with("the column \"c\" ("), "{error}");
            }
        }
        _ => panic!("{row:?}: {got:?}, but {by_name:?} and {by_place:?}"),
    }
    // What is not null is the same as an option.
    if let Ok(Some(again)) = row.get::<Option<T>>(0) {
        assert_eq!(Some(again), row.get(0).ok());
    }
    got.ok()
}

/// All that a value can be read as, and what it is then.
fn readings(array: ArrayRef) -> String {
    let row = row(array);
    let mut found = Vec::new();
    macro_rules! try_as {
        ($($type:ty),*) => {
            $(if let Some(value) = read::<$type>(row) {
                found.push(format!("{} {value:?}", stringify!($type)));
            })*
        };
    }
    try_as!(bool, i8, u8, i16, u16, i32, u32, i64, u64, i128, f32, f64);
    assert_eq!(read::<isize>(row).map(|value| value as i64), read::<i64>(row));
    assert_eq!(read::<usize>(row).map(|value| value as u64), read::<u64>(row));
    assert_eq!(read::<u128>(row), read::<i128>(row).and_then(|value| value.try_into().ok()));
    try_as!(char, &'static str, String);
    assert_eq!(read::<Box<str>>(row).as_deref(), read::<String>(row).as_deref());
    assert_eq!(row.get::<Arc<str>>(0).ok().as_deref(), read::<String>(row).as_deref());
    try_as!(Timestamp, Duration);
    if let Some(time) = read::<SystemTime>(row) {
        let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap();
        assert_eq!(
            read::<Timestamp>(row).unwrap().as_nanos(),
            i128::try_from(since.as_nanos()).unwrap()
        );
    }
    try_as!(&'static [u8], Vec<u8>, Vec<i64>, Vec<String>);
    if let Some(map) = read::<BTreeMap<String, f64>>(row) {
        let hashed: HashMap<String, f64> = read(row).unwrap();
        assert_eq!(hashed.into_iter().collect::<BTreeMap<_, _>>(), map);
        found.push(format!("map {map:?}"));
    }
    if row.get::<Row<'_>>(0).is_ok() {
        found.push("Row".into());
    }
    found.join(", ")
}

fn list_of(values: [i64; 2]) -> ArrayRef {
    let mut lists = ListBuilder::new(Int64Builder::new());
    lists.append_value(values.map(Some));
    Arc::new(lists.finish())
}

fn structure() -> StructArray {
    let value: ArrayRef = Arc::new(Float64Array::from(vec![1.5]));
    let other: ArrayRef = Arc::new(Int64Array::from(vec![2]));
    StructArray::from(vec![
        (Arc::new(Field::new("value", DataType::Float64, true)), value),
        (Arc::new(Field::new("other", DataType::Int64, true)), other),
    ])
}

fn map() -> ArrayRef {
    let mut maps = MapBuilder::new(None, StringBuilder::new(), Float64Builder::new());
    maps.keys().append_value("k");
    maps.values().append_value(0.5);
    maps.append(true).unwrap();
    Arc::new(maps.finish())
}

fn union(dense: bool) -> ArrayRef {
    let mut union = if dense { UnionBuilder::new_dense() } else { UnionBuilder::new_sparse() };
    union.append::<Int32Type>("i", 7).unwrap();
    union.append::<Float64Type>("f", 1.5).unwrap();
    let union: ArrayRef = Arc::new(union.build().unwrap());
    union.slice(1, 1)
}

const SEVEN: &str =
    "i8 7, u8 7, i16 7, u16 7, i32 7, u32 7, i64 7, u64 7, i128 7, f32 7.0, f64 7.0";
/// 2022-01-01T08:00:00Z, in seconds.
const START: i64 = 1_641_024_000;
const AT_START: &str = "i64 1641024000000000000, u64 1641024000000000000, i128 1641024000000000000, \
                        String \"2022-01-01T08:00:00Z\", Timestamp Timestamp(1641024000000000000)";
const CLOCK: &str =
    "i64 1500000000, u64 1500000000, i128 1500000000, String \"00:00:01.500\", Duration 1.5s";
const LASTED: &str =
    "i64 1500000000, u64 1500000000, i128 1500000000, String \"PT1.5S\", Duration 1.5s";
const DAY: &str = "String \"2022-01-01\", Timestamp Timestamp(1640995200000000000)";
const TEXT: &str = "&'static str \"x\", String \"x\"";
const BYTES: &str = "&'static [u8] [1, 2], Vec<u8> [1, 2], Vec<i64> [1, 2]";
const LIST: &str = "Vec<u8> [1, 2], Vec<i64> [1, 2]";

/// Each type of Arrow, with a value and what that can be read as.
fn table() -> Vec<(ArrayRef, String)> {
    fn of(array: impl Array + 'static, readings: impl Into<String>) -> (ArrayRef, String) {
        (Arc::new(array), readings.into())
    }
    let fixed = FixedSizeBinaryArray::try_from_iter([[1_u8, 2]].into_iter()).unwrap();
    let decimal = "f32 1.5, f64 1.5, String \"1.50\"";
    let interval = |months, days, nanos| {
        IntervalMonthDayNanoArray::from(vec![IntervalMonthDayNano::new(months, days, nanos)])
    };
    let text_item = Arc::new(Field::new_list_field(DataType::Int64, true));
    let numbers: ArrayRef = Arc::new(Int64Array::from(vec![9, 1, 2]));
    let view = |sizes: Vec<i32>| {
        ListViewArray::new(text_item.clone(), vec![1].into(), sizes.into(), numbers.clone(), None)
    };
    let large_view = LargeListViewArray::new(
        text_item.clone(),
        vec![1].into(),
        vec![2].into(),
        numbers.clone(),
        None,
    );
    let fixed_list = FixedSizeListArray::new(text_item.clone(), 2, numbers.slice(1, 2), None);
    let mut large_list = LargeListBuilder::new(Int64Builder::new());
    large_list.append_value([Some(1), Some(2)]);
    let runs = |value: &str| {
        let runs: RunArray<Int32Type> = [value].into_iter().collect();
        runs
    };
    vec![
        of(BooleanArray::from(vec![true]), "bool true"),
        of(Int8Array::from(vec![7]), SEVEN),
        of(Int16Array::from(vec![7]), SEVEN),
        of(Int32Array::from(vec![7]), SEVEN),
        of(Int64Array::from(vec![7]), SEVEN),
        of(UInt8Array::from(vec![7]), SEVEN),
        of(UInt16Array::from(vec![7]), SEVEN),
        of(UInt32Array::from(vec![7]), SEVEN),
        of(UInt64Array::from(vec![7]), SEVEN),
        of(
            Int64Array::from(vec![-1]),
            "i8 -1, i16 -1, i32 -1, i64 -1, i128 -1, f32 -1.0, f64 -1.0",
        ),
        // 18 993 days are no time: a plain number is no time at all.
        of(
            Int64Array::from(vec![18_993]),
            "i16 18993, u16 18993, i32 18993, u32 18993, i64 18993, u64 18993, i128 18993, f32 18993.0, f64 18993.0",
        ),
        // Beyond what a float holds exactly.
        of(
            Int32Array::from(vec![(1 << 24) + 1]),
            "i32 16777217, u32 16777217, i64 16777217, u64 16777217, i128 16777217, f64 16777217.0",
        ),
        of(
            UInt64Array::from(vec![u64::MAX]),
            "u64 18446744073709551615, i128 18446744073709551615",
        ),
        of(
            Int64Array::from(vec![(1 << 53) + 1]),
            "i64 9007199254740993, u64 9007199254740993, i128 9007199254740993",
        ),
        // Half precision has no literals.
        of(Float16Array::from_iter_values([Default::default()]), "f32 0.0, f64 0.0"),
        of(Float32Array::from(vec![0.1]), "f32 0.1, f64 0.10000000149011612"),
        of(Float64Array::from(vec![0.1]), "f32 0.1, f64 0.1"),
        of(Float64Array::from(vec![1e300]), "f64 1e300"),
        of(StringArray::from(vec!["x"]), format!("char 'x', {TEXT}")),
        of(LargeStringArray::from(vec!["x"]), format!("char 'x', {TEXT}")),
        of(StringViewArray::from(vec!["x"]), format!("char 'x', {TEXT}")),
        of(["x"].into_iter().collect::<DictionaryArray<Int8Type>>(), format!("char 'x', {TEXT}")),
        of(runs("x"), format!("char 'x', {TEXT}")),
        of(StringArray::from(vec!["7"]), "char '7', &'static str \"7\", String \"7\""),
        of(
            StringArray::from(vec!["2022-01-01T09:00:00+01:00"]),
            "&'static str \"2022-01-01T09:00:00+01:00\", String \"2022-01-01T09:00:00+01:00\", \
             Timestamp Timestamp(1641024000000000000)",
        ),
        of(BinaryArray::from(vec![&[1_u8, 2][..]]), BYTES),
        of(LargeBinaryArray::from(vec![&[1_u8, 2][..]]), BYTES),
        of(BinaryViewArray::from(vec![&[1_u8, 2][..]]), BYTES),
        of(fixed, BYTES),
        of(TimestampSecondArray::from(vec![START]), AT_START),
        of(TimestampMillisecondArray::from(vec![START * 1_000]), AT_START),
        of(TimestampMicrosecondArray::from(vec![START * 1_000_000]), AT_START),
        of(TimestampNanosecondArray::from(vec![START * 1_000_000_000]), AT_START),
        of(TimestampSecondArray::from(vec![START]).with_timezone("Europe/Berlin"), AT_START),
        of(TimestampSecondArray::from(vec![START]).with_timezone("no such zone"), AT_START),
        // Nanoseconds beyond 64 bits, and a year that text cannot hold.
        of(
            TimestampSecondArray::from(vec![10_000_000_000_000]),
            "i128 10000000000000000000000, Timestamp Timestamp(10000000000000000000000)",
        ),
        of(Date32Array::from(vec![18_993]), DAY),
        of(Date64Array::from(vec![18_993 * 86_400_000]), DAY),
        of(
            Time32SecondArray::from(vec![61]),
            "i64 61000000000, u64 61000000000, i128 61000000000, String \"00:01:01\", Duration 61s",
        ),
        of(Time32MillisecondArray::from(vec![1_500]), CLOCK),
        of(Time64MicrosecondArray::from(vec![1_500_000]), CLOCK),
        of(Time64NanosecondArray::from(vec![1_500_000_000]), CLOCK),
        of(
            DurationSecondArray::from(vec![61]),
            "i64 61000000000, u64 61000000000, i128 61000000000, String \"PT61S\", Duration 61s",
        ),
        of(DurationMillisecondArray::from(vec![1_500]), LASTED),
        of(DurationMicrosecondArray::from(vec![1_500_000]), LASTED),
        of(DurationNanosecondArray::from(vec![1_500_000_000]), LASTED),
        of(
            DurationSecondArray::from(vec![-1]),
            "i64 -1000000000, i128 -1000000000, String \"-PT1S\"",
        ),
        of(IntervalYearMonthArray::from(vec![14]), "String \"P14M\""),
        of(
            IntervalDayTimeArray::from(vec![IntervalDayTime::new(1, 500)]),
            "String \"P1DT0.5S\", Duration 86400.5s",
        ),
        of(interval(0, 0, 1_500_000_000), "String \"PT1.5S\", Duration 1.5s"),
        of(interval(1, 2, 3_000_000_000), "String \"P1M2DT3S\""),
        of(interval(0, -1, 0), "String \"P-1D\""),
        of(Decimal32Array::from(vec![150]).with_precision_and_scale(9, 2).unwrap(), decimal),
        of(Decimal64Array::from(vec![150]).with_precision_and_scale(18, 2).unwrap(), decimal),
        of(Decimal128Array::from(vec![150]).with_precision_and_scale(38, 2).unwrap(), decimal),
        of(
            Decimal256Array::from_iter_values([150.into()])
                .with_precision_and_scale(76, 2)
                .unwrap(),
            decimal,
        ),
        of(
            Decimal128Array::from(vec![700]).with_precision_and_scale(38, 2).unwrap(),
            format!("{SEVEN}, String \"7.00\""),
        ),
        (list_of([1, 2]), LIST.into()),
        of(large_list.finish(), LIST),
        of(view(vec![2]), LIST),
        of(large_view, LIST),
        of(fixed_list, LIST),
        of(structure(), "map {\"other\": 2.0, \"value\": 1.5}, Row"),
        (map(), "map {\"k\": 0.5}".into()),
        (union(true), "f32 1.5, f64 1.5".into()),
        (union(false), "f32 1.5, f64 1.5".into()),
    ]
}

#[test]
fn every_type_is_read_alike_by_get_and_by_serde() {
    for (array, expected) in table() {
        let data_type = array.data_type().clone();
        assert_eq!(readings(array), expected, "{data_type}");
    }
}

#[test]
fn null_is_none_for_every_type_and_nothing_else() {
    let field = |name: &str, data_type| Field::new(name, data_type, true);
    let list = Arc::new(Field::new_list_field(DataType::Int64, true));
    let text_of = |keys| DataType::Dictionary(Box::new(keys), Box::new(DataType::Utf8));
    let types = table().into_iter().map(|(array, _)| array.data_type().clone()).chain([
        DataType::Null,
        text_of(DataType::UInt8),
        text_of(DataType::UInt64),
        DataType::Interval(IntervalUnit::DayTime),
        DataType::Timestamp(TimeUnit::Second, Some("Z".into())),
        DataType::Struct(Fields::from(vec![field("a", DataType::Utf8)])),
        DataType::List(list),
    ]);
    for data_type in types {
        let row = row(new_null_array(&data_type, 1));
        macro_rules! none_as {
            ($($type:ty),*) => {
                $(
                    assert_eq!(row.get::<Option<$type>>(0).unwrap(), None, "{data_type}");
                    assert_eq!(row.deserialize::<(Option<$type>,)>().unwrap().0, None, "{data_type}");
                    assert_eq!(read::<$type>(row), None, "{data_type}");
                )*
            };
        }
        none_as!(bool, i8, i64, u64, f32, f64, char, String, &'static str, Timestamp, Duration);
        none_as!(SystemTime, Vec<u8>, Vec<i64>, BTreeMap<String, f64>);
        let error = row.get::<i64>(0).unwrap_err().to_string();
        assert!(error.ends_with("is null: read it as Option<i64>"), "{error}");
    }
}

#[test]
fn a_time_before_1970_is_the_same_in_every_form() {
    let before = row(Arc::new(TimestampMillisecondArray::from(vec![-1])));
    assert_eq!(read::<Timestamp>(before), Some(Timestamp::millis(-1)));
    assert_eq!(read::<i64>(before), Some(-1_000_000));
    assert_eq!(read::<u64>(before), None);
    assert_eq!(read::<String>(before).unwrap(), "1969-12-31T23:59:59.999Z");
    // The only disagreement: serde's own form of a SystemTime has no sign.
    let time: SystemTime = before.get(0).unwrap();
    assert_eq!(SystemTime::UNIX_EPOCH.duration_since(time).unwrap(), Duration::from_millis(1));
    let error = before.deserialize::<(SystemTime,)>().unwrap_err().to_string();
    assert!(error.contains("before 1970"), "{error}");
}

#[test]
fn the_times_of_other_crates_are_read_by_their_own_serde_and_by_get() {
    let row = row(Arc::new(TimestampMicrosecondArray::from(vec![1_641_024_000_000_001])));
    let chrono: chrono::DateTime<chrono::Utc> = row.get(0).unwrap();
    assert_eq!(chrono.to_rfc3339(), "2022-01-01T08:00:00.000001+00:00");
    assert_eq!(row.deserialize::<(chrono::DateTime<chrono::Utc>,)>().unwrap().0, chrono);
    let jiff: jiff::Timestamp = row.get(0).unwrap();
    assert_eq!(jiff.to_string(), "2022-01-01T08:00:00.000001Z");
    assert_eq!(row.deserialize::<(jiff::Timestamp,)>().unwrap().0, jiff);
    let time: time::OffsetDateTime = row.get(0).unwrap();
    assert_eq!(time.unix_timestamp_nanos(), 1_641_024_000_000_001_000);
    let far = self::row(Arc::new(TimestampSecondArray::from(vec![i64::MAX])));
    for error in [
        far.get::<chrono::DateTime<chrono::Utc>>(0).unwrap_err(),
        far.get::<jiff::Timestamp>(0).unwrap_err(),
        far.get::<time::OffsetDateTime>(0).unwrap_err(),
    ] {
        assert!(error.to_string().contains("does not fit"), "{error}");
    }
}

#[test]
fn a_timestamp_is_read_from_other_formats_and_from_what_was_serialized() {
    let time = Timestamp::nanos(1_641_024_000_000_000_001);
    let json = serde_json::to_string(&time).unwrap();
    assert_eq!(serde_json::from_str::<Timestamp>(&json).unwrap(), time);
    let text = "\"2022-01-01T08:00:00.000000001Z\"";
    assert_eq!(serde_json::from_str::<Timestamp>(text).unwrap(), time);
    for wrong in ["\"yesterday\"", "true", "1.5", "null"] {
        assert!(serde_json::from_str::<Timestamp>(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn types_that_take_what_comes_get_nanoseconds_and_text() {
    let columns: [(&str, ArrayRef); 7] = [
        ("time", Arc::new(TimestampSecondArray::from(vec![1]))),
        ("lasted", Arc::new(DurationMillisecondArray::from(vec![1]))),
        ("day", Arc::new(Date32Array::from(vec![18_993]))),
        ("clock", Arc::new(Time32SecondArray::from(vec![1]))),
        ("list", list_of([1, 2])),
        ("struct", Arc::new(structure())),
        ("map", map()),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let row = Rows::new(&batch).next().unwrap();
    let json: serde_json::Value = row.deserialize().unwrap();
    assert_eq!(
        json,
        serde_json::json!({
            "time": 1_000_000_000, "lasted": 1_000_000, "day": "2022-01-01", "clock": "00:00:01",
            "list": [1, 2], "struct": {"value": 1.5, "other": 2}, "map": {"k": 0.5},
        })
    );
    #[derive(Debug, Deserialize)]
    struct Flat {
        list: Vec<i64>,
        #[serde(flatten)]
        times: Times,
    }
    #[derive(Debug, Deserialize)]
    struct Times {
        time: Timestamp,
        day: Timestamp,
    }
    let flat: Flat = row.deserialize().unwrap();
    assert_eq!((flat.list, flat.times.time), (vec![1, 2], Timestamp::seconds(1)));
    assert_eq!(flat.times.day, Timestamp::seconds(18_993 * 86_400));
}

/// What a server sends may be damaged: then it is an error, or other values, and never a panic.
#[test]
fn damaged_answers_of_every_type_are_errors_or_other_values() {
    const ROUNDS: usize = 3_000;
    // The encoder of this test has no dictionaries.
    let columns = table().into_iter().map(|(array, _)| array);
    let columns = columns.filter(|array| !matches!(array.data_type(), DataType::Dictionary(..)));
    let named = columns.enumerate().map(|(place, array)| (place.to_string(), array, true));
    let batch = RecordBatch::try_from_iter_with_nullable(named).unwrap();
    let whole = messages(&[batch]);
    let server = FlightServer::start(move |_, round| {
        let mut random = Random::new(round as u64 + 1);
        let mut damaged = whole.clone();
        for _ in 0..=random.below(3) {
            // The metadata of the batch is where most can go wrong.
            let message = &mut damaged[usize::from(!random.one_in(4))];
            let most = if random.one_in(2) { message.len() } else { message.len().min(3_000) };
            let place = random.below(most);
            message[place] ^= 1 << random.below(8);
        }
        let steps = damaged.into_iter().map(Step::Message);
        std::iter::once(Step::Head).chain(steps).chain([ok()]).collect()
    });
    let client = Client::builder().host(server.url()).database("db").build().unwrap();
    let (mut good, mut bad) = (0, 0);
    for _ in 0..ROUNDS {
        let Ok(answer) = client.query("SELECT 1").table() else {
            bad += 1;
            continue;
        };
        good += 1;
        // Columns of nulls can have any number of rows.
        for row in answer.rows().take(10) {
            assert!(!format!("{row:?}").is_empty());
            let _ = row.deserialize::<BTreeMap<String, serde_json::Value>>();
            let _ = row.get::<Vec<String>>(0);
        }
        #[cfg(feature = "pretty")]
        assert!(!answer.display().max_rows(10).max_width(200).to_string().is_empty());
        if answer.num_rows() < 10 {
            let _ = answer.concat();
        }
    }
    assert!(good > 100 && bad > 100, "the damage is too small or too great: {good} {bad}");
}
