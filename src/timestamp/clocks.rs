//! Times of the standard library and of other crates, to and from [`Timestamp`].

use std::time::{SystemTime, UNIX_EPOCH};

use super::{Timestamp, arithmetic};
use crate::{Error, Result};

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        match time.duration_since(UNIX_EPOCH) {
            Ok(after) => Self(arithmetic::nanos(after)),
            Err(before) => Self(-arithmetic::nanos(before.duration())),
        }
    }
}

/// # Errors
///
/// [`InvalidRecord`](crate::ErrorKind::InvalidRecord) if the system's clock cannot express the time.
impl TryFrom<Timestamp> for SystemTime {
    type Error = Error;

    fn try_from(time: Timestamp) -> Result<Self> {
        let distance = match time.duration_since(Timestamp::EPOCH) {
            Some(after) => UNIX_EPOCH.checked_add(after),
            None => Timestamp::EPOCH
                .duration_since(time)
                .and_then(|before| UNIX_EPOCH.checked_sub(before)),
        };
        distance.ok_or_else(|| out_of_range(time, "SystemTime"))
    }
}

/// Any time zone: the instant counts.
#[cfg(feature = "chrono")]
impl<Tz: chrono::TimeZone> From<chrono::DateTime<Tz>> for Timestamp {
    fn from(time: chrono::DateTime<Tz>) -> Self {
        Self(
            i128::from(time.timestamp()) * super::NANOS_PER_SECOND
                + i128::from(time.timestamp_subsec_nanos()),
        )
    }
}

/// # Errors
///
/// [`InvalidRecord`](crate::ErrorKind::InvalidRecord) if the time is beyond what chrono can express.
#[cfg(feature = "chrono")]
impl TryFrom<Timestamp> for chrono::DateTime<chrono::Utc> {
    type Error = Error;

    fn try_from(time: Timestamp) -> Result<Self> {
        let (seconds, nanos) = time.seconds_and_nanos();
        let seconds = i64::try_from(seconds).ok();
        seconds
            .and_then(|seconds| Self::from_timestamp(seconds, nanos))
            .ok_or_else(|| out_of_range(time, "chrono::DateTime"))
    }
}

#[cfg(feature = "jiff")]
impl From<jiff::Timestamp> for Timestamp {
    fn from(time: jiff::Timestamp) -> Self {
        Self(time.as_nanosecond())
    }
}

/// Any time zone: the instant counts.
#[cfg(feature = "jiff")]
impl From<jiff::Zoned> for Timestamp {
    fn from(time: jiff::Zoned) -> Self {
        time.timestamp().into()
    }
}

/// Any time zone: the instant counts.
#[cfg(feature = "jiff")]
impl From<&jiff::Zoned> for Timestamp {
    fn from(time: &jiff::Zoned) -> Self {
        time.timestamp().into()
    }
}

/// # Errors
///
/// [`InvalidRecord`](crate::ErrorKind::InvalidRecord) if the time is beyond what jiff can express.
#[cfg(feature = "jiff")]
impl TryFrom<Timestamp> for jiff::Timestamp {
    type Error = Error;

    fn try_from(time: Timestamp) -> Result<Self> {
        Self::from_nanosecond(time.as_nanos()).map_err(|_| out_of_range(time, "jiff::Timestamp"))
    }
}

/// Any offset: the instant counts.
#[cfg(feature = "time")]
impl From<time::OffsetDateTime> for Timestamp {
    fn from(time: time::OffsetDateTime) -> Self {
        Self(time.unix_timestamp_nanos())
    }
}

/// In UTC.
///
/// # Errors
///
/// [`InvalidRecord`](crate::ErrorKind::InvalidRecord) if the time is beyond what the crate `time` can express.
#[cfg(feature = "time")]
impl TryFrom<Timestamp> for time::OffsetDateTime {
    type Error = Error;

    fn try_from(time: Timestamp) -> Result<Self> {
        Self::from_unix_timestamp_nanos(time.as_nanos())
            .map_err(|_| out_of_range(time, "time::OffsetDateTime"))
    }
}

