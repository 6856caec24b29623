//! A summary, the measurement and the columns of a point, one after the other in one buffer.
//!
//! Each column is a header of 16 bytes and then the bytes that a line has for it, as far as they need no escaping:
//! `,key=value` of a tag, `,key="text"` of a text, `,key=` of a number, whose value is in the header. What does need
//! escaping, or cannot be written, stands there as it came and is marked, so that encoding a usual column is one copy
//! and what the caller gave is never lost.

use std::borrow::Cow;

use crate::Timestamp;
use crate::line_protocol::FieldValue;
use crate::line_protocol::escape::{self, KeyLook};
use crate::line_protocol::summary::{Fact, Summary, SummaryMut};
use crate::line_protocol::words;

/// The buffer. Columns are only ever appended; which of two with one key counts is decided when they are read.
#[derive(Clone)]
pub(crate) struct Packed {
    /// The summary, the measurement, the columns.
    bytes: Vec<u8>,
}

/// A set of keys that may find some that are not in it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Filter(pub(crate) [u64; 4]);

/// One column, as it came.
#[derive(Clone, Copy)]
pub(crate) struct Column<'a> {
    kind: Kind,
    plain_key: bool,
    plain_text: bool,
    key_len: usize,
    payload: u64,
    /// What a line has of it, and whatever stands behind that.
    rest: &'a [u8],
    length: usize,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Kind {
    Tag,
    Text,
    Float,
    Float32,
    Integer,
    Unsigned,
    Boolean,
    Null,
}

impl Packed {
    pub(crate) fn new(measurement: &str) -> Self {
        let mut bytes = Vec::with_capacity(measurement.len() + USUAL_BYTES);
        bytes.extend_from_slice(&[0; Summary::LENGTH]);
        bytes.extend_from_slice(measurement.as_bytes());
        if let Some(mut summary) = SummaryMut::of(&mut bytes) {
            summary.set_measurement(measurement.len());
            if escape::is_plain_measurement(measurement) {
                summary.state(Fact::PlainMeasurement);
            }
        }
        Self { bytes }
    }

    pub(crate) fn push_tag(&mut self, key: &str, value: &str) {
        let look = escape::look_at_key(key);
        // Plain keys have no zeros, so that of two of them the shorter one comes first where the longer one goes on.
        let rank = look.word.swap_bytes();
        let summary = self.summary();
        let (last_tag, last_rank) = (summary.last_tag(), summary.last_rank());
        let comes_later = if last_tag == 0 {
            true
        } else if rank != 0 && last_rank != 0 {
            last_rank < rank
        } else {
            self.column(last_tag).is_none_or(|last| last.key_bytes() < key.as_bytes())
        };
        let is_in_order = comes_later && !summary.is(Fact::HasFields) && !value.is_empty();
        let place = self.bytes.len();
        if let Some(mut summary) = SummaryMut::of(&mut self.bytes) {
            summary.set_last_tag(place, rank);
            if !is_in_order {
                summary.state(Fact::OutOfOrder);
            }
        }
        let plain = escape::is_plain_tag_value(value);
        self.push_header(Kind::Tag, key, look, plain, value.len() as u64);
        words::append(&mut self.bytes, value.as_bytes());
    }

    #[inline]
    pub(crate) fn push_field(&mut self, key: &str, value: &FieldValue<'_>) {
        self.state(Fact::HasFields);
        let (kind, payload) = match value {
            FieldValue::Text(text) => return self.push_text(key, text),
            FieldValue::Float(value) => (Kind::Float, value.to_bits()),
            FieldValue::Float32(value) => (Kind::Float32, u64::from(value.to_bits())),
            FieldValue::Integer(value) => (Kind::Integer, value.cast_unsigned()),
            FieldValue::Unsigned(value) => (Kind::Unsigned, *value),
            FieldValue::Boolean(value) => (Kind::Boolean, u64::from(*value)),
            FieldValue::Null => (Kind::Null, 0),
        };
        self.push_header(kind, key, escape::look_at_key(key), true, payload);
    }

    fn push_text(&mut self, key: &str, text: &str) {
        let (look, plain) = (escape::look_at_key(key), escape::is_plain_text(text));
        self.push_header(Kind::Text, key, look, plain, text.len() as u64);
        self.bytes.push(b'"');
        words::append(&mut self.bytes, text.as_bytes());
        self.bytes.push(b'"');
    }

