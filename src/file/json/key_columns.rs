//! The columns that the keys of JSON objects become.

use super::scalar::{Scalar, ScalarRules};
use crate::columns::{ColumnRole, LayoutOptions, RenderedColumn, TableLayout};
use crate::file::ReadOptions;
use crate::file::summary::FileColumn;
use crate::file::type_inference::TypeInference;
use crate::line_protocol::{TagRules, escape};
use crate::{ColumnType, Error, Precision, Result};

/// The columns that keys become, and the rows of a block so far.
pub(super) struct KeyColumns {
    pub(super) layout: TableLayout,
    pub(super) rendered: Vec<RenderedColumn>,
    /// For each key its place among the columns of the layout.
    places: Vec<Option<usize>>,
    /// Of the columns of the layout.
    types: Vec<ColumnType>,
    scalar_rules: ScalarRules,
    options: LayoutOptions,
}

impl KeyColumns {
    /// `evidence` is what was seen of each key.
    pub(super) fn new(
        names: &[String],
        inference: &[TypeInference],
        read_options: &ReadOptions,
        scalar_rules: ScalarRules,
        precision: Precision,
        rules: &TagRules,
    ) -> Result<Self> {
        let names_ref: Vec<&str> = names.iter().map(String::as_str).collect();
        let layout = TableLayout::new(&read_options.layout, &names_ref, rules, precision)?;
        let is_known =
            |name: &str| names.iter().any(|known| read_options.layout.new_name(known) == name);
        if let Some((name, _)) = read_options.types.iter().find(|(name, _)| !is_known(name)) {
            return Err(Error::config(format!(
                "column_type names the key {}, which no object has",
                escape::quoted(name)
            )));
        }
        let mut types = Vec::new();
        let mut places = vec![None; names.len()];
        for (number, column) in layout.columns().iter().enumerate() {
            if let Some(place) = places.get_mut(column.index) {
                *place = Some(number);
            }
            let found = match (
                &column.role,
                read_options.column_type(&column.name),
                inference.get(column.index),
            ) {
                (ColumnRole::Field(_), Some(given), _) => given,
                (ColumnRole::Field(_), None, Some(inference)) => {
                    inference.column_type("key", &column.name, '.')?
                }
                _ => ColumnType::Text,
            };
            types.push(found);
        }
        let rendered = vec![RenderedColumn::default(); layout.columns().len()];
        Ok(Self {
            layout,
            rendered,
            places,
            types,
            scalar_rules,
            options: read_options.layout.clone(),
        })
    }

    pub(super) fn clear(&mut self) {
        self.rendered.iter_mut().for_each(RenderedColumn::clear);
    }

    /// Removes this row and those behind it.
    pub(super) fn truncate(&mut self, row: usize) {
        self.rendered.iter_mut().for_each(|rendered| rendered.truncate(row));
    }

    /// Adds the value of a key; the last of equal keys counts.
    #[inline]
    pub(super) fn push(&mut self, row: usize, key: usize, scalar: &Scalar<'_>) -> Result<()> {
        match self.places.get(key).copied().flatten() {
            Some(place) => self.push_at(row, place, scalar),
            None => Ok(()),
        }
    }

    /// Ends a row: columns of keys that it lacks get a null.
    pub(super) fn end_row(&mut self, row: usize) -> Result<()> {
        for place in 0..self.rendered.len() {
            if self.rendered.get(place).is_some_and(|rendered| rendered.len() <= row) {
                self.push_at(row, place, &Scalar::Null)?;
            }
        }
        Ok(())
    }

    #[inline]
    fn push_at(&mut self, row: usize, place: usize, scalar: &Scalar<'_>) -> Result<()> {
        let (Some(column), Some(&column_type), Some(rendered)) =
            (self.layout.columns().get(place), self.types.get(place), self.rendered.get_mut(place))
        else {
            return Ok(());
        };
        rendered.truncate(row);
        scalar
            .push(&column.role, column_type, &self.scalar_rules, rendered)
            .map_err(|error| error.in_context(&format!("key {}", escape::quoted(&column.name))))
    }

    /// Whether the options leave this key out, so that it may appear after the rows that decided about types.
    pub(super) fn leaves_out(&self, key: &str) -> bool {
        let name = self.options.new_name(key);
        self.options.is_excluded(name) || !self.options.can_be_field(name)
    }

    /// The fields and their types.
    pub(super) fn fields(&self) -> Vec<FileColumn> {
        let columns = self.layout.columns().iter().zip(&self.types);
        let fields = columns.filter(|(column, _)| matches!(column.role, ColumnRole::Field(_)));
        fields.map(|(column, &column_type)| FileColumn::new(&column.name, column_type)).collect()
    }
}
