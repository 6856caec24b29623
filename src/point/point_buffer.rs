//! The measurement, the columns and the time of a point, in one buffer.
//!
//! First stands the [head](super::head), then one entry for the measurement and one for each column, in the order in which
//! they were added. An entry is a [header](super::entry_header) and the bytes that a line has for it: `,key=value`, numbers
//! in the text of a line, texts in quotes. What has to be escaped, and what cannot be written, stands there as the caller
//! gave it, and the header says so. So encoding a common column is one copy, and nothing that the caller gave is lost.

use super::column::{PointColumn, as_text};
use super::entry_header::{EntryForm, EntryHeader, EntryKind};
use super::head::{self, Fact, Status};
use crate::Timestamp;
use crate::line_protocol::escape::{self, KeyLook};
use crate::line_protocol::key_filter::KeyFilter;
use crate::line_protocol::{FieldValue, encoder, short_bytes};

/// The buffer. Columns are only appended; which of two columns with one key counts is decided when they are read.
#[derive(Clone)]
pub(super) struct PointBuffer {
    bytes: Vec<u8>,
}

impl PointBuffer {
    pub(super) fn new(measurement: &str) -> Self {
        let mut bytes = Vec::with_capacity(measurement.len() + USUAL_BYTES);
        bytes.extend_from_slice(&[0; head::LENGTH]);
        let is_plain = escape::is_plain_measurement(measurement);
        let form = if is_plain { EntryForm::AsItStands } else { EntryForm::EscapeValue };
        EntryHeader::push(&mut bytes, EntryKind::Text, form, 0, 0, measurement.len());
        short_bytes::append(&mut bytes, measurement.as_bytes());
        Self { bytes }
    }

    pub(super) fn push_tag(&mut self, key: &str, value: &str) {
        let look = escape::look_at_key(key);
        let mut status = Status::of(&self.bytes);
        let comes_later = status.last_tag().is_none_or(|last| self.comes_behind(last, key, look));
        if !comes_later || status.is(Fact::HasFields) || value.is_empty() {
            status = status.with(Fact::IsInAnyOrder);
        }
        status = match u32::try_from(self.bytes.len()) {
            Ok(place) => status.with_last_tag(place),
            Err(_) => status.with(Fact::IsInAnyOrder), // beyond 4 GiB nothing is known of the last tag
        };
        let form = if value.is_empty() {
            EntryForm::LeftOut
        } else {
            EntryForm::of(look.is_plain, escape::is_plain_tag_value(value))
        };
        self.push_key(EntryKind::Tag, form, key, look, value.len(), status);
        short_bytes::append(&mut self.bytes, value.as_bytes());
    }

    #[inline]
    pub(super) fn push_field(&mut self, key: &str, value: &FieldValue<'_>) {
        let (kind, is_written) = match value {
            FieldValue::Text(text) => return self.push_text(key, text),
            FieldValue::Float(value) => (EntryKind::Float, value.is_finite()),
            FieldValue::Float32(value) => (EntryKind::Float32, value.is_finite()),
            FieldValue::Integer(_) => (EntryKind::Integer, true),
            FieldValue::Unsigned(_) => (EntryKind::Unsigned, true),
            FieldValue::Boolean(_) => (EntryKind::Boolean, true),
            FieldValue::Null => (EntryKind::Null, false),
        };
        let look = escape::look_at_key(key);
        let form = if is_written { EntryForm::of(look.is_plain, true) } else { EntryForm::LeftOut };
        let status = Status::of(&self.bytes).with(Fact::HasFields);
        let (place, header) = self.push_key(kind, form, key, look, 0, status);
        let start = self.bytes.len();
        if is_written {
            encoder::field_value(&mut self.bytes, value);
        } else {
            push_not_finite(&mut self.bytes, value);
        }
        let length = self.bytes.len() - start;
        header.with_value_length(length).store(&mut self.bytes, place, length);
    }

