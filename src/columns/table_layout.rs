//! What each column of a table becomes, decided once.

use super::cell::{self, Field, Measurement, Tag, Time};
use super::tags::{self, LineTag};
use super::{LayoutOptions, RenderedColumn};
use crate::line_protocol::encoder::LineInProgress;
use crate::line_protocol::{TagRules, encoder, escape, short_bytes};
use crate::{Error, Precision, Result};

/// How the rows of a table become lines.
#[derive(Debug, Default)]
pub(crate) struct TableLayout {
    columns: Vec<LaidColumn>,
    /// The parts of a line before its fields, in their order.
    head: Vec<Part>,
    /// The places of the fields in `columns`.
    fields: Vec<usize>,
    /// The place of the time in `columns`.
    time: Option<usize>,
    /// What ends every line if there is no such place: the time of all rows, or nothing but the end.
    end: Option<Vec<u8>>,
}

/// A column that is written.
#[derive(Clone, Debug)]
pub(crate) struct LaidColumn {
    /// Its place in the table.
    pub(crate) index: usize,
    /// The name that it goes by, which is not that of the table if it was renamed.
    pub(crate) name: String,
    pub(crate) role: ColumnRole,
}

/// What a column is written as.
#[derive(Clone, Debug)]
pub(crate) enum ColumnRole {
    Measurement(Measurement),
    Tag(Tag),
    Field(Field),
    Time(Time),
}

#[derive(Debug)]
enum Part {
    /// What is the same in every line: the measurement, or a default tag.
    Constant(Vec<u8>),
    /// The place in `columns`.
    Column(usize),
}

impl TableLayout {
    /// Decides what becomes of the columns of these names: first one is the measurement, unless that is given, then one
    /// is the time, then come the tags, and what is left are the fields.
    pub(crate) fn new(
        options: &LayoutOptions,
        names: &[&str],
        rules: &TagRules,
        precision: Precision,
    ) -> Result<Self> {
        let mut table = TableColumns::new(options, names)?;
        let mut layout = Self::default();
        layout.add_measurement(&mut table, options)?;
        layout.add_time(&mut table, options, precision)?;
        layout.add_tags(&mut table, options, rules)?;
        layout.add_fields(&mut table, options, rules)?;
        Ok(layout)
    }

    /// The columns that are written.
    pub(crate) fn columns(&self) -> &[LaidColumn] {
        &self.columns
    }

    /// Makes this the layout of a table that has nothing but the columns that are written; returns their places in the
    /// table as it was, in its order.
    #[cfg(any(feature = "parquet", feature = "feather", feature = "orc"))]
    pub(crate) fn narrow(&mut self) -> Vec<usize> {
        let mut places: Vec<usize> = self.columns.iter().map(|column| column.index).collect();
        places.sort_unstable();
        for column in &mut self.columns {
            column.index = places.partition_point(|&place| place < column.index);
        }
        places
    }

    /// Whether every row has a timestamp.
    pub(crate) fn has_time(&self) -> bool {
        self.time.is_some() || self.end.is_some()
    }

    /// Appends the line of a row, `rendered` being in the order of [`columns`](Self::columns). A row that has no field
    /// appends nothing and is `false`.
    #[inline]
    pub(crate) fn line(&self, rendered: &[RenderedColumn], row: usize, out: &mut Vec<u8>) -> bool {
        let mut line = LineInProgress::begin(out);
        for part in &self.head {
            match part {
                Part::Constant(bytes) => short_bytes::append(line.out(), bytes),
                Part::Column(place) => append(rendered, *place, row, line.out()),
            }
        }
        line.fields_begin_at(Some(line.len()));
        for place in &self.fields {
            append(rendered, *place, row, line.out());
        }
        line.finish_with(|out| match self.time {
            Some(place) => append(rendered, place, row, out),
            None => out.extend_from_slice(self.end.as_deref().unwrap_or(b"\n")),
        })
    }

    fn add_measurement(
        &mut self,
        table: &mut TableColumns<'_>,
        options: &LayoutOptions,
    ) -> Result<()> {
        let place = if let Some(name) = &options.measurement {
            let mut constant = Vec::new();
            escape::measurement(&mut constant, name)?;
            self.head.push(Part::Constant(constant));
            return Ok(());
        } else if let Some(name) = &options.measurement_column {
            table.find(name).ok_or_else(|| table.missing("measurement", name, options))?
        } else {
            let mut usual = LayoutOptions::MEASUREMENTS.into_iter();
            usual.find_map(|name| table.find(name)).ok_or_else(|| {
                Error::invalid_record(format!(
                    "no measurement: name one with .measurement(…), or have a column `measurement` or \
                     `iox::measurement`; the columns are {}",
                    table.list()
                ))
            })?
        };
        let column = self.add(table, place, ColumnRole::Measurement(Measurement))?;
        self.head.push(Part::Column(column));
        Ok(())
    }

