//! Times as text.

use std::fmt;
use std::str::FromStr;

use super::Timestamp;
use super::time_text;
use crate::{Error, Precision, Result};

/// RFC 3339 in UTC, such as `2022-01-01T08:00:00.500Z`, with as many decimals (none, 3, 6 or 9) as it takes; outside of
/// the years 0 to 9999 the nanoseconds since 1970, such as `253402300800000000000ns`. Reading it back gives the same time.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if time_text::write(f, *self)? {
            return Ok(());
        }
        write!(f, "{}ns", self.as_nanos())
    }
}

/// Reads RFC 3339 and what is around it (a space in place of the `T`, `2022/01/01`, only a date, offsets as `+0100`,
/// the name of a zone in brackets behind an offset; without an offset it is UTC), and an integer with its unit: `s`,
/// `ms`, `us`, `µs` or `ns`, as in `1641024000s`.
///
/// ```
/// use influxdb3_blocking::Timestamp;
///
/// for text in [
///     "2022-01-01T08:00:00Z",
///     "2022-01-01 09:00+01",
///     "1641024000s",
///     "1641024000000 ms",
/// ] {
///     assert_eq!(text.parse::<Timestamp>()?, Timestamp::seconds(1_641_024_000));
/// }
/// // Seconds, or milliseconds?
/// assert!("1641024000".parse::<Timestamp>().is_err());
/// # Ok::<(), influxdb3_blocking::Error>(())
/// ```
///
/// # Errors
///
/// [`InvalidRecord`](crate::ErrorKind::InvalidRecord) for everything else, also for a bare integer.
impl FromStr for Timestamp {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let trimmed = text.trim_ascii();
        let digits = trimmed.strip_prefix('-').unwrap_or(trimmed);
        let end = digits.find(|character: char| !character.is_ascii_digit());
        let unit_length = end.map_or(0, |end| digits.len() - end);
        let (number, unit) = trimmed.split_at(trimmed.len() - unit_length);
        let Ok(number) = number.parse::<i128>() else { return time_text::parse(text) };
        if unit.is_empty() {
            return Err(Error::invalid_record(format!(
                "{text:?} is a number without a unit: write {number}s, {number}ms, {number}us or {number}ns, or a time \
                 such as 2022-01-01T08:00:00Z"
            )));
        }
        let Ok(unit) = unit.parse::<Precision>() else { return time_text::parse(text) };
        number.checked_mul(unit.nanos().into()).map(Self::from_nanos).ok_or_else(|| {
            Error::invalid_record(format!("{text:?} is too far away for a timestamp"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_time_comes_back_from_its_text() {
        for nanos in [
            i128::MIN,
            -62_167_219_200_000_000_001,
            -62_167_219_200_000_000_000,
            i64::MIN.into(),
            -1,
            0,
            1_000,
            1_000_000,
            i64::MAX.into(),
            253_402_300_799_999_999_999,
            253_402_300_800_000_000_000,
            i128::MAX,
        ] {
            let time = Timestamp::from_nanos(nanos);
            assert_eq!(time.to_string().parse::<Timestamp>().unwrap(), time, "{time}");
        }
        assert_eq!(Timestamp::MIN.to_string(), "1677-09-21T00:12:43.145224192Z");
        assert_eq!(Timestamp::MAX.to_string(), "2262-04-11T23:47:16.854775807Z");
        assert_eq!(Timestamp::seconds(253_402_300_800).to_string(), "253402300800000000000ns");
    }

    #[test]
    fn an_integer_has_a_unit_or_is_refused() {
        let read = |text: &str| text.parse::<Timestamp>();
        assert_eq!(read("-5 us").unwrap(), Timestamp::micros(-5));
        assert_eq!(read(" 5 µs ").unwrap(), Timestamp::micros(5));
        assert_eq!(read("5ns").unwrap(), Timestamp::nanos(5));
        for text in ["1641024000", "-1", "20220101"] {
            let message = read(text).unwrap_err().to_string();
            assert!(message.contains("is a number without a unit: write"), "{message}");
        }
        let far = format!("{}s", i128::MAX);
        for text in ["", "s", "-", "5 h", "+5s", "1.5s", "--5s", far.as_str(), "soon"] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
