//! One table of annotated CSV.

use std::borrow::Cow;

use super::super::row_block::RowBlock;
use super::AnnotatedOptions;
use super::column::{AnnotatedColumn, Annotation, LinePart};
use super::value::{Datatype, TimeForm, untyped};
use crate::columns::LayoutOptions;
use crate::line_protocol::escape;
use crate::record::Lines;
use crate::timestamp::time_text;
use crate::{Error, Point, Result, Timestamp};

/// What was read of a table so far.
#[derive(Default)]
pub(super) struct AnnotatedTable {
    columns: Vec<AnnotatedColumn>,
    /// Of `#constant` and `#concat`.
    extra: Vec<AnnotatedColumn>,
    /// Seconds that clocks without an offset are ahead of UTC.
    offset: i64,
    /// None before the names were read.
    roles: Option<Roles>,
}

/// The places of the columns that make a line, in the columns and behind them in the extra ones.
#[derive(Default)]
struct Roles {
    measurement: Option<usize>,
    time: Option<usize>,
    tags: Vec<usize>,
    fields: Vec<usize>,
    /// The columns with the name of a field and its value.
    field: Option<(usize, usize)>,
}

impl AnnotatedTable {
    /// Takes the next row: an annotation, the names, or values, which make a line.
    pub(super) fn take(
        &mut self,
        row: RowBlock<'_>,
        options: &AnnotatedOptions,
        lines: &mut Lines<'_>,
    ) -> Result<()> {
        let first = row.cell(0, 0).0;
        match Annotation::of(&first) {
            Some(annotation) => self.annotate(annotation, row),
            // A comment.
            None if first.starts_with('#') => Ok(()),
            None if self.roles.is_none() => self.name(row, options),
            None if self.is_named_again(row, options) => Ok(()),
            None => self.write(row, options, lines),
        }
    }

    fn annotate(&mut self, annotation: Annotation, row: RowBlock<'_>) -> Result<()> {
        if self.roles.is_some() {
            *self = Self::default();
        }
        match annotation {
            Annotation::Constant => self.extra.push(AnnotatedColumn::constant(row, false)?),
            Annotation::Concat => self.extra.push(AnnotatedColumn::constant(row, true)?),
            Annotation::Timezone => {
                let first = Annotation::value(row, 0);
                let zone = if first.is_empty() { row.cell(0, 1).0 } else { first };
                self.offset = offset(&zone)?;
            }
            Annotation::Datatype | Annotation::Group | Annotation::Default => {
                self.make_room(row.columns());
                for (place, column) in self.columns.iter_mut().enumerate() {
                    let value = Annotation::value(row, place);
                    match annotation {
                        Annotation::Datatype => column.set_type(&value)?,
                        Annotation::Group if value.ends_with("true") => {
                            column.part.get_or_insert(LinePart::Tag);
                        }
                        Annotation::Default if !value.is_empty() => {
                            column.default = value.into_owned()
                        }
                        _ => {}
                    }
                }
            }
        }
        Ok(())
    }

    fn make_room(&mut self, count: usize) {
        for place in self.columns.len()..count {
            self.columns.push(AnnotatedColumn { place: Some(place), ..AnnotatedColumn::default() });
        }
    }

    /// Takes the names, and decides the role of each column.
    fn name(&mut self, row: RowBlock<'_>, options: &AnnotatedOptions) -> Result<()> {
        self.make_room(row.columns());
        for (place, column) in self.columns.iter_mut().enumerate() {
            column.set_label(&row.cell(0, place).0)?;
            column.label = options.read_options.layout.new_name(&column.label).to_owned();
            if let Some(chosen) = options.read_options.column_type(&column.label) {
                column.kind = Some(Datatype::of(chosen));
            }
        }
        for column in self.columns.iter_mut().chain(&mut self.extra) {
            column.set_offset(self.offset);
            if let (Some(kind), true) = (&mut column.kind, options.read_options.decimal_comma) {
                kind.set_decimal_comma();
            }
        }
        let roles = Roles::of(&self.columns, &self.extra, options)?;
        for label in self
            .extra
            .iter()
            .filter(|extra| extra.is_template)
            .flat_map(|extra| labels(&extra.default))
        {
            if !self.columns.iter().any(|column| column.label == label) {
                return Err(Error::invalid_record(format!(
                    "#concat names the column {}, which is not there",
                    escape::quoted(label)
                )));
            }
        }
        self.roles = Some(roles);
        Ok(())
    }

    /// Whether the row has the names once more, as tables without annotations have them between them.
    fn is_named_again(&self, row: RowBlock<'_>, options: &AnnotatedOptions) -> bool {
        let layout = &options.read_options.layout;
        self.columns.len() == row.columns()
            && self
                .columns
                .iter()
                .enumerate()
                .all(|(place, column)| layout.new_name(&row.cell(0, place).0) == column.label)
    }

