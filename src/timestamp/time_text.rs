//! Times as text: RFC 3339 and the forms around it, read strictly and written.

use std::fmt::{self, Write};

use crate::calendar::{civil, days_in, days_of, seconds_of_clock};
use crate::{Error, Precision, Result, Timestamp};

/// Reads a time as people and programs write it.
///
/// `2022-01-01T08:00:00.5Z` and any offset, a space or `t` in place of the `T`, `/` in place of the `-`, seconds or
/// the whole time of day left out, offsets as `+01:00`, `+0100`, `+01` or `+01:00:00`, `UTC` and `GMT`, and behind all
/// that the name of a zone in brackets, which the offset makes redundant. Without an offset it is UTC; a zone
/// without an offset is refused unless it is UTC or GMT, as its offset is not known here. Days of the calendar and times
/// of the day must exist; a leap second is the first instant behind it.
///
/// # Errors
///
/// [`InvalidRecord`](crate::ErrorKind::InvalidRecord) for everything else.
pub(crate) fn parse(text: &str) -> Result<Timestamp> {
    read(text.trim_ascii()).map(Timestamp::from_nanos).map_err(|fault| {
        Error::invalid_record(match fault {
            Fault::NoTime => format!(
                "{text:?} is no time: write it as 2022-01-01T08:00:00Z (RFC 3339) or as an integer"
            ),
            Fault::ZoneWithoutOffset => format!(
                "{text:?} names a time zone but no offset from UTC: write the offset too, as in \
                 2022-07-01T08:00:00+02:00[Europe/Berlin]"
            ),
        })
    })
}

/// Reads a time that may also be a number of `unit`s since 1970, with decimals or without.
///
/// # Errors
///
/// As for [`parse`].
pub(crate) fn parse_or_number(text: &str, unit: Precision) -> Result<Timestamp> {
    match number(text.trim_ascii(), unit) {
        Some(nanos) => Ok(Timestamp::from_nanos(nanos)),
        None => parse(text),
    }
}

/// Appends `2022-01-01T08:00:00Z`, with as many decimals (none, 3, 6 or 9) as it takes; false, and nothing is appended,
/// if the year has not four digits.
pub(crate) fn write(out: &mut impl Write, time: Timestamp) -> Result<bool, fmt::Error> {
    let nanos = time.as_nanos();
    let Ok(day) = i64::try_from(nanos.div_euclid(NANOS_PER_DAY)) else { return Ok(false) };
    if !write_day(out, day)? {
        return Ok(false);
    }
    out.write_char('T')?;
    // The remainder of a division by the nanoseconds of a day fits.
    write_clock(out, nanos.rem_euclid(NANOS_PER_DAY) as i64)?;
    out.write_char('Z')?;
    Ok(true)
}

/// Appends `2022-01-01` for a day since 1970; false, and nothing is appended, if the year has not four digits.
pub(crate) fn write_day(out: &mut impl Write, day: i64) -> Result<bool, fmt::Error> {
    if !(days_of(0, 1, 1)..days_of(10_000, 1, 1)).contains(&day) {
        return Ok(false);
    }
    let (year, month, day) = civil(day);
    write!(out, "{year:04}-{month:02}-{day:02}")?;
    Ok(true)
}

/// Appends `08:00:00` for nanoseconds since midnight, with as many decimals (none, 3, 6 or 9) as it takes; false, and
/// nothing is appended, if a day has no such time.
pub(crate) fn write_clock(out: &mut impl Write, nanos: i64) -> Result<bool, fmt::Error> {
    if !(0..NANOS_PER_DAY).contains(&i128::from(nanos)) {
        return Ok(false);
    }
    let seconds = nanos.div_euclid(1_000_000_000);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    write!(out, "{hour:02}:{minute:02}:{second:02}")?;
    match nanos.rem_euclid(1_000_000_000) {
        0 => {}
        n if n % 1_000_000 == 0 => write!(out, ".{:03}", n / 1_000_000)?,
        n if n % 1_000 == 0 => write!(out, ".{:06}", n / 1_000)?,
        n => write!(out, ".{n:09}")?,
    }
    Ok(true)
}

/// Bytes as what texts are written to.
#[cfg(feature = "_columns")]
pub(crate) struct Utf8<'a>(pub(crate) &'a mut Vec<u8>);

#[cfg(feature = "_columns")]
impl Write for Utf8<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

/// Why a text is no time.
enum Fault {
    NoTime,
    ZoneWithoutOffset,
}