    fn push_text(&mut self, key: &str, text: &str) {
        let look = escape::look_at_key(key);
        let form = EntryForm::of(look.is_plain, escape::is_plain_text(text));
        let status = Status::of(&self.bytes).with(Fact::HasFields);
        self.push_key(EntryKind::Text, form, key, look, text.len() + 2, status);
        self.bytes.push(b'"');
        short_bytes::append(&mut self.bytes, text.as_bytes());
        self.bytes.push(b'"');
    }

    /// Stores the status, and appends a header and `,key=`. Gives the header and its place.
    #[inline(always)]
    fn push_key(
        &mut self,
        kind: EntryKind,
        form: EntryForm,
        key: &str,
        look: KeyLook,
        value_length: usize,
        mut status: Status,
    ) -> (usize, EntryHeader) {
        if head::add_key(&mut self.bytes, look.hash) {
            self.note_equal_key(key, look, &mut status);
        }
        status.store(&mut self.bytes);
        let place = self.bytes.len();
        if look.word != 0 && value_length <= EntryHeader::LONGEST {
            // `,key=` is not longer than 16 bytes.
            let header = EntryHeader::short(kind, form, look.hash, key.len(), value_length);
            let comma_and_key = u128::from(b',') | look.word << 8;
            short_bytes::append_two(
                &mut self.bytes,
                header.bits().into(),
                4,
                comma_and_key,
                key.len() + 1,
            );
            self.bytes.push(b'=');
            return (place, header);
        }
        let header =
            EntryHeader::push(&mut self.bytes, kind, form, look.hash, key.len(), value_length);
        self.bytes.push(b',');
        short_bytes::append(&mut self.bytes, key.as_bytes());
        self.bytes.push(b'=');
        (place, header)
    }

    /// Whether a tag of this key is sorted behind the tag at a place.
    #[inline]
    fn comes_behind(&self, last: usize, key: &str, look: KeyLook) -> bool {
        // The first eight bytes decide, if both keys have them. Behind the header of the last one stands a comma.
        if look.word != 0
            && let Some((header, [_, first @ ..])) =
                self.bytes.get(last..).and_then(EntryHeader::split_off)
            && !header.is_long()
            && let Some(first) = first.first_chunk()
        {
            let beyond = 64 - 8 * header.key_length().min(key.len()).min(8) as u32;
            let before = u64::from_be_bytes(*first).checked_shr(beyond);
            let now = (look.word as u64).swap_bytes().checked_shr(beyond);
            if before != now {
                return before < now;
            }
        }
        self.column_at(last).is_none_or(|last| last.key_bytes() < key.as_bytes())
    }

    /// Notes in the status if a column may have this key already. After [`MOST_COMPARISONS`] searches it says so without
    /// looking, so that the time for building a point grows with the number of its columns and not with its square.
    #[inline(never)]
    fn note_equal_key(&self, key: &str, look: KeyLook, status: &mut Status) {
        if !status.is(Fact::MayHaveEqualKeys)
            && (status.count_comparison() >= MOST_COMPARISONS || self.has_key(key, look))
        {
            *status = status.with(Fact::MayHaveEqualKeys);
        }
    }

    /// Whether a column, tag or field, has this key.
    fn has_key(&self, key: &str, look: KeyLook) -> bool {
        let wanted = EntryHeader::short(
            EntryKind::Tag,
            EntryForm::AsItStands,
            look.hash,
            key.len() & 0xff,
            0,
        );
        let mut rest = self.column_bytes();
        while let Some((header, behind)) = EntryHeader::split_off(rest) {
            if header.is_long() || header.may_have_key_of(wanted) {
                let Some((column, next)) = PointColumn::split_off(rest) else { return false };
                if column.key_bytes() == key.as_bytes() {
                    return true;
                }
                rest = next;
            } else {
                rest = behind.get(header.entry_length()..).unwrap_or_default();
            }
        }
        false
    }

    pub(super) fn measurement(&self) -> &str {
        as_text(self.name().0)
    }

    /// The measurement, if it is written as it is.
    #[inline]
    pub(super) fn plain_measurement(&self) -> Option<&[u8]> {
        let (name, form, _) = self.name();
        (form == EntryForm::AsItStands).then_some(name)
    }

