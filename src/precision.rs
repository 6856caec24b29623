use std::fmt;
use std::str::FromStr;

use crate::Error;

/// The unit of the timestamps of a write.
///
/// ```
/// use influxdb3_blocking::Precision;
///
/// let precision: Precision = "ms".parse()?;
/// assert_eq!(precision, Precision::Millisecond);
/// assert_eq!(precision.long_name(), "millisecond");
/// assert_eq!(precision.nanos(), 1_000_000);
/// # Ok::<_, influxdb3_blocking::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[allow(clippy::exhaustive_enums)] // the server knows these four
pub enum Precision {
    /// Nanoseconds, the default.
    #[default]
    Nanosecond,
    /// Microseconds.
    Microsecond,
    /// Milliseconds.
    Millisecond,
    /// Seconds.
    Second,
}

impl Precision {
    /// The name that `/api/v2/write` documents: `ns`, `us`, `ms` or `s`.
    #[must_use]
    pub const fn short_name(self) -> &'static str {
        match self {
            Self::Nanosecond => "ns",
            Self::Microsecond => "us",
            Self::Millisecond => "ms",
            Self::Second => "s",
        }
    }

    /// The name that `/api/v3/write_lp` documents: `nanosecond`, `microsecond`, `millisecond` or `second`.
    #[must_use]
    pub const fn long_name(self) -> &'static str {
        match self {
            Self::Nanosecond => "nanosecond",
            Self::Microsecond => "microsecond",
            Self::Millisecond => "millisecond",
            Self::Second => "second",
        }
    }

    /// Nanoseconds in one unit.
    #[must_use]
    pub const fn nanos(self) -> i64 {
        match self {
            Self::Nanosecond => 1,
            Self::Microsecond => 1_000,
            Self::Millisecond => 1_000_000,
            Self::Second => 1_000_000_000,
        }
    }
}

/// Shows the short name.
impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.short_name())
    }
}

/// Takes the short names, the long names, and `u`, `µs` and `n`, in any case.
impl FromStr for Precision {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text.trim().to_lowercase().as_str() {
            "ns" | "n" | "nanosecond" => Ok(Self::Nanosecond),
            // Two characters look alike: the micro sign and the Greek letter mu.
            "us" | "u" | "\u{b5}s" | "\u{3bc}s" | "microsecond" => Ok(Self::Microsecond),
            "ms" | "millisecond" => Ok(Self::Millisecond),
            "s" | "second" => Ok(Self::Second),
            _ => Err(Error::config(format!(
                "{text:?} is no precision: use ns, us, ms or s, or nanosecond, microsecond, millisecond or second"
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_the_family_is_understood() {
        for precision in [
            Precision::Nanosecond,
            Precision::Microsecond,
            Precision::Millisecond,
            Precision::Second,
        ] {
            for name in [precision.short_name(), precision.long_name()] {
                assert_eq!(name.parse::<Precision>().unwrap(), precision);
                assert_eq!(name.to_uppercase().parse::<Precision>().unwrap(), precision);
            }
        }
        assert_eq!("µs".parse::<Precision>().unwrap(), Precision::Microsecond);
        for wrong in ["", "auto", "h", "seconds", "ns ns"] {
            assert!(wrong.parse::<Precision>().is_err(), "{wrong}");
        }
    }
}
