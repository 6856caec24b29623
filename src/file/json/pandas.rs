//! What pandas writes as one object: a table by column or by row, split into names and rows, or with its schema.

use std::collections::HashMap;
use std::ops::Range;

use super::scalar::Scalar;
use super::text::{self, Malformed};
use crate::Result;
use crate::columns::LayoutOptions;
use crate::file::unreadable;
use crate::timestamp::time_text;

/// A table that pandas has written as one object, in memory.
#[derive(Debug)]
pub(super) struct PandasTable {
    pub(super) names: Vec<String>,
    pub(super) rows: usize,
    /// The values of each column. The rows that a shorter one lacks are nulls.
    columns: Vec<PandasColumn>,
    /// The object, as it stands in the file.
    text: String,
    /// The names of the rows.
    labels: Vec<String>,
}

#[derive(Debug)]
enum PandasColumn {
    /// Where in the text each value stands; an empty range is a null.
    Values(Vec<Range<usize>>),
    Labels,
}

/// The keys and values of an object, in its order.
type ObjectEntries<'a> = Vec<(String, &'a str)>;

/// In which of the forms of pandas an object is written (the parameter `orient` of `to_json`).
enum Orient<'a> {
    /// Names and rows of values, and the names of the rows.
    Split { names: Vec<&'a str>, index: Vec<&'a str>, rows: Vec<&'a str> },
    /// Rows that are objects, and the keys that number them.
    Table { rows: Vec<ObjectEntries<'a>>, index: Vec<String> },
    /// Names and values of columns, or of rows.
    Nested(Vec<(String, ObjectEntries<'a>)>),
}

impl PandasTable {
    /// The table that an object is, if it is one and not a row. With `is_flattened`, an object of objects is a row.
    pub(super) fn read(
        object: &[u8],
        layout: &LayoutOptions,
        is_flattened: bool,
    ) -> Result<Option<Self>> {
        // Text that is not UTF-8 is refused where the rows are read.
        let Ok(text) = std::str::from_utf8(object) else { return Ok(None) };
        let frame = Self {
            names: Vec::new(),
            rows: 0,
            columns: Vec::new(),
            text: text.to_owned(),
            labels: Vec::new(),
        };
        let builder = PandasTableBuilder { text, layout, frame };
        match Orient::of(text) {
            None => Ok(None),
            Some(Orient::Split { names, index, rows }) => {
                builder.split(&names, &index, &rows).map(Some)
            }
            Some(Orient::Table { rows, index }) => Ok(Some(builder.table(rows, &index))),
            Some(Orient::Nested(_)) if is_flattened => Ok(None),
            Some(Orient::Nested(entries)) => Ok(Some(builder.nested(entries))),
        }
    }

    /// The value of a column in a row.
    pub(super) fn value(&self, column: usize, row: usize) -> Scalar<'_> {
        let label = || self.labels.get(row).map_or("", String::as_str);
        match self.columns.get(column) {
            Some(PandasColumn::Labels) => Scalar::Text(label().into()),
            Some(PandasColumn::Values(places)) => {
                let place = places.get(row).cloned().unwrap_or_default();
                match self.text.get(place) {
                    None | Some("") => Scalar::Null,
                    Some(text) => Scalar::read(text),
                }
            }
            None => Scalar::Null,
        }
    }
}

impl<'a> Orient<'a> {
    fn of(text: &'a str) -> Option<Self> {
        let entries = object(text).ok()?;
        let get = |key: &str| entries.iter().find(|(name, _)| name == key).map(|(_, value)| *value);
        let has_only =
            |keys: &[&str]| entries.iter().all(|(name, _)| keys.contains(&name.as_str()));
        if let (Some(names), Some(rows)) = (get("columns"), get("data"))
            && has_only(&["columns", "index", "data", "index_names", "column_names"])
            && let (Ok(names), Ok(rows)) = (text::elements(names), text::elements(rows))
        {
            let index =
                get("index").and_then(|index| text::elements(index).ok()).unwrap_or_default();
            return Some(Self::Split { names, index, rows });
        }
        if let (Some(schema), Some(rows)) = (get("schema"), get("data"))
            && has_only(&["schema", "data"])
            && let (Ok(schema), Ok(rows)) = (object(schema), text::elements(rows))
            && let Ok(rows) = rows.into_iter().map(object).collect()
        {
            let index = schema.iter().find(|(key, _)| key == "primaryKey");
            let index = index.and_then(|(_, keys)| text::elements(keys).ok()).unwrap_or_default();
            let index = index.into_iter().filter_map(text::unescape).map(Into::into).collect();
            return Some(Self::Table { rows, index });
        }
        let is_nested =
            !entries.is_empty() && entries.iter().all(|(_, value)| value.starts_with('{'));
        if !is_nested {
            return None;
        }
        let objects = entries.into_iter().map(|(name, value)| Some((name, object(value).ok()?)));
        objects.collect::<Option<_>>().map(Self::Nested)
    }
}

fn object(text: &str) -> Result<ObjectEntries<'_>, Malformed> {
    let mut entries = Vec::new();
    text::entries(text, |key, value| {
        entries.push((key.into_owned(), value));
        true
    })?;
    Ok(entries)
}

/// Puts the values of a text into the columns of a table.
struct PandasTableBuilder<'a> {
    text: &'a str,
    layout: &'a LayoutOptions,
    frame: PandasTable,
}

