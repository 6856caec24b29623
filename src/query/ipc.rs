//! From Flight messages to record batches.
//!
//! arrow-ipc trusts its input: a body that is shorter than its header says makes it panic, and so do
//! other contradictions. What can be checked before is checked; around the rest stands a barrier, which
//! turns a panic into an error. (Under `panic = "abort"` there is no such barrier.)

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_array::types::{
    Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type,
    validate_decimal_precision_and_scale,
};
use arrow_ipc::convert::fb_to_schema;
use arrow_ipc::reader::read_record_batch;
use arrow_ipc::{MessageHeader, root_as_message};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef};

use super::dictionaries::Dictionaries;
use super::message::FlightData;
use crate::{Error, ErrorKind, Result};

/// Decodes the messages of one stream, in their order.
pub(crate) struct Decoder {
    schema: Option<SchemaRef>,
    dictionaries: Dictionaries,
    /// What the body of a message may take, decompressed.
    limit: usize,
    failed: bool,
}

/// What a message was.
#[derive(Debug)]
pub(crate) enum Decoded {
    Schema(SchemaRef),
    Batch(RecordBatch),
    /// A batch without rows: the server's sign of life.
    Empty,
    /// A dictionary, or metadata alone.
    Other,
}

impl Decoder {
    pub(crate) fn new(limit: usize) -> Self {
        Self { schema: None, dictionaries: Dictionaries::default(), limit, failed: false }
    }

    /// Decodes the next message. After an error, nothing more is decoded.
    pub(crate) fn decode(&mut self, message: FlightData) -> Result<Decoded> {
        if self.failed {
            return Err(broken("the answer was broken before"));
        }
        // Should the barrier hold back a panic, nothing of `self` is used again.
        let decoded = match catch_unwind(AssertUnwindSafe(|| self.decode_unguarded(message))) {
            Ok(decoded) => decoded,
            Err(panic) => {
                // arrow panics with a text. Dropping anything else could panic again.
                if !panic.is::<String>() && !panic.is::<&'static str>() {
                    std::mem::forget(panic);
                }
                Err(broken("a message contradicts itself"))
            }
        };
        self.failed = decoded.is_err();
        decoded
    }

    fn decode_unguarded(&mut self, data: FlightData) -> Result<Decoded> {
        if data.header.is_empty() {
            return Ok(Decoded::Other);
        }
        let message = root_as_message(&data.header)
            .map_err(|error| broken(&format!("a header is no Arrow message: {error}")))?;
        match message.header_type() {
            MessageHeader::Schema => {
                let schema =
                    message.header_as_schema().ok_or_else(|| broken("a schema is empty"))?;
                if self.schema.is_some() {
                    return Err(broken("it has a second schema"));
                }
                let schema = Arc::new(fb_to_schema(schema));
                check_types(&schema)?;
                self.schema = Some(Arc::clone(&schema));
                Ok(Decoded::Schema(schema))
            }
            MessageHeader::RecordBatch => {
                let batch =
                    message.header_as_record_batch().ok_or_else(|| broken("a batch is empty"))?;
                let schema =
                    self.schema.clone().ok_or_else(|| broken("it begins without a schema"))?;
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
                    .ok_or_else(|| broken("a dictionary is empty"))?;
                let schema =
                    self.schema.clone().ok_or_else(|| broken("it begins without a schema"))?;
                let values = batch.data().ok_or_else(|| broken("a dictionary has no values"))?;
                check_body(&values, data.body.len())?;
                check_compression(&values, &data.body, self.limit)?;
                let version = message.version();
                self.dictionaries
                    .read(&data.body, batch, values, &schema, &version)
                    .map_err(undecodable)?;
                Ok(Decoded::Other)
            }
            MessageHeader::NONE => Ok(Decoded::Other),
            _ => Err(broken("a message is neither a schema nor a batch nor a dictionary")),
        }
    }
}

/// Every buffer must lie in the body: arrow-ipc panics otherwise.
fn check_body(batch: &arrow_ipc::RecordBatch<'_>, body: usize) -> Result<()> {
    let outside = || broken("a batch is shorter than its header says");
    // Columns of nulls take no bytes, so a batch could claim any number of rows. Arrow's format wants arrays to have
    // no more than this.
    if !(0..=i64::from(i32::MAX)).contains(&batch.length()) {
        return Err(broken("a batch claims an impossible number of rows"));
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

/// Each compressed buffer begins with the length that it will have, and so much memory is asked for.
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

/// What arrow takes for granted later: it panics when it prints a decimal whose type cannot be.
pub(super) fn check_types(schema: &Schema) -> Result<()> {
    let is_impossible = |data_type: &DataType| {
        match *data_type {
            DataType::Decimal32(precision, scale) => {
                validate_decimal_precision_and_scale::<Decimal32Type>(precision, scale)
            }
            DataType::Decimal64(precision, scale) => {
                validate_decimal_precision_and_scale::<Decimal64Type>(precision, scale)
            }
            DataType::Decimal128(precision, scale) => {
                validate_decimal_precision_and_scale::<Decimal128Type>(precision, scale)
            }
            DataType::Decimal256(precision, scale) => {
                validate_decimal_precision_and_scale::<Decimal256Type>(precision, scale)
            }
            _ => Ok(()),
        }
        .is_err()
    };
    match schema.fields().iter().find(|field| has(field.data_type(), &is_impossible)) {
        None => Ok(()),
        Some(field) => Err(broken(&format!(
            "the column {:?} has the type {}, which cannot be",
            field.name(),
            field.data_type()
        ))),
    }
}

/// Whether the type, or one that it is made of, is such. Nesting is bounded by the flatbuffer's verifier.
fn has(data_type: &DataType, is: &impl Fn(&DataType) -> bool) -> bool {
    let field_has = |field: &Field| has(field.data_type(), is);
    is(data_type)
        || match data_type {
            DataType::Dictionary(_, values) => has(values, is),
            DataType::List(field)
            | DataType::LargeList(field)
            | DataType::ListView(field)
            | DataType::LargeListView(field)
            | DataType::FixedSizeList(field, _)
            | DataType::Map(field, _)
            | DataType::RunEndEncoded(_, field) => field_has(field),
            DataType::Struct(fields) => fields.iter().any(|field| field_has(field)),
            DataType::Union(fields, _) => fields.iter().any(|(_, field)| field_has(field)),
            _ => false,
        }
}

pub(super) fn broken(what: &str) -> Error {
    Error::new(ErrorKind::Decode, format!("the server's answer cannot be read: {what}"))
}

fn undecodable(error: ArrowError) -> Error {
    broken(&format!("a batch cannot be decoded: {error}")).with_source(error)
}
