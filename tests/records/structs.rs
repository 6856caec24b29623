//! Anything that is `Serialize` as records.
#![cfg(feature = "serde")]

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, UNIX_EPOCH};

use crate::support::http::Server;
use influxdb3_blocking::{Client, Error, ErrorKind, Precision, Record, Result, Structs, Timestamp};
use serde::Serialize;

fn written<R: Record<K>, K>(record: R) -> Result<String> {
    let server = Server::accepting();
    let client = Client::builder().host(server.url()).database("db").build().unwrap();
    client.write(record).precision(Precision::Millisecond).send()?;
    Ok(server.requests().iter().map(|request| request.text()).collect())
}

#[derive(Clone, Serialize)]
struct Home {
    room: String,
    temp: f64,
    hum: Option<f32>,
    co: i8,
    serial: u64,
    ok: bool,
    letter: char,
    state: State,
    inner: Wrapped,
    time: i64,
}

#[derive(Clone, Serialize)]
enum State {
    Open,
    Bad(i64),
}

#[derive(Clone, Serialize)]
struct Wrapped(i64);

fn home() -> Home {
    Home {
        room: "Living Room".into(),
        temp: 21.5,
        hum: Some(0.1),
        co: -3,
        serial: u64::MAX,
        ok: true,
        letter: 'ü',
        state: State::Open,
        inner: Wrapped(5),
        time: 7,
    }
}

const REST: &str =
    "co=-3i,serial=18446744073709551615u,ok=true,letter=\"ü\",state=\"Open\",inner=5i";

#[test]
fn a_struct_is_a_line_with_its_types() {
    let items = [home(), Home { hum: None, temp: f64::NAN, ..home() }];
    let expected = format!(
        "home,room=Living\\ Room temp=21.5,hum=0.1,{REST} 7\nhome,room=Living\\ Room {REST} 7\n"
    );
    let whole = || Structs::new(&items).measurement("home").tags(["room"]).time_key("time");
    assert_eq!(written(whole()).unwrap(), expected);
    // Without a key for the time it is the usual one.
    assert_eq!(
        written(Structs::new(&items[..]).measurement("home").tags(["room"])).unwrap(),
        expected
    );
    assert_eq!(
        written(Structs::new(items.iter().cloned()).measurement("home").tags(["room"])).unwrap(),
        expected
    );
    let seconds =
        Structs::new(&items[..1]).measurement("home").tags(["room"]).date_unit(Precision::Second);
    assert!(written(seconds).unwrap().ends_with(" 7000\n"));
    let some = Structs::new(&items[..1]).measurement("home").fields(["co", "temp"]);
    assert_eq!(written(some).unwrap(), "home temp=21.5,co=-3i 7\n");
}

#[test]
fn maps_are_lines_and_may_differ() {
    let item = |entries: &[(&str, i64)]| -> BTreeMap<String, i64> {
        entries.iter().map(|(key, value)| ((*key).to_owned(), *value)).collect()
    };
    let items = vec![item(&[("a", 1), ("t", 2)]), item(&[("b", 3)]), item(&[("t", 4)])];
    // The last one has no field.
    assert_eq!(
        written(Structs::new(&items).measurement("m").tags(["t"])).unwrap(),
        "m,t=2 a=1i\nm b=3i\n"
    );
    let keyed: HashMap<u8, f64> = [(7, 1.5)].into();
    assert_eq!(written(Structs::new([keyed]).measurement("m")).unwrap(), "m 7=1.5\n");
}

#[test]
fn flattened_and_optional_items_are_lines() {
    #[derive(Serialize)]
    struct Outer {
        #[serde(flatten)]
        inner: Inner,
        #[serde(flatten)]
        more: BTreeMap<String, f64>,
        #[serde(rename = "time")]
        at: &'static str,
    }
    #[derive(Serialize)]
    struct Inner {
        host: &'static str,
        load: Option<f64>,
    }
    let more = [("x y".to_owned(), 2.0)].into();
    let item =
        Outer { inner: Inner { host: "a,b", load: Some(0.5) }, more, at: "1970-01-01T00:00:01Z" };
    assert_eq!(
        written(Structs::new([Some(&item)]).measurement("m").tags(["host"])).unwrap(),
        "m,host=a\\,b load=0.5,x\\ y=2.0 1000\n"
    );
}

