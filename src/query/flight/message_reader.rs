//! Flight messages, from the pieces in which they are received.
//!
//! The body of a message is copied once, when it is received, into memory of its own that is aligned for every type. So
//! the receive buffer is free for the next piece, and a batch that the caller keeps keeps no memory but its own. For
//! that, a message is not collected and then decoded: it is read byte by byte, its body cut out. The other fields are
//! small; they are collected, and prost decodes them.

use bytes::{Buf, Bytes};
use prost::encoding::{WireType, decode_key, decode_varint};

use super::flight_data::{
    BODY, FlightData, PartialMessage, bad_message, cut_message, not_protobuf,
};
use super::gathered_bytes::GatheredBytes;
use super::message_body::BodyMemory;
use crate::{Error, ErrorKind, Result};

/// Cuts a stream of bytes into gRPC messages, and reads them as [`FlightData`].
pub(crate) struct MessageReader {
    /// Bytes that were received and not read.
    piece: Bytes,
    expected: Expected,
    /// The message that is being read; empty between two messages.
    message: PartialMessage,
    memory: BodyMemory,
    /// The most bytes of a message.
    limit: usize,
}

/// How far a [`MessageReader`] has read.
#[derive(Debug)]
pub(crate) enum MessageProgress {
    /// The prefix of a message was read, which has the message's length in bytes.
    Begun(usize),
    /// A message was read to its end.
    Whole(FlightData),
}

/// What the next byte of the stream belongs to, with the bytes of it so far.
enum Expected {
    /// The prefix of a message: a flag, and a length of 4 bytes.
    Prefix(GatheredBytes),
    /// The key of a field.
    Key(GatheredBytes),
    /// The value of a field that is a number.
    Number(GatheredBytes),
    /// The length of a field.
    Length(FieldKind, GatheredBytes),
    /// The content of a field, with the number of bytes that are missing.
    Content(FieldKind, usize),
}

/// Which field of the message it is.
#[derive(Clone, Copy)]
enum FieldKind {
    Body,
    /// Any other, known or not.
    Other,
}

