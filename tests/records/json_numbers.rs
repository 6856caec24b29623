//! Numbers and keys of JSON records, which are the same bytes whatever features of `serde_json` are on.
#![cfg(feature = "serde")]

use crate::support::http::Server;
use influxdb3_blocking::{Client, Precision, Record, Structs};

fn written<K>(record: impl Record<K>) -> String {
    let server = Server::accepting();
    let client = Client::builder().host(server.url()).database("db").build().unwrap();
    client.write(record).precision(Precision::Second).send().unwrap();
    server.requests().iter().map(|request| request.text()).collect()
}

const NUMBERS: [(&str, &str); 9] = [
    ("1.50", "1.5"),
    ("-0", "-0.0"),
    ("0", "0i"),
    ("7", "7i"),
    ("-7", "-7i"),
    ("18446744073709551615", "18446744073709551615u"),
    ("1e3", "1000.0"),
    ("1.25E-2", "0.0125"),
    ("72.5", "72.5"),
];

#[test]
fn numbers_of_records_are_known_by_their_value() {
    for (number, field) in NUMBERS {
        let text = format!("{{\"measurement\":\"m\",\"fields\":{{\"f\":{number}}},\"time\":1.0}}");
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(written(&value), format!("m f={field} 1\n"), "{number}");
        let text = format!(
            "{{\"measurement\":\"m\",\"tags\":{{\"t\":{number}}},\"fields\":{{\"f\":1}},\"time\":1e1}}"
        );
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        let tag = field.trim_end_matches(['i', 'u']);
        assert_eq!(written(&value), format!("m,t={tag} f=1i 10\n"), "{number}");
    }
}

#[test]
fn numbers_within_structs_are_known_by_their_value() {
    for (number, field) in NUMBERS {
        let value: serde_json::Value =
            serde_json::from_str(&format!("[{{\"f\":{number},\"time\":5}}]")).unwrap();
        // To serde, an integer without a sign has none.
        let field = match field.strip_suffix('i') {
            Some(digits) if !digits.starts_with('-') => format!("{digits}u"),
            _ => field.to_owned(),
        };
        let items = value.as_array().unwrap();
        assert_eq!(
            written(Structs::new(items).measurement("m")),
            format!("m f={field} 5\n"),
            "{number}"
        );
    }
}

#[test]
fn fields_are_written_in_the_order_of_their_keys() {
    let text =
        r#"{"measurement":"m","fields":{"c":1,"a":2,"b":3},"tags":{"y":"1","x":"2"},"time":1}"#;
    let value: serde_json::Value = serde_json::from_str(text).unwrap();
    assert_eq!(written(&value), "m,x=2,y=1 a=2i,b=3i,c=1i 1\n");
}
