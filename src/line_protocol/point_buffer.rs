//! The measurement, the columns and the time of a point, in one buffer.
//!
//! First there is the [head](crate::line_protocol::point_head), then the measurement and then each column as it came.
//! An entry, the measurement is one as well, is a header of four bytes (see [`Header`]) and then the bytes that a line has
//! for it: `,key=value`, with the text of a number as a line has it and a text between its quotes. What has to be escaped, and
//! what cannot be written, stands there as it came and is marked. So encoding a usual column is one copy, and what the
//! caller gave is never lost.

use std::borrow::Cow;

use crate::Timestamp;
use crate::line_protocol::escape::{self, KeyLook};
use crate::line_protocol::key_filter::KeyFilter;
use crate::line_protocol::point_head::{self, Fact, Status};
use crate::line_protocol::{FieldValue, encoder, short_bytes};

/// The buffer. Columns are only ever appended; which of two with one key counts is decided when they are read.
#[derive(Clone)]
pub(crate) struct PointBuffer {
    bytes: Vec<u8>,
}

/// One column.
#[derive(Clone, Copy)]
pub(crate) struct Column<'a> {
    kind: Kind,
    state: State,
    key_length: usize,
    value_length: usize,
    /// `,key=value`, and whatever stands behind that.
    bytes: &'a [u8],
}

/// What an entry is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    Tag = 0,
    Text = 1,
    Float = 2,
    Float32 = 3,
    Integer = 4,
    Unsigned = 5,
    Boolean = 6,
    Null = 7,
}

/// What becomes of an entry in a line.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    /// It is copied.
    AsItStands = 0,
    /// Its value has to be escaped, or cannot be written.
    EscapeValue = 1,
    /// Its key has to be escaped, or cannot be written, and perhaps its value as well.
    EscapeKey = 2,
    /// It has no value that a line can have.
    LeftOut = 3,
}

/// The four bytes before an entry: kind and state, a part of the hash of the key, the length of the key, the length of the
/// value. Longer ones than a byte can tell stand behind it in two words.
#[derive(Clone, Copy)]
struct Header(u32);

impl PointBuffer {
    pub(crate) fn new(measurement: &str) -> Self {
        let mut bytes = Vec::with_capacity(measurement.len() + USUAL_BYTES);
        bytes.extend_from_slice(&[0; point_head::LENGTH]);
        let is_plain = escape::is_plain_measurement(measurement);
        let state = if is_plain { State::AsItStands } else { State::EscapeValue };
        push_header(&mut bytes, Kind::Text, state, 0, 0, measurement.len());
        short_bytes::append(&mut bytes, measurement.as_bytes());
        Self { bytes }
    }

    pub(crate) fn push_tag(&mut self, key: &str, value: &str) {
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
        let state = if value.is_empty() {
            State::LeftOut
        } else {
            State::of(look.is_plain, escape::is_plain_tag_value(value))
        };
        self.push_key(Kind::Tag, state, key, look, value.len(), status);
        short_bytes::append(&mut self.bytes, value.as_bytes());
    }

    #[inline]
    pub(crate) fn push_field(&mut self, key: &str, value: &FieldValue<'_>) {
        let (kind, is_written) = match value {
            FieldValue::Text(text) => return self.push_text(key, text),
            FieldValue::Float(value) => (Kind::Float, value.is_finite()),
            FieldValue::Float32(value) => (Kind::Float32, value.is_finite()),
            FieldValue::Integer(_) => (Kind::Integer, true),
            FieldValue::Unsigned(_) => (Kind::Unsigned, true),
            FieldValue::Boolean(_) => (Kind::Boolean, true),
            FieldValue::Null => (Kind::Null, false),
        };
        let look = escape::look_at_key(key);
        let state = if is_written { State::of(look.is_plain, true) } else { State::LeftOut };
        let status = Status::of(&self.bytes).with(Fact::HasFields);
        let (place, header) = self.push_key(kind, state, key, look, 0, status);
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
        let state = State::of(look.is_plain, escape::is_plain_text(text));
        let status = Status::of(&self.bytes).with(Fact::HasFields);
        self.push_key(Kind::Text, state, key, look, text.len() + 2, status);
        self.bytes.push(b'"');
        short_bytes::append(&mut self.bytes, text.as_bytes());
        self.bytes.push(b'"');
    }

