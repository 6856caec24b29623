//! Feather files (version 2, which are Arrow IPC files), and Arrow IPC streams.
//!
//! Both are messages one after the other. A file has a table of them at its end as well, which is not needed to read
//! them in their order.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Seek as _, SeekFrom};
use std::path::Path;

use arrow_array::ArrayRef;
use arrow_buffer::{Buffer, MutableBuffer};
use arrow_ipc::convert::fb_to_schema;
use arrow_ipc::reader::{read_dictionary, read_record_batch};
use arrow_ipc::{Message, MessageHeader, root_as_message};
use arrow_schema::SchemaRef;

use super::batches::{BatchReader, Batches, Placed, damaged, guarded};
use super::input::Input;
use super::{Reading, Source, unreadable};
use crate::line_protocol::TagRules;
use crate::record::BatchEncoder;
use crate::{Error, Precision, Result};

pub(super) fn open(
    path: &Path,
    reading: &Reading,
    precision: Precision,
    rules: &TagRules,
) -> Result<Box<dyn Source>> {
    let is_file = check_ends(path)?;
    let input = Input::open(path)?;
    let counter = input.counter.clone();
    let mut messages = Messages { left: input.len, input: io::BufReader::new(input), is_file };
    if is_file {
        messages.take(MAGIC_BEFORE as u64)?;
    }
    let (schema, mut reader) = guarded(|| {
        let schema = match messages.next()? {
            Some((header, _)) => schema(&message(&header)?)?,
            None => return Err(broken("it has no schema")),
        };
        let reader = Reader {
            messages,
            schema: schema.clone(),
            columns: Vec::new(),
            dictionaries: HashMap::new(),
            batches: 0,
        };
        Ok((schema, reader))
    })?;
    let mut encoder = BatchEncoder::new(&schema, &reading.layout, rules, precision)?;
    reader.columns = encoder.narrow();
    Ok(Box::new(Batches::new(reader, encoder, counter)))
}

/// Whether it is a file with a table at its end, of which the end is there.
fn check_ends(path: &Path) -> Result<bool> {
    let ends = || -> io::Result<_> {
        let mut file = File::open(path)?;
        let (mut first, mut last) = ([0; MAGIC.len()], [0; MAGIC.len()]);
        let len = file.metadata()?.len();
        if len < 8 {
            return Ok((len, first, last));
        }
        file.read_exact(&mut first)?;
        file.seek(SeekFrom::End(-(MAGIC.len() as i64)))?;
        file.read_exact(&mut last)?;
        Ok((len, first, last))
    };
    let (len, first, last) = ends()
        .map_err(|error| unreadable(format!("it cannot be opened: {error}")).with_source(error))?;
    if len < 8 {
        return Err(broken("it is too short"));
    }
    if first.starts_with(b"FEA1") {
        return Err(unreadable(
            "it is Feather of version 1, which nobody writes any more: write it again as version 2, which is the default \
             of pandas and pyarrow",
        ));
    }
    if first == *MAGIC && last != *MAGIC {
        return Err(broken("its end is missing"));
    }
    Ok(first == *MAGIC)
}

/// Reads record batches.
struct Reader {
    messages: Messages,
    schema: SchemaRef,
    /// The columns that are written.
    columns: Vec<usize>,
    dictionaries: HashMap<i64, ArrayRef>,
    batches: usize,
}

impl BatchReader for Reader {
    fn next(&mut self) -> Result<Option<Placed>> {
        loop {
            let part = format!("record batch {}", self.batches + 1);
            let next = self.messages.next().map_err(|error| error.in_context(&part))?;
            let Some((header, body)) = next else { return Ok(None) };
            let message = message(&header)?;
            let version = message.version();
            match message.header_type() {
                MessageHeader::RecordBatch => {
                    let batch = message.header_as_record_batch();
                    let batch = batch.ok_or_else(|| broken("a batch is empty"))?;
                    check(&batch, &body)?;
                    let schema = self.schema.clone();
                    let batch = read_record_batch(
                        &body,
                        batch,
                        schema,
                        &self.dictionaries,
                        Some(&self.columns),
                        &version,
                    )
                    .map_err(|error| damaged(error).in_context(&part))?;
                    self.batches += 1;
                    return Ok(Some(Placed { batch, part, first_row: 0 }));
                }
                MessageHeader::DictionaryBatch => {
                    let batch = message.header_as_dictionary_batch();
                    let batch = batch.ok_or_else(|| broken("a dictionary is empty"))?;
                    let values = batch.data().ok_or_else(|| broken("a dictionary is empty"))?;
                    check(&values, &body)?;
                    read_dictionary(&body, batch, &self.schema, &mut self.dictionaries, &version)
                        .map_err(|error| damaged(error).in_context(&part))?;
                }
                _ => return Err(broken("a message is neither a batch nor a dictionary")),
            }
        }
    }
}

/// The messages of a file: header and body.
struct Messages {
    input: io::BufReader<Input>,
    /// Bytes of the file that were not read.
    left: u64,
    is_file: bool,
}

impl Messages {
    fn next(&mut self) -> Result<Option<(Buffer, Buffer)>> {
        if self.left == 0 && !self.is_file {
            // A stream may end without a word.
            return Ok(None);
        }
        let mut length = self.number()?;
        if length == CONTINUATION {
            length = self.number()?;
        }
        if length == 0 {
            return Ok(None);
        }
        let header = self.take(length.into())?;
        let body = message(&header)?.bodyLength();
        let body = u64::try_from(body).map_err(|_| broken("a body has a negative length"))?;
        let body = self.take(body)?;
        Ok(Some((header, body)))
    }

    fn number(&mut self) -> Result<u32> {
        let bytes = self.take(4)?;
        let number = bytes.as_slice().first_chunk().ok_or_else(|| broken("it is cut off"))?;
        Ok(u32::from_le_bytes(*number))
    }

    /// Nothing is allocated for bytes that are not there.
    fn take(&mut self, count: u64) -> Result<Buffer> {
        self.left = self.left.checked_sub(count).ok_or_else(|| broken("it is cut off"))?;
        let count = usize::try_from(count).map_err(|_| broken("a message is too long"))?;
        let mut bytes = MutableBuffer::from_len_zeroed(count);
        self.input.read_exact(bytes.as_slice_mut()).map_err(damaged)?;
        Ok(bytes.into())
    }
}

fn message(header: &Buffer) -> Result<Message<'_>> {
    root_as_message(header)
        .map_err(|error| broken(&format!("a header is no Arrow message: {error}")))
}

fn schema(message: &Message<'_>) -> Result<SchemaRef> {
    let schema = message.header_as_schema().ok_or_else(|| broken("it begins without a schema"))?;
    if !schema.endianness().equals_to_target_endianness() {
        return Err(unreadable("it has the byte order of another kind of machine"));
    }
    Ok(fb_to_schema(schema).into())
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

const MAGIC: &[u8; 6] = b"ARROW1";
/// The magic and its padding.
const MAGIC_BEFORE: usize = 8;
const CONTINUATION: u32 = u32::MAX;
/// One record batch, unpacked.
const MOST_UNPACKED: u64 = 4 << 30;
