//! `#[derive(Record)]`: structs of every kind as records.
#![cfg(feature = "derive")]

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::support::http::Server;
use influxdb3_blocking::{Client, ErrorKind, FieldValue, Precision, Record, Result, Timestamp};

fn written<R: Record<K>, K>(record: R) -> Result<String> {
    let server = Server::accepting();
    let client = Client::builder()
        .host(server.url())
        .database("db")
        .default_tag("site", "lab")
        .build()
        .unwrap();
    client.write(record).precision(Precision::Millisecond).send()?;
    Ok(server.requests().iter().map(|request| request.text()).collect())
}

#[derive(Clone, Record)]
struct HomeReading {
    temp: f64,
    #[influx(tag)]
    room: String,
    hum: Option<f32>,
    #[influx(tag)]
    floor: Option<i8>,
    #[influx(field, rename = "carbon monoxide")]
    co: u16,
    #[influx(skip)]
    #[allow(dead_code)]
    raw: Vec<u8>,
    r#type: &'static str,
    #[influx(time)]
    at: Timestamp,
}

fn reading() -> HomeReading {
    HomeReading {
        temp: 21.5,
        room: "Living Room".into(),
        hum: Some(0.1),
        floor: Some(-1),
        co: 4,
        raw: vec![1],
        r#type: "a \"b\"",
        at: Timestamp::micros(1_500),
    }
}

const LINE: &str = "home_reading,floor=-1,room=Living\\ Room,site=lab temp=21.5,hum=0.1,carbon\\ monoxide=4u,\
                    type=\"a \\\"b\\\"\" 1\n";

#[test]
fn a_struct_is_a_line_and_so_is_a_reference_to_it() {
    assert_eq!(written(reading()).unwrap(), LINE);
    let borrowed = reading();
    assert_eq!(written(&borrowed).unwrap(), LINE);
    let readings = vec![reading(), reading()];
    assert_eq!(written(&readings).unwrap(), LINE.repeat(2));
    assert_eq!(written(&readings[..]).unwrap(), LINE.repeat(2));
    assert_eq!(written(readings.iter().filter(|reading| reading.co == 4)).unwrap(), LINE.repeat(2));
    assert_eq!(written(readings).unwrap(), LINE.repeat(2));
}

#[test]
fn what_is_none_or_not_finite_is_left_out() {
    let reading =
        HomeReading { hum: None, floor: None, temp: f64::NAN, room: String::new(), ..reading() };
    assert_eq!(
        written(reading).unwrap(),
        "home_reading,site=lab carbon\\ monoxide=4u,type=\"a \\\"b\\\"\" 1\n"
    );
}

#[test]
fn a_value_that_cannot_be_written_is_told_by_record_and_name() {
    let readings = [reading(), HomeReading { room: "two\nlines".into(), ..reading() }];
    let error = written(&readings).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRecord);
    let message = error.to_string();
    assert!(message.starts_with("record 2: measurement \"home_reading\": the value"), "{message}");
    assert!(message.contains("of the tag \"room\" contains a newline"), "{message}");
}

#[test]
fn every_type_of_the_language_has_its_place() {
    enum Quality {
        Good,
    }
    impl From<&Quality> for FieldValue<'_> {
        fn from(quality: &Quality) -> Self {
            match quality {
                Quality::Good => "good".into(),
            }
        }
    }
    struct Id(u32);
    impl std::fmt::Display for Id {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(f, "id-{:04}", self.0)
        }
    }
    #[derive(Record)]
    struct Everything<'a> {
        #[influx(measurement)]
        name: Cow<'a, str>,
        #[influx(tag)]
        a: &'a str,
        #[influx(tag)]
        b: Option<Arc<str>>,
        #[influx(tag)]
        c: bool,
        #[influx(tag)]
        d: char,
        #[influx(tag)]
        e: u64,
        #[influx(tag, display)]
        f: Id,
        #[influx(tag, display)]
        g: Option<Id>,
        text: &'a str,
        owned: String,
        maybe: Option<String>,
        character: char,
        quality: Quality,
        maybe_quality: Option<Quality>,
        since: Timestamp,
        #[influx(time, unit = "s")]
        time: Option<u32>,
    }
    let everything = |time| Everything {
        name: "m 1".into(),
        a: "a",
        b: Some("b".into()),
        c: true,
        d: 'd',
        e: u64::MAX,
        f: Id(7),
        g: None,
        text: "t",
        owned: "o".into(),
        maybe: None,
        character: 'x',
        quality: Quality::Good,
        maybe_quality: Some(Quality::Good),
        since: Timestamp::seconds(0),
        time,
    };
    let expected = "m\\ 1,a=a,b=b,c=true,d=d,e=18446744073709551615,f=id-0007,site=lab text=\"t\",owned=\"o\",\
                    character=\"x\",quality=\"good\",maybe_quality=\"good\",since=\"1970-01-01T00:00:00Z\"";
    assert_eq!(written(everything(Some(5))).unwrap(), format!("{expected} 5000\n"));
    assert_eq!(written(everything(None)).unwrap(), format!("{expected}\n"));
}

#[test]
fn generic_structs_are_records_where_their_types_can_be_written() {
    #[derive(Record)]
    #[influx(measurement = "m")]
    struct Generic<'a, T, L, C: Clone, const N: usize> {
        #[influx(tag)]
        label: L,
        value: T,
        last: Option<T>,
        #[influx(skip)]
        #[allow(dead_code)]
        skipped: [&'a T; N],
        #[influx(time)]
        time: C,
    }
    let time: SystemTime = UNIX_EPOCH + Duration::from_millis(5);
    let value = 1.5;
    let record = Generic { label: "x", value, last: Some(2.5), skipped: [&value; 2], time };
    assert_eq!(written(&record).unwrap(), "m,label=x,site=lab value=1.5,last=2.5 5\n");
    let record = Generic {
        label: String::from("y"),
        value: true,
        last: None,
        skipped: [],
        time: chrono::DateTime::from_timestamp_millis(7).unwrap(),
    };
    assert_eq!(written(record).unwrap(), "m,label=y,site=lab value=true 7\n");
}

/// The macro says where the crate is by its path from the root, which a user can change.
#[test]
fn the_crate_may_go_by_another_name() {
    mod renamed {
        pub(super) use influxdb3_blocking as client;
    }
    #[derive(Record)]
    #[influx(crate = renamed::client)]
    struct Short {
        f: i64,
    }
    assert_eq!(written(Short { f: 1 }).unwrap(), "short,site=lab f=1i\n");
}
