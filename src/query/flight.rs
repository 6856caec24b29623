//! Flight messages, and the two protobuf messages that there are.
//!
//! The body of a message is copied once, into memory of its own that is aligned for every type, and as soon as it comes:
//! the memory in which it was received is at hand and can be used for what comes next, and a batch that is kept keeps
//! nothing but itself.

use arrow_buffer::{Buffer, MutableBuffer};
use bytes::Bytes;

use crate::{Error, ErrorKind, Result};

/// One message of a Flight stream.
#[derive(Debug)]
pub(crate) struct FlightData {
    /// The Arrow IPC message: a flatbuffer.
    pub(crate) header: Vec<u8>,
    pub(crate) app_metadata: Vec<u8>,
    pub(crate) body: Buffer,
}

/// A place in a message.
#[derive(Clone, Copy, Debug, Default)]
struct Span {
    start: usize,
    length: usize,
}

impl FlightData {
    /// Reads a message that is there as a whole.
    pub(crate) fn read(pieces: &[Bytes]) -> Result<Self> {
        let length = pieces.iter().map(Bytes::len).sum();
        let fields = Fields::read(pieces, length)?;
        let mut body = MutableBuffer::with_capacity(fields.body.length);
        parts(pieces, fields.body).for_each(|part| body.extend_from_slice(part));
        Ok(Self {
            header: gather(pieces, fields.header),
            app_metadata: gather(pieces, fields.app_metadata),
            body: body.into(),
        })
    }
}

/// A message of which the end is missing.
pub(crate) struct Unfinished {
    header: Vec<u8>,
    app_metadata: Vec<u8>,
    body: MutableBuffer,
    missing: usize,
}

impl Unfinished {
    /// Reads the beginning of a message of this length; tells as well where its body starts. None as long as the body
    /// has not begun, and if it is not the last thing in the message.
    pub(crate) fn read(pieces: &[Bytes], length: usize) -> Option<(Self, usize)> {
        let fields = Fields::read(pieces, length).ok()?;
        let Span { start, length: missing } = fields.body;
        if start + missing < length {
            return None;
        }
        let unfinished = Self {
            header: gather(pieces, fields.header),
            app_metadata: gather(pieces, fields.app_metadata),
            body: MutableBuffer::with_capacity(missing),
            missing,
        };
        Some((unfinished, start))
    }

    /// How much of the body is missing.
    pub(crate) fn missing(&self) -> usize {
        self.missing
    }

    /// Copies what comes next, which is not more than what is missing.
    pub(crate) fn copy(&mut self, part: &[u8]) {
        self.body.extend_from_slice(part);
        self.missing = self.missing.saturating_sub(part.len());
    }

    pub(crate) fn finish(self) -> FlightData {
        let Self { header, app_metadata, body, .. } = self;
        FlightData { header, app_metadata, body: body.into() }
    }
}

/// The request: `Ticket { ticket: bytes = 1 }` as one gRPC message.
pub(crate) fn encode_ticket(ticket: &[u8]) -> Bytes {
    let mut field = vec![0x0a];
    let mut length = ticket.len();
    while length >= 0x80 {
        // The low seven bits.
        field.push((length & 0x7f) as u8 | 0x80);
        length >>= 7;
    }
    field.push(length as u8);
    let size = u32::try_from(field.len() + ticket.len()).unwrap_or(u32::MAX);
    let mut message = vec![0];
    message.extend_from_slice(&size.to_be_bytes());
    message.extend_from_slice(&field);
    message.extend_from_slice(ticket);
    message.into()
}

/// Where the fields of a message are.
#[derive(Default)]
struct Fields {
    header: Span,
    app_metadata: Span,
    body: Span,
}

impl Fields {
    /// Reads a message of this length, of which a part of the last field may be missing. Of a field that comes twice,
    /// the last one counts.
    fn read(pieces: &[Bytes], length: usize) -> Result<Self> {
        let mut fields = Self::default();
        let mut cursor = Cursor::new(pieces, length);
        while !cursor.is_at_end() {
            let key = cursor.varint()?;
            match (key >> 3, key & 7) {
                (2, 2) => fields.header = cursor.span()?,
                (3, 2) => fields.app_metadata = cursor.span()?,
                (1000, 2) => fields.body = cursor.span()?,
                (0, _) => return Err(broken("a protobuf field without a number")),
                (_, 0) => drop(cursor.varint()?),
                (_, 1) => cursor.skip(8)?,
                (_, 2) => drop(cursor.span()?),
                (_, 5) => cursor.skip(4)?,
                _ => return Err(broken("a protobuf field of an unknown kind")),
            }
        }
        Ok(fields)
    }
}

