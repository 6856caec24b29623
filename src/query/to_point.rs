//! From a row back to a point.

use arrow_schema::TimeUnit;

use super::cell::Cell;
use super::kind::ColumnKind;
use super::rows::Row;
use crate::line_protocol::FieldValue;
use crate::{Error, ErrorKind, Point, Result, Timestamp};

/// The column that InfluxQL adds.
const MEASUREMENT: &str = "iox::measurement";

impl Row<'_> {
    /// The row as a point of this measurement, ready to be changed and written.
    ///
    /// What is a tag, a field and the time is what the server says ([`ColumnKind`]). Where it does not, as for
    /// the results of functions, a timestamp by the name of `time` is the time, and everything else a
    /// field. Null is left out. InfluxQL's column `iox::measurement` is no field; it names the measurement:
    /// `row.to_point(row.get::<&str>("iox::measurement")?)`.
    ///
    /// ```no_run
    /// # fn main() -> Result<(), influxdb3_blocking::Error> {
    /// # let client = influxdb3_blocking::Client::from_env()?;
    /// let table = client.query("SELECT * FROM home").table()?;
    /// let points = table.rows().map(|row| row.to_point("home")).collect::<Result<Vec<_>, _>>()?;
    /// client.write(&points).database("backup").send()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if a column has a type that no field has: the error names it.
    pub fn to_point(&self, measurement: impl AsRef<str>) -> Result<Point> {
        let mut point = Point::new(measurement);
        for (field, cell) in self.cells() {
            let name = field.name();
            let value = match (ColumnKind::of(field), cell) {
                (_, Cell::Null) => continue,
                _ if name == MEASUREMENT => continue,
                (Some(ColumnKind::Tag), Cell::Text(text)) => {
                    point = point.tag(name, text);
                    continue;
                }
                (kind, Cell::Time(value, unit))
                    if kind == Some(ColumnKind::Time) || name == "time" =>
                {
                    point = point.time(timestamp(value, unit));
                    continue;
                }
                (_, Cell::Bool(value)) => FieldValue::from(value),
                (_, Cell::Signed(value)) => value.into(),
                (_, Cell::Unsigned(value)) => value.into(),
                (_, Cell::Float(value)) => value.into(),
                (_, Cell::Text(text)) => text.into(),
                _ => {
                    let data_type = field.data_type();
                    return Err(Error::new(
                        ErrorKind::Decode,
                        format!("the column {name:?} ({data_type}) cannot be a field of a point"),
                    ));
                }
            };
            point = point.field(name, value);
        }
        Ok(point)
    }
}

pub(super) fn timestamp(value: i64, unit: TimeUnit) -> Timestamp {
    match unit {
        TimeUnit::Second => Timestamp::seconds(value),
        TimeUnit::Millisecond => Timestamp::millis(value),
        TimeUnit::Microsecond => Timestamp::micros(value),
        TimeUnit::Nanosecond => Timestamp::nanos(value),
    }
}
