//! A table of any columns, what its caller says about them, and the points that it means.

#![allow(dead_code)] // each user takes a part of it

use std::collections::BTreeMap;
use std::fmt::Debug;

use arbitrary::{Result, Unstructured};
use influxdb_line_protocol::parse_lines;
use influxdb3_blocking::{FieldValue, Precision, fuzzing};

use super::cells::{Cells, Class};
use super::model::{Model, is_key, is_measurement, is_name, name, precision};

/// What a column is drawn as; without one it is anything.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    Text,
    Time,
}

#[derive(Clone, Copy, Debug)]
pub struct Size {
    pub rows: usize,
    /// How many rows of the data stand before those of the table, and as many behind them.
    pub offset: usize,
    /// Whether all of it can be written.
    pub tame: bool,
}

/// A column whose values are kept as `D`.
#[derive(Clone, Debug)]
pub struct Column<D> {
    pub name: String,
    pub data: D,
    pub cells: Cells,
}

#[derive(Debug)]
pub struct Table<D> {
    pub columns: Vec<Column<D>>,
    pub options: Options,
    pub precision: Precision,
    pub defaults: Vec<(String, String)>,
    pub size: Size,
}

/// What the caller says about the columns.
#[derive(Debug, Default)]
pub struct Options {
    pub measurement: Option<String>,
    pub measurement_column: Option<String>,
    pub tags: Vec<String>,
    pub fields: Option<Vec<String>>,
    pub exclude: Vec<String>,
    pub renames: BTreeMap<String, String>,
    pub timestamp_column: Option<String>,
    pub date_unit: Option<Precision>,
    pub binary_as_text: bool,
}

/// Tells a builder of records what the options say.
macro_rules! with_options {
    ($records:expr, $options:expr) => {{
        let (mut records, options) = ($records, $options);
        if let Some(name) = &options.measurement {
            records = records.measurement(name);
        }
        if let Some(name) = &options.measurement_column {
            records = records.measurement_column(name);
        }
        if let Some(name) = &options.timestamp_column {
            records = records.timestamp_column(name);
        }
        if let Some(unit) = options.date_unit {
            records = records.date_unit(unit);
        }
        if let Some(names) = &options.fields {
            records = records.fields(names);
        }
        for (from, to) in &options.renames {
            records = records.rename(from, to);
        }
        records.tags(&options.tags).exclude(&options.exclude).binary_as_text(options.binary_as_text)
    }};
}
pub(crate) use with_options;

/// What a table has become: lines and how many, or nothing if it was refused.
pub type Written = Option<(Vec<u8>, usize)>;

const USUAL_NAMES: [&str; 2] = ["measurement", "iox::measurement"];

