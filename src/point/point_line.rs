//! The line of a point, with the default tags and in the order of tags of a client.

use super::column::PointColumn;
use super::latest_columns::LatestColumns;
use super::point_buffer::PointBuffer;
use crate::line_protocol::encoder::{self, Encoded, LineInProgress};
use crate::line_protocol::{TagRules, escape, short_bytes};
use crate::{Precision, Result};

/// Appends the line of a point, newline included. The buffer is as it was unless there is a line.
pub(super) fn encode(
    point: &PointBuffer,
    precision: Precision,
    rules: &TagRules,
    out: &mut Vec<u8>,
) -> Result<Encoded> {
    let mut line = LineInProgress::begin(out);
    match point.plain_measurement() {
        Some(plain) => short_bytes::append(line.out(), plain),
        None => escape::measurement(line.out(), point.measurement())?,
    }
    let columns = if rules.is_empty() && point.stands_as_written() {
        point.write_columns(line.out()).map(|fields| line.fields_begin_at(fields))
    } else {
        in_any_order(point, rules, &mut line)
    };
    columns
        .and_then(|()| line.finish(point.time(), precision))
        .map_err(|error| encoder::of_measurement(error, point.measurement()))
}

/// The columns after sorting, with default tags, and of equal keys only the last.
fn in_any_order(
    point: &PointBuffer,
    rules: &TagRules,
    line: &mut LineInProgress<'_>,
) -> Result<()> {
    let LatestColumns { mut tags, fields, clash } = LatestColumns::of(point);
    if let Some(column) = clash.and_then(|place| point.column_at(place)) {
        return Err(encoder::tag_and_field(column.key()));
    }
    let at = |place: &usize| point.column_at(*place);
    let key = |place: &usize| at(place).map_or(&[][..], |column| column.key_bytes());
    tags.as_mut_slice().sort_unstable_by(|a, b| rules.compare(key(a), key(b)));

    let mut defaults = rules.between_own();
    for own in tags.as_slice().iter().filter_map(at).filter(PointColumn::is_written) {
        defaults.before(own.key_bytes(), |tag| line.out().extend_from_slice(tag.piece()));
        own.write(line.out())?;
    }
    defaults.behind_all(|tag| line.out().extend_from_slice(tag.piece()));

    line.fields_begin_at(Some(line.len()));
    for column in fields.as_slice().iter().filter_map(at) {
        column.write(line.out())?;
    }
    if rules.filter().meets(&point.filter()) {
        let written = fields.as_slice().iter().filter_map(at).filter(PointColumn::is_written);
        for column in written {
            if rules.defaults().iter().any(|tag| tag.key().as_bytes() == column.key_bytes()) {
                return Err(encoder::tag_and_field(column.key()));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Point;

    fn rules(tags: &[(&str, &str)], order: &[&str]) -> TagRules {
        let tags = tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        TagRules::new(tags.collect(), order.iter().map(|key| (*key).to_owned()).collect()).unwrap()
    }

    fn line(point: &Point, rules: &TagRules) -> String {
        let mut out = Vec::new();
        assert_eq!(point.encode(Precision::Second, rules, &mut out).unwrap(), Encoded::Line);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn listed_tags_come_first_and_the_rest_is_sorted() {
        let rules = rules(&[], &["", "region", "host", "rack", "host", "missing", " "]);
        let point = Point::new("m")
            .tag("a", "1")
            .tag("rack", "2")
            .tag("host", "3")
            .tag("region", "4")
            .tag("b", "5")
            .field("f", 1);
        assert_eq!(line(&point, &rules), "m,region=4,host=3,rack=2,a=1,b=5 f=1i\n");
    }

    #[test]
    fn default_tags_are_merged_and_the_point_wins() {
        let defaults =
            [("site", "old"), ("zone", "z 1"), ("site", "lab"), ("empty", ""), ("a", "0")];
        let point = Point::new("m").tag("room", "x").field("f", 1);
        assert_eq!(line(&point, &rules(&defaults, &[])), "m,a=0,room=x,site=lab,zone=z\\ 1 f=1i\n");
        let ordered = rules(&defaults, &["zone", "room"]);
        assert_eq!(line(&point, &ordered), "m,zone=z\\ 1,room=x,a=0,site=lab f=1i\n");
        let own = point.tag("site", "own").tag("zone", "").tag("a", "1");
        assert_eq!(line(&own, &ordered), "m,zone=z\\ 1,room=x,a=1,site=own f=1i\n");
        let none = Point::new("m").field("f", 1);
        assert_eq!(line(&none, &ordered), "m,zone=z\\ 1,a=0,site=lab f=1i\n");
    }

    #[test]
    fn a_default_tag_and_a_field_of_one_name_are_refused() {
        let rules = rules(&[("site", "lab")], &[]);
        let mut out = b"before".to_vec();
        let point = Point::new("m").field("site", 1);
        let error = point.encode(Precision::Second, &rules, &mut out).unwrap_err();
        assert!(error.to_string().contains("\"site\" is both a tag and a field"), "{error}");
        let none = Point::new("m").field("site", f64::NAN);
        assert_eq!(none.encode(Precision::Second, &rules, &mut out).unwrap(), Encoded::NoFields);
        assert_eq!(out, b"before");
    }

    #[test]
    fn any_point_with_any_rules_has_each_tag_once_in_order() {
        let names = ["a", "b", "c", "d", "e", "f g"];
        for seed in 0..20_000usize {
            let bits = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
            let chosen = |shift: usize| {
                names
                    .into_iter()
                    .filter(move |name| bits >> shift >> (name.as_bytes()[0] - b'a') & 1 == 1)
            };
            let defaults: Vec<_> = chosen(0).map(|name| (name, "default")).collect();
            let order: Vec<_> = chosen(6).collect();
            let mut point = chosen(12).fold(Point::new("m"), |point, name| point.tag(name, "own"));
            point = chosen(18).fold(point, |point, name| point.tag(name, ""));
            let mut expected: Vec<(&str, &str)> = names
                .into_iter()
                .filter_map(|name| {
                    let own =
                        chosen(12).any(|own| own == name) && !chosen(18).any(|gone| gone == name);
                    let default = chosen(0).any(|default| default == name);
                    if own { Some((name, "own")) } else { default.then_some((name, "default")) }
                })
                .collect();
            expected.sort_by_key(|(name, _)| {
                (order.iter().position(|o| o == name).unwrap_or(9), *name)
            });
            let tags =
                expected.iter().map(|(key, value)| format!(",{}={value}", key.replace(' ', "\\ ")));
            let expected = format!("m{} x=1i\n", tags.collect::<String>());
            assert_eq!(line(&point.field("x", 1), &rules(&defaults, &order)), expected);
        }
    }
}
