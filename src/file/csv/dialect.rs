//! What the caller says about the text of a CSV file.

/// How the rows of a file are written.
#[derive(Clone, Debug)]
pub(super) struct Dialect {
    /// Between cells; with none a line `sep=;` at the beginning says it, or it is a comma.
    pub(super) delimiter: Option<u8>,
    /// What lines that are left out begin with.
    pub(super) comment: Option<u8>,
    /// How many lines are left out at the beginning.
    pub(super) skip_lines: u64,
    /// Whether blanks around cells that are not in quotes are left out.
    pub(super) trims: bool,
}

/// How many cells a row has.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum RowWidth {
    /// Each row has its own number, and is a block of its own.
    Any,
    Of(CellCounts),
}

/// The columns that all rows have.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct CellCounts {
    pub(super) count: usize,
    /// Whether the caller has named them, and not the first row.
    pub(super) are_given: bool,
    /// How many more the first row has at its end, without a name: cells there are empty or missing.
    pub(super) unnamed: usize,
    /// Whether rows may have fewer cells, which then are empty, or empty ones too many.
    pub(super) are_ragged: bool,
}
