//! Times in the units of Arrow, and as text.

use std::fmt;

use arrow_schema::TimeUnit;

use crate::Timestamp;
use crate::timestamp::time_text;

/// The time that is this many units after 1970.
pub(super) fn timestamp(value: i64, unit: TimeUnit) -> Timestamp {
    match unit {
        TimeUnit::Second => Timestamp::seconds(value),
        TimeUnit::Millisecond => Timestamp::millis(value),
        TimeUnit::Microsecond => Timestamp::micros(value),
        TimeUnit::Nanosecond => Timestamp::nanos(value),
    }
}

/// A number of units, in nanoseconds.
pub(super) fn nanoseconds(value: i64, unit: TimeUnit) -> i128 {
    timestamp(value, unit).as_nanos()
}

/// A time in UTC, such as `2022-01-01T08:00:00.500Z`, with 0, 3, 6 or 9 decimals; `None` outside of the years 0 to 9999.
pub(super) fn rfc3339(time: Timestamp) -> Option<String> {
    written(|out| time_text::write(out, time))
}

/// A time in UTC as its day, such as `2022-01-01`, if it is midnight; any other as [`rfc3339`]. `None` outside of the years 0
/// to 9999.
pub(super) fn date(time: Timestamp) -> Option<String> {
    let (days, rest) =
        (time.as_nanos().div_euclid(NANOS_PER_DAY), time.as_nanos().rem_euclid(NANOS_PER_DAY));
    match i64::try_from(days) {
        Ok(days) if rest == 0 => written(|out| time_text::write_day(out, days)),
        _ => rfc3339(time),
    }
}

/// A time of the day, given as nanoseconds since midnight, such as `08:00:00`; `None` if a day has no such time.
pub(super) fn clock(nanos: i128) -> Option<String> {
    let nanos = i64::try_from(nanos).ok()?;
    written(|out| time_text::write_clock(out, nanos))
}

pub(super) const NANOS_PER_SECOND: i128 = 1_000_000_000;
pub(super) const NANOS_PER_DAY: i128 = 86_400 * NANOS_PER_SECOND;

/// The text, if `write` says that there is one.
fn written(write: impl FnOnce(&mut String) -> Result<bool, fmt::Error>) -> Option<String> {
    let mut out = String::new();
    let is_written = write(&mut out).ok()?;
    is_written.then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_text_in_utc() {
        for (time, text) in [
            (Timestamp::seconds(0), "1970-01-01T00:00:00Z"),
            (Timestamp::seconds(951_782_400), "2000-02-29T00:00:00Z"),
            (Timestamp::seconds(-62_167_219_200), "0000-01-01T00:00:00Z"),
            (Timestamp::seconds(253_402_300_799), "9999-12-31T23:59:59Z"),
            (Timestamp::millis(-1), "1969-12-31T23:59:59.999Z"),
            (Timestamp::nanos(i64::MIN), "1677-09-21T00:12:43.145224192Z"),
        ] {
            assert_eq!(rfc3339(time).as_deref(), Some(text));
        }
        assert_eq!(rfc3339(Timestamp::seconds(253_402_300_800)), None);
        assert_eq!(rfc3339(Timestamp::seconds(-62_167_219_201)), None);
        assert_eq!(rfc3339(Timestamp::seconds(i64::MAX)), None);
    }

    #[test]
    fn days_and_times_of_the_day_are_text() {
        assert_eq!(date(Timestamp::seconds(18_993 * 86_400)).as_deref(), Some("2022-01-01"));
        assert_eq!(date(Timestamp::seconds(-86_400)).as_deref(), Some("1969-12-31"));
        assert_eq!(date(Timestamp::millis(1)).as_deref(), Some("1970-01-01T00:00:00.001Z"));
        assert_eq!(date(Timestamp::seconds(i64::MAX)), None);
        assert_eq!(clock(NANOS_PER_DAY - 1).as_deref(), Some("23:59:59.999999999"));
        assert_eq!((clock(NANOS_PER_DAY), clock(-1)), (None, None));
    }
}
