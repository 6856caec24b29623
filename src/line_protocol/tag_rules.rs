use std::cmp::Ordering;

use crate::line_protocol::encoder;
use crate::line_protocol::key_filter::KeyFilter;
use crate::line_protocol::short_bytes::look;
use crate::{Error, Result};

/// What a client adds to the tags of its rows: default tags, and the order of all tags in a line.
///
/// A row's own tag wins over the default of the same key. Text and line buffers are never touched.
#[derive(Clone, Debug, Default)]
pub(crate) struct TagRules {
    defaults: Vec<DefaultTag>,
    order: Vec<String>,
    filter: KeyFilter,
}

/// One default tag, ready to be copied into a line.
#[derive(Clone, Debug)]
pub(crate) struct DefaultTag {
    key: String,
    /// `,key=value`
    piece: Vec<u8>,
}

impl TagRules {
    /// Neither default tags nor an order.
    pub(crate) const NONE: &'static Self =
        &Self { defaults: Vec::new(), order: Vec::new(), filter: KeyFilter::EMPTY };

    /// Default tags, of which the last of one key counts and those without a value are left out, and the keys that
    /// come first in a line; all others are sorted. Blank and repeated keys of the order are ignored.
    ///
    /// # Errors
    ///
    /// If a default tag cannot be written.
    pub(crate) fn new(default_tags: Vec<(String, String)>, order: Vec<String>) -> Result<Self> {
        let mut rules = Self::default();
        for key in order {
            if !key.trim().is_empty() && !rules.order.contains(&key) {
                rules.order.push(key);
            }
        }
        for (key, value) in default_tags {
            rules.defaults.retain(|tag| tag.key != key);
            if value.is_empty() {
                continue;
            }
            let mut piece = Vec::with_capacity(key.len() + value.len() + 2);
            encoder::tag(&mut piece, &key, &value)
                .map_err(|error| Error::config(format!("default tag: {}", error.message())))?;
            rules.defaults.push(DefaultTag { key, piece });
        }
        for tag in &rules.defaults {
            rules.filter.add(look(tag.key.as_bytes()).hash);
        }
        let mut defaults = std::mem::take(&mut rules.defaults);
        defaults.sort_by(|a, b| rules.compare(a.key.as_bytes(), b.key.as_bytes()));
        rules.defaults = defaults;
        Ok(rules)
    }

    /// Whether there is nothing to add and nothing to order but by key.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.defaults.is_empty() && self.order.is_empty()
    }

    /// The default tags in the order of [`compare`](Self::compare).
    pub(crate) fn defaults(&self) -> &[DefaultTag] {
        &self.defaults
    }

    /// The keys of the default tags.
    pub(crate) fn filter(&self) -> &KeyFilter {
        &self.filter
    }

    /// Which of two keys (as they are, not escaped) comes first in a line.
    pub(crate) fn compare(&self, a: &[u8], b: &[u8]) -> Ordering {
        if self.order.is_empty() {
            return a.cmp(b);
        }
        self.rank(a).cmp(&self.rank(b)).then_with(|| a.cmp(b))
    }

    fn rank(&self, key: &[u8]) -> usize {
        let place = self.order.iter().position(|listed| listed.as_bytes() == key);
        place.unwrap_or(self.order.len())
    }
}

impl DefaultTag {
    /// The key as it is, not escaped.
    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    /// `,key=value`, escaped.
    pub(crate) fn piece(&self) -> &[u8] {
        &self.piece
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::line_protocol::encoder::Encoded;
    use crate::{ErrorKind, Point, Precision};

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
    fn a_default_tag_that_cannot_be_written_is_a_mistake_of_the_configuration() {
        for (key, value) in [("", "x"), ("time", "x"), ("a\n", "x"), ("a", "x\\"), ("a", "x\ty")] {
            let error = TagRules::new(vec![(key.into(), value.into())], vec![]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config, "{error}");
            assert!(error.to_string().starts_with("default tag: "), "{error}");
        }
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
