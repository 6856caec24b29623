//! Where the parser that these tests use as their oracle takes what a server refuses.
//!
//! The tests hold the encoder against `influxdb-line-protocol` of the registry, an older release than the one in
//! InfluxDB 3. In what both are for, cutting and unescaping lines, they agree; what else a server refuses is stated
//! here, and with it that the encoder goes by the server's rules.

#![allow(clippy::expect_used, clippy::unwrap_used)] // in functions beside the tests

use influxdb_line_protocol::{FieldValue as Parsed, ParsedLine, parse_lines};
use influxdb3_blocking::{Point, Precision};

fn parse(text: &str) -> Vec<ParsedLine<'_>> {
    parse_lines(text).map(|line| line.expect("the parser of the registry takes it")).collect()
}

fn is_refused(point: &Point) -> bool {
    point.to_line_protocol(Precision::Nanosecond).is_err()
}

/// The server's catalog refuses them when it would make the column.
#[test]
fn reserved_keys_and_control_characters_in_keys() {
    for key in ["time", "__chunk_order", "a\u{1}", "a\r", "a\u{7f}", "a\u{85}", "a\0"] {
        assert_eq!(parse(&format!("m,{key}=x f=1"))[0].tag_value(key).unwrap().as_str(), "x");
        assert!(parse(&format!("m {key}=1"))[0].field_value(key).is_some());
        assert!(is_refused(&Point::new("m").tag(key, "x").field("f", 1)));
        assert!(is_refused(&Point::new("m").field(key, 1)));
    }
}

/// One of these breaks the table, and later the server: the other two it refuses.
#[test]
fn one_name_for_two_columns() {
    assert_eq!(parse("m,a=1,a=2 f=1")[0].series.tag_set.as_ref().unwrap().len(), 2);
    assert_eq!(parse("m a=1,a=2")[0].field_set.len(), 2);
    assert_eq!(parse("m,a=1 a=2")[0].field_set.len(), 1);
    let line = |point: Point| point.to_line_protocol(Precision::Nanosecond).expect("fine");
    assert_eq!(line(Point::new("m").tag("a", "1").tag("a", "2").field("f", 1)), "m,a=2 f=1i");
    assert_eq!(line(Point::new("m").field("a", 1).field("a", 2)), "m a=2i");
    assert!(is_refused(&Point::new("m").tag("a", "1").field("a", 2)));
}

/// The server refuses a text of more than 64 KiB (since 3.10, of more than 1 MiB): the limit is the server's to know,
/// so that the encoder has none.
#[test]
fn texts_of_any_length() {
    let long = "x".repeat(2 << 20);
    let point = Point::new(&long).tag(&long, &long).field("f", &long).field(&long[1..], 1);
    let line = point.to_line_protocol(Precision::Nanosecond).expect("the encoder has no limit");
    let parsed = parse(&line);
    assert_eq!(parsed[0].series.measurement, long.as_str());
    assert!(matches!(parsed[0].field_value("f"), Some(Parsed::String(text)) if *text == long));
}

/// Nothing says that a line is missing; so what would be taken for a comment is refused.
#[test]
fn comments_are_left_out_without_a_word() {
    assert!(parse("#m f=1").is_empty());
    assert_eq!(parse("\\#m f=1")[0].series.measurement, "\\#m");
    assert!(is_refused(&Point::new("#m").field("f", 1)));
}

/// Too large a number becomes infinite, which a server stores and cannot give back as JSON.
#[test]
fn infinite_numbers() {
    assert!(
        matches!(parse("m f=1e400")[0].field_value("f"), Some(Parsed::F64(f)) if f.is_infinite())
    );
    assert!(is_refused(&Point::new("m").field("f", f64::INFINITY)));
    let largest = Point::new("m").field("f", f64::MAX).to_line_protocol(Precision::Nanosecond);
    assert!(matches!(
        parse(&largest.expect("finite"))[0].field_value("f"),
        Some(Parsed::F64(f64::MAX))
    ));
}