impl<D: Debug> Table<D> {
    pub fn draw(
        u: &mut Unstructured<'_>,
        draw: impl Fn(&mut Unstructured<'_>, Option<Kind>, Size) -> Result<(D, Cells)>,
    ) -> Result<Self> {
        let size = Size {
            rows: u.int_in_range(0..=9)?,
            offset: u.int_in_range(0..=3)?,
            tame: u.ratio(3, 4)?,
        };
        let key = |u: &mut Unstructured<'_>, number: usize| match size.tame {
            true => Ok(format!("{}{number}", tame_name(u)?)),
            false => name(u),
        };
        let mut columns: Vec<Column<D>> = Vec::new();
        let mut add = |u: &mut Unstructured<'_>, name: &str, kind| {
            let (data, cells) = draw(u, kind, size)?;
            columns.push(Column { name: name.to_owned(), data, cells });
            Ok(())
        };
        let mut options = Options::default();
        for number in 0..u.int_in_range(0..=5)? {
            let key = key(u, number)?;
            add(u, &key, None)?;
        }
        for number in 6..6 + u.int_in_range(0..=2)? {
            let key = key(u, number)?;
            add(u, &key, Some(Kind::Text))?;
            options.tags.push(key);
        }
        if u.ratio(3, 4)? {
            let key = if u.ratio(3, 4)? { "time".to_owned() } else { key(u, 9)? };
            add(u, &key, Some(Kind::Time))?;
            options.timestamp_column = (key != "time" || u.arbitrary()?).then_some(key);
        }
        match u.int_in_range(0..=3)? {
            0 => {
                let key = *u.choose(&["measurement", "iox::measurement", "table"])?;
                add(u, key, Some(Kind::Text))?;
                options.measurement_column = (key == "table").then(|| key.to_owned());
            }
            1 => options.measurement = Some(key(u, 0)?),
            _ => options.measurement = Some("m".to_owned()),
        }
        if u.ratio(1, 4)? {
            // A usual name of the measurement, which is a column like all others if there is another measurement.
            let key = *u.choose(&USUAL_NAMES)?;
            add(u, key, None)?;
        }
        if !columns.is_empty() && u.ratio(1, 4)? {
            // Of any type, and maybe listed twice.
            options.tags.push(u.choose(&columns)?.name.clone());
        }
        if u.ratio(1, 3)? {
            options.draw_choice(u, &columns)?;
        }
        // In any order.
        let mut shuffled = Vec::new();
        while !columns.is_empty() {
            shuffled.push(columns.swap_remove(u.choose_index(columns.len())?));
        }
        let mut defaults = Vec::new();
        for _ in 0..u.int_in_range(0u8..=3)?.saturating_sub(1) {
            let value = if size.tame { tame_name(u)? } else { name(u)? };
            defaults.push((key(u, 5)?, value));
        }
        options.date_unit = if u.arbitrary()? { Some(precision(u)?) } else { None };
        options.binary_as_text = u.ratio(3, 4)?;
        Ok(Self { columns: shuffled, options, precision: precision(u)?, defaults, size })
    }

    /// That the lines are those of the points that the table means, and that it is refused if it means none.
    pub fn check(&self, written: &Written) {
        if self.has_time_to_read() {
            if let Some((out, count)) = written {
                let text = std::str::from_utf8(out).expect("line protocol is UTF-8");
                let mut lines = parse_lines(text);
                assert!(lines.all(|line| line.is_ok_and(|line| line.timestamp.is_some())));
                assert_eq!(parse_lines(text).count(), *count, "{text}");
            }
            return;
        }
        match (written, &self.expected()) {
            (Some((out, count)), Some(models)) => self.compare(out, *count, models),
            (None, None) => {}
            (Some((out, _)), None) => panic!("{}: {self:?}", String::from_utf8_lossy(out)),
            (None, Some(_)) => panic!("it is refused: {self:?}"),
        }
    }

    fn compare(&self, out: &[u8], count: usize, models: &[Model]) {
        let text = std::str::from_utf8(out).expect("line protocol is UTF-8");
        let parsed: Vec<_> = parse_lines(text).map(|line| line.expect("it parses")).collect();
        assert_eq!((parsed.len(), count), (models.len(), models.len()), "{text}");
        let mut row_wise = Vec::new();
        for (line, model) in parsed.iter().zip(models) {
            model.check(line, self.precision);
            let (point, defaults) = (model.point(), self.defaults.clone());
            fuzzing::encode_point(&point, defaults, Vec::new(), self.precision, &mut row_wise)
                .expect("what a table has, a point can have");
        }
        // Of a decimal all digits are written, and of a float the shortest that mean the same.
        if !self.columns.iter().any(|column| column.cells.class == Class::Decimal) {
            assert_eq!(text, String::from_utf8_lossy(&row_wise));
        }
    }

    /// Whether the timestamps are texts, floats or decimals, which mean what the tests of reading them say.
    fn has_time_to_read(&self) -> bool {
        let time = self.options.time();
        let is_excluded = self.options.exclude.iter().any(|name| name == time);
        let mut columns = self.columns.iter();
        !is_excluded
            && columns.any(|column| {
                self.options.new_name(&column.name) == time && column.cells.class.is_read_as_time()
            })
    }

    /// A model for each row that has a field; nothing if the table is to be refused.
    fn expected(&self) -> Option<Vec<Model>> {
        let options = &self.options;
        let default_tags = Model { default_tags: self.defaults.clone(), ..Model::default() };
        let given_is_wrong = options.measurement.as_ref().is_some_and(|name| !is_measurement(name));
        if !default_tags.default_tags_can_be_written() || given_is_wrong {
            return None;
        }
        let columns = options.apply(&self.columns)?;
        let find = |name: &str| columns.iter().find(|(other, _)| *other == name).copied();
        let name_column = match (&options.measurement, &options.measurement_column) {
            (Some(_), _) => None,
            (None, Some(name)) => Some(find(name)?),
            (None, None) => Some(USUAL_NAMES.into_iter().find_map(find)?),
        };
        let time_column = match find(options.time()) {
            None if options.timestamp_column.is_some() => return None,
            column => column,
        };
        let is = |name: &str, other: Option<(&str, &Column<D>)>| {
            other.is_some_and(|(other, _)| other == name)
        };
        let is_special = |name: &str| is(name, name_column) || is(name, time_column);
        let is_tag = |name: &str| options.tags.iter().any(|tag| tag == name);
        let listed = |name: &str| {
            options.fields.as_ref().map(|fields| fields.iter().any(|field| field == name))
        };
        let is_field =
            |name: &str| !is_special(name) && !is_tag(name) && listed(name).unwrap_or(true);
        let defaults = default_tags.all_tags();
        let mut has_fields = false;
        for (name, column) in &columns {
            let class = column.cells.class;
            let is_refused =
                class == Class::Refused || class == Class::Binary && !options.binary_as_text;
            let is_written = is_special(name) || is_tag(name) || is_field(name);
            let is_wrong = is_special(name) && is_tag(name)
                || (is_special(name) || is_tag(name)) && listed(name) == Some(true)
                || is(name, name_column) && (!class.can_be_name() || is(name, time_column))
                || is(name, time_column) && !class.can_be_time()
                || (is_tag(name) || is_field(name)) && !is_key(name)
                || is_field(name) && defaults.contains_key(*name)
                || is_written && is_refused;
            if is_wrong {
                return None;
            }
            has_fields |= is_field(name);
        }
        let mut named = options.tags.iter().chain(options.fields.iter().flatten());
        if !has_fields || named.any(|name| find(name).is_none()) {
            return None;
        }

        let unit = options.date_unit.unwrap_or(self.precision);
        let mut models = Vec::new();
        for row in 0..self.size.rows {
            let measurement = match name_column {
                None => options.measurement.clone()?,
                Some((_, column)) => column.cells.text(row).filter(|name| is_measurement(name))?,
            };
            let nanos = match time_column {
                None => None,
                Some((_, column)) => Some(column.cells.nanos(row, unit, self.precision)?),
            };
            let mut model = Model {
                measurement,
                nanos,
                default_tags: self.defaults.clone(),
                ..Model::default()
            };
            for (name, column) in columns.iter().filter(|(name, _)| !is_special(name)) {
                if is_tag(name) {
                    let value = column.cells.tag(row)?;
                    if !value.is_empty() {
                        model.tags.push(((*name).to_owned(), value));
                    }
                } else if is_field(name) {
                    let value: FieldValue<'static> = column.cells.field(row)?;
                    model.fields.push(((*name).to_owned(), value));
                }
            }
            let has_field = !model.columns().1.is_empty();
            // Whatever stands in a row is looked at, also where there is no field.
            model.fields.push(("any".to_owned(), FieldValue::Boolean(true)));
            let own = model.columns().0;
            if own.values().any(|value| !is_name(value)) {
                return None;
            }
            model.fields.pop();
            if has_field {
                models.push(model);
            }
        }
        Some(models)
    }
}

