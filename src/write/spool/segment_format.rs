//! The lines of a segment that are not line protocol. All of them are comments, so that a segment is line protocol as
//! it is.
//!
//! ```text
//! # influxdb3-blocking spool 1 salt=5d1f0c3a
//! # target 1 crc=0c2b3f11 {"database":"sensors","precision":"ns",…}
//! # batch 17 target=1 lines=2 bytes=34 time=1764187200000 lines_crc=9ae0daaf crc=44c0e1b2
//! home temp=21.5 1764187200000000000
//! …
//! ```
//!
//! A `crc` is the checksum of its own line, so that the count and the size of the lines can be trusted. `lines_crc` is
//! that of the lines. Both include the salt, which differs in each segment: so no foreign bytes, such as the text of a
//! field or an old block of the disk, are taken for an entry.

use std::io::Write;

use zlib_rs::crc32::crc32;

/// What a segment begins with.
const FIRST: &str = "# influxdb3-blocking spool 1 salt=";

/// The header of a batch.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct BatchHeader {
    /// Batches are numbered in the order in which they were written.
    pub(super) number: u64,
    pub(super) target: u32,
    pub(super) lines: u64,
    /// How many bytes of line protocol follow.
    pub(super) bytes: u64,
    /// When it was written, in milliseconds since 1970.
    pub(super) time: u64,
    lines_crc: u32,
}

/// A line of a segment that says what follows.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum EntryHeader<'a> {
    /// What batches mean by a number.
    Target(u32, &'a str),
    Batch(BatchHeader),
}

pub(super) fn write_first_line(salt: u32, to: &mut Vec<u8>) {
    to.extend_from_slice(format!("{FIRST}{salt:08x}\n").as_bytes());
}

/// The salt that a first line has, without its newline.
pub(super) fn parse_first_line(line: &[u8]) -> Option<u32> {
    hex(line.strip_prefix(FIRST.as_bytes())?)
}

/// Whether these are the first bytes of a first line that was not written to its end.
pub(super) fn begins_first_line(bytes: &[u8]) -> bool {
    let known = bytes.len().min(FIRST.len());
    !bytes.contains(&b'\n')
        && bytes.len() <= FIRST.len() + 8
        && bytes[..known] == FIRST.as_bytes()[..known]
}

pub(super) fn write_target(salt: u32, number: u32, text: &str, to: &mut Vec<u8>) {
    let start = to.len();
    to.extend_from_slice(format!("{TARGET}{number}").as_bytes());
    let crc = checksum(salt, &[&to[start..], text.as_bytes()]);
    to.extend_from_slice(format!("{CRC}{crc:08x} {text}\n").as_bytes());
}

/// A batch, its header and its lines; the checksums are found out.
pub(super) fn write_batch(salt: u32, header: BatchHeader, lines: &[u8], to: &mut Vec<u8>) {
    let start = to.len();
    let BatchHeader { number, target, lines: count, bytes, time, .. } = header;
    debug_assert_eq!(bytes, lines.len() as u64);
    // A vector takes everything.
    let _ = write!(
        to,
        "{BATCH}{number} target={target} lines={count} bytes={bytes} time={time} lines_crc={:08x}",
        checksum(salt, &[lines])
    );
    let crc = checksum(salt, &[&to[start..]]);
    let _ = writeln!(to, "{CRC}{crc:08x}");
    to.extend_from_slice(lines);
}

/// The most bytes that the header of a batch takes.
pub(super) const LONGEST_BATCH_HEADER: usize = 180;

/// Reads a line, without its newline, that may be a header, and is as it was written if it is one. Of a batch, the
/// lines have to be checked yet, by [`has_written`](BatchHeader::has_written).
pub(super) fn parse(salt: u32, line: &[u8]) -> Option<EntryHeader<'_>> {
    if line.starts_with(TARGET.as_bytes()) {
        let (head, rest) = cut(line, CRC)?;
        let (crc, text) = rest.split_at_checked(8)?;
        let text = text.strip_prefix(b" ")?;
        let number = decimal(head.strip_prefix(TARGET.as_bytes())?)?;
        let is_whole = checksum(salt, &[head, text]) == hex(crc)?;
        let text = std::str::from_utf8(text).ok()?;
        return is_whole.then_some(EntryHeader::Target(u32::try_from(number).ok()?, text));
    }
    let head = line.get(..line.len().checked_sub(CRC.len() + 8)?)?;
    let is_whole = Some(checksum(salt, &[head])) == hex(&line[head.len() + CRC.len()..]);
    if !is_whole || !line[head.len()..].starts_with(CRC.as_bytes()) {
        return None;
    }
    let (number, rest) = cut(head.strip_prefix(BATCH.as_bytes())?, " target=")?;
    let (target, rest) = cut(rest, " lines=")?;
    let (lines, rest) = cut(rest, " bytes=")?;
    let (bytes, rest) = cut(rest, " time=")?;
    let (time, lines_crc) = cut(rest, " lines_crc=")?;
    Some(EntryHeader::Batch(BatchHeader {
        number: decimal(number)?,
        target: u32::try_from(decimal(target)?).ok()?,
        lines: decimal(lines)?,
        bytes: decimal(bytes)?,
        time: decimal(time)?,
        lines_crc: hex(lines_crc)?,
    }))
}

