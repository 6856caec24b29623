use std::fmt;
use std::iter::FusedIterator;
use std::marker::PhantomData;

use arrow_array::{Array, RecordBatch};
use arrow_schema::Field;

use super::cell::Cell;
use super::from_cell::{FromCell, fit};
use crate::Result;

/// The values of a column, from the first row to the last: made by [`Table::values`](crate::Table::values).
///
/// ```no_run
/// # let client = influxdb3_blocking::Client::from_env()?;
/// let table = client.query("SELECT temp FROM home").table()?;
/// let temps = table.values::<Option<f64>>("temp")?;
/// println!("{} values", temps.len());
/// for temp in temps {
///     println!("{:?}", temp?);
/// }
/// # Ok::<_, influxdb3_blocking::Error>(())
/// ```
pub struct Values<'a, T> {
    field: &'a Field,
    batches: std::slice::Iter<'a, RecordBatch>,
    column: usize,
    /// The column of the batch that is being read; `None` before the first one.
    array: Option<&'a dyn Array>,
    next: usize,
    left: usize,
    values: PhantomData<fn() -> T>,
}

impl<'a, T: FromCell<'a>> Values<'a, T> {
    /// All batches have a column of this field at this place, and `rows` rows together.
    pub(crate) fn new(
        field: &'a Field,
        batches: &'a [RecordBatch],
        column: usize,
        rows: usize,
    ) -> Self {
        let batches = batches.iter();
        Self { field, batches, column, array: None, next: 0, left: rows, values: PhantomData }
    }
}

impl<'a, T: FromCell<'a>> Iterator for Values<'a, T> {
    type Item = Result<T>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(array) = self.array
                && self.next < array.len()
            {
                let cell = Cell::read(array, self.next);
                self.next += 1;
                self.left = self.left.saturating_sub(1);
                return Some(fit(self.field, cell));
            }
            (self.array, self.next) = (Some(&**self.batches.next()?.column(self.column)), 0);
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl<'a, T: FromCell<'a>> ExactSizeIterator for Values<'a, T> {}
impl<'a, T: FromCell<'a>> FusedIterator for Values<'a, T> {}

impl<T> fmt::Debug for Values<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Values")
            .field("column", self.field.name())
            .field("left", &self.left)
            .finish_non_exhaustive()
    }
}