#[test]
fn the_measurement_is_where_the_key_is() {
    #[derive(Serialize)]
    struct Item {
        value: i64,
        kind: &'static str,
        #[serde(rename = "iox::measurement")]
        iox: &'static str,
        measurement: &'static str,
    }
    let items = [Item { value: 1, kind: "k", iox: "i", measurement: "m" }];
    assert_eq!(
        written(Structs::new(&items)).unwrap(),
        "m value=1i,kind=\"k\",iox::measurement=\"i\"\n"
    );
    assert_eq!(
        written(Structs::new(&items).measurement("x")).unwrap(),
        "x value=1i,kind=\"k\",iox::measurement=\"i\",measurement=\"m\"\n"
    );
    assert_eq!(
        written(Structs::new(&items).measurement_key("kind")).unwrap(),
        "k value=1i,iox::measurement=\"i\",measurement=\"m\"\n"
    );
    assert_eq!(
        written(Structs::new(&items).measurement("x").tags(["measurement"])).unwrap(),
        "x,measurement=m value=1i,kind=\"k\",iox::measurement=\"i\"\n"
    );
}

#[test]
fn a_measurement_that_is_null_leaves_it_to_another_key() {
    #[derive(Serialize)]
    struct Item {
        measurement: Option<&'static str>,
        #[serde(rename = "iox::measurement")]
        iox: Option<&'static str>,
        value: i64,
    }
    let item = |measurement, iox| Item { measurement, iox, value: 1 };
    let items = [item(None, Some("i")), item(Some("m"), Some("i")), item(Some("m"), None)];
    assert_eq!(
        written(Structs::new(&items)).unwrap(),
        "i value=1i\nm iox::measurement=\"i\",value=1i\nm value=1i\n"
    );
    // The same when the better key comes last.
    let map = |pairs: [(&str, Option<&str>); 2]| {
        let pairs = pairs.map(|(key, value)| (key.to_owned(), value.map(str::to_owned)));
        let mut map = BTreeMap::from(pairs);
        map.insert("value".to_owned(), Some("x".to_owned()));
        map
    };
    let maps = [
        map([("iox::measurement", Some("i")), ("measurement", None)]),
        map([("iox::measurement", Some("i")), ("measurement", Some("m"))]),
    ];
    assert_eq!(
        written(Structs::new(&maps)).unwrap(),
        "i value=\"x\"\nm iox::measurement=\"i\",value=\"x\"\n"
    );
    let error = written(Structs::new([item(None, None)])).unwrap_err();
    assert!(error.to_string().contains("names no measurement"), "{error}");
}

#[test]
fn every_kind_of_time_is_a_time() {
    fn line(time: impl Serialize) -> String {
        #[derive(Serialize)]
        struct Item<T> {
            f: bool,
            time: T,
        }
        written(Structs::new([Item { f: true, time }]).measurement("m")).unwrap()
    }
    const EXPECTED: &str = "m f=true 1641024000123\n";
    let nanos = 1_641_024_000_123_456_789;
    assert_eq!(line(Timestamp::nanos(nanos)), EXPECTED);
    assert_eq!(line(Some(Timestamp::nanos(nanos))), EXPECTED);
    assert_eq!(line(UNIX_EPOCH + Duration::from_nanos(nanos as u64)), EXPECTED);
    assert_eq!(line(1_641_024_000_123_i64), EXPECTED);
    assert_eq!(line("2022-01-01T09:00:00.123456+01:00"), EXPECTED);
    let chrono = chrono::DateTime::from_timestamp_nanos(nanos);
    assert_eq!(line(chrono), EXPECTED);
    assert_eq!(line(chrono.naive_utc()), EXPECTED);
    assert_eq!(
        line(chrono.with_timezone(&chrono::FixedOffset::east_opt(-3600).unwrap())),
        EXPECTED
    );
    assert_eq!(line(chrono.date_naive()), "m f=true 1640995200000\n");
    let jiff = jiff::Timestamp::from_nanosecond(nanos.into()).unwrap();
    assert_eq!(line(jiff), EXPECTED);
    assert_eq!(line(jiff.to_zoned(jiff::tz::TimeZone::fixed(jiff::tz::offset(5)))), EXPECTED);
    let time = time::OffsetDateTime::from_unix_timestamp_nanos(nanos.into()).unwrap();
    assert_eq!(line(time), EXPECTED);
    assert_eq!(line(time.to_offset(time::UtcOffset::from_hms(-3, -30, 0).unwrap())), EXPECTED);
    assert_eq!(line(time::PrimitiveDateTime::new(time.date(), time.time())), EXPECTED);
    for days in [-800_000, -1, 0, 59, 60, 365, 11_016, 19_000] {
        let time = time::OffsetDateTime::UNIX_EPOCH + time::Duration::days(days);
        let at = |expected: i64| format!("m f=true {expected}\n");
        if days > -100_000 {
            assert_eq!(line(time), at(days * 86_400_000));
        }
    }
}

