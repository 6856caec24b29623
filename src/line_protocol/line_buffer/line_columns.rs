//! The columns of the line in progress, each compared with its place in the line before.

use super::LineBuffer;
use super::remembered_key::RememberedKey;
use crate::line_protocol::duplicate_keys::DuplicateKeys;
use crate::line_protocol::escape::LineElement;
use crate::line_protocol::{encoder, escape, short_bytes};
use crate::{Error, Result, Timestamp};

/// The columns of the line in progress, and what is remembered of the line before it.
///
/// Most lines have the columns of the line before them. As long as the keys have the same order as there,
/// a key is only compared with the one at its place: that it can be written, and that no other column has it, was checked
/// then. At the first key that differs, `is_as_before` becomes false, and from there on each key is checked.
#[derive(Clone, Default)]
pub(super) struct LineColumns {
    measurement: RememberedKey,
    /// The first `count` are the keys of the line in progress; behind them, while `is_as_before`, stand the keys that the
    /// line before had at the places that follow.
    known: Vec<RememberedKey>,
    count: usize,
    is_as_before: bool,
    /// The place in the buffer of the space before the first field; none before there is a field.
    fields: Option<usize>,
    /// The keys of the line in progress by their places in the buffer; filled once `is_as_before` is false.
    keys: DuplicateKeys,
}

/// The steps of a line. After an error of one of them the rest of the line stays in the buffer, until the next step of
/// [`measurement`](LineBuffer::measurement) or [`add_or_take_back`](Self::add_or_take_back) takes it out.
impl LineBuffer {
    /// Takes back a line that was not ended, and appends the measurement of a new one.
    #[inline]
    pub(super) fn begin(&mut self, name: &str) -> Result<()> {
        self.take_back_unfinished_line();
        self.columns.count = 0;
        self.columns.is_as_before = true;
        self.columns.fields = None;
        let start = self.bytes.len();
        let before = &mut self.columns.measurement;
        if before.is(name) {
            before.append_again(&mut self.bytes);
        } else {
            *before = RememberedKey::default();
            escape::measurement(&mut self.bytes, name)?;
            *before = RememberedKey::of(&self.bytes, start, [b"", name.as_bytes(), b""]);
        }
        Ok(())
    }

    /// Adds a column by `add`; after an error the line is as it was before this call.
    pub(super) fn add_or_take_back(
        &mut self,
        add: impl FnOnce(&mut Self) -> Result<()>,
    ) -> Result<()> {
        let length = self.bytes.len();
        let (count, fields) = (self.columns.count, self.columns.fields);
        let next = self.columns.known.get(count).copied();
        let Err(error) = add(self) else { return Ok(()) };
        self.bytes.truncate(length);
        (self.columns.count, self.columns.fields) = (count, fields);
        if !self.columns.is_as_before {
            self.enter_keys();
        } else if let (Some(known), Some(next)) = (self.columns.known.get_mut(count), next) {
            *known = next;
        }
        Err(self.of_this_line(error))
    }

    /// Appends `,key=value`, or nothing if the value is empty.
    #[inline]
    pub(super) fn tag(&mut self, key: &str, value: &str) -> Result<()> {
        if self.columns.fields.is_some() {
            return Err(tag_after_field(key));
        }
        if value.is_empty() {
            return Ok(());
        }
        self.key(b',', key, LineElement::TagKey)?;
        escape::tag_value(&mut self.bytes, value, key)
    }

    /// Appends `,key=`, or for the first field ` key=`.
    #[inline(always)]
    pub(super) fn field_key(&mut self, key: &str) -> Result<()> {
        let before = match self.columns.fields {
            Some(_) => b',',
            None => {
                self.columns.fields = Some(self.bytes.len());
                b' '
            }
        };
        self.key(before, key, LineElement::FieldKey)
    }

