mod arithmetic;
mod clocks;
mod precision_text;
#[cfg(feature = "serde")]
mod serde;
mod text;
pub(crate) mod time_text;

use crate::{Error, Precision, Result};

/// A point in time: nanoseconds since 1970-01-01T00:00:00Z.
///
/// The unit is part of the type, so that a bare number never has to be guessed. Any time that the constructors can
/// express is held exactly; what the server can hold (the years 1677 to 2262) is checked when a line is
/// encoded. A write in a coarser [`Precision`] rounds down, also before 1970.
///
/// ```
/// use influxdb3_blocking::Timestamp;
///
/// let millis = Timestamp::millis(1_641_024_000_000);
/// assert_eq!(Timestamp::seconds(1_641_024_000), millis);
/// assert_eq!(Timestamp::micros(-1).as_nanos(), -1_000);
/// ```
///
/// Times convert from and to [`SystemTime`](std::time::SystemTime), and with the features of these names types of the
/// crates `chrono`, `jiff` and `time`.
/// As text they are RFC 3339 in UTC:
///
/// ```
/// use std::time::{Duration, SystemTime};
///
/// use influxdb3_blocking::Timestamp;
///
/// let time: Timestamp = "2022-01-01T09:00:00+01:00".parse()?;
/// let later = time + Duration::from_millis(1500);
/// assert_eq!(later.to_string(), "2022-01-01T08:00:01.500Z");
/// assert_eq!(later.duration_since(time), Some(Duration::from_millis(1500)));
/// let since_1970 = Duration::from_millis(1_641_024_001_500);
/// assert_eq!(SystemTime::try_from(later)?, SystemTime::UNIX_EPOCH + since_1970);
/// # Ok::<(), influxdb3_blocking::Error>(())
/// ```
///
/// With the feature `serde`, a time is that text in formats that people read (JSON, YAML), and in all others a tuple of
/// the seconds since 1970 (`i64`, rounded down) and the nanoseconds after them (`u32`). Every format
/// restores it exactly.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Timestamp(i128);

impl Timestamp {
    /// The first time that InfluxDB can hold, 1677-09-21T00:12:43.145224192Z. A `Timestamp` may be before it, and is
    /// then refused where it is written.
    ///
    /// ```
    /// use influxdb3_blocking::{Point, Timestamp};
    ///
    /// let point = Point::new("dawn").field("n", 1);
    /// let line = point.time(Timestamp::MIN).to_string();
    /// assert_eq!(line, format!("dawn n=1i {}", i64::MIN));
    /// ```
    pub const MIN: Self = Self(i64::MIN as i128);

    /// The last time that InfluxDB can hold, 2262-04-11T23:47:16.854775807Z. A `Timestamp` may be behind it, and is then
    /// refused where it is written.
    ///
    /// ```
    /// use influxdb3_blocking::Timestamp;
    ///
    /// let never = Timestamp::seconds(9_999_999_999); // in the year 2286
    /// assert_eq!(never.min(Timestamp::MAX), Timestamp::MAX);
    /// ```
    pub const MAX: Self = Self(i64::MAX as i128);

    /// A time in nanoseconds since the epoch.
    ///
    /// ```
    /// use influxdb3_blocking::Timestamp;
    ///
    /// let time = Timestamp::nanos(1_641_024_000_000_000_001);
    /// assert_eq!(time.to_string(), "2022-01-01T08:00:00.000000001Z");
    /// ```
    #[must_use]
    pub const fn nanos(nanos: i64) -> Self {
        Self(nanos as i128)
    }

    /// A time in microseconds since the epoch.
    ///
    /// ```
    /// use influxdb3_blocking::Timestamp;
    ///
    /// let time = Timestamp::micros(1_641_024_000_000_250);
    /// assert_eq!(time.to_string(), "2022-01-01T08:00:00.000250Z");
    /// ```
    #[must_use]
    pub const fn micros(micros: i64) -> Self {
        Self(micros as i128 * 1_000)
    }

    /// A time in milliseconds since the epoch.
    ///
    /// ```
    /// use influxdb3_blocking::Timestamp;
    ///
    /// let time = Timestamp::millis(1_641_024_000_500);
    /// assert_eq!(time.to_string(), "2022-01-01T08:00:00.500Z");
    /// ```
    #[must_use]
    pub const fn millis(millis: i64) -> Self {
        Self(millis as i128 * 1_000_000)
    }

    /// A time in seconds since the epoch.
    ///
    /// ```
    /// use influxdb3_blocking::Timestamp;
    ///
    /// let time = Timestamp::seconds(-1);
    /// assert_eq!(time.to_string(), "1969-12-31T23:59:59Z");
    /// ```
    #[must_use]
    pub const fn seconds(seconds: i64) -> Self {
        Self(seconds as i128 * NANOS_PER_SECOND)
    }

