//! What is asked: the language, the parameters, and the JSON that carries them.

use std::borrow::Cow;
use std::time::SystemTime;

use super::time_units::rfc3339;
use crate::Timestamp;

/// The language of a query.
///
/// ```no_run
/// # let client = influxdb3_blocking::Client::from_env()?;
/// use influxdb3_blocking::Language;
///
/// let query = client.query("SELECT MEAN(temp) FROM home");
/// let table = query.language(Language::InfluxQl).table()?;
/// # Ok::<_, influxdb3_blocking::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Language {
    /// SQL.
    #[default]
    Sql,
    /// InfluxQL.
    InfluxQl,
}

impl Language {
    fn name(self) -> &'static str {
        match self {
            Self::Sql => "sql",
            Self::InfluxQl => "influxql",
        }
    }
}

/// The value of a query parameter.
///
/// Made from `bool`, integers, floats, `char`, text (`&str`, `String`, `Box<str>`, `Arc<str>`, `Cow<str>`), [`Timestamp`],
/// `SystemTime` and, with the features of these names, the instants of chrono, jiff and time, and from an `Option` of
/// these, `None` being null. Times are sent as text in UTC, which the server compares with its times.
///
/// ```no_run
/// # fn main() -> Result<(), influxdb3_blocking::Error> {
/// # let client = influxdb3_blocking::Client::from_env()?;
/// let table = client
///     .query("SELECT * FROM home WHERE room = $room AND temp > $limit")
///     .param("room", "Kitchen")
///     .param("limit", 21.5)
///     .table()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Param(Value);

#[derive(Clone, Debug, PartialEq)]
enum Value {
    Null,
    Bool(bool),
    Signed(i64),
    Unsigned(u64),
    Double(f64),
    /// Keeps the shortest form: 0.1 stays 0.1, which is what a written 0.1 became.
    Single(f32),
    Text(String),
    Time(Timestamp),
}

macro_rules! param_from {
    ($($variant:ident: $($source:ty)*;)*) => {
        $($(
            impl From<$source> for Param {
                fn from(value: $source) -> Self {
                    Self(Value::$variant(value.into()))
                }
            }
        )*)*
    };
}

param_from! {
    Bool: bool;
    Signed: i8 i16 i32 i64;
    Unsigned: u8 u16 u32 u64;
    Double: f64;
    Single: f32;
    Text: &str String &String Cow<'_, str>;
    Time: Timestamp SystemTime;
}

impl<T: Into<Self>> From<Option<T>> for Param {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self(Value::Null), Into::into)
    }
}

/// A query and its parameters, in the order in which they came.
#[derive(Clone, Debug, Default)]
pub(super) struct Ticket {
    pub(super) text: String,
    pub(super) language: Language,
    params: Vec<(String, Param)>,
}

impl Ticket {
    pub(super) fn new(text: &str) -> Self {
        Self { text: text.to_owned(), ..Self::default() }
    }

    /// Sets a parameter, in place of an earlier one of that name: the server refuses a name that comes twice.
    pub(super) fn set(&mut self, name: String, value: Param) -> Result<(), String> {
        if name.is_empty() {
            return Err("a parameter has no name".into());
        }
        if let Some(bare) = name.strip_prefix('$') {
            return Err(format!("the parameter {name:?} begins with a `$`: its name is {bare:?}"));
        }
        if let Value::Time(time) = value.0
            && rfc3339(time).is_none()
        {
            return Err(format!(
                "the parameter {name:?} is a time of a year that has not four digits"
            ));
        }
        let number = match value.0 {
            Value::Double(number) => number,
            Value::Single(number) => number.into(),
            _ => 0.0,
        };
        if !number.is_finite() {
            return Err(format!(
                "the parameter {name:?} is {number}, which JSON, the form of parameters, has no number for: use None for \
                 null"
            ));
        }
        match self.params.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = value,
            None => self.params.push((name, value)),
        }
        Ok(())
    }

    /// Compact JSON that begins with `{"database"`: the server tries to read a protobuf message first, and
    /// this is none.
    pub(super) fn encode(&self, database: &str) -> Vec<u8> {
        let mut json = Vec::with_capacity(self.text.len() + 128);
        json.extend_from_slice(b"{\"database\":");
        push_text(&mut json, database);
        json.extend_from_slice(b",\"sql_query\":");
        push_text(&mut json, &self.text);
        json.extend_from_slice(b",\"query_type\":");
        push_text(&mut json, self.language.name());
        self.push_params(&mut json);
        json.push(b'}');
        json
    }

    /// The body of a query over HTTP.
    #[cfg(feature = "parquet")]
    pub(super) fn encode_for_http(&self, database: &str) -> Vec<u8> {
        let mut json = Vec::with_capacity(self.text.len() + 128);
        json.extend_from_slice(b"{\"db\":");
        push_text(&mut json, database);
        json.extend_from_slice(b",\"q\":");
        push_text(&mut json, &self.text);
        json.extend_from_slice(b",\"format\":\"parquet\"");
        self.push_params(&mut json);
        json.push(b'}');
        json
    }

    /// Nothing if there are none.
    fn push_params(&self, json: &mut Vec<u8>) {
        for (index, (name, value)) in self.params.iter().enumerate() {
            json.extend_from_slice(if index == 0 { b",\"params\":{" } else { b"," });
            push_text(json, name);
            json.push(b':');
            push_value(json, &value.0);
        }
        if !self.params.is_empty() {
            json.push(b'}');
        }
    }
}

