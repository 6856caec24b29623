//! Tickets: JSON objects that carry the query.

use std::{collections::BTreeMap, fmt};

use datafusion::scalar::ScalarValue;
use serde::{
    Deserialize, Deserializer,
    de::{Error, IgnoredAny, MapAccess, Visitor},
};

/// A query as asked for.
#[derive(Debug, PartialEq)]
pub(crate) struct Ticket {
    pub(crate) database: String,
    pub(crate) query: String,
    pub(crate) language: Language,
    pub(crate) params: Vec<(String, ScalarValue)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    Sql,
    InfluxQl,
}

/// Not a ticket; the real server does not say why, either.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct InvalidTicket;

impl Ticket {
    /// Reads a ticket. No bytes at all are a ticket without a database, for so they decode as the
    /// other kind of ticket, the protobuf message, which is not read here.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Ticket, InvalidTicket> {
        if bytes.is_empty() {
            return Ok(Ticket {
                database: String::new(),
                query: String::new(),
                language: Language::Sql,
                params: Vec::new(),
            });
        }
        serde_json::from_slice(bytes).map_err(|_| InvalidTicket)
    }
}

impl<'de> Deserialize<'de> for Ticket {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Ticket, D::Error> {
        deserializer.deserialize_map(TicketVisitor)
    }
}

struct TicketVisitor;

impl<'de> Visitor<'de> for TicketVisitor {
    type Value = Ticket;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a ticket")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Ticket, A::Error> {
        let (mut database, mut query, mut language) = (None, None, None);
        let (mut params, mut debug) = (None, None);
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "database" | "namespace_name" | "bucket" | "bucket-name" => {
                    set(&mut database, map.next_value::<String>()?)?;
                }
                "sql_query" => set(&mut query, map.next_value::<String>()?)?,
                "query_type" => set(&mut language, map.next_value::<Option<Language>>()?)?,
                "params" => set(&mut params, map.next_value::<Params>()?)?,
                "is_debug" => set(&mut debug, map.next_value::<bool>()?)?,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(Ticket {
            database: database.ok_or_else(|| A::Error::missing_field("database"))?,
            query: query.ok_or_else(|| A::Error::missing_field("sql_query"))?,
            language: language.flatten().unwrap_or(Language::Sql),
            params: params.map(|Params(params)| params.into_iter().collect()).unwrap_or_default(),
        })
    }
}

fn set<T, E: Error>(slot: &mut Option<T>, value: T) -> Result<(), E> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(E::custom("said twice")),
    }
}

impl<'de> Deserialize<'de> for Language {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Language, D::Error> {
        match String::deserialize(deserializer)?.as_str() {
            "sql" => Ok(Language::Sql),
            "influxql" => Ok(Language::InfluxQl),
            _ => Err(D::Error::custom("unknown language")),
        }
    }
}

/// Parameters, by name.
#[derive(Debug, Default)]
pub(crate) struct Params(pub(crate) BTreeMap<String, ScalarValue>);

impl<'de> Deserialize<'de> for Params {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Params, D::Error> {
        deserializer.deserialize_map(ParamsVisitor)
    }
}

struct ParamsVisitor;

impl<'de> Visitor<'de> for ParamsVisitor {
    type Value = Params;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("parameters")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Params, A::Error> {
        let mut params = BTreeMap::new();
        while let Some((name, Param(value))) = map.next_entry::<String, Param>()? {
            if params.insert(name, value).is_some() {
                return Err(A::Error::custom("said twice"));
            }
        }
        Ok(Params(params))
    }
}

struct Param(ScalarValue);

impl<'de> Deserialize<'de> for Param {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Param, D::Error> {
        deserializer.deserialize_any(ParamVisitor)
    }
}

/// Null, booleans, numbers and strings; arrays and objects are no parameters.
struct ParamVisitor;

impl Visitor<'_> for ParamVisitor {
    type Value = Param;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Param, E> {
        Ok(Param(ScalarValue::Null))
    }

    fn visit_bool<E>(self, v: bool) -> Result<Param, E> {
        Ok(Param(ScalarValue::Boolean(Some(v))))
    }

    fn visit_u64<E>(self, v: u64) -> Result<Param, E> {
        Ok(Param(ScalarValue::UInt64(Some(v))))
    }

    fn visit_i64<E>(self, v: i64) -> Result<Param, E> {
        Ok(Param(ScalarValue::Int64(Some(v))))
    }

    fn visit_f64<E>(self, v: f64) -> Result<Param, E> {
        Ok(Param(ScalarValue::Float64(Some(v))))
    }

    fn visit_str<E>(self, v: &str) -> Result<Param, E> {
        Ok(Param(ScalarValue::Utf8(Some(v.to_owned()))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_parameter() {
        let ticket = Ticket::parse(
            br#"{"bucket": "db", "sql_query": "q", "query_type": null, "other": [{}], "other": 1,
                 "params": {"n": null, "b": true, "u": 1, "i": -1, "f": 1.5, "s": "x"}}"#,
        )
        .unwrap();
        assert_eq!((ticket.database.as_str(), ticket.language), ("db", Language::Sql));
        let params: BTreeMap<_, _> = ticket.params.into_iter().collect();
        assert_eq!(params["n"], ScalarValue::Null);
        assert_eq!(params["b"], ScalarValue::Boolean(Some(true)));
        assert_eq!(params["u"], ScalarValue::UInt64(Some(1)));
        assert_eq!(params["i"], ScalarValue::Int64(Some(-1)));
        assert_eq!(params["f"], ScalarValue::Float64(Some(1.5)));
        assert_eq!(params["s"], ScalarValue::Utf8(Some("x".into())));
    }

    #[test]
    fn what_is_no_ticket() {
        for bad in [
            "[]",
            r#"{"database":"d"}"#,
            r#"{"sql_query":"q"}"#,
            r#"{"database":"d","bucket":"d","sql_query":"q"}"#,
            r#"{"database":"d","sql_query":"q","query_type":"flux"}"#,
            r#"{"database":"d","sql_query":"q","query_type":"SQL"}"#,
            r#"{"database":"d","sql_query":"q","params":null}"#,
            r#"{"database":"d","sql_query":"q","params":{"a":[]}}"#,
            r#"{"database":"d","sql_query":"q","params":{"a":{}}}"#,
            r#"{"database":"d","sql_query":"q","params":{"a":1,"a":1}}"#,
            r#"{"database":"d","sql_query":"q","params":{"a":1e400}}"#,
        ] {
            assert_eq!(Ticket::parse(bad.as_bytes()), Err(InvalidTicket), "{bad}");
        }
    }
}