impl MessageReader {
    /// A message may have up to `limit` bytes.
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            piece: Bytes::new(),
            expected: Expected::Prefix(GatheredBytes::default()),
            message: PartialMessage::default(),
            memory: BodyMemory::default(),
            limit,
        }
    }

    /// Takes the next piece of the stream. All pieces before it must have been read: [`read`](Self::read) gave `None`.
    pub(crate) fn push(&mut self, piece: Bytes) {
        debug_assert!(self.piece.is_empty());
        self.piece = piece;
    }

    /// Whether a message has begun and not ended: a stream that ends here was cut off.
    pub(crate) fn is_in_message(&self) -> bool {
        !matches!(&self.expected, Expected::Prefix(prefix) if prefix.is_empty())
    }

    /// Reads on, up to the beginning or the end of a message; `None` once all received bytes were read.
    ///
    /// # Errors
    ///
    /// A message is too large ([`ErrorKind::TooLarge`]), compressed or no `FlightData` ([`ErrorKind::Decode`]). Nothing
    /// can be read after that.
    pub(crate) fn read(&mut self) -> Result<Option<MessageProgress>> {
        loop {
            let next = match &mut self.expected {
                Expected::Prefix(prefix) => {
                    if !prefix.gather(&mut self.piece, 5, |bytes| bytes.len() == 5) {
                        return Ok(None);
                    }
                    let length = message_length(prefix.bytes(), self.limit)?;
                    self.message = PartialMessage { missing: length, ..PartialMessage::default() };
                    self.expected = Expected::Key(GatheredBytes::default());
                    return Ok(Some(MessageProgress::Begun(length)));
                }
                Expected::Key(key) if self.message.missing == 0 && key.is_empty() => {
                    self.expected = Expected::Prefix(GatheredBytes::default());
                    let message = std::mem::take(&mut self.message);
                    return message.finish().map(|message| Some(MessageProgress::Whole(message)));
                }
                Expected::Key(key) => {
                    if !self.message.gather_varint(&mut self.piece, key)? {
                        return Ok(None);
                    }
                    let (tag, wire_type) = decode_key(&mut key.bytes()).map_err(not_protobuf)?;
                    if tag != BODY {
                        self.message.others.extend_from_slice(key.bytes());
                    }
                    match wire_type {
                        WireType::LengthDelimited if tag == BODY => {
                            Expected::Length(FieldKind::Body, GatheredBytes::default())
                        }
                        _ if tag == BODY => {
                            return Err(bad_message("a body of another type than bytes"));
                        }
                        WireType::LengthDelimited => {
                            Expected::Length(FieldKind::Other, GatheredBytes::default())
                        }
                        WireType::Varint => Expected::Number(GatheredBytes::default()),
                        WireType::SixtyFourBit => content(&self.message, FieldKind::Other, 8)?,
                        WireType::ThirtyTwoBit => content(&self.message, FieldKind::Other, 4)?,
                        WireType::StartGroup | WireType::EndGroup => {
                            return Err(bad_message("a protobuf field of an unknown kind"));
                        }
                    }
                }
                Expected::Number(number) => {
                    if !self.message.gather_varint(&mut self.piece, number)? {
                        return Ok(None);
                    }
                    self.message.others.extend_from_slice(number.bytes());
                    Expected::Key(GatheredBytes::default())
                }
                Expected::Length(field, length) => {
                    if !self.message.gather_varint(&mut self.piece, length)? {
                        return Ok(None);
                    }
                    let count = decode_varint(&mut length.bytes()).map_err(not_protobuf)?;
                    let count = usize::try_from(count).map_err(|_| cut_message())?;
                    let content = content(&self.message, *field, count)?;
                    match field {
                        FieldKind::Body => self.message.body = Some(self.memory.take(count)),
                        FieldKind::Other => self.message.others.extend_from_slice(length.bytes()),
                    }
                    content
                }
                Expected::Content(_, 0) => Expected::Key(GatheredBytes::default()),
                Expected::Content(field, missing) => {
                    if self.piece.is_empty() {
                        return Ok(None);
                    }
                    let count = self.piece.len().min(*missing);
                    match (*field, &mut self.message.body) {
                        (FieldKind::Body, Some(body)) => {
                            body.extend_from_slice(&self.piece[..count])
                        }
                        _ => self.message.others.extend_from_slice(&self.piece[..count]),
                    }
                    self.piece.advance(count);
                    self.message.missing -= count;
                    *missing -= count;
                    continue;
                }
            };
            self.expected = next;
        }
    }
}

/// What is expected behind the key or the length of a field that has `count` bytes.
fn content(message: &PartialMessage, field: FieldKind, count: usize) -> Result<Expected> {
    message.check_left(count)?;
    Ok(Expected::Content(field, count))
}