impl Fault {
    fn unless<T>(value: Option<T>) -> Result<T, Self> {
        value.ok_or(Self::NoTime)
    }
}

fn read(text: &str) -> Result<i128, Fault> {
    let mut rest = Rest(text.as_bytes());
    let mut nanos = Fault::unless(rest.date())?;
    if rest.0.is_empty() {
        return Ok(nanos);
    }
    let separator = Fault::unless(rest.byte())?;
    if !matches!(separator, b'T' | b't' | b' ') {
        return Err(Fault::NoTime);
    }
    nanos += Fault::unless(rest.clock())?;
    let offset = Fault::unless(rest.offset())?;
    match (Fault::unless(rest.zone_name())?, offset) {
        (Some(name), None) if !is_utc(name) => Err(Fault::ZoneWithoutOffset),
        (_, offset) => Ok(nanos - offset.unwrap_or(0)),
    }
}

/// Whether a name of the time zone database is one of UTC.
fn is_utc(name: &[u8]) -> bool {
    let names = [&b"utc"[..], b"gmt", b"etc/utc", b"etc/gmt"];
    names.iter().any(|utc| name.eq_ignore_ascii_case(utc))
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

    /// Year, month and day, as nanoseconds since 1970.
    fn date(&mut self) -> Option<i128> {
        let year = self.digits(4)?;
        let separator = self.byte()?;
        if !matches!(separator, b'-' | b'/') {
            return None;
        }
        let month = self.digits(2)?;
        self.expect(separator)?;
        let day = self.digits(2)?;
        if !(1..=12).contains(&month) || !(1..=days_in(year, month)).contains(&day) {
            return None;
        }
        Some(i128::from(days_of(year, month, day)) * NANOS_PER_DAY)
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
        let seconds = seconds_of_clock(hour, minute, second)?;
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

    /// The offset from UTC in nanoseconds, if there is one.
    fn offset(&mut self) -> Option<Option<i128>> {
        self.0 = self.0.strip_prefix(b" ").unwrap_or(self.0);
        let word = self.0.split(|&byte| byte == b'[').next().unwrap_or_default();
        let word_len = word.len();
        if word.is_empty() {
            return Some(None);
        }
        if [&b"z"[..], b"utc", b"gmt"].iter().any(|u| word.eq_ignore_ascii_case(u)) {
            self.0 = self.0.get(word_len..)?;
            return Some(Some(0));
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
        Some(Some(i128::from(sign * (hours * 3600 + minutes * 60 + seconds)) * 1_000_000_000))
    }

    /// The name in `[Europe/Berlin]`, if there is one; it is the end of the text.
    fn zone_name(&self) -> Option<Option<&[u8]>> {
        if self.0.is_empty() {
            return Some(None);
        }
        let name = self.0.strip_prefix(b"[")?.strip_suffix(b"]")?;
        if name.is_empty() || name.iter().any(|byte| matches!(byte, b'[' | b']')) {
            return None;
        }
        Some(Some(name))
    }
}

/// A decimal number of units in nanoseconds; decimals below a nanosecond are cut off, towards the past.
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
            "2022-01-01 08:00:00 [GMT]",
            "2022-01-01 08:00[Etc/UTC]",
            "2022-01-01T08:00:00Z[Europe/Berlin]",
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

    #[test]
    fn a_zone_without_an_offset_is_refused_as_its_offset_is_not_known() {
        for text in ["2022-07-01T08:00:00[Europe/Berlin]", "2022-07-01 08:00 [America/New_York]"] {
            let message = parse(text).unwrap_err().to_string();
            assert!(message.contains("names a time zone but no offset from UTC"), "{message}");
        }
        assert_eq!(
            nanos("2022-07-01T08:00:00+02:00[Europe/Berlin]"),
            nanos("2022-07-01T06:00:00Z")
        );
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

    #[cfg(feature = "chrono")]
    #[test]
    fn every_instant_is_written_as_chrono_writes_it() {
        use chrono::{DateTime, SecondsFormat};
        let mut state = 1_u64;
        for round in 0..50_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let seconds = (state >> 8) as i64 % 315_000_000_000 - 62_000_000_000;
            let sub = [0, 500_000_000, 1_000, 1][round % 4];
            let time = DateTime::from_timestamp(seconds, sub).unwrap();
            let mut out = String::new();
            assert_eq!(write(&mut out, time.into()), Ok(true));
            assert_eq!(out, time.to_rfc3339_opts(SecondsFormat::AutoSi, true));
        }
        assert_eq!(write(&mut String::new(), Timestamp::seconds(253_402_300_800)), Ok(false));
    }

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
