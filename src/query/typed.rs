//! Rows as values of the caller's types, by serde.

use std::fmt;
use std::marker::PhantomData;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use serde_core::de::value::{BorrowedBytesDeserializer, StrDeserializer};
use serde_core::de::{
    self, Deserialize, DeserializeOwned, DeserializeSeed, Deserializer, IntoDeserializer,
    MapAccess, SeqAccess, Visitor,
};
use serde_core::forward_to_deserialize_any;

use super::cell::{Cell, nanoseconds};
use super::reader::{CancelHandle, Reader};
use super::rfc3339;
use super::rows::Row;
use super::stats::QueryStats;
use super::to_point::timestamp;
use crate::{Error, ErrorKind, Result};

/// The rows of an answer as values of `T`, one after the other as they come in: made by
/// [`QueryRequest::rows`](super::QueryRequest::rows).
///
/// It is a [`Reader`] below: the answer is read as it is needed, and dropping this cancels the query.
pub struct TypedRows<T> {
    reader: Reader,
    batch: Option<RecordBatch>,
    next: usize,
    rows: PhantomData<fn() -> T>,
}

impl<T: DeserializeOwned> TypedRows<T> {
    pub(super) fn new(reader: Reader) -> Self {
        Self { reader, batch: None, next: 0, rows: PhantomData }
    }

    /// The schema, which an empty answer has as well.
    #[must_use]
    pub fn schema(&self) -> SchemaRef {
        self.reader.schema()
    }

    /// A handle that cancels the query, as of a [`Reader`](Reader::cancel_handle).
    #[must_use]
    pub fn cancel_handle(&self) -> CancelHandle {
        self.reader.cancel_handle()
    }

    /// What the server said about the query, after the last row: `None` before.
    #[must_use]
    pub fn stats(&self) -> Option<QueryStats> {
        self.reader.stats()
    }
}

impl<T: DeserializeOwned> Iterator for TypedRows<T> {
    type Item = Result<T>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(batch) = &self.batch
                && self.next < batch.num_rows()
            {
                let row = Row::new(batch, self.next);
                self.next += 1;
                return Some(row.deserialize());
            }
            match self.reader.next()? {
                Ok(batch) => (self.batch, self.next) = (Some(batch), 0),
                Err(error) => {
                    self.batch = None;
                    return Some(Err(error.into()));
                }
            }
        }
    }
}

impl<T: DeserializeOwned> std::iter::FusedIterator for TypedRows<T> {}

impl<T> fmt::Debug for TypedRows<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TypedRows").field("reader", &self.reader).finish_non_exhaustive()
    }
}

impl<'a> Row<'a> {
    /// The row as a value of `T`: a struct or a map takes columns by their names, a tuple by their places.
    ///
    /// Timestamps, times and durations are read as nanoseconds (`i64`), or as text in the form of RFC 3339 by types
    /// that want that; null as `None` or `()`; decimals as text or `f64`.
    ///
    /// # Errors
    ///
    /// Fails if a value does not fit: the error names the column and its type.
    pub fn deserialize<T: Deserialize<'a>>(&self) -> Result<T> {
        T::deserialize(RowDeserializer(*self)).map_err(|misfit| match misfit {
            Misfit::Row(message) => {
                Error::new(ErrorKind::Decode, format!("a row does not fit: {message}"))
            }
            Misfit::Column(message) => Error::new(ErrorKind::Decode, message),
        })
    }
}

/// What serde has against a row.
#[derive(Debug)]
enum Misfit {
    Row(String),
    Column(String),
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Row(message) | Self::Column(message) => f.write_str(message),
        }
    }
}

impl std::error::Error for Misfit {}

impl de::Error for Misfit {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Row(message.to_string())
    }
}

struct RowDeserializer<'a>(Row<'a>);

impl<'de> Deserializer<'de> for RowDeserializer<'de> {
    type Error = Misfit;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_map(Columns { row: self.0, next: 0 })
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_seq(Columns { row: self.0, next: 0 })
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Misfit> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
        unit_struct map struct enum identifier
    }
}

