//! Times as text: RFC 3339 and the forms around it, read strictly and written.

#[cfg(feature = "_columns")]
use std::fmt::Write as _;

#[cfg(feature = "_columns")]
use crate::Precision;
#[cfg(feature = "_columns")]
use crate::calendar::civil;
use crate::calendar::{days_in, days_of};
use crate::{Error, Result, Timestamp};

/// Reads a time as people and programs write it.
///
/// `2022-01-01T08:00:00.5Z` and any offset, a space or `t` in place of the `T`, `/` in place of the `-`, seconds or
/// the whole time of day left out, offsets as `+01:00`, `+0100`, `+01` or `+01:00:00`, `UTC` and `GMT`, and behind all
/// that the name of a zone in brackets, which the offset makes redundant. Without an offset it is UTC. Days of the
/// calendar and times of the day must exist; a leap second is the first instant behind it.
pub(crate) fn parse(text: &str) -> Result<Timestamp> {
    match read(text.trim_ascii()) {
        Some(nanos) => Ok(Timestamp::from_nanos(nanos)),
        None => Err(Error::invalid_record(format!(
            "{text:?} is no time: write it as 2022-01-01T08:00:00Z (RFC 3339) or as an integer"
        ))),
    }
}

/// Reads a time that may also be a number of `unit`s since 1970, with decimals or without.
#[cfg(feature = "_columns")]
pub(crate) fn parse_or_number(text: &str, unit: Precision) -> Result<Timestamp> {
    match number(text.trim_ascii(), unit) {
        Some(nanos) => Ok(Timestamp::from_nanos(nanos)),
        None => parse(text),
    }
}

/// Appends `2022-01-01T08:00:00Z`, with as many decimals (none, 3, 6 or 9) as it takes; false if the year has not four
/// digits.
#[cfg(feature = "_columns")]
pub(crate) fn write(out: &mut Vec<u8>, time: Timestamp) -> bool {
    let nanos = time.as_nanos();
    let day = nanos.div_euclid(NANOS_PER_DAY);
    let Ok(day) = i64::try_from(day) else { return false };
    if !write_day(out, day) {
        return false;
    }
    out.push(b'T');
    // The remainder of a division by the nanoseconds of a day fits.
    write_clock(out, nanos.rem_euclid(NANOS_PER_DAY) as i64);
    out.push(b'Z');
    true
}

/// Appends `2022-01-01` for a day since 1970; false if the year has not four digits.
#[cfg(feature = "_columns")]
pub(crate) fn write_day(out: &mut Vec<u8>, day: i64) -> bool {
    if !(days_of(0, 1, 1)..days_of(10_000, 1, 1)).contains(&day) {
        return false;
    }
    let (year, month, day) = civil(day);
    put(out, format_args!("{year:04}-{month:02}-{day:02}"));
    true
}

/// Appends `08:00:00` for nanoseconds since midnight, with as many decimals as it takes; false if a day has no such
/// time.
#[cfg(feature = "_columns")]
pub(crate) fn write_clock(out: &mut Vec<u8>, nanos: i64) -> bool {
    if !(0..NANOS_PER_DAY).contains(&i128::from(nanos)) {
        return false;
    }
    let seconds = nanos.div_euclid(1_000_000_000);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    put(out, format_args!("{hour:02}:{minute:02}:{second:02}"));
    match nanos.rem_euclid(1_000_000_000) {
        0 => {}
        n if n % 1_000_000 == 0 => put(out, format_args!(".{:03}", n / 1_000_000)),
        n if n % 1_000 == 0 => put(out, format_args!(".{:06}", n / 1_000)),
        n => put(out, format_args!(".{n:09}")),
    }
    true
}

#[cfg(feature = "_columns")]
fn put(out: &mut Vec<u8>, arguments: std::fmt::Arguments<'_>) {
    let mut text = String::new();
    // Writing into a String does not fail.
    let _ = text.write_fmt(arguments);
    out.extend_from_slice(text.as_bytes());
}

fn read(text: &str) -> Option<i128> {
    let mut rest = Rest(text.as_bytes());
    let year = rest.digits(4)?;
    let separator = rest.byte()?;
    if !matches!(separator, b'-' | b'/') {
        return None;
    }
    let month = rest.digits(2)?;
    rest.expect(separator)?;
    let day = rest.digits(2)?;
    if !(1..=12).contains(&month) || !(1..=days_in(year, month)).contains(&day) {
        return None;
    }
    let mut nanos = i128::from(days_of(year, month, day)) * NANOS_PER_DAY;
    if rest.0.is_empty() {
        return Some(nanos);
    }
    if !matches!(rest.byte()?, b'T' | b't' | b' ') {
        return None;
    }
    nanos += rest.clock()?;
    nanos -= rest.offset()?;
    rest.zone_name()?;
    rest.0.is_empty().then_some(nanos)
}

