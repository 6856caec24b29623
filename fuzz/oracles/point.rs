//! Any point with any default tags and any tag order: what is accepted comes back from InfluxData's own parser as it
//! was given, as exactly one line; what is refused could not have, and leaves the buffer as it was.

use arbitrary::{Result, Unstructured};
use influxdb_line_protocol::parse_lines;
use influxdb3_blocking::fuzzing;

use super::model::{Model, name, precision, tags_of};

pub fn check(data: &[u8]) {
    let _ = draw_and_check(&mut Unstructured::new(data)); // an error: the data was too short
}

fn draw_and_check(u: &mut Unstructured<'_>) -> Result<()> {
    let model = Model::arbitrary(u)?;
    let precision = precision(u)?;
    let order: Vec<String> = (0..u.int_in_range(0..=3)?).map(|_| name(u)).collect::<Result<_>>()?;

    let point = model.point();
    let mut out = b"before f=1\n".to_vec();
    let defaults = model.default_tags.clone();
    match fuzzing::encode_point(&point, defaults, order.clone(), precision, &mut out) {
        Ok(true) => {
            assert!(model.can_be_written(precision), "{model:?}");
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
        }
        Ok(false) => {
            assert!(model.columns().1.is_empty(), "{model:?}");
            assert_eq!(out, b"before f=1\n");
        }
        Err(error) => {
            let could = model.default_tags_can_be_written() && model.can_be_written(precision);
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
    Ok(())
}
