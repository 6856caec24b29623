//! Flight messages, from the pieces in which they come.
//!
//! The body of a message is copied once, into memory of its own that is aligned for every type, and as soon as it comes:
//! the memory in which it was received is at hand and can be used for what comes next, and a batch that is kept keeps
//! nothing but itself. So a message is not collected and then decoded: it is read byte by byte as it comes, its body cut
//! out; what is left is small, and prost decodes it.

use arrow_buffer::Buffer;
use bytes::{Buf, Bytes};
use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};

use super::body::{Body, BodyMemory};
use super::gathered::Gathered;
use crate::{Error, ErrorKind, Result};

/// One message of a Flight stream.
#[derive(Debug)]
pub(crate) struct FlightData {
    /// The Arrow IPC message: a flatbuffer.
    pub(crate) header: Bytes,
    pub(crate) app_metadata: Bytes,
    pub(crate) body: Buffer,
}

impl FlightData {
    /// Its bytes.
    pub(crate) fn size(&self) -> usize {
        self.header.len() + self.app_metadata.len() + self.body.len()
    }
}

/// The fields of a `FlightData`.
const HEADER: u32 = 2;
const APP_METADATA: u32 = 3;
const BODY: u32 = 1000;

/// Cuts a stream of bytes into gRPC messages, and reads them as `FlightData`.
pub(crate) struct MessageReader {
    /// What has come and was not read.
    piece: Bytes,
    place: Place,
    message: Partial,
    memory: BodyMemory,
    limit: usize,
}

/// What a [`MessageReader`] has found.
#[derive(Debug)]
pub(crate) enum Progress {
    /// A message of so many bytes has begun.
    Begun(usize),
    Whole(FlightData),
}

/// What comes next.
enum Place {
    /// The prefix of a message: a flag, and a length of 4 bytes.
    Prefix(Gathered),
    /// The key of a field.
    Key(Gathered),
    /// The value of a field that is a number.
    Number(Gathered),
    /// The length of a field.
    Length(Field, Gathered),
    /// So many bytes of a field.
    Content(Field, usize),
}

#[derive(Clone, Copy)]
enum Field {
    Body,
    Other,
}

/// A message of which a part was read.
#[derive(Default)]
struct Partial {
    /// How many bytes are to come.
    missing: usize,
    /// All fields but the body, as they came.
    others: Vec<u8>,
    /// Of a field that comes twice, the last one counts.
    body: Option<Body>,
}

impl MessageReader {
    /// A message may have up to `limit` bytes.
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            piece: Bytes::new(),
            place: Place::Prefix(Gathered::default()),
            message: Partial::default(),
            memory: BodyMemory::default(),
            limit,
        }
    }

    /// Takes the next piece of the stream. What came before is to have been read.
    pub(crate) fn push(&mut self, piece: Bytes) {
        debug_assert!(self.piece.is_empty());
        self.piece = piece;
    }

    /// Whether there is the beginning of a message.
    pub(crate) fn is_in_message(&self) -> bool {
        !matches!(&self.place, Place::Prefix(prefix) if prefix.is_empty())
    }

    /// Reads on, up to the beginning or the end of a message; `None` once all that came was read.
    ///
    /// # Errors
    ///
    /// Fails if a message is too large, compressed or no `FlightData`. Nothing can be read after that.
    pub(crate) fn read(&mut self) -> Result<Option<Progress>> {
        loop {
            let next = match &mut self.place {
                Place::Prefix(prefix) => {
                    if !prefix.gather(&mut self.piece, 5, |bytes| bytes.len() == 5) {
                        return Ok(None);
                    }
                    let length = message_length(prefix.bytes(), self.limit)?;
                    self.message = Partial { missing: length, ..Partial::default() };
                    self.place = Place::Key(Gathered::default());
                    return Ok(Some(Progress::Begun(length)));
                }
                Place::Key(key) if self.message.missing == 0 && key.is_empty() => {
                    self.place = Place::Prefix(Gathered::default());
                    let message = std::mem::take(&mut self.message);
                    return message.finish().map(|message| Some(Progress::Whole(message)));
                }
                Place::Key(key) => {
                    if !self.message.gather(&mut self.piece, key)? {
                        return Ok(None);
                    }
                    let (tag, wire_type) = decode_key(&mut key.bytes()).map_err(not_protobuf)?;
                    if tag != BODY {
                        self.message.others.extend_from_slice(key.bytes());
                    }
                    match wire_type {
                        WireType::LengthDelimited if tag == BODY => {
                            Place::Length(Field::Body, Gathered::default())
                        }
                        _ if tag == BODY => {
                            return Err(broken("a body of another type than bytes"));
                        }
                        WireType::LengthDelimited => {
                            Place::Length(Field::Other, Gathered::default())
                        }
                        WireType::Varint => Place::Number(Gathered::default()),
                        WireType::SixtyFourBit => self.message.content(Field::Other, 8)?,
                        WireType::ThirtyTwoBit => self.message.content(Field::Other, 4)?,
                        WireType::StartGroup | WireType::EndGroup => {
                            return Err(broken("a protobuf field of an unknown kind"));
                        }
                    }
                }
                Place::Number(number) => {
                    if !self.message.gather(&mut self.piece, number)? {
                        return Ok(None);
                    }
                    self.message.others.extend_from_slice(number.bytes());
                    Place::Key(Gathered::default())
                }
                Place::Length(field, length) => {
                    if !self.message.gather(&mut self.piece, length)? {
                        return Ok(None);
                    }
                    let count = decode_varint(&mut length.bytes()).map_err(not_protobuf)?;
                    let count = usize::try_from(count).map_err(|_| cut())?;
                    let content = self.message.content(*field, count)?;
                    match field {
                        Field::Body => self.message.body = Some(self.memory.take(count)),
                        Field::Other => self.message.others.extend_from_slice(length.bytes()),
                    }
                    content
                }
                Place::Content(_, 0) => Place::Key(Gathered::default()),
                Place::Content(field, missing) => {
                    if self.piece.is_empty() {
                        return Ok(None);
                    }
                    let count = self.piece.len().min(*missing);
                    match (*field, &mut self.message.body) {
                        (Field::Body, Some(body)) => body.extend_from_slice(&self.piece[..count]),
                        _ => self.message.others.extend_from_slice(&self.piece[..count]),
                    }
                    self.piece.advance(count);
                    self.message.missing -= count;
                    *missing -= count;
                    continue;
                }
            };
            self.place = next;
        }
    }
}

