//! Times in a format of the file's own.

use crate::calendar::{days_in, days_of};
use crate::line_protocol::escape;
use crate::{Error, Result, Timestamp};

/// How a time is written.
#[derive(Clone, Debug)]
pub(crate) struct TimeFormat {
    text: String,
    items: Vec<Item>,
    /// Seconds that clocks without an offset of their own are ahead of UTC.
    offset: i64,
}

/// A part of a format.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Item {
    Literal(char),
    /// Any number of blanks.
    Blanks,
    /// Four digits.
    Year,
    /// Two digits: 1969 to 2068.
    ShortYear,
    Month,
    /// In English, in full or its first three letters.
    MonthName,
    Day,
    DayOfYear,
    /// In English; says nothing.
    WeekdayName,
    Hour,
    /// From 1 to 12.
    HalfDayHour,
    /// `AM` or `PM`, in any case.
    Half,
    Minute,
    Second,
    /// The decimals of a second.
    Fraction,
    /// A mark and the decimals of a second, or nothing.
    MarkAndFraction,
    /// `Z`, `+01`, `+0100` or `+01:00`.
    Offset,
    /// Seconds since 1970.
    Epoch,
}

impl TimeFormat {
    /// The conversions of `strftime`, of those the ones that say when.
    pub(crate) fn strftime(text: &str) -> Result<Self> {
        let mut items = Vec::new();
        let mut rest = text.chars();
        while let Some(next) = rest.next() {
            if next != '%' {
                items.push(literal(next));
                continue;
            }
            let conversion = rest.next();
            items.extend_from_slice(match conversion {
                Some('Y') => &[Item::Year],
                Some('y') => &[Item::ShortYear],
                Some('m') => &[Item::Month],
                Some('b' | 'B' | 'h') => &[Item::MonthName],
                Some('d' | 'e') => &[Item::Day],
                Some('j') => &[Item::DayOfYear],
                Some('a' | 'A') => &[Item::WeekdayName],
                Some('H' | 'k') => &[Item::Hour],
                Some('I' | 'l') => &[Item::HalfDayHour],
                Some('p' | 'P') => &[Item::Half],
                Some('M') => &[Item::Minute],
                Some('S') => &[Item::Second],
                Some('f') => &[Item::Fraction],
                Some('z') => &[Item::Offset],
                Some('s') => &[Item::Epoch],
                Some('F') => {
                    &[Item::Year, Item::Literal('-'), Item::Month, Item::Literal('-'), Item::Day]
                }
                Some('D') => {
                    &[Item::Month, Item::Literal('/'), Item::Day, Item::Literal('/'), Item::ShortYear]
                }
                Some('T') => {
                    &[Item::Hour, Item::Literal(':'), Item::Minute, Item::Literal(':'), Item::Second]
                }
                Some('R') => &[Item::Hour, Item::Literal(':'), Item::Minute],
                Some('%') => &[Item::Literal('%')],
                Some('n' | 't') => &[Item::Blanks],
                other => {
                    let conversion: String = other.into_iter().collect();
                    return Err(Error::config(format!(
                        "the time format {} has the conversion %{conversion}, which is not known: use %Y %y %m %b %d %j %H \
                         %I %p %M %S %f %z %s %F %T %R %D %a",
                        escape::quoted(text)
                    )));
                }
            });
        }
        Self::of(text, items)
    }

