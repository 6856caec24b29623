//! The keys that the caller names, and whether any item has them.

use crate::columns::LayoutOptions;
use crate::line_protocol::{TagRules, escape};
use crate::{Error, Result};

/// Keys that were named and not seen yet.
#[derive(Debug)]
pub(super) struct NamedKeys {
    /// The option, and the key that it names.
    unseen: Vec<(&'static str, String)>,
    /// Keys of items, as long as there are unseen ones.
    seen: Vec<String>,
}

impl NamedKeys {
    /// Of these options. A tag that has a default need not be there.
    pub(super) fn new(layout: &LayoutOptions, rules: &TagRules) -> Self {
        let rename = layout.renames.iter().map(|(from, _)| ("rename", from));
        let exclude = layout.exclude.iter().map(|name| ("exclude", name));
        let has_default = |name: &str| rules.defaults().iter().any(|tag| tag.key() == name);
        let tags = layout.tags.iter().filter(|name| !has_default(name)).map(|name| ("tags", name));
        let fields = layout.fields.iter().flatten().map(|name| ("fields", name));
        let all = rename.chain(exclude).chain(tags).chain(fields);
        Self { unseen: all.map(|(what, name)| (what, name.clone())).collect(), seen: Vec::new() }
    }

    /// An item has this key.
    #[inline]
    pub(super) fn see(&mut self, key: &str, layout: &LayoutOptions) {
        if !self.unseen.is_empty() {
            self.cross_out(key, layout.new_name(key));
        }
    }

    fn cross_out(&mut self, key: &str, name: &str) {
        self.unseen.retain(|(what, unseen)| unseen != if *what == "rename" { key } else { name });
        if self.seen.len() < SHOWN && !self.seen.iter().any(|seen| seen == name) {
            self.seen.push(name.to_owned());
        }
    }

    /// An error if a key was not seen, unless no item was.
    pub(super) fn check(&self) -> Result<()> {
        match self.unseen.first() {
            Some((what, key)) if !self.seen.is_empty() => Err(Error::invalid_record(format!(
                "{what} names the key {}, which no item has; the keys are {}",
                escape::quoted(key),
                self.seen.iter().map(|key| format!("{key:?}")).collect::<Vec<_>>().join(", ")
            ))),
            _ => Ok(()),
        }
    }
}

const SHOWN: usize = 30;