/// What is still to be read.
struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (&first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(first)
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        self.0 = self.0.strip_prefix(&[byte])?;
        Some(())
    }

    fn digits(&mut self, count: usize) -> Option<i64> {
        let (digits, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        digits.iter().try_fold(0, |number, digit| {
            digit.is_ascii_digit().then(|| number * 10 + i64::from(digit - b'0'))
        })
    }

    /// Hours and minutes, and if they are there, seconds and decimals.
    fn clock(&mut self) -> Option<i128> {
        let hour = self.digits(2)?;
        self.expect(b':')?;
        let minute = self.digits(2)?;
        let mut second = 0;
        let mut fraction = 0;
        if self.expect(b':').is_some() {
            second = self.digits(2)?;
            if matches!(self.0.first(), Some(b'.' | b',')) {
                self.byte();
                fraction = self.fraction()?;
            }
        }
        if hour > 23 || minute > 59 || second > 60 {
            return None;
        }
        let seconds = hour * 3600 + minute * 60 + second;
        Some(i128::from(seconds) * 1_000_000_000 + i128::from(fraction))
    }

    /// Decimals of a second, in nanoseconds; what is finer is cut off.
    fn fraction(&mut self) -> Option<i64> {
        let count = self.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (digits, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        if digits.is_empty() {
            return None;
        }
        let padded = digits.iter().map(|digit| i64::from(digit - b'0')).chain(std::iter::repeat(0));
        Some(padded.take(9).fold(0, |number, digit| number * 10 + digit))
    }

    /// The offset from UTC in nanoseconds.
    fn offset(&mut self) -> Option<i128> {
        self.0 = self.0.strip_prefix(b" ").unwrap_or(self.0);
        let word = self.0.split(|&byte| byte == b'[').next().unwrap_or_default();
        let word_len = word.len();
        if word.is_empty()
            || [&b"z"[..], b"utc", b"gmt"].iter().any(|u| word.eq_ignore_ascii_case(u))
        {
            self.0 = self.0.get(word_len..)?;
            return Some(0);
        }
        let sign = match self.byte()? {
            b'+' => 1,
            b'-' => -1,
            _ => return None,
        };
        let hours = self.digits(2)?;
        let with_colon = self.expect(b':').is_some();
        let minutes = match self.0.first() {
            Some(byte) if with_colon || byte.is_ascii_digit() => self.digits(2)?,
            _ if with_colon => return None,
            _ => 0,
        };
        let seconds = match with_colon && self.expect(b':').is_some() {
            true => self.digits(2)?,
            false => 0,
        };
        if hours > 23 || minutes > 59 || seconds > 59 {
            return None;
        }
        Some(i128::from(sign * (hours * 3600 + minutes * 60 + seconds)) * 1_000_000_000)
    }

    /// `[Europe/Berlin]`, or nothing.
    fn zone_name(&mut self) -> Option<()> {
        if self.0.is_empty() {
            return Some(());
        }
        let name = self.0.strip_prefix(b"[")?.strip_suffix(b"]")?;
        if name.is_empty() || name.iter().any(|byte| matches!(byte, b'[' | b']')) {
            return None;
        }
        self.0 = &[];
        Some(())
    }
}

/// A decimal number of units in nanoseconds; decimals below a nanosecond are cut off, towards the past.
#[cfg(feature = "_columns")]
fn number(text: &str, unit: Precision) -> Option<i128> {
    let (negative, digits) = match text.as_bytes() {
        [b'-', rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    let point = digits.iter().position(|&byte| byte == b'.');
    let (whole, decimals) = match point {
        Some(place) => (digits.get(..place)?, digits.get(place + 1..)?),
        None => (digits, &[][..]),
    };
    let is_number = |digits: &[u8]| !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    // 20 digits are beyond what a timestamp can be.
    if !is_number(whole) || whole.len() > 20 || (point.is_some() && !is_number(decimals)) {
        return None;
    }
    let value = |digits: &[u8]| {
        digits.iter().fold(0_i128, |number, digit| number * 10 + i128::from(digit - b'0'))
    };
    let unit = i128::from(unit.nanos());
    let decimals = decimals.get(..decimals.len().min(18))?;
    let scale = 10_i128.pow(decimals.len() as u32); // at most 18
    let total = (value(whole) * scale + value(decimals)) * unit;
    Some(if negative { -total } else { total }.div_euclid(scale))
}

const NANOS_PER_DAY: i128 = 86_400_000_000_000;
#[cfg(test)]
mod tests {
    use super::*;

    fn nanos(text: &str) -> Option<i128> {
        parse(text).ok().map(Timestamp::as_nanos)
    }

    #[test]
    fn rfc_3339_and_its_relatives_are_one_instant() {
        for text in [
            "2022-01-01T08:00:00Z",
            "2022-01-01t08:00:00z",
            "2022-01-01 08:00:00",
            " 2022-01-01 08:00 ",
            "2022/01/01 08:00:00 UTC",
            "2022-01-01T09:00:00+01:00",
            "2022-01-01T09:00:00.000+0100",
            "2022-01-01T09:00:00,0+01",
            "2022-01-01 7:00:00".replace(" 7", " 07").replace("00:00", "00:00-01:00").as_str(),
            "2022-01-01 08:00:00.0 +00:00:00",
            "2022-01-01T09:00:00+01:00[Europe/Berlin]",
            "2022-01-01T08:00:00[UTC]",
        ] {
            assert_eq!(nanos(text), Some(1_641_024_000_000_000_000), "{text}");
        }
        assert_eq!(nanos("1969-12-31T23:59:59.123456789Z"), Some(-876_543_211));
        assert_eq!(nanos("2016-12-31T23:59:60Z"), nanos("2017-01-01T00:00:00Z"));
        assert_eq!(nanos("2024-02-29"), Some(1_709_164_800_000_000_000));
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "now",
            "2022",
            "2022-1-1",
            "2022-13-01",
            "2022-00-01",
            "2022-02-29",
            "2022-04-31",
            "2022-01-01T",
            "2022-01-01T24:00:00Z",
            "2022-01-01T08",
            "2022-01-01T08:60Z",
            "2022-01-01T08:00:61Z",
            "2022-01-01T08:00:00.Z",
            "2022-01-01T08:00:00+1",
            "2022-01-01T08:00:00+01:",
            "2022-01-01T08:00:00+24:00",
            "2022-01-01T08:00:00 CET",
            "2022-01-01T08:00:00Zx",
            "2022-01/01",
            "01/02/2022",
            "2022-01-01T08:00:00Z[]",
            "２022-01-01",
            "-022-01-01",
            "2022-01-01T08:00:00+01:00:",
            "2022-01-01T+8:00:00",
        ] {
            assert_eq!(nanos(text), None, "{text}");
        }
    }

    #[cfg(feature = "chrono")]
    #[test]
    fn every_instant_is_read_as_chrono_reads_it() {
        use chrono::{DateTime, FixedOffset, SecondsFormat};
        let mut state = 1_u64;
        for _ in 0..50_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let seconds = (state >> 8) as i64 % 250_000_000_000 - 60_000_000_000;
            let sub = (state % 1_000_000_000) as u32;
            let Some(time) = DateTime::from_timestamp(seconds, sub) else { continue };
            let offset = FixedOffset::east_opt((state >> 33) as i32 % 1_400 * 60 - 42_000).unwrap();
            let zoned = time.with_timezone(&offset);
            for format in [SecondsFormat::AutoSi, SecondsFormat::Nanos] {
                let text = zoned.to_rfc3339_opts(format, true);
                if !text.starts_with(|first: char| first.is_ascii_digit()) {
                    continue;
                }
                assert_eq!(parse(&text).unwrap(), Timestamp::from(time), "{text}");
            }
        }
    }

    #[cfg(all(feature = "chrono", feature = "_columns"))]
    #[test]
    fn every_instant_is_written_as_chrono_writes_it() {
        use chrono::{DateTime, SecondsFormat};
        let mut state = 1_u64;
        for round in 0..50_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let seconds = (state >> 8) as i64 % 315_000_000_000 - 62_000_000_000;
            let sub = [0, 500_000_000, 1_000, 1][round % 4];
            let time = DateTime::from_timestamp(seconds, sub).unwrap();
            let mut out = Vec::new();
            assert!(write(&mut out, time.into()));
            let expected = time.to_rfc3339_opts(SecondsFormat::AutoSi, true);
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
        assert!(!write(&mut Vec::new(), Timestamp::seconds(253_402_300_800)));
    }

    #[cfg(feature = "_columns")]
    #[test]
    fn numbers_are_exact_in_their_unit() {
        let nanos = |text, unit| parse_or_number(text, unit).map(Timestamp::as_nanos).ok();
        assert_eq!(nanos("1641024000", Precision::Second), Some(1_641_024_000_000_000_000));
        assert_eq!(
            nanos("1641024000.123456789", Precision::Second),
            Some(1_641_024_000_123_456_789)
        );
        assert_eq!(nanos("-0.5", Precision::Second), Some(-500_000_000));
        assert_eq!(nanos("-0.5", Precision::Nanosecond), Some(-1));
        assert_eq!(nanos("7", Precision::Nanosecond), Some(7));
        for text in ["", "-", "1.", ".5", "1e9", "+1", "1_000", "123456789012345678901"] {
            assert_eq!(nanos(text, Precision::Second), None, "{text}");
        }
    }
}
