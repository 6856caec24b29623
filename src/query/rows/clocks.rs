//! Values as the times of other crates: chrono, jiff and time.

use std::borrow::Cow;

use super::cell::{Cell, Mismatch};
use super::from_cell::{FromCell, from_cell, sealed};
use crate::Timestamp;

/// A timestamp, a date, or text in the form of RFC 3339, if `convert` can hold it.
fn instant<T>(cell: Cell<'_>, convert: impl FnOnce(i128) -> Option<T>) -> Result<T, Mismatch> {
    let nanos = <Timestamp as sealed::ReadCell<'_>>::from_cell(cell)?.as_nanos();
    convert(nanos)
        .ok_or_else(|| Mismatch::Value(format!("the time {nanos} nanoseconds since 1970")))
}

#[cfg(feature = "chrono")]
from_cell!(chrono::DateTime<chrono::Utc>, "DateTime<Utc>", cell => instant(cell, |nanos| {
    let seconds = i64::try_from(nanos.div_euclid(1_000_000_000)).ok()?;
    // The remainder is below a second.
    Self::from_timestamp(seconds, nanos.rem_euclid(1_000_000_000) as u32)
}));

#[cfg(feature = "jiff")]
from_cell!(jiff::Timestamp, "jiff::Timestamp", cell => {
    instant(cell, |nanos| Self::from_nanosecond(nanos).ok())
});

#[cfg(feature = "time")]
from_cell!(time::OffsetDateTime, "OffsetDateTime", cell => {
    instant(cell, |nanos| Self::from_unix_timestamp_nanos(nanos).ok())
});