/// A place in a message. It never leaves it: `position` is at most `end`.
struct Cursor<'a> {
    pieces: &'a [Bytes],
    /// What is left of the current piece.
    rest: &'a [u8],
    position: usize,
    end: usize,
}

impl<'a> Cursor<'a> {
    fn new(pieces: &'a [Bytes], end: usize) -> Self {
        Self { pieces, rest: &[], position: 0, end }
    }

    fn is_at_end(&self) -> bool {
        self.position == self.end
    }

    fn byte(&mut self) -> Result<u8> {
        while self.rest.is_empty() {
            let Some((first, pieces)) = self.pieces.split_first() else { return Err(cut()) };
            (self.rest, self.pieces) = (first, pieces);
        }
        let (byte, rest) = self.rest.split_first().ok_or_else(cut)?;
        self.rest = rest;
        self.position += 1;
        Ok(*byte)
    }

    fn varint(&mut self) -> Result<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(broken("a number of more than 64 bits"))
    }

    /// A length and so many bytes.
    fn span(&mut self) -> Result<Span> {
        let length = usize::try_from(self.varint()?).map_err(|_| cut())?;
        let start = self.position;
        self.skip(length)?;
        Ok(Span { start, length })
    }

    fn skip(&mut self, mut length: usize) -> Result<()> {
        if length > self.end - self.position {
            return Err(cut());
        }
        self.position += length;
        while length > self.rest.len() {
            length -= self.rest.len();
            let Some((first, pieces)) = self.pieces.split_first() else {
                self.rest = &[];
                // What is missing is the end of the message.
                return if self.is_at_end() { Ok(()) } else { Err(cut()) };
            };
            (self.rest, self.pieces) = (first, pieces);
        }
        self.rest = self.rest.get(length..).unwrap_or_default();
        Ok(())
    }
}

/// The part of each piece that belongs to the span.
fn parts(pieces: &[Bytes], span: Span) -> impl Iterator<Item = &[u8]> {
    let mut position = 0;
    let end = span.start + span.length;
    pieces.iter().filter_map(move |piece| {
        let from = span.start.max(position) - position;
        let to = end.min(position + piece.len()).saturating_sub(position);
        position += piece.len();
        piece.get(from..to).filter(|part| !part.is_empty())
    })
}

fn gather(pieces: &[Bytes], span: Span) -> Vec<u8> {
    let mut gathered = Vec::with_capacity(span.length);
    parts(pieces, span).for_each(|part| gathered.extend_from_slice(part));
    gathered
}

pub(super) fn broken(what: &str) -> Error {
    Error::new(ErrorKind::Decode, format!("the server's answer cannot be read: it has {what}"))
}

fn cut() -> Error {
    broken("a Flight message that ends too early")
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::query) fn message() -> Vec<u8> {
        let mut bytes = vec![0x12, 3, 1, 2, 3]; // header
        bytes.extend([0x0a, 2, 9, 9]); // the descriptor, which is skipped
        bytes.extend([0x08, 0x96, 0x01]); // an unknown number
        bytes.extend([0x1a, 2, 7, 8]); // app_metadata
        bytes.extend([0x25, 0, 0, 0, 0]); // an unknown fixed32
        bytes.extend([0xc2, 0x3e, 200, 1]); // body
        bytes.extend((0..200).map(|n| n as u8));
        bytes
    }

    pub(in crate::query) fn check(data: FlightData) {
        assert_eq!((&data.header[..], &data.app_metadata[..]), (&[1, 2, 3][..], &[7, 8][..]));
        assert_eq!(data.body.as_ptr().align_offset(64), 0);
        assert!(data.body.iter().copied().eq(0..200));
    }

    #[test]
    fn a_message_that_is_cut_anywhere_is_an_error_or_a_shorter_message() {
        let message = message();
        let whole_at = [0, 5, 9, 12, 16, 21, message.len()];
        for end in 0..=message.len() {
            let data = FlightData::read(&[Bytes::copy_from_slice(&message[..end])]);
            assert_eq!(data.is_ok(), whole_at.contains(&end), "{end}");
        }
    }

    #[test]
    fn hostile_lengths_are_refused() {
        for bytes in [
            &[0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01][..],
            &[0xff; 20],
            &[0x02, 1, 1],
            &[0x13],
        ] {
            assert!(FlightData::read(&[Bytes::copy_from_slice(bytes)]).is_err(), "{bytes:?}");
        }
    }

    #[test]
    fn tickets_are_one_field() {
        assert_eq!(&encode_ticket(b"{}")[..], b"\0\0\0\0\x04\x0a\x02{}");
        let long = encode_ticket(&[b'x'; 300]);
        assert_eq!(&long[..8], &[0, 0, 0, 1, 47, 0x0a, 0xac, 0x02]);
    }
}
