//! Names and texts in line protocol: what is escaped, and what cannot be written at all.
//!
//! The rules are those of the server's parser. It undoes a backslash before a backslash, a comma, an equals sign and
//! a space, so these are what is escaped; a newline, a tab and a backslash at the end it cannot read back, whatever
//! is put before them, so a name with one of those is refused.

use crate::{Error, Result};

/// Where a text stands in a line.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place<'a> {
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
        out.extend_from_slice(name.as_bytes());
        return Ok(());
    }
    checked(out, name, Place::Measurement)
}

/// Appends the key of a tag.
///
/// # Errors
///
/// If it is empty or reserved, has a control character in it or ends in a backslash.
#[inline]
pub(crate) fn tag_key(out: &mut Vec<u8>, key: &str) -> Result<()> {
    if is_plain_key(key) {
        out.extend_from_slice(key.as_bytes());
        return Ok(());
    }
    checked(out, key, Place::TagKey)
}

/// Appends the value of the tag `key`.
///
/// # Errors
///
/// If it is empty, has a newline or a tab in it or ends in a backslash.
#[inline]
pub(crate) fn tag_value(out: &mut Vec<u8>, value: &str, key: &str) -> Result<()> {
    if is_plain_tag_value(value) {
        out.extend_from_slice(value.as_bytes());
        return Ok(());
    }
    checked(out, value, Place::TagValue(key))
}

/// Appends the key of a field.
///
/// # Errors
///
/// As for [`tag_key`].
#[inline]
pub(crate) fn field_key(out: &mut Vec<u8>, key: &str) -> Result<()> {
    if is_plain_key(key) {
        out.extend_from_slice(key.as_bytes());
        return Ok(());
    }
    checked(out, key, Place::FieldKey)
}

/// Appends the text of a string field in quotes. Every text can be written.
#[inline]
pub(crate) fn text(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    if is_plain_text(text) {
        out.extend_from_slice(text.as_bytes());
    } else {
        escaped(out, text, TEXT);
    }
    out.push(b'"');
}

/// Whether a measurement is written as it is.
#[inline]
pub(crate) fn is_plain_measurement(name: &str) -> bool {
    !has_any(name.as_bytes(), MEASUREMENT | MEASUREMENT_REFUSED)
        && !matches!(name.as_bytes().first(), None | Some(b'#'))
}

/// Whether the key of a tag or a field is written as it is.
#[inline]
pub(crate) fn is_plain_key(key: &str) -> bool {
    !key.is_empty() && !has_any(key.as_bytes(), KEY | KEY_SUSPECT) && !is_reserved(key)
}

/// Whether the value of a tag is written as it is.
#[inline]
pub(crate) fn is_plain_tag_value(value: &str) -> bool {
    !value.is_empty() && !has_any(value.as_bytes(), KEY | TAG_VALUE_REFUSED)
}

/// Whether the text of a field is written as it is, in quotes.
#[inline]
pub(crate) fn is_plain_text(text: &str) -> bool {
    let (chunks, rest) = text.as_bytes().as_chunks::<16>();
    // Without a way out of the loop over a chunk the compiler compares all of it at once.
    chunks.iter().all(|chunk| !chunk.iter().fold(false, |found, &b| found | is_text_special(b)))
        && !rest.iter().any(|&b| is_text_special(b))
}

