use arrow_schema::Fields;

use crate::{Error, ErrorKind, Result};

/// What finds a column: its name, or its place.
///
/// ```
#[doc = include_str!("../example_table.txt")]
/// for row in table.rows() {
///     let by_name: f64 = row.get("temp")?;
///     let by_place: f64 = row.get(1)?;
///     assert_eq!(by_name, by_place);
/// }
/// # Ok::<_, influxdb3_blocking::Error>(())
/// ```
pub trait ColumnIndex: sealed::FindColumn {}

/// Seals [`ColumnIndex`]: other crates cannot implement it.
pub(crate) mod sealed {
    use super::{Fields, Result};

    pub trait FindColumn {
        /// The place of the column among the fields.
        fn find(&self, fields: &Fields) -> Result<usize>;
    }
}

impl ColumnIndex for &str {}
impl sealed::FindColumn for &str {
    fn find(&self, fields: &Fields) -> Result<usize> {
        let position = fields.iter().position(|field| field.name() == self);
        position.ok_or_else(|| {
            let names: Vec<_> = fields.iter().map(|field| field.name().as_str()).collect();
            let names = names.join(", ");
            Error::new(
                ErrorKind::Decode,
                format!("the answer has no column {self:?}: it has {names}"),
            )
        })
    }
}

impl ColumnIndex for &String {}
impl sealed::FindColumn for &String {
    fn find(&self, fields: &Fields) -> Result<usize> {
        sealed::FindColumn::find(&self.as_str(), fields)
    }
}

impl ColumnIndex for usize {}
impl sealed::FindColumn for usize {
    fn find(&self, fields: &Fields) -> Result<usize> {
        let count = fields.len();
        if *self < count {
            return Ok(*self);
        }
        Err(Error::new(
            ErrorKind::Decode,
            format!("the answer has no column {self}: it has {count}, the first one being 0"),
        ))
    }
}
