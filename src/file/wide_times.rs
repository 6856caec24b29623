//! Times of files that 64 bits of nanoseconds may not hold.

use std::sync::Arc;

use arrow_array::builder::StringBuilder;
use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions, TimestampNanosecondArray};
use arrow_schema::{Field, Schema};

use super::damaged::damaged;
use crate::timestamp::time_text;
use crate::{Error, Result, Timestamp};

/// The column of times in nanoseconds since 1970: a column of timestamps if all of them are from 1677 to 2262, and
/// otherwise one of the texts that a field of times has, which a timestamp column reads as well.
///
/// # Errors
/// A year is outside of 0 to 9999; the number of that row, from 0, is before the error.
pub(super) fn column(times: &[Option<i128>]) -> Result<ArrayRef, (usize, Error)> {
    let narrow = |time: &Option<i128>| time.map(i64::try_from).transpose();
    if let Ok(times) = times.iter().map(narrow).collect::<Result<Vec<Option<i64>>, _>>() {
        return Ok(Arc::new(TimestampNanosecondArray::from(times)));
    }
    let mut texts = StringBuilder::new();
    let mut text = String::new();
    for (row, time) in times.iter().enumerate() {
        let Some(time) = time else {
            texts.append_null();
            continue;
        };
        text.clear();
        match time_text::write(&mut text, Timestamp::from_nanos(*time)) {
            Ok(true) => texts.append_value(&text),
            _ => return Err((row, Error::invalid_record(OUTSIDE))),
        }
    }
    Ok(Arc::new(texts.finish()))
}

/// What `finish` makes of a batch, up to the first row that it refuses, and the error of that row. `finish` says the
/// number of the row, from 0, in the batch that it is given.
///
/// # Errors
/// It is the first row of the batch.
pub(super) fn up_to_bad_row(
    batch: &RecordBatch,
    finish: impl Fn(RecordBatch) -> Result<RecordBatch, (usize, Error)>,
) -> Result<(RecordBatch, Option<Error>)> {
    let (mut rows, mut failed) = (batch.num_rows(), None);
    loop {
        match finish(batch.slice(0, rows)) {
            Ok(batch) => return Ok((batch, failed)),
            Err((0, error)) => return Err(error),
            // Once more for the rows before it: another column may refuse an earlier one.
            Err((row, error)) => (rows, failed) = (row.min(rows - 1), Some(error)),
        }
    }
}

/// The batch of these columns, of which some are of another type than the schema says.
pub(super) fn batch(schema: &Schema, columns: Vec<ArrayRef>, rows: usize) -> Result<RecordBatch> {
    let typed = schema.fields().iter().zip(&columns);
    let typed =
        typed.map(|(field, column)| Field::clone(field).with_data_type(column.data_type().clone()));
    let schema = Arc::new(Schema::new(typed.collect::<Vec<_>>()));
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(schema, columns, &options).map_err(damaged)
}

const OUTSIDE: &str =
    "the date is outside of the years 0 to 9999: leave the column out with .exclude(…)";