    /// Whether the columns stand as they are written: tags first and sorted, all with values, and no two of one key.
    #[inline]
    pub(super) fn stands_as_written(&self) -> bool {
        Status::of(&self.bytes).stands_as_written()
    }

    /// Whether two columns may have one key.
    #[inline]
    pub(super) fn may_have_equal_keys(&self) -> bool {
        Status::of(&self.bytes).is(Fact::MayHaveEqualKeys)
    }

    #[inline]
    pub(super) fn time(&self) -> Option<Timestamp> {
        Status::of(&self.bytes).is(Fact::HasTime).then(|| head::time(&self.bytes))
    }

    #[inline]
    pub(super) fn set_time(&mut self, time: Timestamp) {
        head::set_time(&mut self.bytes, time);
        Status::of(&self.bytes).with(Fact::HasTime).store(&mut self.bytes);
    }

    /// The keys of all columns.
    pub(super) fn filter(&self) -> KeyFilter {
        head::filter(&self.bytes)
    }

    /// Appends all columns as they stand, each with a comma before it, and gives where in `out` the fields begin.
    ///
    /// # Errors
    ///
    /// If a key or the value of a tag cannot be written.
    #[inline]
    pub(super) fn write_columns(&self, out: &mut Vec<u8>) -> crate::Result<Option<usize>> {
        let mut fields = None;
        let mut rest = self.column_bytes();
        while let Some((header, behind)) = EntryHeader::split_off(rest) {
            if fields.is_none() && header.kind() != EntryKind::Tag {
                fields = Some(out.len());
            }
            if header.is_usual() {
                let length = header.entry_length();
                short_bytes::append_part(out, behind, 0, length);
                rest = behind.get(length..).unwrap_or_default();
            } else {
                let Some((column, next)) = PointColumn::split_off(rest) else { break };
                column.write(out)?;
                rest = next;
            }
        }
        Ok(fields)
    }

    /// The columns in the order in which they were set, each with its place for [`column_at`](Self::column_at).
    #[inline]
    pub(super) fn columns(&self) -> impl Iterator<Item = (usize, PointColumn<'_>)> {
        let mut rest = self.column_bytes();
        std::iter::from_fn(move || {
            let place = self.bytes.len() - rest.len();
            let column;
            (column, rest) = PointColumn::split_off(rest)?;
            Some((place, column))
        })
    }

    /// The column at a place.
    #[inline]
    pub(super) fn column_at(&self, place: usize) -> Option<PointColumn<'_>> {
        Some(PointColumn::split_off(self.bytes.get(place..)?)?.0)
    }

    /// All that stands behind the measurement.
    #[inline]
    fn column_bytes(&self) -> &[u8] {
        self.name().2
    }

    /// The measurement, how it is written, and what stands behind it.
    #[inline]
    fn name(&self) -> (&[u8], EntryForm, &[u8]) {
        let entry = self.bytes.get(head::LENGTH..).and_then(|entry| {
            let (header, behind) = EntryHeader::split_off(entry)?;
            let (_, length, behind) = header.lengths(behind)?;
            let (name, columns) = behind.split_at_checked(length)?;
            Some((name, header.form(), columns))
        });
        entry.unwrap_or((&[], EntryForm::EscapeValue, &[])) // every buffer has one
    }
}

/// The text of NaN or an infinity, which reading a float understands; nothing of everything else.
#[cold]
fn push_not_finite(bytes: &mut Vec<u8>, value: &FieldValue<'_>) {
    let text = match value {
        FieldValue::Float(value) => value.to_string(),
        FieldValue::Float32(value) => value.to_string(),
        _ => return,
    };
    bytes.extend_from_slice(text.as_bytes());
}

/// How many times the keys of a point are searched for an equal one while it is built.
const MOST_COMPARISONS: u64 = 100;

/// Room for a typical point besides its measurement: three tags and four fields of short names.
const USUAL_BYTES: usize = 164;
