//! Times and durations.

use std::ops::{Add, AddAssign, Sub, SubAssign};
use std::time::Duration;

use super::{NANOS_PER_SECOND, Timestamp};

impl Timestamp {
    /// 1970-01-01T00:00:00Z.
    pub(crate) const EPOCH: Self = Self(0);

    /// How long this time is behind an earlier one; none if that is the later of the two, or too far away for a
    /// [`Duration`].
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use influxdb3_blocking::Timestamp;
    ///
    /// let (first, second) = (Timestamp::millis(-500), Timestamp::seconds(1));
    /// assert_eq!(second.duration_since(first), Some(Duration::from_millis(1500)));
    /// assert_eq!(first.duration_since(second), None);
    /// ```
    #[must_use]
    pub fn duration_since(self, earlier: Self) -> Option<Duration> {
        let nanos = u128::try_from(self.0.checked_sub(earlier.0)?).ok()?;
        let per_second = NANOS_PER_SECOND.unsigned_abs();
        let seconds = u64::try_from(nanos / per_second).ok()?;
        Some(Duration::new(seconds, (nanos % per_second) as u32)) // a remainder of 10^9 fits
    }

    /// Seconds since 1970, rounded down, and the nanoseconds behind them.
    #[cfg(any(feature = "chrono", feature = "serde"))]
    pub(crate) fn seconds_and_nanos(self) -> (i128, u32) {
        let nanos = self.0.rem_euclid(NANOS_PER_SECOND) as u32; // a remainder of 10^9 fits
        (self.0.div_euclid(NANOS_PER_SECOND), nanos)
    }
}

/// Where 128 bits of nanoseconds are not enough, 10²² years away, the result is the last time that they can hold.
impl Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(nanos(duration)))
    }
}

impl AddAssign<Duration> for Timestamp {
    fn add_assign(&mut self, duration: Duration) {
        *self = *self + duration;
    }
}

/// Where 128 bits of nanoseconds are not enough, 10²² years away, the result is the first time that they can hold.
impl Sub<Duration> for Timestamp {
    type Output = Self;

    fn sub(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(nanos(duration)))
    }
}

impl SubAssign<Duration> for Timestamp {
    fn sub_assign(&mut self, duration: Duration) {
        *self = *self - duration;
    }
}

/// At most 2^64 seconds, so that this cannot overflow.
pub(super) fn nanos(duration: Duration) -> i128 {
    i128::from(duration.as_secs()) * NANOS_PER_SECOND + i128::from(duration.subsec_nanos())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_added_and_taken_away_exactly() {
        let mut time = Timestamp::MIN;
        time += Duration::new(1, 1);
        assert_eq!(time.as_nanos(), i128::from(i64::MIN) + 1_000_000_001);
        time -= Duration::new(1, 1);
        assert_eq!(time, Timestamp::MIN);
        let range = Timestamp::MAX.duration_since(Timestamp::MIN).unwrap();
        assert_eq!(range.as_nanos(), u128::from(u64::MAX));
        assert_eq!(Timestamp::MIN + range, Timestamp::MAX);
        assert_eq!(Timestamp::MIN.duration_since(Timestamp::MAX), None);
        assert_eq!(Timestamp::MAX.duration_since(Timestamp::MAX), Some(Duration::ZERO));
    }

    #[test]
    fn nothing_overflows() {
        let (first, last) = (Timestamp(i128::MIN), Timestamp(i128::MAX));
        assert_eq!((last + Duration::MAX, first - Duration::MAX), (last, first));
        assert_eq!(last.duration_since(first), None);
        assert_eq!(last.duration_since(Timestamp::EPOCH), None);
        assert_eq!(
            (Timestamp::EPOCH + Duration::MAX).duration_since(Timestamp::EPOCH),
            Some(Duration::MAX)
        );
    }
}
