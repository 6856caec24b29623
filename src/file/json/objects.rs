//! JSON to its objects, one after the other: the elements of an array, or one behind the other.

use std::io::Read;

use memchr::{memchr_iter, memchr2};

use crate::file::{encoding, unreadable};
use crate::{Error, Result};

/// Cuts text into objects. Only where each of them ends is looked at here; the object in hand is in memory, and
/// little else.
pub(super) struct Objects<R> {
    reader: R,
    buffer: Vec<u8>,
    /// What is before this place is done.
    start: usize,
    has_begun: bool,
    is_at_end: bool,
    /// The number of the line at `start`, from 1.
    line: u64,
    state: DocumentState,
    count: u64,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum DocumentState {
    /// Nothing but blanks was seen.
    Before,
    /// Within an array, behind its bracket.
    First,
    /// Within an array, behind an element.
    Behind,
    /// Within an array, behind a comma.
    Next,
    /// Outside of any array.
    Loose,
    /// Behind the array.
    After,
}

/// An object and the line on which it begins.
#[derive(Clone, Copy, Debug)]
pub(super) struct Object<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) line: u64,
}

/// Where the object in hand ends, as far as it was looked at.
#[derive(Default)]
struct ObjectScan {
    /// How much of the object was looked at.
    at: usize,
    depth: usize,
    in_text: bool,
}

impl<R: Read> Objects<R> {
    pub(super) fn new(reader: R) -> Self {
        Self {
            reader,
            buffer: Vec::new(),
            start: 0,
            has_begun: false,
            is_at_end: false,
            line: 1,
            state: DocumentState::Before,
            count: 0,
        }
    }

    /// Lets the first line have another number than 1.
    pub(super) fn starting_at_line(mut self, line: u64) -> Self {
        self.line = line;
        self
    }

    /// Whether the objects stand one behind the other, and not in an array. Known with the first of them.
    pub(super) fn is_loose(&self) -> bool {
        self.state == DocumentState::Loose
    }

    /// The next object; none at the end.
    pub(super) fn next(&mut self) -> Result<Option<Object<'_>>> {
        if !self.find()? {
            return Ok(None);
        }
        let end = self.end()?;
        let (start, line) = (self.start, self.line);
        self.line += self.lines(start, end);
        self.start = end;
        self.count += 1;
        Ok(Some(Object { bytes: self.buffer.get(start..end).unwrap_or_default(), line }))
    }

    /// Goes on to where the next object begins.
    fn find(&mut self) -> Result<bool> {
        loop {
            let Some(&byte) = self.buffer.get(self.start) else {
                if self.is_at_end {
                    return match self.state {
                        DocumentState::Before | DocumentState::Loose | DocumentState::After => {
                            Ok(false)
                        }
                        _ => {
                            Err(self
                                .at_line("the array is not closed: the end of the file is missing"))
                        }
                    };
                }
                self.buffer.clear();
                self.start = 0;
                let is_beginning = !self.has_begun;
                self.has_begun = true;
                self.fill()?;
                if is_beginning && self.buffer.starts_with(encoding::BYTE_ORDER_MARK) {
                    self.start = encoding::BYTE_ORDER_MARK.len();
                }
                if let Some(what) = encoding::wide(&self.buffer).filter(|_| is_beginning) {
                    return Err(unreadable(what));
                }
                continue;
            };
            let is_found = byte == b'{';
            self.state = match (byte, self.state) {
                (b'\n', state) => {
                    self.line += 1;
                    state
                }
                (b' ' | b'\t' | b'\r', state) => state,
                (b'[', DocumentState::Before) => DocumentState::First,
                (b'{', DocumentState::Before | DocumentState::Loose) => DocumentState::Loose,
                (b'{', DocumentState::First | DocumentState::Next) => DocumentState::Behind,
                (b',', DocumentState::Behind) => DocumentState::Next,
                (b']', DocumentState::First | DocumentState::Behind) => DocumentState::After,
                (_, DocumentState::After) => {
                    return Err(self.at_line("there is something behind the array"));
                }
                (b'{' | b'[', DocumentState::Behind) => {
                    return Err(self.at_line("a comma is missing"));
                }
                _ => {
                    return Err(self.at_line(&format!(
                        "there is {:?} where an object should begin (a file is an array of objects, or objects one behind \
                         the other)",
                        char::from(byte)
                    )));
                }
            };
            if is_found {
                return Ok(true);
            }
            self.start += 1;
        }
    }

    /// Where the object that begins at `start` ends.
    fn end(&mut self) -> Result<usize> {
        let mut scan = ObjectScan::default();
        loop {
            let rest = self.buffer.get(self.start..).unwrap_or_default();
            if scan.is_whole(rest) {
                return Ok(self.start + scan.at);
            }
            if self.is_at_end {
                return Err(
                    self.at_line("the object is not closed: the end of the file is missing")
                );
            }
            // The first object may be a table of pandas, which is as long as the file.
            if self.count > 0 && rest.len() > MAX_OBJECT {
                return Err(self.at_line(&format!(
                    "the object has more than {} MiB: is a bracket missing?",
                    MAX_OBJECT >> 20
                )));
            }
            self.buffer.drain(..self.start);
            self.start = 0;
            self.fill()?;
        }
    }

    fn fill(&mut self) -> Result<()> {
        let wanted = STEP.max(self.buffer.len());
        let result = self.reader.by_ref().take(wanted as u64).read_to_end(&mut self.buffer);
        match result {
            Ok(count) => self.is_at_end = count < wanted,
            Err(error) => {
                let text = format!("it cannot be read: {error}");
                return Err(self.at_line(&text).with_source(error));
            }
        }
        Ok(())
    }

    fn lines(&self, start: usize, end: usize) -> u64 {
        memchr_iter(b'\n', self.buffer.get(start..end).unwrap_or_default()).count() as u64
    }

    fn at_line(&self, what: &str) -> Error {
        unreadable(format!("line {}: {what}", self.line))
    }
}

