//! From HTTP/2 data frames to Flight messages: the framing of gRPC.

use std::collections::VecDeque;

use bytes::{Buf, Bytes};

use super::flight::{FlightData, Unfinished, broken};
use crate::{Error, ErrorKind, Result};

/// Cuts a stream of bytes into gRPC messages.
pub(crate) struct Framer {
    pieces: VecDeque<Bytes>,
    /// The length of all pieces.
    available: usize,
    /// The length of the message that has begun.
    begun: Option<usize>,
    /// What has come of it, once its body has begun.
    unfinished: Option<Unfinished>,
    /// How much has to be there until its beginning is looked at: twice as much each time, as it may be long.
    look_at: usize,
    limit: usize,
}

impl Framer {
    /// A flag and a length.
    const PREFIX: usize = 5;

    /// A message may have up to `limit` bytes.
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            pieces: VecDeque::new(),
            available: 0,
            begun: None,
            unfinished: None,
            look_at: 0,
            limit,
        }
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
            self.look_at = 0;
        }
        Ok(self.begun)
    }

    /// The message that has begun, once all of it is there.
    pub(crate) fn take(&mut self) -> Result<Option<FlightData>> {
        let Some(length) = self.begun else { return Ok(None) };
        if self.unfinished.is_none() {
            if length <= self.available {
                self.begun = None;
                return FlightData::read(&self.next(length)).map(Some);
            }
            if self.available < self.look_at {
                return Ok(None);
            }
            let read = Unfinished::read(self.pieces.make_contiguous(), length);
            let Some((unfinished, start)) = read else {
                self.look_at = 2 * self.available;
                return Ok(None);
            };
            drop(self.next(start));
            self.unfinished = Some(unfinished);
        }
        let Some(mut message) = self.unfinished.take() else { return Ok(None) };
        let there = message.missing().min(self.available);
        self.next(there).iter().for_each(|piece| message.copy(piece));
        if message.missing() > 0 {
            self.unfinished = Some(message);
            return Ok(None);
        }
        self.begun = None;
        Ok(Some(message.finish()))
    }

    /// The next bytes. There are so many.
    fn next(&mut self, mut count: usize) -> Vec<Bytes> {
        self.available -= count;
        let mut taken = Vec::new();
        while count > 0 {
            let Some(piece) = self.pieces.front_mut() else { break };
            if piece.len() <= count {
                count -= piece.len();
                taken.extend(self.pieces.pop_front());
            } else {
                taken.push(piece.split_to(count));
                count = 0;
            }
        }
        taken
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
    use super::super::flight::tests::{check, message};
    use super::*;

    /// The message as it is on the wire, twice.
    fn stream(message: &[u8]) -> Vec<u8> {
        let mut stream = vec![0, 0, 0, 0, message.len() as u8];
        stream.extend(message);
        stream.repeat(2)
    }

    fn read(stream: &[u8], piece: usize) -> Result<Vec<FlightData>> {
        let mut framer = Framer::new(1000);
        let mut found = Vec::new();
        for piece in stream.chunks(piece) {
            framer.push(Bytes::copy_from_slice(piece));
            while framer.begin()?.is_some() {
                let Some(data) = framer.take()? else { break };
                found.push(data);
            }
        }
        assert!(!framer.is_in_message());
        Ok(found)
    }

    #[test]
    fn a_message_is_read_in_whatever_pieces_it_comes() {
        let stream = stream(&message());
        for piece in [1, 2, 3, 7, 64, 100, 200, stream.len()] {
            let found = read(&stream, piece).unwrap();
            assert_eq!(found.len(), 2, "pieces of {piece} bytes");
            found.into_iter().for_each(check);
        }
    }

    #[test]
    fn a_message_whose_body_is_not_the_last_thing_in_it_is_read_like_any_other() {
        let mut other = message();
        other.extend([0x08, 1]);
        // A body of two bytes before the one that counts.
        let mut twice = vec![0xc2, 0x3e, 2, 1, 2];
        twice.extend(message());
        for message in [other, twice] {
            for piece in [1, 7, 100, 1000] {
                read(&stream(&message), piece).unwrap().into_iter().for_each(check);
            }
        }
    }

    #[test]
    fn a_message_that_cannot_be_read_is_an_error_once_it_is_there() {
        let mut message = message();
        message[5] = 0x02;
        for piece in [1, 100, 1000] {
            let error = read(&stream(&message), piece).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Decode);
        }
    }

    #[test]
    fn a_message_over_the_limit_is_refused_by_its_length() {
        let mut framer = Framer::new(100);
        framer.push(Bytes::from_static(&[0, 0, 0, 0, 101]));
        let error = framer.begin().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TooLarge);
        assert!(error.to_string().contains("101"), "{error}");
    }

    #[test]
    fn unknown_flags_are_refused() {
        for flag in [1, 2] {
            let mut framer = Framer::new(100);
            framer.push(Bytes::copy_from_slice(&[flag, 0, 0, 0, 1, 0]));
            assert_eq!(framer.begin().unwrap_err().kind(), ErrorKind::Decode);
        }
    }
}