    /// Appends a key between the byte before it and an equals sign.
    #[inline(always)]
    fn key(&mut self, before: u8, key: &str, element: LineElement<'_>) -> Result<()> {
        let columns = &mut self.columns;
        if columns.is_as_before
            && let Some(known) = columns.known.get_mut(columns.count)
            && known.is_key(before, key)
        {
            known.append_again(&mut self.bytes);
            columns.count += 1;
            return Ok(());
        }
        self.new_key(before, key, element)
    }

    /// As [`key`](Self::key), for one that is not as before.
    #[inline(never)]
    fn new_key(&mut self, before: u8, key: &str, element: LineElement<'_>) -> Result<()> {
        if self.columns.is_as_before {
            if let Some(known) = self.columns.known.get_mut(self.columns.count)
                && known.is_long_key(&self.bytes, before, key)
            {
                known.copy(&mut self.bytes);
                self.columns.count += 1;
                return Ok(());
            }
            self.enter_keys();
        }
        let start = self.bytes.len();
        let hash = escape::key_between(&mut self.bytes, before, key, element)?;
        let text = self.bytes.get(start + 1..).unwrap_or_default();
        // No key has an equals sign in it that is not escaped, so that with it at the end, none is a part of another.
        let is_equal = |place| self.bytes.get(place..).is_some_and(|key| key.starts_with(text));
        if let Some(earlier) = self.columns.keys.enter(hash, start + 1, is_equal) {
            return Err(self.taken(earlier, key));
        }
        self.columns.known.push(RememberedKey::of(
            &self.bytes,
            start,
            [&[before], key.as_bytes(), b"="],
        ));
        self.columns.count += 1;
        Ok(())
    }

    /// Ends the comparison with the line before: from here on each key is looked up among those of this line.
    fn enter_keys(&mut self) {
        self.columns.is_as_before = false;
        self.columns.known.truncate(self.columns.count);
        self.columns.keys.clear();
        for known in &self.columns.known {
            let key = known.key(&self.bytes); // none is there twice
            self.columns.keys.enter(short_bytes::look(key).hash, known.start + 1, |_| false);
        }
    }

    /// Appends the time, if there is one, and the newline, and counts the line.
    pub(super) fn end(&mut self, time: Option<Timestamp>) -> Result<()> {
        if self.columns.fields.is_none() {
            return Err(encoder::no_fields());
        }
        encoder::end(&mut self.bytes, time, self.precision)?;
        self.count_line(time.is_some());
        Ok(())
    }

    /// The error of a key that a column of this line has already; `earlier` is its place in the buffer.
    #[cold]
    fn taken(&self, earlier: usize, key: &str) -> Error {
        match self.columns.fields {
            None => twice("tag", key),
            Some(fields) if earlier < fields => encoder::tag_and_field(key),
            Some(_) => twice("field", key),
        }
    }

    /// Says in which line an error is.
    #[cold]
    pub(super) fn of_this_line(&self, error: Error) -> Error {
        let RememberedKey { start, end, .. } = self.columns.measurement;
        let name = escape::undone(self.bytes.get(start..end).unwrap_or_default());
        encoder::of_measurement(error, &String::from_utf8_lossy(&name))
    }
}

impl LineColumns {
    pub(super) fn forget_the_line_before(&mut self) {
        self.measurement = RememberedKey::default();
        self.known.clear();
    }

    /// Forgets the keys that can only be written again as a copy of bytes in the buffer.
    pub(super) fn forget_the_bytes(&mut self) {
        if !self.measurement.stands_alone() {
            self.measurement = RememberedKey::default();
        }
        let alone = self.known.iter().take_while(|known| known.stands_alone()).count();
        self.known.truncate(alone);
    }
}

#[cold]
fn tag_after_field(key: &str) -> Error {
    Error::invalid_record(format!(
        "the tag {} comes after a field: in a line all tags come before the first field",
        escape::quoted(key)
    ))
}

#[cold]
fn twice(kind: &str, key: &str) -> Error {
    Error::invalid_record(format!(
        "the {kind} {} is there twice: give each column once",
        escape::quoted(key)
    ))
}
