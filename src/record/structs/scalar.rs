//! A serializer for one value.

use serde_core::ser::{self, Impossible, Serialize, Serializer};

use super::part::PartSerializer;
use super::time_parts::{Part, TimeParts};
use crate::columns::{Cell, binary_text};
use crate::{Error, Result, Timestamp};

/// What takes a value.
pub(super) trait Sink {
    fn put(&mut self, cell: Cell<'_>) -> Result<()>;
}

/// Hands a value to its sink, if it is not nested.
pub(super) struct Scalar<'a, S> {
    sink: &'a mut S,
    /// Whether the value is the inside of a [`Timestamp`].
    is_timestamp: bool,
    /// Whether bytes are text.
    bytes_are_text: bool,
}

impl<'a, S> Scalar<'a, S> {
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
pub(super) struct Failed(pub(super) Error);

impl std::fmt::Display for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Failed {}

impl ser::Error for Failed {
    fn custom<T: std::fmt::Display>(message: T) -> Self {
        Self(Error::invalid_record(message.to_string()))
    }
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

pub(super) fn nested(what: &str) -> Failed {
    Failed(Error::invalid_record(format!(
        "{what} is nested, and a line is flat: flatten it, or give it a text or a number"
    )))
}

macro_rules! cells {
    ($($name:ident($type:ty) => $cell:expr;)*) => {$(
        #[inline]
        fn $name(self, value: $type) -> Result<(), Failed> {
            Ok(self.sink.put($cell(value))?)
        }
    )*};
}

impl<'a, S: Sink> Serializer for Scalar<'a, S> {
    type Ok = ();
    type Error = Failed;
    type SerializeSeq = Impossible<(), Failed>;
    type SerializeTuple = Tuple<'a, S>;
    type SerializeTupleStruct = Impossible<(), Failed>;
    type SerializeTupleVariant = Impossible<(), Failed>;
    type SerializeMap = Impossible<(), Failed>;
    type SerializeStruct = Tuple<'a, S>;
    type SerializeStructVariant = Impossible<(), Failed>;

    cells! {
        serialize_bool(bool) => Cell::Boolean;
        serialize_i8(i8) => |value| Cell::Integer(i64::from(value));
        serialize_i16(i16) => |value| Cell::Integer(i64::from(value));
        serialize_i32(i32) => |value| Cell::Integer(i64::from(value));
        serialize_i64(i64) => Cell::Integer;
        serialize_u8(u8) => |value| Cell::Unsigned(u64::from(value));
        serialize_u16(u16) => |value| Cell::Unsigned(u64::from(value));
        serialize_u32(u32) => |value| Cell::Unsigned(u64::from(value));
        serialize_u64(u64) => Cell::Unsigned;
        serialize_f32(f32) => Cell::Float32;
        serialize_f64(f64) => Cell::Float;
        serialize_str(&str) => Cell::Text;
    }

    /// A [`Timestamp`] is asked for its numbers, and everything else for its text.
    fn is_human_readable(&self) -> bool {
        !self.is_timestamp
    }

    fn serialize_i128(self, value: i128) -> Result<(), Failed> {
        match i64::try_from(value) {
            Ok(value) => self.serialize_i64(value),
            Err(_) => Err(too_large(&value)),
        }
    }

    fn serialize_u128(self, value: u128) -> Result<(), Failed> {
        match u64::try_from(value) {
            Ok(value) => self.serialize_u64(value),
            Err(_) => Err(too_large(&value)),
        }
    }

    fn serialize_char(self, value: char) -> Result<(), Failed> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), Failed> {
        if !self.bytes_are_text {
            return Err(Failed(Error::invalid_record(
                "no column of InfluxDB can hold bytes: take them for text with .binary_as_text(true), or leave the key \
                 out with .exclude(…)",
            )));
        }
        Ok(self.sink.put(binary_text(value)?)?)
    }

