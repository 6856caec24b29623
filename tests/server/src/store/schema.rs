//! What columns a table has.

use std::collections::HashMap;

/// What kind of column it is. The first line that has the column decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ColumnKind {
    Tag,
    Float,
    Integer,
    Unsigned,
    Text,
    Boolean,
}

impl ColumnKind {
    /// The name in error messages and in the metadata of result columns.
    pub(crate) fn name(self) -> &'static str {
        match self {
            ColumnKind::Tag => "iox::column_type::tag",
            ColumnKind::Float => "iox::column_type::field::float",
            ColumnKind::Integer => "iox::column_type::field::integer",
            ColumnKind::Unsigned => "iox::column_type::field::uinteger",
            ColumnKind::Text => "iox::column_type::field::string",
            ColumnKind::Boolean => "iox::column_type::field::boolean",
        }
    }
}

/// The columns of a table but for `time`, in the order in which they were added.
#[derive(Debug, Clone, Default)]
pub(crate) struct Columns {
    columns: Vec<(Box<str>, ColumnKind)>,
    by_name: HashMap<Box<str>, usize>,
}

impl Columns {
    pub(crate) fn find(&self, name: &str) -> Option<(usize, ColumnKind)> {
        let at = *self.by_name.get(name)?;
        Some((at, self.columns[at].1))
    }

    pub(crate) fn add(&mut self, name: &str, kind: ColumnKind) -> usize {
        let at = self.columns.len();
        self.columns.push((name.into(), kind));
        self.by_name.insert(name.into(), at);
        at
    }

    pub(crate) fn len(&self) -> usize {
        self.columns.len()
    }

    pub(crate) fn tags(&self) -> usize {
        self.columns.iter().filter(|(_, kind)| *kind == ColumnKind::Tag).count()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, ColumnKind)> {
        self.columns.iter().map(|(name, kind)| (&**name, *kind))
    }
}
