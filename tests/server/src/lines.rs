//! Line protocol to rows: the parser's verdict, then what a real server checks after it.

use std::{collections::HashMap, fmt, sync::Arc};

use influxdb_line_protocol::{FieldValue, ParsedLine, parse_lines};

use crate::{
    precision::Precision,
    release::Release,
    store::{Cell, ColumnKind, Columns, Row, Rows, Store, Value},
};

/// Columns of a table, `time` included.
const MAX_COLUMNS: usize = 500;

/// The result of reading a request's body.
#[derive(Debug, Default)]
pub(crate) struct Checked<'a> {
    /// Lines without fault, and the columns that they and the faulty ones asked for.
    pub(crate) rows: Rows<'a>,
    pub(crate) errors: Vec<LineError>,
    /// Lines that are neither blank nor comment.
    pub(crate) lines: usize,
}

/// Why a line was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LineError {
    pub(crate) message: String,
    /// Counted from 1, among lines that are neither blank nor comment.
    pub(crate) number: usize,
    /// All of the line. After a parse error it is the line of this number in the body, which is
    /// another one if there were blank lines before; else it is the line as parsed, written anew.
    pub(crate) line: String,
}

/// A line that says a tag twice. A real server of 3.6 takes it, answers 204, and is broken from then on:
/// a client must never send it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct DuplicateTag {
    pub(crate) key: String,
    pub(crate) number: usize,
}

impl fmt::Display for DuplicateTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "dev server: line {} has the tag '{}' twice; a real server takes such a line and never \
             answers again, so no client may send it",
            self.number, self.key
        )
    }
}

/// How lines are to be read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Options {
    pub(crate) precision: Precision,
    /// If not, reading stops at the first faulty line.
    pub(crate) accept_partial: bool,
    /// Nanoseconds, for lines without a timestamp.
    pub(crate) now: i64,
    pub(crate) release: Release,
}

/// Parses and validates a body. Nothing is stored: the columns are compared with those of `store`,
/// and new ones are kept in the answer.
pub(crate) fn check<'a>(
    body: &'a str,
    store: &Store,
    database: &str,
    options: Options,
) -> Result<Checked<'a>, DuplicateTag> {
    let mut checked = Checked::default();
    let release = options.release;
    let (max_text, too_long) = release.max_text();
    let mut tables = Tables {
        store,
        database,
        release,
        by_name: HashMap::new(),
        staged: Vec::new(),
        room: store.table_count() < release.max_tables(),
    };
    // One physical line for each logical one, as in the real server.
    let mut physical = body.lines();
    for (at, parsed) in parse_lines(body).enumerate() {
        let physical = physical.next().unwrap_or("");
        checked.lines = at + 1;
        let refused = match parsed {
            Err(error) => Some((error.to_string(), physical.to_owned())),
            Ok(line) if has_long_text(&line, max_text) => {
                Some((too_long.to_owned(), physical.to_owned()))
            }
            Ok(line) => {
                let twice = duplicate_tag(&line);
                if let Some(key) = twice.clone().filter(|_| !release.refuses_duplicate_tags()) {
                    return Err(DuplicateTag { key, number: at + 1 });
                }
                let before = checked.rows.cells.len();
                let row = match twice {
                    Some(key) => Err(format!(
                        "invalid line protocol - multiple instances of '{key}' tag found"
                    )),
                    None => tables.row(&line, options, &mut checked.rows.cells),
                };
                match row {
                    Ok(row) => {
                        checked.rows.rows.push(row);
                        None
                    }
                    Err(message) => {
                        checked.rows.cells.truncate(before);
                        Some((message, line.to_string()))
                    }
                }
            }
        };
        if let Some((message, line)) = refused {
            checked.errors.push(LineError { message, number: at + 1, line });
            if !options.accept_partial {
                break;
            }
        }
    }
    checked.rows.tables = tables.staged;
    Ok(checked)
}

/// Tables that the request has touched so far.
struct Tables<'s> {
    store: &'s Store,
    database: &'s str,
    release: Release,
    by_name: HashMap<String, usize>,
    staged: Vec<(String, Arc<Columns>)>,
    /// Whether new tables were allowed when the request began; one request may overshoot.
    room: bool,
}

