//! The entries of objects, and the places of their keys.

use std::collections::HashMap;

use super::scalar::Scalar;
use super::text::{self, Malformed};

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

    /// The place of a key. Looked for at `guess` first, where it is if the objects have their keys in one order.
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

/// What is called with the entries of an object.
pub(super) trait EntryVisitor {
    fn keys(&self) -> &Keys;

    /// The place of a key that is not among [`keys`](Self::keys); none ends the reading.
    fn unknown(&mut self, key: &str) -> Option<usize>;

    /// Takes the value of the key at this place; false ends the reading.
    fn entry(&mut self, place: usize, scalar: Scalar<'_>) -> bool;
}

/// Reads one object. With `flatten`, the entries of an object within it are entries of this one, their keys behind the
/// outer key and this text.
pub(super) fn read<E: EntryVisitor>(
    object: &str,
    flatten: Option<&str>,
    entries: &mut E,
) -> Result<(), Malformed> {
    let mut reading = ObjectReading { entries, guess: 0 };
    match flatten {
        None => text::entries(object, |key, value| reading.entry(&key, value)),
        Some(between) => reading.flat(object, "", between).map(|_| ()),
    }
}

/// The reading of one object.
struct ObjectReading<'a, E> {
    entries: &'a mut E,
    /// The place of the next key if the objects have their keys in one order.
    guess: usize,
}

impl<E: EntryVisitor> ObjectReading<'_, E> {
    #[inline]
    fn entry(&mut self, key: &str, value: &str) -> bool {
        let place = match self.entries.keys().find(key, self.guess) {
            Some(place) => Some(place),
            None => self.entries.unknown(key),
        };
        place.is_some_and(|place| {
            self.guess = place + 1;
            self.entries.entry(place, Scalar::read(value))
        })
    }

    /// Reads an object and those within it, which are never deeper than JSON may be; false if the reading has ended.
    fn flat(&mut self, object: &str, outer: &str, between: &str) -> Result<bool, Malformed> {
        let mut result = Ok(true);
        text::entries(object, |key, value| {
            let key = if outer.is_empty() { key } else { format!("{outer}{between}{key}").into() };
            result = match value.starts_with('{') {
                true => self.flat(value, &key, between),
                false => Ok(self.entry(&key, value)),
            };
            result == Ok(true)
        })?;
        result
    }
}
