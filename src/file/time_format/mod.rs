//! Times in a format of the file's own.

mod format_item;
#[cfg(feature = "csv")]
mod go_layout;
mod strftime;
mod time_parser;

use self::format_item::FormatItem;
use self::time_parser::{MONTHS, TimeParser, WEEKDAYS};
use crate::calendar::{days_in, days_of};
use crate::line_protocol::escape;
use crate::{Error, Result, Timestamp};

/// How a time is written.
#[derive(Clone, Debug)]
pub(crate) struct TimeFormat {
    text: String,
    items: Vec<FormatItem>,
    /// Seconds that clocks without an offset of their own are ahead of UTC.
    offset: i64,
}

impl TimeFormat {
    /// A format of `strftime`.
    ///
    /// # Errors
    /// It has a conversion that is not known, no year, or one of `%I` and `%p` without the other.
    pub(crate) fn strftime(text: &str) -> Result<Self> {
        Self::of(text, strftime::items(text)?)
    }

    /// A layout of Go, as annotated CSV has them.
    ///
    /// # Errors
    /// It has no year, or an hour from 1 to 12 without a part for AM and PM, or the other way round.
    #[cfg(feature = "csv")]
    pub(super) fn go(text: &str) -> Result<Self> {
        Self::of(text, go_layout::items(text))
    }

    fn of(text: &str, items: Vec<FormatItem>) -> Result<Self> {
        let has_day = [FormatItem::Year, FormatItem::ShortYear, FormatItem::Epoch]
            .iter()
            .any(|item| items.contains(item));
        if !has_day {
            return Err(Error::config(format!(
                "the time format {} has no year: a time without one cannot be placed",
                escape::quoted(text)
            )));
        }
        if items.contains(&FormatItem::HalfDayHour) != items.contains(&FormatItem::Half) {
            return Err(Error::config(format!(
                "the time format {} has one of %I and %p without the other",
                escape::quoted(text)
            )));
        }
        Ok(Self { text: text.to_owned(), items, offset: 0 })
    }

    /// Sets the offset of times without one: `seconds` ahead of UTC.
    #[cfg(feature = "csv")]
    pub(super) fn set_offset(&mut self, seconds: i64) {
        self.offset = seconds;
    }

    /// Reads a time; blanks around it do not matter.
    pub(super) fn read(&self, text: &str) -> Result<Timestamp> {
        match self.parse(text.trim_ascii()) {
            Some(nanos) => Ok(Timestamp::from_nanos(nanos)),
            None => Err(Error::invalid_record(format!(
                "{} is no time of the format {}",
                escape::quoted(text),
                escape::quoted(&self.text)
            ))),
        }
    }

