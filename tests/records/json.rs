//! JSON objects as records, as the reference's dictionaries are.

use crate::support::http::Server;
use influxdb3_blocking::{Client, ErrorKind, Precision, Result};
use serde_json::{Value, json};

fn written(record: Value) -> Result<String> {
    let server = Server::accepting();
    let client = Client::builder().host(server.url()).database("db").build().unwrap();
    client.write(record).precision(Precision::Second).send()?;
    Ok(server.requests().iter().map(|request| request.text()).collect())
}

#[test]
fn the_dictionary_of_the_reference_is_a_record() {
    let record = json!({
        "measurement": "home",
        "tags": {"room": "Living Room", "floor": 2, "on": true, "none": null, "empty": ""},
        "fields": {"temp": 72.2, "co": 4, "large": u64::MAX, "ok": true, "note": "a \"b\"", "none": null, "e": 1e3},
        "time": 1641067200,
    });
    let expected = "home,floor=2,on=true,room=Living\\ Room co=4i,e=1000.0,large=18446744073709551615u,\
                    note=\"a \\\"b\\\"\",ok=true,temp=72.2 1641067200\n";
    assert_eq!(written(record.clone()).unwrap(), expected);
    assert_eq!(written(json!([record, record])).unwrap(), expected.repeat(2));
    assert_eq!(written(json!([])).unwrap(), "");
}

#[test]
fn a_map_and_a_borrowed_value_are_records_too() {
    let server = Server::accepting();
    let client = Client::builder().host(server.url()).database("db").build().unwrap();
    let value = json!({"measurement": "m", "fields": {"f": 1}});
    client.write(&value).send().unwrap();
    client.write(value.as_object().unwrap()).send().unwrap();
    client.write(vec![value.clone(), value]).send().unwrap();
    let sent: Vec<String> = server.requests().iter().map(|request| request.text()).collect();
    assert_eq!(sent, ["m f=1i\n", "m f=1i\n", "m f=1i\nm f=1i\n"]);
}

#[test]
fn times_are_integers_in_the_precision_or_text() {
    for (time, expected) in [
        (json!(7), " 7"),
        (json!(-7), " -7"),
        (json!("1641024000"), " 1641024000"),
        (json!("-7.5"), " -8"),
        (json!(1_641_024_000.9), " 1641024000"),
        (json!("2022-01-01T08:00:00Z"), " 1641024000"),
        (json!("2022-01-01 09:00:00.9+01:00"), " 1641024000"),
        (json!(null), ""),
    ] {
        let record = json!({"measurement": "m", "fields": {"f": true}, "time": time});
        assert_eq!(written(record).unwrap(), format!("m f=true{expected}\n"));
    }
}

#[test]
fn what_does_not_fit_is_named_by_its_key() {
    for (record, named) in [
        (json!({"fields": {"f": 1}}), "\"measurement\""),
        (json!({"measurement": 1, "fields": {"f": 1}}), "\"measurement\""),
        (json!({"measurement": "m"}), "\"fields\""),
        (json!({"measurement": "m", "fields": [1]}), "\"fields\""),
        (json!({"measurement": "m", "fields": {}}), "no fields"),
        (json!({"measurement": "m", "fields": {"f": null}}), "no fields"),
        (json!({"measurement": "m", "fields": {"f": {"x": 1}}}), "\"fields.f\""),
        (json!({"measurement": "m", "fields": {"f": [1]}}), "\"fields.f\""),
        (json!({"measurement": "m", "tags": {"t": [1]}, "fields": {"f": 1}}), "\"tags.t\""),
        (json!({"measurement": "m", "tags": "t", "fields": {"f": 1}}), "\"tags\""),
        (json!({"measurement": "m", "fields": {"f": 1}, "time": 1.5e300}), "\"time\""),
        (json!({"measurement": "m", "fields": {"f": 1}, "time": true}), "\"time\""),
        (
            json!({"measurement": "m", "fields": {"f": 1}, "time": "2022-07-01T08:00:00[Europe/Berlin]"}),
            "no offset from UTC",
        ),
        (json!({"measurement": "m", "fields": {"f": 1}, "time": "soon"}), "\"time\""),
        (json!({"measurement": "m", "fields": {"f": 1}, "time": i64::MAX}), "1677 to 2262"),
        (json!({"measurement": "m", "field": {"f": 1}}), "\"field\""),
        (json!("m f=1"), "a text"),
        (json!(null), "null"),
        (json!([{"measurement": "m", "fields": {"f": 1}}, 7]), "record 2: "),
    ] {
        let error = written(record.clone()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRecord, "{record}");
        assert!(error.to_string().contains(named), "{record}: {error}");
    }
}
