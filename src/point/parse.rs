//! From a line back to a point, by the rules of the server's parser.

use std::borrow::Cow;

use super::latest_columns::LatestColumns;
use super::point_buffer::PointBuffer;
use super::point_line;
use crate::line_protocol::encoder::{self, Encoded};
use crate::line_protocol::split::SplitLine;
use crate::line_protocol::{FieldValue, TagRules, number};
use crate::{Error, Precision, Result, Timestamp};

/// Reads one line, which may end in a newline, with its timestamp in this precision.
///
/// # Errors
///
/// What the server's parser refuses, what a point cannot be written with, and what is not exactly one line.
pub(super) fn point(text: &str, precision: Precision) -> Result<PointBuffer> {
    let start = text.trim_start_matches([' ', '\t', '\n']);
    if start.is_empty() || start.starts_with('#') {
        return Err(Error::invalid_record("there is no line: the text is blank or a comment"));
    }
    let (cut, behind) = SplitLine::first_of(start.as_bytes());
    if !behind.trim_ascii().is_empty() {
        return Err(Error::invalid_record(
            "there is more than one line: a point is one, and a text of many can be written as it is",
        ));
    }
    // The line ends before an ASCII character, so that this is a place between characters.
    let line = start.get(..cut.line.len()).unwrap_or(start);
    let mut rest = LineParser { line, rest: line.strip_suffix('\r').unwrap_or(line) };
    let point = rest.point(precision)?;
    // Encoding refuses what the server's parser takes and its catalog does not: reserved keys, and control characters in keys.
    match point_line::encode(&point, precision, TagRules::NONE, &mut Vec::new())? {
        Encoded::Line => Ok(point),
        Encoded::NoFields => Err(encoder::no_fields()), // which it has, all with values
    }
}

/// What is still to be read.
struct LineParser<'a> {
    line: &'a str,
    rest: &'a str,
}

impl<'a> LineParser<'a> {
    fn point(&mut self, precision: Precision) -> Result<PointBuffer> {
        let mut point =
            PointBuffer::new(&self.name("a measurement", &[',', '\0'], &[',', ' ', '\\'])?);
        let (mut tags, mut fields) = (0, 0);
        while self.take(',') {
            let key = self.name("the key of a tag", &['='], KEY_ESCAPES)?;
            self.expect('=', "an equals sign behind the key of a tag")?;
            let value = self.name("the value of a tag", &[','], KEY_ESCAPES)?;
            point.push_tag(&key, &value);
            tags += 1;
        }
        self.blanks("a space before the fields")?;
        loop {
            let key = self.name("the key of a field", &['='], KEY_ESCAPES)?;
            self.expect('=', "an equals sign behind the key of a field")?;
            point.push_field(&key, &self.value()?);
            fields += 1;
            // The server takes a comma behind the first field, and nothing behind it.
            let is_last = |rest: &str| fields == 1 && (rest.is_empty() || rest.starts_with(' '));
            if !self.take(',') || is_last(self.rest) {
                break;
            }
        }
        if !self.rest.is_empty() {
            self.blanks("a comma or a space behind a field")?;
            point.set_time(self.time(precision)?);
        }
        let latest = LatestColumns::of(&point);
        if latest.tags.as_slice().len() != tags || latest.fields.as_slice().len() != fields {
            return Err(Error::invalid_record(
                "a key is there twice among the tags or the fields of the line: give each column once",
            ));
        }
        Ok(point)
    }

    fn take(&mut self, character: char) -> bool {
        let behind = self.rest.strip_prefix(character);
        self.rest = behind.unwrap_or(self.rest);
        behind.is_some()
    }

    fn expect(&mut self, character: char, what: &str) -> Result<()> {
        if self.take(character) { Ok(()) } else { Err(self.expected(what)) }
    }

    /// One space or more.
    fn blanks(&mut self, what: &str) -> Result<()> {
        self.expect(' ', what)?;
        self.rest = self.rest.trim_start_matches(' ');
        Ok(())
    }