    fn add_time(
        &mut self,
        table: &mut TableColumns<'_>,
        options: &LayoutOptions,
        precision: Precision,
    ) -> Result<()> {
        let Some(place) = table.find(options.time()) else {
            if let (None, Some(time)) = (&options.timestamp_column, options.default_time) {
                self.end = Some(cell::end_of_line(time, precision)?);
                return Ok(());
            }
            if options.timestamp_column.is_none() && !options.needs_time {
                return Ok(());
            }
            return Err(table.missing("timestamp", options.time(), options));
        };
        let unit = options.date_unit.unwrap_or(precision);
        let time = Time::new(unit, precision)
            .refusing_days(options.needs_time && options.date_unit.is_none())
            .with_default(options.default_time)?;
        self.time = Some(self.add(table, place, ColumnRole::Time(time))?);
        Ok(())
    }

    /// Adds tags and default tags in the order that the client wants.
    fn add_tags(
        &mut self,
        table: &mut TableColumns<'_>,
        options: &LayoutOptions,
        rules: &TagRules,
    ) -> Result<()> {
        for name in &options.tags {
            let place = table.find(name).ok_or_else(|| table.missing("tag", name, options))?;
            table.check_free(place, TAG)?;
        }
        for tag in tags::in_order(&options.tags, rules)? {
            match tag {
                LineTag::Default(bytes) => self.head.push(Part::Constant(bytes)),
                LineTag::Own(tag) => {
                    // All were found before.
                    let Some(place) = table.find(&tag.key) else { continue };
                    let column = self.add(table, place, ColumnRole::Tag(tag))?;
                    self.head.push(Part::Column(column));
                }
            }
        }
        Ok(())
    }

    fn add_fields(
        &mut self,
        table: &mut TableColumns<'_>,
        options: &LayoutOptions,
        rules: &TagRules,
    ) -> Result<()> {
        for name in options.fields.iter().flatten() {
            let place = table.find(name).ok_or_else(|| table.missing("field", name, options))?;
            table.check_free(place, FIELD)?;
        }
        for place in 0..table.columns.len() {
            let Some(&TableColumn { index, name, role: None }) = table.columns.get(place) else {
                continue;
            };
            if !options.can_be_field(name) {
                continue;
            }
            if rules.defaults().iter().any(|tag| tag.key() == name) {
                return Err(encoder::tag_and_field(name));
            }
            if name.is_empty() {
                return Err(nameless(index));
            }
            let mut prefix = Vec::new();
            encoder::field_key(&mut prefix, name)?;
            let role = ColumnRole::Field(Field { prefix: prefix.into() });
            let column = self.add(table, place, role)?;
            self.fields.push(column);
        }
        if self.fields.is_empty() {
            return Err(Error::invalid_record(format!(
                "no column is left for the fields, and a line has at least one; the columns are {}",
                table.list()
            )));
        }
        Ok(())
    }

    /// Adds a column; returns its place in `columns`.
    fn add(
        &mut self,
        table: &mut TableColumns<'_>,
        place: usize,
        role: ColumnRole,
    ) -> Result<usize> {
        let is = match role {
            ColumnRole::Measurement(_) => "the measurement",
            ColumnRole::Time(_) => "the timestamp",
            ColumnRole::Tag(_) => TAG,
            ColumnRole::Field(_) => FIELD,
        };
        table.check_free(place, is)?;
        if let Some(column) = table.columns.get_mut(place) {
            column.role = Some(is);
            let name = column.name.to_owned();
            self.columns.push(LaidColumn { index: column.index, name, role });
        }
        Ok(self.columns.len() - 1)
    }
}

/// The columns of a table that can become something, by the names that they go by.
struct TableColumns<'a> {
    columns: Vec<TableColumn<'a>>,
    /// All there are, for errors.
    names: Vec<&'a str>,
}

struct TableColumn<'a> {
    /// Its place in the table.
    index: usize,
    name: &'a str,
    /// What it has become.
    role: Option<&'static str>,
}

