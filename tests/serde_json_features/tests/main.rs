//! The tests of files and records of JSON with `arbitrary_precision` and `preserve_order`: no byte may be another one.

#![allow(dead_code, unreachable_pub)] // in what is shared with other tests

#[path = "../../files/digits.rs"]
mod digits;
#[path = "../../records/json.rs"]
mod json;
#[path = "../../records/json_numbers.rs"]
mod json_numbers;
#[path = "../../files/options.rs"]
mod options;
#[path = "../../random/mod.rs"]
mod random;
#[path = "../../support"]
mod support {
    pub(crate) mod http;
}
#[path = "../../files/untidy_text.rs"]
mod untidy_text;

#[test]
fn the_features_are_on() {
    let value: serde_json::Value = serde_json::from_str("{\"b\":1.50,\"a\":1}").unwrap();
    assert_eq!(value.to_string(), "{\"b\":1.50,\"a\":1}");
}
