//! From HTTP/2 data frames to Flight messages: the gRPC framing, and the one protobuf message there is.
//!
//! A message stays in the pieces in which it came until it is complete. Its body is then either used in
//! place, if it lies in one piece and is aligned, or gathered once into aligned memory of its exact size. The
//! caller does that; if it is behind, the driver helps.

use std::collections::VecDeque;

use arrow_buffer::{Buffer, MutableBuffer};
use bytes::{Buf, Bytes};

use crate::{Error, ErrorKind, Result};

/// Cuts a stream of bytes into gRPC messages.
pub(crate) struct Framer {
    pieces: VecDeque<Bytes>,
    available: usize,
    /// The length of the message that has begun.
    begun: Option<usize>,
    limit: usize,
}

/// The pieces of one gRPC message, none of them empty.
pub(crate) type Pieces = Vec<Bytes>;

impl Framer {
    /// A flag and a length.
    const PREFIX: usize = 5;

    pub(crate) fn new(limit: usize) -> Self {
        Self { pieces: VecDeque::new(), available: 0, begun: None, limit }
    }

    pub(crate) fn push(&mut self, piece: Bytes) {
        if !piece.is_empty() {
            self.available += piece.len();
            self.pieces.push_back(piece);
        }
    }

    /// Whether there is the beginning of a message that has not been taken.
    pub(crate) fn is_in_message(&self) -> bool {
        self.begun.is_some() || self.available > 0
    }

    /// Reads the prefix of the next message, if it is there, and tells the message's length.
    pub(crate) fn begin(&mut self) -> Result<Option<usize>> {
        if self.begun.is_none() && self.available >= Self::PREFIX {
            let mut prefix = [0; Self::PREFIX];
            for byte in &mut prefix {
                *byte = self.next_byte();
            }
            let [flag, length @ ..] = prefix;
            let length = u32::from_be_bytes(length) as usize;
            match flag {
                0 => {}
                1 => return Err(broken("a compressed message, which was not asked for")),
                _ => return Err(broken("a gRPC message with an unknown flag")),
            }
            if length > self.limit {
                return Err(too_large(length, self.limit));
            }
            self.begun = Some(length);
        }
        Ok(self.begun)
    }

    /// The message that has begun, once all of it is there.
    pub(crate) fn take(&mut self) -> Option<Pieces> {
        let mut missing = self.begun.filter(|length| *length <= self.available)?;
        self.begun = None;
        self.available -= missing;
        let mut message = Vec::new();
        while missing > 0 {
            let piece = self.pieces.front_mut()?;
            if piece.len() <= missing {
                missing -= piece.len();
                message.extend(self.pieces.pop_front());
            } else {
                message.push(piece.split_to(missing));
                missing = 0;
            }
        }
        Some(message)
    }

    fn next_byte(&mut self) -> u8 {
        let Some(piece) = self.pieces.front_mut() else { return 0 };
        let byte = piece.get_u8();
        if piece.is_empty() {
            self.pieces.pop_front();
        }
        self.available -= 1;
        byte
    }
}

/// One message of a Flight stream.
#[derive(Debug)]
pub(crate) struct FlightData {
    /// The Arrow IPC message: a flatbuffer.
    pub(crate) header: Bytes,
    pub(crate) app_metadata: Bytes,
    body: Body,
}

#[derive(Debug)]
enum Body {
    /// As it came: a part of the message.
    Part(Pieces, Span),
    /// In memory of its own, aligned for every type.
    Gathered(Buffer),
}

/// A place in a message.
#[derive(Clone, Copy, Debug, Default)]
struct Span {
    start: usize,
    length: usize,
}

