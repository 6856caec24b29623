//! The columns of times: how they are decoded, and what of them the reader gets wrong.

use arrow_array::ArrayRef;
use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, TimestampNanosecondType};
use arrow_schema::{DataType as ArrowType, Field};
use orc_rust::proto::column_encoding::Kind as Encoding;
use orc_rust::proto::stream::Kind;
use orc_rust::reader::metadata::FileMetadata;
use orc_rust::schema::{DataType, NamedColumn};
use orc_rust::statistics::TypeStatistics;
use orc_rust::stripe::Stripe;

use super::fractions;
use crate::file::{unreadable, wide_times};
use crate::line_protocol::escape;
use crate::{Error, Result};

/// A column of times.
#[derive(Debug)]
pub(super) struct TimeColumn {
    /// Its place among the columns that are read.
    place: usize,
    name: String,
    /// Whether it is in the time of the writer's zone.
    is_local: bool,
    /// Whether some may be out of what nanoseconds since 1970 can hold.
    is_wide: bool,
    /// Whether some may be before 1970.
    is_early: bool,
}

impl TimeColumn {
    /// The columns of times among those that are read.
    pub(super) fn of(columns: &[NamedColumn], metadata: &FileMetadata) -> Vec<Self> {
        let one = |(place, column): (usize, &NamedColumn)| {
            let is_local = match column.data_type() {
                DataType::Timestamp { .. } => true,
                DataType::TimestampWithLocalTimezone { .. } => false,
                _ => return None,
            };
            let range = range(metadata, column.data_type().column_index());
            Some(Self {
                place,
                name: column.name().to_owned(),
                is_local,
                is_wide: range.is_none_or(|(min, max)| min < MIN_MILLIS || max > MAX_MILLIS),
                is_early: range.is_none_or(|(min, _)| min < DAY_MILLIS),
            })
        };
        columns.iter().enumerate().filter_map(one).collect()
    }

    /// What the column is decoded as: decimals if nanoseconds of 64 bits may not hold it.
    pub(super) fn decoded_as(&self, fields: &mut [Field]) {
        if let (true, Some(field)) = (self.is_wide, fields.get_mut(self.place)) {
            field.set_data_type(ArrowType::Decimal128(38, 9));
        }
    }

    /// Refuses a stripe of which the reader would make other times.
    pub(super) fn check_stripe(&self, stripe: &Stripe) -> Result<()> {
        let Some(column) = stripe.columns().get(self.place).filter(|_| self.is_early) else {
            return Ok(());
        };
        let is_v2 = matches!(column.encoding().kind(), Encoding::DirectV2 | Encoding::DictionaryV2);
        match fractions::has_negative(stripe.stream_map().get(column, Kind::Secondary), is_v2) {
            Some(false) => Ok(()),
            Some(true) => Err(unreadable(format!(
                "the column {} has times before 1970 whose fractions are below zero, as Arrow writes them, and which \
                 cannot be read here: write it as Parquet, or leave the column out with .exclude(…)",
                escape::quoted(&self.name)
            ))),
            None => {
                Err(unreadable("it is damaged: the fractions of its times contradict themselves"))
            }
        }
    }

    /// The column as it is written; `zone` is that of the writer, `first_row` the number of its first row.
    ///
    /// # Errors
    /// With the number of the row in the column, from 0.
    pub(super) fn finish(
        &self,
        columns: &mut [ArrayRef],
        zone: Option<&str>,
        first_row: usize,
    ) -> Result<(), (usize, Error)> {
        let Some(column) = columns.get_mut(self.place) else { return Ok(()) };
        let has_summer_time = self.is_local && zone.is_some_and(|zone| !is_fixed(zone));
        let late = if !self.is_wide {
            let times = column.as_primitive_opt::<TimestampNanosecondType>();
            let late = |time: Option<i64>| time.is_some_and(|time| time >= LAST_NANOS as i64);
            times.filter(|_| has_summer_time).and_then(|times| times.iter().position(late))
        } else if let Some(times) = column.as_primitive_opt::<Decimal128Type>() {
            let times: Vec<Option<i128>> = times.iter().collect();
            *column = wide_times::column(&times)
                .map_err(|(row, error)| (row, self.at_row(first_row + row, error)))?;
            let late = |time: &Option<i128>| time.is_some_and(|time| time >= LAST_NANOS);
            Some(times).filter(|_| has_summer_time).and_then(|times| times.iter().position(late))
        } else {
            None
        };
        match late {
            None => Ok(()),
            Some(row) => {
                let error = Error::invalid_record(format!(
                    "it is from 2100 on in the zone {}, whose summer time is known up to then: write the file in UTC, or \
                     leave the column out with .exclude(…)",
                    zone.unwrap_or_default()
                ));
                Err((row, self.at_row(first_row + row, error)))
            }
        }
    }

    fn at_row(&self, row: usize, error: Error) -> Error {
        error.in_context(&format!("row {}, column {}", row + 1, escape::quoted(&self.name)))
    }
}

/// The earliest and the latest time of a column in milliseconds, exact to a day, if the file has them.
fn range(metadata: &FileMetadata, column: usize) -> Option<(i64, i64)> {
    match metadata.column_file_statistics().get(column)?.type_statistics()? {
        // A statistic that the file lacks is 0.
        TypeStatistics::Timestamp { min: 0, max: 0, min_utc: 0, max_utc: 0 } => None,
        TypeStatistics::Timestamp { min: 0, max: 0, min_utc, max_utc } => {
            Some((*min_utc, *max_utc))
        }
        TypeStatistics::Timestamp { min, max, min_utc: 0, max_utc: 0 } => Some((*min, *max)),
        TypeStatistics::Timestamp { min, max, min_utc, max_utc } => {
            Some((*min.min(min_utc), *max.max(max_utc)))
        }
        _ => None,
    }
}

/// Whether the zone has the same offset for ever.
fn is_fixed(zone: &str) -> bool {
    matches!(zone, "UTC" | "GMT" | "UCT" | "Zulu" | "Universal" | "Greenwich")
        || zone.starts_with("Etc/")
}

const DAY_MILLIS: i64 = 86_400_000;
const MIN_MILLIS: i64 = i64::MIN / 1_000_000 + DAY_MILLIS;
const MAX_MILLIS: i64 = i64::MAX / 1_000_000 - DAY_MILLIS;
/// 2100-01-01, where the reader's table of zones ends.
const LAST_NANOS: i128 = 4_102_444_800_000_000_000;
