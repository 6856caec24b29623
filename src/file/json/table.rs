//! Where the values of a row go.

use super::scalar::{Scalar, Settings};
use crate::columns::{ColumnRole, LayoutOptions, RenderedColumn, TableLayout};
use crate::file::Reading;
use crate::file::evidence::Evidence;
use crate::file::summary::FileColumn;
use crate::line_protocol::{TagRules, escape};
use crate::{ColumnType, Error, Precision, Result};

/// The columns that keys become.
pub(super) struct Table {
    pub(super) layout: TableLayout,
    pub(super) pieces: Vec<RenderedColumn>,
    /// For each key its place among the columns of the layout.
    places: Vec<Option<usize>>,
    /// Of the columns of the layout.
    types: Vec<ColumnType>,
    settings: Settings,
    options: LayoutOptions,
}

impl Table {
    /// `evidence` is what was seen of each key.
    pub(super) fn new(
        names: &[String],
        evidence: &[Evidence],
        reading: &Reading,
        settings: Settings,
        precision: Precision,
        rules: &TagRules,
    ) -> Result<Self> {
        let names_ref: Vec<&str> = names.iter().map(String::as_str).collect();
        let layout = TableLayout::new(&reading.layout, &names_ref, rules, precision)?;
        let is_known =
            |name: &str| names.iter().any(|known| reading.layout.new_name(known) == name);
        if let Some((name, _)) = reading.types.iter().find(|(name, _)| !is_known(name)) {
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
            let found =
                match (&column.role, reading.column_type(&column.name), evidence.get(column.index))
                {
                    (ColumnRole::Field(_), Some(given), _) => given,
                    (ColumnRole::Field(_), None, Some(evidence)) => {
                        evidence.column_type("key", &column.name, '.')?
                    }
                    _ => ColumnType::Text,
                };
            types.push(found);
        }
        let pieces = vec![RenderedColumn::default(); layout.columns().len()];
        Ok(Self { layout, pieces, places, types, settings, options: reading.layout.clone() })
    }

    pub(super) fn clear(&mut self) {
        self.pieces.iter_mut().for_each(RenderedColumn::clear);
    }

    /// Takes back what a row has so far.
    pub(super) fn truncate(&mut self, row: usize) {
        self.pieces.iter_mut().for_each(|pieces| pieces.truncate(row));
    }

    /// Adds the value of a key; the last of equal keys counts.
    #[inline]
    pub(super) fn push(&mut self, row: usize, key: usize, scalar: &Scalar<'_>) -> Result<()> {
        match self.places.get(key).copied().flatten() {
            Some(place) => self.push_at(row, place, scalar),
            None => Ok(()),
        }
    }

    /// Adds what the row has not.
    pub(super) fn end_row(&mut self, row: usize) -> Result<()> {
        for place in 0..self.pieces.len() {
            if self.pieces.get(place).is_some_and(|pieces| pieces.len() <= row) {
                self.push_at(row, place, &Scalar::Null)?;
            }
        }
        Ok(())
    }

    #[inline]
    fn push_at(&mut self, row: usize, place: usize, scalar: &Scalar<'_>) -> Result<()> {
        let (Some(column), Some(&column_type), Some(pieces)) =
            (self.layout.columns().get(place), self.types.get(place), self.pieces.get_mut(place))
        else {
            return Ok(());
        };
        pieces.truncate(row);
        scalar
            .push(&column.role, column_type, &self.settings, pieces)
            .map_err(|error| error.in_context(&format!("key {}", escape::quoted(&column.name))))
    }

    /// Whether a key that came too late is nothing that is written.
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
