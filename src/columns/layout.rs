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

/// The methods that say what the columns of a table are, for a builder that keeps a [`Layout`] at this place.
#[cfg(any(feature = "arrow", feature = "polars", feature = "_files"))]
macro_rules! layout_options {
    ($($place:ident).+) => {
        /// The measurement of all rows. Without it, the columns `measurement` or `iox::measurement` name one for each
        /// row.
        pub fn measurement(mut self, name: impl Into<String>) -> Self {
            self.$($place).+.measurement = Some(name.into());
            self
        }

        /// The column that names the measurement of each row.
        pub fn measurement_column(mut self, name: impl Into<String>) -> Self {
            self.$($place).+.measurement_column = Some(name.into());
            self
        }

        /// The columns that are tags.
        pub fn tags(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
            self.$($place).+.tags = names.into_iter().map(Into::into).collect();
            self
        }

        /// The column of timestamps, `time` if this is not called.
        pub fn timestamp_column(mut self, name: impl Into<String>) -> Self {
            self.$($place).+.timestamp_column = Some(name.into());
            self
        }

        /// The unit of integers in the timestamp column; the precision of the write if this is not called.
        pub fn date_unit(mut self, unit: crate::Precision) -> Self {
            self.$($place).+.date_unit = Some(unit);
            self
        }
    };
}

#[cfg(any(feature = "arrow", feature = "polars", feature = "_files"))]
pub(crate) use layout_options;
