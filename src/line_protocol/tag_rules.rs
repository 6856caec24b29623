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

/// The default tags that were not handed on yet.
pub(crate) struct DefaultsBetweenOwn<'a> {
    rules: &'a TagRules,
    rest: &'a [DefaultTag],
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

    /// The default tags, to be put between a row's own.
    #[inline]
    pub(crate) fn between_own(&self) -> DefaultsBetweenOwn<'_> {
        DefaultsBetweenOwn { rules: self, rest: &self.defaults }
    }

    /// The keys of the default tags.
    pub(crate) fn filter(&self) -> &KeyFilter {
        &self.filter
    }

    /// Which of two keys (not escaped) is first in a line.
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

impl<'a> DefaultsBetweenOwn<'a> {
    /// Hands on the default tags that stand before the own tag of this key, and gives back the default tag of the same key,
    /// which the row's own replaces. Keys are in the order of [`TagRules::compare`].
    #[inline]
    pub(crate) fn before(
        &mut self,
        key: &[u8],
        mut each: impl FnMut(&'a DefaultTag),
    ) -> Option<&'a DefaultTag> {
        while let [tag, rest @ ..] = self.rest {
            match self.rules.compare(tag.key.as_bytes(), key) {
                Ordering::Greater => break,
                Ordering::Less => each(tag),
                Ordering::Equal => {
                    self.rest = rest;
                    return Some(tag);
                }
            }
            self.rest = rest;
        }
        None
    }

    /// Hands on those behind the last own tag.
    #[inline]
    pub(crate) fn behind_all(self, each: impl FnMut(&'a DefaultTag)) {
        self.rest.iter().for_each(each);
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
    use crate::ErrorKind;

    #[test]
    fn a_default_tag_that_cannot_be_written_is_a_mistake_of_the_configuration() {
        for (key, value) in [("", "x"), ("time", "x"), ("a\n", "x"), ("a", "x\\"), ("a", "x\ty")] {
            let error = TagRules::new(vec![(key.into(), value.into())], vec![]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config, "{error}");
            assert!(error.to_string().starts_with("default tag: "), "{error}");
        }
    }
}
