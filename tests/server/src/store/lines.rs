//! Rows as line protocol.

use std::fmt;

use influxdb_line_protocol::{LineProtocolBuilder, builder::FieldValue};

use super::{column::Column, table::Table};

/// One value of a row.
#[derive(Debug)]
pub(super) enum Shown<'a> {
    Tag(&'a str),
    Float(f64),
    Integer(i64),
    Unsigned(u64),
    Text(&'a str),
    Boolean(bool),
}

/// The rows of a table as lines, the earliest first, and of one time in the order of the texts. Tags and fields are sorted
/// by their names, and times are nanoseconds.
pub(super) fn lines(measurement: &str, table: &Table) -> Vec<String> {
    let mut columns: Vec<(&str, &Column)> = table.cells().collect();
    columns.sort_by_key(|(name, _)| *name);
    let mut lines: Vec<(i64, String)> = table
        .times()
        .iter()
        .enumerate()
        .map(|(row, time)| (*time, line(measurement, &columns, row, *time)))
        .collect();
    lines.sort();
    lines.into_iter().map(|(_, line)| line).collect()
}

/// The line of one row, which has a field at least: a line without any is refused.
fn line(measurement: &str, columns: &[(&str, &Column)], row: usize, time: i64) -> String {
    let (tags, fields): (Vec<_>, Vec<_>) = columns
        .iter()
        .filter_map(|(name, column)| column.show(row).map(|value| (*name, value)))
        .partition(|(_, value)| matches!(value, Shown::Tag(_)));
    let mut line = LineProtocolBuilder::new().measurement(measurement);
    for (name, value) in tags {
        if let Shown::Tag(value) = value {
            line = line.tag(name, value);
        }
    }
    let mut fields = fields.into_iter();
    let (name, first) = fields.next().expect("a row has a field");
    let mut line = line.field(name, first);
    for (name, value) in fields {
        line = line.field(name, value);
    }
    let mut line = line.timestamp(time).close_line().build();
    // The line's end.
    line.pop();
    String::from_utf8(line).expect("made of texts")
}

impl FieldValue for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Shown::Tag(text) | Shown::Text(text) => FieldValue::fmt(text, f),
            Shown::Float(value) => FieldValue::fmt(value, f),
            Shown::Integer(value) => FieldValue::fmt(value, f),
            Shown::Unsigned(value) => FieldValue::fmt(value, f),
            Shown::Boolean(value) => FieldValue::fmt(value, f),
        }
    }
}