impl<'a> TableColumns<'a> {
    /// Renames and leaves out as the options say.
    fn new(options: &'a LayoutOptions, names: &[&'a str]) -> Result<Self> {
        if let Some((name, what)) = options.contradiction() {
            return Err(Error::invalid_record(format!(
                "the column {} cannot be {what} and excluded",
                escape::quoted(name)
            )));
        }
        let unknown = options.renames.iter().find(|(from, _)| !names.contains(&from.as_str()));
        if let Some((from, _)) = unknown {
            return Err(missing("column", from, names).in_context("rename"));
        }
        let names: Vec<&str> = names.iter().map(|name| options.new_name(name)).collect();
        let all = Self { columns: Vec::new(), names };
        let unknown = options.exclude.iter().find(|name| !all.names.contains(&name.as_str()));
        if let Some(name) = unknown {
            return Err(all.missing("excluded", name, options));
        }
        let columns = all.names.iter().enumerate();
        let columns: Vec<TableColumn<'_>> = columns
            .filter(|(_, name)| is_wanted(options, name))
            .map(|(index, &name)| TableColumn { index, name, role: None })
            .collect();
        refuse_equal_names(&columns)?;
        Ok(Self { columns, ..all })
    }

    /// The place in `columns` of the column of this name.
    fn find(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }

    /// A column is one thing only.
    fn check_free(&self, place: usize, what: &str) -> Result<()> {
        match self.columns.get(place) {
            Some(TableColumn { name, role: Some(role), .. }) => Err(Error::invalid_record(
                format!("the column {} cannot be both {role} and {what}", escape::quoted(name)),
            )),
            _ => Ok(()),
        }
    }

    fn missing(&self, what: &str, name: &str, options: &LayoutOptions) -> Error {
        let error = missing(&format!("{what} column"), name, &self.names);
        match options.renames.iter().find(|(from, _)| from == name) {
            None => error,
            Some((_, to)) => error.in_context(&format!(
                "the column {} was renamed to {}, and goes by that name",
                escape::quoted(name),
                escape::quoted(to)
            )),
        }
    }

    fn list(&self) -> String {
        list(&self.names)
    }
}

/// Whether the column of this name can become anything. What cannot may have the name of another.
fn is_wanted(options: &LayoutOptions, name: &str) -> bool {
    if options.is_excluded(name) {
        return false;
    }
    options.can_be_field(name)
        || name == options.time()
        || options.tags.iter().any(|tag| tag == name)
        || match (&options.measurement, &options.measurement_column) {
            (Some(_), _) => false,
            (None, Some(column)) => name == column,
            (None, None) => LayoutOptions::MEASUREMENTS.contains(&name),
        }
}

#[inline(always)]
fn append(rendered: &[RenderedColumn], place: usize, row: usize, out: &mut Vec<u8>) {
    if let Some(rendered) = rendered.get(place) {
        rendered.append(row, out);
    }
}

fn refuse_equal_names(columns: &[TableColumn<'_>]) -> Result<()> {
    let mut sorted: Vec<&str> = columns.iter().map(|column| column.name).collect();
    sorted.sort_unstable();
    match sorted.windows(2).find(|pair| pair.first() == pair.last()) {
        None => Ok(()),
        Some(pair) => Err(Error::invalid_record(format!(
            "two columns have the name {}: give one another with .rename(…), or leave both out with .exclude(…)",
            escape::quoted(pair.first().copied().unwrap_or_default())
        ))),
    }
}

#[cold]
fn nameless(index: usize) -> Error {
    Error::invalid_record(format!(
        "column {} has no name (pandas writes its index so): give it one with .rename(\"\", \"…\"), or \
         leave it out with .exclude([\"\"])",
        index + 1
    ))
}

fn missing(what: &str, name: &str, names: &[&str]) -> Error {
    Error::invalid_record(format!(
        "the {what} {} is not there; the columns are {}",
        escape::quoted(name),
        list(names)
    ))
}

fn list(names: &[&str]) -> String {
    let mut shown: Vec<String> = names.iter().take(SHOWN).map(|name| format!("{name:?}")).collect();
    if names.len() > SHOWN {
        shown.push(format!("and {} more", names.len() - SHOWN));
    }
    shown.join(", ")
}

const TAG: &str = "a tag";
const FIELD: &str = "a field";
const SHOWN: usize = 30;