    #[inline(always)]
    fn push_header(
        &mut self,
        kind: Kind,
        key: &str,
        look: KeyLook,
        plain_text: bool,
        payload: u64,
    ) {
        if SummaryMut::of(&mut self.bytes).is_some_and(|mut summary| summary.add_key(look.hash)) {
            self.compare(key);
        }
        let flags = kind as u64 | u64::from(look.is_plain) << 3 | u64::from(plain_text) << 4;
        let head = flags | (key.len() as u64) << 8; // no memory holds a key of 2^56 bytes
        let length = key.len() + 2;
        if look.word != 0 {
            // `,key=` is not longer than 16 bytes.
            let equals = u128::from(b'=') << (8 * (length - 1));
            let key_and_around = u128::from(b',') | look.word << 8 | equals;
            words::append_three_words(&mut self.bytes, head, payload, key_and_around, length);
        } else {
            words::append_three_words(&mut self.bytes, head, payload, b','.into(), 1);
            words::append(&mut self.bytes, key.as_bytes());
            self.bytes.push(b'=');
        }
    }

    /// Finds out whether a column has this key already. After very many questions the answer is maybe, so that a point
    /// of very many columns is still built in a time that grows with their number.
    #[cold]
    fn compare(&mut self, key: &str) {
        if self.may_have_equal_keys() {
            return;
        }
        let count = SummaryMut::of(&mut self.bytes).map(|mut summary| summary.count_comparison());
        if count >= Some(MOST_COMPARISONS)
            || self.columns().any(|(_, column)| column.key_bytes() == key.as_bytes())
        {
            self.state(Fact::MayHaveEqualKeys);
        }
    }

    pub(crate) fn measurement(&self) -> &str {
        as_text(self.measurement_bytes())
    }

    /// The measurement, if it is written as it is.
    #[inline]
    pub(crate) fn plain_measurement(&self) -> Option<&[u8]> {
        self.summary().is(Fact::PlainMeasurement).then(|| self.measurement_bytes())
    }

    /// Whether the columns stand as they are written: tags first and sorted, all with values.
    #[inline]
    pub(crate) fn is_in_order(&self) -> bool {
        !self.summary().is(Fact::OutOfOrder)
    }

    /// Whether two columns may have one key.
    #[inline]
    pub(crate) fn may_have_equal_keys(&self) -> bool {
        self.summary().is(Fact::MayHaveEqualKeys)
    }

    #[inline]
    pub(crate) fn time(&self) -> Option<Timestamp> {
        self.summary().time()
    }

    #[inline]
    pub(crate) fn set_time(&mut self, time: Timestamp) {
        if let Some(mut summary) = SummaryMut::of(&mut self.bytes) {
            summary.set_time(time);
        }
    }

    #[inline]
    pub(crate) fn filter(&self) -> Filter {
        self.summary().filter()
    }

    /// The columns as they came, each with its place for [`column`](Self::column).
    #[inline]
    pub(crate) fn columns(&self) -> impl Iterator<Item = (usize, Column<'_>)> {
        let mut next = Summary::LENGTH + self.summary().measurement();
        std::iter::from_fn(move || {
            let place = next;
            let column = self.column(place)?;
            next = place + HEADER + column.length;
            Some((place, column))
        })
    }

    /// The column at a place.
    #[inline(always)]
    pub(crate) fn column(&self, place: usize) -> Option<Column<'_>> {
        let (head, rest) = self.bytes.get(place..)?.split_first_chunk::<8>()?;
        let (payload, rest) = rest.split_first_chunk::<8>()?;
        let (head, payload) = (u64::from_le_bytes(*head), u64::from_le_bytes(*payload));
        let kind = Kind::from_bits(head);
        let key_len = (head >> 8) as usize;
        let value_len = match kind {
            Kind::Tag => payload as usize,
            Kind::Text => payload as usize + 2,
            _ => 0,
        };
        Some(Column {
            kind,
            plain_key: head & 1 << 3 != 0,
            plain_text: head & 1 << 4 != 0,
            key_len,
            payload,
            rest,
            length: key_len + 2 + value_len,
        })
    }

    #[inline]
    fn measurement_bytes(&self) -> &[u8] {
        let bytes = self.bytes.get(Summary::LENGTH..).unwrap_or_default();
        bytes.get(..self.summary().measurement()).unwrap_or_default()
    }

    #[inline(always)]
    fn summary(&self) -> Summary<'_> {
        Summary::of(&self.bytes)
    }

    #[inline(always)]
    fn state(&mut self, fact: Fact) {
        if let Some(mut summary) = SummaryMut::of(&mut self.bytes) {
            summary.state(fact);
        }
    }
}

