//! Times that are INT96: days and nanoseconds of the day, of which the reader makes nanoseconds of 64 bits without
//! looking whether they fit.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{TimestampNanosecondType, TimestampSecondType};
use arrow_array::{Array as _, ArrayRef, RecordBatch};
use arrow_schema::{ArrowError, DataType, Field, FieldRef, Schema, TimeUnit};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use parquet::basic::Type as Physical;

use crate::file::damaged::damaged;
use crate::file::{unreadable, wide_times};
use crate::line_protocol::escape;
use crate::{Error, Result};

/// The columns of INT96 among those that are read, but for those of which the writer says that a coarser unit than
/// nanoseconds holds them.
pub(super) struct Int96Columns {
    /// The file, with these columns in seconds, which hold them all.
    pub(super) metadata: ArrowReaderMetadata,
    /// These columns.
    pub(super) mask: ProjectionMask,
    /// Their places among the columns that are read, and their names.
    places: Vec<(usize, String)>,
}

impl Int96Columns {
    /// `read` are the places in the file of the columns that are read.
    pub(super) fn of(metadata: &ArrowReaderMetadata, read: &[usize]) -> Result<Option<Self>> {
        let schema = metadata.parquet_schema();
        let roots = schema.root_schema().get_fields();
        let fields = metadata.schema().fields();
        let is_int96 = |place: usize| {
            let root = roots.get(place).filter(|root| root.is_primitive());
            let field = fields.get(place).map(|field| field.data_type());
            root.is_some_and(|root| root.get_physical_type() == Physical::INT96)
                && matches!(field, Some(DataType::Timestamp(TimeUnit::Nanosecond, _)))
        };
        let of_file: Vec<usize> = read.iter().copied().filter(|&place| is_int96(place)).collect();
        if of_file.is_empty() {
            return Ok(None);
        }
        let fields = fields.iter().enumerate();
        let in_seconds = fields.map(|(place, field)| match field.data_type() {
            DataType::Timestamp(_, zone) if of_file.contains(&place) => {
                let seconds = DataType::Timestamp(TimeUnit::Second, zone.clone());
                Arc::new(Field::clone(field).with_data_type(seconds))
            }
            _ => FieldRef::clone(field),
        });
        let options = ArrowReaderOptions::new()
            .with_schema(Arc::new(Schema::new(in_seconds.collect::<Vec<_>>())));
        let name = |place: usize| roots.get(place).map_or("", |root| root.name()).to_owned();
        Ok(Some(Self {
            metadata: ArrowReaderMetadata::try_new(metadata.metadata().clone(), options)
                .map_err(damaged)?,
            mask: ProjectionMask::roots(schema, of_file),
            places: read
                .iter()
                .enumerate()
                .filter(|(_, place)| is_int96(**place))
                .map(|(number, &place)| (number, name(place)))
                .collect(),
        }))
    }

    /// The batch with the times that the file has, from it and from the same rows in seconds. `first_row` is the number
    /// of its first row. It ends before the first row that cannot be written, whose error is the second result.
    pub(super) fn join(
        &self,
        batch: &RecordBatch,
        seconds: Option<Result<RecordBatch, ArrowError>>,
        first_row: usize,
    ) -> Result<(RecordBatch, Option<Error>)> {
        let seconds = seconds.ok_or_else(contradiction)?.map_err(damaged)?;
        if seconds.num_rows() != batch.num_rows() {
            return Err(contradiction());
        }
        wide_times::up_to_bad_row(batch, |batch| {
            let (schema, mut columns, rows) = batch.into_parts();
            for ((place, name), seconds) in self.places.iter().zip(seconds.columns()) {
                let column = columns.get_mut(*place).ok_or_else(|| (0, contradiction()))?;
                *column = times(column, &seconds.slice(0, rows)).map_err(|(row, error)| {
                    let number = first_row + row + 1;
                    let place = format!("row {number}, column {}", escape::quoted(name));
                    (row, error.in_context(&place))
                })?;
            }
            wide_times::batch(&schema, columns, rows).map_err(|error| (0, error))
        })
    }
}

/// The times of a column. The nanoseconds are known modulo 2^64; the seconds select the right multiple.
fn times(nanos: &ArrayRef, seconds: &ArrayRef) -> Result<ArrayRef, (usize, Error)> {
    let (Some(nanos_of), Some(seconds)) = (
        nanos.as_primitive_opt::<TimestampNanosecondType>(),
        seconds.as_primitive_opt::<TimestampSecondType>(),
    ) else {
        return Err((0, contradiction()));
    };
    let fits = |second: &i64| (MIN_SECOND..=MAX_SECOND).contains(second);
    let rows = 0..seconds.len();
    if rows.clone().all(|row| seconds.is_null(row) || fits(&seconds.value(row))) {
        return Ok(nanos.clone());
    }
    let time = |row: usize| {
        let (nano, second) = (nanos_of.value(row), seconds.value(row));
        let rest = nano.wrapping_sub(second.wrapping_mul(1_000_000_000));
        let is_valid = !seconds.is_null(row) && !nanos_of.is_null(row);
        is_valid.then(|| i128::from(second) * 1_000_000_000 + i128::from(rest))
    };
    wide_times::column(&rows.map(time).collect::<Vec<_>>())
}

#[cold]
fn contradiction() -> Error {
    unreadable("it is damaged: its times contradict themselves")
}

const MAX_SECOND: i64 = i64::MAX / 1_000_000_000 - 1;
const MIN_SECOND: i64 = -MAX_SECOND;
