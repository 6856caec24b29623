//! The messages of Arrow IPC, in a stream and as the footer of a file lists them.

use std::io::{self, Read};

use arrow_buffer::{Buffer, MutableBuffer};
use arrow_ipc::{Block, Message, root_as_footer, root_as_message};
use arrow_schema::SchemaRef;

use super::{broken, schema_of};
use crate::Result;
use crate::file::damaged::damaged;
use crate::file::input::Input;
use crate::file::random_access::RandomAccess;

/// A message: its header, which [`header`] reads, and its body.
pub(super) type RawMessage = (Buffer, Buffer);

/// What gives one message after the other; `None` is the end.
pub(super) trait Messages {
    fn next(&mut self) -> Result<Option<RawMessage>>;
}

/// The messages of a stream, in their order.
pub(super) struct Stream<'a>(io::BufReader<Input<'a>>);

impl<'a> Stream<'a> {
    /// The schema that the stream begins with, and what follows.
    pub(super) fn open(input: Input<'a>) -> Result<(SchemaRef, Self)> {
        let mut stream = Self(io::BufReader::new(input));
        let Some((bytes, _)) = stream.next()? else { return Err(broken("it has no schema")) };
        let schema = header(&bytes)?.header_as_schema();
        Ok((schema_of(schema.ok_or_else(|| broken("it begins without a schema"))?)?, stream))
    }

    /// The next number; none at the end.
    fn number(&mut self) -> Result<Option<u32>> {
        let mut bytes = Vec::new();
        self.0.by_ref().take(4).read_to_end(&mut bytes).map_err(damaged)?;
        match bytes.first_chunk() {
            Some(number) => Ok(Some(u32::from_le_bytes(*number))),
            None if bytes.is_empty() => Ok(None),
            None => Err(cut_off()),
        }
    }

    /// The next bytes. No more than a step is allocated for bytes that are not there.
    fn take(&mut self, count: u64) -> Result<Buffer> {
        let mut left = usize::try_from(count).map_err(|_| broken("a message is too long"))?;
        let mut bytes = MutableBuffer::new(left.min(STEP));
        while left > 0 {
            let start = bytes.len();
            bytes.resize(start + left.min(STEP), 0);
            let step = bytes.as_slice_mut().get_mut(start..).unwrap_or_default();
            self.0.read_exact(step).map_err(|error| match error.kind() {
                io::ErrorKind::UnexpectedEof => cut_off().with_source(error),
                _ => damaged(error),
            })?;
            left -= left.min(STEP);
        }
        Ok(bytes.into())
    }
}

impl Messages for Stream<'_> {
    fn next(&mut self) -> Result<Option<RawMessage>> {
        // A stream ends with a length of 0, or where its bytes end.
        let mut length = self.number()?;
        if length == Some(CONTINUATION) {
            length = Some(self.number()?.ok_or_else(cut_off)?);
        }
        let Some(length @ 1..) = length else { return Ok(None) };
        let bytes = self.take(length.into())?;
        let body = header(&bytes)?.bodyLength();
        let body = u64::try_from(body).map_err(|_| broken("a body has a negative length"))?;
        let body = self.take(body)?;
        Ok(Some((bytes, body)))
    }
}

/// The messages of a file: all dictionaries, wherever they stand, and then the batches.
pub(super) struct Listed {
    places: RandomAccess,
    /// Where each of them is, the next one being the last.
    blocks: Vec<Block>,
}

impl Listed {
    /// The schema at the end of the file, and the messages that it lists.
    pub(super) fn open(places: RandomAccess) -> Result<(SchemaRef, Self)> {
        let end = TRAILER as u64;
        let trailer_at = places.len().checked_sub(end).ok_or_else(cut_off)?;
        let trailer = places.bytes_at(trailer_at, end).map_err(damaged)?;
        let (Some(length), true) = (trailer.first_chunk(), trailer.ends_with(MAGIC)) else {
            return Err(broken("its end is missing"));
        };
        let length = u64::try_from(i32::from_le_bytes(*length)).ok();
        let footer_at = length.and_then(|length| trailer_at.checked_sub(length));
        let (Some(length), Some(footer_at)) = (length, footer_at) else {
            return Err(broken("its footer has a wrong length"));
        };
        let footer = read(&places, footer_at, length)?;
        let footer = root_as_footer(&footer)
            .map_err(|error| broken(&format!("its footer is none: {error}")))?;
        let schema = footer.schema().ok_or_else(|| broken("it has no schema"))?;
        let dictionaries = footer.dictionaries().into_iter().flatten();
        let batches = footer.recordBatches().into_iter().flatten();
        let mut blocks: Vec<Block> = dictionaries.chain(batches).copied().collect();
        blocks.reverse();
        Ok((schema_of(schema)?, Self { places, blocks }))
    }
}

impl Messages for Listed {
    fn next(&mut self) -> Result<Option<RawMessage>> {
        let Some(block) = self.blocks.pop() else { return Ok(None) };
        let number = |number: i64| u64::try_from(number).map_err(|_| broken("a place is negative"));
        let (place, length) = (number(block.offset())?, number(block.metaDataLength().into())?);
        let bytes = read(&self.places, place, length)?;
        // Before the header stand a continuation mark, which files before Arrow 0.15 lack, and the length.
        let start = if bytes.starts_with(&CONTINUATION.to_le_bytes()) { 8 } else { 4 };
        if bytes.len() < start {
            return Err(broken("a header is too short"));
        }
        let bytes = bytes.slice(start);
        let body_at = place.checked_add(length).ok_or_else(cut_off)?;
        let body = read(&self.places, body_at, number(block.bodyLength())?)?;
        Ok(Some((bytes, body)))
    }
}

pub(super) fn header(bytes: &Buffer) -> Result<Message<'_>> {
    root_as_message(bytes)
        .map_err(|error| broken(&format!("a header is no Arrow message: {error}")))
}

/// Bytes at a place, aligned as arrays are. Nothing is allocated for bytes that are not there.
fn read(places: &RandomAccess, place: u64, length: u64) -> Result<Buffer> {
    places.check(place, length).map_err(damaged)?;
    let length = usize::try_from(length).map_err(|_| broken("a message is too long"))?;
    let mut bytes = MutableBuffer::from_len_zeroed(length);
    places.read_at(place, bytes.as_slice_mut()).map_err(damaged)?;
    Ok(bytes.into())
}

#[cold]
fn cut_off() -> crate::Error {
    broken("it is cut off")
}

/// What an Arrow IPC file begins and ends with.
pub(super) const MAGIC: &[u8; 6] = b"ARROW1";
/// The length of the footer, and the magic.
const TRAILER: usize = 4 + MAGIC.len();
const CONTINUATION: u32 = u32::MAX;
const STEP: usize = 1 << 20;