    /// A name or the value of a tag: up to a blank or one of the ends. Of a backslash and what is behind it, the backslash
    /// is taken away if it stands before one of the escaped.
    fn name(&mut self, what: &str, ends: &[char], escaped: &[char]) -> Result<Cow<'a, str>> {
        let (before, mut characters) = (self.rest, self.rest.char_indices());
        let mut name = String::new();
        let mut is_copied = false;
        let end = loop {
            match characters.next() {
                None => break before.len(),
                Some((place, ' ' | '\t' | '\n')) => break place,
                Some((place, character)) if ends.contains(&character) => break place,
                Some((place, '\\')) => {
                    if !is_copied {
                        is_copied = true;
                        name.push_str(before.get(..place).unwrap_or_default());
                    }
                    match characters.next() {
                        Some((_, next)) if escaped.contains(&next) => name.push(next),
                        Some((_, next)) => name.extend(['\\', next]),
                        None => name.push('\\'),
                    }
                }
                Some((_, character)) if is_copied => name.push(character),
                Some(_) => {}
            }
        };
        if end == 0 {
            return Err(self.expected(what));
        }
        let (written, rest) = before.split_at_checked(end).unwrap_or((before, ""));
        let name = if is_copied { Cow::Owned(name) } else { Cow::Borrowed(written) };
        if name.ends_with('\\') {
            return Err(self.expected(&format!("{what} that does not end in a backslash")));
        }
        self.rest = rest;
        Ok(name)
    }

    fn value(&mut self) -> Result<FieldValue<'a>> {
        if self.rest.starts_with('"') {
            return self.text();
        }
        let end = self.rest.find([',', ' ']).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at_checked(end).unwrap_or((self.rest, ""));
        let value = match (number::read_boolean(word), word.as_bytes().split_last()) {
            (Some(value), _) => Some(FieldValue::Boolean(value)),
            (None, Some((b'i', number))) if is_integer(number) => integer(word),
            (None, Some((b'u', number))) if is_digits(number) => unsigned(word),
            (None, _) if is_float(word.as_bytes()) => float(word),
            (None, _) => None,
        };
        let value = value.ok_or_else(|| {
            self.expected(
                "a value that InfluxDB can hold: a float, an integer as 1i or 1u, true, false or a text in quotes",
            )
        })?;
        self.rest = rest;
        Ok(value)
    }

    /// A text in quotes: a backslash is taken away before a quote and before a backslash.
    fn text(&mut self) -> Result<FieldValue<'a>> {
        let inside = self.rest.get(1..).unwrap_or_default();
        let mut is_escaped = false;
        let end = inside.find(|character| {
            let is_end = character == '"' && !is_escaped;
            is_escaped = character == '\\' && !is_escaped;
            is_end
        });
        let end = end.ok_or_else(|| self.expected("a text that is closed by a quote"))?;
        let (text, rest) = inside.split_at_checked(end).unwrap_or((inside, ""));
        self.rest = rest.get(1..).unwrap_or_default();
        if !text.contains('\\') {
            return Ok(FieldValue::Text(Cow::Borrowed(text)));
        }
        let mut plain = String::with_capacity(text.len());
        let mut characters = text.chars().peekable();
        while let Some(character) = characters.next() {
            let next = characters.next_if(|next| character == '\\' && matches!(next, '"' | '\\'));
            plain.push(next.unwrap_or(character));
        }
        Ok(FieldValue::Text(Cow::Owned(plain)))
    }

    /// The timestamp, which may have spaces behind it and is the last of the line.
    fn time(&self, precision: Precision) -> Result<Timestamp> {
        let word = self.rest.trim_end_matches(' ');
        let number = if is_integer(word.as_bytes()) { word.parse().ok() } else { None };
        let number = number.ok_or_else(|| self.expected("a timestamp, an integer of 64 bits"))?;
        Ok(Timestamp::of_unit(number, precision))
    }

    #[cold]
    fn expected(&self, what: &str) -> Error {
        let byte = self.line.len() - self.rest.len().min(self.line.len());
        Error::invalid_record(format!("the line cannot be read at byte {byte}: expected {what}"))
    }
}

fn integer(word: &str) -> Option<FieldValue<'static>> {
    Some(FieldValue::Integer(word.strip_suffix('i')?.parse().ok()?))
}

fn unsigned(word: &str) -> Option<FieldValue<'static>> {
    Some(FieldValue::Unsigned(word.strip_suffix('u')?.parse().ok()?))
}

/// Beyond what a float can be there is infinity, which cannot be written.
fn float(word: &str) -> Option<FieldValue<'static>> {
    let value: f64 = word.parse().ok()?;
    value.is_finite().then_some(FieldValue::Float(value))
}

/// `-?digits`
fn is_integer(word: &[u8]) -> bool {
    is_digits(word.strip_prefix(b"-").unwrap_or(word))
}

fn is_digits(word: &[u8]) -> bool {
    !word.is_empty() && word.iter().all(u8::is_ascii_digit)
}

/// `-?digits`, with `.digits` or without, with an exponent or without.
fn is_float(word: &[u8]) -> bool {
    let (number, exponent) = match word.iter().position(|byte| matches!(byte, b'e' | b'E')) {
        Some(place) => (word.get(..place).unwrap_or_default(), word.get(place + 1..)),
        None => (word, None),
    };
    let exponent_is_one = exponent.is_none_or(|exponent| match exponent {
        [b'+' | b'-', digits @ ..] | digits => is_digits(digits),
    });
    let number_is_one = match number.iter().position(|&byte| byte == b'.') {
        Some(place) => {
            is_integer(number.get(..place).unwrap_or_default())
                && is_digits(number.get(place + 1..).unwrap_or_default())
        }
        None => is_integer(number),
    };
    number_is_one && exponent_is_one
}

/// What a backslash is taken away before, in keys and in the values of tags.
const KEY_ESCAPES: &[char] = &[',', '=', ' ', '\\'];
