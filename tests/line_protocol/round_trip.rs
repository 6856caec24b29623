//! Whatever is accepted comes back from InfluxData's own parser as it was given, as exactly one line; whatever is
//! refused could not have been.

#![allow(clippy::expect_used, clippy::unwrap_used)] // in functions beside the tests
#![allow(unreachable_pub)] // in the oracles, which are modules here and there

use std::collections::BTreeMap;

use crate::model::{Model, PRECISIONS, assert_same, is_written, tags_of};
use crate::random::Random;
use influxdb_line_protocol::{parse_lines, split_lines};
use influxdb3_blocking::{FieldValue, LineBuffer, Point, Precision, Timestamp};

fn row(random: &mut Random, hostile: bool) -> Model {
    let name = |random: &mut Random| if hostile { random.hostile() } else { random.mostly_name() };
    let measurement = name(random);
    let tags = random.below(4);
    let tags = (0..tags).map(|_| (name(random), name(random))).collect();
    let fields = random.below(5);
    let fields = (0..fields).map(|_| (name(random), value(random))).collect();
    let nanos = (!random.one_in(4)).then(|| random.integer());
    Model { measurement, tags, fields, nanos, ..Model::default() }
}

fn value(random: &mut Random) -> FieldValue<'static> {
    match random.below(8) {
        0 => random.float().into(),
        1 => random.float32().into(),
        2 => random.integer().into(),
        3 => random.integer().cast_unsigned().into(),
        4 => random.one_in(2).into(),
        5 => FieldValue::Null,
        _ => random.hostile().into(),
    }
}

#[test]
fn every_point_comes_back_as_it_was_or_is_refused() {
    let mut random = Random::new(1);
    let (mut written, mut refused) = (0, 0);
    for round in 0..60_000 {
        let model = row(&mut random, round % 3 == 0);
        let precision = random.pick(&PRECISIONS);
        let mut out = b"m f=1i\n".to_vec();
        match model.point().write_line_protocol(precision, &mut out) {
            Ok(()) => {
                written += 1;
                assert!(model.can_be_written(precision), "{model:?}");
                out.extend_from_slice(b"m f=2i\n");
                let text = std::str::from_utf8(&out).unwrap();
                let lines: Vec<_> = parse_lines(text).map(|line| line.unwrap()).collect();
                assert_eq!(lines.len(), 3, "{text}");
                assert_eq!(
                    (lines[0].to_string(), lines[2].to_string()),
                    ("m f=1i".into(), "m f=2i".into())
                );
                model.check(&lines[1], precision);
                assert!(tags_of(&lines[1]).is_sorted_by_key(|(key, _)| *key));
            }
            Err(error) => {
                refused += 1;
                assert!(!model.can_be_written(precision), "{error}: {model:?}");
                assert_eq!(out, b"m f=1i\n");
            }
        }
    }
    assert!(written > 10_000 && refused > 10_000, "{written} written, {refused} refused");
}

#[test]
fn accessors_say_what_was_set() {
    let mut random = Random::new(2);
    for _ in 0..10_000 {
        let model = row(&mut random, true);
        let point = model.point();
        let (tags, fields) = model.columns();
        assert_eq!(point.measurement(), model.measurement);
        assert_eq!(point.tags().collect::<Vec<_>>(), tags.into_iter().collect::<Vec<_>>());
        let written: BTreeMap<_, _> =
            point.fields().filter(|(key, _)| fields.contains_key(key)).collect();
        assert_eq!(written.len(), fields.len());
        assert!(written.iter().all(|(key, value)| fields[key] == value));
        assert_eq!(point.timestamp(), model.nanos.map(Timestamp::nanos));
    }
}

