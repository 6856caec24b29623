//! Units of timestamps in line protocol.

const NANOS_PER_SECOND: i64 = 1_000_000_000;

/// The unit of a request's timestamps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Precision {
    /// Each line's unit is guessed from the size of the number.
    Auto,
    Second,
    Millisecond,
    Microsecond,
    Nanosecond,
}

impl Precision {
    /// The name as it stands in a query string; upper case and other spellings are not names.
    pub(crate) fn parse(name: &str) -> Option<Precision> {
        Some(match name {
            "auto" => Precision::Auto,
            "s" | "second" => Precision::Second,
            "ms" | "millisecond" => Precision::Millisecond,
            "us" | "u" | "microsecond" => Precision::Microsecond,
            "ns" | "n" | "nanosecond" => Precision::Nanosecond,
            _ => return None,
        })
    }

    /// A line's timestamp in nanoseconds, or none if it does not fit.
    pub(crate) fn to_nanos(self, timestamp: i64) -> Option<i64> {
        timestamp.checked_mul(self.of(timestamp).nanos())
    }

    /// The time of the server, in nanoseconds, with what is finer than the unit cut off.
    pub(crate) fn truncate(self, now: i64) -> i64 {
        now - now.rem_euclid(self.nanos())
    }

    /// The unit in which the number would be a time not too far from now.
    fn of(self, timestamp: i64) -> Precision {
        const NEAR: u64 = 5 * NANOS_PER_SECOND.unsigned_abs();
        match self {
            Precision::Auto => match timestamp.unsigned_abs() {
                n if n < NEAR => Precision::Second,
                n if n < NEAR * 1_000 => Precision::Millisecond,
                n if n < NEAR * 1_000_000 => Precision::Microsecond,
                _ => Precision::Nanosecond,
            },
            unit => unit,
        }
    }

    fn nanos(self) -> i64 {
        match self {
            Precision::Second => NANOS_PER_SECOND,
            Precision::Millisecond => 1_000_000,
            Precision::Microsecond => 1_000,
            Precision::Nanosecond | Precision::Auto => 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn auto_guesses_from_the_size() {
        assert_eq!(Precision::Auto.to_nanos(1), Some(1_000_000_000));
        assert_eq!(Precision::Auto.to_nanos(-5_000_000_000), Some(-5_000_000_000_000_000));
        assert_eq!(
            Precision::Auto.to_nanos(1_700_000_000_000_000),
            Some(1_700_000_000_000_000_000)
        );
        assert_eq!(Precision::Auto.to_nanos(i64::MIN), Some(i64::MIN));
    }

    #[test]
    fn overflow_is_none_and_truncation_goes_down() {
        assert_eq!(Precision::Second.to_nanos(i64::MAX), None);
        assert_eq!(Precision::Nanosecond.to_nanos(i64::MAX), Some(i64::MAX));
        assert_eq!(Precision::Millisecond.truncate(1_999_999), 1_000_000);
    }
}