/// The crate `time` serializes a date with its time of day as a tuple of these numbers, but each has its own type.
#[test]
fn an_array_is_never_taken_for_a_time_whatever_its_values() {
    #[derive(Serialize)]
    struct Item<T> {
        f: bool,
        numbers: T,
    }
    fn refused(numbers: impl Serialize) {
        let item = Item { f: true, numbers };
        let error = written(Structs::new([item]).measurement("m")).unwrap_err().to_string();
        assert!(error.contains("record 1: the key \"numbers\": "), "{error}");
        assert!(error.contains("is nested"), "{error}");
    }
    // The first instant of 2022, had `time` serialized it.
    refused([2022_i16, 1, 0, 0, 0, 0]);
    refused([2022_i32, 1, 0, 0, 0, 0]);
    refused([2022_i64, 1, 0, 0, 0, 0]);
    refused([2022_u32, 1, 0, 0, 0, 0, 0, 0, 0]);
    refused([22_i8, 1, 0, 0, 0, 0, 0, 0, 0]);
    refused((2022, 1, 0, 0, 0, 0));
    refused((2022_i32, 1_u16, 0_u8, 0_u8, 0_u8, 0_u32, 0_i8));
    refused((2022_i32, 1_u16, 0_u8, 0_u8, 0_u8, Some(0_u32)));
    // No time, though of the right types.
    refused((2022_i32, 400_u16, 0_u8, 0_u8, 0_u8, 0_u32));
    refused((2022_i32, 1_u16, 24_u8, 0_u8, 0_u8, 0_u32));
    refused((2022_i32, 1_u16, 0_u8, 0_u8, 0_u8, u32::MAX));

    // A struct of the caller's that has the name of the standard library's.
    #[derive(Serialize)]
    struct SystemTime {
        hours: i64,
        minutes: i64,
    }
    refused(SystemTime { hours: 1, minutes: 2 });
}

#[test]
fn a_time_that_is_a_field_is_text() {
    #[derive(Serialize)]
    struct Item {
        seen: Timestamp,
        at: time::OffsetDateTime,
    }
    let item = Item { seen: Timestamp::millis(1500), at: time::OffsetDateTime::UNIX_EPOCH };
    assert_eq!(
        written(Structs::new([item]).measurement("m")).unwrap(),
        "m seen=\"1970-01-01T00:00:01.500Z\",at=\"1970-01-01T00:00:00Z\"\n"
    );
}