impl FlightData {
    /// Reads the protobuf message; of a field that comes twice, the last one counts.
    pub(crate) fn parse(pieces: Pieces) -> Result<Self> {
        let (mut header, mut app_metadata, mut body) = (None, None, Span::default());
        let mut cursor = Cursor::new(&pieces);
        while !cursor.is_at_end() {
            let key = cursor.varint()?;
            match (key >> 3, key & 7) {
                (2, 2) => header = Some(cursor.span()?),
                (3, 2) => app_metadata = Some(cursor.span()?),
                (1000, 2) => body = cursor.span()?,
                (0, _) => return Err(broken("a protobuf field without a number")),
                (_, 0) => drop(cursor.varint()?),
                (_, 1) => cursor.skip(8)?,
                (_, 2) => drop(cursor.span()?),
                (_, 5) => cursor.skip(4)?,
                _ => return Err(broken("a protobuf field of an unknown kind")),
            }
        }
        let header = header.map_or_else(Bytes::new, |span| gather_bytes(&pieces, span));
        let app_metadata = app_metadata.map_or_else(Bytes::new, |span| gather_bytes(&pieces, span));
        Ok(Self { header, app_metadata, body: Body::Part(pieces, body) })
    }

    /// The length of the body.
    pub(crate) fn body_len(&self) -> usize {
        match &self.body {
            Body::Part(_, span) => span.length,
            Body::Gathered(body) => body.len(),
        }
    }

    /// Copies the body to where it will stay, and lets go of the memory in which it came.
    pub(crate) fn gather(&mut self) {
        if let Body::Part(pieces, span) = &self.body {
            self.body = Body::Gathered(gather_buffer(pieces, *span));
        }
    }

