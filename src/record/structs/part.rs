//! A serializer that tells the type of an integer.

use serde_core::ser::{self, Impossible, Serialize, Serializer};

use super::time_parts::Part;

/// Gives the [`Part`] that an integer is, and refuses everything else.
pub(super) struct PartSerializer;

/// What is serialized is no integer of a size that a part of a time has.
#[derive(Debug)]
pub(super) struct NoPart;

impl std::fmt::Display for NoPart {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("no part of a time")
    }
}

impl std::error::Error for NoPart {}

impl ser::Error for NoPart {
    fn custom<T: std::fmt::Display>(_: T) -> Self {
        Self
    }
}

macro_rules! parts {
    ($($name:ident($type:ty) => $part:ident;)*) => {$(
        fn $name(self, value: $type) -> Result<Part, NoPart> {
            Ok(Part::$part(value))
        }
    )*};
}

macro_rules! no_parts {
    ($($name:ident($($type:ty),*) -> $ok:ty;)*) => {$(
        fn $name(self, $(_: $type),*) -> Result<$ok, NoPart> {
            Err(NoPart)
        }
    )*};
}

impl Serializer for PartSerializer {
    type Ok = Part;
    type Error = NoPart;
    type SerializeSeq = Impossible<Part, NoPart>;
    type SerializeTuple = Impossible<Part, NoPart>;
    type SerializeTupleStruct = Impossible<Part, NoPart>;
    type SerializeTupleVariant = Impossible<Part, NoPart>;
    type SerializeMap = Impossible<Part, NoPart>;
    type SerializeStruct = Impossible<Part, NoPart>;
    type SerializeStructVariant = Impossible<Part, NoPart>;

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
        serialize_i16(i16) -> Part;
        serialize_bool(bool) -> Part;
        serialize_f32(f32) -> Part;
        serialize_f64(f64) -> Part;
        serialize_char(char) -> Part;
        serialize_str(&str) -> Part;
        serialize_bytes(&[u8]) -> Part;
        serialize_none() -> Part;
        serialize_unit() -> Part;
        serialize_unit_struct(&'static str) -> Part;
        serialize_unit_variant(&'static str, u32, &'static str) -> Part;
        serialize_seq(Option<usize>) -> Self::SerializeSeq;
        serialize_tuple(usize) -> Self::SerializeTuple;
        serialize_tuple_struct(&'static str, usize) -> Self::SerializeTupleStruct;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Self::SerializeTupleVariant;
        serialize_map(Option<usize>) -> Self::SerializeMap;
        serialize_struct(&'static str, usize) -> Self::SerializeStruct;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> Self::SerializeStructVariant;
    }

    fn serialize_some<T: Serialize + ?Sized>(self, _: &T) -> Result<Part, NoPart> {
        Err(NoPart)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: &T,
    ) -> Result<Part, NoPart> {
        Err(NoPart)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<Part, NoPart> {
        Err(NoPart)
    }
}
