//! A serializer for one value.

use serde_core::ser::{self, Impossible, Serialize, Serializer};

use super::part_serializer::PartSerializer;
use super::time_parts::{TimePart, TimeParts};
use crate::columns::{ColumnValue, binary_text};
use crate::{Error, Result, Timestamp};

/// What takes a value.
pub(super) trait ValueSink {
    fn put(&mut self, value: ColumnValue<'_>) -> Result<()>;
}

/// Hands a value to its sink, if it is not nested.
pub(super) struct ValueSerializer<'a, S> {
    sink: &'a mut S,
    /// Whether the value is the inside of a [`Timestamp`].
    is_timestamp: bool,
    /// Whether bytes are text.
    bytes_are_text: bool,
}

impl<'a, S> ValueSerializer<'a, S> {
    pub(super) fn new(sink: &'a mut S) -> Self {
        Self { sink, is_timestamp: false, bytes_are_text: false }
    }

    /// Whether bytes are text in UTF-8; without it they are an error.
    pub(super) fn bytes(self, are_text: bool) -> Self {
        Self { bytes_are_text: are_text, ..self }
    }
}

/// An error on its way through serde.
#[derive(Debug)]
pub(super) struct SerializeError(pub(super) Error);

impl std::fmt::Display for SerializeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for SerializeError {}

impl ser::Error for SerializeError {
    fn custom<T: std::fmt::Display>(message: T) -> Self {
        Self(Error::invalid_record(message.to_string()))
    }
}

impl From<Error> for SerializeError {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

pub(super) fn nested(what: &str) -> SerializeError {
    SerializeError(Error::invalid_record(format!(
        "{what} is nested, and a line is flat: flatten it, or give it a text or a number"
    )))
}

/// The methods of a [`Serializer`] for variants with content, which no line can have.
macro_rules! refuse_variants {
    () => {
        fn serialize_newtype_variant<T: Serialize + ?Sized>(
            self,
            _: &'static str,
            _: u32,
            variant: &'static str,
            _: &T,
        ) -> Result<(), SerializeError> {
            Err(nested(&format!("the variant {variant}")))
        }

        fn serialize_tuple_variant(
            self,
            _: &'static str,
            _: u32,
            variant: &'static str,
            _: usize,
        ) -> Result<Impossible<(), SerializeError>, SerializeError> {
            Err(nested(&format!("the variant {variant}")))
        }

        fn serialize_struct_variant(
            self,
            _: &'static str,
            _: u32,
            variant: &'static str,
            _: usize,
        ) -> Result<Impossible<(), SerializeError>, SerializeError> {
            Err(nested(&format!("the variant {variant}")))
        }
    };
}

pub(super) use refuse_variants;

macro_rules! values {
    ($($name:ident($type:ty) => $convert:expr;)*) => {$(
        #[inline]
        fn $name(self, value: $type) -> Result<(), SerializeError> {
            Ok(self.sink.put($convert(value))?)
        }
    )*};
}

impl<'a, S: ValueSink> Serializer for ValueSerializer<'a, S> {
    type Ok = ();
    type Error = SerializeError;
    type SerializeSeq = Impossible<(), SerializeError>;
    type SerializeTuple = TimeTuple<'a, S>;
    type SerializeTupleStruct = Impossible<(), SerializeError>;
    type SerializeTupleVariant = Impossible<(), SerializeError>;
    type SerializeMap = Impossible<(), SerializeError>;
    type SerializeStruct = TimeTuple<'a, S>;
    type SerializeStructVariant = Impossible<(), SerializeError>;

    values! {
        serialize_bool(bool) => ColumnValue::Boolean;
        serialize_i8(i8) => |value| ColumnValue::Integer(i64::from(value));
        serialize_i16(i16) => |value| ColumnValue::Integer(i64::from(value));
        serialize_i32(i32) => |value| ColumnValue::Integer(i64::from(value));
        serialize_i64(i64) => ColumnValue::Integer;
        serialize_u8(u8) => |value| ColumnValue::Unsigned(u64::from(value));
        serialize_u16(u16) => |value| ColumnValue::Unsigned(u64::from(value));
        serialize_u32(u32) => |value| ColumnValue::Unsigned(u64::from(value));
        serialize_u64(u64) => ColumnValue::Unsigned;
        serialize_f32(f32) => ColumnValue::Float32;
        serialize_f64(f64) => ColumnValue::Float;
        serialize_str(&str) => ColumnValue::Text;
    }

    refuse_variants!();

    /// A [`Timestamp`] is asked for its numbers, and everything else for its text.
    fn is_human_readable(&self) -> bool {
        !self.is_timestamp
    }

    fn serialize_i128(self, value: i128) -> Result<(), SerializeError> {
        match i64::try_from(value) {
            Ok(value) => self.serialize_i64(value),
            Err(_) => Err(too_large(&value)),
        }
    }

    fn serialize_u128(self, value: u128) -> Result<(), SerializeError> {
        match u64::try_from(value) {
            Ok(value) => self.serialize_u64(value),
            Err(_) => Err(too_large(&value)),
        }
    }

