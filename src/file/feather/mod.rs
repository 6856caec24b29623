//! Arrow IPC: files, which Feather of version 2 is another name for, and streams.

mod messages;

use std::collections::HashMap;

use arrow_array::{ArrayRef, RecordBatch};
use arrow_buffer::Buffer;
use arrow_ipc::convert::fb_to_schema;
use arrow_ipc::reader::{read_dictionary, read_record_batch};
use arrow_ipc::{Message, MessageHeader};
use arrow_schema::SchemaRef;

use self::messages::{Listed, MAGIC, Messages, Stream, header};
use super::damaged::{damaged, guarded};
use super::input::{Input, Origin};
use super::record_batch_source::{PlacedBatch, PlacedBatchReader, RecordBatchSource};
use super::{LineSource, ReadOptions, pandas_index, unreadable};
use crate::line_protocol::{TagRules, escape};
use crate::record::RecordBatchEncoder;
use crate::{Error, Precision, Result};

/// A file is read as its footer lists it, so a file from a reader is held in memory; a stream is read piece by piece.
pub(super) fn open<'a>(
    origin: Origin<'a>,
    read_options: &ReadOptions,
    precision: Precision,
    rules: &TagRules,
) -> Result<Box<dyn LineSource + 'a>> {
    let first = Input::first(&origin, 8)?;
    if first.len() < 8 {
        return Err(broken("it is too short"));
    }
    if first.starts_with(b"FEA1") {
        return Err(unreadable(
            "it is Feather of version 1, which nobody writes any more: write it again as version 2, which is the default \
             of pandas and pyarrow",
        ));
    }
    if first.starts_with(MAGIC) {
        let bytes = origin.random_access()?;
        let counter = bytes.counter.clone();
        let (schema, messages) = guarded(|| Listed::open(bytes))?;
        let mut reader = FeatherReader::new(messages, schema);
        reader.has_one_dictionary = true;
        let encoder = reader.encoder(read_options, precision, rules)?;
        return Ok(Box::new(RecordBatchSource::new(reader, encoder, counter)));
    }
    let input = Input::open(&origin)?;
    // A stream is read once: from here on nothing of a reader is kept.
    origin.finish()?;
    let counter = input.counter.clone();
    let (schema, messages) = guarded(|| Stream::open(input))?;
    let mut reader = FeatherReader::new(messages, schema);
    let encoder = reader.encoder(read_options, precision, rules)?;
    Ok(Box::new(RecordBatchSource::new(reader, encoder, counter)))
}

/// Reads record batches.
struct FeatherReader<M> {
    messages: M,
    schema: SchemaRef,
    /// The columns that are written.
    columns: Vec<usize>,
    dictionaries: HashMap<i64, ArrayRef>,
    /// Whether a dictionary can be added to but not replaced, because all of them are before the batches.
    has_one_dictionary: bool,
    batches: usize,
}

impl<M: Messages> FeatherReader<M> {
    fn new(messages: M, schema: SchemaRef) -> Self {
        Self {
            messages,
            schema,
            columns: Vec::new(),
            dictionaries: HashMap::new(),
            has_one_dictionary: false,
            batches: 0,
        }
    }

    /// What turns the batches into lines; from now on they have the columns that it needs.
    fn encoder(
        &mut self,
        read_options: &ReadOptions,
        precision: Precision,
        rules: &TagRules,
    ) -> Result<RecordBatchEncoder> {
        let options = pandas_index::as_time(&read_options.layout, &self.schema);
        let mut encoder = RecordBatchEncoder::new(&self.schema, &options, rules, precision)?;
        self.columns = encoder.narrow();
        Ok(encoder)
    }

    fn batch(&self, message: &Message<'_>, body: &Buffer) -> Result<RecordBatch> {
        let batch = message.header_as_record_batch();
        let batch = batch.ok_or_else(|| broken("a batch is empty"))?;
        check(&batch, body)?;
        let (schema, version) = (self.schema.clone(), message.version());
        let columns = Some(&*self.columns);
        read_record_batch(body, batch, schema, &self.dictionaries, columns, &version)
            .map_err(damaged)
    }