    /// The time of this machine's clock. (Not on `wasm32-unknown-unknown`, which has none.)
    ///
    /// ```
    /// use influxdb3_blocking::{Point, Timestamp};
    ///
    /// // One time for all of them.
    /// let now = Timestamp::now();
    /// let point = |n: i64| Point::new("count").field("n", n).time(now);
    /// assert_eq!(point(1).timestamp(), point(2).timestamp());
    /// ```
    #[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
    #[must_use]
    pub fn now() -> Self {
        std::time::SystemTime::now().into()
    }

    /// Nanoseconds since the epoch.
    ///
    /// ```
    /// use influxdb3_blocking::Timestamp;
    ///
    /// let begin = Timestamp::millis(1_641_024_000_000);
    /// let end = Timestamp::millis(1_641_024_000_250);
    /// assert_eq!(end.as_nanos() - begin.as_nanos(), 250_000_000);
    /// ```
    #[must_use]
    pub const fn as_nanos(self) -> i128 {
        self.0
    }

    /// A time that may be outside of what the server can hold.
    pub(crate) const fn from_nanos(nanos: i128) -> Self {
        Self(nanos)
    }

    /// A time in this unit since the epoch.
    #[inline]
    pub(crate) fn of_unit(value: i64, unit: Precision) -> Self {
        Self(i128::from(value) * i128::from(unit.nanos()))
    }

    /// The number that stands in a line of this precision.
    ///
    /// It fits only if it still fits as nanoseconds, which is what the server turns it into.
    #[inline]
    pub(crate) fn scaled(self, precision: Precision) -> Result<i64> {
        let Ok(nanos) = i64::try_from(self.0) else { return self.scaled_slowly(precision) };
        match precision {
            Precision::Nanosecond => Ok(nanos),
            // `checked_mul` guards the first second of what nanoseconds can hold, where rounding down leaves it.
            _ => {
                let scaled = nanos.div_euclid(precision.nanos());
                match scaled.checked_mul(precision.nanos()) {
                    Some(_) => Ok(scaled),
                    None => Err(self.out_of_range()),
                }
            }
        }
    }

    /// As [`scaled`](Self::scaled), for what does not fit into 64 bits of nanoseconds before rounding down.
    #[cold]
    fn scaled_slowly(self, precision: Precision) -> Result<i64> {
        let unit = i128::from(precision.nanos());
        let scaled = self.0.div_euclid(unit);
        match (i64::try_from(scaled), i64::try_from(scaled * unit)) {
            (Ok(scaled), Ok(_)) => Ok(scaled),
            _ => Err(self.out_of_range()),
        }
    }

    #[cold]
    fn out_of_range(self) -> Error {
        Error::invalid_record(format!(
            "the timestamp of {} ns since 1970 is outside of what InfluxDB can hold, the years 1677 to 2262: \
             check the unit that it was made with",
            self.0
        ))
    }
}

const NANOS_PER_SECOND: i128 = 1_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Precision; 4] =
        [Precision::Nanosecond, Precision::Microsecond, Precision::Millisecond, Precision::Second];

    #[test]
    fn scaling_rounds_down_on_both_sides_of_the_epoch() {
        let cases = [
            (60_000_000_070, [60_000_000_070, 60_000_000, 60_000, 60]),
            (-1, [-1, -1, -1, -1]),
            (-1_000_000_000, [-1_000_000_000, -1_000_000, -1_000, -1]),
            (-500_000_000, [-500_000_000, -500_000, -500, -1]),
            (0, [0; 4]),
        ];
        for (nanos, expected) in cases {
            for (precision, expected) in ALL.into_iter().zip(expected) {
                assert_eq!(Timestamp::nanos(nanos).scaled(precision).unwrap(), expected);
            }
        }
    }

    #[test]
    fn what_the_server_cannot_hold_is_an_error_in_every_precision() {
        for precision in ALL {
            assert!(Timestamp::seconds(i64::MAX).scaled(precision).is_err());
            assert!(Timestamp::seconds(i64::MIN).scaled(precision).is_err());
        }
        let (first, last) = (Timestamp::nanos(i64::MIN), Timestamp::nanos(i64::MAX));
        assert_eq!(first.scaled(Precision::Nanosecond).unwrap(), i64::MIN);
        for precision in ALL {
            assert_eq!(last.scaled(precision).unwrap(), i64::MAX / precision.nanos());
        }
        // Rounding down leaves the range: the server would refuse -9223372037 s.
        assert!(first.scaled(Precision::Second).is_err());
        assert_eq!(
            Timestamp::seconds(-9_223_372_036).scaled(Precision::Second).unwrap(),
            -9_223_372_036
        );
        // Rounding down enters it.
        let after_last = Timestamp(i128::from(i64::MAX) + 1);
        assert!(after_last.scaled(Precision::Nanosecond).is_err());
        assert_eq!(after_last.scaled(Precision::Second).unwrap(), 9_223_372_036);
    }
}
