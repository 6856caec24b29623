//! What is asked: the text of a query, its language and its parameters, and the JSON that carries them to the server.

mod json;
mod language;
mod param;

pub use language::Language;
pub use param::Param;

use self::json::{push_text, push_value};
use self::param::ParamValue;
use super::time_units::rfc3339;

/// The text of a query and its parameters, in the order in which they were set.
#[derive(Clone, Debug, Default)]
pub(crate) struct Statement {
    pub(crate) text: String,
    pub(crate) language: Language,
    params: Vec<(String, Param)>,
}

impl Statement {
    pub(crate) fn new(text: &str) -> Self {
        Self { text: text.to_owned(), ..Self::default() }
    }

    /// Sets a parameter, in place of an earlier one of that name: the server refuses a repeated name.
    ///
    /// # Errors
    ///
    /// The name is empty or has the `$` of the text before it, or JSON has no form for the value: a float that is not
    /// finite, or a time outside of the years 0 to 9999. The error is the sentence that says so.
    pub(crate) fn set(&mut self, name: String, value: Param) -> Result<(), String> {
        if name.is_empty() {
            return Err("a parameter has no name".into());
        }
        if let Some(bare) = name.strip_prefix('$') {
            return Err(format!("the parameter {name:?} begins with a `$`: its name is {bare:?}"));
        }
        if let ParamValue::Time(time) = value.0
            && rfc3339(time).is_none()
        {
            return Err(format!(
                "the parameter {name:?} is a time of a year that has not four digits"
            ));
        }
        let number = match value.0 {
            ParamValue::Double(number) => number,
            ParamValue::Single(number) => number.into(),
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

    /// The ticket of Flight's `DoGet`, as InfluxDB 3 reads it: compact JSON that begins with `{"database"`.
    ///
    /// The server tries to read a ticket as a protobuf message first, and takes it for JSON because that fails: no
    /// message of protobuf begins with these bytes.
    pub(crate) fn flight_ticket(&self, database: &str) -> Vec<u8> {
        let mut json = self.begin("database", database, "sql_query");
        json.extend_from_slice(b",\"query_type\":");
        push_text(&mut json, self.language.name());
        self.push_params(&mut json);
        json.push(b'}');
        json
    }

    /// The body of a POST to `/api/v3/query_sql` or `/api/v3/query_influxql`: compact JSON that asks for Parquet.
    #[cfg(feature = "parquet")]
    pub(crate) fn http_body(&self, database: &str) -> Vec<u8> {
        let mut json = self.begin("db", database, "q");
        json.extend_from_slice(b",\"format\":\"parquet\"");
        self.push_params(&mut json);
        json.push(b'}');
        json
    }

    /// The beginning of an object, with its first two members: the database and the text.
    fn begin(&self, database_key: &str, database: &str, text_key: &str) -> Vec<u8> {
        let mut json = Vec::with_capacity(self.text.len() + 128);
        json.push(b'{');
        for (index, (key, value)) in
            [(database_key, database), (text_key, &self.text)].into_iter().enumerate()
        {
            if index > 0 {
                json.push(b',');
            }
            push_text(&mut json, key);
            json.push(b':');
            push_text(&mut json, value);
        }
        json
    }

    /// Appends the member `params`, an object of all parameters; nothing if there are none.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Timestamp;

    fn encode(params: Vec<(&str, Param)>) -> String {
        let mut statement = Statement::new("SELECT 1");
        for (name, value) in params {
            statement.set(name.into(), value).unwrap();
        }
        String::from_utf8(statement.flight_ticket("db")).unwrap()
    }

    #[test]
    fn a_ticket_is_compact_and_begins_with_the_database() {
        assert_eq!(
            encode(vec![]),
            r#"{"database":"db","sql_query":"SELECT 1","query_type":"sql"}"#
        );
        let mut statement = Statement::new("SHOW MEASUREMENTS");
        statement.language = Language::InfluxQl;
        assert_eq!(
            statement.flight_ticket("a\"b"),
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
        let mut statement = Statement::new("");
        for (name, value, why) in [
            ("x", Param::from(f64::NAN), "NaN"),
            ("x", f64::INFINITY.into(), "inf"),
            ("x", f32::NEG_INFINITY.into(), "-inf"),
            ("", 1.into(), "no name"),
            ("$x", 1.into(), "\"x\""),
        ] {
            let error = statement.set(name.into(), value).unwrap_err();
            assert!(error.contains(why), "{error}");
        }
    }
}
