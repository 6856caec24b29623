use std::fmt::{self, Write as _};
use std::iter;

use arrow_schema::{DataType, Field};

use super::table::Table;
use super::text_columns::{TextColumns, push_escaped, squeeze, width};
use crate::query::rows::{Cell, Row};

/// A table on its way to be printed, with limits or without: made by [`Table::display`].
///
/// ```no_run
/// # let client = influxdb3_blocking::Client::from_env()?;
/// let table = client.query("SELECT * FROM home").table()?;
/// println!("{}", table.display().max_rows(20).max_width(80));
/// # Ok::<_, influxdb3_blocking::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "it does nothing until it is printed"]
pub struct TableDisplay<'a> {
    table: &'a Table,
    max_rows: Option<usize>,
    max_width: Option<usize>,
    /// As many as the table has, or more.
    total_rows: usize,
}

/// All of the table: a header, and a line for each row. See [`Table::display`] for how values are shown, and for limits.
impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.display().fmt(f)
    }
}

impl Table {
    /// The table as text: a header, and a line for each row, as many as there are unless limits are set.
    ///
    /// ```no_run
    /// # fn main() -> Result<(), influxdb3_blocking::Error> {
    /// # let client = influxdb3_blocking::Client::from_env()?;
    /// let table = client.query("SELECT room, temp, time FROM home").table()?;
    /// println!("{}", table.display().max_rows(20).max_width(80));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// ```text
    /// +---------+------+----------------------+
    /// | room    | temp | time                 |
    /// +---------+------+----------------------+
    /// | Kitchen | 21.5 | 2022-01-01T08:00:00Z |
    /// | Bath    |      | 2022-01-01T08:00:00Z |
    /// +---------+------+----------------------+
    /// ```
    ///
    /// Null is shown as nothing. Times are in UTC, with `Z`, whatever zone a column has; durations and intervals are in
    /// the form of ISO 8601 (`PT1.5S`, `P1M2D`), binary is in hexadecimal, lists are `[1, 2]` and structs and maps
    /// `{"value": 21.5}`. Numbers stand at the right. Control characters are escaped, so that no value breaks a line
    /// or commands the terminal. Every type has a form: printing a table never fails and never panics.
    pub fn display(&self) -> TableDisplay<'_> {
        TableDisplay { table: self, max_rows: None, max_width: None, total_rows: self.num_rows() }
    }
}

impl TableDisplay<'_> {
    /// Shows at most `rows` rows, the first and the last ones. A line at the end says how many there are.
    ///
    /// ```
    #[doc = include_str!("../example_table.txt")]
    /// let text = table.display().max_rows(1).to_string();
    /// assert!(text.contains("Kitchen") && !text.contains("Bath"));
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    pub fn max_rows(mut self, rows: usize) -> Self {
        self.max_rows = Some(rows);
        self
    }

    /// The number of rows of the whole answer, if this table holds only its first and last ones: as many of the one as
    /// of the other, or one more of the first. `…` is shown between them, and the line at the end says `rows`.
    ///
    /// ```
    #[doc = include_str!("../example_table.txt")]
    /// // The first and the last row of a thousand.
    /// let text = table.display().total_rows(1000).to_string();
    /// assert!(text.contains("1000") && text.contains('…'));
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    pub fn total_rows(mut self, rows: usize) -> Self {
        self.total_rows = rows.max(self.table.num_rows());
        self
    }

    /// Makes lines at most `columns` wide, in columns of a terminal: values that are too long are cut, and `…` is their
    /// end; columns for which there is no room at all are left out from the right, and a line at the end says so.
    /// Numbers and times are cut only where it does not help to cut texts.
    ///
    /// The first column is always there, with at least 6 columns of the terminal for its values.
    ///
    /// ```
    #[doc = include_str!("../example_table.txt")]
    /// let text = table.display().max_width(16).to_string();
    /// assert!(text.lines().all(|line| line.chars().count() <= 16));
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    pub fn max_width(mut self, columns: usize) -> Self {
        self.max_width = Some(columns);
        self
    }

    /// How many rows are shown from the beginning, and how many from the end.
    fn ends(&self) -> (usize, usize) {
        let rows = self.table.num_rows();
        match self.max_rows {
            Some(most) if most < rows => (most.div_ceil(2), most / 2),
            _ if rows < self.total_rows => (rows.div_ceil(2), rows / 2),
            _ => (rows, 0),
        }
    }

    fn head(&self) -> impl Iterator<Item = Row<'_>> {
        self.table.rows().take(self.ends().0)
    }

    fn tail(&self) -> impl Iterator<Item = Row<'_>> {
        let rows = self.table.num_rows();
        (rows - self.ends().1..rows).filter_map(|number| self.table.row(number))
    }

    /// How wide each of the columns is that are shown.
    fn widths(&self) -> Vec<usize> {
        let fields = self.table.schema();
        let mut text = String::new();
        let mut widths: Vec<usize> = Vec::new();
        for field in fields.fields() {
            text.clear();
            push_escaped(&mut text, field.name());
            widths.push(width(&text));
        }
        for row in self.head().chain(self.tail()) {
            for (widest, (_, cell)) in widths.iter_mut().zip(row.cells()) {
                text.clear();
                push_cell(&mut text, &cell);
                *widest = (*widest).max(width(&text));
            }
        }
        if let Some(most) = self.max_width {
            let is_kept: Vec<_> = fields.fields().iter().map(|field| is_kept(field)).collect();
            squeeze(&mut widths, &is_kept, most);
        }
        widths
    }
}

