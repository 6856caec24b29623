use crate::Precision;

/// What the caller says about the columns of a table.
#[derive(Clone, Debug, Default)]
pub(crate) struct Layout {
    pub(crate) measurement: Option<String>,
    pub(crate) measurement_column: Option<String>,
    pub(crate) tags: Vec<String>,
    pub(crate) timestamp_column: Option<String>,
    /// The unit of integers in the timestamp column; that of the write if there is none.
    pub(crate) date_unit: Option<Precision>,
    /// Whether a table without the timestamp column is refused even if the caller named none.
    pub(crate) needs_time: bool,
}

impl Layout {
    pub(crate) const DEFAULT_TIME: &'static str = "time";

    /// The column of timestamps, by the caller's word or by its usual name.
    pub(crate) fn time(&self) -> &str {
        self.timestamp_column.as_deref().unwrap_or(Self::DEFAULT_TIME)
    }

    /// The columns that name the measurement if nothing else does, the first one winning. With a name from the caller
    /// they are no fields either.
    pub(crate) const MEASUREMENTS: [&'static str; 2] = ["measurement", "iox::measurement"];
}