impl Filter {
    pub(crate) const EMPTY: Self = Self([0; 4]);

    /// Adds a key by its hash, and tells whether it may have been there.
    #[inline]
    pub(crate) fn add(&mut self, hash: u64) -> bool {
        let (place, bit) = Self::place(hash);
        let word = &mut self.0[place & 3]; // one of four
        let was_there = *word & bit != 0;
        *word |= bit;
        was_there
    }

    /// The word that tells of a key, and its bit.
    #[inline(always)]
    pub(crate) fn place(hash: u64) -> (usize, u64) {
        (hash as usize & 3, 1 << (hash >> 2 & 63))
    }

    /// Whether a key may be in both.
    #[inline]
    pub(crate) fn meets(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).any(|(a, b)| a & b != 0)
    }
}

impl<'a> Column<'a> {
    #[inline]
    pub(crate) fn is_tag(&self) -> bool {
        self.kind == Kind::Tag
    }

    /// Whether a line has the column: a tag with a value, or a field with a finite one.
    #[inline]
    pub(crate) fn is_written(&self) -> bool {
        match self.kind {
            Kind::Tag => self.payload != 0,
            Kind::Float => f64::from_bits(self.payload).is_finite(),
            Kind::Float32 => f32::from_bits(self.payload as u32).is_finite(),
            Kind::Null => false,
            _ => true,
        }
    }

    /// The key as it came.
    #[inline]
    pub(crate) fn key_bytes(&self) -> &'a [u8] {
        self.rest.get(1..=self.key_len).unwrap_or_default()
    }

    pub(crate) fn key(&self) -> &'a str {
        as_text(self.key_bytes())
    }

    /// The value of a tag as it came.
    pub(crate) fn tag_value(&self) -> &'a str {
        as_text(self.rest.get(self.key_len + 2..self.length).unwrap_or_default())
    }

    /// The value of a field as it came; null for a tag.
    pub(crate) fn field_value(&self) -> FieldValue<'a> {
        match self.kind {
            Kind::Text => {
                let text = self.rest.get(self.key_len + 3..self.length - 1);
                FieldValue::Text(Cow::Borrowed(as_text(text.unwrap_or_default())))
            }
            _ => self.number(),
        }
    }

    /// The value of a field that is no text; null for everything else.
    #[inline]
    pub(crate) fn number(&self) -> FieldValue<'static> {
        match self.kind {
            Kind::Float => FieldValue::Float(f64::from_bits(self.payload)),
            Kind::Float32 => FieldValue::Float32(f32::from_bits(self.payload as u32)),
            Kind::Integer => FieldValue::Integer(self.payload.cast_signed()),
            Kind::Unsigned => FieldValue::Unsigned(self.payload),
            Kind::Boolean => FieldValue::Boolean(self.payload != 0),
            Kind::Tag | Kind::Text | Kind::Null => FieldValue::Null,
        }
    }

    #[inline]
    pub(crate) fn is_text(&self) -> bool {
        self.kind == Kind::Text
    }

    /// Whether [`append`](Self::append) gives what a line has of it: all but the value of a number.
    #[inline]
    pub(crate) fn is_plain(&self) -> bool {
        self.plain_key && self.plain_text
    }

    /// Appends `,key=`, and the value of a tag or a text, from the byte `from` on.
    #[inline]
    pub(crate) fn append(&self, out: &mut Vec<u8>, from: usize) {
        words::append_part(out, self.rest, from, self.length - from);
    }
}

impl Kind {
    #[inline]
    fn from_bits(head: u64) -> Self {
        match head & 7 {
            0 => Self::Tag,
            1 => Self::Text,
            2 => Self::Float,
            3 => Self::Float32,
            4 => Self::Integer,
            5 => Self::Unsigned,
            6 => Self::Boolean,
            _ => Self::Null,
        }
    }
}

/// What came as a text is one.
fn as_text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_default()
}

const HEADER: usize = 16;

/// After so many comparisons of keys a point is done with them until it is encoded.
const MOST_COMPARISONS: u64 = 100;

/// Room for a usual point, with its measurement: four tags and four fields of short names.
const USUAL_BYTES: usize = Summary::LENGTH + 240;