impl fmt::Display for TableDisplay<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let schema = self.table.schema();
        let fields = schema.fields();
        let lines = TextColumns {
            widths: self.widths(),
            to_the_right: fields.iter().map(|field| field.data_type().is_numeric()).collect(),
        };
        let row = |f: &mut fmt::Formatter<'_>, row: Row<'_>| {
            lines.line(
                f,
                row.cells().map(|(_, cell)| move |text: &mut String| push_cell(text, &cell)),
            )
        };
        lines.rule(f)?;
        lines.line(
            f,
            fields.iter().map(|field| |text: &mut String| push_escaped(text, field.name())),
        )?;
        lines.rule(f)?;
        self.head().try_for_each(|head| row(f, head))?;
        let (first, last) = self.ends();
        let (rows, columns) = (self.total_rows, fields.len());
        if first + last < rows {
            lines.line(f, iter::repeat_n(|text: &mut String| text.push('…'), columns))?;
        }
        self.tail().try_for_each(|tail| row(f, tail))?;
        lines.bottom(f)?;
        let mut notes = Vec::new();
        if first + last < rows {
            notes.push(format!("{} of {rows} rows", first + last));
        }
        if lines.widths.len() < columns {
            notes.push(format!("{} of {columns} columns", lines.widths.len()));
        }
        if notes.is_empty() { Ok(()) } else { write!(f, "\n{}", notes.join(", ")) }
    }
}

/// Whether a part of a value would say nothing, or something else.
fn is_kept(field: &Field) -> bool {
    let data_type = field.data_type();
    data_type.is_numeric() || data_type.is_temporal() || *data_type == DataType::Boolean
}

