//! Precisions from text.

use std::str::FromStr;

use crate::{Error, Precision};

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
