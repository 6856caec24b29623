//! CSV that reads back as what it was: texts that could be taken for something else are in quotes.

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use influxdb3_blocking::{arrow_array, arrow_schema};

use super::super::cells::{Cells, Means};
use super::super::destination::Destination;
use super::super::output::Output;
use super::plain_text::PlainText;
use crate::failure::Failure;

pub(super) struct Csv {
    text: PlainText,
}

impl Csv {
    pub(super) fn new(schema: &SchemaRef, out: Destination) -> Result<Self, Failure> {
        let mut text = PlainText::new(out);
        for (place, field) in schema.fields().iter().enumerate() {
            if place > 0 {
                text.buffer.push(b',');
            }
            let start = text.buffer.len();
            text.buffer.extend_from_slice(field.name().as_bytes());
            if needs_quotes(field.name().as_bytes()) {
                quote(start, &mut text.buffer);
            }
        }
        text.buffer.push(b'\n');
        text.end_batch()?;
        Ok(Self { text })
    }
}

impl Output for Csv {
    fn batch(&mut self, batch: &RecordBatch) -> Result<(), Failure> {
        let columns = Cells::of(batch);
        for row in 0..batch.num_rows() {
            let line = self.text.buffer.len();
            for (place, cells) in columns.iter().enumerate() {
                let buffer = &mut self.text.buffer;
                if place > 0 {
                    buffer.push(b',');
                }
                let start = buffer.len();
                match cells.push(row, buffer) {
                    Means::Null | Means::Number | Means::NoNumber | Means::Boolean => {}
                    Means::Text | Means::Json => {
                        let text = buffer.get(start..).unwrap_or_default();
                        if needs_quotes(text) || is_word_for_nothing(text) {
                            quote(start, buffer);
                        }
                    }
                }
            }
            // A row of one null would be a blank line, which readers leave out.
            if columns.len() == 1 && self.text.buffer.len() == line {
                self.text.buffer.extend_from_slice(b"NULL");
            }
            self.text.buffer.push(b'\n');
            self.text.spill()?;
        }
        self.text.end_batch()
    }

    fn finish(self: Box<Self>) -> Result<(), Failure> {
        self.text.finish()
    }
}

/// Whether the cell would be cut, or trimmed.
fn needs_quotes(text: &[u8]) -> bool {
    let is_blank = |byte: Option<&u8>| byte.is_some_and(|byte| matches!(byte, b' ' | b'\t'));
    is_blank(text.first())
        || is_blank(text.last())
        || text.starts_with(b"#")
        || text.iter().any(|byte| matches!(byte, b',' | b'"' | b'\n' | b'\r'))
}

/// What readers take for no value without quotes, the empty cell first of all.
fn is_word_for_nothing(text: &[u8]) -> bool {
    const WORDS: [&[u8]; 19] = [
        b"", b"NA", b"N/A", b"n/a", b"NaN", b"nan", b"-NaN", b"-nan", b"#NA", b"#N/A", b"<NA>",
        b"NULL", b"Null", b"null", b"None", b"NaT", b"1.#IND", b"1.#QNAN", b"-1.#IND",
    ];
    text.len() <= 8 && WORDS.contains(&text) || text == b"-1.#QNAN" || text == b"#N/A N/A"
}

/// Puts quotes around what begins at a place, and doubles those in it.
fn quote(start: usize, buffer: &mut Vec<u8>) {
    let text = buffer.split_off(start);
    buffer.push(b'"');
    for byte in text {
        if byte == b'"' {
            buffer.push(b'"');
        }
        buffer.push(byte);
    }
    buffer.push(b'"');
}
