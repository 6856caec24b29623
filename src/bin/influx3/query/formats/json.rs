//! JSON: an array, or an object on each line. Nulls are there; NaN and infinities are null.

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use influxdb3_blocking::{arrow_array, arrow_schema};

use super::super::cells::{Cells, push_object};
use super::super::destination::Destination;
use super::super::output::Output;
use super::plain_text::PlainText;
use crate::failure::Failure;

pub(super) struct Json {
    text: PlainText,
    names: Vec<String>,
    is_array: bool,
    is_empty: bool,
}

impl Json {
    pub(super) fn array(schema: &SchemaRef, out: Destination) -> Self {
        Self { is_array: true, ..Self::lines(schema, out) }
    }

    pub(super) fn lines(schema: &SchemaRef, out: Destination) -> Self {
        let names = schema.fields().iter().map(|field| field.name().clone()).collect();
        Self { text: PlainText::new(out), names, is_array: false, is_empty: true }
    }
}

impl Output for Json {
    fn batch(&mut self, batch: &RecordBatch) -> Result<(), Failure> {
        let columns = Cells::of(batch);
        for row in 0..batch.num_rows() {
            let buffer = &mut self.text.buffer;
            if self.is_array {
                buffer.extend_from_slice(if self.is_empty { b"[" } else { b",\n " });
            }
            self.is_empty = false;
            push_object(self.names.iter().map(String::as_str).zip(&columns), row, buffer);
            if !self.is_array {
                buffer.push(b'\n');
            }
            self.text.spill()?;
        }
        self.text.end_batch()
    }

    fn finish(mut self: Box<Self>) -> Result<(), Failure> {
        if self.is_array {
            let end: &[u8] = if self.is_empty { b"[]\n" } else { b"]\n" };
            self.text.buffer.extend_from_slice(end);
        }
        self.text.finish()
    }
}
