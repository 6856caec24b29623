//! JSON values as cells.

use std::fmt;

use serde_core::de::{self, Deserializer, IgnoredAny, Visitor};
use serde_json::Value;

use crate::columns::{Cell, ColumnRole, RenderedColumn};
use crate::file::types::Seen;
use crate::line_protocol::escape;
use crate::{ColumnType, Error, Result};

/// A value that is not nested.
#[derive(Clone, Copy, Debug)]
pub(super) enum Scalar<'a> {
    Null,
    Boolean(bool),
    Integer(i64),
    Unsigned(u64),
    Float(f64),
    Text(&'a str),
    /// An array or an object.
    Nested,
}

impl<'a> Scalar<'a> {
    pub(super) fn of(value: &'a Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Boolean(*value),
            Value::String(text) => Self::Text(text),
            Value::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
                (Some(value), _, _) => Self::Integer(value),
                (None, Some(value), _) => Self::Unsigned(value),
                (None, None, Some(value)) => Self::Float(value),
                (None, None, None) => Self::Null,
            },
            Value::Array(_) | Value::Object(_) => Self::Nested,
        }
    }

    /// Takes note of what the value is.
    pub(super) fn see(self, seen: &mut Seen) {
        match self {
            // What is nested is an error when it is met again.
            Self::Null | Self::Nested => {}
            Self::Boolean(_) => seen.add(Seen::BOOLEAN),
            Self::Integer(value) => {
                seen.add(Seen::INTEGER);
                if value < 0 {
                    seen.add(Seen::NEGATIVE);
                }
            }
            Self::Unsigned(_) => seen.add(Seen::LARGE),
            Self::Float(_) => seen.add(Seen::FLOAT),
            Self::Text(_) => seen.add(Seen::TEXT),
        }
    }

    /// Adds the value to a column.
    pub(super) fn push(
        self,
        role: &ColumnRole,
        column_type: ColumnType,
        pieces: &mut RenderedColumn,
    ) -> Result<()> {
        match role {
            ColumnRole::Measurement(role) => pieces.push(role, self.cell()?),
            ColumnRole::Tag(role) => pieces.push(role, self.cell()?),
            ColumnRole::Time(role) => pieces.push(role, self.cell()?),
            ColumnRole::Field(role) => {
                let mut digits = itoa::Buffer::new();
                let text;
                let cell = match (column_type, self) {
                    (_, Self::Null | Self::Nested) => self.cell()?,
                    (ColumnType::Text, Self::Text(text)) => Cell::Text(text),
                    (ColumnType::Text, Self::Integer(value)) => Cell::Text(digits.format(value)),
                    (ColumnType::Text, Self::Unsigned(value)) => Cell::Text(digits.format(value)),
                    (ColumnType::Text, Self::Boolean(true)) => Cell::Text("true"),
                    (ColumnType::Text, Self::Boolean(false)) => Cell::Text("false"),
                    (ColumnType::Text, Self::Float(value)) => {
                        text = value.to_string();
                        Cell::Text(&text)
                    }
                    (ColumnType::Float, Self::Float(value)) => Cell::Float(value),
                    // The digits of an integer are a float for the server.
                    (ColumnType::Float, Self::Integer(value)) => Cell::Number(digits.format(value)),
                    (ColumnType::Float, Self::Unsigned(value)) => {
                        Cell::Number(digits.format(value))
                    }
                    (ColumnType::Boolean, Self::Boolean(value)) => Cell::Boolean(value),
                    (ColumnType::Integer, Self::Integer(value)) => Cell::Integer(value),
                    (ColumnType::Unsigned, Self::Unsigned(value)) => Cell::Unsigned(value),
                    (ColumnType::Unsigned, Self::Integer(value)) => match u64::try_from(value) {
                        Ok(value) => Cell::Unsigned(value),
                        Err(_) => return Err(self.misfit(column_type)),
                    },
                    // What pandas makes of integers with gaps.
                    (ColumnType::Integer, Self::Float(value)) => match whole(value) {
                        Some(value) => Cell::Integer(value),
                        None => return Err(self.misfit(column_type)),
                    },
                    (ColumnType::Unsigned, Self::Float(value)) => {
                        match whole(value).and_then(|value| u64::try_from(value).ok()) {
                            Some(value) => Cell::Unsigned(value),
                            None => return Err(self.misfit(column_type)),
                        }
                    }
                    _ => return Err(self.misfit(column_type)),
                };
                pieces.push(role, cell)
            }
        }
    }

    fn cell(self) -> Result<Cell<'a>> {
        Ok(match self {
            Self::Null => Cell::Null,
            Self::Boolean(value) => Cell::Boolean(value),
            Self::Integer(value) => Cell::Integer(value),
            Self::Unsigned(value) => Cell::Unsigned(value),
            Self::Float(value) => Cell::Float(value),
            Self::Text(text) => Cell::Text(text),
            Self::Nested => {
                return Err(Error::invalid_record(
                    "the value is nested, and a line is flat: make a key of each of its parts",
                ));
            }
        })
    }

    #[cold]
    fn misfit(self, column_type: ColumnType) -> Error {
        let shown = match self {
            Self::Text(text) => escape::quoted(text),
            Self::Boolean(value) => value.to_string(),
            Self::Integer(value) => value.to_string(),
            Self::Unsigned(value) => value.to_string(),
            Self::Float(value) => value.to_string(),
            Self::Null | Self::Nested => "the value".to_owned(),
        };
        let wanted = column_type.value_name();
        Error::invalid_record(format!(
            "{shown} is not {wanted}: choose another type with column_type"
        ))
    }
}

/// An integer that a float holds exactly, and surely no other.
fn whole(value: f64) -> Option<i64> {
    (value.fract() == 0.0 && value.abs() <= MOST_EXACT).then_some(value as i64)
}

/// Hands a value that serde reads to a function.
pub(super) struct Reading<F>(pub(super) F);

impl<'de, F: FnOnce(Scalar<'_>) -> bool> de::DeserializeSeed<'de> for Reading<F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<F: FnOnce(Scalar<'_>) -> bool> Reading<F> {
    #[inline]
    fn hand<E: de::Error>(self, scalar: Scalar<'_>) -> Result<(), E> {
        if (self.0)(scalar) { Ok(()) } else { Err(E::custom("refused")) }
    }
}

impl<'de, F: FnOnce(Scalar<'_>) -> bool> Visitor<'de> for Reading<F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        self.hand(Scalar::Null)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<(), E> {
        self.hand(Scalar::Boolean(value))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<(), E> {
        self.hand(Scalar::Integer(value))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<(), E> {
        match i64::try_from(value) {
            Ok(value) => self.hand(Scalar::Integer(value)),
            Err(_) => self.hand(Scalar::Unsigned(value)),
        }
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<(), E> {
        self.hand(Scalar::Float(value))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<(), E> {
        self.hand(Scalar::Text(value))
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut sequence: A) -> Result<(), A::Error> {
        while sequence.next_element::<IgnoredAny>()?.is_some() {}
        self.hand(Scalar::Nested)
    }

    fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        self.hand(Scalar::Nested)
    }
}

/// 2^53
const MOST_EXACT: f64 = 9_007_199_254_740_992.0;