#[test]
fn a_tag_that_no_item_has_is_an_error_as_it_is_a_typing_error() {
    #[derive(Serialize)]
    struct Item {
        #[serde(skip_serializing_if = "Option::is_none")]
        room: Option<&'static str>,
        temp: f64,
    }
    let items = [Item { room: Some("Kitchen"), temp: 1.0 }, Item { room: None, temp: 2.0 }];
    let tags =
        |items, tags: [&'static str; 1]| written(Structs::new(items).measurement("m").tags(tags));
    let error = tags(&items[..], ["rooom"]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRecord);
    let message = error.to_string();
    assert!(message.contains("tags names the key \"rooom\", which no item has"), "{message}");
    assert!(message.contains("the keys are \"room\", \"temp\""), "{message}");
    assert_eq!(tags(&items[..], ["room"]).unwrap(), "m,room=Kitchen temp=1.0\nm temp=2.0\n");
    // A field that serde leaves out is there all the same, and of no items nothing is known.
    assert_eq!(tags(&items[1..], ["room"]).unwrap(), "m temp=2.0\n");
    assert_eq!(tags(&items[..0], ["rooom"]).unwrap(), "");

    // What has a default need not be there.
    let server = Server::accepting();
    let client = Client::builder()
        .host(server.url())
        .database("db")
        .default_tag("site", "lab")
        .build()
        .unwrap();
    client.write(Structs::new(&items[1..]).measurement("m").tags(["site"])).send().unwrap();
    assert_eq!(server.requests()[0].text(), "m,site=lab temp=2.0\n");
}

#[test]
fn default_tags_are_added_and_the_item_wins() {
    let server = Server::accepting();
    let client = Client::builder()
        .host(server.url())
        .database("db")
        .default_tag("site", "lab")
        .default_tag("a", "1")
        .tag_order(["site"])
        .build()
        .unwrap();
    let items = [
        BTreeMap::from([("site", Some("own")), ("f", Some("x"))]),
        BTreeMap::from([("site", None), ("f", Some("y"))]),
    ];
    client.write(Structs::new(&items).measurement("m").tags(["site"])).send().unwrap();
    assert_eq!(server.requests()[0].text(), "m,site=own,a=1 f=\"x\"\nm,site=lab,a=1 f=\"y\"\n");
    let error = client.write(Structs::new(&items).measurement("m")).send().unwrap_err();
    assert!(error.to_string().contains("\"site\" is both a tag and a field"), "{error}");
}

#[test]
fn what_cannot_be_a_line_is_named_by_its_key() {
    #[derive(Serialize)]
    struct Item<T> {
        bad: T,
        f: i64,
    }
    fn refused(bad: impl Serialize) -> String {
        let error = written(Structs::new([Item { bad, f: 1 }]).measurement("m")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRecord);
        error.to_string()
    }
    for error in [
        refused([1, 2]),
        refused(vec![1]),
        refused(BTreeMap::from([("x", 1)])),
        refused(home()),
        refused(State::Bad(1)),
        refused(u128::MAX),
        refused((1, 2, 3)),
        refused(("x", 2, 3, 4, 5, 6)),
    ] {
        assert!(error.contains("record 1: the key \"bad\": "), "{error}");
    }
    let tag = |value: &'static str| {
        written(Structs::new([Item { bad: value, f: 1 }]).measurement("m").tags(["bad"]))
            .unwrap_err()
            .to_string()
    };
    assert!(tag("a\nb").contains("the key \"bad\": the value"), "{}", tag("a\nb"));
    fn refused_item(
        set: impl FnOnce(Structs<[Item<bool>; 1]>) -> Structs<[Item<bool>; 1]>,
    ) -> Error {
        written(set(Structs::new([Item { bad: true, f: 1 }]))).unwrap_err()
    }
    for (error, words) in [
        (written(Structs::new([1])).unwrap_err(), "not a number"),
        (refused_item(|items| items), "names no measurement"),
        (refused_item(|items| items.measurement("m").time_key("at")), "no time at the key \"at\""),
        (
            refused_item(|items| items.measurement("m").time_key("bad")),
            "the key \"bad\": true is no timestamp",
        ),
        (refused_item(|items| items.measurement("")), "the measurement \"\" is empty"),
    ] {
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[test]
fn a_key_that_is_there_twice_is_an_error() {
    struct Twice(&'static str);
    impl Serialize for Twice {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            use serde::ser::SerializeMap;
            let mut map = serializer.serialize_map(None)?;
            map.serialize_entry(self.0, "x")?;
            map.serialize_entry("between", "x")?;
            map.serialize_entry(self.0, "y")?;
            map.end()
        }
    }
    for key in ["f", "t"] {
        let error = written(Structs::new([Twice(key)]).measurement("m").tags(["t"])).unwrap_err();
        assert!(error.to_string().contains("twice"), "{error}");
    }
}
