use arrow_buffer::Buffer;
use bytes::{Buf, Bytes};
use prost::encoding::{DecodeContext, decode_key, skip_field};

use super::gathered_bytes::GatheredBytes;
use super::message_body::MessageBody;
use crate::query::unreadable::unreadable;
use crate::{Error, Result};

/// A message of a Flight stream: `arrow.flight.protocol.FlightData`, without the descriptor that only uploads have.
#[derive(Debug)]
pub(crate) struct FlightData {
    /// The Arrow IPC message: a flatbuffer. Empty if the message has only metadata.
    pub(crate) header: Bytes,
    pub(crate) app_metadata: Bytes,
    /// The buffers of a batch, in memory that is aligned for every type.
    pub(crate) body: Buffer,
}

impl FlightData {
    /// How many bytes its parts have.
    pub(crate) fn size(&self) -> usize {
        self.header.len() + self.app_metadata.len() + self.body.len()
    }
}

/// The numbers of the fields of `FlightData` in protobuf.
const HEADER: u32 = 2;
const APP_METADATA: u32 = 3;
pub(super) const BODY: u32 = 1000;

/// A message of which the beginning was read.
#[derive(Default)]
pub(super) struct PartialMessage {
    /// How many bytes of it are still to be read.
    pub(super) missing: usize,
    /// All fields but the body, as they were received.
    pub(super) others: Vec<u8>,
    /// The body, filled up to what was read of it. If the field is repeated, the last one counts.
    pub(super) body: Option<MessageBody>,
}

impl PartialMessage {
    /// Moves the bytes of a varint from `piece` to `number`; `false` if its last byte is not there yet.
    ///
    /// # Errors
    ///
    /// It is longer than 64 bits, or than the message.
    pub(super) fn gather_varint(
        &mut self,
        piece: &mut Bytes,
        number: &mut GatheredBytes,
    ) -> Result<bool> {
        let before = number.bytes().len();
        // The next message may be in the piece as well.
        let most = before + self.missing;
        let is_whole =
            number.gather(piece, most, |bytes| bytes.last().is_some_and(|byte| *byte < 0x80));
        self.missing -= number.bytes().len() - before;
        if !is_whole && number.is_full() {
            return Err(bad_message("a number of more than 64 bits"));
        }
        if !is_whole && self.missing == 0 {
            return Err(cut_message());
        }
        Ok(is_whole)
    }

    /// # Errors
    ///
    /// The message has less than `count` bytes left.
    pub(super) fn check_left(&self, count: usize) -> Result<()> {
        if count > self.missing { Err(cut_message()) } else { Ok(()) }
    }

    /// Decodes the message, of which nothing is missing.
    ///
    /// # Errors
    ///
    /// Its fields are no protobuf, or of other types than those of `FlightData`.
    pub(super) fn finish(self) -> Result<FlightData> {
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

/// The error of a message that breaks a rule of gRPC, protobuf or Flight; `what` says what the answer has.
pub(super) fn bad_message(what: &str) -> Error {
    unreadable(&format!("it has {what}"))
}

/// The error of a message that is shorter than it says.
pub(super) fn cut_message() -> Error {
    bad_message("a Flight message that ends too early")
}

pub(super) fn not_protobuf(error: prost::DecodeError) -> Error {
    bad_message("a Flight message that is no protobuf").with_source(error)
}
