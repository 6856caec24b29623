//! Any calls in any order on a line buffer, against a twin that keeps what it was told and knows the rules by heart.

use arbitrary::{Result, Unstructured};
use influxdb_line_protocol::parse_lines;
use influxdb3_blocking::{LineBuffer, Precision, Timestamp};

use super::model::{
    Model, is_key, is_measurement, is_name, is_written, name, precision, tags_of, value,
};

pub fn check(data: &[u8]) {
    let _ = draw_and_check(&mut Unstructured::new(data)); // an error: the data was too short
}

fn draw_and_check(u: &mut Unstructured<'_>) -> Result<()> {
    let precision = precision(u)?;
    let mut lines = LineBuffer::with_precision(precision);
    let mut twin: Vec<Model> = Vec::new();
    // Lines have the columns of other lines more often than not.
    let mut schema: Vec<(bool, String)> = Vec::new();
    while !u.is_empty() {
        match u.int_in_range(0..=9)? {
            0 => {
                lines.clear();
                twin.clear();
            }
            1..=3 => {
                schema.clear();
                for _ in 0..u.int_in_range(0..=5)? {
                    schema.push((u.arbitrary()?, name(u)?));
                }
                schema.sort_by_key(|(is_tag, _)| !is_tag);
            }
            _ => {}
        }
        if let Some(model) = draw_line(u, &mut lines, &schema, precision)? {
            twin.push(model);
        }
        compare(&lines, &twin, precision);
    }
    Ok(())
}

/// Makes one line, or begins one, and checks that every call does what it should.
fn draw_line(
    u: &mut Unstructured<'_>,
    lines: &mut LineBuffer,
    schema: &[(bool, String)],
    precision: Precision,
) -> Result<Option<Model>> {
    let measurement = if u.ratio(3, 4)? { "m".to_owned() } else { name(u)? };
    let mut model = Model { measurement, ..Model::default() };
    let line = lines.measurement(&model.measurement);
    assert_eq!(line.is_ok(), is_measurement(&model.measurement), "{model:?}");
    let Ok(mut line) = line else { return Ok(None) };

    let extra = if u.ratio(1, 4)? { Some((u.arbitrary()?, name(u)?)) } else { None };
    for (is_tag, key) in schema.iter().chain(&extra) {
        if u.ratio(1, 16)? {
            continue;
        }
        let is_taken = model
            .tags
            .iter()
            .map(|(k, _)| k)
            .chain(model.fields.iter().map(|(k, _)| k))
            .any(|k| k == key);
        let is_free = is_key(key) && !is_taken;
        if *is_tag {
            let value = name(u)?;
            let expected =
                model.fields.is_empty() && (value.is_empty() || is_free && is_name(&value));
            let next = line.tag(key, &value);
            assert_eq!(next.is_ok(), expected, "{key:?} {value:?} {model:?}");
            let Ok(next) = next else { return Ok(None) };
            line = next;
            if !value.is_empty() {
                model.tags.push((key.clone(), value));
            }
        } else {
            let value = value(u)?;
            let expected = is_free || !is_written(&value);
            let next = line.field(key, value.clone());
            assert_eq!(next.is_ok(), expected, "{key:?} {value:?} {model:?}");
            let Ok(next) = next else { return Ok(None) };
            line = next;
            if is_written(&value) {
                model.fields.push((key.clone(), value));
            }
        }
    }
    if u.ratio(1, 8)? {
        return Ok(None); // begun and left
    }
    model.nanos = u.arbitrary()?;
    let ended = match model.nanos {
        Some(nanos) => line.at(Timestamp::nanos(nanos)),
        None => line.end(),
    };
    assert_eq!(ended.is_ok(), model.can_be_written(precision), "{model:?}");
    Ok(ended.is_ok().then_some(model))
}

fn compare(lines: &LineBuffer, twin: &[Model], precision: Precision) {
    assert_eq!(lines.lines(), twin.len());
    assert_eq!(lines.is_empty(), twin.is_empty());
    assert_eq!(lines.len(), lines.as_bytes().len());
    let text = std::str::from_utf8(lines.as_bytes()).expect("line protocol is UTF-8");
    let parsed: Vec<_> = parse_lines(text).map(|line| line.expect("it parses")).collect();
    assert_eq!(parsed.len(), twin.len(), "{text}");
    for (line, model) in parsed.iter().zip(twin) {
        model.check(line, precision);
        let tags: Vec<(&str, &str)> = model.tags.iter().map(|(k, v)| (&**k, &**v)).collect();
        assert_eq!(tags_of(line), tags, "tags stay in the order of the calls");
        let keys = line.field_set.iter().map(|(key, _)| key.as_str());
        assert!(keys.eq(model.fields.iter().map(|(key, _)| &**key)), "and so do fields");
    }
}
