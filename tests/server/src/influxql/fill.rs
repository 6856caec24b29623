//! Spans of time without rows.

use std::{ops::Range, sync::Arc};

use datafusion::{
    arrow::{
        array::{Array, ArrayRef, AsArray, RecordBatch, TimestampNanosecondArray, UInt32Array},
        compute::{is_null, kernels::zip::zip, take},
        datatypes::{DataType, Field, Schema, TimestampNanosecondType},
    },
    error::Result,
    scalar::ScalarValue,
};

use super::{
    plan_error,
    statement::{Bins, Fill},
};

/// What is filled, and with what.
#[derive(Debug)]
pub(super) struct Filling {
    pub(super) bins: Bins,
    /// The first moment; if there is none, each series begins with its first row.
    pub(super) lower: Option<i64>,
    /// The last moment.
    pub(super) upper: i64,
    pub(super) fill: Fill,
    /// The columns of values begin here; those before it are the time and tags.
    pub(super) first_value: usize,
    /// Of each column of values, whether it counts something: then nothing is 0.
    pub(super) counts: Vec<bool>,
}

/// More rows than these are an error rather than a machine that is out of memory.
const MOST_ROWS: i128 = 1_000_000;

/// One row for each span of each series, the earliest first. Returns the rows, and which are of one series.
pub(super) fn fill(
    rows: &RecordBatch,
    series: &[Range<usize>],
    filling: &Filling,
) -> Result<(RecordBatch, Vec<Range<usize>>)> {
    let times = rows.column(0).as_primitive::<TimestampNanosecondType>();
    let mut filled = Vec::with_capacity(series.len());
    let (mut new_times, mut sources, mut firsts) = (Vec::new(), Vec::new(), Vec::new());
    for series in series {
        let begin = new_times.len();
        let start =
            filling.lower.map_or(times.value(series.start), |lower| filling.bins.start_of(lower));
        let spans =
            (i128::from(filling.upper) - i128::from(start)) / i128::from(filling.bins.width) + 1;
        if spans + begin as i128 > MOST_ROWS {
            return Err(plan_error(format!("the dev server fills no more than {MOST_ROWS} rows")));
        }
        let mut row = series.start;
        let mut time = Some(start);
        while let Some(span) = time.filter(|time| *time <= filling.upper) {
            let found = row < series.end && times.value(row) == span;
            new_times.push(span);
            sources.push(found.then_some(row as u32));
            firsts.push(series.start as u32);
            row += usize::from(found);
            time = span.checked_add(filling.bins.width);
        }
        filled.push(begin..new_times.len());
    }
    let firsts = UInt32Array::from(firsts);
    let mut columns: Vec<ArrayRef> = vec![Arc::new(TimestampNanosecondArray::from(new_times))];
    for tag in &rows.columns()[1..filling.first_value] {
        columns.push(take(tag, &firsts, None)?);
    }
    for (column, is_count) in rows.columns()[filling.first_value..].iter().zip(&filling.counts) {
        let sources = match filling.fill {
            Fill::Previous => previous(column, &sources, &filled),
            _ => sources.clone(),
        };
        let values = take(column, &UInt32Array::from(sources), None)?;
        columns.push(match (filling.fill, is_count) {
            (Fill::Number(number), _) => or_number(values, number)?,
            (Fill::Null, true) => or_number(values, 0.0)?,
            _ => values,
        });
    }
    let fields: Vec<Field> = rows
        .schema()
        .fields()
        .iter()
        .zip(&columns)
        .map(|(field, column)| Field::new(field.name(), column.data_type().clone(), true))
        .collect();
    Ok((RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)?, filled))
}

/// For each row the last one of its series that has a value.
fn previous(
    column: &ArrayRef,
    sources: &[Option<u32>],
    series: &[Range<usize>],
) -> Vec<Option<u32>> {
    let mut found = Vec::with_capacity(sources.len());
    for rows in series {
        let mut last = None;
        for source in &sources[rows.clone()] {
            last = source.filter(|row| column.is_valid(*row as usize)).or(last);
            found.push(last);
        }
    }
    found
}

/// The number in the place of nulls, if the column holds numbers.
fn or_number(values: ArrayRef, number: f64) -> Result<ArrayRef> {
    if !matches!(values.data_type(), DataType::Int64 | DataType::UInt64 | DataType::Float64) {
        return Ok(values);
    }
    let number = ScalarValue::Float64(Some(number)).cast_to(values.data_type())?.to_scalar()?;
    Ok(zip(&is_null(&values)?, &number, &values)?)
}
