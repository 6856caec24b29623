//! Names and texts in line protocol: what is escaped, and what cannot be written at all.
//!
//! The rules are those of the server's parser. It undoes a backslash before a backslash, a comma, an equals sign and
//! a space, so these are what is escaped; a newline, a tab and a backslash at the end it cannot read back, whatever
//! is put before them, so a name with one of those is refused.

use std::borrow::Cow;

use memchr::memchr;

use crate::line_protocol::short_bytes;
use crate::{Error, Result};

/// The part of a line that a name or a value is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum LineElement<'a> {
    Measurement,
    TagKey,
    /// The value of the tag with this key.
    TagValue(&'a str),
    FieldKey,
}

/// Appends the name of a measurement.
///
/// # Errors
///
/// If it is empty, has a newline, a tab or a NUL in it, ends in a backslash or begins with `#`.
#[inline]
pub(crate) fn measurement(out: &mut Vec<u8>, name: &str) -> Result<()> {
    if is_plain_measurement(name) {
        short_bytes::append(out, name.as_bytes());
        return Ok(());
    }
    checked(out, name, LineElement::Measurement)
}

/// Appends the key of a tag between a comma and an equals sign, and gives a number that equal keys share.
///
/// # Errors
///
/// If it is empty or reserved, has a control character in it or ends in a backslash.
#[inline]
pub(crate) fn tag_key(out: &mut Vec<u8>, key: &str) -> Result<u64> {
    key_between(out, b',', key, LineElement::TagKey)
}

/// Appends the value of the tag `key`.
///
/// # Errors
///
/// If it is empty, has a newline or a tab in it or ends in a backslash.
#[inline]
pub(crate) fn tag_value(out: &mut Vec<u8>, value: &str, key: &str) -> Result<()> {
    if short_bytes::append_if_plain(out, value.as_bytes()) {
        return Ok(());
    }
    checked(out, value, LineElement::TagValue(key))
}

/// Appends the key of a field between the byte before it and an equals sign, and gives a number that equal keys share.
///
/// # Errors
///
/// As for [`tag_key`].
#[inline]
pub(crate) fn field_key(out: &mut Vec<u8>, before: u8, key: &str) -> Result<u64> {
    key_between(out, before, key, LineElement::FieldKey)
}

/// Appends the text of a string field in quotes. Every text can be written.
#[inline]
pub(crate) fn text(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    escaped(out, text, TEXT);
    out.push(b'"');
}

/// A name or the value of a tag without the backslashes that the server takes away.
pub(crate) fn undone(name: &[u8]) -> Cow<'_, [u8]> {
    if memchr(b'\\', name).is_none() {
        return Cow::Borrowed(name);
    }
    let mut plain = Vec::with_capacity(name.len());
    let mut bytes = name.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        let escaped =
            bytes.next_if(|&next| byte == b'\\' && matches!(next, b',' | b'=' | b' ' | b'\\'));
        plain.push(escaped.unwrap_or(byte));
    }
    Cow::Owned(plain)
}

/// Whether a measurement is written as it is, for certain.
#[inline]
pub(crate) fn is_plain_measurement(name: &str) -> bool {
    short_bytes::is_plain(name.as_bytes()) && !name.starts_with('#')
}

/// The result of one scan of the key of a tag or a field.
#[derive(Clone, Copy)]
pub(crate) struct KeyLook {
    /// Whether it is written as it is, for certain.
    pub(crate) is_plain: bool,
    /// A number that equal keys share.
    pub(crate) hash: u64,
    /// The key, the first byte lowest and zeros behind the last; 0 if it is longer than 14 bytes or not plain.
    pub(crate) word: u128,
}

#[inline(always)]
pub(crate) fn look_at_key(key: &str) -> KeyLook {
    let (look, word) = match key.len() {
        ..=14 => short_bytes::look_and_pad(key.as_bytes()),
        _ => (short_bytes::look(key.as_bytes()), 0),
    };
    let is_plain = look.is_plain && !is_reserved(key);
    KeyLook { is_plain, hash: look.hash, word: if is_plain { word } else { 0 } }
}

/// Whether the value of a tag is written as it is, for certain.
#[inline]
pub(crate) fn is_plain_tag_value(value: &str) -> bool {
    short_bytes::is_plain(value.as_bytes())
}

/// Whether the text of a field is written as it is, in quotes.
#[inline]
pub(crate) fn is_plain_text(text: &str) -> bool {
    !short_bytes::has_any(text.as_bytes(), TEXT)
}