impl Partial {
    /// Gathers a number; `false` if its end has not come.
    fn gather(&mut self, piece: &mut Bytes, number: &mut Gathered) -> Result<bool> {
        let before = number.bytes().len();
        // What is behind the message is not a part of it.
        let own = before + self.missing;
        let is_whole =
            number.gather(piece, own, |bytes| bytes.last().is_some_and(|byte| *byte < 0x80));
        self.missing -= number.bytes().len() - before;
        if !is_whole && number.is_full() {
            return Err(broken("a number of more than 64 bits"));
        }
        if !is_whole && self.missing == 0 {
            return Err(cut());
        }
        Ok(is_whole)
    }

    /// The place before so many bytes of a field.
    fn content(&self, field: Field, count: usize) -> Result<Place> {
        if count > self.missing { Err(cut()) } else { Ok(Place::Content(field, count)) }
    }

    fn finish(self) -> Result<FlightData> {
        let (mut header, mut app_metadata) = (Bytes::new(), Bytes::new());
        let mut others = Bytes::from(self.others);
        let context = || DecodeContext::default();
        while others.has_remaining() {
            let (tag, wire_type) = decode_key(&mut others).map_err(not_protobuf)?;
            let merged = match tag {
                HEADER => {
                    prost::encoding::bytes::merge(wire_type, &mut header, &mut others, context())
                }
                APP_METADATA => prost::encoding::bytes::merge(
                    wire_type,
                    &mut app_metadata,
                    &mut others,
                    context(),
                ),
                _ => skip_field(wire_type, tag, &mut others, context()),
            };
            merged.map_err(not_protobuf)?;
        }
        let body = self.body.map(Buffer::from).unwrap_or_default();
        Ok(FlightData { header, app_metadata, body })
    }
}

/// What the prefix of a message says.
fn message_length(prefix: &[u8], limit: usize) -> Result<usize> {
    let &[flag, a, b, c, d] = prefix else { return Err(cut()) };
    match flag {
        0 => {}
        1 => return Err(broken("a compressed message, which was not asked for")),
        _ => return Err(broken("a gRPC message with an unknown flag")),
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

fn broken(what: &str) -> Error {
    Error::new(ErrorKind::Decode, format!("the server's answer cannot be read: it has {what}"))
}

fn cut() -> Error {
    broken("a Flight message that ends too early")
}

fn not_protobuf(error: prost::DecodeError) -> Error {
    broken("a Flight message that is no protobuf").with_source(error)
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
                if let Progress::Whole(data) = progress {
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
