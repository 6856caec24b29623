//! A serializer for one item, which hands on the item's keys and values.

use serde_core::ser::{self, Impossible, Serialize, Serializer};

use super::value_serializer::{
    SerializeError, ValueSerializer, ValueSink, nested, refuse_variants,
};
use crate::columns::ColumnValue;
use crate::{Error, Result};

/// What takes the keys and values of an item.
pub(super) trait EntrySink {
    /// Takes the value of a key.
    ///
    /// # Errors
    /// It cannot be written.
    fn entry<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) -> Result<(), SerializeError>;

    /// Takes note of a key whose value the item leaves out (`#[serde(skip_serializing_if)]`).
    fn skipped_key(&mut self, key: &str);
}

/// Hands the entries of a struct or a map to a sink, and refuses everything else.
pub(super) struct ItemSerializer<'a, S> {
    sink: &'a mut S,
    /// The key of a map whose value is next; the memory is kept from key to key.
    key: String,
}

impl<'a, S> ItemSerializer<'a, S> {
    pub(super) fn new(sink: &'a mut S) -> Self {
        Self { sink, key: String::new() }
    }
}

#[cold]
fn not_an_item(what: &str) -> SerializeError {
    SerializeError(Error::invalid_record(format!("an item is a struct or a map, not {what}")))
}

macro_rules! not_items {
    ($($name:ident($($type:ty),*) => $what:expr;)*) => {$(
        fn $name(self, $(_: $type),*) -> Result<(), SerializeError> {
            Err(not_an_item($what))
        }
    )*};
}

impl<S: EntrySink> Serializer for ItemSerializer<'_, S> {
    type Ok = ();
    type Error = SerializeError;
    type SerializeSeq = Impossible<(), SerializeError>;
    type SerializeTuple = Impossible<(), SerializeError>;
    type SerializeTupleStruct = Impossible<(), SerializeError>;
    type SerializeTupleVariant = Impossible<(), SerializeError>;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Impossible<(), SerializeError>;

    not_items! {
        serialize_bool(bool) => "a boolean";
        serialize_i8(i8) => "a number";
        serialize_i16(i16) => "a number";
        serialize_i32(i32) => "a number";
        serialize_i64(i64) => "a number";
        serialize_u8(u8) => "a number";
        serialize_u16(u16) => "a number";
        serialize_u32(u32) => "a number";
        serialize_u64(u64) => "a number";
        serialize_f32(f32) => "a number";
        serialize_f64(f64) => "a number";
        serialize_char(char) => "a text";
        serialize_str(&str) => "a text";
        serialize_bytes(&[u8]) => "bytes";
        serialize_none() => "nothing";
        serialize_unit() => "nothing";
        serialize_unit_struct(&'static str) => "nothing";
        serialize_unit_variant(&'static str, u32, &'static str) => "the variant of an enum";
    }

    refuse_variants!();

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), SerializeError> {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), SerializeError> {
        value.serialize(self)
    }

    fn serialize_seq(
        self,
        _: Option<usize>,
    ) -> Result<Impossible<(), SerializeError>, SerializeError> {
        Err(not_an_item("a sequence"))
    }

    fn serialize_tuple(self, _: usize) -> Result<Impossible<(), SerializeError>, SerializeError> {
        Err(not_an_item("a tuple"))
    }

    fn serialize_tuple_struct(
        self,
        _: &'static str,
        _: usize,
    ) -> Result<Impossible<(), SerializeError>, SerializeError> {
        Err(not_an_item("a tuple"))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self, SerializeError> {
        Ok(self)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, SerializeError> {
        Ok(self)
    }
}

impl<S: EntrySink> ser::SerializeStruct for ItemSerializer<'_, S> {
    type Ok = ();
    type Error = SerializeError;

    #[inline]
    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), SerializeError> {
        self.sink.entry(key, value)
    }

    fn skip_field(&mut self, key: &'static str) -> Result<(), SerializeError> {
        self.sink.skipped_key(key);
        Ok(())
    }

    fn end(self) -> Result<(), SerializeError> {
        Ok(())
    }
}

impl<S: EntrySink> ser::SerializeMap for ItemSerializer<'_, S> {
    type Ok = ();
    type Error = SerializeError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), SerializeError> {
        self.key.clear();
        key.serialize(ValueSerializer::new(&mut KeySink(&mut self.key)))
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), SerializeError> {
        self.sink.entry(&self.key, value)
    }

    fn end(self) -> Result<(), SerializeError> {
        Ok(())
    }
}

/// Takes the text of a map's key.
struct KeySink<'a>(&'a mut String);

impl ValueSink for KeySink<'_> {
    fn put(&mut self, value: ColumnValue<'_>) -> Result<()> {
        match value {
            ColumnValue::Text(text) => self.0.push_str(text),
            ColumnValue::Integer(value) => self.0.push_str(itoa::Buffer::new().format(value)),
            ColumnValue::Unsigned(value) => self.0.push_str(itoa::Buffer::new().format(value)),
            _ => return Err(Error::invalid_record("a key of a map must be a text or an integer")),
        }
        Ok(())
    }
}
