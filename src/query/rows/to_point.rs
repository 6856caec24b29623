//! From a row to a point, to be written again.

use arrow_schema::{DataType, Field};

use super::cell::Cell;
use super::column_kind::ColumnKind;
use super::row::Row;
use crate::line_protocol::FieldValue;
use crate::query::time_units::timestamp;
use crate::{Error, ErrorKind, Point, Result};

/// The column that answers to InfluxQL have beside those that were asked for.
const MEASUREMENT: &str = "iox::measurement";

impl Row<'_> {
    /// The row as a point of this measurement, ready to be changed and written.
    ///
    /// What is a tag, a field and the time is what the server says ([`ColumnKind`]). Where it does not, as for
    /// the results of functions, a timestamp by the name of `time` is the time, and everything else a
    /// field. Null is left out, but for the time. InfluxQL's column `iox::measurement` is no field; it names the
    /// measurement: `row.to_point(row.get::<&str>("iox::measurement")?)`.
    ///
    /// An answer without such a time makes points without a time: give them one with [`Point::time`], or they are
    /// written as of the moment when they reach the server.
    ///
    /// ```no_run
    /// # fn main() -> Result<(), influxdb3_blocking::Error> {
    /// # let client = influxdb3_blocking::Client::from_env()?;
    /// let table = client.query("SELECT * FROM home").table()?;
    /// let points = table.rows().map(|row| row.to_point("home"));
    /// let points = points.collect::<Result<Vec<_>, _>>()?;
    /// client.write(&points).database("backup").send()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the time is null, and if a column has a type that no field has: the error names it.
    pub fn to_point(&self, measurement: impl AsRef<str>) -> Result<Point> {
        let mut point = Point::new(measurement);
        for (field, cell) in self.cells() {
            let name = field.name();
            let value = match (ColumnKind::of(field), cell) {
                (kind, Cell::Null) if is_time(field, kind) => return Err(without_time(field)),
                (_, Cell::Null) => continue,
                _ if name == MEASUREMENT => continue,
                (Some(ColumnKind::Tag), Cell::Text(text)) => {
                    point = point.tag(name, text);
                    continue;
                }
                (kind, Cell::Time(value, unit)) if is_time(field, kind) => {
                    point = point.time(timestamp(value, unit));
                    continue;
                }
                (_, Cell::Bool(value)) => FieldValue::from(value),
                (_, Cell::Signed(value)) => value.into(),
                (_, Cell::Unsigned(value)) => value.into(),
                (_, Cell::Single(value)) => value.into(),
                (_, Cell::Double(value)) => value.into(),
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

/// Whether the column is the time of a point. One of only nulls, as of `NULL AS time`, has the type null.
fn is_time(field: &Field, kind: Option<ColumnKind>) -> bool {
    let is_timestamp = matches!(field.data_type(), DataType::Timestamp(..) | DataType::Null);
    kind == Some(ColumnKind::Time) || field.name() == "time" && is_timestamp
}

fn without_time(field: &Field) -> Error {
    let (name, data_type) = (field.name(), field.data_type());
    Error::new(
        ErrorKind::Decode,
        format!(
            "the column {name:?} ({data_type}) is null, and a point without a time would be written as of now: leave \
             such rows out (WHERE {name} IS NOT NULL), or leave the column out and give the points a time"
        ),
    )
}