    fn serialize_none(self) -> Result<(), Failed> {
        Ok(self.sink.put(Cell::Null)?)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Failed> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Failed> {
        self.serialize_none()
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Failed> {
        self.serialize_none()
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<(), Failed> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Failed> {
        value.serialize(Self { is_timestamp: name == Timestamp::SERDE_NAME, ..self })
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: &T,
    ) -> Result<(), Failed> {
        Err(nested(&format!("the variant {variant}")))
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Impossible<(), Failed>, Failed> {
        Err(nested("a sequence"))
    }

    fn serialize_tuple(self, _: usize) -> Result<Tuple<'a, S>, Failed> {
        let kind = if self.is_timestamp { TupleKind::Timestamp } else { TupleKind::DateTime };
        Ok(Tuple { sink: self.sink, parts: TimeParts::default(), kind })
    }

    fn serialize_tuple_struct(
        self,
        name: &'static str,
        _: usize,
    ) -> Result<Impossible<(), Failed>, Failed> {
        Err(nested(name))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Impossible<(), Failed>, Failed> {
        Err(nested(&format!("the variant {variant}")))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Impossible<(), Failed>, Failed> {
        Err(nested("a map"))
    }

    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Tuple<'a, S>, Failed> {
        let kind = TupleKind::Struct(name);
        Ok(Tuple { sink: self.sink, parts: TimeParts::default(), kind })
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Impossible<(), Failed>, Failed> {
        Err(nested(&format!("the variant {variant}")))
    }
}

/// A tuple or a struct, which can only be a time.
pub(super) struct Tuple<'a, S> {
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

impl<S: Sink> Tuple<'_, S> {
    fn finish(self) -> Result<(), Failed> {
        let time = match self.kind {
            TupleKind::DateTime => self.parts.date_time(),
            TupleKind::Timestamp => self.parts.timestamp(),
            TupleKind::Struct("SystemTime") => self.parts.system_time(),
            TupleKind::Struct(_) => None,
        };
        match (time, self.kind) {
            (Some(time), _) => Ok(self.sink.put(Cell::Instant(time))?),
            (None, TupleKind::Struct(name)) => Err(nested(&format!("the struct {name}"))),
            (None, _) => Err(nested("a tuple")),
        }
    }
}

impl<S: Sink> ser::SerializeTuple for Tuple<'_, S> {
    type Ok = ();
    type Error = Failed;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Failed> {
        self.parts.push(value.serialize(PartSerializer).unwrap_or(Part::Other));
        Ok(())
    }

    fn end(self) -> Result<(), Failed> {
        self.finish()
    }
}

impl<S: Sink> ser::SerializeStruct for Tuple<'_, S> {
    type Ok = ();
    type Error = Failed;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Failed> {
        if let TupleKind::Struct(NUMBER) = self.kind {
            return value.serialize(Scalar::new(&mut NumberText(self.sink)));
        }
        self.parts.push(value.serialize(PartSerializer).unwrap_or(Part::Other));
        Ok(())
    }

    fn end(self) -> Result<(), Failed> {
        match self.kind {
            TupleKind::Struct(NUMBER) => Ok(()),
            _ => self.finish(),
        }
    }
}

/// Hands on the number that a text is, as it would come without the feature `arbitrary_precision` of `serde_json`.
struct NumberText<'a, S>(&'a mut S);

impl<S: Sink> Sink for NumberText<'_, S> {
    fn put(&mut self, cell: Cell<'_>) -> Result<()> {
        let Cell::Text(text) = cell else { return self.0.put(cell) };
        let float = text.parse::<f64>();
        self.0.put(match (text.parse(), text.parse(), float) {
            (Ok(0), _, Ok(float)) if float.is_sign_negative() => Cell::Float(float),
            (_, Ok(value), _) => Cell::Unsigned(value),
            (Ok(value), Err(_), _) => Cell::Integer(value),
            (Err(_), Err(_), Ok(float)) => Cell::Float(float),
            (Err(_), Err(_), Err(_)) => cell,
        })
    }
}

/// What `serde_json` calls a number if it keeps its text.
const NUMBER: &str = "$serde_json::private::Number";

#[cold]
fn too_large(value: &dyn std::fmt::Display) -> Failed {
    Failed(Error::invalid_record(format!(
        "{value} does not fit into 64 bits: make it a text or a float"
    )))
}
