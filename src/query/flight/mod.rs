//! Arrow Flight: the call `DoGet`, its messages, and the record batches in them.

mod decoder;
mod dictionaries;
mod do_get;
mod flight_data;
mod gathered_bytes;
mod message_body;
mod message_reader;

pub(crate) use decoder::{Decoded, Decoder};
pub(crate) use do_get::{DoGet, FlightEvent};
pub(crate) use flight_data::FlightData;
#[cfg(any(test, feature = "_fuzzing"))]
pub(crate) use message_reader::{MessageProgress, MessageReader};
