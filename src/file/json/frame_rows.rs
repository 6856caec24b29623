//! The rows of a table in memory.

use super::pandas::Frame;
use super::scalar::Settings;
use super::table::Table;
use crate::Result;
use crate::columns::BLOCK_ROWS;
use crate::file::Source;
use crate::file::counter::Counter;
use crate::file::evidence::Evidence;
use crate::file::summary::{Skipped, Summary};
use crate::record::Lines;

pub(super) struct FrameRows {
    table: Table,
    frame: Frame,
    done: usize,
    skipped: Skipped,
    counter: Counter,
}

impl FrameRows {
    pub(super) fn new(table: Table, frame: Frame, skips_bad_rows: bool, counter: Counter) -> Self {
        Self { table, frame, done: 0, skipped: Skipped::new(skips_bad_rows), counter }
    }

    fn read_row(&mut self, row: usize) -> Result<()> {
        let number = self.done + row;
        let context = |error: crate::Error| error.in_context(&format!("row {}", number + 1));
        for key in 0..self.frame.names.len() {
            self.table.push(row, key, &self.frame.value(key, number)).map_err(context)?;
        }
        Ok(())
    }
}

impl Source for FrameRows {
    fn read(&mut self, lines: &mut Lines<'_>) -> Result<bool> {
        self.table.clear();
        let count = BLOCK_ROWS.min(self.frame.rows - self.done);
        let mut bad = None;
        let mut whole = 0;
        while whole < count && bad.is_none() {
            match self.read_row(whole) {
                Ok(()) => whole += 1,
                Err(error) => {
                    self.table.truncate(whole);
                    bad = Some(error);
                }
            }
        }
        lines.push_rows(&self.table.layout, &self.table.pieces, 0..whole);
        self.done += whole;
        if let Some(error) = bad {
            self.done += 1;
            self.skipped.take(self.done as u64, error)?;
            lines.skip_row();
        }
        Ok(count > 0)
    }

    fn bytes_read(&self) -> u64 {
        self.counter.get()
    }

    fn summary(&self) -> Summary {
        Summary {
            columns: self.table.fields(),
            skipped: self.skipped.clone(),
            ..Summary::default()
        }
    }
}

/// What the values of each column suggest.
pub(super) fn infer(frame: &Frame, settings: &Settings, rows: Option<u64>) -> Vec<Evidence> {
    let mut all = vec![Evidence::default(); frame.names.len()];
    let rows = rows
        .and_then(|rows| usize::try_from(rows).ok())
        .map_or(frame.rows, |rows| rows.min(frame.rows));
    for (column, evidence) in all.iter_mut().enumerate() {
        for row in 0..rows {
            let scalar = frame.value(column, row);
            evidence.add(
                row as u64 + 1,
                |seen| scalar.see(seen, &settings.nulls),
                || scalar.shown(),
            );
        }
    }
    all
}
