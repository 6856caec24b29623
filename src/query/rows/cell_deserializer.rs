//! Values for serde.
//!
//! A type that asks for a certain value, as an `i64` does, gets what [`Row::get`](super::Row::get) gives for it, and the same
//! errors.

use std::time::{Duration, SystemTime};

use serde_core::de::value::{BorrowedStrDeserializer, MapDeserializer};
use serde_core::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_core::forward_to_deserialize_any;

use super::cell::{Cell, Mismatch, RowRef};
use super::from_cell::{FromCell, byte_cells};
use super::unfit::Unfit;
use crate::Timestamp;

/// A value, or a row, which is a struct.
pub(super) struct CellDeserializer<'a>(Cell<'a>);

impl<'de> CellDeserializer<'de> {
    pub(super) fn new(cell: Cell<'de>) -> Self {
        Self(cell)
    }

    /// What [`Row::get`] gives.
    fn get<T: FromCell<'de>>(self) -> Result<T, Unfit> {
        T::from_cell(self.0).map_err(|mismatch| Unfit::Mismatch(mismatch.describe(&T::name())))
    }

    fn mismatch<T>(&self, wanted: &str) -> Result<T, Unfit> {
        self.0.mismatch().map_err(|mismatch: Mismatch| Unfit::Mismatch(mismatch.describe(wanted)))
    }
}

macro_rules! deserialize_as {
    ($($method:ident: $type:ty => $visit:ident;)*) => {
        $(
            fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
                visitor.$visit(self.get::<$type>()?)
            }
        )*
    };
}

