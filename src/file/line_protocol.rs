//! Files of line protocol.

use std::io::{self, Read};

use memchr::{memchr, memchr_iter};

use super::byte_counter::ByteCounter;
use super::file_compression::FileCompression;
use super::input::{Input, Origin};
use super::summary::{Skipped, Summary};
use super::{LineSource, ReadOptions, unreadable};
use crate::line_protocol::split::SplitLine;
use crate::line_protocol::text::{TextLines, lines, lines_of_part};
use crate::record::Lines;
use crate::{Error, Result, Timestamp};

/// A file is read once, from its beginning to its end; nothing of a reader is kept.
pub(super) fn open<'a>(
    origin: Origin<'a>,
    compression: FileCompression,
    read_options: &ReadOptions,
) -> Result<Box<dyn LineSource + 'a>> {
    let input = Input::open(&origin)?;
    origin.finish()?;
    let counter = input.counter.clone();
    Ok(Box::new(LineProtocolSource {
        reader: input.decompressed(compression),
        buffer: Vec::new(),
        is_at_end: false,
        is_paused: false,
        failed: None,
        ends_before: 0,
        is_begun: false,
        default_time: read_options.layout.default_time,
        skipped: Skipped::new(read_options.skip_bad_rows),
        counter,
    }))
}

struct LineProtocolSource<'a> {
    reader: Box<dyn Read + 'a>,
    /// Bytes read that are not part of a returned line yet.
    buffer: Vec<u8>,
    is_at_end: bool,
    /// Whether the reader has no data at the moment.
    is_paused: bool,
    /// The reader's error, kept until the lines before it are returned.
    failed: Option<Error>,
    /// Ends of lines in the file before the buffer.
    ends_before: usize,
    /// Whether lines before the buffer were read.
    is_begun: bool,
    default_time: Option<Timestamp>,
    skipped: Skipped,
    counter: ByteCounter,
}

impl LineSource for LineProtocolSource<'_> {
    fn read(&mut self, out: &mut Lines<'_>) -> Result<bool> {
        self.is_paused = false;
        let whole = loop {
            if self.is_at_end {
                break self.buffer.len();
            }
            let whole = whole_lines(&self.buffer);
            if (whole > 0 && self.buffer.len() >= PART) || self.is_paused {
                break whole;
            }
            if let Some(error) = self.failed.take() {
                if whole == 0 {
                    return Err(error);
                }
                self.failed = Some(error);
                break whole;
            }
            if whole == 0 && self.buffer.len() > LONGEST_LINE {
                let line = self.ends_before + 1;
                return Err(unreadable(format!(
                    "line {line}: it is longer than {LONGEST_LINE} bytes: is the file line protocol, and each text \
                     closed by a quote?"
                )));
            }
            self.fill();
        };
        if whole == 0 {
            return Ok(!self.is_at_end);
        }
        let buffer = std::mem::take(&mut self.buffer);
        let (part, rest) = buffer.split_at_checked(whole).unwrap_or((&buffer, &[]));
        let result = self.push(part, out);
        self.ends_before += memchr_iter(b'\n', part).count();
        self.is_begun = true;
        self.buffer = rest.to_vec();
        result.map(|()| true)
    }

    fn bytes_read(&self) -> u64 {
        self.counter.get()
    }

    fn is_paused(&self) -> bool {
        self.is_paused
    }

    fn summary(&self) -> Summary {
        Summary { skipped: self.skipped.clone(), ..Summary::default() }
    }
}

impl LineProtocolSource<'_> {
    /// Reads as much again as there is, so that the search for the end of a long line does not begin too often.
    fn fill(&mut self) {
        let most = self.buffer.len().max(PART) as u64;
        match self.reader.by_ref().take(most).read_to_end(&mut self.buffer) {
            Ok(count) => self.is_at_end = (count as u64) < most,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.is_paused = true,
            Err(error) => {
                let failed = unreadable(format!("it cannot be read: {error}"));
                self.failed = Some(failed.with_source(error));
            }
        }
    }

    /// Appends the lines of a part of the file.
    fn push(&mut self, part: &[u8], out: &mut Lines<'_>) -> Result<()> {
        if !self.skipped.is_on() || std::str::from_utf8(part).is_ok() {
            return self.push_lines(part, 0, out);
        }
        // Somewhere it is not UTF-8: line by line, so that only that line is left out.
        let mut place = 0;
        while let Some(rest) = part.get(place..).filter(|rest| !rest.is_empty()) {
            let end = memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
            self.push_lines(part.get(..place + end).unwrap_or(part), place, out)?;
            place += end;
        }
        Ok(())
    }

    /// Appends the lines of a part, from a place in it on.
    fn push_lines(&mut self, part: &[u8], from: usize, out: &mut Lines<'_>) -> Result<()> {
        let text = part.get(from..).unwrap_or_default();
        let before =
            self.ends_before + memchr_iter(b'\n', part.get(..from).unwrap_or_default()).count();
        let mut found: TextLines<'_> = match self.is_begun || from > 0 {
            true => lines_of_part(text, before),
            false => lines(text),
        };
        while let Some(line) = found.next() {
            match line {
                Ok(line) => out.push_stamped_text_line(&line, self.default_time)?,
                Err(error) => {
                    let number = before as u64 + found.line_number() as u64;
                    self.skipped.take(number, error)?;
                    found.go_on();
                }
            }
        }
        Ok(())
    }
}

/// How many bytes at the beginning of a text are whole lines, blank ones and comments included.
fn whole_lines(text: &[u8]) -> usize {
    let mut rest = text;
    loop {
        rest = match rest {
            [] => return text.len(),
            [b' ' | b'\t' | b'\n', behind @ ..] | [b'\r', b'\n', behind @ ..] => behind,
            [b'#', ..] => match memchr(b'\n', rest) {
                Some(end) => rest.get(end + 1..).unwrap_or_default(),
                None => return text.len() - rest.len(),
            },
            _ => {
                let (cut, behind) = SplitLine::first_of(rest);
                if cut.line.len() == rest.len() {
                    return text.len() - rest.len();
                }
                behind
            }
        };
    }
}

/// How much is read at once.
const PART: usize = 256 << 10;
/// What a request can have at most, and more.
const LONGEST_LINE: usize = 64 << 20;

#[cfg(test)]
mod tests {
    use super::whole_lines;

    #[test]
    fn a_line_is_whole_if_its_newline_is_there() {
        for (text, whole) in [
            ("", 0),
            ("m f=1", 0),
            ("m f=1\n", 6),
            ("m f=1\nm f=2", 6),
            ("m f=\"a\n", 0),
            ("m f=\"a\nb\"\nm", 10),
            ("# it's \"open\nm f=1\n", 19),
            ("# comment", 0),
            ("\n \t\r\n", 5),
            ("\r", 0),
            ("m,t=a\\\n", 0),
        ] {
            assert_eq!(whole_lines(text.as_bytes()), whole, "{text:?}");
        }
    }
}