#[test]
fn a_line_buffer_writes_what_points_would_and_refuses_what_they_would() {
    let mut random = Random::new(3);
    for _ in 0..20_000 {
        let precision = random.pick(&PRECISIONS);
        let mut lines = LineBuffer::with_precision(precision);
        let mut expected = Vec::new();
        for _ in 0..4 {
            let hostile = random.one_in(4);
            let model = row(&mut random, hostile);
            let mut attempt = || {
                let mut line = lines.measurement(&model.measurement)?;
                for (key, value) in &model.tags {
                    line = line.tag(key, value)?;
                }
                for (key, value) in &model.fields {
                    line = line.field(key, value.clone())?;
                }
                match model.nanos {
                    Some(nanos) => line.at(Timestamp::nanos(nanos)),
                    None => line.end(),
                }
            };
            let result = attempt();
            // What is left out takes nothing away here; of the rest no column may have the key of another.
            let mut written = model;
            written.tags.retain(|(_, value)| !value.is_empty());
            written.fields.retain(|(_, value)| is_written(value));
            let (tags, fields) = written.columns();
            let is_unique =
                tags.len() == written.tags.len() && fields.len() == written.fields.len();
            let is_fine = is_unique && written.can_be_written(precision);
            assert_eq!(result.is_ok(), is_fine, "{written:?}");
            if is_fine {
                expected.push(written);
            }
        }
        let text = std::str::from_utf8(lines.as_bytes()).unwrap();
        assert_eq!(lines.lines(), expected.len());
        let parsed: Vec<_> = parse_lines(text).map(|line| line.unwrap()).collect();
        assert_eq!(parsed.len(), expected.len(), "{text}");
        for (line, model) in parsed.iter().zip(&expected) {
            let given: Vec<(&str, &str)> = model.tags.iter().map(|(k, v)| (&**k, &**v)).collect();
            assert_eq!(tags_of(line), given, "tags stay in the order of the calls");
            model.check(line, precision);
        }
    }
}

#[test]
fn numbers_of_every_class_come_back_bit_by_bit() {
    let mut random = Random::new(4);
    let mut lines = LineBuffer::new();
    let mut given: Vec<FieldValue<'_>> = Vec::new();
    for exponent in -400..400 {
        given.push(10f64.powi(exponent).into());
        given.push(10f32.powi(exponent / 8).into());
        given.push(2f64.powi(exponent * 3).into());
    }
    for _ in 0..100_000 {
        given.push(random.float().into());
        given.push(random.float32().into());
        given.push(random.integer().into());
        given.push(random.integer().cast_unsigned().into());
    }
    given.retain(is_written);
    for value in &given {
        lines.measurement("m").unwrap().field("f", value.clone()).unwrap().end().unwrap();
    }
    let text = std::str::from_utf8(lines.as_bytes()).unwrap();
    let mut parsed = parse_lines(text);
    for value in &given {
        assert_same(value, &parsed.next().unwrap().unwrap().field_set[0].1);
    }
    assert!(parsed.next().is_none());
}

/// The number formatter is a dependency: its output must stay within what the server reads.
#[test]
fn floats_are_written_in_the_grammar_of_the_server() {
    fn digits(text: &mut &str) -> bool {
        let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
        let found = rest.len() < text.len();
        *text = rest;
        found
    }
    let mut random = Random::new(5);
    for _ in 0..100_000 {
        let value = random.float();
        if !value.is_finite() {
            continue;
        }
        let line =
            Point::new("m").field("f", value).to_line_protocol(Precision::Nanosecond).unwrap();
        let text = line.strip_prefix("m f=").unwrap();
        let mut rest = text.strip_prefix('-').unwrap_or(text);
        assert!(digits(&mut rest), "{text}");
        if let Some(fraction) = rest.strip_prefix('.') {
            rest = fraction;
            assert!(digits(&mut rest), "{text}");
        }
        if let Some(exponent) = rest.strip_prefix('e') {
            rest = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
            assert!(digits(&mut rest), "{text}");
        }
        assert_eq!(rest, "", "{text}");
    }
}

/// The first stage of the parser, which cuts a body into lines by counting, must agree with the second.
#[test]
fn the_splitter_of_the_server_cuts_between_our_lines_and_nowhere_else() {
    let mut random = Random::new(6);
    let mut body = Vec::new();
    let mut ends = Vec::new();
    while ends.len() < 5_000 {
        let model = row(&mut random, false);
        if model.point().write_line_protocol(Precision::Nanosecond, &mut body).is_ok() {
            ends.push(body.len());
        }
    }
    let mut end = 0;
    let found = split_lines(std::str::from_utf8(&body).unwrap()).map(|line| {
        end += line.len() + 1;
        end
    });
    assert_eq!(found.take(ends.len()).collect::<Vec<_>>(), ends);
}
