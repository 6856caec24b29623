//! Times in every format of serde.
#![cfg(feature = "serde")]
#![allow(clippy::unwrap_used)] // in functions beside the tests

use influxdb3_blocking::Timestamp;
use serde::{Deserialize, Serialize};

#[derive(Debug, Deserialize, PartialEq, Serialize)]
struct Reading {
    time: Timestamp,
    before: Option<Timestamp>,
}

fn times() -> impl Iterator<Item = Timestamp> {
    let second = std::time::Duration::from_secs(1);
    [
        Timestamp::MIN,
        Timestamp::nanos(-1),
        Timestamp::seconds(0),
        Timestamp::nanos(1_641_024_000_123_456_789),
        Timestamp::MAX,
        Timestamp::MAX + second,
        Timestamp::seconds(i64::MIN),
        Timestamp::seconds(i64::MAX),
    ]
    .into_iter()
}

#[test]
fn a_time_comes_back_from_a_format_that_people_read() {
    for time in times() {
        let reading = Reading { time, before: Some(time) };
        let text = serde_json::to_string(&reading).unwrap();
        assert_eq!(serde_json::from_str::<Reading>(&text).unwrap(), reading, "{text}");
        let value = serde_json::to_value(&reading).unwrap();
        assert_eq!(serde_json::from_value::<Reading>(value).unwrap(), reading);
        assert_eq!(text.matches(&format!("\"{time}\"")).count(), 2, "{text}");
    }
    let read = |text: &str| serde_json::from_str::<Timestamp>(text);
    assert_eq!(read("\"2022-01-01T09:00:00+01:00\"").unwrap(), Timestamp::seconds(1_641_024_000));
    assert_eq!(serde_json::to_string(&Timestamp::seconds(0)).unwrap(), "\"1970-01-01T00:00:00Z\"");
    let error = read("\"1641024000\"").unwrap_err().to_string();
    assert!(error.contains("is a number without a unit"), "{error}");
    assert_eq!(read("1500").unwrap(), Timestamp::nanos(1500), "as others write it");
    assert!(read("[1, 2]").is_err());
}

#[test]
fn a_time_comes_back_from_a_binary_format() {
    for time in times() {
        let reading = Reading { time, before: None };
        let bytes = postcard::to_allocvec(&reading).unwrap();
        assert_eq!(postcard::from_bytes::<Reading>(&bytes).unwrap(), reading);
        assert!(bytes.len() < 20, "no text: {bytes:?}");
    }
    assert!(postcard::from_bytes::<Timestamp>(&[]).is_err());
}
