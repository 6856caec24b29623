//! Values as text: in the forms of ISO 8601, and as `Debug` shows them.

use std::fmt::{self, Write as _};

use arrow_array::types::IntervalMonthDayNano;

use super::cell::{Cell, List, RowRef};
use crate::Timestamp;
use crate::query::time_units::{NANOS_PER_SECOND, clock, date, nanoseconds, rfc3339, timestamp};

impl Cell<'_> {
    /// Times, days, times of the day, durations and intervals in ISO 8601, and the digits of decimals.
    ///
    /// `None` for values of other types, and for what the form cannot hold: years of more than four digits, times
    /// beyond a day.
    pub(super) fn standard_text(&self) -> Option<String> {
        match self {
            Self::Time(value, unit) => rfc3339(timestamp(*value, *unit)),
            Self::Date(millis) => date(Timestamp::millis(*millis)),
            Self::TimeOfDay(value, unit) => clock(nanoseconds(*value, *unit)),
            Self::Duration(value, unit) => Some(iso_duration(nanoseconds(*value, *unit))),
            Self::Interval(interval) => Some(iso_interval(*interval)),
            Self::Decimal(digits) => Some(digits.clone()),
            _ => None,
        }
    }
}

/// As a person would write it: `null`, text in quotes, bytes in hexadecimal, times in ISO 8601.
impl fmt::Debug for Cell<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(text) = self.standard_text() {
            return f.write_str(&text);
        }
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => write!(f, "{value:?}"),
            Self::Signed(value) => write!(f, "{value:?}"),
            Self::Unsigned(value) => write!(f, "{value:?}"),
            Self::Single(value) => write!(f, "{value:?}"),
            Self::Double(value) => write!(f, "{value:?}"),
            Self::Text(value) => write!(f, "{value:?}"),
            Self::Binary(value) => {
                f.write_str("0x")?;
                value.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
            // Those with a form in ISO 8601 were written above: these are beyond the calendar.
            Self::Time(value, unit) => write!(f, "{value} {unit:?}s since 1970"),
            Self::Date(millis) => write!(f, "{millis} Milliseconds since 1970"),
            Self::TimeOfDay(value, unit) => write!(f, "{value} {unit:?}s since midnight"),
            // These have a form always, and were written above.
            Self::Duration(..) | Self::Interval(_) | Self::Decimal(_) => Ok(()),
            Self::List(list) => list.fmt(f),
            Self::Map(entries) => {
                let parts = entries.cells().filter_map(|entry| match entry {
                    Cell::Struct(entry) if entry.len() == 2 => Some((entry.at(0).1, entry.at(1).1)),
                    _ => None,
                });
                f.debug_map().entries(parts).finish()
            }
            Self::Struct(row) => row.fmt(f),
        }
    }
}

impl fmt::Debug for List<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.cells()).finish()
    }
}

impl fmt::Debug for RowRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.cells().map(|(field, cell)| (field.name(), cell))).finish()
    }
}

/// Such as `PT1.5S`: only in seconds.
fn iso_duration(nanos: i128) -> String {
    let mut text = if nanos < 0 { "-PT".to_owned() } else { "PT".to_owned() };
    push_seconds(&mut text, nanos.abs());
    text
}

/// Such as `P1M2DT3.5S`. Each part has its own sign.
fn iso_interval(interval: IntervalMonthDayNano) -> String {
    let IntervalMonthDayNano { months, days, nanoseconds } = interval;
    let mut text = "P".to_owned();
    // Writing into a String does not fail.
    if months != 0 {
        let _ = write!(text, "{months}M");
    }
    if days != 0 {
        let _ = write!(text, "{days}D");
    }
    if nanoseconds != 0 || (months, days) == (0, 0) {
        text.push('T');
        if nanoseconds < 0 {
            text.push('-');
        }
        push_seconds(&mut text, i128::from(nanoseconds).abs());
    }
    text
}

/// Such as `1.5S`; the number is not negative.
fn push_seconds(text: &mut String, nanos: i128) {
    let _ = write!(text, "{}", nanos / NANOS_PER_SECOND);
    let rest = nanos % NANOS_PER_SECOND;
    if rest != 0 {
        text.push_str(format!(".{rest:09}").trim_end_matches('0'));
    }
    text.push('S');
}

#[cfg(test)]
mod tests {
    use arrow_schema::TimeUnit;

    use super::*;

    #[test]
    fn durations_and_intervals_are_in_the_form_of_iso_8601() {
        for (nanos, text) in [
            (0, "PT0S"),
            (1_500_000_000, "PT1.5S"),
            (-1, "-PT0.000000001S"),
            (90_000_000_000, "PT90S"),
        ] {
            assert_eq!(iso_duration(nanos), text);
        }
        for ((months, days, nanos), text) in [
            ((0, 0, 0), "PT0S"),
            ((1, 0, 0), "P1M"),
            ((14, -2, 3_500_000_000), "P14M-2DT3.5S"),
            ((0, 1, -1_000_000), "P1DT-0.001S"),
            ((i32::MIN, i32::MIN, i64::MIN), "P-2147483648M-2147483648DT-9223372036.854775808S"),
        ] {
            assert_eq!(iso_interval(IntervalMonthDayNano::new(months, days, nanos)), text);
        }
    }

    #[test]
    fn what_no_calendar_holds_is_shown_with_its_unit() {
        let show = |cell: Cell<'_>| format!("{cell:?}");
        assert_eq!(
            show(Cell::Time(i64::MAX, TimeUnit::Second)),
            "9223372036854775807 Seconds since 1970"
        );
        assert_eq!(show(Cell::Date(i64::MIN)), "-9223372036854775808 Milliseconds since 1970");
        assert_eq!(
            show(Cell::TimeOfDay(-1, TimeUnit::Nanosecond)),
            "-1 Nanoseconds since midnight"
        );
        assert_eq!(show(Cell::Binary(&[0, 255])), "0x00ff");
    }
}