/// Refuses what cannot be written.
pub(crate) fn check(text: &str, place: Place<'_>) -> Result<()> {
    if text.is_empty() {
        return Err(refused(text, place, Fault::Empty));
    }
    if let Place::TagKey | Place::FieldKey = place {
        if is_reserved(text) {
            return Err(refused(text, place, Fault::Reserved));
        }
        if let Some(character) = text.chars().find(|c| c.is_control()) {
            return Err(refused(text, place, Fault::Character(character)));
        }
    }
    if let Place::Measurement = place
        && text.starts_with('#')
    {
        return Err(refused(text, place, Fault::Comment));
    }
    let found = text.chars().find(|&character| match character {
        '\n' | '\t' => true,
        '\0' => matches!(place, Place::Measurement),
        _ => false,
    });
    if let Some(character) = found {
        return Err(refused(text, place, Fault::Character(character)));
    }
    if text.ends_with('\\') {
        return Err(refused(text, place, Fault::Backslash));
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

#[cold]
fn checked(out: &mut Vec<u8>, text: &str, place: Place<'_>) -> Result<()> {
    check(text, place)?;
    escaped(out, text, if let Place::Measurement = place { MEASUREMENT } else { KEY });
    Ok(())
}

/// Appends a text with a backslash before each byte of the class.
fn escaped(out: &mut Vec<u8>, text: &str, class: u8) {
    // All of these are ASCII, so that no character is torn.
    for &byte in text.as_bytes() {
        if is_any(byte, class) {
            out.push(b'\\');
        }
        out.push(byte);
    }
}

fn is_reserved(key: &str) -> bool {
    matches!(key, "time" | "__chunk_order")
}

#[inline]
fn is_text_special(byte: u8) -> bool {
    byte == b'"' || byte == b'\\'
}

#[inline]
fn has_any(bytes: &[u8], class: u8) -> bool {
    bytes.iter().fold(false, |found, &byte| found | is_any(byte, class))
}

#[inline]
fn is_any(byte: u8, class: u8) -> bool {
    CLASSES[usize::from(byte)] & class != 0 // 256 entries, one for every byte
}

enum Fault {
    Empty,
    Reserved,
    Comment,
    Character(char),
    Backslash,
}

#[cold]
fn refused(text: &str, place: Place<'_>, fault: Fault) -> Error {
    let what = match place {
        Place::Measurement => format!("the measurement {}", quoted(text)),
        Place::TagKey => format!("the tag key {}", quoted(text)),
        Place::TagValue(key) => format!("the value {} of the tag {}", quoted(text), quoted(key)),
        Place::FieldKey => format!("the field key {}", quoted(text)),
    };
    Error::invalid_record(match fault {
        Fault::Empty => format!("{what} is empty: give it a name"),
        Fault::Reserved if text == "time" => {
            format!(
                "{what} is reserved for the timestamp: set the time of the point, or rename the column"
            )
        }
        Fault::Reserved => format!("{what} is reserved by the server: rename it"),
        Fault::Comment => {
            format!("{what} begins with #, which the server takes for a comment: rename it")
        }
        Fault::Character(character) => {
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
        Fault::Backslash => {
            format!(
                "{what} ends in a backslash, which the server refuses even when it is escaped: remove it"
            )
        }
    })
}

const SHOWN_CHARACTERS: usize = 80;

/// Escaped in a measurement.
const MEASUREMENT: u8 = 1;
/// Refused in a measurement.
const MEASUREMENT_REFUSED: u8 = 1 << 1;
/// Escaped in keys and in the values of tags.
const KEY: u8 = 1 << 2;
/// Refused in keys, or the first byte of a character that may be.
const KEY_SUSPECT: u8 = 1 << 3;
/// Refused in the values of tags.
const TAG_VALUE_REFUSED: u8 = 1 << 4;
/// Escaped in the text of a field.
const TEXT: u8 = 1 << 5;

/// What each byte is, where.
const CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let class = match byte as u8 {
            b',' | b' ' => MEASUREMENT | KEY,
            b'=' => KEY,
            b'\\' => MEASUREMENT | KEY | TEXT,
            b'"' => TEXT,
            b'\n' | b'\t' => MEASUREMENT_REFUSED | KEY_SUSPECT | TAG_VALUE_REFUSED,
            b'\0' => MEASUREMENT_REFUSED | KEY_SUSPECT,
            // 0xC2 begins U+0080 to U+00BF, the first half of which are control characters.
            0x01..=0x1f | 0x7f | 0xc2 => KEY_SUSPECT,
            _ => 0,
        };
        classes[byte] = class;
        byte += 1;
    }
    classes
};
