//! JSON, appended to bytes.

use super::param::ParamValue;
use crate::query::time_units::rfc3339;

/// The value of a parameter. It is one that [`Statement::set`](super::Statement::set) has accepted: floats are finite, and
/// times have a text.
pub(super) fn push_value(json: &mut Vec<u8>, value: &ParamValue) {
    match value {
        ParamValue::Null => json.extend_from_slice(b"null"),
        ParamValue::Bool(true) => json.extend_from_slice(b"true"),
        ParamValue::Bool(false) => json.extend_from_slice(b"false"),
        ParamValue::Signed(number) => {
            json.extend_from_slice(itoa::Buffer::new().format(*number).as_bytes());
        }
        ParamValue::Unsigned(number) => {
            json.extend_from_slice(itoa::Buffer::new().format(*number).as_bytes());
        }
        ParamValue::Double(number) => {
            json.extend_from_slice(zmij::Buffer::new().format_finite(*number).as_bytes());
        }
        ParamValue::Single(number) => {
            json.extend_from_slice(zmij::Buffer::new().format_finite(*number).as_bytes());
        }
        ParamValue::Text(text) => push_text(json, text),
        // `set` refuses times without a text, so that the default is never used.
        ParamValue::Time(time) => push_text(json, &rfc3339(*time).unwrap_or_default()),
    }
}

/// A string in quotes, escaped. Beyond ASCII nothing is: JSON is UTF-8.
pub(super) fn push_text(json: &mut Vec<u8>, text: &str) {
    json.push(b'"');
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => json.extend_from_slice(&[b'\\', byte]),
            b'\n' => json.extend_from_slice(b"\\n"),
            b'\r' => json.extend_from_slice(b"\\r"),
            b'\t' => json.extend_from_slice(b"\\t"),
            0..0x20 => json.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            _ => json.push(byte),
        }
    }
    json.push(b'"');
}