impl<'de> Deserializer<'de> for CellDeserializer<'de> {
    type Error = Unfit;

    deserialize_as! {
        deserialize_bool: bool => visit_bool;
        deserialize_i8: i8 => visit_i8;
        deserialize_i16: i16 => visit_i16;
        deserialize_i32: i32 => visit_i32;
        deserialize_i64: i64 => visit_i64;
        deserialize_i128: i128 => visit_i128;
        deserialize_u8: u8 => visit_u8;
        deserialize_u16: u16 => visit_u16;
        deserialize_u32: u32 => visit_u32;
        deserialize_u64: u64 => visit_u64;
        deserialize_u128: u128 => visit_u128;
        deserialize_f32: f32 => visit_f32;
        deserialize_f64: f64 => visit_f64;
        deserialize_char: char => visit_char;
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        match self.0 {
            Cell::Null => visitor.visit_unit(),
            Cell::Bool(value) => visitor.visit_bool(value),
            Cell::Signed(value) => visitor.visit_i64(value),
            Cell::Unsigned(value) => visitor.visit_u64(value),
            Cell::Single(value) => visitor.visit_f32(value),
            Cell::Double(value) => visitor.visit_f64(value),
            Cell::Text(text) => visitor.visit_borrowed_str(text),
            Cell::Binary(bytes) => visitor.visit_borrowed_bytes(bytes),
            Cell::Time(..) | Cell::Duration(..) => self.deserialize_i64(visitor),
            Cell::Date(_) | Cell::TimeOfDay(..) | Cell::Interval(_) | Cell::Decimal(_) => {
                self.deserialize_str(visitor)
            }
            Cell::List(list) => visitor.visit_seq(ElementAccess::new(list.cells())),
            Cell::Map(entries) => {
                visitor.visit_map(EntryAccess { entries: entries.cells(), value: None })
            }
            Cell::Struct(row) => visitor.visit_map(ColumnAccess { row, next: 0 }),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        match self.0 {
            Cell::Text(text) => visitor.visit_borrowed_str(text),
            _ => visitor.visit_string(self.get()?),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        self.deserialize_str(visitor)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        match self.0 {
            Cell::Binary(bytes) => visitor.visit_borrowed_bytes(bytes),
            _ => visitor.visit_byte_buf(self.get()?),
        }
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        match self.0 {
            Cell::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        match self.0 {
            Cell::Null => visitor.visit_unit(),
            _ => self.mismatch("()"),
        }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Unfit> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Unfit> {
        match name == Timestamp::SERDE_NAME {
            true => visitor.visit_i128(self.get::<Timestamp>()?.as_nanos()),
            false => visitor.visit_newtype_struct(self),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        match self.0 {
            Cell::List(list) | Cell::Map(list) => {
                visitor.visit_seq(ElementAccess::new(list.cells()))
            }
            Cell::Struct(row) => visitor.visit_seq(ColumnAccess { row, next: 0 }),
            // `Vec<u8>` asks for a sequence, and not for bytes.
            Cell::Binary(bytes) => visitor.visit_seq(ElementAccess::new(byte_cells(bytes))),
            _ => self.mismatch("a sequence"),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Unfit> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Unfit> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        match self.0 {
            Cell::Map(_) | Cell::Struct(_) => self.deserialize_any(visitor),
            _ => self.mismatch("a map"),
        }
    }

    /// serde reads `Duration` and `SystemTime` as structs of two numbers, with these names.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unfit> {
        let parts = match (&self.0, name, fields) {
            (Cell::Map(_) | Cell::Struct(_), ..) => return self.deserialize_any(visitor),
            (_, "Duration", ["secs", "nanos"]) => self.get::<Duration>()?,
            (_, "SystemTime", ["secs_since_epoch", "nanos_since_epoch"]) => {
                let time = self.get::<SystemTime>()?;
                time.duration_since(SystemTime::UNIX_EPOCH).map_err(|_| {
                    de::Error::custom("serde has no SystemTime before 1970: read it as a Timestamp")
                })?
            }
            _ => return self.mismatch(name),
        };
        let parts = [parts.as_secs(), parts.subsec_nanos().into()];
        visitor.visit_map(MapDeserializer::new(fields.iter().copied().zip(parts)))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unfit> {
        match self.0 {
            Cell::Text(text) => {
                let text = BorrowedStrDeserializer::<Unfit>::new(text);
                text.deserialize_enum(name, variants, visitor)
            }
            _ => self.mismatch(name),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! { identifier }
}

/// The columns of a row, or the fields of a struct: by their names as a map, by their places as a sequence.
struct ColumnAccess<'a> {
    row: RowRef<'a>,
    next: usize,
}

impl<'de> ColumnAccess<'de> {
    fn value<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Unfit> {
        let (field, cell) = self.row.at(self.next);
        self.next += 1;
        seed.deserialize(CellDeserializer(cell)).map_err(|problem| {
            problem.at(format_args!("the column {:?} ({})", field.name(), field.data_type()))
        })
    }

    fn left(&self) -> usize {
        self.row.len() - self.next
    }
}

impl<'de> MapAccess<'de> for ColumnAccess<'de> {
    type Error = Unfit;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Unfit> {
        if self.left() == 0 {
            return Ok(None);
        }
        let name = self.row.fields()[self.next].name();
        seed.deserialize(BorrowedStrDeserializer::new(name)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Unfit> {
        self.value(seed)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left())
    }
}

impl<'de> SeqAccess<'de> for ColumnAccess<'de> {
    type Error = Unfit;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Unfit> {
        if self.left() == 0 { Ok(None) } else { self.value(seed).map(Some) }
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left())
    }
}

/// The values of a list.
struct ElementAccess<I> {
    cells: I,
    next: usize,
}

impl<I> ElementAccess<I> {
    fn new(cells: I) -> Self {
        Self { cells, next: 0 }
    }
}

impl<'de, I: ExactSizeIterator<Item = Cell<'de>>> SeqAccess<'de> for ElementAccess<I> {
    type Error = Unfit;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Unfit> {
        let Some(cell) = self.cells.next() else { return Ok(None) };
        let place = self.next;
        self.next += 1;
        let element = seed.deserialize(CellDeserializer(cell));
        element.map(Some).map_err(|problem| problem.at(format_args!("its element {place}")))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.cells.len())
    }
}

/// The entries of a map.
struct EntryAccess<I, V> {
    entries: I,
    /// The value whose key was read last, with the key as text.
    value: Option<(String, V)>,
}

impl<'de, I: ExactSizeIterator<Item = Cell<'de>>> MapAccess<'de> for EntryAccess<I, Cell<'de>> {
    type Error = Unfit;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Unfit> {
        let Some(Cell::Struct(entry)) = self.entries.next() else { return Ok(None) };
        let ((_, key), (_, value)) = (entry.at(0), entry.at(1));
        let shown = format!("{key:?}");
        let found = seed.deserialize(CellDeserializer(key));
        let found = found.map_err(|problem| problem.at(format_args!("its key {shown}")))?;
        self.value = Some((shown, value));
        Ok(Some(found))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Unfit> {
        let Some((key, value)) = self.value.take() else {
            return Err(de::Error::custom("a value was asked for before its key"));
        };
        seed.deserialize(CellDeserializer(value))
            .map_err(|problem| problem.at(format_args!("its value of {key}")))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.entries.len())
    }
}