    /// Stores the status, and appends a header and `,key=`. Gives the place of the header.
    #[inline(always)]
    fn push_key(
        &mut self,
        kind: Kind,
        state: State,
        key: &str,
        look: KeyLook,
        value_length: usize,
        mut status: Status,
    ) -> (usize, Header) {
        if point_head::add_key(&mut self.bytes, look.hash) {
            self.compare(key, look, &mut status);
        }
        status.store(&mut self.bytes);
        let place = self.bytes.len();
        if look.word != 0 && value_length <= Header::LONGEST {
            // `,key=` is not longer than 16 bytes.
            let header = Header::short(kind, state, look.hash, key.len(), value_length);
            let comma_and_key = u128::from(b',') | look.word << 8;
            short_bytes::append_two(
                &mut self.bytes,
                header.0.into(),
                4,
                comma_and_key,
                key.len() + 1,
            );
            self.bytes.push(b'=');
            return (place, header);
        }
        let header = push_header(&mut self.bytes, kind, state, look.hash, key.len(), value_length);
        self.bytes.push(b',');
        short_bytes::append(&mut self.bytes, key.as_bytes());
        self.bytes.push(b'=');
        (place, header)
    }

    /// Whether a tag of this key comes behind the tag at a place.
    #[inline]
    fn comes_behind(&self, last: usize, key: &str, look: KeyLook) -> bool {
        // The first eight bytes decide, if both keys have them. Behind the header of the last one stands a comma.
        if look.word != 0
            && let Some((header, [_, first @ ..])) =
                self.bytes.get(last..).and_then(Header::split_off)
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

    /// Finds out whether a column has this key already. After very many questions the answer is perhaps, so that a point
    /// of very many columns is still built in a time that grows with their number.
    #[inline(never)]
    fn compare(&self, key: &str, look: KeyLook, status: &mut Status) {
        if !status.is(Fact::MayHaveEqualKeys)
            && (status.count_comparison() >= MOST_COMPARISONS || self.has_key(key, look))
        {
            *status = status.with(Fact::MayHaveEqualKeys);
        }
    }

    fn has_key(&self, key: &str, look: KeyLook) -> bool {
        let wanted = Header::short(Kind::Tag, State::AsItStands, look.hash, key.len() & 0xff, 0);
        let mut rest = self.column_bytes();
        while let Some((header, behind)) = Header::split_off(rest) {
            if header.is_long() || header.may_have_key_of(wanted) {
                let Some((column, next)) = Column::split_off(rest) else { return false };
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

    pub(crate) fn measurement(&self) -> &str {
        as_text(self.name().0)
    }

    /// The measurement, if it is written as it is.
    #[inline]
    pub(crate) fn plain_measurement(&self) -> Option<&[u8]> {
        let (name, state, _) = self.name();
        (state == State::AsItStands).then_some(name)
    }

    /// Whether the columns stand as they are written: tags first and sorted, all with values, and no two of one key.
    #[inline]
    pub(crate) fn stands_as_written(&self) -> bool {
        Status::of(&self.bytes).stands_as_written()
    }

    /// Whether two columns may have one key.
    #[inline]
    pub(crate) fn may_have_equal_keys(&self) -> bool {
        Status::of(&self.bytes).is(Fact::MayHaveEqualKeys)
    }

    #[inline]
    pub(crate) fn time(&self) -> Option<Timestamp> {
        Status::of(&self.bytes).is(Fact::HasTime).then(|| point_head::time(&self.bytes))
    }

    #[inline]
    pub(crate) fn set_time(&mut self, time: Timestamp) {
        point_head::set_time(&mut self.bytes, time);
        Status::of(&self.bytes).with(Fact::HasTime).store(&mut self.bytes);
    }

    pub(crate) fn filter(&self) -> KeyFilter {
        point_head::filter(&self.bytes)
    }

    /// Appends all columns as they stand, each with a comma before it, and gives where in `out` the fields begin.
    ///
    /// # Errors
    ///
    /// If a key or the value of a tag cannot be written.
    #[inline]
    pub(crate) fn write_columns(&self, out: &mut Vec<u8>) -> crate::Result<Option<usize>> {
        let mut fields = None;
        let mut rest = self.column_bytes();
        while let Some((header, behind)) = Header::split_off(rest) {
            if fields.is_none() && header.kind() != Kind::Tag {
                fields = Some(out.len());
            }
            if header.is_usual() {
                let length = header.entry_length();
                short_bytes::append_part(out, behind, 0, length);
                rest = behind.get(length..).unwrap_or_default();
            } else {
                let Some((column, next)) = Column::split_off(rest) else { break };
                column.write(out)?;
                rest = next;
            }
        }
        Ok(fields)
    }

    /// The columns as they came, each with its place for [`column_at`](Self::column_at).
    #[inline]
    pub(crate) fn columns(&self) -> impl Iterator<Item = (usize, Column<'_>)> {
        let mut rest = self.column_bytes();
        std::iter::from_fn(move || {
            let place = self.bytes.len() - rest.len();
            let column;
            (column, rest) = Column::split_off(rest)?;
            Some((place, column))
        })
    }

    /// The column at a place.
    #[inline]
    pub(crate) fn column_at(&self, place: usize) -> Option<Column<'_>> {
        Some(Column::split_off(self.bytes.get(place..)?)?.0)
    }

    /// All that stands behind the measurement.
    #[inline]
    fn column_bytes(&self) -> &[u8] {
        self.name().2
    }

    /// The measurement, what becomes of it, and what stands behind it.
    #[inline]
    fn name(&self) -> (&[u8], State, &[u8]) {
        let entry = self.bytes.get(point_head::LENGTH..).and_then(|entry| {
            let (header, behind) = Header::split_off(entry)?;
            let (_, length, behind) = header.lengths(behind)?;
            let (name, columns) = behind.split_at_checked(length)?;
            Some((name, header.state(), columns))
        });
        entry.unwrap_or((&[], State::EscapeValue, &[])) // every buffer has one
    }
}

impl State {
    #[inline(always)]
    fn of(key_is_plain: bool, value_is_plain: bool) -> Self {
        match (key_is_plain, value_is_plain) {
            (true, true) => Self::AsItStands,
            (true, false) => Self::EscapeValue,
            (false, _) => Self::EscapeKey,
        }
    }
}

impl Header {
    /// The longest key or value of which it tells the length.
    const LONGEST: usize = 255;

    const STATE: u32 = 3 << 3;
    const LONG: u32 = 1 << 5;

    /// Of a key and a value of which none is longer than [`LONGEST`](Self::LONGEST).
    #[inline(always)]
    fn short(kind: Kind, state: State, hash: u64, key: usize, value: usize) -> Self {
        let bits = kind as u32 | (state as u32) << 3;
        let hash = u32::from((hash >> 8) as u8);
        Self(bits | hash << 8 | (key as u32) << 16 | (value as u32) << 24)
    }

    /// The same with the length of a number, which is 0 in it so far and never long.
    #[inline(always)]
    fn with_value_length(self, length: usize) -> Self {
        if self.is_long() { self } else { Self(self.0 | (length as u32) << 24) }
    }

    /// Stores it at the place where it stands, all of it, as it is read; and the length of its value if it is long.
    #[inline(always)]
    fn store(self, bytes: &mut [u8], place: usize, value_length: usize) {
        if self.is_long() {
            let length = bytes.get_mut(place + 12..).and_then(|bytes| bytes.first_chunk_mut());
            if let Some(length) = length {
                *length = (value_length as u64).to_le_bytes();
            }
        } else if let Some(header) = bytes.get_mut(place..).and_then(|b| b.first_chunk_mut()) {
            *header = self.0.to_le_bytes();
        }
    }

    /// The header at the beginning of some bytes, and what stands behind it.
    #[inline(always)]
    fn split_off(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (header, behind) = bytes.split_first_chunk()?;
        Some((Self(u32::from_le_bytes(*header)), behind))
    }

    #[inline(always)]
    fn kind(self) -> Kind {
        match self.0 & 7 {
            0 => Kind::Tag,
            1 => Kind::Text,
            2 => Kind::Float,
            3 => Kind::Float32,
            4 => Kind::Integer,
            5 => Kind::Unsigned,
            6 => Kind::Boolean,
            _ => Kind::Null,
        }
    }

    #[inline(always)]
    fn state(self) -> State {
        match self.0 >> 3 & 3 {
            0 => State::AsItStands,
            1 => State::EscapeValue,
            2 => State::EscapeKey,
            _ => State::LeftOut,
        }
    }

    /// Whether the entry is copied to a line, and this header tells its lengths.
    #[inline(always)]
    fn is_usual(self) -> bool {
        self.0 & (Self::STATE | Self::LONG) == 0
    }

    #[inline(always)]
    fn key_length(self) -> usize {
        (self.0 >> 16 & 0xff) as usize
    }

    #[inline(always)]
    fn is_long(self) -> bool {
        self.0 & Self::LONG != 0
    }

    /// Whether the length and a part of the hash are those of another one's key.
    #[inline(always)]
    fn may_have_key_of(self, other: Self) -> bool {
        const HASH_AND_KEY: u32 = 0x00ff_ff00;
        (self.0 ^ other.0) & HASH_AND_KEY == 0
    }

    /// The length of the column behind it, if that is not long.
    #[inline(always)]
    fn entry_length(self) -> usize {
        self.key_length() + 2 + self.value_length()
    }

    #[inline(always)]
    fn value_length(self) -> usize {
        (self.0 >> 24) as usize
    }

    /// The lengths of the key and the value, and the entry, of what stands behind the header.
    #[inline(always)]
    fn lengths(self, behind: &[u8]) -> Option<(usize, usize, &[u8])> {
        if self.is_long() {
            return Self::long_lengths(behind);
        }
        Some((self.key_length(), self.value_length(), behind))
    }

    #[cold]
    fn long_lengths(behind: &[u8]) -> Option<(usize, usize, &[u8])> {
        let (key, behind) = behind.split_first_chunk()?;
        let (value, behind) = behind.split_first_chunk()?;
        Some((u64::from_le_bytes(*key) as usize, u64::from_le_bytes(*value) as usize, behind))
    }
}

fn push_header(
    bytes: &mut Vec<u8>,
    kind: Kind,
    state: State,
    hash: u64,
    key: usize,
    value: usize,
) -> Header {
    if key <= Header::LONGEST && value <= Header::LONGEST {
        let header = Header::short(kind, state, hash, key, value);
        bytes.extend_from_slice(&header.0.to_le_bytes());
        return header;
    }
    let header = Header(Header::short(kind, state, hash, key & 0xff, 0).0 | Header::LONG);
    bytes.extend_from_slice(&header.0.to_le_bytes());
    bytes.extend_from_slice(&(key as u64).to_le_bytes());
    bytes.extend_from_slice(&(value as u64).to_le_bytes());
    header
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

impl<'a> Column<'a> {
    /// The column at the beginning of some bytes, and what stands behind it.
    #[inline(always)]
    fn split_off(bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (header, behind) = Header::split_off(bytes)?;
        let (key_length, value_length, bytes) = header.lengths(behind)?;
        let behind = bytes.get(key_length + 2 + value_length..)?;
        let (kind, state) = (header.kind(), header.state());
        Some((Self { kind, state, key_length, value_length, bytes }, behind))
    }

    #[inline]
    pub(crate) fn is_tag(&self) -> bool {
        self.kind == Kind::Tag
    }

    /// Whether a line has the column: a tag with a value, or a field with a finite one.
    #[inline]
    pub(crate) fn is_written(&self) -> bool {
        self.state != State::LeftOut
    }

    /// The key as it came.
    #[inline]
    pub(crate) fn key_bytes(&self) -> &'a [u8] {
        self.bytes.get(1..=self.key_length).unwrap_or_default()
    }

    pub(crate) fn key(&self) -> &'a str {
        as_text(self.key_bytes())
    }

    /// The value of a tag as it came.
    pub(crate) fn tag_value(&self) -> &'a str {
        as_text(self.value_bytes())
    }

    /// The value of a field as it came; null for a tag.
    pub(crate) fn field_value(&self) -> FieldValue<'a> {
        let text = as_text(self.value_bytes());
        // What stands there is what a number was written as, or what the caller gave.
        let value = match self.kind {
            Kind::Text => Some(FieldValue::Text(Cow::Borrowed(without_quotes(text)))),
            Kind::Float => text.parse().map(FieldValue::Float).ok(),
            Kind::Float32 => text.parse().map(FieldValue::Float32).ok(),
            Kind::Integer => text.trim_end_matches('i').parse().map(FieldValue::Integer).ok(),
            Kind::Unsigned => text.trim_end_matches('u').parse().map(FieldValue::Unsigned).ok(),
            Kind::Boolean => Some(FieldValue::Boolean(text == "true")),
            Kind::Tag | Kind::Null => None,
        };
        value.unwrap_or(FieldValue::Null)
    }

