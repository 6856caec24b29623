//! Forms of values that are given as texts.

use std::time::Duration;

/// true/false/1/0/yes/no/on/off in any case.
pub(super) fn parse_bool(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Ok(true),
        "false" | "0" | "no" | "off" => Ok(false),
        _ => Err(format!("{text:?} is neither true, 1, yes, on nor false, 0, no, off")),
    }
}

/// `10s`, `500ms`, `2m`, `1h`; a bare number is milliseconds.
pub(super) fn parse_duration(text: &str) -> Result<Duration, String> {
    let wrong =
        || format!("{text:?} is no duration: use 10s, 500ms, 2m, or a number of milliseconds");
    let unit_at = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(unit_at);
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let millis = match unit {
        "" | "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err(wrong()),
    };
    number.checked_mul(millis).map(Duration::from_millis).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units_and_bare_numbers_are_milliseconds() {
        for (text, millis) in [
            ("10s", 10_000),
            ("500ms", 500),
            ("2m", 120_000),
            ("1h", 3_600_000),
            ("250", 250),
            ("0", 0),
        ] {
            assert_eq!(parse_duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for wrong in
            ["", "s", "-1s", "1.5s", "1 s", "10d", "99999999999999999999", "18446744073709551615h"]
        {
            assert!(parse_duration(wrong).unwrap_err().contains("no duration"), "{wrong}");
        }
    }

    #[test]
    fn booleans_are_words_and_nothing_else() {
        for text in ["true", "TRUE", "1", "Yes", "on"] {
            assert_eq!(parse_bool(text), Ok(true), "{text}");
        }
        for text in ["false", "False", "0", "no", "OFF"] {
            assert_eq!(parse_bool(text), Ok(false), "{text}");
        }
        for text in ["", "t", "f", "y", "2", "truee"] {
            assert!(parse_bool(text).is_err(), "{text}");
        }
    }
}
