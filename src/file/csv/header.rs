//! The names of the columns of a CSV file.

use super::BadRows;
use super::dialect::CellCounts;
use super::row_block::RowBlock;
use crate::Error;
use crate::columns::LayoutOptions;
use crate::file::{ReadOptions, unreadable};

/// Which columns have a name, and where they are.
pub(super) struct CsvHeader {
    /// The places of the columns that are written, and their names.
    named: Vec<(usize, String)>,
    /// The places of columns without a name before the last that has one: their cells are empty.
    empty: Vec<usize>,
    /// Whether the first column has no name and is left out, whatever it holds.
    is_first_unnamed: bool,
    /// Cells of a row, those at the end without a name left out.
    count: usize,
    /// Cells without a name at the end.
    unnamed: usize,
    are_given: bool,
}

impl CsvHeader {
    pub(super) fn given(names: &[String]) -> Self {
        Self {
            named: names.iter().cloned().enumerate().collect(),
            empty: Vec::new(),
            is_first_unnamed: false,
            count: names.len(),
            unnamed: 0,
            are_given: true,
        }
    }

    /// The names in the first row. What pandas and R write before them for the numbers of rows is a column without one.
    pub(super) fn read(row: RowBlock<'_>, layout: &LayoutOptions) -> Self {
        let names = (0..row.columns()).map(|column| row.cell(0, column).0.into_owned());
        let mut named: Vec<(usize, String)> = names.enumerate().collect();
        // The options name the column without a name, so that it is a column like the others.
        if !layout.new_name("").is_empty() || layout.is_excluded("") || layout.time().is_empty() {
            let count = named.len();
            return Self {
                named,
                empty: Vec::new(),
                is_first_unnamed: false,
                count,
                unnamed: 0,
                are_given: false,
            };
        }
        let cells = named.len();
        let unnamed = named.iter().rev().take_while(|(_, name)| name.is_empty()).count();
        // The reader leaves out rows of empty cells, so that one cell at least has a name.
        named.truncate(cells - unnamed);
        let count = named.len();
        let is_first_unnamed = named.first().is_some_and(|(_, name)| name.is_empty());
        let is_empty = |(place, name): &&(usize, String)| *place > 0 && name.is_empty();
        let empty = named.iter().filter(is_empty).map(|(place, _)| *place).collect();
        named.retain(|(_, name)| !name.is_empty());
        Self { named, empty, is_first_unnamed, count, unnamed, are_given: false }
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.named.iter().map(|(_, name)| name.as_str())
    }

    /// Where the column of a name is in the file, by the place of the name.
    pub(super) fn place(&self, name: usize) -> usize {
        self.named.get(name).map_or(usize::MAX, |(place, _)| *place)
    }

    /// Whether the first column has no name and is left out.
    pub(super) fn is_first_unnamed(&self) -> bool {
        self.is_first_unnamed
    }

    /// What the rows below have.
    pub(super) fn columns(&self, read_options: &ReadOptions) -> CellCounts {
        CellCounts {
            count: self.count,
            are_given: self.are_given,
            unnamed: self.unnamed,
            are_ragged: read_options.ragged_rows,
        }
    }

    /// Adds to an error what seems to stand between the cells, if the first row was taken for one cell.
    pub(super) fn explain(&self, error: Error) -> Error {
        let [(_, name)] = &*self.named else { return error };
        let other = [';', '\t', '|', ','].into_iter().find(|mark| name.contains(*mark));
        match other.filter(|_| !self.are_given) {
            None => error,
            Some(mark) => error.in_context(&format!(
                "the first row is one cell: is .delimiter(b{mark:?}) missing?"
            )),
        }
    }

    /// Finds rows with a value where there is no name.
    pub(super) fn check(&self, block: RowBlock<'_>, bad: &mut BadRows) {
        for &place in &self.empty {
            let has_value = |row: &usize| !block.cell(*row, place).0.trim_ascii().is_empty();
            for row in (0..block.rows()).filter(has_value) {
                let what = format!(
                    "line {}: the cell {} is not empty, but its column has no name in the first row",
                    block.line(row),
                    place + 1
                );
                if !bad.add(row, unreadable(what)) {
                    break;
                }
            }
        }
    }
}