    /// Appends what a line has of the column, with a comma before it.
    ///
    /// # Errors
    ///
    /// If the key or the value of a tag cannot be written.
    #[inline(always)]
    pub(crate) fn write(&self, out: &mut Vec<u8>) -> crate::Result<()> {
        match self.state {
            State::AsItStands => {
                short_bytes::append_part(
                    out,
                    self.bytes,
                    0,
                    self.key_length + 2 + self.value_length,
                );
                Ok(())
            }
            State::LeftOut => Ok(()),
            State::EscapeValue | State::EscapeKey => self.write_escaped(out),
        }
    }

    #[inline(never)]
    fn write_escaped(&self, out: &mut Vec<u8>) -> crate::Result<()> {
        if self.state == State::EscapeValue {
            short_bytes::append_part(out, self.bytes, 0, self.key_length + 2);
        } else if self.is_tag() {
            encoder::tag_key(out, self.key())?;
        } else {
            encoder::field_key(out, self.key())?;
        }
        match self.kind {
            Kind::Tag => escape::tag_value(out, self.tag_value(), self.key())?,
            Kind::Text => escape::text(out, without_quotes(as_text(self.value_bytes()))),
            _ => short_bytes::append(out, self.value_bytes()),
        }
        Ok(())
    }

    #[inline]
    fn value_bytes(&self) -> &'a [u8] {
        let start = self.key_length + 2;
        self.bytes.get(start..start + self.value_length).unwrap_or_default()
    }
}

/// What came as a text is one.
fn as_text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_default()
}

fn without_quotes(text: &str) -> &str {
    text.get(1..text.len().saturating_sub(1)).unwrap_or_default()
}

/// After so many comparisons of keys a point is done with them until it is encoded.
const MOST_COMPARISONS: u64 = 100;

/// Room for a usual point besides its measurement: three tags and four fields of short names.
const USUAL_BYTES: usize = 164;
