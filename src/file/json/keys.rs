//! The keys of objects, and their places.

use std::collections::HashMap;
use std::fmt;

use serde_core::de::{self, DeserializeSeed, Deserializer, MapAccess, Visitor};

use super::scalar::{Reading, Scalar};
use crate::Result;

/// The keys in the order in which they were first seen.
#[derive(Debug, Default)]
pub(super) struct Keys {
    names: Vec<String>,
    places: HashMap<String, usize>,
}

impl Keys {
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// The place of a key; `guess` is where it would be in the usual order.
    #[inline]
    fn find(&self, key: &str, guess: usize) -> Option<usize> {
        match self.names.get(guess) {
            Some(name) if name == key => Some(guess),
            _ => self.places.get(key).copied(),
        }
    }

    pub(super) fn add(&mut self, key: &str) -> usize {
        let place = self.names.len();
        self.names.push(key.to_owned());
        self.places.insert(key.to_owned(), place);
        place
    }
}

/// What takes the entries of an object.
pub(super) trait Entries {
    fn keys(&self) -> &Keys;

    /// The place of a key that is not among the keys; none ends the reading.
    fn unknown(&mut self, key: &str) -> Option<usize>;

    /// False ends the reading.
    fn entry(&mut self, place: usize, scalar: Scalar<'_>) -> bool;
}

/// Reads one object.
pub(super) fn read<E: Entries>(object: &[u8], entries: &mut E) -> Result<(), serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_slice(object);
    deserializer.deserialize_map(ObjectVisitor(entries))?;
    deserializer.end()
}

struct ObjectVisitor<'a, E>(&'a mut E);

impl<'de, E: Entries> Visitor<'de> for ObjectVisitor<'_, E> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut guess = 0;
        while let Some(place) = map.next_key_seed(KeySeed { entries: &mut *self.0, guess })? {
            guess = place + 1;
            map.next_value_seed(Reading(|scalar: Scalar<'_>| self.0.entry(place, scalar)))?;
        }
        Ok(())
    }
}

struct KeySeed<'a, E> {
    entries: &'a mut E,
    guess: usize,
}

impl<'de, E: Entries> DeserializeSeed<'de> for KeySeed<'_, E> {
    type Value = usize;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<usize, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<E: Entries> Visitor<'_> for KeySeed<'_, E> {
    type Value = usize;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    #[inline]
    fn visit_str<F: de::Error>(self, key: &str) -> Result<usize, F> {
        match self.entries.keys().find(key, self.guess) {
            Some(place) => Ok(place),
            None => self.entries.unknown(key).ok_or_else(|| F::custom("refused")),
        }
    }
}