fn push_value(json: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Null => json.extend_from_slice(b"null"),
        Value::Bool(true) => json.extend_from_slice(b"true"),
        Value::Bool(false) => json.extend_from_slice(b"false"),
        Value::Signed(number) => {
            json.extend_from_slice(itoa::Buffer::new().format(*number).as_bytes());
        }
        Value::Unsigned(number) => {
            json.extend_from_slice(itoa::Buffer::new().format(*number).as_bytes());
        }
        Value::Double(number) => {
            json.extend_from_slice(zmij::Buffer::new().format_finite(*number).as_bytes());
        }
        Value::Single(number) => {
            json.extend_from_slice(zmij::Buffer::new().format_finite(*number).as_bytes());
        }
        Value::Text(text) => push_text(json, text),
        // Whoever has none was refused.
        Value::Time(time) => push_text(json, &rfc3339(*time).unwrap_or_default()),
    }
}

fn push_text(json: &mut Vec<u8>, text: &str) {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn encode(params: Vec<(&str, Param)>) -> String {
        let mut ticket = Ticket::new("SELECT 1");
        for (name, value) in params {
            ticket.set(name.into(), value).unwrap();
        }
        String::from_utf8(ticket.encode("db")).unwrap()
    }

    #[test]
    fn a_ticket_is_compact_and_begins_with_the_database() {
        assert_eq!(
            encode(vec![]),
            r#"{"database":"db","sql_query":"SELECT 1","query_type":"sql"}"#
        );
        let mut ticket = Ticket::new("SHOW MEASUREMENTS");
        ticket.language = Language::InfluxQl;
        assert_eq!(
            ticket.encode("a\"b"),
            br#"{"database":"a\"b","sql_query":"SHOW MEASUREMENTS","query_type":"influxql"}"#
        );
    }

    #[test]
    fn parameters_keep_their_types() {
        let json = encode(vec![
            ("n", None::<i64>.into()),
            ("b", true.into()),
            ("i", (-3_i8).into()),
            ("min", i64::MIN.into()),
            ("max", u64::MAX.into()),
            ("f", 1.0.into()),
            ("tiny", 5e-324.into()),
            ("single", 0.1_f32.into()),
            ("s", "x".into()),
            ("some", Some("y").into()),
            ("t", Timestamp::seconds(1_641_024_000).into()),
        ]);
        let params = json.split_once("\"params\":").unwrap().1;
        assert_eq!(
            params,
            r#"{"n":null,"b":true,"i":-3,"min":-9223372036854775808,"max":18446744073709551615,"f":1.0,"tiny":5e-324,"single":0.1,"s":"x","some":"y","t":"2022-01-01T08:00:00Z"}}"#
        );
    }

    #[test]
    fn text_survives_as_json() {
        let text: String = (0..0x250).filter_map(char::from_u32).chain(['𝄞']).collect();
        let json = encode(vec![("t", text.as_str().into())]);
        let value: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(value["params"]["t"], text);
    }

    #[test]
    fn a_parameter_set_again_is_replaced() {
        let json = encode(vec![("a", 1.into()), ("b", 2.into()), ("a", 3.into())]);
        assert!(json.ends_with(r#"{"a":3,"b":2}}"#), "{json}");
    }

    #[test]
    fn what_json_cannot_hold_is_refused() {
        let mut ticket = Ticket::new("");
        for (name, value, why) in [
            ("x", Param::from(f64::NAN), "NaN"),
            ("x", f64::INFINITY.into(), "inf"),
            ("x", f32::NEG_INFINITY.into(), "-inf"),
            ("", 1.into(), "no name"),
            ("$x", 1.into(), "\"x\""),
        ] {
            let error = ticket.set(name.into(), value).unwrap_err();
            assert!(error.contains(why), "{error}");
        }
    }
}