/// The columns of a row, with their names or without.
struct Columns<'a> {
    row: Row<'a>,
    next: usize,
}

impl<'de> Columns<'de> {
    fn value<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Misfit> {
        let place = self.next;
        self.next += 1;
        seed.deserialize(CellDeserializer(self.row.cell(place))).map_err(|misfit| {
            let field = self.row.field(place);
            Misfit::Column(format!(
                "the column {:?} ({}) does not fit: {misfit}",
                field.name(),
                field.data_type()
            ))
        })
    }

    fn has_next(&self) -> bool {
        self.next < self.row.num_columns()
    }
}

impl<'de> MapAccess<'de> for Columns<'de> {
    type Error = Misfit;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Misfit> {
        if !self.has_next() {
            return Ok(None);
        }
        let name = self.row.field(self.next).name().as_str();
        seed.deserialize(de::value::BorrowedStrDeserializer::new(name)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Misfit> {
        self.value(seed)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.row.num_columns() - self.next)
    }
}

impl<'de> SeqAccess<'de> for Columns<'de> {
    type Error = Misfit;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Misfit> {
        if self.has_next() { self.value(seed).map(Some) } else { Ok(None) }
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.row.num_columns() - self.next)
    }
}

struct CellDeserializer<'a>(Cell<'a>);

impl<'de> CellDeserializer<'de> {
    /// Times as RFC 3339, decimals as they are.
    fn text<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.0 {
            Cell::Time(value, unit) => match rfc3339::format(timestamp(value, unit)) {
                Some(text) => visitor.visit_string(text),
                None => Err(de::Error::custom("a year that has more than four digits")),
            },
            _ => self.deserialize_any(visitor),
        }
    }

    fn float<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.0 {
            Cell::Decimal(text) => match text.parse() {
                Ok(value) => visitor.visit_f64(value),
                Err(_) => visitor.visit_string(text),
            },
            _ => self.deserialize_any(visitor),
        }
    }
}

impl<'de> Deserializer<'de> for CellDeserializer<'de> {
    type Error = Misfit;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.0 {
            Cell::Null => visitor.visit_unit(),
            Cell::Bool(value) => visitor.visit_bool(value),
            Cell::Signed(value) => visitor.visit_i64(value),
            Cell::Unsigned(value) => visitor.visit_u64(value),
            Cell::Float(value) => visitor.visit_f64(value),
            Cell::Text(text) => visitor.visit_borrowed_str(text),
            Cell::Binary(bytes) => visitor.visit_borrowed_bytes(bytes),
            Cell::Time(value, unit) | Cell::Duration(value, unit) => {
                match value.checked_mul(nanoseconds(unit)) {
                    Some(nanos) => visitor.visit_i64(nanos),
                    None => Err(de::Error::custom(format!(
                        "{value} {unit:?}s are more nanoseconds than fit"
                    ))),
                }
            }
            Cell::Days(value) => visitor.visit_i64(value),
            Cell::Decimal(text) => visitor.visit_string(text),
            Cell::Other => Err(de::Error::custom("a type that rows cannot hold")),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.0 {
            Cell::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        self.text(visitor)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        self.text(visitor)
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        self.float(visitor)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        self.float(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        match self.0 {
            Cell::Text(text) => {
                let text: StrDeserializer<'_, Misfit> = text.into_deserializer();
                text.deserialize_enum(name, variants, visitor)
            }
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.0 {
            // `Vec<u8>` asks for a sequence.
            Cell::Binary(bytes) => {
                visitor.visit_seq(de::value::SeqDeserializer::new(bytes.iter().copied()))
            }
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.0 {
            Cell::Binary(bytes) => {
                BorrowedBytesDeserializer::<Misfit>::new(bytes).deserialize_bytes(visitor)
            }
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 char byte_buf unit unit_struct tuple tuple_struct map
        struct identifier
    }
}