    fn column(&self, place: usize) -> Option<&AnnotatedColumn> {
        self.columns.get(place).or_else(|| self.extra.get(place - self.columns.len()))
    }

    /// The value of a column, or its default; empty if there is none.
    fn value<'a>(
        &'a self,
        row: RowBlock<'a>,
        column: &'a AnnotatedColumn,
        options: &AnnotatedOptions,
    ) -> Cow<'a, str> {
        let cell = column.place.map_or(Cow::Borrowed(""), |place| row.cell(0, place).0);
        if !cell.is_empty() && !options.nulls.has_listed(&cell) {
            return cell;
        }
        if !column.is_template {
            return Cow::Borrowed(&column.default);
        }
        let mut text = column.default.clone();
        for label in labels(&column.default) {
            if let Some(other) = self.columns.iter().find(|column| column.label == label) {
                text = text.replace(&format!("${{{label}}}"), &self.value(row, other, options));
            }
        }
        Cow::Owned(text)
    }

    fn write(
        &self,
        row: RowBlock<'_>,
        options: &AnnotatedOptions,
        lines: &mut Lines<'_>,
    ) -> Result<()> {
        let Some(roles) = &self.roles else { return Ok(()) };
        if row.columns() > self.columns.len() {
            return Err(Error::invalid_record(format!(
                "there are {} cells, but the names of the columns are {}",
                row.columns(),
                self.columns.len()
            )));
        }
        let value = |place: usize| {
            self.column(place).map_or(Cow::Borrowed(""), |column| self.value(row, column, options))
        };
        let name = match (&options.read_options.layout.measurement, roles.measurement) {
            (Some(name), _) => Cow::Borrowed(name.as_str()),
            (None, place) => place.map_or(Cow::Borrowed(""), value),
        };
        if name.is_empty() {
            return Err(Error::invalid_record("there is no measurement: give each row one"));
        }
        let mut point = Point::new(name);
        for &place in &roles.tags {
            if let Some(column) = self.column(place) {
                point = point.tag(&column.label, value(place));
            }
        }
        if let Some((name, place)) = roles.field {
            let name = value(name);
            let layout = &options.read_options.layout;
            let name = layout.new_name(&name);
            if !name.is_empty() && !layout.is_excluded(name) && layout.can_be_field(name) {
                point = self.field(point, name, place, &value(place), options)?;
            }
        }
        for &place in &roles.fields {
            if let Some(column) = self.column(place) {
                point = self.field(point, &column.label, place, &value(place), options)?;
            }
        }
        let text = roles.time.map_or(Cow::Borrowed(""), value);
        match (
            roles.time.and_then(|place| self.column(place)),
            options.read_options.layout.default_time,
        ) {
            (_, Some(time)) if text.is_empty() => point = point.time(time),
            (Some(column), _) if !text.is_empty() => {
                let time = time(column, &text, options);
                point = point.time(time.map_err(|error| in_column(error, &column.label))?);
            }
            _ => {
                return Err(Error::invalid_record(
                    "there is no timestamp: give each row one, or leave the row out",
                ));
            }
        }
        lines.push_row(&point)
    }

    fn field(
        &self,
        point: Point,
        key: &str,
        place: usize,
        text: &str,
        options: &AnnotatedOptions,
    ) -> Result<Point> {
        let column = self.column(place).filter(|_| !text.is_empty());
        let Some(column) = column else { return Ok(point) };
        let value = match &column.kind {
            Some(kind) => kind.field(text, options.unit),
            None => untyped(text),
        };
        Ok(point.field(key, value.map_err(|error| in_column(error, &column.label))?))
    }
}

