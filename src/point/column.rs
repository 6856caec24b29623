//! One column of a point, as it stands in the point's buffer.

use std::borrow::Cow;

use super::entry_header::{EntryForm, EntryHeader, EntryKind};
use crate::line_protocol::{FieldValue, encoder, escape, short_bytes};

/// One column: a tag or a field.
#[derive(Clone, Copy)]
pub(super) struct PointColumn<'a> {
    kind: EntryKind,
    form: EntryForm,
    key_length: usize,
    value_length: usize,
    /// `,key=value`, and the entries behind it: a copy of a fixed length may read on.
    bytes: &'a [u8],
}

impl<'a> PointColumn<'a> {
    /// The column at the beginning of some bytes, and what stands behind it.
    #[inline(always)]
    pub(super) fn split_off(bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (header, behind) = EntryHeader::split_off(bytes)?;
        let (key_length, value_length, bytes) = header.lengths(behind)?;
        let behind = bytes.get(key_length + 2 + value_length..)?;
        let (kind, form) = (header.kind(), header.form());
        Some((Self { kind, form, key_length, value_length, bytes }, behind))
    }

    #[inline]
    pub(super) fn is_tag(&self) -> bool {
        self.kind == EntryKind::Tag
    }

    /// Whether a line has the column: a tag with a value, or a field with a finite one.
    #[inline]
    pub(super) fn is_written(&self) -> bool {
        self.form != EntryForm::LeftOut
    }

    /// The key, unescaped.
    #[inline]
    pub(super) fn key_bytes(&self) -> &'a [u8] {
        self.bytes.get(1..=self.key_length).unwrap_or_default()
    }

    pub(super) fn key(&self) -> &'a str {
        as_text(self.key_bytes())
    }

    /// The value of a tag, unescaped.
    pub(super) fn tag_value(&self) -> &'a str {
        as_text(self.value_bytes())
    }

    /// The value of a field, unescaped; null for a tag.
    pub(super) fn field_value(&self) -> FieldValue<'a> {
        let text = as_text(self.value_bytes());
        // A number stands there as it was written, so that it is read back exactly.
        let value = match self.kind {
            EntryKind::Text => Some(FieldValue::Text(Cow::Borrowed(without_quotes(text)))),
            EntryKind::Float => text.parse().map(FieldValue::Float).ok(),
            EntryKind::Float32 => text.parse().map(FieldValue::Float32).ok(),
            EntryKind::Integer => text.trim_end_matches('i').parse().map(FieldValue::Integer).ok(),
            EntryKind::Unsigned => {
                text.trim_end_matches('u').parse().map(FieldValue::Unsigned).ok()
            }
            EntryKind::Boolean => Some(FieldValue::Boolean(text == "true")),
            EntryKind::Tag | EntryKind::Null => None,
        };
        value.unwrap_or(FieldValue::Null)
    }

    /// Appends what a line has of the column, with a comma before it.
    ///
    /// # Errors
    ///
    /// If the key or the value of a tag cannot be written.
    #[inline(always)]
    pub(super) fn write(&self, out: &mut Vec<u8>) -> crate::Result<()> {
        match self.form {
            EntryForm::AsItStands => {
                short_bytes::append_part(
                    out,
                    self.bytes,
                    0,
                    self.key_length + 2 + self.value_length,
                );
                Ok(())
            }
            EntryForm::LeftOut => Ok(()),
            EntryForm::EscapeValue | EntryForm::EscapeKey => self.write_escaped(out),
        }
    }

    #[inline(never)]
    fn write_escaped(&self, out: &mut Vec<u8>) -> crate::Result<()> {
        if self.form == EntryForm::EscapeValue {
            short_bytes::append_part(out, self.bytes, 0, self.key_length + 2);
        } else if self.is_tag() {
            encoder::tag_key(out, self.key())?;
        } else {
            encoder::field_key(out, self.key())?;
        }
        match self.kind {
            EntryKind::Tag => escape::tag_value(out, self.tag_value(), self.key())?,
            EntryKind::Text => escape::text(out, without_quotes(as_text(self.value_bytes()))),
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

/// Bytes of a `str` as text. The library has no `unsafe`, so they are checked once more.
pub(super) fn as_text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_default()
}

fn without_quotes(text: &str) -> &str {
    text.get(1..text.len().saturating_sub(1)).unwrap_or_default()
}
