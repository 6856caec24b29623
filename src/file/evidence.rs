//! What the values of a column or a key suggest that its type is.

use super::types::Seen;
use crate::line_protocol::escape;
use crate::{ColumnType, Error, Result};

/// What was seen in a column, and the first value that did not go with those before it.
#[derive(Clone, Debug, Default)]
pub(super) struct Evidence {
    seen: Seen,
    /// How many values were added as a whole.
    #[cfg(feature = "csv")]
    values: usize,
    odd: Option<Odd>,
}

#[derive(Clone, Debug)]
struct Odd {
    line: u64,
    text: String,
}

impl Evidence {
    #[cfg(feature = "csv")]
    pub(super) fn seen(&self) -> Seen {
        self.seen
    }

    /// Adds what `see` takes note of for a value; the value is shown if it does not go with the others.
    #[inline]
    pub(super) fn add(
        &mut self,
        line: u64,
        see: impl FnOnce(&mut Seen),
        text: impl FnOnce() -> String,
    ) {
        let before = self.seen;
        see(&mut self.seen);
        if self.seen != before && self.odd.is_none() && is_odd(self.seen) {
            self.odd = Some(Odd { line, text: text() });
        }
    }

    #[cfg(feature = "csv")]
    /// Whether these values can be added as a whole: none of them is the first that does not go with the others.
    #[inline]
    pub(super) fn merge(&mut self, seen: Seen, values: usize) -> bool {
        self.values += values;
        let is_plain = self.odd.is_some() || !is_odd(seen);
        if is_plain {
            self.seen = seen;
        }
        is_plain
    }

    #[cfg(feature = "csv")]
    /// Whether it is a column of texts whatever comes: there were many, and nothing else.
    pub(super) fn is_settled(&self) -> bool {
        self.values >= SETTLED_VALUES && self.seen.has(Seen::TEXT) && self.odd.is_none()
    }

    /// The type that holds all values. `what` is a column or a key, and `mark` the decimal mark of the file.
    ///
    /// # Errors
    /// Numbers, booleans and texts have nothing in common, and what a table of InfluxDB is once it stays: such a column
    /// is not made a text in silence because of one value.
    pub(super) fn column_type(&self, what: &str, name: &str, mark: char) -> Result<ColumnType> {
        let name = escape::quoted(name);
        let Some(odd) = &self.odd else { return Ok(self.seen.column_type()) };
        let shown = escape::quoted(&odd.text);
        if self.seen.is_of_other_mark() {
            let (found, advice) = match mark {
                ',' => ("point, and decimal_comma is on", "leave decimal_comma out"),
                _ => ("comma", "say decimal_comma(true)"),
            };
            return Err(Error::invalid_record(format!(
                "line {}, {what} {name}: {shown} is a number with a decimal {found}: {advice}, or choose a type with \
                 column_type",
                odd.line
            )));
        }
        if self.seen.is_mixed() {
            return Err(Error::invalid_record(format!(
                "the values of the {what} {name} are of several types: line {} has {shown}, which is not of the type \
                 of those before it: choose one type with column_type, or say what is no value with null_values",
                odd.line
            )));
        }
        Ok(self.seen.column_type())
    }
}

fn is_odd(seen: Seen) -> bool {
    seen.is_mixed() || seen.is_of_other_mark()
}

#[cfg(feature = "csv")]
/// So many texts, and no number or boolean among them, make a column of texts.
const SETTLED_VALUES: usize = 1000;
