//! Data frames of polars are records.

mod column;

use std::fmt;
use std::ops::Range;

use polars_core::frame::DataFrame;

use self::column::FrameColumn;
use super::{Lines, Record};
use crate::Result;
use crate::columns::{
    ColumnDescription, LayoutOptions, RenderedColumn, Role, TableData, TableEncoder, ValueError,
    WrittenValues, layout_options,
};

/// A data frame of polars to be written: each row is a line.
///
/// ```
/// use influxdb3_blocking::polars_core::df;
/// use influxdb3_blocking::{Client, Frame, Precision};
///
/// let df = df!(
///     "time" => [1_641_024_000, 1_641_027_600],
///     "room" => ["Kitchen", "Bath"],
///     "temp" => [Some(21.5), None],
///     "co" => [0, 3],
/// )?;
/// # let client = Client::builder().host("http://localhost:1").database("sensors").build()?;
/// let frame = Frame::new(&df)
///     .measurement("home")
///     .tags(["room"])
///     .date_unit(Precision::Second);
/// let request = client.write(frame);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
///
/// # How columns are used
///
/// - The **measurement** is the name given here, or else the text in the column that
///   [`measurement_column`](Self::measurement_column) names, or in `measurement`, or in `iox::measurement`.
/// - The **timestamp** is the column that [`timestamp_column`](Self::timestamp_column) names, or `time` if there is one.
///   Datetimes count by their unit, dates are their midnight, integers count by [`date_unit`](Self::date_unit), and text
///   is read as RFC 3339 and its relatives. A null timestamp is an error. Without such a column the server gives all
///   rows its time, and rows of equal tags become one.
/// - **Tags** are the columns listed in [`tags`](Self::tags), of text or of anything else that has one.
/// - **Fields** are all others, or those listed in [`fields`](Self::fields); what [`exclude`](Self::exclude) lists is left
///   out, and [`rename`](Self::rename) gives a column another name. A name that no column has is an error that lists the
///   columns there are.
///
/// | polars | field |
/// |---|---|
/// | signed integers, durations (in their unit) | integer; one of 128 bits must fit 64 |
/// | unsigned integers | unsigned integer; one of 128 bits must fit 64 |
/// | floats of every width, decimals (all their digits are written) | float |
/// | booleans | boolean |
/// | strings, categoricals, enums | string |
/// | binary, with [`binary_as_text`](Self::binary_as_text) | string |
/// | datetimes, dates, times | string: `2022-01-01T08:00:00Z`, `2022-01-01`, `08:00:00` |
///
/// A datetime with a time zone is the instant that it stands for, and one without is taken to be in UTC. Nulls, NaN,
/// infinities and empty tags are left out, and so are rows without a field. Columns of lists, arrays, structs and
/// objects, and of binary without [`binary_as_text`](Self::binary_as_text), are an error that names the column, before
/// anything is written, unless they are left out.
///
/// The client's default tags are added where the frame has none of that name, or no value. Nothing of the frame is
/// copied but into the lines.
#[must_use = "this is written by `client.write(…).send()`, or into a `LineBuffer` by `push_record`"]
pub struct Frame<'a> {
    frame: &'a DataFrame,
    layout: LayoutOptions,
}

impl<'a> Frame<'a> {
    /// The rows of a data frame.
    ///
    /// ```
    /// use influxdb3_blocking::polars_core::df;
    /// use influxdb3_blocking::{Frame, LineBuffer};
    ///
    /// let df = df!("n" => [3, 4])?;
    /// let mut lines = LineBuffer::new();
    /// lines.push_record(Frame::new(&df).measurement("count"))?;
    /// assert_eq!(lines.as_bytes(), b"count n=3i\ncount n=4i\n");
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(frame: &'a DataFrame) -> Self {
        Self { frame, layout: LayoutOptions::default() }
    }

    layout_options!(
        layout,
        r#"# use influxdb3_blocking::{Frame, Precision, polars_core::df};
# fn written(home: Frame<'_>) -> influxdb3_blocking::Result<String> {
#     let mut lines = influxdb3_blocking::LineBuffer::new();
#     lines.push_record(home)?;
#     Ok(String::from_utf8_lossy(lines.as_bytes()).into_owned())
# }
# let df = df!(
#     "temp" => [21.5],
#     "until" => [2],
#     "time" => [1],
#     "measurement" => ["home"],
#     "room" => ["Kitchen"],
# )?;
// time: 1, until: 2, measurement: home, room: Kitchen, temp: 21.5
let home = Frame::new(&df);"#
    );
}

impl Record for Frame<'_> {
    fn encode(self, lines: &mut Lines<'_>) -> Result<()> {
        let columns = self.frame.columns().iter().map(FrameColumn::new).collect::<Vec<_>>();
        let described: Vec<ColumnDescription<'_>> =
            columns.iter().map(FrameColumn::describe).collect();
        let mut encoder =
            TableEncoder::new(&described, &self.layout, lines.rules(), lines.precision())?;
        encoder
            .encode(&FrameColumns(&columns), 0..self.frame.height(), lines)
            .map_err(|error| error.at_row(0))
    }
}

struct FrameColumns<'a>(&'a [FrameColumn]);

impl TableData for FrameColumns<'_> {
    fn render<R: Role>(
        &self,
        column: usize,
        rows: Range<usize>,
        role: &R,
        written: &mut WrittenValues,
        rendered: &mut RenderedColumn,
    ) -> Result<(), ValueError> {
        match self.0.get(column) {
            Some(column) => column.render(rows, role, written, rendered),
            None => Ok(()), // the encoder has its columns from here
        }
    }

    fn is_shared(&self, column: usize) -> bool {
        self.0.get(column).is_some_and(FrameColumn::is_shared)
    }
}

impl fmt::Debug for Frame<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Frame").field("layout", &self.layout).finish_non_exhaustive()
    }
}
