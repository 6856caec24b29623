//! The part of a document at which its rows are.

use std::borrow::Cow;

use memchr::memchr_iter;

use super::text::{self, Malformed};
use crate::file::{encoding, unreadable};
use crate::line_protocol::escape;
use crate::{Error, Result};

/// A part of a document, and the line on which it begins.
#[derive(Debug)]
pub(super) struct DocumentPart {
    pub(super) text: Vec<u8>,
    pub(super) line: u64,
}

/// The value at a path: keys of objects and numbers of elements, from 0, with points between them.
pub(super) fn find(document: &[u8], path: &str) -> Result<DocumentPart> {
    if let Some(what) = encoding::wide(document).or_else(|| encoding::not_utf8(document, 1)) {
        return Err(unreadable(what));
    }
    let document = std::str::from_utf8(document).unwrap_or_default();
    let text = document.strip_prefix('\u{feff}').unwrap_or(document);
    let line = |part: &str| {
        let start = (part.as_ptr() as usize).wrapping_sub(document.as_ptr() as usize);
        1 + memchr_iter(b'\n', document.as_bytes().get(..start).unwrap_or_default()).count() as u64
    };
    let mut value = text::value(text).map_err(no_json)?;
    for (depth, step) in path.split('.').enumerate() {
        value = child(value, step)?.ok_or_else(|| {
            let before: Vec<&str> = path.split('.').take(depth).collect();
            Error::config(format!(
                "json_path: there is no {} at {}, but {}",
                escape::quoted(step),
                if before.is_empty() {
                    "the top".to_owned()
                } else {
                    escape::quoted(&before.join("."))
                },
                keys(value)
            ))
        })?;
    }
    Ok(DocumentPart { text: value.as_bytes().to_vec(), line: line(value) })
}

fn child<'a>(value: &'a str, step: &str) -> Result<Option<&'a str>> {
    if value.starts_with('{') {
        let mut found = None;
        let look = |key: Cow<'_, str>, value| {
            if key == step {
                found = Some(value);
            }
            true
        };
        text::entries(value, look).map_err(no_json)?;
        return Ok(found);
    }
    let (true, Ok(place)) = (value.starts_with('['), step.parse::<usize>()) else {
        return Ok(None);
    };
    Ok(text::elements(value).map_err(no_json)?.get(place).copied())
}

/// What a path can go on with.
fn keys(value: &str) -> String {
    let mut shown = Vec::new();
    let add = |key: Cow<'_, str>, _: &str| {
        shown.push(escape::quoted(&key));
        shown.len() < SHOWN_KEYS
    };
    match text::entries(value, add) {
        Ok(()) => format!("the keys {}", shown.join(", ")),
        Err(_) if value.starts_with('[') => "an array".to_owned(),
        Err(_) => "a value that has no parts".to_owned(),
    }
}

fn no_json(error: Malformed) -> Error {
    unreadable(format!("it is no JSON: {error}"))
}

const SHOWN_KEYS: usize = 30;