impl Options {
    /// Renames, leaves out and chooses some columns, mostly of those that are there.
    fn draw_choice<D>(&mut self, u: &mut Unstructured<'_>, columns: &[Column<D>]) -> Result<()> {
        let any = |u: &mut Unstructured<'_>| match columns.is_empty() || u.ratio(1, 8)? {
            true => name(u),
            false => Ok(u.choose(columns)?.name.clone()),
        };
        for _ in 0..u.int_in_range(0..=2)? {
            let to = if u.ratio(1, 4)? { any(u)? } else { tame_name(u)? };
            self.renames.insert(any(u)?, to);
        }
        for _ in 0..u.int_in_range(0..=2)? {
            let name = any(u)?;
            self.exclude.push(self.new_name(&name).to_owned());
        }
        if u.ratio(1, 2)? {
            let mut fields = Vec::new();
            for _ in 0..u.int_in_range(0..=3)? {
                let name = any(u)?;
                fields.push(self.new_name(&name).to_owned());
            }
            self.fields = Some(fields);
        }
        Ok(())
    }

    fn time(&self) -> &str {
        self.timestamp_column.as_deref().unwrap_or("time")
    }

    fn new_name<'a>(&'a self, name: &'a str) -> &'a str {
        self.renames.get(name).map_or(name, String::as_str)
    }

    /// The columns that can become something, by the names that they go by; nothing if the options contradict the table
    /// or each other.
    fn apply<'a, D>(&'a self, columns: &'a [Column<D>]) -> Option<Vec<(&'a str, &'a Column<D>)>> {
        let is_there = |name: &String| columns.iter().any(|column| column.name == *name);
        let named = |name: &String| columns.iter().any(|c| self.new_name(&c.name) == name);
        let mentioned = self.tags.iter().chain(self.fields.iter().flatten());
        let mut mentioned = mentioned.chain(&self.timestamp_column).chain(&self.measurement_column);
        if !self.renames.keys().all(is_there)
            || !self.exclude.iter().all(named)
            || mentioned.any(|name| self.exclude.contains(name))
        {
            return None;
        }
        let names_measurement = |name: &str| match (&self.measurement, &self.measurement_column) {
            (Some(_), _) => false,
            (None, Some(column)) => column == name,
            (None, None) => USUAL_NAMES.contains(&name),
        };
        let is_wanted = |name: &str| {
            let is_listed = |names: &Vec<String>| names.iter().any(|other| other == name);
            !is_listed(&self.exclude)
                && (self.fields.as_ref().is_none_or(is_listed)
                    || is_listed(&self.tags)
                    || name == self.time()
                    || names_measurement(name))
        };
        let columns: Vec<(&str, &Column<D>)> = columns
            .iter()
            .map(|column| (self.new_name(&column.name), column))
            .filter(|(name, _)| is_wanted(name))
            .collect();
        let mut names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
        names.sort_unstable();
        let is_double = names.windows(2).any(|pair| pair[0] == pair[1]);
        (!is_double).then_some(columns)
    }
}

/// A name that can stand everywhere.
pub fn tame_name(u: &mut Unstructured<'_>) -> Result<String> {
    let name = u.choose(&["a", "a b", "a,b", "a=b", "a\\b", "\"", "é", "long name of something"]);
    Ok((*name?).to_owned())
}
