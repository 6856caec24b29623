//! A line is read back into a point as InfluxData's own parser reads it.

#![allow(clippy::expect_used, clippy::unwrap_used)] // in functions beside the tests

use std::collections::HashSet;

use crate::model::{assert_same, is_key, is_measurement, is_name, tags_of};
use crate::random::Random;
use influxdb_line_protocol::{FieldValue as Parsed, ParsedLine, parse_lines, split_lines};
use influxdb3_blocking::{ErrorKind, FieldValue, Point, Precision, Timestamp};

#[test]
fn every_form_that_the_server_takes_is_read() {
    let point: Point = " \n\tm\\ 1,t=a\\,b\\=c,u=\\x  a=1,b=-2.5e-3,c=3i,d=4u,e=T,f=false,g=\"x \\\"y\\\" \\z\"  -5 \r\n"
        .parse()
        .unwrap();
    assert_eq!(point.measurement(), "m 1");
    assert_eq!(point.tags().collect::<Vec<_>>(), [("t", "a,b=c"), ("u", "\\x")]);
    assert_eq!(
        point.fields().collect::<Vec<_>>(),
        [
            ("a", FieldValue::Float(1.0)),
            ("b", FieldValue::Float(-0.0025)),
            ("c", FieldValue::Integer(3)),
            ("d", FieldValue::Unsigned(4)),
            ("e", FieldValue::Boolean(true)),
            ("f", FieldValue::Boolean(false)),
            ("g", FieldValue::from("x \"y\" \\z")),
        ]
    );
    assert_eq!(point.timestamp(), Some(Timestamp::nanos(-5)));
    let seconds = Point::from_line_protocol("m f=1 7", Precision::Second).unwrap();
    assert_eq!(seconds.timestamp(), Some(Timestamp::seconds(7)));
}

#[test]
fn what_cannot_be_read_is_refused_with_the_place_where() {
    for (line, expected) in [
        ("", "there is no line"),
        ("# m f=1", "there is no line"),
        ("m f=1\nm f=2", "more than one line"),
        ("m", "at byte 1: expected a space before the fields"),
        (",t=a f=1", "at byte 0: expected a measurement"),
        ("m,t f=1", "at byte 3: expected an equals sign behind the key of a tag"),
        ("m,t= f=1", "at byte 4: expected the value of a tag"),
        ("m f", "at byte 3: expected an equals sign behind the key of a field"),
        ("m f=hot", "at byte 4: expected a value"),
        ("m f=1.", "at byte 4: expected a value"),
        ("m f=+1", "at byte 4: expected a value"),
        ("m f=NaN", "at byte 4: expected a value"),
        ("m f=1e400", "at byte 4: expected a value"),
        ("m f=9223372036854775808i", "at byte 4: expected a value"),
        ("m f=-1u", "at byte 4: expected a value"),
        ("m f=\"x", "at byte 4: expected a text that is closed by a quote"),
        ("m f=1,g=2,", "at byte 10: expected the key of a field"),
        ("m f=1 ", "at byte 6: expected a timestamp"),
        ("m f=1 1.5", "at byte 6: expected a timestamp"),
        ("m f=1 9223372036854775808", "at byte 6: expected a timestamp"),
        ("m f=1 1 2", "at byte 6: expected a timestamp"),
        ("m f=1,f=2", "is there twice"),
        ("m,t=a,t=b f=1", "is there twice"),
        ("m,a=1 a=1", "\"a\" is both a tag and a field"),
        ("m time=1", "\"time\" is reserved"),
        ("m,a\\\\=1 f=1", "does not end in a backslash"),
    ] {
        let error = line.parse::<Point>().unwrap_err();
        assert!(error.to_string().contains(expected), "{line:?}: {error}");
        assert_eq!(error.kind(), ErrorKind::InvalidRecord);
    }
}

/// Whatever is in a line (but carriage returns, which this crate takes away at its end): it is taken if and only if the parser takes it and the rules of the catalog allow it, and says
/// then what the parser says.
#[test]
fn any_line_is_read_as_the_parser_reads_it() {
    const PIECES: [&str; 33] = [
        "m",
        "a",
        "b",
        ",",
        "=",
        " ",
        "\\",
        "\"",
        "\n",
        "\t",
        "\0",
        "1",
        "-1",
        "2.5",
        "1e3",
        "1E-2",
        "i",
        "u",
        "t",
        "True",
        "f",
        "false",
        "\"x\"",
        "\"\\\"\"",
        "\\,",
        "\\ ",
        "é",
        " f=1",
        ",t=a",
        " 7",
        "time",
        ",g=2i",
        "9999999999999999999",
    ];
    let mut random = Random::new(7);
    let (mut taken, mut refused) = (0, 0);
    for round in 0..300_000 {
        let mut line = String::from(if round % 2 == 0 { "m,t=a f=1" } else { "" });
        for _ in 0..random.below(9) {
            line.push_str(random.pick(&PIECES));
        }
        let parsed: Vec<_> = parse_lines(&line).collect();
        let is_one = split_lines(line.trim_start_matches([' ', '\t', '\n']))
            .filter(|line| !line.trim_ascii().is_empty())
            .count()
            == 1;
        let expected = match &parsed[..] {
            [Ok(parsed)] if is_one && can_be_written(parsed) => Some(parsed),
            _ => None,
        };
        match (line.parse::<Point>(), expected) {
            (Ok(point), Some(parsed)) => {
                taken += 1;
                same(&point, parsed);
            }
            (Err(_), None) => refused += 1,
            (result, _) => panic!("{line:?}: {result:?}, but {parsed:?}"),
        }
    }
    assert!(taken > 20_000 && refused > 20_000, "{taken} {refused}");
}

fn can_be_written(line: &ParsedLine<'_>) -> bool {
    let mut keys = HashSet::new();
    is_measurement(line.series.measurement.as_str())
        && tags_of(line)
            .into_iter()
            .all(|(key, value)| is_key(key) && is_name(value) && keys.insert(key.to_owned()))
        && line
            .field_set
            .iter()
            .all(|(key, _)| is_key(key.as_str()) && keys.insert(key.to_string()))
        && line
            .field_set
            .iter()
            .all(|(_, value)| !matches!(value, Parsed::F64(value) if value.is_infinite()))
}

fn same(point: &Point, parsed: &ParsedLine<'_>) {
    assert_eq!(point.measurement(), parsed.series.measurement.as_str());
    let mut tags = tags_of(parsed);
    tags.sort_unstable();
    assert_eq!(point.tags().collect::<Vec<_>>(), tags);
    assert_eq!(point.fields().count(), parsed.field_set.len());
    for ((key, value), (parsed_key, parsed_value)) in point.fields().zip(&parsed.field_set) {
        assert_eq!(key, parsed_key.as_str());
        assert_same(&value, parsed_value);
    }
    assert_eq!(point.timestamp(), parsed.timestamp.map(Timestamp::nanos));
}