/// Refuses what cannot be written.
pub(crate) fn check(text: &str, element: LineElement<'_>) -> Result<()> {
    if text.is_empty() {
        return Err(refused(text, element, InvalidName::Empty));
    }
    if let LineElement::TagKey | LineElement::FieldKey = element {
        if is_reserved(text) {
            return Err(refused(text, element, InvalidName::Reserved));
        }
        if let Some(character) = text.chars().find(|c| c.is_control()) {
            return Err(refused(text, element, InvalidName::Character(character)));
        }
    }
    if let LineElement::Measurement = element
        && text.starts_with('#')
    {
        return Err(refused(text, element, InvalidName::Comment));
    }
    let found = text.chars().find(|&character| match character {
        '\n' | '\t' => true,
        '\0' => matches!(element, LineElement::Measurement),
        _ => false,
    });
    if let Some(character) = found {
        return Err(refused(text, element, InvalidName::Character(character)));
    }
    if text.ends_with('\\') {
        return Err(refused(text, element, InvalidName::Backslash));
    }
    Ok(())
}

/// Shows the beginning of a text in quotes.
pub(crate) fn quoted(text: &str) -> String {
    match text.char_indices().nth(SHOWN_CHARACTERS) {
        None => format!("{text:?}"),
        Some((end, _)) => format!("{:?}…", text.get(..end).unwrap_or(text)),
    }
}

/// Appends the key of a tag or a field between the byte before it and an equals sign, and gives a number that equal
/// keys share.
#[inline]
pub(crate) fn key_between(
    out: &mut Vec<u8>,
    before: u8,
    key: &str,
    element: LineElement<'_>,
) -> Result<u64> {
    let KeyLook { is_plain, hash, .. } = look_at_key(key);
    out.push(before);
    if is_plain {
        short_bytes::append(out, key.as_bytes());
    } else {
        checked(out, key, element)?;
    }
    out.push(b'=');
    Ok(hash)
}

#[inline(never)]
fn checked(out: &mut Vec<u8>, text: &str, element: LineElement<'_>) -> Result<()> {
    check(text, element)?;
    match element {
        LineElement::Measurement => escaped(out, text, MEASUREMENT),
        LineElement::TagKey | LineElement::TagValue(_) | LineElement::FieldKey => {
            escaped(out, text, KEY)
        }
    }
    Ok(())
}

/// Appends a text with a backslash before each of these bytes. As they are ASCII, no character is torn.
#[inline]
fn escaped<const N: usize>(out: &mut Vec<u8>, text: &str, special: [u8; N]) {
    let mut rest = text.as_bytes();
    while let Some((plain, behind)) =
        short_bytes::find_any(rest, special).and_then(|place| rest.split_at_checked(place))
    {
        short_bytes::append(out, plain);
        if let [byte, behind @ ..] = behind {
            out.extend_from_slice(&[b'\\', *byte]);
            rest = behind;
        }
    }
    short_bytes::append(out, rest);
}

fn is_reserved(key: &str) -> bool {
    matches!(key, "time" | "__chunk_order")
}

/// Why a name or the value of a tag cannot be written.
enum InvalidName {
    Empty,
    Reserved,
    Comment,
    Character(char),
    Backslash,
}

#[cold]
fn refused(text: &str, element: LineElement<'_>, why: InvalidName) -> Error {
    let what = match element {
        LineElement::Measurement => format!("the measurement {}", quoted(text)),
        LineElement::TagKey => format!("the tag key {}", quoted(text)),
        LineElement::TagValue(key) => {
            format!("the value {} of the tag {}", quoted(text), quoted(key))
        }
        LineElement::FieldKey => format!("the field key {}", quoted(text)),
    };
    Error::invalid_record(match why {
        InvalidName::Empty => format!("{what} is empty: give it a name"),
        InvalidName::Reserved if text == "time" => {
            format!(
                "{what} is reserved for the timestamp: set the time of the point, or rename the column"
            )
        }
        InvalidName::Reserved => format!("{what} is reserved by the server: rename it"),
        InvalidName::Comment => {
            format!("{what} begins with #, which the server takes for a comment: rename it")
        }
        InvalidName::Character(character) => {
            let character = match character {
                '\n' => "a newline".to_owned(),
                '\t' => "a tab".to_owned(),
                '\0' => "a NUL".to_owned(),
                other => format!("the control character {other:?}"),
            };
            format!(
                "{what} contains {character}, which cannot be written there: remove or replace it"
            )
        }
        InvalidName::Backslash => {
            format!(
                "{what} ends in a backslash, which the server refuses even when it is escaped: remove it"
            )
        }
    })
}

const SHOWN_CHARACTERS: usize = 80;

/// Escaped in a measurement.
const MEASUREMENT: [u8; 3] = *b", \\";
/// Escaped in keys and in the values of tags.
const KEY: [u8; 4] = *b", =\\";
/// Escaped in the text of a field.
const TEXT: [u8; 2] = *b"\"\\";