impl PandasTableBuilder<'_> {
    fn split(mut self, names: &[&str], index: &[&str], rows: &[&str]) -> Result<PandasTable> {
        let name =
            |name: &&str| text::unescape(name).filter(|_| name.starts_with('"')).map(Into::into);
        let names: Option<Vec<String>> = names.iter().map(name).collect();
        let names =
            names.ok_or_else(|| unreadable("the names at \"columns\" are not all texts"))?;
        let mut columns = vec![Vec::with_capacity(rows.len()); names.len()];
        for (number, row) in rows.iter().enumerate() {
            let cells = text::elements(row).ok().filter(|cells| cells.len() == names.len());
            let cells = cells.ok_or_else(|| {
                unreadable(format!(
                    "row {} of \"data\" is no array of {} values",
                    number + 1,
                    names.len()
                ))
            })?;
            for (column, cell) in columns.iter_mut().zip(cells) {
                column.push(self.place(cell));
            }
        }
        if self.wants_index(&names) {
            let places = index.iter().map(|label| self.place(label)).collect();
            self.add(INDEX.to_owned(), PandasColumn::Values(places));
        }
        for (name, column) in names.into_iter().zip(columns) {
            self.add(name, PandasColumn::Values(column));
        }
        self.frame.rows = rows.len();
        Ok(self.frame)
    }

    /// Rows are objects. What numbers them is left out, unless the layout names it.
    fn table(mut self, rows: Vec<ObjectEntries<'_>>, index: &[String]) -> PandasTable {
        self.frame.rows = rows.len();
        let cells = rows.into_iter().enumerate().flat_map(|(row, cells)| {
            cells.into_iter().map(move |(name, cell)| (name, Some((row, cell))))
        });
        let is_left_out = |name: &String| index.contains(name) && !names(self.layout, name);
        let (names, columns) = self.collect(cells.filter(|(name, _)| !is_left_out(name)));
        for (name, column) in names.into_iter().zip(columns) {
            self.add(name, PandasColumn::Values(column));
        }
        self.frame
    }

    /// The outer keys are the names of columns and the inner ones those of rows, or the other way round: where the time
    /// is tells them apart.
    fn nested(mut self, entries: Vec<(String, ObjectEntries<'_>)>) -> PandasTable {
        let is_time =
            |label: &str| time_text::parse_or_number(label, crate::Precision::Second).is_ok();
        let first = entries.first();
        let inner = first.map(|(_, cells)| cells.as_slice()).unwrap_or_default();
        let outer_has = |name: &str| entries.iter().any(|(key, _)| key == name);
        let inner_has = |name: &str| inner.iter().any(|(key, _)| key == name);
        let time = self.layout.time();
        let is_by_row = match self.wants_index(&[]) && !outer_has(INDEX) && !inner_has(INDEX) {
            true => {
                first.is_some_and(|(key, _)| is_time(key))
                    && !inner.iter().any(|(key, _)| is_time(key))
            }
            false => !outer_has(time) && inner_has(time),
        };
        let mut labels: HashMap<String, usize> = HashMap::new();
        let mut cells = Vec::new();
        for (outer, values) in entries {
            // A column without a value is one nevertheless.
            if !is_by_row && values.is_empty() {
                cells.push((outer.clone(), None));
            }
            for (inner, cell) in values {
                let (row, name) = if is_by_row { (&outer, inner) } else { (&inner, outer.clone()) };
                let next = labels.len();
                let row = *labels.entry(row.clone()).or_insert_with(|| {
                    self.frame.labels.push(row.clone());
                    next
                });
                cells.push((name, Some((row, cell))));
            }
        }
        self.frame.rows = labels.len();
        let (names, columns) = self.collect(cells.into_iter());
        if self.wants_index(&names) {
            self.add(INDEX.to_owned(), PandasColumn::Labels);
        }
        for (name, column) in names.into_iter().zip(columns) {
            self.add(name, PandasColumn::Values(column));
        }
        self.frame
    }

    /// Puts values of rows and names into columns, in the order of the names.
    fn collect<'v>(
        &self,
        cells: impl Iterator<Item = (String, Option<(usize, &'v str)>)>,
    ) -> (Vec<String>, Vec<Vec<Range<usize>>>) {
        let mut places: HashMap<String, usize> = HashMap::new();
        let (mut names, mut columns) = (Vec::new(), Vec::<Vec<Range<usize>>>::new());
        for (name, cell) in cells {
            let next = places.len();
            let place = *places.entry(name).or_insert_with_key(|name| {
                names.push(name.clone());
                columns.push(Vec::new());
                next
            });
            let (Some(column), Some((row, cell))) = (columns.get_mut(place), cell) else {
                continue;
            };
            if column.len() <= row {
                column.resize(row + 1, 0..0);
            }
            if let Some(slot) = column.get_mut(row) {
                *slot = self.place(cell);
            }
        }
        (names, columns)
    }

    /// Whether the names of the rows are a column: the layout names it, and no other has the name.
    fn wants_index(&self, others: &[String]) -> bool {
        names(self.layout, INDEX) && !others.iter().any(|name| name == INDEX)
    }

    fn add(&mut self, name: String, column: PandasColumn) {
        self.frame.names.push(name);
        self.frame.columns.push(column);
    }

    /// Where a value is in the text.
    fn place(&self, value: &str) -> Range<usize> {
        let start = (value.as_ptr() as usize).wrapping_sub(self.text.as_ptr() as usize);
        start..start.saturating_add(value.len())
    }
}

/// Whether the caller has said what the column of this name is.
fn names(layout: &LayoutOptions, name: &str) -> bool {
    layout.timestamp_column.as_deref() == Some(name)
        || layout.measurement_column.as_deref() == Some(name)
        || layout.tags.iter().any(|tag| tag == name)
}

/// The name of the names of rows, as in pandas.
const INDEX: &str = "index";