impl BatchHeader {
    pub(super) fn new(number: u64, target: u32, lines: u64, bytes: u64, time: u64) -> Self {
        Self { number, target, lines, bytes, time, lines_crc: 0 }
    }

    /// Whether the lines are as they were written.
    pub(super) fn has_written(&self, salt: u32, lines: &[u8]) -> bool {
        checksum(salt, &[lines]) == self.lines_crc
    }
}

/// Where the next line begins that may be a header, from `start` on.
pub(super) fn find_header(bytes: &[u8], start: usize) -> Option<usize> {
    memchr::memchr_iter(b'#', bytes.get(start..)?)
        .map(|at| start + at)
        .find(|&at| [TARGET, BATCH].iter().any(|word| bytes[at..].starts_with(word.as_bytes())))
}

/// CRC-32, as of zlib and gzip, of the salt and the pieces, one behind the other.
fn checksum(salt: u32, pieces: &[&[u8]]) -> u32 {
    pieces.iter().fold(salt, |sum, piece| crc32(sum, piece))
}

fn cut<'a>(text: &'a [u8], mark: &str) -> Option<(&'a [u8], &'a [u8])> {
    let at = text.windows(mark.len()).position(|window| window == mark.as_bytes())?;
    Some((&text[..at], &text[at + mark.len()..]))
}

fn decimal(text: &[u8]) -> Option<u64> {
    let is_plain = text.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(text).ok().filter(|_| is_plain)?.parse().ok()
}

fn hex(text: &[u8]) -> Option<u32> {
    let is_plain = text.len() == 8 && text.iter().all(u8::is_ascii_hexdigit);
    u32::from_str_radix(std::str::from_utf8(text).ok().filter(|_| is_plain)?, 16).ok()
}

const TARGET: &str = "# target ";
const BATCH: &str = "# batch ";
const CRC: &str = " crc=";

#[cfg(test)]
mod tests {
    use super::*;

    const LINES: &[u8] = b"m f=1 1\nm f=\"# batch 2\n\" 2\n";

    /// Files of other versions are read, so it must stay the same sum.
    #[test]
    fn the_checksum_is_the_one_of_the_catalogues() {
        assert_eq!(checksum(0, &[b"123456789"]), 0xCBF4_3926);
        assert_eq!(checksum(0, &[b"1234", b"", b"56789"]), 0xCBF4_3926);
        assert_eq!(checksum(checksum(0, &[b"12345"]), &[b"6789"]), 0xCBF4_3926);
    }

    fn batch() -> (BatchHeader, Vec<u8>) {
        let header = BatchHeader::new(u64::MAX, u32::MAX, u64::MAX, LINES.len() as u64, u64::MAX);
        let mut text = Vec::new();
        write_batch(7, header, LINES, &mut text);
        (header, text)
    }

    fn read(salt: u32, text: &[u8]) -> Option<BatchHeader> {
        let end = text.iter().position(|byte| *byte == b'\n')?;
        let EntryHeader::Batch(header) = parse(salt, &text[..end])? else { return None };
        header.has_written(salt, &text[end + 1..]).then_some(header)
    }

    #[test]
    fn a_batch_comes_back_as_it_was() {
        let (header, text) = batch();
        assert!(text.len() - LINES.len() <= LONGEST_BATCH_HEADER);
        let found = read(7, &text).unwrap();
        assert_eq!(BatchHeader { lines_crc: 0, ..found }, header);
    }

    #[test]
    fn no_byte_can_change_unnoticed() {
        let (_, text) = batch();
        for place in 0..text.len() {
            for bit in 0..8 {
                let mut bad = text.clone();
                bad[place] ^= 1 << bit;
                // Hexadecimal digits are read in both cases.
                if !bad.eq_ignore_ascii_case(&text) || place > text.len() - LINES.len() {
                    assert_eq!(read(7, &bad), None, "bit {bit} of byte {place}");
                }
            }
            assert_eq!(read(7, &text[..place]), None, "cut at {place}");
        }
        assert_eq!(read(8, &text), None, "of another segment");
    }

    #[test]
    fn a_target_comes_back_as_it_was() {
        let mut text = Vec::new();
        write_target(7, 3, "{\"a\": \" crc=\"}", &mut text);
        let line = text.strip_suffix(b"\n").unwrap();
        assert_eq!(parse(7, line), Some(EntryHeader::Target(3, "{\"a\": \" crc=\"}")));
        assert_eq!(parse(8, line), None);
        assert_eq!(parse(7, &line[..line.len() - 1]), None);
    }

    #[test]
    fn a_first_line_is_known_also_in_part() {
        let mut line = Vec::new();
        write_first_line(0xAB, &mut line);
        assert_eq!(parse_first_line(line.strip_suffix(b"\n").unwrap()), Some(0xAB));
        for end in 0..line.len() {
            assert!(begins_first_line(&line[..end]), "{end}");
            assert_eq!(parse_first_line(&line[..end]).is_some(), end == line.len() - 1);
        }
        assert!(!begins_first_line(&line) && !begins_first_line(b"m f=1"));
    }
}