impl ObjectScan {
    /// Scans the new bytes. True if the end of the object is among them.
    fn is_whole(&mut self, object: &[u8]) -> bool {
        while let Some(rest) = object.get(self.at..).filter(|rest| !rest.is_empty()) {
            if self.in_text {
                match memchr2(b'"', b'\\', rest) {
                    None => self.at = object.len(),
                    Some(place) if rest.get(place) == Some(&b'"') => {
                        self.in_text = false;
                        self.at += place + 1;
                    }
                    // An escaped character is skipped, if it is there yet.
                    Some(place) if place + 1 < rest.len() => self.at += place + 2,
                    Some(place) => {
                        self.at += place;
                        return false;
                    }
                }
                continue;
            }
            let special = rest.iter().position(|byte| matches!(byte, b'"' | b'{' | b'}'));
            let Some(place) = special else {
                self.at = object.len();
                return false;
            };
            self.at += place + 1;
            match rest.get(place) {
                Some(b'"') => self.in_text = true,
                Some(b'{') => self.depth += 1,
                _ => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.depth == 0 {
                        return true;
                    }
                }
            }
        }
        false
    }
}

const STEP: usize = 256 << 10;
const MAX_OBJECT: usize = 64 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    /// Hands out a byte at a time.
    struct Slow<'a>(&'a [u8]);

    impl Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let count = buffer.len().min(self.0.len()).min(1);
            buffer[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    fn objects(text: &str) -> Result<Vec<(String, u64)>> {
        let mut objects = Objects::new(Slow(text.as_bytes()));
        let mut found = Vec::new();
        while let Some(object) = objects.next()? {
            found.push((String::from_utf8(object.bytes.to_vec()).unwrap(), object.line));
        }
        Ok(found)
    }

    #[test]
    fn arrays_and_loose_objects_are_cut_alike() {
        let tricky = r#"{"a}\"":"{\\","b":{"c":[{}]}}"#;
        for text in [
            format!("[{{}},\n{tricky}\n, {{\"x\":1}}]\n"),
            format!("{{}}\n{tricky}{{\"x\":1}}"),
            format!("\u{feff} {{}}\n\n{tricky} \r\n{{\"x\":1}}\n"),
        ] {
            let found = objects(&text).unwrap();
            let bytes: Vec<&str> = found.iter().map(|(object, _)| object.as_str()).collect();
            assert_eq!(bytes, ["{}", tricky, "{\"x\":1}"], "{text}");
        }
        assert_eq!(
            objects("[\n{},\n\n{\n}\n,{}]").unwrap().iter().map(|o| o.1).collect::<Vec<_>>(),
            [2, 4, 6]
        );
        assert_eq!(objects("").unwrap(), []);
        assert_eq!(objects(" [ ] ").unwrap(), []);
    }

    #[test]
    fn what_is_neither_is_an_error() {
        for text in [
            "[", "[{}", "[{},", "[{},]", "[{} {}]", "[1]", "1", "{", "{\"a", "{}]", "[]]", "{},{}",
            "[[{}]]",
        ] {
            assert!(objects(text).is_err(), "{text}");
        }
        let error = objects("[{},\n\n7]").unwrap_err();
        assert!(error.to_string().starts_with("line 3: there is '7'"), "{error}");
    }
}
