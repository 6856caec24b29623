//! The environment variables of the client family, and the forms of their values.

use std::time::Duration;

use crate::ClientBuilder;

/// Sets what the environment has. An empty variable counts as unset.
pub(crate) fn apply(builder: ClientBuilder, get: impl Fn(&str) -> Option<String>) -> ClientBuilder {
    VARIABLES.iter().fold(builder, |builder, (variable, setting)| {
        match get(variable).filter(|value| !value.trim().is_empty()) {
            Some(value) => builder.set(setting, variable, value.trim()),
            None => builder,
        }
    })
}

/// Variables and the keys of connection strings that mean the same.
const VARIABLES: [(&str, &str); 12] = [
    ("INFLUX_HOST", "host"),
    ("INFLUX_TOKEN", "token"),
    ("INFLUX_DATABASE", "database"),
    ("INFLUX_ORG", "org"),
    ("INFLUX_AUTH_SCHEME", "authScheme"),
    ("INFLUX_PRECISION", "precision"),
    ("INFLUX_GZIP_THRESHOLD", "gzipThreshold"),
    ("INFLUX_WRITE_NO_SYNC", "writeNoSync"),
    ("INFLUX_WRITE_ACCEPT_PARTIAL", "writeAcceptPartial"),
    ("INFLUX_WRITE_USE_V2_API", "writeUseV2Api"),
    ("INFLUX_WRITE_TIMEOUT", "writeTimeout"),
    ("INFLUX_QUERY_TIMEOUT", "queryTimeout"),
];

/// true/false/1/0/yes/no/on/off in any case.
pub(crate) fn parse_bool(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Ok(true),
        "false" | "0" | "no" | "off" => Ok(false),
        _ => Err(format!("{text:?} is neither true, 1, yes, on nor false, 0, no, off")),
    }
}

/// `10s`, `500ms`, `2m`, `1h`; a bare number is milliseconds.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, String> {
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