    /// A layout of Go, which writes the parts of Monday, 2 January 2006, 15:04:05 at -0700, as `influx write` has them.
    #[cfg(feature = "csv")]
    pub(super) fn go(text: &str) -> Result<Self> {
        let mut items = Vec::new();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let part = GO.iter().find(|(layout, _)| rest.starts_with(layout));
            let (length, item) = match part {
                Some((layout, item)) => (layout.len(), *item),
                None if matches!(first, '.' | ',') && items.last() == Some(&Item::Second) => {
                    let decimals =
                        rest.bytes().skip(1).take_while(|byte| matches!(byte, b'0' | b'9')).count();
                    match decimals {
                        0 => (1, literal(first)),
                        decimals => (decimals + 1, Item::MarkAndFraction),
                    }
                }
                None => (first.len_utf8(), literal(first)),
            };
            items.push(item);
            rest = rest.get(length..).unwrap_or_default();
            // Go reads decimals behind seconds whether the layout has them or not.
            if item == Item::Second && !rest.starts_with(['.', ',']) {
                items.push(Item::MarkAndFraction);
            }
        }
        Self::of(text, items)
    }

    fn of(text: &str, items: Vec<Item>) -> Result<Self> {
        let has_day =
            [Item::Year, Item::ShortYear, Item::Epoch].iter().any(|item| items.contains(item));
        if !has_day {
            return Err(Error::config(format!(
                "the time format {} has no year: a time without one cannot be placed",
                escape::quoted(text)
            )));
        }
        if items.contains(&Item::HalfDayHour) != items.contains(&Item::Half) {
            return Err(Error::config(format!(
                "the time format {} has one of %I and %p without the other",
                escape::quoted(text)
            )));
        }
        Ok(Self { text: text.to_owned(), items, offset: 0 })
    }

    /// Lets clocks without an offset of their own be so many seconds ahead of UTC.
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
        let mut rest = Rest(text);
        let (mut year, mut month, mut day, mut day_of_year) = (1970, 1, 1, None);
        let (mut hour, mut minute, mut second, mut nanos) = (0, 0, 0, 0);
        let (mut half, mut offset, mut epoch) = (None, self.offset, None);
        for item in &self.items {
            match *item {
                Item::Literal(wanted) => rest.literal(wanted)?,
                Item::Blanks => rest.0 = rest.0.trim_ascii_start(),
                Item::Year => year = rest.exactly(4)?,
                Item::ShortYear => {
                    let short = rest.exactly(2)?;
                    year = if short < 69 { 2000 + short } else { 1900 + short };
                }
                Item::Month => month = rest.number(2)?,
                Item::MonthName => month = rest.name(&MONTHS)? + 1,
                Item::Day => day = rest.number(2)?,
                Item::DayOfYear => day_of_year = Some(rest.number(3)?),
                Item::WeekdayName => drop(rest.name(&WEEKDAYS)?),
                Item::Hour | Item::HalfDayHour => hour = rest.number(2)?,
                Item::Half => half = Some(rest.half()?),
                Item::Minute => minute = rest.number(2)?,
                Item::Second => second = rest.number(2)?,
                Item::Fraction => nanos = rest.fraction()?,
                Item::MarkAndFraction => {
                    if let Some(behind) = rest.0.strip_prefix(['.', ',']) {
                        rest.0 = behind;
                        nanos = rest.fraction()?;
                    }
                }
                Item::Offset => offset = rest.offset()?,
                Item::Epoch => epoch = Some(rest.epoch()?),
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

/// What is still to be read.
struct Rest<'a>(&'a str);

impl<'a> Rest<'a> {
    fn literal(&mut self, wanted: char) -> Option<()> {
        self.0 = self.0.strip_prefix(wanted)?;
        Some(())
    }

    /// The digits at the beginning, at most so many.
    fn digits(&mut self, most: usize) -> &'a str {
        let count = self.0.bytes().take(most).take_while(u8::is_ascii_digit).count();
        let (digits, rest) = self.0.split_at(count);
        self.0 = rest;
        digits
    }

    fn number(&mut self, most: usize) -> Option<i64> {
        // `%e` and `_2` have a blank in place of a zero.
        self.0 = self.0.strip_prefix(' ').unwrap_or(self.0);
        self.digits(most).parse().ok()
    }

    fn exactly(&mut self, count: usize) -> Option<i64> {
        let digits = self.digits(count);
        if digits.len() == count { digits.parse().ok() } else { None }
    }

    fn fraction(&mut self) -> Option<i64> {
        let digits = self.digits(usize::MAX);
        if digits.is_empty() {
            return None;
        }
        let padded = digits.bytes().chain(std::iter::repeat(b'0')).take(9);
        Some(padded.fold(0, |number, digit| number * 10 + i64::from(digit - b'0')))
    }

    /// The place of one of these names, in full or its first three letters.
    fn name(&mut self, names: &[&str]) -> Option<i64> {
        let begins = |text: &str, name: &str| {
            text.get(..name.len()).is_some_and(|beginning| beginning.eq_ignore_ascii_case(name))
        };
        let place = names.iter().position(|name| begins(self.0, name.get(..3).unwrap_or(name)))?;
        let name = names.get(place)?;
        let length = if begins(self.0, name) { name.len() } else { 3 };
        self.0 = self.0.get(length..)?;
        i64::try_from(place).ok()
    }

    fn half(&mut self) -> Option<bool> {
        let (word, rest) = self.0.split_at_checked(2)?;
        self.0 = rest;
        match word.to_ascii_lowercase().as_str() {
            "am" => Some(false),
            "pm" => Some(true),
            _ => None,
        }
    }

    fn offset(&mut self) -> Option<i64> {
        if let Some(rest) = self.0.strip_prefix(['Z', 'z']) {
            self.0 = rest;
            return Some(0);
        }
        let sign = if self.0.starts_with('-') { -1 } else { 1 };
        self.0 = self.0.strip_prefix(['+', '-'])?;
        let hours = self.exactly(2)?;
        self.0 = self.0.strip_prefix(':').unwrap_or(self.0);
        let minutes = match self.digits(2) {
            "" => 0,
            digits if digits.len() == 2 => digits.parse().ok()?,
            _ => return None,
        };
        (hours < 24 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
    }

    fn epoch(&mut self) -> Option<i128> {
        let is_negative = self.0.starts_with('-');
        self.0 = self.0.strip_prefix('-').unwrap_or(self.0);
        let seconds: i128 = self.digits(18).parse().ok()?;
        Some(if is_negative { -seconds } else { seconds })
    }
}

fn literal(character: char) -> Item {
    if character.is_ascii_whitespace() { Item::Blanks } else { Item::Literal(character) }
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const WEEKDAYS: [&str; 7] =
    ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// The parts of layouts of Go, each before those that it begins with.
#[cfg(feature = "csv")]
const GO: [(&str, Item); 26] = [
    ("2006", Item::Year),
    ("06", Item::ShortYear),
    ("January", Item::MonthName),
    ("Jan", Item::MonthName),
    ("Monday", Item::WeekdayName),
    ("Mon", Item::WeekdayName),
    ("002", Item::DayOfYear),
    ("01", Item::Month),
    ("02", Item::Day),
    ("_2", Item::Day),
    ("15", Item::Hour),
    ("03", Item::HalfDayHour),
    ("04", Item::Minute),
    ("05", Item::Second),
    ("-07:00", Item::Offset),
    ("-0700", Item::Offset),
    ("-07", Item::Offset),
    ("Z07:00", Item::Offset),
    ("Z0700", Item::Offset),
    ("PM", Item::Half),
    ("pm", Item::Half),
    ("1", Item::Month),
    ("2", Item::Day),
    ("3", Item::HalfDayHour),
    ("4", Item::Minute),
    ("5", Item::Second),
];

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