    fn parse(&self, text: &str) -> Option<i128> {
        let mut rest = TimeParser(text);
        let (mut year, mut month, mut day, mut day_of_year) = (1970, 1, 1, None);
        let (mut hour, mut minute, mut second, mut nanos) = (0, 0, 0, 0);
        let (mut half, mut offset, mut epoch) = (None, self.offset, None);
        for item in &self.items {
            match *item {
                FormatItem::Literal(wanted) => rest.literal(wanted)?,
                FormatItem::Blanks => rest.0 = rest.0.trim_ascii_start(),
                FormatItem::Year => year = rest.exactly(4)?,
                FormatItem::ShortYear => {
                    let short = rest.exactly(2)?;
                    year = if short < 69 { 2000 + short } else { 1900 + short };
                }
                FormatItem::Month => month = rest.number(2)?,
                FormatItem::MonthName => month = rest.name(&MONTHS)? + 1,
                FormatItem::Day => day = rest.number(2)?,
                FormatItem::DayOfYear => day_of_year = Some(rest.number(3)?),
                FormatItem::WeekdayName => drop(rest.name(&WEEKDAYS)?),
                FormatItem::Hour | FormatItem::HalfDayHour => hour = rest.number(2)?,
                FormatItem::Half => half = Some(rest.half()?),
                FormatItem::Minute => minute = rest.number(2)?,
                FormatItem::Second => second = rest.number(2)?,
                FormatItem::Fraction => nanos = rest.fraction()?,
                FormatItem::MarkAndFraction => {
                    if let Some(behind) = rest.0.strip_prefix(['.', ',']) {
                        rest.0 = behind;
                        nanos = rest.fraction()?;
                    }
                }
                FormatItem::Offset => offset = rest.offset()?,
                FormatItem::Epoch => epoch = Some(rest.epoch()?),
            }
        }
        if !rest.0.is_empty() {
            return None;
        }
        if let Some(is_afternoon) = half {
            if !(1..=12).contains(&hour) {
                return None;
            }
            hour = hour % 12 + if is_afternoon { 12 } else { 0 };
        }
        let is_date = (1..=12).contains(&month) && (1..=days_in(year, month)).contains(&day);
        if !is_date || hour > 23 || minute > 59 || second > 60 {
            return None;
        }
        let days = match day_of_year {
            None => days_of(year, month, day),
            Some(number)
                if (1..=days_of(year + 1, 1, 1) - days_of(year, 1, 1)).contains(&number) =>
            {
                days_of(year, 1, 1) + number - 1
            }
            Some(_) => return None,
        };
        let clock = hour * 3600 + minute * 60 + second - offset;
        let seconds = epoch.unwrap_or_else(|| i128::from(days) * 86_400 + i128::from(clock));
        Some(seconds * 1_000_000_000 + i128::from(nanos))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(format: &TimeFormat, text: &str) -> Option<i128> {
        format.read(text).ok().map(|time| time.as_nanos() / 1_000_000_000)
    }

    #[test]
    fn formats_of_strftime_are_read() {
        for (format, text) in [
            ("%d.%m.%Y %H:%M:%S", "01.01.2022 08:00:00"),
            ("%d.%m.%Y %H:%M", "1.1.2022 8:00"),
            ("%Y%m%d%H%M", "202201010800"),
            ("%m/%d/%y %I:%M %p", "01/01/22 08:00 AM"),
            ("%b %d, %Y %T", "Jan 01, 2022 08:00:00"),
            ("%A, %e %B %Y %R", "Saturday,  1 january 2022 08:00"),
            ("%Y-%jT%T.%f%z", "2022-001T09:00:00.000+0100"),
            ("%FT%T%z", "2022-01-01T08:00:00Z"),
            ("%F %T %z", "2022-01-01 02:30:00 -05:30"),
            ("%s", "1641024000"),
        ] {
            let read = seconds(&TimeFormat::strftime(format).unwrap(), text);
            assert_eq!(read, Some(1_641_024_000), "{format}: {text}");
        }
        let noon = TimeFormat::strftime("%F %I%p").unwrap();
        assert_eq!(seconds(&noon, "1970-01-01 12PM"), Some(43_200));
        assert_eq!(seconds(&noon, "1970-01-01 12am"), Some(0));
        let exact = TimeFormat::strftime("%F %T.%f").unwrap();
        assert_eq!(exact.read("1970-01-01 00:00:00.123456789").unwrap().as_nanos(), 123_456_789);
    }

    #[test]
    fn what_a_format_does_not_mean_is_refused() {
        let day = TimeFormat::strftime("%d.%m.%Y").unwrap();
        for text in [
            "",
            "31.02.2022",
            "1.13.2022",
            "01.01.22",
            "01.01.2022 ",
            "01.01.2022x",
            "01-01-2022",
            "ü",
        ] {
            let is_read = text == "01.01.2022 ";
            assert_eq!(day.read(text).is_ok(), is_read, "{text}");
        }
        for (format, words) in
            [("%H:%M", "no year"), ("%Y %Q", "%Q"), ("%Y %", "%"), ("%F %I", "%I and %p")]
        {
            let error = TimeFormat::strftime(format).unwrap_err();
            assert!(error.to_string().contains(words), "{error}");
        }
    }

    #[cfg(feature = "csv")]
    #[test]
    fn layouts_of_go_are_read() {
        for (layout, text) in [
            ("2006-01-02 15:04", "2022-01-01 08:00"),
            ("02 Jan 06 15:04 -0700", "01 Jan 22 09:00 +0100"),
            ("Mon Jan _2 15:04:05 2006", "Sat Jan  1 08:00:00.5 2022"),
            ("2006-01-02T15:04:05.000Z07:00", "2022-01-01T08:00:00.123Z"),
            ("1/2/2006 3:04 PM", "1/1/2022 8:00 AM"),
        ] {
            assert_eq!(
                seconds(&TimeFormat::go(layout).unwrap(), text),
                Some(1_641_024_000),
                "{layout}"
            );
        }
        let mut zoned = TimeFormat::go("2006-01-02").unwrap();
        zoned.set_offset(-5 * 3600);
        assert_eq!(seconds(&zoned, "1970-01-01"), Some(18_000));
    }

    #[cfg(feature = "chrono")]
    #[test]
    fn random_times_are_read_as_chrono_reads_them() {
        use chrono::{DateTime, NaiveDateTime};
        let formats = [
            "%Y-%m-%d %H:%M:%S",
            "%d/%m/%Y %I:%M:%S %p",
            "%a %b %e %T %Y",
            "%Y%m%dT%H%M%S",
            "%Y-%j %T",
        ];
        let mut state = 1_u64;
        for round in 0..20_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let time = DateTime::from_timestamp((state >> 8) as i64 % 9_000_000_000, 0).unwrap();
            let format = formats[round % formats.len()];
            let text = time.format(format).to_string();
            let expected = NaiveDateTime::parse_from_str(&text, format).unwrap().and_utc();
            let read = TimeFormat::strftime(format).unwrap().read(&text).unwrap();
            assert_eq!(read, Timestamp::from(expected), "{format}: {text}");
        }
    }
}
