use crate::Timestamp;
use crate::calendar::{civil, days_of};

/// A time as text in UTC, such as `2022-01-01T08:00:00.5Z`; `None` outside of the years 0 to 9999.
pub(super) fn format(time: Timestamp) -> Option<String> {
    const SECOND: i128 = 1_000_000_000;
    let (seconds, nanos) = (time.as_nanos().div_euclid(SECOND), time.as_nanos().rem_euclid(SECOND));
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let days = i64::try_from(days).ok()?;
    if !(days_of(0, 1, 1)..days_of(10_000, 1, 1)).contains(&days) {
        return None;
    }
    let (year, month, day) = civil(days);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    let mut text = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}");
    if nanos != 0 {
        text.push_str(format!(".{nanos:09}").trim_end_matches('0'));
    }
    text.push('Z');
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_text() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (1_641_024_000, "2022-01-01T08:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (4_107_542_399, "2100-02-28T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (-1, "1969-12-31T23:59:59Z"),
            (-62_167_219_200, "0000-01-01T00:00:00Z"),
            (253_402_300_799, "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(format(Timestamp::seconds(seconds)).as_deref(), Some(text));
        }
        assert_eq!(format(Timestamp::millis(-1)).unwrap(), "1969-12-31T23:59:59.999Z");
        assert_eq!(format(Timestamp::nanos(i64::MIN)).unwrap(), "1677-09-21T00:12:43.145224192Z");
        assert_eq!(format(Timestamp::seconds(253_402_300_800)), None);
        assert_eq!(format(Timestamp::seconds(-62_167_219_201)), None);
        assert_eq!(format(Timestamp::seconds(i64::MAX)), None);
    }
}
