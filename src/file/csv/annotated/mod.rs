//! Annotated CSV: what queries of InfluxDB 2 export and what `influx write` takes.
//!
//! Above the names of the columns stand lines such as `#datatype,string,long`, which say what the columns are; a file
//! has any number of such tables. The names may say it themselves, as `name|type` and `name|type|default`.

mod column;
mod table;
mod value;

use std::io::Read;

use self::table::Table;
use super::part::Part;
use super::tokens::Tokens;
use crate::columns::BLOCK_ROWS;
use crate::file::cells::Nulls;
use crate::file::counter::Counter;
use crate::file::summary::{Skipped, Summary};
use crate::file::{Reading, Source};
use crate::record::Lines;
use crate::{Precision, Result};

/// Whether the first row of a file is an annotation, or has a name with its type.
pub(super) fn is_annotated(row: Part<'_>) -> bool {
    let first = row.cell(0, 0).0;
    column::Annotation::of(&first).is_some()
        || (0..row.columns()).any(|place| column::has_type(&row.cell(0, place).0))
}

/// Reads the tables of a file; `tokens` are at its beginning.
pub(super) fn open<'a, R: Read + 'a>(
    tokens: Tokens<R>,
    counter: Counter,
    reading: &Reading,
) -> Box<dyn Source + 'a> {
    let settings = Settings {
        nulls: Nulls::new(reading),
        unit: reading.layout.date_unit.unwrap_or(Precision::Nanosecond),
        reading: reading.clone(),
    };
    let skipped = Skipped::new(reading.skip_bad_rows);
    Box::new(Annotated { tokens, table: Table::default(), settings, skipped, counter })
}

/// What the caller has said.
struct Settings {
    nulls: Nulls,
    /// The unit of times that are integers.
    unit: Precision,
    reading: Reading,
}

struct Annotated<R> {
    tokens: Tokens<R>,
    table: Table,
    settings: Settings,
    skipped: Skipped,
    counter: Counter,
}

impl<R: Read> Source for Annotated<R> {
    fn read(&mut self, lines: &mut Lines<'_>) -> Result<bool> {
        for _ in 0..BLOCK_ROWS {
            let line = self.tokens.line();
            let error = match self.tokens.next(1) {
                Ok(None) => return Ok(false),
                Ok(Some(row)) => match self.table.take(row, &self.settings, lines) {
                    Ok(()) => continue,
                    Err(error) => error.in_context(&format!("line {}", row.line(0))),
                },
                Err(error) => {
                    if !self.skipped.is_on() || !self.tokens.pass_over() {
                        return Err(error);
                    }
                    error
                }
            };
            self.skipped.take(line, error)?;
            lines.skip_row();
        }
        Ok(true)
    }

    fn bytes_read(&self) -> u64 {
        self.counter.get()
    }

    fn summary(&self) -> Summary {
        Summary { skipped: self.skipped.clone(), ..Summary::default() }
    }
}