#[cold]
fn out_of_range(time: Timestamp, what: &str) -> Error {
    Error::invalid_record(format!("the time {time} is outside of what {what} can express"))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_clock_before_1970_is_negative() {
        let time = UNIX_EPOCH - Duration::new(1, 500_000_000);
        assert_eq!(Timestamp::from(time).as_nanos(), -1_500_000_000);
        assert_eq!(Timestamp::from(UNIX_EPOCH + Duration::from_nanos(7)), Timestamp::nanos(7));
        assert!(Timestamp::now() > Timestamp::seconds(1_700_000_000));
    }

    #[test]
    fn a_time_goes_to_the_clock_of_the_system_and_back() {
        // Windows counts in steps of 100 ns.
        for nanos in [0, 100, -100, 1_641_024_000_123_456_700, -1_500_000_000] {
            let time = Timestamp::nanos(nanos);
            assert_eq!(Timestamp::from(SystemTime::try_from(time).unwrap()), time);
        }
        let error = SystemTime::try_from(Timestamp::seconds(i64::MIN) - Duration::MAX).unwrap_err();
        assert!(error.to_string().contains("outside of what SystemTime can express"), "{error}");
    }

    #[cfg(feature = "chrono")]
    #[test]
    fn chrono_times_are_exact_in_any_zone() {
        use chrono::{DateTime, FixedOffset, Utc};
        let zoned = DateTime::parse_from_rfc3339("1969-12-31T23:59:59.500000001-01:00").unwrap();
        assert_eq!(Timestamp::from(zoned), Timestamp::nanos(3_599_500_000_001));
        assert_eq!(Timestamp::from(zoned.with_timezone(&Utc)), Timestamp::from(zoned));
        let far = DateTime::<FixedOffset>::MAX_UTC;
        assert!(Timestamp::from(far) > Timestamp::MAX);
        for time in [far, DateTime::<Utc>::MIN_UTC, zoned.with_timezone(&Utc)] {
            assert_eq!(DateTime::<Utc>::try_from(Timestamp::from(time)).unwrap(), time);
        }
        assert!(DateTime::<Utc>::try_from(Timestamp::from(far) + Duration::from_secs(1)).is_err());
    }

    #[cfg(feature = "jiff")]
    #[test]
    fn jiff_times_are_exact_in_any_zone() {
        let time: jiff::Timestamp = "1969-12-31T23:59:59.500000001-01:00".parse().unwrap();
        assert_eq!(Timestamp::from(time), Timestamp::nanos(3_599_500_000_001));
        let zoned = time.to_zoned(jiff::tz::TimeZone::fixed(jiff::tz::offset(5)));
        assert_eq!(Timestamp::from(&zoned), Timestamp::from(time));
        assert_eq!(Timestamp::from(zoned), Timestamp::from(time));
        for time in [jiff::Timestamp::MIN, time, jiff::Timestamp::MAX] {
            assert_eq!(jiff::Timestamp::try_from(Timestamp::from(time)).unwrap(), time);
        }
        assert!(jiff::Timestamp::try_from(Timestamp::seconds(i64::MAX)).is_err());
    }

    #[cfg(feature = "time")]
    #[test]
    fn times_of_the_crate_time_are_exact_in_any_zone() {
        let time = time::OffsetDateTime::from_unix_timestamp_nanos(3_599_500_000_001).unwrap();
        let there = time.to_offset(time::UtcOffset::from_hms(-1, 0, 0).unwrap());
        assert_eq!(Timestamp::from(time), Timestamp::nanos(3_599_500_000_001));
        assert_eq!(Timestamp::from(there), Timestamp::from(time));
        assert_eq!(time::OffsetDateTime::try_from(Timestamp::from(there)).unwrap(), time);
        assert!(time::OffsetDateTime::try_from(Timestamp::seconds(i64::MAX)).is_err());
    }
}
