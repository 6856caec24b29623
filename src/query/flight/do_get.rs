//! The call `DoGet` of Arrow Flight: a ticket for a stream of messages.

use bytes::{BufMut, Bytes, BytesMut};
use prost::Message;

use super::flight_data::FlightData;
use super::message_reader::{MessageProgress, MessageReader};
use crate::Error;
use crate::query::call::{
    AnswerBody, AnswerPiece, CallError, GrpcMethod, Trailers, without_status,
};
use crate::query::runtime::EventSender;

/// What the task of a query over Flight sends: messages, in their order, and at last one of the other two.
pub(crate) enum FlightEvent {
    Message(FlightData),
    End(Trailers),
    Failed(Error),
}

/// `DoGet`: its messages are sent as [`FlightEvent`]s.
pub(crate) struct DoGet {
    pub(crate) ticket: Bytes,
    pub(crate) max_message_size: usize,
    pub(crate) events: EventSender<FlightEvent>,
}

/// Bytes of memory that a message takes beside its own, at most: for its parts and its place in the channel. They are
/// counted so that many messages without content are bounded, too.
const BOOKKEEPING: usize = 512;

impl GrpcMethod for DoGet {
    const NAME: &'static str = "arrow.flight.protocol.FlightService/DoGet";

    fn request(&self) -> Bytes {
        grpc_message(&self.ticket)
    }

    async fn read(&self, mut answer: AnswerBody<'_>) -> Result<Trailers, CallError> {
        let mut messages = MessageReader::new(self.max_message_size);
        let mut credit = None;
        loop {
            match answer.next().await? {
                AnswerPiece::Data(data) => messages.push(data),
                AnswerPiece::End(_) if messages.is_in_message() => {
                    return Err(without_status().into());
                }
                AnswerPiece::End(trailers) => return Ok(trailers),
            }
            while let Some(progress) = messages.read()? {
                match progress {
                    // Waits here while the caller has enough to read: then nothing more is read from the stream.
                    MessageProgress::Begun(length) => {
                        credit = Some(self.events.reserve(length + BOOKKEEPING).await);
                    }
                    MessageProgress::Whole(message) => {
                        self.events.send(FlightEvent::Message(message), credit.take());
                        answer.has_begun();
                    }
                }
            }
        }
    }
}

/// A message as gRPC frames it, not compressed: a flag, the length and the content.
///
/// A ticket is passed as plain bytes: prost encodes `Bytes` as a message whose field 1 they are, and
/// `arrow.flight.protocol.Ticket` is such a message.
fn grpc_message(message: &impl Message) -> Bytes {
    let length = message.encoded_len();
    let mut bytes = BytesMut::with_capacity(PREFIX + length);
    bytes.put_u8(0);
    bytes.put_u32(u32::try_from(length).unwrap_or(u32::MAX));
    // It fails only for a buffer that is too small, and a `BytesMut` grows.
    let _ = message.encode(&mut bytes);
    bytes.freeze()
}

/// A flag, and a length of 4 bytes.
const PREFIX: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tickets_are_one_field() {
        let ticket = |bytes: &'static [u8]| grpc_message(&Bytes::from_static(bytes));
        assert_eq!(&ticket(b"{}")[..], b"\0\0\0\0\x04\x0a\x02{}");
        let long = ticket(&[b'x'; 300]);
        assert_eq!(&long[..8], &[0, 0, 0, 1, 47, 0x0a, 0xac, 0x02]);
        assert_eq!(long.len(), 308);
    }
}
