//! Any point with any default tags and any tag order: what is accepted comes back from InfluxData's own parser as it
//! was given, as exactly one line; what is refused could not have, and leaves the buffer as it was.

use std::time::Duration;

use arbitrary::{Result, Unstructured};
use influxdb_line_protocol::parse_lines;
use influxdb3_blocking::{FieldValue, Point, Precision, Timestamp, fuzzing};

use super::model::{Model, name, precision, tags_of};

pub fn check(data: &[u8]) {
    let _ = draw_and_check(&mut Unstructured::new(data)); // an error: the data was too short
}

fn draw_and_check(u: &mut Unstructured<'_>) -> Result<()> {
    let mut model = Model::arbitrary(u)?;
    let precision = precision(u)?;
    let mut point = model.point();
    // Times that no 64 bits of nanoseconds hold, and such that do only when they are rounded down.
    let time = time_of_any_size(u)?;
    if let Some(time) = time {
        point = point.time(time);
        model.nanos = in_64_bits(time, precision);
    }
    let can_be_written = |model: &Model| {
        model.can_be_written(precision) && (time.is_none() || model.nanos.is_some())
    };
    let order: Vec<String> = (0..u.int_in_range(0..=3)?).map(|_| name(u)).collect::<Result<_>>()?;

    let mut out = b"before f=1\n".to_vec();
    let defaults = model.default_tags.clone();
    match fuzzing::encode_point(&point, defaults, order.clone(), precision, &mut out) {
        Ok(true) => {
            assert!(can_be_written(&model), "{model:?} {time:?}");
            out.extend_from_slice(b"behind f=2\n");
            let text = std::str::from_utf8(&out).expect("line protocol is UTF-8");
            let lines: Vec<_> = parse_lines(text).map(|line| line.expect("it parses")).collect();
            assert_eq!(lines.len(), 3, "{text}");
            assert_eq!(lines[0].to_string(), "before f=1");
            assert_eq!(lines[2].to_string(), "behind f=2");
            model.check(&lines[1], precision);
            let place = |key: &str| order.iter().position(|listed| listed == key);
            let places = tags_of(&lines[1]).into_iter().map(|(key, _)| {
                (place(key).filter(|_| !key.trim().is_empty()).unwrap_or(usize::MAX), key)
            });
            assert!(places.is_sorted(), "{text}");

            // Read back and written once more it says the same.
            let line =
                text.strip_prefix("before f=1\n").and_then(|t| t.strip_suffix("behind f=2\n"));
            let again = Point::from_line_protocol(line.expect("it is between them"), precision);
            let again = again.expect("what was written is read back");
            let written = again.to_line_protocol(precision).expect("and written again");
            let parsed: Vec<_> =
                parse_lines(&written).map(|line| line.expect("it parses")).collect();
            assert_eq!(parsed.len(), 1, "{written}");
            model.check(&parsed[0], precision);
        }
        Ok(false) => {
            assert!(model.columns().1.is_empty(), "{model:?}");
            assert_eq!(out, b"before f=1\n");
        }
        Err(error) => {
            let could = model.default_tags_can_be_written() && can_be_written(&model);
            assert!(!could, "{error}: {model:?}");
            assert!(error.to_string().contains(": "), "it says what to do: {error}");
            assert_eq!(out, b"before f=1\n");
        }
    }

    // What the point says about itself is what it was told.
    let (tags, fields) = model.columns();
    assert_eq!(point.measurement(), model.measurement);
    assert_eq!(point.tags().collect::<Vec<_>>(), tags.into_iter().collect::<Vec<_>>());
    assert!(
        fields.iter().all(|(key, value)| point.fields().any(|(k, v)| k == *key && v == **value))
    );
    assert_eq!(point.timestamp(), time.or_else(|| model.nanos.map(Timestamp::nanos)));

    // The order in which columns with different keys were set makes no difference.
    let mut backwards = Point::new(&model.measurement);
    for (key, value) in point.fields().collect::<Vec<_>>().into_iter().rev() {
        backwards.set_field(key, value);
    }
    for (key, value) in point.tags().collect::<Vec<_>>().into_iter().rev() {
        backwards.set_tag(key, value);
    }
    if let Some(time) = point.timestamp() {
        backwards.set_time(time);
    }
    let is_nan = |value: &FieldValue<'_>| match value {
        FieldValue::Float(value) => value.is_nan(),
        FieldValue::Float32(value) => value.is_nan(),
        _ => false,
    };
    let has_nan = point.fields().any(|(_, value)| is_nan(&value));
    assert_eq!(point == backwards, !has_nan, "{point:?} {backwards:?}");
    Ok(())
}

fn time_of_any_size(u: &mut Unstructured<'_>) -> Result<Option<Timestamp>> {
    let edge = if u.arbitrary()? { Timestamp::MAX } else { Timestamp::MIN };
    let distance = Duration::from_nanos(u.int_in_range(0..=2_000_000_000)?);
    Ok(match u.int_in_range(0..=9)? {
        0 => Some(Timestamp::seconds(u.arbitrary()?)),
        1 => Some(Timestamp::millis(u.arbitrary()?)),
        2 => Some(Timestamp::micros(u.arbitrary()?)),
        3 => Some(edge + distance),
        4 => Some(edge - distance),
        _ => None,
    })
}

/// The time rounded down to the precision, if that fits 64 bits of nanoseconds, which the server makes of it.
fn in_64_bits(time: Timestamp, precision: Precision) -> Option<i64> {
    let unit = i128::from(precision.nanos());
    i64::try_from(time.as_nanos().div_euclid(unit) * unit).ok()
}