impl Roles {
    fn of(
        columns: &[AnnotatedColumn],
        extra: &[AnnotatedColumn],
        options: &AnnotatedOptions,
    ) -> Result<Self> {
        let layout = &options.read_options.layout;
        let all = || columns.iter().chain(extra).enumerate();
        let find =
            |wanted: &str| all().find(|(_, column)| column.label == wanted).map(|(place, _)| place);
        let mut roles = Self::default();
        if let Some(name) = &layout.measurement_column {
            roles.measurement =
                Some(find(name).ok_or_else(|| missing("measurement", name, columns))?);
        } else {
            let named = all().filter(|(_, column)| column.part == Some(LinePart::Measurement));
            let others = ["_measurement"].into_iter().chain(LayoutOptions::MEASUREMENTS);
            roles.measurement =
                named.map(|(place, _)| place).last().or_else(|| others.into_iter().find_map(find));
        }
        if roles.measurement.is_none() && layout.measurement.is_none() {
            return Err(Error::invalid_record(
                "no measurement: name one with .measurement(…), or have a column of the datatype measurement",
            ));
        }
        roles.time = match &layout.timestamp_column {
            Some(name) => Some(find(name).ok_or_else(|| missing("timestamp", name, columns))?),
            None => {
                let is_time = |column: &AnnotatedColumn| {
                    column.part == Some(LinePart::Time)
                        && !["_start", "_stop"].contains(&column.label.as_str())
                };
                let typed = || all().find(|(_, column)| is_time(column)).map(|(place, _)| place);
                let ends = || find("_stop").or_else(|| find("_start"));
                find("_time")
                    .or_else(|| find("time").filter(|_| typed().is_none()))
                    .or_else(typed)
                    .or_else(ends)
            }
        };
        if roles.time.is_none() && options.read_options.layout.default_time.is_none() {
            return Err(missing("timestamp", layout.time(), columns));
        }
        if let Some(name) = layout.tags.iter().find(|name| find(name).is_none()) {
            return Err(missing("tag", name, columns));
        }
        roles.field = find("_field").zip(find("_value"));
        // The columns that InfluxDB puts before those of a query: an empty label, `result` and `table`.
        let is_numbering = |place: usize, label: &str| {
            matches!((place, label), (1, "result") | (2, "table"))
                && columns.first().is_some_and(|c| c.label.is_empty())
        };
        for (place, column) in all() {
            let label = column.label.as_str();
            let has_role = [roles.measurement, roles.time].contains(&Some(place))
                || roles.field.is_some_and(|(name, value)| place == name || place == value);
            let is_left_out = label.trim_ascii().is_empty()
                || column.part == Some(LinePart::Ignored)
                || layout.is_excluded(label)
                || is_numbering(place, label)
                || ["_start", "_stop"].contains(&label)
                // A column of measurements that is not the chosen one.
                || (label == "_measurement" || column.part == Some(LinePart::Measurement));
            if has_role || is_left_out {
                continue;
            }
            let is_tag =
                column.part == Some(LinePart::Tag) || layout.tags.iter().any(|tag| tag == label);
            if is_tag {
                roles.tags.push(place);
            } else if (roles.field.is_none() || column.part == Some(LinePart::Field))
                && layout.can_be_field(label)
            {
                roles.fields.push(place);
            }
        }
        if roles.fields.is_empty() && roles.field.is_none() {
            return Err(Error::invalid_record(
                "no column is left for the fields, and a line has at least one",
            ));
        }
        Ok(roles)
    }
}

fn time(column: &AnnotatedColumn, text: &str, options: &AnnotatedOptions) -> Result<Timestamp> {
    match (&options.read_options.time_format, &column.kind) {
        (Some(format), _) => format.read(text),
        (None, Some(Datatype::Time(form))) => form.read(text, options.unit),
        (None, Some(Datatype::Integer(_))) => TimeForm::Number.read(text, options.unit),
        (None, _) => time_text::parse_or_number(text, options.unit),
    }
}

/// Seconds that a zone is ahead of UTC.
fn offset(zone: &str) -> Result<i64> {
    let digits = zone
        .get(1..)
        .filter(|digits| digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_digit()));
    let seconds =
        digits.and_then(|digits| digits.parse::<i64>().ok()).map(|n| (n / 100 * 60 + n % 100) * 60);
    match (zone.as_bytes().first(), seconds) {
        (None, _) => Ok(0),
        (Some(b'+'), Some(seconds)) => Ok(seconds),
        (Some(b'-'), Some(seconds)) => Ok(-seconds),
        _ if zone.eq_ignore_ascii_case("utc") => Ok(0),
        _ => Err(Error::invalid_record(format!(
            "the zone {} of #timezone is neither UTC nor an offset such as +0100: the rules of other zones are not known \
             here",
            escape::quoted(zone)
        ))),
    }
}

/// The labels in a template.
fn labels(template: &str) -> impl Iterator<Item = &str> {
    template.split("${").skip(1).filter_map(|rest| rest.split_once('}')).map(|(label, _)| label)
}

fn in_column(error: Error, label: &str) -> Error {
    error.in_context(&format!("column {}", escape::quoted(label)))
}

fn missing(what: &str, name: &str, columns: &[AnnotatedColumn]) -> Error {
    let names: Vec<String> = columns.iter().map(|column| escape::quoted(&column.label)).collect();
    Error::invalid_record(format!(
        "the {what} column {} is not there; the columns are {}",
        escape::quoted(name),
        names.join(", ")
    ))
}
