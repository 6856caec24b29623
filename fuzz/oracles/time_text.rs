//! Any time as text: what is accepted is the instant that jiff's calendar makes of its parts; what is refused has a part
//! that is wrong. Any text at all: no panic, and what is read comes back from its own text.

use arbitrary::{Result, Unstructured};
use influxdb3_blocking::Timestamp;
use jiff::civil::{Date, DateTime, Time};

pub fn check(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        check_text(text);
    }
    let _ = draw_and_check(&mut Unstructured::new(data)); // an error: the data was too short
}

fn check_text(text: &str) {
    let Ok(time) = text.parse::<Timestamp>() else { return };
    let again = time.to_string();
    assert_eq!(again.parse::<Timestamp>().expect("what is written is read"), time, "{text:?}");
    // What jiff reads as well is the same instant to both (it takes the nanosecond from more digits than nine).
    if let Ok(theirs) = text.parse::<jiff::Timestamp>() {
        let (ours, theirs) = (time.as_nanos(), theirs.as_nanosecond());
        // jiff takes a leap second for the second before it.
        assert!(
            ours == theirs || text.contains(":60") && ours - theirs == 1_000_000_000,
            "{text:?}"
        );
    }
    if let Ok(theirs) = jiff::Timestamp::try_from(time) {
        // RFC 3339 has no other years.
        match jiff::tz::Offset::UTC.to_datetime(theirs).year() {
            0.. => assert_eq!(again.parse::<jiff::Timestamp>().expect("RFC 3339"), theirs),
            ..0 => assert_eq!(again, format!("{}ns", theirs.as_nanosecond())),
        }
    }
}

fn draw_and_check(u: &mut Unstructured<'_>) -> Result<()> {
    let date =
        [i64::from(u.int_in_range(0..=9999u16)?), u.int_in_range(0..=13)?, u.int_in_range(0..=32)?];
    let clock = [u.int_in_range(0..=25)?, u.int_in_range(0..=61)?, u.int_in_range(0..=62)?];
    let digits: String = (0..u.int_in_range(0..=12)?)
        .map(|_| u.int_in_range(b'0'..=b'9').map(char::from))
        .collect::<Result<_>>()?;
    let [year, month, day] = date;
    let [hour, minute, second] = clock;

    let slash = if u.ratio(1, 8)? { '/' } else { '-' };
    let mut text = format!("{year:04}{slash}{month:02}{slash}{day:02}");
    let mut expected = instant(date, [0; 3]);
    if !u.ratio(1, 16)? {
        text.push(*u.choose(&['T', 't', ' '])?);
        text += &format!("{hour:02}:{minute:02}");
        let has_seconds = !u.ratio(1, 8)?;
        expected = instant(date, [hour, minute, if has_seconds { second } else { 0 }]);
        if has_seconds {
            text += &format!(":{second:02}");
            if !digits.is_empty() {
                text.push(if u.ratio(1, 8)? { ',' } else { '.' });
                text += &digits;
                let nanos: i128 = format!("{digits:0<9}")[..9].parse().expect("nine digits");
                expected = expected.map(|instant| instant + nanos);
            }
        }
        let (offset, is_valid, has_offset) = push_offset(u, &mut text)?;
        expected = expected.filter(|_| is_valid).map(|instant| instant - offset);
        if u.ratio(1, 4)? {
            let (zone, is_utc) = *u.choose(&[
                ("Europe/Berlin", false),
                ("UTC", true),
                ("GMT", true),
                ("Etc/UTC", true),
                ("utcx", false),
                ("", false),
            ])?;
            text += &format!("[{zone}]");
            expected = expected.filter(|_| !zone.is_empty() && (has_offset || is_utc));
        }
    }
    let found = text.parse::<Timestamp>().map(Timestamp::as_nanos);
    assert_eq!(found.as_ref().ok(), expected.as_ref(), "{text:?}: {found:?}");
    check_text(&text);
    Ok(())
}

/// Nanoseconds since 1970 of a date and a time of day in UTC, if the calendar and the clock have them. A leap second is the
/// first instant behind its minute.
fn instant(date: [i64; 3], clock: [i64; 3]) -> Option<i128> {
    let [year, month, day] = date.map(|part| i16::try_from(part).expect("small"));
    let [hour, minute, second] = clock.map(|part| i8::try_from(part).expect("small"));
    let date = Date::new(year, month as i8, day as i8).ok()?;
    let leap = i128::from(second == 60);
    let time = Time::new(hour, minute, second - leap as i8, 0).ok()?;
    let since = date.to_datetime(time).duration_since(DateTime::constant(1970, 1, 1, 0, 0, 0, 0));
    Some(since.as_nanos() + leap * 1_000_000_000)
}

/// Writes an offset in one of its ways: its nanoseconds, whether it is one, and whether it is there at all.
fn push_offset(u: &mut Unstructured<'_>, text: &mut String) -> Result<(i128, bool, bool)> {
    if u.ratio(1, 4)? {
        text.push(' ');
    }
    let word = *u.choose(&["", "Z", "z", "UTC", "GMT", "+", "-"])?;
    text.push_str(word);
    let sign = match word {
        "+" => 1,
        "-" => -1,
        // A blank at the end of a text is trimmed, and one before a zone is taken for one before an offset.
        _ => return Ok((0, true, !word.is_empty())),
    };
    let (hours, minutes, seconds) =
        (u.int_in_range(0..=25i128)?, u.int_in_range(0..=61i128)?, u.int_in_range(0..=61i128)?);
    let (minutes, seconds, end) = match u.int_in_range(0..=3)? {
        0 => (0, 0, String::new()),
        1 => (minutes, 0, format!("{minutes:02}")),
        2 => (minutes, 0, format!(":{minutes:02}")),
        _ => (minutes, seconds, format!(":{minutes:02}:{seconds:02}")),
    };
    *text += &format!("{hours:02}{end}");
    let is_valid = hours < 24 && minutes < 60 && seconds < 60;
    Ok((sign * (hours * 3600 + minutes * 60 + seconds) * 1_000_000_000, is_valid, true))
}
