//! What can be a parameter, and what becomes of it.
#![cfg(feature = "query")]

use std::borrow::Cow;
use std::sync::Arc;

use influxdb3_blocking::{Client, ErrorKind, Param, Timestamp};
use influxdb3_dev_server::DevServer;

/// The start of the table `m`, in seconds.
const START: i64 = 1_641_024_000;

fn server() -> (DevServer, Client) {
    let server = DevServer::start().unwrap();
    let client = Client::builder().host(server.url()).database("db").build().unwrap();
    let lines: String = (0..3)
        .map(|n| format!("m,t={n} i={n}i,s=\"{n}\" {}\n", (START + n) * 1_000_000_000))
        .collect();
    client.write(lines).send().unwrap();
    (server, client)
}

/// The `i` of the rows for which the condition holds.
fn found(client: &Client, condition: &str, value: impl Into<Param>) -> Vec<i64> {
    let sql = format!("SELECT i FROM m WHERE {condition} ORDER BY time");
    let table = client.query(sql).param("p", value).table().unwrap();
    table.values("i").unwrap().collect::<Result<_, _>>().unwrap()
}

#[test]
fn integers_of_any_width_and_texts_of_any_owner_find_their_rows() {
    let (_server, client) = server();
    assert_eq!(found(&client, "i = $p", 1_usize), [1]);
    assert_eq!(found(&client, "i = $p", 1_isize), [1]);
    assert_eq!(found(&client, "i > $p", -1_isize), [0, 1, 2]);
    assert_eq!(found(&client, "i = $p", Some(2_usize)), [2]);
    assert!(found(&client, "i = $p", None::<isize>).is_empty());
    let shared: Arc<str> = "1".into();
    assert_eq!(found(&client, "t = $p", &shared), [1]);
    assert_eq!(found(&client, "t = $p", Some(Arc::clone(&shared))), [1]);
    assert_eq!(found(&client, "t = $p", shared), [1]);
    assert_eq!(found(&client, "t = $p", Box::<str>::from("2")), [2]);
    assert_eq!(found(&client, "t = $p", Cow::Borrowed("2")), [2]);
    assert_eq!(found(&client, "t = $p", Some(Cow::<str>::Owned("0".into()))), [0]);
    assert_eq!(found(&client, "t = $p", '1'), [1]);
}

#[test]
fn times_of_every_crate_find_their_rows() {
    let (_server, client) = server();
    let time = Timestamp::seconds(START + 1);
    assert_eq!(found(&client, "time = $p::timestamp", time), [1]);
    assert_eq!(found(&client, "time > $p::timestamp", Some(time)), [2]);
    let system = std::time::UNIX_EPOCH + std::time::Duration::from_secs(START as u64);
    assert_eq!(found(&client, "time > $p::timestamp", system), [1, 2]);
    #[cfg(feature = "chrono")]
    {
        let there = chrono::FixedOffset::east_opt(7_200).unwrap();
        let time = chrono::DateTime::from_timestamp(START + 1, 0).unwrap().with_timezone(&there);
        assert_eq!(found(&client, "time = $p::timestamp", time), [1]);
        assert_eq!(found(&client, "time = $p::timestamp", Some(time.to_utc())), [1]);
    }
    #[cfg(feature = "jiff")]
    {
        let time = jiff::Timestamp::from_second(START + 1).unwrap();
        let zoned = time.to_zoned(jiff::tz::TimeZone::fixed(jiff::tz::offset(2)));
        assert_eq!(found(&client, "time = $p::timestamp", time), [1]);
        assert_eq!(found(&client, "time = $p::timestamp", &zoned), [1]);
        assert_eq!(found(&client, "time = $p::timestamp", Some(zoned)), [1]);
    }
    #[cfg(feature = "time")]
    {
        let time = time::OffsetDateTime::from_unix_timestamp(START + 1).unwrap();
        let there = time.to_offset(time::UtcOffset::from_hms(2, 0, 0).unwrap());
        assert_eq!(found(&client, "time = $p::timestamp", there), [1]);
    }
}

#[test]
fn a_number_that_json_lacks_is_refused_and_the_text_says_why() {
    let client = Client::builder().host("http://127.0.0.1:1").database("db").build().unwrap();
    for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let error = client.query("SELECT $p").param("p", number).table().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        let text = error.to_string();
        assert!(text.contains("JSON") && text.contains("use None for null"), "{text}");
        assert!(!text.contains("protocol"), "{text}");
    }
}