/// The length of the message behind a prefix of 5 bytes.
///
/// # Errors
///
/// The message is compressed, its flag is unknown, or it is longer than `limit`.
fn message_length(prefix: &[u8], limit: usize) -> Result<usize> {
    let &[flag, a, b, c, d] = prefix else { return Err(cut_message()) };
    match flag {
        0 => {}
        1 => return Err(bad_message("a compressed message, which was not asked for")),
        _ => return Err(bad_message("a gRPC message with an unknown flag")),
    }
    let length = u32::from_be_bytes([a, b, c, d]) as usize;
    if length > limit {
        return Err(Error::new(
            ErrorKind::TooLarge,
            format!(
                "the server sent a message of {length} bytes, and the limit is {limit}: raise it with max_message_size, or select less"
            ),
        ));
    }
    Ok(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The fields of a message, its body last.
    fn fields() -> Vec<Vec<u8>> {
        let mut body = vec![0xc2, 0x3e, 200, 1];
        body.extend(0..200);
        vec![
            vec![0x12, 3, 1, 2, 3],             // header
            vec![0x0a, 2, 9, 9],                // the descriptor, which is skipped
            vec![0x08, 0x96, 0x01],             // an unknown number
            vec![0x1a, 2, 7, 8],                // app_metadata
            vec![0x25, 0, 0, 0, 0],             // an unknown fixed32
            vec![0x29, 0, 0, 0, 0, 0, 0, 0, 0], // an unknown fixed64
            body,
        ]
    }

    fn check(data: FlightData) {
        assert_eq!((&data.header[..], &data.app_metadata[..]), (&[1, 2, 3][..], &[7, 8][..]));
        assert_eq!(data.body.as_ptr().align_offset(64), 0);
        assert!(data.body.iter().copied().eq(0..200));
    }

    fn framed(message: &[u8]) -> Vec<u8> {
        let mut stream = vec![0];
        stream.extend(u32::try_from(message.len()).unwrap().to_be_bytes());
        stream.extend(message);
        stream
    }

    fn read(stream: &[u8], piece: usize) -> Result<Vec<FlightData>> {
        let mut reader = MessageReader::new(1000);
        let mut found = Vec::new();
        for piece in stream.chunks(piece) {
            reader.push(Bytes::copy_from_slice(piece));
            while let Some(progress) = reader.read()? {
                if let MessageProgress::Whole(data) = progress {
                    found.push(data);
                }
            }
        }
        assert!(!reader.is_in_message());
        Ok(found)
    }

    #[test]
    fn a_message_is_read_in_whatever_pieces_and_in_whatever_order_it_comes() {
        let mut fields = fields();
        for _ in 0..fields.len() {
            fields.rotate_left(1);
            let stream = framed(&fields.concat()).repeat(2);
            for piece in (1..20).chain([64, 100, 200, stream.len()]) {
                let found = read(&stream, piece).unwrap();
                assert_eq!(found.len(), 2, "pieces of {piece} bytes");
                found.into_iter().for_each(check);
            }
        }
    }

    #[test]
    fn of_a_field_that_comes_twice_the_last_one_counts() {
        let mut message = vec![0xc2, 0x3e, 2, 1, 2, 0x12, 1, 9, 0x1a, 1, 9];
        message.extend(fields().concat());
        for piece in [1, 7, 100, 1000] {
            read(&framed(&message), piece).unwrap().into_iter().for_each(check);
        }
    }

    #[test]
    fn what_is_not_there_is_empty() {
        for message in [&[][..], &[0x12, 0], &[0xc2, 0x3e, 0]] {
            let found = read(&framed(message).repeat(3), 2).unwrap();
            assert_eq!(found.len(), 3);
            assert!(found.iter().all(|data| data.size() == 0));
        }
    }

    #[test]
    fn a_message_that_is_cut_anywhere_is_an_error_or_a_shorter_message() {
        let fields = fields();
        let message = fields.concat();
        let mut whole_at = vec![0];
        for field in &fields {
            whole_at.push(whole_at[whole_at.len() - 1] + field.len());
        }
        for end in 0..=message.len() {
            for piece in [1, 7, 1000] {
                let found = read(&framed(&message[..end]), piece);
                assert_eq!(found.is_ok(), whole_at.contains(&end), "{end}");
            }
        }
    }

    #[test]
    fn hostile_lengths_and_kinds_are_refused() {
        for message in [
            // A length of 64 bits, numbers without an end, no field number, groups, an unknown kind.
            &[0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01][..],
            &[0xc2, 0x3e, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
            &[0xff; 20],
            &[0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
            &[0x02, 1, 1],
            &[0x13],
            &[0x0b, 0x0c],
            &[0x0f],
            // A header and a body that are numbers.
            &[0x10, 1],
            &[0xc0, 0x3e, 1],
        ] {
            for piece in [1, 3, 1000] {
                let error = read(&framed(message), piece).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Decode, "{message:?}");
            }
        }
    }

    #[test]
    fn a_message_over_the_limit_is_refused_by_its_length() {
        let mut reader = MessageReader::new(100);
        reader.push(Bytes::from_static(&[0, 0, 0, 0, 101]));
        let error = reader.read().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TooLarge);
        assert!(error.to_string().contains("101"), "{error}");
    }

    #[test]
    fn unknown_flags_are_refused() {
        for flag in [1, 2] {
            let mut reader = MessageReader::new(100);
            reader.push(Bytes::copy_from_slice(&[flag, 0, 0, 0, 1, 0]));
            assert_eq!(reader.read().unwrap_err().kind(), ErrorKind::Decode);
        }
    }
}
