//! Annotated CSV: what queries of InfluxDB 2 export and what `influx write` takes.
//!
//! Above the names of the columns stand lines such as `#datatype,string,long`, which say what the columns are; a file
//! has any number of such tables. The names may say it themselves, as `name|type` and `name|type|default`.

mod column;
mod table;
mod value;

use std::io::Read;

use self::table::AnnotatedTable;
use super::row_block::RowBlock;
use super::row_reader::RowReader;
use crate::columns::BLOCK_ROWS;
use crate::file::byte_counter::ByteCounter;
use crate::file::null_texts::NullTexts;
use crate::file::summary::{Skipped, Summary};
use crate::file::{LineSource, ReadOptions};
use crate::record::Lines;
use crate::{Precision, Result};

/// Whether the first row of a file is an annotation, or has a name with its type.
pub(super) fn is_annotated(row: RowBlock<'_>) -> bool {
    let first = row.cell(0, 0).0;
    column::Annotation::of(&first).is_some()
        || (0..row.columns()).any(|place| column::has_type(&row.cell(0, place).0))
}

/// Reads the tables of a file; `tokens` are at its beginning.
pub(super) fn open<'a, R: Read + 'a>(
    reader: RowReader<R>,
    counter: ByteCounter,
    read_options: &ReadOptions,
) -> Box<dyn LineSource + 'a> {
    let options = AnnotatedOptions {
        nulls: NullTexts::new(read_options),
        unit: read_options.layout.date_unit.unwrap_or(Precision::Nanosecond),
        read_options: read_options.clone(),
    };
    let skipped = Skipped::new(read_options.skip_bad_rows);
    Box::new(Annotated { reader, table: AnnotatedTable::default(), options, skipped, counter })
}

/// What the caller has said.
struct AnnotatedOptions {
    nulls: NullTexts,
    /// The unit of times that are integers.
    unit: Precision,
    read_options: ReadOptions,
}

struct Annotated<R> {
    reader: RowReader<R>,
    table: AnnotatedTable,
    options: AnnotatedOptions,
    skipped: Skipped,
    counter: ByteCounter,
}

impl<R: Read> LineSource for Annotated<R> {
    fn read(&mut self, lines: &mut Lines<'_>) -> Result<bool> {
        for _ in 0..BLOCK_ROWS {
            let line = self.reader.line();
            let error = match self.reader.next(1) {
                Ok(None) => return Ok(false),
                Ok(Some(row)) => match self.table.take(row, &self.options, lines) {
                    Ok(()) => continue,
                    Err(error) => error.in_context(&format!("line {}", row.line(0))),
                },
                Err(error) => {
                    if !self.skipped.is_on() || !self.reader.pass_over() {
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