    fn serialize_char(self, value: char) -> Result<(), SerializeError> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), SerializeError> {
        if !self.bytes_are_text {
            return Err(SerializeError(Error::invalid_record(
                "no column of InfluxDB can hold bytes: take them for text with .binary_as_text(true), or leave the key \
                 out with .exclude(…)",
            )));
        }
        Ok(self.sink.put(binary_text(value)?)?)
    }

    fn serialize_none(self) -> Result<(), SerializeError> {
        Ok(self.sink.put(ColumnValue::Null)?)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), SerializeError> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), SerializeError> {
        self.serialize_none()
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), SerializeError> {
        self.serialize_none()
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<(), SerializeError> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<(), SerializeError> {
        value.serialize(Self { is_timestamp: name == Timestamp::SERDE_NAME, ..self })
    }

    fn serialize_seq(
        self,
        _: Option<usize>,
    ) -> Result<Impossible<(), SerializeError>, SerializeError> {
        Err(nested("a sequence"))
    }

    fn serialize_tuple(self, _: usize) -> Result<TimeTuple<'a, S>, SerializeError> {
        let kind = if self.is_timestamp { TupleKind::Timestamp } else { TupleKind::DateTime };
        Ok(TimeTuple { sink: self.sink, parts: TimeParts::default(), kind })
    }

    fn serialize_tuple_struct(
        self,
        name: &'static str,
        _: usize,
    ) -> Result<Impossible<(), SerializeError>, SerializeError> {
        Err(nested(name))
    }

    fn serialize_map(
        self,
        _: Option<usize>,
    ) -> Result<Impossible<(), SerializeError>, SerializeError> {
        Err(nested("a map"))
    }

    fn serialize_struct(
        self,
        name: &'static str,
        _: usize,
    ) -> Result<TimeTuple<'a, S>, SerializeError> {
        let kind = TupleKind::Struct(name);
        Ok(TimeTuple { sink: self.sink, parts: TimeParts::default(), kind })
    }
}

/// A tuple or a struct, which can only be a time.
pub(super) struct TimeTuple<'a, S> {
    sink: &'a mut S,
    parts: TimeParts,
    kind: TupleKind,
}

enum TupleKind {
    /// Of the crate `time`, if it is one.
    DateTime,
    /// Of this crate.
    Timestamp,
    /// A struct of this name.
    Struct(&'static str),
}

impl<S: ValueSink> TimeTuple<'_, S> {
    fn finish(self) -> Result<(), SerializeError> {
        let time = match self.kind {
            TupleKind::DateTime => self.parts.date_time(),
            TupleKind::Timestamp => self.parts.timestamp(),
            TupleKind::Struct("SystemTime") => self.parts.system_time(),
            TupleKind::Struct(_) => None,
        };
        match (time, self.kind) {
            (Some(time), _) => Ok(self.sink.put(ColumnValue::Instant(time))?),
            (None, TupleKind::Struct(name)) => Err(nested(&format!("the struct {name}"))),
            (None, _) => Err(nested("a tuple")),
        }
    }
}

impl<S: ValueSink> ser::SerializeTuple for TimeTuple<'_, S> {
    type Ok = ();
    type Error = SerializeError;

    fn serialize_element<T: Serialize + ?Sized>(
        &mut self,
        value: &T,
    ) -> Result<(), SerializeError> {
        self.parts.push(value.serialize(PartSerializer).unwrap_or(TimePart::Other));
        Ok(())
    }

    fn end(self) -> Result<(), SerializeError> {
        self.finish()
    }
}

impl<S: ValueSink> ser::SerializeStruct for TimeTuple<'_, S> {
    type Ok = ();
    type Error = SerializeError;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        _: &'static str,
        value: &T,
    ) -> Result<(), SerializeError> {
        if let TupleKind::Struct(NUMBER) = self.kind {
            return value.serialize(ValueSerializer::new(&mut NumberText(self.sink)));
        }
        self.parts.push(value.serialize(PartSerializer).unwrap_or(TimePart::Other));
        Ok(())
    }

    fn end(self) -> Result<(), SerializeError> {
        match self.kind {
            TupleKind::Struct(NUMBER) => Ok(()),
            _ => self.finish(),
        }
    }
}

/// Passes on the number in a text, as `serde_json` does without its feature `arbitrary_precision`.
struct NumberText<'a, S>(&'a mut S);

impl<S: ValueSink> ValueSink for NumberText<'_, S> {
    fn put(&mut self, value: ColumnValue<'_>) -> Result<()> {
        let ColumnValue::Text(text) = value else { return self.0.put(value) };
        let float = text.parse::<f64>();
        self.0.put(match (text.parse(), text.parse(), float) {
            (Ok(0), _, Ok(float)) if float.is_sign_negative() => ColumnValue::Float(float),
            (_, Ok(value), _) => ColumnValue::Unsigned(value),
            (Ok(value), Err(_), _) => ColumnValue::Integer(value),
            (Err(_), Err(_), Ok(float)) => ColumnValue::Float(float),
            (Err(_), Err(_), Err(_)) => value,
        })
    }
}

/// What `serde_json` calls a number if it keeps its text.
const NUMBER: &str = "$serde_json::private::Number";

#[cold]
fn too_large(value: &dyn std::fmt::Display) -> SerializeError {
    SerializeError(Error::invalid_record(format!(
        "{value} does not fit into 64 bits: make it a text or a float"
    )))
}