impl Tables<'_> {
    /// Validates a line. Columns of a faulty line that stand before its fault stay, as they do in
    /// a real server of 3.6, or do not.
    fn row<'a>(
        &mut self,
        line: &ParsedLine<'a>,
        options: Options,
        cells: &mut Vec<Cell<'a>>,
    ) -> Result<Row, String> {
        let name = line.series.measurement.as_str();
        let before = self.by_name.get(name).map(|at| (*at, self.staged[*at].1.clone()));
        let row = self.row_with_traces(line, options, cells);
        if row.is_err() && self.release.forgets_refused_lines() {
            match before {
                Some((at, columns)) => self.staged[at].1 = columns,
                // It was staged last, if at all.
                None if self.by_name.remove(name).is_some() => drop(self.staged.pop()),
                None => {}
            }
        }
        row
    }

    fn row_with_traces<'a>(
        &mut self,
        line: &ParsedLine<'a>,
        options: Options,
        cells: &mut Vec<Cell<'a>>,
    ) -> Result<Row, String> {
        let table = self.find_or_add(line.series.measurement.as_str())?;
        for (key, value) in line.series.tag_set.iter().flatten() {
            let column = self.column(table, key, ColumnKind::Tag)?;
            cells.push(Cell { column, value: Value::Tag(value.clone()) });
        }
        for (at, (key, value)) in line.field_set.iter().enumerate() {
            if line.field_set.iter().take(at).any(|(before, _)| before == key) {
                return Err(format!(
                    "invalid line protocol - multiple instances of '{key}' field found"
                ));
            }
            let (kind, value) = typed(value);
            let column = self.column(table, key, kind)?;
            cells.push(Cell { column, value });
        }
        let time = match line.timestamp {
            None => options.precision.truncate(options.now),
            Some(timestamp) => options.precision.to_nanos(timestamp).ok_or_else(|| {
                format!(
                    "timestamp, {timestamp}, out of range for precision: {:?}",
                    options.precision
                )
            })?,
        };
        Ok(Row { table, time, cells_end: cells.len() })
    }

    fn find_or_add(&mut self, name: &str) -> Result<usize, String> {
        if let Some(at) = self.by_name.get(name) {
            return Ok(*at);
        }
        let columns = match self.store.columns(self.database, name) {
            Some(columns) => columns,
            None if self.room => Arc::default(),
            None => {
                return Err(format!(
                    "Update to schema would exceed number of tables limit of {} tables",
                    self.release.max_tables()
                ));
            }
        };
        let at = self.staged.len();
        self.staged.push((name.to_owned(), columns));
        self.by_name.insert(name.to_owned(), at);
        Ok(at)
    }

    fn column(&mut self, table: usize, name: &str, kind: ColumnKind) -> Result<usize, String> {
        if matches!(name, "time" | "__chunk_order") {
            return Err(format!("'{name}' is a reserved column"));
        }
        let columns = &mut self.staged[table].1;
        if let Some((at, there)) = columns.find(name) {
            if there == kind {
                return Ok(at);
            }
            return Err(format!(
                "invalid column type for column '{name}', expected {}, got {}",
                there.name(),
                kind.name()
            ));
        }
        if name.chars().any(char::is_control) {
            let what = if kind == ColumnKind::Tag { "tag" } else { "field" };
            return Err(format!(
                "invalid configuration provided: {what} key cannot contain control characters"
            ));
        }
        if columns.len() + 1 >= MAX_COLUMNS {
            return Err(format!(
                "Update to schema would exceed number of columns per table limit of {MAX_COLUMNS} \
                 columns"
            ));
        }
        let max_tags = self.release.max_tags();
        if kind == ColumnKind::Tag && columns.tags() >= max_tags {
            return Err(format!(
                "Update to schema would exceed number of tag columns per table limit of {max_tags} \
                 columns"
            ));
        }
        Ok(Arc::make_mut(columns).add(name, kind))
    }
}

fn typed<'a>(value: &FieldValue<'a>) -> (ColumnKind, Value<'a>) {
    match value {
        FieldValue::F64(v) => (ColumnKind::Float, Value::Float(*v)),
        FieldValue::I64(v) => (ColumnKind::Integer, Value::Integer(*v)),
        FieldValue::U64(v) => (ColumnKind::Unsigned, Value::Unsigned(*v)),
        FieldValue::String(v) => (ColumnKind::Text, Value::Text(v.clone())),
        FieldValue::Boolean(v) => (ColumnKind::Boolean, Value::Boolean(*v)),
    }
}

/// The server's own copy of the parser refuses long texts, the published one does not.
fn has_long_text(line: &ParsedLine<'_>, most: usize) -> bool {
    let long = |text: &str| text.len() > most;
    let tags = || line.series.tag_set.iter().flatten();
    long(&line.series.measurement)
        || tags().any(|(key, value)| long(key) || long(value))
        || line.field_set.iter().any(|(key, value)| {
            long(key) || matches!(value, FieldValue::String(text) if long(text))
        })
}

fn duplicate_tag(line: &ParsedLine<'_>) -> Option<String> {
    let tags = line.series.tag_set.as_ref()?;
    let twice = tags
        .iter()
        .enumerate()
        .find(|(at, (key, _))| tags.iter().take(*at).any(|(before, _)| before == key));
    twice.map(|(_, (key, _))| key.to_string())
}
