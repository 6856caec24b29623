//! The tags of a table's lines: its own, and the client's default tags between them.

use super::cell::Tag;
use crate::Result;
use crate::line_protocol::{TagRules, encoder};

/// One tag of a line.
#[derive(Clone, Debug)]
pub(crate) enum LineTag {
    /// `,key=value` of a default tag that the table has none of.
    Default(Vec<u8>),
    Own(Tag),
}

/// The tags of these keys and the default tags, in the order that the client wants.
pub(crate) fn in_order(keys: &[String], rules: &TagRules) -> Result<Vec<LineTag>> {
    let mut keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    keys.sort_by(|a, b| rules.compare(a.as_bytes(), b.as_bytes()));
    keys.dedup();
    let mut tags = Vec::new();
    let mut defaults = rules.defaults().iter().peekable();
    for key in keys {
        let mut default = Vec::new();
        while let Some(tag) =
            defaults.next_if(|tag| rules.compare(tag.key().as_bytes(), key.as_bytes()).is_le())
        {
            if tag.key() == key {
                default = tag.piece().to_vec();
            } else {
                tags.push(LineTag::Default(tag.piece().to_vec()));
            }
        }
        let mut prefix = Vec::new();
        encoder::tag_key(&mut prefix, key)?;
        tags.push(LineTag::Own(Tag { key: key.to_owned(), prefix: prefix.into(), default }));
    }
    tags.extend(defaults.map(|tag| LineTag::Default(tag.piece().to_vec())));
    Ok(tags)
}
