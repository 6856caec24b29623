//! Printing never fails, whatever the types are.

#[allow(dead_code)] // a part of it is used
#[path = "../support/batches.rs"]
mod batches;
#[allow(dead_code)]
#[path = "../support/flight.rs"]
mod flight;

use std::sync::Arc;

use influxdb3_blocking::arrow_array::builder::UnionBuilder;
use influxdb3_blocking::arrow_array::types::*;
use influxdb3_blocking::arrow_array::*;
use influxdb3_blocking::arrow_schema::{DataType, Field, Fields, IntervalUnit, TimeUnit};
use influxdb3_blocking::{Client, Table};

use crate::batches::answer;
use crate::flight::FlightServer;

/// A column, as the answer of a server.
fn table(column: ArrayRef) -> Table {
    let batch = RecordBatch::try_from_iter_with_nullable([("c", column, true)]).unwrap();
    let server = FlightServer::replay(answer(vec![batch]));
    let client = Client::builder().host(server.url()).database("db").build().unwrap();
    client.query("SELECT 1").table().unwrap()
}

/// The value of the only row, as it is printed.
fn printed(column: ArrayRef) -> String {
    let text = table(column).to_string();
    let line = text.lines().nth(3).unwrap();
    line.trim_start_matches('|').trim_end_matches('|').trim().to_owned()
}

/// If this fails, the tests here show nothing.
#[test]
fn no_time_zones_are_here() {
    let lock = include_str!("Cargo.lock");
    assert!(lock.contains("name = \"influxdb3-blocking\""));
    assert!(!lock.contains("name = \"chrono-tz\""));
}

#[test]
fn times_of_every_zone_are_printed_in_utc() {
    for zone in ["Europe/Berlin", "UTC", "Z", "+02:00", "", "no such zone"] {
        let time = TimestampNanosecondArray::from(vec![1_641_024_000_000_000_000]);
        let time = Arc::new(time.with_timezone(zone));
        assert_eq!(printed(time.clone()), "2022-01-01T08:00:00Z", "{zone}");
        // In what it may be wrapped.
        let field = Arc::new(Field::new("t", time.data_type().clone(), true));
        let structure = StructArray::from(vec![(field, time as ArrayRef)]);
        assert_eq!(printed(Arc::new(structure)), "{\"t\": 2022-01-01T08:00:00Z}", "{zone}");
    }
}

#[test]
fn what_no_calendar_holds_is_printed_all_the_same() {
    let zoned = |values: Vec<i64>| TimestampSecondArray::from(values).with_timezone("Z");
    assert_eq!(
        printed(Arc::new(zoned(vec![i64::MAX]))),
        format!("{} Seconds since 1970", i64::MAX)
    );
    assert_eq!(
        printed(Arc::new(zoned(vec![i64::MIN]))),
        format!("{} Seconds since 1970", i64::MIN)
    );
    let date = Date64Array::from(vec![i64::MIN]);
    assert_eq!(printed(Arc::new(date)), format!("{} Milliseconds since 1970", i64::MIN));
    assert_eq!(
        printed(Arc::new(Date32Array::from(vec![i32::MAX]))).len(),
        "185542587187199999 Milliseconds since 1970".len()
    );
    let clock = Time64NanosecondArray::from(vec![-1]);
    assert_eq!(printed(Arc::new(clock)), "-1 Nanoseconds since midnight");
    let long = DurationSecondArray::from(vec![i64::MIN]);
    assert_eq!(printed(Arc::new(long)), "-PT9223372036854775808S");
    let interval = IntervalMonthDayNano::new(i32::MIN, i32::MIN, i64::MIN);
    assert!(
        printed(Arc::new(IntervalMonthDayNanoArray::from(vec![interval])))
            .starts_with("P-2147483648M")
    );
}

/// Each type of Arrow but for dictionaries, which print what they hold; with nulls, and with what zeros stand for.
#[test]
fn every_type_is_printed() {
    use DataType::*;
    let field = |data_type| Arc::new(Field::new("v", data_type, true));
    let zones = [None, Some("Europe/Berlin".into()), Some("Z".into())];
    let units =
        [TimeUnit::Second, TimeUnit::Millisecond, TimeUnit::Microsecond, TimeUnit::Nanosecond];
    let mut types = vec![
        Null,
        Boolean,
        Int8,
        Int16,
        Int32,
        Int64,
        UInt8,
        UInt16,
        UInt32,
        UInt64,
        Float16,
        Float32,
        Float64,
        Utf8,
        LargeUtf8,
        Utf8View,
        Binary,
        LargeBinary,
        BinaryView,
        FixedSizeBinary(3),
        Date32,
        Date64,
        Time32(TimeUnit::Second),
        Time32(TimeUnit::Millisecond),
        Time64(TimeUnit::Microsecond),
        Time64(TimeUnit::Nanosecond),
        Interval(IntervalUnit::YearMonth),
        Interval(IntervalUnit::DayTime),
        Interval(IntervalUnit::MonthDayNano),
        Decimal32(9, 2),
        Decimal64(18, 2),
        Decimal128(38, 10),
        Decimal256(76, 10),
        Decimal128(10, -2),
        Struct(Fields::from(vec![Field::new(
            "v",
            Timestamp(TimeUnit::Second, zones[1].clone()),
            true,
        )])),
        List(field(Float64)),
        LargeList(field(Utf8)),
        FixedSizeList(field(Int8), 2),
        ListView(field(Int8)),
        LargeListView(field(Int8)),
        Map(
            Arc::new(Field::new(
                "entries",
                Struct(Fields::from(vec![
                    Field::new("key", Utf8, false),
                    Field::new("value", Int64, true),
                ])),
                false,
            )),
            false,
        ),
    ];
    types.extend(units.into_iter().map(Duration));
    types
        .extend(units.into_iter().flat_map(|unit| zones.clone().map(|zone| Timestamp(unit, zone))));
    for data_type in types {
        let nulls = new_null_array(&data_type, 2);
        assert_eq!(printed(nulls.clone()), "", "{data_type}");
        // The same without its nulls.
        let data = nulls.to_data().into_builder().nulls(None).build();
        if let Ok(data) = data {
            let text = table(make_array(data)).to_string();
            assert_eq!(text.lines().count(), 6, "{data_type}: {text}");
        }
    }
    let runs: RunArray<Int32Type> = ["x"].into_iter().collect();
    assert_eq!(printed(Arc::new(runs)), "x");
    let mut union = UnionBuilder::new_dense();
    union.append::<Float64Type>("f", 1.5).unwrap();
    assert_eq!(printed(Arc::new(union.build().unwrap())), "1.5");
}
