//! A table of Markdown. The first rows say how wide its columns are, and later ones may be wider.

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use influxdb3_blocking::{arrow_array, arrow_schema};
use unicode_width::UnicodeWidthStr as _;

use super::super::cells::Cells;
use super::super::destination::Destination;
use super::super::output::Output;
use super::plain_text::PlainText;
use crate::failure::Failure;
use crate::terminal::escaped;

pub(super) struct Markdown {
    text: PlainText,
    names: Vec<String>,
    to_the_right: Vec<bool>,
    /// None before the first batch.
    widths: Option<Vec<usize>>,
}

impl Markdown {
    pub(super) fn new(schema: &SchemaRef, out: Destination) -> Self {
        let fields = schema.fields();
        Self {
            text: PlainText::new(out),
            names: fields.iter().map(|field| in_markdown(field.name())).collect(),
            to_the_right: fields.iter().map(|field| field.data_type().is_numeric()).collect(),
            widths: None,
        }
    }

    fn begin(&mut self, columns: &[Cells], rows: usize) {
        let width = |(name, cells): (&String, Option<&Cells>)| {
            let values = (0..rows.min(LOOKED_AT))
                .filter_map(|row| cells.map(|cells| value(cells, row).width()));
            values.chain([name.width(), 3]).max().unwrap_or(3)
        };
        let cells = columns.iter().map(Some).chain(std::iter::repeat(None));
        let widths: Vec<usize> = self.names.iter().zip(cells).map(width).collect();
        let names = self.names.clone();
        self.widths = Some(widths.clone());
        self.line(names.into_iter());
        let rules = widths.iter().zip(self.to_the_right.clone()).map(|(width, right)| {
            let rule = "-".repeat(width - usize::from(right));
            if right { format!("{rule}:") } else { rule }
        });
        self.line(rules.collect::<Vec<_>>().into_iter());
    }

    fn line(&mut self, cells: impl Iterator<Item = String>) {
        let widths = self.widths.as_deref().unwrap_or_default();
        let buffer = &mut self.text.buffer;
        buffer.push(b'|');
        for ((text, width), right) in cells.zip(widths).zip(&self.to_the_right) {
            let free = width.saturating_sub(text.width());
            let (before, behind) = if *right { (free, 0) } else { (0, free) };
            let (before, behind) = (" ".repeat(before), " ".repeat(behind));
            buffer.extend_from_slice(format!(" {before}{text}{behind} |").as_bytes());
        }
        buffer.push(b'\n');
    }
}

impl Output for Markdown {
    fn batch(&mut self, batch: &RecordBatch) -> Result<(), Failure> {
        let columns = Cells::of(batch);
        if self.widths.is_none() {
            self.begin(&columns, batch.num_rows());
        }
        for row in 0..batch.num_rows() {
            self.line(columns.iter().map(|cells| value(cells, row)));
            self.text.spill()?;
        }
        self.text.end_batch()
    }

    fn finish(mut self: Box<Self>) -> Result<(), Failure> {
        if self.widths.is_none() {
            self.begin(&[], 0);
        }
        self.text.finish()
    }
}

fn value(cells: &Cells, row: usize) -> String {
    let mut text = Vec::new();
    cells.push(row, &mut text);
    in_markdown(&String::from_utf8_lossy(&text))
}

fn in_markdown(text: &str) -> String {
    escaped(text).replace('|', "\\|")
}

/// How many rows say how wide columns are.
const LOOKED_AT: usize = 1000;