    fn add_dictionary(&mut self, message: &Message<'_>, body: &Buffer) -> Result<()> {
        let batch = message.header_as_dictionary_batch();
        let batch = batch.ok_or_else(|| broken("a dictionary is empty"))?;
        let values = batch.data().ok_or_else(|| broken("a dictionary is empty"))?;
        check(&values, body)?;
        let is_known = self.dictionaries.contains_key(&batch.id());
        if self.has_one_dictionary && is_known && !batch.isDelta() {
            return Err(broken(
                "it has two dictionaries for one column, which only a stream may have",
            ));
        }
        let version = message.version();
        read_dictionary(body, batch, &self.schema, &mut self.dictionaries, &version)
            .map_err(damaged)
    }
}

impl<M: Messages> PlacedBatchReader for FeatherReader<M> {
    fn next(&mut self) -> Result<Option<PlacedBatch>> {
        let part = format!("record batch {}", self.batches + 1);
        loop {
            let next = self.messages.next().map_err(|error| error.in_context(&part))?;
            let Some((bytes, body)) = next else { return Ok(None) };
            let message = header(&bytes)?;
            match message.header_type() {
                MessageHeader::RecordBatch => {
                    let batch = self.batch(&message, &body);
                    let batch = batch.map_err(|error| error.in_context(&part))?;
                    self.batches += 1;
                    return Ok(Some(PlacedBatch { batch, part, first_row: 0, failed: None }));
                }
                MessageHeader::DictionaryBatch => {
                    self.add_dictionary(&message, &body).map_err(|error| error.in_context(&part))?
                }
                _ => return Err(broken("a message is neither a batch nor a dictionary")),
            }
        }
    }
}

fn schema_of(schema: arrow_ipc::Schema<'_>) -> Result<SchemaRef> {
    if !schema.endianness().equals_to_target_endianness() {
        return Err(unreadable("it has the byte order of another kind of machine"));
    }
    schema.fields().into_iter().flatten().try_for_each(check_type)?;
    Ok(fb_to_schema(schema).into())
}

/// Refuses integers of other widths than arrow-ipc knows, such as those of 128 bits of polars.
fn check_type(field: arrow_ipc::Field<'_>) -> Result<()> {
    let width = field.type_as_int().map_or(64, |integer| integer.bitWidth());
    if !matches!(width, 8 | 16 | 32 | 64) {
        return Err(unreadable(format!(
            "the column {} is of integers of {width} bits, which cannot be read: cast it to 64 bits or to text",
            escape::quoted(field.name().unwrap_or_default())
        )));
    }
    field.children().into_iter().flatten().try_for_each(check_type)
}

/// arrow-ipc trusts what is said here: where a buffer is, and how long it will be when it is unpacked.
fn check(batch: &arrow_ipc::RecordBatch<'_>, body: &Buffer) -> Result<()> {
    let mut unpacked = 0_u64;
    if batch.length() < 0 {
        return Err(broken("a batch has a negative number of rows"));
    }
    for buffer in batch.buffers().into_iter().flatten() {
        let start = usize::try_from(buffer.offset()).ok();
        let length = usize::try_from(buffer.length()).ok();
        let bytes = start
            .zip(length)
            .and_then(|(start, length)| body.as_slice().get(start..start.checked_add(length)?));
        let bytes = bytes.ok_or_else(|| broken("a batch is shorter than its header says"))?;
        if batch.compression().is_some()
            && let Some(length) = bytes.first_chunk()
        {
            // -1 is a buffer that is not packed.
            unpacked = unpacked.saturating_add(i64::from_le_bytes(*length).max(0).cast_unsigned());
        }
    }
    if unpacked > MOST_UNPACKED {
        return Err(broken(&format!("a batch would have {unpacked} bytes")));
    }
    Ok(())
}

fn broken(what: &str) -> Error {
    unreadable(format!("it is damaged, or not what its extension says: {what}"))
}

/// One record batch, unpacked.
const MOST_UNPACKED: u64 = 4 << 30;
