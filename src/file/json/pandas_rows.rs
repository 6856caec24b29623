//! The rows of a table that pandas has written.

use super::key_columns::KeyColumns;
use super::pandas::PandasTable;
use super::scalar::ScalarRules;
use crate::Result;
use crate::columns::{BLOCK_ROWS, RowSink};
use crate::file::LineSource;
use crate::file::byte_counter::ByteCounter;
use crate::file::summary::{Skipped, Summary};
use crate::file::type_inference::TypeInference;
use crate::record::Lines;

pub(super) struct PandasRows {
    table: KeyColumns,
    frame: PandasTable,
    done: usize,
    skipped: Skipped,
    counter: ByteCounter,
}

impl PandasRows {
    pub(super) fn new(
        table: KeyColumns,
        frame: PandasTable,
        skips_bad_rows: bool,
        counter: ByteCounter,
    ) -> Self {
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

impl LineSource for PandasRows {
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
        lines.push_rows(&self.table.layout, &self.table.rendered, 0..whole);
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
pub(super) fn infer(
    frame: &PandasTable,
    scalar_rules: &ScalarRules,
    rows: Option<u64>,
) -> Vec<TypeInference> {
    let mut all = vec![TypeInference::default(); frame.names.len()];
    let rows = rows
        .and_then(|rows| usize::try_from(rows).ok())
        .map_or(frame.rows, |rows| rows.min(frame.rows));
    for (column, inference) in all.iter_mut().enumerate() {
        for row in 0..rows {
            let scalar = frame.value(column, row);
            inference.add(
                row as u64 + 1,
                |seen| scalar.see(seen, &scalar_rules.nulls),
                || scalar.shown(),
            );
        }
    }
    all
}
