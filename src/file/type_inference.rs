//! The type of a column of CSV or of a key of JSON, inferred from its values.

use super::seen_kinds::SeenKinds;
use crate::line_protocol::escape;
use crate::{ColumnType, Error, Result};

/// The kinds of values that were seen in a column, and the first value whose kind has no type in common with those before
/// it.
#[derive(Clone, Debug, Default)]
pub(super) struct TypeInference {
    seen: SeenKinds,
    /// How many values were added by [`merge`](Self::merge).
    #[cfg(feature = "csv")]
    values: usize,
    mismatch: Option<FirstMismatch>,
}

/// A value that has no type in common with those before it.
#[derive(Clone, Debug)]
struct FirstMismatch {
    line: u64,
    text: String,
}

impl TypeInference {
    #[cfg(feature = "csv")]
    pub(super) fn seen(&self) -> SeenKinds {
        self.seen
    }

    /// Adds a value: `see` adds its kind, and `text` is called for the first mismatch only, which errors show.
    #[inline]
    pub(super) fn add(
        &mut self,
        line: u64,
        see: impl FnOnce(&mut SeenKinds),
        text: impl FnOnce() -> String,
    ) {
        let before = self.seen;
        see(&mut self.seen);
        if self.seen != before && self.mismatch.is_none() && is_mismatch(self.seen) {
            self.mismatch = Some(FirstMismatch { line, text: text() });
        }
    }

    /// Adds `values` values at once, if none of them is the first mismatch; `seen` are the kinds with those of the
    /// values. With false, nothing was added, and the values have to be added one by one.
    #[cfg(feature = "csv")]
    #[inline]
    pub(super) fn merge(&mut self, seen: SeenKinds, values: usize) -> bool {
        self.values += values;
        let is_plain = self.mismatch.is_some() || !is_mismatch(seen);
        if is_plain {
            self.seen = seen;
        }
        is_plain
    }

    /// Whether more values are not looked at: there were [`SETTLED_VALUES`], and all of them texts.
    #[cfg(feature = "csv")]
    pub(super) fn is_settled(&self) -> bool {
        self.values >= SETTLED_VALUES && self.seen.has(SeenKinds::TEXT) && self.mismatch.is_none()
    }

    /// The one type that holds all values. `what` is `column` or `key`, for errors, and `mark` the decimal mark of the file.
    ///
    /// # Errors
    /// There are numbers, booleans and texts among the values. They would fit a column of texts, but the type of a column of
    /// InfluxDB can never be changed, so that one misspelt number must not decide it.
    pub(super) fn column_type(&self, what: &str, name: &str, mark: char) -> Result<ColumnType> {
        let name = escape::quoted(name);
        let Some(mismatch) = &self.mismatch else { return Ok(self.seen.column_type()) };
        let shown = escape::quoted(&mismatch.text);
        if self.seen.is_of_other_mark() {
            let (found, advice) = match mark {
                ',' => ("point, and decimal_comma is on", "leave decimal_comma out"),
                _ => ("comma", "say decimal_comma(true)"),
            };
            return Err(Error::invalid_record(format!(
                "line {}, {what} {name}: {shown} is a number with a decimal {found}: {advice}, or choose a type with \
                 column_type",
                mismatch.line
            )));
        }
        if self.seen.is_mixed() {
            return Err(Error::invalid_record(format!(
                "the values of the {what} {name} are of several types: line {} has {shown}, which is not of the type \
                 of those before it: choose one type with column_type, or say what is no value with null_values",
                mismatch.line
            )));
        }
        Ok(self.seen.column_type())
    }
}

fn is_mismatch(seen: SeenKinds) -> bool {
    seen.is_mixed() || seen.is_of_other_mark()
}

/// The number of leading texts, without a number or boolean among them, that make a column of texts.
#[cfg(feature = "csv")]
const SETTLED_VALUES: usize = 1000;
