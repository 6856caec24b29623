//! The call `DoGet` of Arrow Flight: a ticket for a stream of messages.

use bytes::{BufMut, Bytes, BytesMut};
use prost::Message;

use super::call::{AnswerBody, CallError, Method, Piece, without_status};
use super::message::{FlightData, MessageReader, Progress};
use super::runtime::Outbox;
use super::status::Trailers;
use crate::Error;

/// What comes back, in this order: messages, and at last one of the other two.
pub(crate) enum Event {
    /// In a box, as the channel has room for some dozens of events from its beginning on.
    Message(Box<FlightData>),
    End(Trailers),
    Failed(Error),
}

/// `DoGet`, with the messages going to an outbox.
pub(crate) struct DoGet {
    pub(crate) ticket: Bytes,
    pub(crate) max_message_size: usize,
    pub(crate) outbox: Outbox<Event>,
}

/// What a message takes beside its bytes, at most: the memory for its parts and its place in the channel. Messages
/// without any content are not free.
const BOOKKEEPING: usize = 512;

impl Method for DoGet {
    const NAME: &'static str = "arrow.flight.protocol.FlightService/DoGet";

    fn request(&self) -> Bytes {
        grpc_message(&self.ticket)
    }

    async fn read(&self, mut answer: AnswerBody<'_>) -> Result<Trailers, CallError> {
        let mut messages = MessageReader::new(self.max_message_size);
        let mut credit = None;
        loop {
            match answer.next().await? {
                Piece::Data(data) => messages.push(data),
                Piece::End(_) if messages.is_in_message() => return Err(without_status().into()),
                Piece::End(trailers) => return Ok(trailers),
            }
            while let Some(progress) = messages.read()? {
                match progress {
                    // Before the rest of the message is read.
                    Progress::Begun(length) => {
                        credit = Some(self.outbox.reserve(length + BOOKKEEPING).await);
                    }
                    Progress::Whole(message) => {
                        self.outbox.send(Event::Message(Box::new(message)), credit.take());
                        answer.has_begun();
                    }
                }
            }
        }
    }
}

/// A message of one piece, as gRPC frames it: without compression. The bytes of a ticket are such a message as they are:
/// prost takes them for `BytesValue { bytes = 1 }`, and a `Ticket { ticket: bytes = 1 }` is the same on the wire.
fn grpc_message(message: &impl Message) -> Bytes {
    let length = message.encoded_len();
    let mut bytes = BytesMut::with_capacity(PREFIX + length);
    bytes.put_u8(0);
    bytes.put_u32(u32::try_from(length).unwrap_or(u32::MAX));
    // There is room for it, and a `BytesMut` grows.
    let _ = message.encode(&mut bytes);
    bytes.freeze()
}

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
