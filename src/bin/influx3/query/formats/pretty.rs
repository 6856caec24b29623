//! A table. With a limit of rows, the first and the last ones are held, and nothing between them.

use std::collections::VecDeque;
use std::io::Write as _;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use influxdb3_blocking::{Table, arrow_array, arrow_schema};

use super::super::destination::Destination;
use super::super::output::{Output, Shown};
use crate::amounts;
use crate::failure::Failure;

pub(super) struct Pretty {
    schema: SchemaRef,
    out: Destination,
    width: Option<usize>,
    /// The most rows of the beginning, and of the end.
    most: Option<(usize, usize)>,
    head: Vec<RecordBatch>,
    tail: VecDeque<RecordBatch>,
    head_rows: usize,
    tail_rows: usize,
    rows: usize,
}

impl Pretty {
    pub(super) fn new(schema: &SchemaRef, shown: &Shown, out: Destination) -> Self {
        let most = shown.max_rows.map(|rows| usize::try_from(rows).unwrap_or(usize::MAX));
        Self {
            schema: schema.clone(),
            out,
            width: shown.width,
            most: most.map(|rows| (rows.div_ceil(2), rows / 2)),
            head: Vec::new(),
            tail: VecDeque::new(),
            head_rows: 0,
            tail_rows: 0,
            rows: 0,
        }
    }
}

impl Output for Pretty {
    fn batch(&mut self, batch: &RecordBatch) -> Result<(), Failure> {
        self.rows += batch.num_rows();
        let Some((head, tail)) = self.most else {
            self.head.push(batch.clone());
            return Ok(());
        };
        let first = (head - self.head_rows).min(batch.num_rows());
        if first > 0 {
            self.head.push(batch.slice(0, first));
            self.head_rows += first;
        }
        let rest = batch.slice(first, batch.num_rows() - first);
        self.tail_rows += rest.num_rows();
        self.tail.push_back(rest);
        // Only the last ones are kept, and of the oldest batch only its end.
        while let Some(oldest) = self.tail.pop_front() {
            let beyond = self.tail_rows.saturating_sub(tail);
            let cut = beyond.min(oldest.num_rows());
            self.tail_rows -= cut;
            if cut < oldest.num_rows() {
                self.tail.push_front(oldest.slice(cut, oldest.num_rows() - cut));
                break;
            }
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<(), Failure> {
        let batches = self.head.drain(..).chain(self.tail.drain(..));
        let table = Table::from_batches(self.schema.clone(), batches)?;
        let mut display = table.display().total_rows(self.rows);
        if let Some(width) = self.width {
            display = display.max_width(width);
        }
        let mut text = display.to_string();
        // What is left out, the table says itself in a line behind its border.
        let note = text.rsplit_once('\n').map_or("", |(_, line)| line).to_owned();
        if table.num_rows() == self.rows {
            text.push_str(if note.starts_with('+') { "\n" } else { ", " });
            text.push_str(&amounts::counted(self.rows as u64, "row"));
        }
        if note.ends_with("columns") {
            text.push_str("; --format vertical shows all");
        }
        let written = writeln!(self.out, "{text}");
        written.map_err(|error| Failure::io(self.out.name(), &error))?;
        self.out.finish()
    }
}
