//! What each column of a table becomes, decided once.

use super::candidate_columns::{CandidateColumn, CandidateColumns};
use super::role::{FieldRole, MeasurementRole, TagRole};
use super::tags::{self, LineTag};
use super::time_role::{self, TimeRole};
use super::{LayoutOptions, RenderedColumn};
use crate::line_protocol::encoder::LineInProgress;
use crate::line_protocol::{TagRules, encoder, escape, short_bytes};
use crate::{Error, Precision, Result};

/// How the rows of a table become lines.
#[derive(Debug, Default)]
pub(crate) struct TableLayout {
    columns: Vec<LaidColumn>,
    /// The parts of a line before its fields, in their order.
    head: Vec<HeadPart>,
    /// The places in `columns` of the fields.
    fields: Vec<usize>,
    /// The place in `columns` of the timestamp.
    time: Option<usize>,
    /// What ends every line if there is no column of timestamps: a space, the time of all rows and a newline. With neither,
    /// lines have no timestamp.
    end: Option<Vec<u8>>,
}

/// A column that is written.
#[derive(Clone, Debug)]
pub(crate) struct LaidColumn {
    /// Its place in the table.
    pub(crate) index: usize,
    /// The name that the options give it.
    pub(crate) name: String,
    pub(crate) role: ColumnRole,
}

/// What a column is written as.
#[derive(Clone, Debug)]
pub(crate) enum ColumnRole {
    Measurement(MeasurementRole),
    Tag(TagRole),
    Field(FieldRole),
    Time(TimeRole),
}

/// A part of a line before its fields.
#[derive(Debug)]
enum HeadPart {
    /// The bytes that are the same in every line: the measurement, or a default tag.
    Constant(Vec<u8>),
    /// The place in `columns` of the measurement or a tag.
    Column(usize),
}

impl TableLayout {
    /// Decides what the columns of these names become: one the measurement, unless the options have its name, then one the
    /// timestamp, then those that the options list the tags, and what is left the fields.
    ///
    /// # Errors
    /// The options do not fit the columns, or a name cannot be written.
    pub(crate) fn new(
        options: &LayoutOptions,
        names: &[&str],
        rules: &TagRules,
        precision: Precision,
    ) -> Result<Self> {
        let mut table = CandidateColumns::new(options, names)?;
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
                HeadPart::Constant(bytes) => short_bytes::append(line.out(), bytes),
                HeadPart::Column(place) => append(rendered, *place, row, line.out()),
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
        table: &mut CandidateColumns<'_>,
        options: &LayoutOptions,
    ) -> Result<()> {
        let place = if let Some(name) = &options.measurement {
            let mut constant = Vec::new();
            escape::measurement(&mut constant, name)?;
            self.head.push(HeadPart::Constant(constant));
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
        let column = self.add(table, place, ColumnRole::Measurement(MeasurementRole))?;
        self.head.push(HeadPart::Column(column));
        Ok(())
    }

    fn add_time(
        &mut self,
        table: &mut CandidateColumns<'_>,
        options: &LayoutOptions,
        precision: Precision,
    ) -> Result<()> {
        let Some(place) = table.find(options.time()) else {
            if let (None, Some(time)) = (&options.timestamp_column, options.default_time) {
                self.end = Some(time_role::end_of_line(time, precision)?);
                return Ok(());
            }
            if options.timestamp_column.is_none() && !options.needs_time {
                return Ok(());
            }
            return Err(table.missing("timestamp", options.time(), options));
        };
        let unit = options.date_unit.unwrap_or(precision);
        let time = TimeRole::new(unit, precision)
            .refusing_days(options.needs_time && options.date_unit.is_none())
            .with_default(options.default_time)?;
        self.time = Some(self.add(table, place, ColumnRole::Time(time))?);
        Ok(())
    }

    /// Adds tags and default tags in the order that the client wants.
    fn add_tags(
        &mut self,
        table: &mut CandidateColumns<'_>,
        options: &LayoutOptions,
        rules: &TagRules,
    ) -> Result<()> {
        for name in &options.tags {
            let place = table.find(name).ok_or_else(|| table.missing("tag", name, options))?;
            table.check_free(place, TAG)?;
        }
        for tag in tags::in_order(&options.tags, rules)? {
            match tag {
                LineTag::Default(bytes) => self.head.push(HeadPart::Constant(bytes)),
                LineTag::Own(tag) => {
                    // The loop above has found all of them.
                    let Some(place) = table.find(&tag.key) else { continue };
                    let column = self.add(table, place, ColumnRole::Tag(tag))?;
                    self.head.push(HeadPart::Column(column));
                }
            }
        }
        Ok(())
    }

    fn add_fields(
        &mut self,
        table: &mut CandidateColumns<'_>,
        options: &LayoutOptions,
        rules: &TagRules,
    ) -> Result<()> {
        for name in options.fields.iter().flatten() {
            let place = table.find(name).ok_or_else(|| table.missing("field", name, options))?;
            table.check_free(place, FIELD)?;
        }
        for place in 0..table.columns.len() {
            let Some(&CandidateColumn { index, name, role: None }) = table.columns.get(place)
            else {
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
            let role = ColumnRole::Field(FieldRole { prefix: prefix.into() });
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
        table: &mut CandidateColumns<'_>,
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

#[inline(always)]
fn append(rendered: &[RenderedColumn], place: usize, row: usize, out: &mut Vec<u8>) {
    if let Some(rendered) = rendered.get(place) {
        rendered.append(row, out);
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

const TAG: &str = "a tag";
const FIELD: &str = "a field";
