//! Rows as anything that is `Deserialize`.

use serde_core::de::Deserialize;

use super::cell_deserializer::CellDeserializer;
use super::row::Row;
use super::unfit::Unfit;
use crate::{Error, ErrorKind, Result};

impl<'a> Row<'a> {
    /// The row as a value of `T`: a struct or a map takes columns by their names, a tuple by their places.
    ///
    /// What a value can be read as is the table of [`get`](Self::get), for the types that serde knows: booleans,
    /// numbers, text, bytes, `Option`, `Duration`, `SystemTime`, [`Timestamp`](crate::Timestamp), sequences and maps. A value
    /// that is a struct becomes a struct, a map or a tuple, text becomes a variant of an enum, and null `()`. Types that
    /// read themselves from text, as those of chrono and jiff do, get times, dates and durations in ISO 8601.
    ///
    /// Types that accept any value (`serde_json::Value`, and what is read by way of `#[serde(flatten)]` or
    /// `untagged`) get timestamps and durations as nanoseconds, and dates, times of the day, intervals and decimals as
    /// text.
    ///
    /// ```no_run
    /// use influxdb3_blocking::Timestamp;
    ///
    /// #[derive(serde::Deserialize)]
    /// struct Hottest {
    ///     room: String,
    ///     max: Selected,
    /// }
    ///
    /// #[derive(serde::Deserialize)]
    /// struct Selected {
    ///     value: f64,
    ///     time: Timestamp,
    /// }
    ///
    /// # fn main() -> Result<(), influxdb3_blocking::Error> {
    /// # let client = influxdb3_blocking::Client::from_env()?;
    /// let sql = "SELECT room, selector_max(temp, time) AS max \
    ///            FROM home GROUP BY room";
    /// let table = client.query(sql).table()?;
    /// for row in table.rows() {
    ///     let Hottest { room, max } = row.deserialize()?;
    ///     println!("{room}: {} at {:?}", max.value, max.time);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if a value does not fit: the error names the column and its type.
    pub fn deserialize<T: Deserialize<'a>>(&self) -> Result<T> {
        T::deserialize(CellDeserializer::new(self.as_cell())).map_err(|problem| {
            let text = match problem {
                Unfit::Refused(why) => format!("a row does not fit: {why}"),
                Unfit::Mismatch(what) => {
                    format!("a row {what}: read it as a struct, a map or a tuple")
                }
                Unfit::Inside(text) => text,
            };
            Error::new(ErrorKind::Decode, text)
        })
    }
}
