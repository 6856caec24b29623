//! From Flight messages to record batches.
//!
//! arrow-ipc trusts its input: a body that is shorter than its header says makes it panic, and so do other contradictions.
//! What can be checked before decoding is checked; a panic of the rest is caught and becomes an error. (In programs that
//! are built with `panic = "abort"` no panic can be caught.)

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_ipc::convert::fb_to_schema;
use arrow_ipc::reader::read_record_batch;
use arrow_ipc::{MessageHeader, root_as_message};
use arrow_schema::{ArrowError, SchemaRef};

use super::dictionaries::Dictionaries;
use super::flight_data::FlightData;
use crate::contain::contain;
use crate::query::unreadable::{check_types, unreadable};
use crate::{Error, ErrorKind, Result};

/// Decodes the messages of one stream, in their order.
pub(crate) struct Decoder {
    schema: Option<SchemaRef>,
    dictionaries: Dictionaries,
    /// The most bytes of a body, decompressed.
    limit: usize,
    failed: bool,
}

/// What was in a message.
#[derive(Debug)]
pub(crate) enum Decoded {
    Schema(SchemaRef),
    Batch(RecordBatch),
    /// A batch without rows, which was not decoded: InfluxDB sends such batches to keep the stream alive while a query runs.
    Empty,
    /// A dictionary, which was kept for the batches that refer to it, or only metadata.
    Other,
}

impl Decoder {
    pub(crate) fn new(limit: usize) -> Self {
        Self { schema: None, dictionaries: Dictionaries::default(), limit, failed: false }
    }

    /// Decodes the next message. Never panics.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Decode`] for what is no valid message of Arrow IPC, or out of its order; [`ErrorKind::TooLarge`] for a
    /// body that is larger than the limit when it is decompressed. After an error every call fails.
    pub(crate) fn decode(&mut self, message: FlightData) -> Result<Decoded> {
        if self.failed {
            return Err(unreadable("the answer was broken before"));
        }
        // After a panic `failed` is set, so that what it left half changed is not used again.
        let decoded = contain(|| self.decode_unguarded(message))
            .unwrap_or_else(|_| Err(unreadable("a message contradicts itself")));
        self.failed = decoded.is_err();
        decoded
    }

    fn decode_unguarded(&mut self, data: FlightData) -> Result<Decoded> {
        if data.header.is_empty() {
            return Ok(Decoded::Other);
        }
        let message = root_as_message(&data.header)
            .map_err(|error| unreadable(&format!("a header is no Arrow message: {error}")))?;
        match message.header_type() {
            MessageHeader::Schema => {
                let schema =
                    message.header_as_schema().ok_or_else(|| unreadable("a schema is empty"))?;
                if self.schema.is_some() {
                    return Err(unreadable("it has a second schema"));
                }
                let schema = Arc::new(fb_to_schema(schema));
                check_types(&schema)?;
                self.schema = Some(Arc::clone(&schema));
                Ok(Decoded::Schema(schema))
            }
            MessageHeader::RecordBatch => {
                let batch = message
                    .header_as_record_batch()
                    .ok_or_else(|| unreadable("a batch is empty"))?;
                let schema =
                    self.schema.clone().ok_or_else(|| unreadable("it begins without a schema"))?;
                if batch.length() == 0 {
                    return Ok(Decoded::Empty);
                }
                check_body(&batch, data.body.len())?;
                check_compression(&batch, &data.body, self.limit)?;
                let version = message.version();
                let batch = read_record_batch(
                    &data.body,
                    batch,
                    schema,
                    self.dictionaries.values(),
                    None,
                    &version,
                )
                .map_err(undecodable)?;
                Ok(Decoded::Batch(batch))
            }
            MessageHeader::DictionaryBatch => {
                let batch = message
                    .header_as_dictionary_batch()
                    .ok_or_else(|| unreadable("a dictionary is empty"))?;
                let schema =
                    self.schema.clone().ok_or_else(|| unreadable("it begins without a schema"))?;
                let values =
                    batch.data().ok_or_else(|| unreadable("a dictionary has no values"))?;
                check_body(&values, data.body.len())?;
                check_compression(&values, &data.body, self.limit)?;
                let version = message.version();
                self.dictionaries
                    .read(&data.body, batch, values, &schema, &version)
                    .map_err(undecodable)?;
                Ok(Decoded::Other)
            }
            MessageHeader::NONE => Ok(Decoded::Other),
            _ => Err(unreadable("a message is neither a schema nor a batch nor a dictionary")),
        }
    }
}

/// Checks that every buffer lies within a body of this length: arrow-ipc panics otherwise.
fn check_body(batch: &arrow_ipc::RecordBatch<'_>, body: usize) -> Result<()> {
    let outside = || unreadable("a batch is shorter than its header says");
    // Columns of the type null take no bytes, so that a batch could claim any number of rows. The format of Arrow
    // recommends this limit for the length of arrays, as not all languages have longer ones.
    if !(0..=i64::from(i32::MAX)).contains(&batch.length()) {
        return Err(unreadable("a batch claims an impossible number of rows"));
    }
    for buffer in batch.buffers().into_iter().flatten() {
        let start = usize::try_from(buffer.offset()).map_err(|_| outside())?;
        let length = usize::try_from(buffer.length()).map_err(|_| outside())?;
        if start.checked_add(length).is_none_or(|end| end > body) {
            return Err(outside());
        }
    }
    Ok(())
}

/// Checks what a body of compressed buffers takes when they are decompressed. Each of them begins with that length, as an
/// `i64` in little endian, and arrow-ipc allocates as much before it decompresses.
fn check_compression(batch: &arrow_ipc::RecordBatch<'_>, body: &[u8], limit: usize) -> Result<()> {
    if batch.compression().is_none() {
        return Ok(());
    }
    if !cfg!(feature = "ipc-compression") {
        return Err(Error::new(
            ErrorKind::Decode,
            "the server's answer cannot be read: its batches are compressed, which needs the feature `ipc-compression` of this crate",
        ));
    }
    let mut total = 0_usize;
    for buffer in batch.buffers().into_iter().flatten() {
        let start = usize::try_from(buffer.offset()).unwrap_or(usize::MAX);
        let Some((length, _)) = body.get(start..).and_then(|bytes| bytes.split_first_chunk())
        else {
            continue;
        };
        if buffer.length() > 0 {
            let length = i64::from_le_bytes(*length).max(0);
            total = total.saturating_add(usize::try_from(length).unwrap_or(usize::MAX));
        }
    }
    if total > limit {
        return Err(Error::new(
            ErrorKind::TooLarge,
            format!(
                "the server sent a batch of {total} bytes (decompressed), and the limit is {limit}: raise it with max_message_size, or select less"
            ),
        ));
    }
    Ok(())
}

fn undecodable(error: ArrowError) -> Error {
    unreadable(&format!("a batch cannot be decoded: {error}")).with_source(error)
}
