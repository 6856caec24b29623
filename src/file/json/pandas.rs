//! What pandas writes as one object: a table by column, or split into names and rows.

use std::collections::HashMap;
use std::fmt;

use serde_core::de::{self, Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

use crate::Result;
use crate::file::unreadable;

/// A table in memory.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) names: Vec<String>,
    pub(super) rows: usize,
    /// The values of each column; where one is shorter, nulls are missing.
    pub(super) columns: Vec<Vec<Value>>,
}

impl Frame {
    /// The table that an object is, if it is one and not a row.
    pub(super) fn read(object: &[u8]) -> Result<Option<Self>> {
        // A row that cannot be read is told of where rows are read.
        let Ok(Object(entries)) = serde_json::from_slice::<Object>(object) else { return Ok(None) };
        let get = |key| entries.iter().find(|(name, _)| name == key).map(|(_, value)| value);
        if let (Some(Outer::Other(Value::Array(names))), Some(Outer::Other(Value::Array(rows)))) =
            (get("columns"), get("data"))
        {
            return Self::split(names, rows).map(Some);
        }
        let is_by_column = !entries.is_empty()
            && entries.iter().all(|(_, value)| matches!(value, Outer::Object(_)));
        Ok(is_by_column.then(|| Self::by_column(entries)))
    }

    fn split(names: &[Value], rows: &[Value]) -> Result<Self> {
        let names: Option<Vec<String>> =
            names.iter().map(|name| name.as_str().map(str::to_owned)).collect();
        let names =
            names.ok_or_else(|| unreadable("the names at \"columns\" are not all texts"))?;
        let mut columns = vec![Vec::with_capacity(rows.len()); names.len()];
        for (number, row) in rows.iter().enumerate() {
            let cells = row.as_array().filter(|cells| cells.len() == names.len());
            let cells = cells.ok_or_else(|| {
                unreadable(format!(
                    "row {} of \"data\" is no array of {} values",
                    number + 1,
                    names.len()
                ))
            })?;
            for (column, cell) in columns.iter_mut().zip(cells) {
                column.push(cell.clone());
            }
        }
        Ok(Self { names, rows: rows.len(), columns })
    }

    /// Columns are objects, and their keys are the names of the rows.
    fn by_column(entries: Vec<(String, Outer)>) -> Self {
        let mut places: HashMap<String, usize> = HashMap::new();
        let (mut names, mut columns) = (Vec::new(), Vec::new());
        for (name, value) in entries {
            let Outer::Object(cells) = value else { continue };
            let mut column = vec![Value::Null; cells.len()];
            for (row, cell) in cells {
                let next = places.len();
                let place = *places.entry(row).or_insert(next);
                if column.len() <= place {
                    column.resize(place + 1, Value::Null);
                }
                if let Some(slot) = column.get_mut(place) {
                    *slot = cell;
                }
            }
            names.push(name);
            columns.push(column);
        }
        Self { names, rows: places.len(), columns }
    }
}

/// An object with its entries as they stand; a map of `serde_json` would sort them.
struct Object<T = Outer>(Vec<(String, T)>);

enum Outer {
    Object(Vec<(String, Value)>),
    Other(Value),
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<T>(std::marker::PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Entries<T> {
            type Value = Object<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object<T>, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Object(entries))
            }
        }

        deserializer.deserialize_map(Entries(std::marker::PhantomData))
    }
}

impl<'de> Deserialize<'de> for Outer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;

        impl<'de> Visitor<'de> for Any {
            type Value = Outer;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Outer, A::Error> {
                let Object(entries) =
                    Object::deserialize(de::value::MapAccessDeserializer::new(map))?;
                Ok(Outer::Object(entries))
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, sequence: A) -> Result<Outer, A::Error> {
                let deserializer = de::value::SeqAccessDeserializer::new(sequence);
                Ok(Outer::Other(Value::deserialize(deserializer)?))
            }

            fn visit_unit<E>(self) -> Result<Outer, E> {
                Ok(Outer::Other(Value::Null))
            }

            fn visit_bool<E>(self, _: bool) -> Result<Outer, E> {
                Ok(Outer::Other(Value::Null))
            }

            fn visit_i64<E>(self, _: i64) -> Result<Outer, E> {
                Ok(Outer::Other(Value::Null))
            }

            fn visit_u64<E>(self, _: u64) -> Result<Outer, E> {
                Ok(Outer::Other(Value::Null))
            }

            fn visit_f64<E>(self, _: f64) -> Result<Outer, E> {
                Ok(Outer::Other(Value::Null))
            }

            fn visit_str<E>(self, _: &str) -> Result<Outer, E> {
                Ok(Outer::Other(Value::Null))
            }
        }

        deserializer.deserialize_any(Any)
    }
}
