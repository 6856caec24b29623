//! Numbers, sizes and times, as people write and read them.

use std::time::Duration;

/// With commas between the thousands.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 line`, `2 lines`.
pub(crate) fn counted(number: u64, noun: &str) -> String {
    match number {
        1 => format!("1 {noun}"),
        _ => format!("{} {noun}s", count(number)),
    }
}

/// In units of 1000 bytes.
pub(crate) fn size(bytes: u64) -> String {
    let mut value = bytes as f64;
    for unit in ["B", "kB", "MB", "GB"] {
        if value < 999.5 {
            return match unit {
                "B" => format!("{bytes} B"),
                _ => format!("{value:.1} {unit}"),
            };
        }
        value /= 1000.0;
    }
    format!("{value:.1} TB")
}

/// In the unit that fits.
pub(crate) fn time(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    match time.as_secs() {
        0 => format!("{:.0} ms", seconds * 1e3),
        1..=59 if time.subsec_nanos() == 0 => format!("{} s", time.as_secs()),
        1..=59 => format!("{seconds:.2} s"),
        60..=3599 => format!("{}:{:02} min", time.as_secs() / 60, time.as_secs() % 60),
        _ => format!("{}:{:02} h", time.as_secs() / 3600, time.as_secs() / 60 % 60),
    }
}

/// How many of them in a second.
pub(crate) fn rate(number: u64, time: Duration) -> u64 {
    (number as f64 / time.as_secs_f64().max(1e-6)) as u64
}

/// Reads `10s`, `500ms`, `2m`, `1h`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is no time: write 500ms, 30s, 2m or 1h");
    let (number, unit) = split_number(text).ok_or_else(wrong)?;
    let seconds = match unit {
        "ms" => 0.001,
        "s" | "sec" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        _ => return Err(wrong()),
    };
    let time = Duration::try_from_secs_f64(number * seconds).map_err(|_| wrong())?;
    if time.is_zero() { Err(format!("{text:?} is no time at all")) } else { Ok(time) }
}

/// Reads `5 MB/min`, `5MB / 5 min`, `500 kB/s`: bytes in a second.
pub(crate) fn byte_rate(text: &str) -> Result<f64, String> {
    let wrong = || format!("{text:?} is no rate: write 5 MB/min, 500 kB/s or 5 MB / 5 min");
    let (amount, time) = text.split_once('/').ok_or_else(wrong)?;
    let (number, unit) = split_number(amount).ok_or_else(wrong)?;
    let bytes = match unit.to_ascii_lowercase().as_str() {
        "b" => 1.0,
        "kb" => 1e3,
        "mb" => 1e6,
        "gb" => 1e9,
        "kib" => 1024.0,
        "mib" => 1024.0 * 1024.0,
        "gib" => 1024.0 * 1024.0 * 1024.0,
        _ => return Err(wrong()),
    };
    let time = time.trim();
    let time = match time.starts_with(|first: char| first.is_ascii_digit()) {
        true => duration(time),
        false => duration(&format!("1{time}")),
    };
    let rate = number * bytes / time.map_err(|_| wrong())?.as_secs_f64();
    if rate > 0.0 && rate.is_finite() { Ok(rate) } else { Err(wrong()) }
}

/// Parses an integer of at least 1.
pub(crate) fn one_or_more(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number @ 1..) => Ok(number),
        _ => Err(format!("{text:?} is no number from 1 on")),
    }
}

/// A number, and the word behind it.
fn split_number(text: &str) -> Option<(f64, &str)> {
    let text = text.trim();
    let end = text.find(|char: char| !char.is_ascii_digit() && char != '.')?;
    let (number, unit) = text.split_at_checked(end)?;
    Some((number.parse().ok()?, unit.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_sizes_are_short() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(counted(1, "line"), "1 line");
        assert_eq!(counted(1000, "line"), "1,000 lines");
        assert_eq!(size(999), "999 B");
        assert_eq!(size(1000), "1.0 kB");
        assert_eq!(size(999_999), "1.0 MB");
        assert_eq!(size(2_400_000_000), "2.4 GB");
        assert_eq!(time(Duration::from_millis(12)), "12 ms");
        assert_eq!(time(Duration::from_millis(2310)), "2.31 s");
        assert_eq!(time(Duration::from_secs(125)), "2:05 min");
    }

    #[test]
    fn times_have_units_and_rates_have_both() {
        assert_eq!(duration("1.5s"), Ok(Duration::from_millis(1500)));
        assert_eq!(duration("2 m"), Ok(Duration::from_secs(120)));
        for wrong in ["", "5", "s", "-1s", "1 day", "0s"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
        assert_eq!(one_or_more("12"), Ok(12));
        for wrong in ["0", "-1", "x", ""] {
            assert!(one_or_more(wrong).is_err(), "{wrong}");
        }
        assert_eq!(byte_rate("5 MB/min"), Ok(5e6 / 60.0));
        assert_eq!(byte_rate("5MB / 5 min"), Ok(5e6 / 300.0));
        assert_eq!(byte_rate("500 kB/s"), Ok(5e5));
        for wrong in ["5 MB", "MB/s", "5/s", "5 MB/", "0 MB/s", "5 MB/parsec"] {
            assert!(byte_rate(wrong).is_err(), "{wrong}");
        }
    }
}
