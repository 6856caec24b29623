//! Cuts a text into lines, where the server's parser would.
//!
//! A newline ends a line unless a backslash stands before it or it is in the text of a field. Whether a quote begins
//! such a text the server decides by counting: there must have been more equals signs than commas since the first
//! space. So does this module; what it hands out is therefore cut nowhere else when it is sent.

use memchr::{memchr, memchr2};

/// A line as it stands in a text.
pub(crate) struct SplitLine<'a> {
    pub(crate) line: &'a [u8],
    /// Whether there is neither a quote nor a backslash in it.
    pub(crate) is_simple: bool,
    /// Whether it ends, with the text, inside of the text of a field.
    pub(crate) is_in_text: bool,
}

impl<'a> SplitLine<'a> {
    /// The first line, and what is behind its newline.
    #[inline]
    pub(crate) fn first_of(text: &'a [u8]) -> (Self, &'a [u8]) {
        let (line, behind) = split_around(text, memchr(b'\n', text));
        if memchr2(b'"', b'\\', line).is_none() {
            return (Self { line, is_simple: true, is_in_text: false }, behind);
        }
        let mut scan = LineEndScan::default();
        let (line, behind) = split_around(text, text.iter().position(|&byte| scan.is_end(byte)));
        (Self { line, is_simple: false, is_in_text: scan.is_quoted }, behind)
    }
}

/// Where each line of what this crate has encoded ends, behind its newline.
pub(crate) fn line_ends(encoded: &[u8]) -> impl Iterator<Item = usize> {
    let mut rest = encoded;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        rest = SplitLine::first_of(rest).1;
        Some(encoded.len() - rest.len())
    })
}

/// What is before a place and what is behind it; all and nothing if there is none.
#[inline]
pub(crate) fn split_around(text: &[u8], place: Option<usize>) -> (&[u8], &[u8]) {
    let (before, from) = text.split_at_checked(place.unwrap_or(text.len())).unwrap_or((text, &[]));
    (before, from.get(1..).unwrap_or_default())
}

/// What was read of a line so far, as far as it decides whether a newline ends the line.
#[derive(Default)]
struct LineEndScan {
    is_escaped: bool,
    in_fields: bool,
    is_quoted: bool,
    equals: usize,
    commas: usize,
}

impl LineEndScan {
    #[inline]
    fn is_end(&mut self, byte: u8) -> bool {
        if self.is_escaped {
            // Of a character of several bytes this skips the first one; the others are never any of the bytes below.
            self.is_escaped = false;
            return false;
        }
        match byte {
            b'\\' => self.is_escaped = true,
            b' ' => self.in_fields = true,
            b'=' if self.in_fields && !self.is_quoted => self.equals += 1,
            b',' if self.in_fields && !self.is_quoted => self.commas += 1,
            b'"' if self.in_fields && self.equals > self.commas => self.is_quoted = !self.is_quoted,
            b'\n' => return !self.is_quoted,
            _ => {}
        }
        false
    }
}