/// Null as nothing, text without quotes, everything else as `Debug` of a row shows it.
fn push_cell(text: &mut String, cell: &Cell<'_>) {
    match cell {
        Cell::Null => {}
        Cell::Text(value) => push_escaped(text, value),
        // Writing to a String does not fail.
        other => drop(write!(text, "{other:?}")),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::types::Int8Type;
    use arrow_array::{
        ArrayRef, DictionaryArray, Float64Array, Int64Array, RecordBatch, StringArray,
        TimestampNanosecondArray,
    };

    use super::*;
    use crate::query::answer::QueryStats;

    fn table(columns: Vec<(&str, ArrayRef)>) -> Table {
        let columns = columns.into_iter().map(|(name, column)| (name, column, true));
        let batch = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
        Table::new(batch.schema(), vec![batch], QueryStats::default())
    }

    fn text<const N: usize>(values: [&str; N]) -> ArrayRef {
        Arc::new(StringArray::from(values.to_vec()))
    }

    fn numbers(values: std::ops::Range<i64>) -> ArrayRef {
        Arc::new(Int64Array::from_iter_values(values))
    }

    #[test]
    fn a_table_is_shown_with_its_header_also_when_it_is_empty() {
        let temp = Arc::new(Float64Array::from(vec![Some(21.5), None]));
        let table = table(vec![("room", text(["Kitchen", "Bath"])), ("temperature", temp)]);
        let shown = "\
+---------+-------------+
| room    | temperature |
+---------+-------------+
| Kitchen |        21.5 |
| Bath    |             |
+---------+-------------+";
        assert_eq!(table.to_string(), shown);
        let empty = Table::new(table.schema(), vec![], QueryStats::default());
        let shown = "\
+------+-------------+
| room | temperature |
+------+-------------+
+------+-------------+";
        assert_eq!(empty.to_string(), shown);
        assert_eq!(table.select(&[]).unwrap().to_string(), "+\n|\n+\n|\n|\n+");
    }

    #[test]
    fn dictionaries_are_shown_as_what_they_hold() {
        let rooms: DictionaryArray<Int8Type> =
            [Some("Bath"), None, Some("Bath")].into_iter().collect();
        let shown = "\
+------+
| room |
+------+
| Bath |
|      |
| Bath |
+------+";
        assert_eq!(table(vec![("room", Arc::new(rooms))]).to_string(), shown);
    }

    #[test]
    fn of_many_rows_the_first_and_the_last_are_shown() {
        let table = table(vec![("n", numbers(0..1000))]);
        let shown = "\
+-----+
|   n |
+-----+
|   0 |
|   1 |
|   … |
| 999 |
+-----+
3 of 1000 rows";
        assert_eq!(table.display().max_rows(3).to_string(), shown);
        assert_eq!(table.display().max_rows(1000).to_string(), table.to_string());
        assert!(table.display().max_rows(0).to_string().ends_with("+---+\n0 of 1000 rows"));
        let ends = Table::from_batches(
            table.schema(),
            [table.batches()[0].slice(0, 2), table.batches()[0].slice(999, 1)],
        );
        assert_eq!(ends.unwrap().display().total_rows(1000).to_string(), shown);
    }

    #[test]
    fn no_line_is_wider_than_the_limit_and_what_is_cut_says_so() {
        let long = "a text that is much longer than the others";
        let table = table(vec![
            ("short", text(["x", "y"])),
            ("long", text([long, "z"])),
            ("wide", text(["温度温度温度温度温度", "温"])),
            ("n", numbers(1_000_000_000..1_000_000_002)),
        ]);
        let whole = table.to_string();
        let width_of_whole = whole.lines().map(width).max().unwrap();
        for most in 0..width_of_whole + 2 {
            let shown = table.display().max_width(most).to_string();
            let widest = shown.lines().filter(|line| line.starts_with(['|', '+'])).map(width);
            // The first column is always there.
            assert!(widest.clone().max().unwrap() <= most.max(9), "{most}\n{shown}");
            assert_eq!(widest.clone().min(), widest.max(), "{most}\n{shown}");
            assert_eq!(shown.contains('…') || shown.ends_with("columns"), most < width_of_whole);
        }
        assert_eq!(table.display().max_width(width_of_whole).to_string(), whole);
        let shown = "\
+-------+---------+
| short | long    |
+-------+---------+
| x     | a text… |
| y     | z       |
+-------+---------+
2 of 4 columns";
        assert_eq!(table.display().max_width(19).to_string(), shown);
    }

    #[test]
    fn texts_are_cut_before_numbers_and_times_are() {
        let times = TimestampNanosecondArray::from(vec![1_641_024_000_000_000_000]);
        let table = table(vec![
            ("a", text(["a text that is longer than the time"])),
            ("n", numbers(1_234_567_890..1_234_567_891)),
            ("time", Arc::new(times)),
        ]);
        let shown = "\
+---------+------------+----------------------+
| a       |          n | time                 |
+---------+------------+----------------------+
| a text… | 1234567890 | 2022-01-01T08:00:00Z |
+---------+------------+----------------------+";
        assert_eq!(table.display().max_width(47).to_string(), shown);
        // Where that does not help, all are.
        let shown = table.display().max_width(44).to_string();
        assert!(shown.contains("| a text that… | 1234567890 | 2022-01-01T… |"), "{shown}");
    }

    #[test]
    fn no_text_breaks_a_line_or_commands_the_terminal() {
        let table =
            table(vec![("a\nb", text(["x\r\ny\t\u{1b}[2J\u{9b}31m\u{202e}z", "1\u{2028}2"]))]);
        let shown = table.to_string();
        assert_eq!(shown.lines().count(), 6, "{shown}");
        assert!(shown.chars().all(|char| char == '\n' || !char.is_control()), "{shown:?}");
        assert!(shown.contains(r"x\r\ny\t\u{1b}[2J\u{9b}31m\u{202e}z"), "{shown}");
    }
}
