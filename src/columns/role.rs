//! What a column is in a line: the measurement, a tag, a field or the timestamp.

use super::column_value::{ColumnValue, field_value, push_time_text};
use crate::line_protocol::{escape, number, short_bytes};
use crate::{Error, Result};

/// What a column is in a line.
pub(crate) trait Role {
    /// Appends the column's part of a line for this value, and returns whether there is one. After an error or a false
    /// the caller must remove what was appended.
    ///
    /// Callers know the variant of the value when they are compiled; inlined there, the match on it costs nothing.
    fn write(&self, out: &mut Vec<u8>, value: ColumnValue<'_>) -> Result<bool>;

    /// What the line contains for this column if `write` returned false.
    fn default(&self) -> &[u8] {
        &[]
    }
}

/// The measurement. Its value is the name.
#[derive(Clone, Debug)]
pub(crate) struct MeasurementRole;

/// A tag.
#[derive(Clone, Debug)]
pub(crate) struct TagRole {
    pub(crate) key: String,
    /// `,key=`
    pub(crate) prefix: Prefix,
    /// `,key=value` of the client's default tag of this key; empty if there is none.
    pub(crate) default: Vec<u8>,
}

/// A field.
#[derive(Clone, Debug)]
pub(crate) struct FieldRole {
    /// `,key=`
    pub(crate) prefix: Prefix,
}

/// The bytes before each value of a column: a comma, the escaped key and an equals sign.
#[derive(Clone, Debug)]
pub(crate) struct Prefix {
    text: Vec<u8>,
    /// The first bytes of the text, and zeros: a prefix of up to 32 bytes is copied as a whole, which needs no call.
    chunk: [u8; 32],
}

impl From<Vec<u8>> for Prefix {
    fn from(text: Vec<u8>) -> Self {
        let mut chunk = [0; 32];
        chunk.iter_mut().zip(&text).for_each(|(place, byte)| *place = *byte);
        Self { text, chunk }
    }
}

impl Prefix {
    #[inline(always)]
    fn append(&self, out: &mut Vec<u8>) {
        match self.text.len() {
            length @ ..=32 => short_bytes::append_chunk(out, &self.chunk, length),
            _ => out.extend_from_slice(&self.text),
        }
    }
}

impl Role for MeasurementRole {
    #[inline(always)]
    fn write(&self, out: &mut Vec<u8>, value: ColumnValue<'_>) -> Result<bool> {
        match value {
            ColumnValue::Text(text) => escape::measurement(out, text)?,
            ColumnValue::Null => {
                return Err(Error::invalid_record("there is no measurement: give each row one"));
            }
            _ => return Err(Error::invalid_record("the name of a measurement must be text")),
        }
        Ok(true)
    }
}

impl Role for TagRole {
    #[inline(always)]
    fn write(&self, out: &mut Vec<u8>, value: ColumnValue<'_>) -> Result<bool> {
        if let ColumnValue::Null | ColumnValue::Text("") = value {
            return Ok(false);
        }
        self.prefix.append(out);
        match value {
            ColumnValue::Null => {}
            ColumnValue::Text(text) => escape::tag_value(out, text, &self.key)?,
            ColumnValue::Integer(value) => number::plain_integer(out, value),
            ColumnValue::Unsigned(value) => {
                out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
            }
            ColumnValue::Float(value) if value.is_finite() => number::float(out, value),
            ColumnValue::Float32(value) if value.is_finite() => number::float32(out, value),
            ColumnValue::Float(_) | ColumnValue::Float32(_) => return Ok(false),
            ColumnValue::Number(digits) => out.extend_from_slice(digits.as_bytes()),
            ColumnValue::Boolean(value) => number::boolean(out, value),
            ColumnValue::Instant(_) | ColumnValue::Day(_) | ColumnValue::Clock(_) => {
                push_time_text(out, value)?
            }
        }
        Ok(true)
    }

    #[inline]
    fn default(&self) -> &[u8] {
        &self.default
    }
}

impl Role for FieldRole {
    #[inline(always)]
    fn write(&self, out: &mut Vec<u8>, value: ColumnValue<'_>) -> Result<bool> {
        if let ColumnValue::Null = value {
            return Ok(false);
        }
        self.prefix.append(out);
        field_value(out, value)
    }
}
