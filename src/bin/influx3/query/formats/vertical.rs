//! A line for each value: for rows that are wide.

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use influxdb3_blocking::{arrow_array, arrow_schema};

use super::super::cells::Cells;
use super::super::destination::Destination;
use super::super::output::Output;
use super::plain_text::PlainText;
use crate::failure::Failure;
use crate::terminal::{aligned, escaped};

pub(super) struct Vertical {
    text: PlainText,
    /// Padded to one width.
    names: Vec<String>,
    rows: u64,
}

impl Vertical {
    pub(super) fn new(schema: &SchemaRef, out: Destination) -> Self {
        let names: Vec<_> = schema.fields().iter().map(|field| escaped(field.name())).collect();
        Self { text: PlainText::new(out), names: aligned(names), rows: 0 }
    }
}

impl Output for Vertical {
    fn batch(&mut self, batch: &RecordBatch) -> Result<(), Failure> {
        let columns = Cells::of(batch);
        let mut value = Vec::new();
        for row in 0..batch.num_rows() {
            self.rows += 1;
            let head = format!("-[ row {} ]", self.rows);
            self.text.buffer.extend_from_slice(format!("{head:-<40}\n").as_bytes());
            for (name, cells) in self.names.iter().zip(&columns) {
                value.clear();
                cells.push(row, &mut value);
                let line = format!("{name} | {}", escaped(&String::from_utf8_lossy(&value)));
                self.text.buffer.extend_from_slice(line.trim_end().as_bytes());
                self.text.buffer.push(b'\n');
            }
            self.text.spill()?;
        }
        self.text.end_batch()
    }

    fn finish(self: Box<Self>) -> Result<(), Failure> {
        self.text.finish()
    }
}
