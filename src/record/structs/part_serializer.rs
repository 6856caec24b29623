//! A serializer that finds the type of an integer.

use serde_core::ser::{self, Impossible, Serialize, Serializer};

use super::time_parts::TimePart;

/// Gives the [`TimePart`] that an integer is, and refuses everything else.
pub(super) struct PartSerializer;

/// What is serialized is no integer of a size that a part of a time has.
#[derive(Debug)]
pub(super) struct NotATimePart;

impl std::fmt::Display for NotATimePart {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("no part of a time")
    }
}

impl std::error::Error for NotATimePart {}

impl ser::Error for NotATimePart {
    fn custom<T: std::fmt::Display>(_: T) -> Self {
        Self
    }
}

macro_rules! parts {
    ($($name:ident($type:ty) => $part:ident;)*) => {$(
        fn $name(self, value: $type) -> Result<TimePart, NotATimePart> {
            Ok(TimePart::$part(value))
        }
    )*};
}

macro_rules! no_parts {
    ($($name:ident($($type:ty),*) -> $ok:ty;)*) => {$(
        fn $name(self, $(_: $type),*) -> Result<$ok, NotATimePart> {
            Err(NotATimePart)
        }
    )*};
}

impl Serializer for PartSerializer {
    type Ok = TimePart;
    type Error = NotATimePart;
    type SerializeSeq = Impossible<TimePart, NotATimePart>;
    type SerializeTuple = Impossible<TimePart, NotATimePart>;
    type SerializeTupleStruct = Impossible<TimePart, NotATimePart>;
    type SerializeTupleVariant = Impossible<TimePart, NotATimePart>;
    type SerializeMap = Impossible<TimePart, NotATimePart>;
    type SerializeStruct = Impossible<TimePart, NotATimePart>;
    type SerializeStructVariant = Impossible<TimePart, NotATimePart>;

    parts! {
        serialize_i8(i8) => I8;
        serialize_i32(i32) => I32;
        serialize_i64(i64) => I64;
        serialize_u8(u8) => U8;
        serialize_u16(u16) => U16;
        serialize_u32(u32) => U32;
        serialize_u64(u64) => U64;
    }

    no_parts! {
        serialize_i16(i16) -> TimePart;
        serialize_bool(bool) -> TimePart;
        serialize_f32(f32) -> TimePart;
        serialize_f64(f64) -> TimePart;
        serialize_char(char) -> TimePart;
        serialize_str(&str) -> TimePart;
        serialize_bytes(&[u8]) -> TimePart;
        serialize_none() -> TimePart;
        serialize_unit() -> TimePart;
        serialize_unit_struct(&'static str) -> TimePart;
        serialize_unit_variant(&'static str, u32, &'static str) -> TimePart;
        serialize_seq(Option<usize>) -> Self::SerializeSeq;
        serialize_tuple(usize) -> Self::SerializeTuple;
        serialize_tuple_struct(&'static str, usize) -> Self::SerializeTupleStruct;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Self::SerializeTupleVariant;
        serialize_map(Option<usize>) -> Self::SerializeMap;
        serialize_struct(&'static str, usize) -> Self::SerializeStruct;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> Self::SerializeStructVariant;
    }

    fn serialize_some<T: Serialize + ?Sized>(self, _: &T) -> Result<TimePart, NotATimePart> {
        Err(NotATimePart)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: &T,
    ) -> Result<TimePart, NotATimePart> {
        Err(NotATimePart)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<TimePart, NotATimePart> {
        Err(NotATimePart)
    }
}