    /// The body in memory that is aligned so: as it came, if it can be, or copied once.
    pub(crate) fn into_body(self, alignment: usize) -> Buffer {
        match self.body {
            Body::Gathered(body) => body,
            Body::Part(pieces, span) => in_one_piece(&pieces, span)
                .filter(|bytes| bytes.as_ptr().align_offset(alignment) == 0)
                .map_or_else(|| gather_buffer(&pieces, span), Buffer::from),
        }
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

/// A place among pieces. It never leaves them: `position` is at most their length.
struct Cursor<'a> {
    pieces: &'a [Bytes],
    /// What is left of the current piece.
    rest: &'a [u8],
    position: usize,
    end: usize,
}

impl<'a> Cursor<'a> {
    fn new(pieces: &'a [Bytes]) -> Self {
        let end = pieces.iter().map(Bytes::len).sum();
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
            let Some((first, pieces)) = self.pieces.split_first() else { return Err(cut()) };
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

fn in_one_piece(pieces: &[Bytes], span: Span) -> Option<Bytes> {
    let mut position = 0;
    for piece in pieces {
        if span.start >= position && span.start + span.length <= position + piece.len() {
            let from = span.start - position;
            return Some(piece.slice(from..from + span.length));
        }
        position += piece.len();
    }
    None
}

fn gather_buffer(pieces: &[Bytes], span: Span) -> Buffer {
    let mut gathered = MutableBuffer::with_capacity(span.length);
    parts(pieces, span).for_each(|part| gathered.extend_from_slice(part));
    gathered.into()
}

fn gather_bytes(pieces: &[Bytes], span: Span) -> Bytes {
    in_one_piece(pieces, span).unwrap_or_else(|| {
        let mut gathered = Vec::with_capacity(span.length);
        parts(pieces, span).for_each(|part| gathered.extend_from_slice(part));
        gathered.into()
    })
}

fn broken(what: &str) -> Error {
    Error::new(ErrorKind::Decode, format!("the server's answer cannot be read: it has {what}"))
}

fn cut() -> Error {
    broken("a Flight message that ends too early")
}

fn too_large(length: usize, limit: usize) -> Error {
    Error::new(
        ErrorKind::TooLarge,
        format!(
            "the server sent a message of {length} bytes, and the limit is {limit}: raise it with max_message_size, or select less"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message() -> Vec<u8> {
        let mut bytes = vec![0x12, 3, 1, 2, 3]; // header
        bytes.extend([0x0a, 2, 9, 9]); // the descriptor, which is skipped
        bytes.extend([0x08, 0x96, 0x01]); // an unknown number
        bytes.extend([0x1a, 2, 7, 8]); // app_metadata
        bytes.extend([0x25, 0, 0, 0, 0]); // an unknown fixed32
        bytes.extend([0xc2, 0x3e, 200, 1]); // body
        bytes.extend((0..200).map(|n| n as u8));
        bytes
    }

    fn check(data: FlightData) {
        assert_eq!((&data.header[..], &data.app_metadata[..]), (&[1, 2, 3][..], &[7, 8][..]));
        assert_eq!(data.body_len(), 200);
        let body = data.into_body(64);
        assert_eq!(body.as_ptr().align_offset(64), 0);
        assert!(body.iter().copied().eq(0..200));
    }

    #[test]
    fn a_message_is_read_in_whatever_pieces_it_comes() {
        let message = message();
        let mut stream = vec![0, 0, 0, 0, message.len() as u8];
        stream.extend(&message);
        let stream = stream.repeat(2);
        for size in [1, 2, 3, 7, 64, 100, stream.len()] {
            let mut framer = Framer::new(1000);
            let mut found = 0;
            for piece in stream.chunks(size) {
                framer.push(Bytes::copy_from_slice(piece));
                while let Some(length) = framer.begin().unwrap() {
                    assert_eq!(length, message.len());
                    let Some(pieces) = framer.take() else { break };
                    check(FlightData::parse(pieces).unwrap());
                    found += 1;
                }
            }
            assert_eq!(found, 2, "{size}");
            assert!(!framer.is_in_message());
        }
    }

    #[test]
    fn a_message_that_is_cut_anywhere_is_an_error_or_a_shorter_message() {
        let message = message();
        let whole_at = [0, 5, 9, 12, 16, 21, message.len()];
        for end in 0..=message.len() {
            let data = FlightData::parse(vec![Bytes::copy_from_slice(&message[..end])]);
            assert_eq!(data.is_ok(), whole_at.contains(&end), "{end}");
        }
    }

    #[test]
    fn hostile_lengths_are_refused() {
        let mut framer = Framer::new(100);
        framer.push(Bytes::from_static(&[0, 0, 0, 0, 101]));
        let error = framer.begin().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TooLarge);
        assert!(error.to_string().contains("101"), "{error}");
        for bytes in [
            &[0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01][..],
            &[0xff; 20],
            &[0x02, 1, 1],
            &[0x13],
        ] {
            assert!(FlightData::parse(vec![Bytes::copy_from_slice(bytes)]).is_err(), "{bytes:?}");
        }
        for flag in [1, 2] {
            let mut framer = Framer::new(100);
            framer.push(Bytes::copy_from_slice(&[flag, 0, 0, 0, 1, 0]));
            assert_eq!(framer.begin().unwrap_err().kind(), ErrorKind::Decode);
        }
    }

    #[test]
    fn an_aligned_body_in_one_piece_is_not_copied() {
        let whole = Bytes::from(message());
        let place = whole[25..].as_ptr();
        let body = FlightData::parse(vec![whole]).unwrap().into_body(1);
        assert_eq!(body.as_ptr(), place);
    }

    #[test]
    fn a_gathered_body_is_the_same_body() {
        for size in [1, 7, 1000] {
            let pieces = message().chunks(size).map(Bytes::copy_from_slice).collect();
            let mut data = FlightData::parse(pieces).unwrap();
            data.gather();
            data.gather();
            check(data);
        }
    }

    #[test]
    fn tickets_are_one_field() {
        assert_eq!(&encode_ticket(b"{}")[..], b"\0\0\0\0\x04\x0a\x02{}");
        let long = encode_ticket(&[b'x'; 300]);
        assert_eq!(&long[..8], &[0, 0, 0, 1, 47, 0x0a, 0xac, 0x02]);
    }
}
