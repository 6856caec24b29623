//! Any record batch of any types, with nulls, as a slice of a longer one and in pieces, against the row-wise encoder:
//! the lines are, byte by byte, those of points made of the same rows, and InfluxData's own parser reads the same
//! values; what is refused no row could have, or its names and types cannot be written.

use std::sync::Arc;

use arbitrary::{Result, Unstructured};
use influxdb_line_protocol::parse_lines;
use influxdb3_blocking::arrow_array::{ArrayRef, RecordBatch, RecordBatchIterator};
use influxdb3_blocking::arrow_schema::{Field, Schema};
use influxdb3_blocking::{Columns, ErrorKind, FieldValue, Precision, fuzzing};

use super::column::{Column, Kind, Size, tame_name};
use super::model::{Model, is_key, is_measurement, name, precision};

const MEASUREMENTS: [&str; 2] = ["measurement", "iox::measurement"];

pub fn check(data: &[u8]) {
    let _ = draw_and_check(&mut Unstructured::new(data)); // an error: the data was too short
}

fn draw_and_check(u: &mut Unstructured<'_>) -> Result<()> {
    let table = Table::draw(u)?;
    let batch = table.batch();
    let whole = table.encode(Columns::new(&batch));
    if let Err(error) = &whole {
        // The client's own settings are no record.
        assert!(matches!(error.kind(), ErrorKind::InvalidRecord | ErrorKind::Config), "{error}");
    }
    if table.has_time_to_read() {
        if let Ok((out, count)) = &whole {
            let text = std::str::from_utf8(out).expect("line protocol is UTF-8");
            assert!(parse_lines(text).all(|line| line.is_ok_and(|line| line.timestamp.is_some())));
            assert_eq!(parse_lines(text).count(), *count, "{text}");
        }
    } else {
        match (&whole, &table.expected()) {
            (Ok((out, count)), Some(models)) => table.compare(out, *count, models),
            (Err(_), None) => {}
            (Ok((out, _)), None) => panic!("{}: {table:?}", String::from_utf8_lossy(out)),
            (Err(error), Some(_)) => panic!("{error}: {table:?}"),
        }
    }

    // Where the pieces end makes no difference.
    let size = u.int_in_range(1..=4)?;
    let pieces: Vec<_> = (0..batch.num_rows())
        .step_by(size)
        .map(|start| Ok(batch.slice(start, size.min(batch.num_rows() - start))))
        .collect();
    let reader = RecordBatchIterator::new(pieces, batch.schema());
    assert_eq!(table.encode(Columns::from_reader(reader)).ok(), whole.ok(), "{table:?}");
    check_refused(u)
}

/// A column of a type that cannot be written is refused by its name, whatever it shall be, before its rows are looked at.
fn check_refused(u: &mut Unstructured<'_>) -> Result<()> {
    let (name, rows) = (tame_name(u)?, u.int_in_range(0..=2)?);
    let column = Column::draw_refused(u, name.clone(), rows)?;
    let columns = [(name.as_str(), column.array.clone()), ("f", column.array.clone())];
    let batch = RecordBatch::try_from_iter(columns).expect("columns of one length");
    let columns = Columns::new(&batch).measurement("m");
    let columns = match u.int_in_range(0..=2)? {
        0 => columns.tags([&name]),
        1 => columns.timestamp_column(&name),
        _ => columns,
    };
    let error = fuzzing::encode_record(columns, Vec::new(), Precision::Second);
    let error = error.expect_err("a type that cannot be written");
    assert_eq!(error.kind(), ErrorKind::InvalidRecord, "{error}");
    assert!(error.to_string().contains(&format!("the column {name:?} is of")), "{error}");
    Ok(())
}

#[derive(Debug)]
struct Table {
    measurement: Option<String>,
    measurement_column: Option<String>,
    columns: Vec<Column>,
    tags: Vec<String>,
    timestamp_column: Option<String>,
    date_unit: Option<Precision>,
    precision: Precision,
    defaults: Vec<(String, String)>,
    size: Size,
}

impl Table {
    fn draw(u: &mut Unstructured<'_>) -> Result<Self> {
        let size = Size {
            rows: u.int_in_range(0..=9)?,
            offset: u.int_in_range(0..=3)?,
            tame: u.ratio(3, 4)?,
        };
        let mut columns: Vec<Column> = Vec::new();
        let key = |u: &mut Unstructured<'_>, number: usize| match size.tame {
            true => Ok(format!("{}{number}", tame_name(u)?)),
            false => name(u),
        };
        for number in 0..u.int_in_range(0..=5)? {
            let key = key(u, number)?;
            columns.push(Column::draw(u, key, None, size)?);
        }
        let mut tags = Vec::new();
        for number in 6..6 + u.int_in_range(0..=2)? {
            let key = key(u, number)?;
            columns.push(Column::draw(u, key.clone(), Some(Kind::Text), size)?);
            tags.push(key);
        }
        if !columns.is_empty() && u.ratio(1, 4)? {
            // Of any type, and maybe listed twice.
            tags.push(u.choose(&columns)?.name.clone());
        }
        let mut timestamp_column = None;
        if u.ratio(3, 4)? {
            let key = if u.ratio(3, 4)? { "time".to_owned() } else { key(u, 9)? };
            columns.push(Column::draw(u, key.clone(), Some(Kind::Time), size)?);
            timestamp_column = (key != "time" || u.arbitrary()?).then_some(key);
        }
        let (mut measurement, mut measurement_column) = (None, None);
        match u.int_in_range(0..=3)? {
            0 => {
                let key = (*u.choose(&["measurement", "iox::measurement", "table"])?).to_owned();
                columns.push(Column::draw(u, key.clone(), Some(Kind::Text), size)?);
                measurement_column = (key == "table").then_some(key);
            }
            1 => measurement = Some(key(u, 0)?),
            _ => measurement = Some("m".to_owned()),
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
        Ok(Self {
            measurement,
            measurement_column,
            columns: shuffled,
            tags,
            timestamp_column,
            date_unit: if u.arbitrary()? { Some(precision(u)?) } else { None },
            precision: precision(u)?,
            defaults,
            size,
        })
    }

    fn batch(&self) -> RecordBatch {
        let field =
            |column: &Column| Field::new(&column.name, column.array.data_type().clone(), true);
        let schema = Arc::new(Schema::new(self.columns.iter().map(field).collect::<Vec<_>>()));
        let arrays: Vec<ArrayRef> = self
            .columns
            .iter()
            .map(|column| column.array.slice(self.size.offset, self.size.rows))
            .collect();
        let options = Default::default();
        if arrays.is_empty() {
            return RecordBatch::new_empty(schema);
        }
        RecordBatch::try_new_with_options(schema, arrays, &options).expect("columns of one length")
    }

    fn encode(&self, mut columns: Columns<'_>) -> influxdb3_blocking::Result<(Vec<u8>, usize)> {
        if let Some(name) = &self.measurement {
            columns = columns.measurement(name);
        }
        if let Some(name) = &self.measurement_column {
            columns = columns.measurement_column(name);
        }
        if let Some(name) = &self.timestamp_column {
            columns = columns.timestamp_column(name);
        }
        if let Some(unit) = self.date_unit {
            columns = columns.date_unit(unit);
        }
        let columns = columns.tags(&self.tags);
        fuzzing::encode_record(columns, self.defaults.clone(), self.precision)
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
                .expect("what a batch has, a point can have");
        }
        // Of a decimal all digits are written, and of a float the shortest that mean the same.
        if !self.columns.iter().any(Column::is_decimal) {
            assert_eq!(text, String::from_utf8_lossy(&row_wise));
        }
    }

    /// Whether the timestamps are texts, floats or decimals, which mean what the tests of reading them say.
    fn has_time_to_read(&self) -> bool {
        let name = self.timestamp_column.as_deref().unwrap_or("time");
        let is_read =
            |column: &Column| column.is_text() || column.is_float() || column.is_decimal();
        let mut columns = self.columns.iter();
        columns.any(|column| column.name == name && is_read(column))
    }

    /// A model for each row that has a field; nothing if the table is to be refused.
    fn expected(&self) -> Option<Vec<Model>> {
        let find = |name: &str| self.columns.iter().find(|column| column.name == name);
        let names: Vec<&str> = self.columns.iter().map(|column| &*column.name).collect();
        let mut distinct = names.clone();
        distinct.sort_unstable();
        distinct.dedup();
        let default_tags = Model { default_tags: self.defaults.clone(), ..Model::default() };
        if distinct.len() < names.len() || !default_tags.default_tags_can_be_written() {
            return None;
        }
        let name_column = match (&self.measurement, &self.measurement_column) {
            (Some(name), _) if is_measurement(name) => None,
            (Some(_), _) => return None,
            (None, Some(name)) => Some(find(name)?),
            (None, None) => Some(MEASUREMENTS.into_iter().find_map(find)?),
        };
        let time_name = self.timestamp_column.as_deref().unwrap_or("time");
        let time_column = match find(time_name) {
            None if self.timestamp_column.is_some() => return None,
            column => column,
        };
        let is = |column: &Column, other: Option<&Column>| {
            other.is_some_and(|other| other.name == column.name)
        };
        let is_special = |column: &Column| is(column, name_column) || is(column, time_column);
        let is_tag = |column: &Column| self.tags.contains(&column.name);
        let is_field = |column: &Column| !is_special(column) && !is_tag(column);
        let defaults = default_tags.all_tags();
        let mut has_fields = false;
        for column in &self.columns {
            let is_wrong = is_special(column) && is_tag(column)
                || is(column, name_column) && (!column.is_text() || is(column, time_column))
                || is(column, time_column) && !column.can_be_time()
                || !is_special(column)
                    && (is_tag(column) || is_field(column))
                    && !is_key(&column.name)
                || is_field(column) && defaults.contains_key(&*column.name)
                || (is_field(column) || is_tag(column)) && column.is_refused();
            if is_wrong {
                return None;
            }
            has_fields |= is_field(column);
        }
        if !has_fields || self.tags.iter().any(|tag| find(tag).is_none()) {
            return None;
        }

        let unit = self.date_unit.unwrap_or(self.precision);
        let mut models = Vec::new();
        for row in 0..self.size.rows {
            let measurement = match name_column {
                None => self.measurement.clone()?,
                Some(column) => column.text(row).filter(|name| is_measurement(name))?,
            };
            let nanos = match time_column {
                None => None,
                Some(column) => Some(column.nanos(row, unit, self.precision)?),
            };
            let mut model = Model {
                measurement,
                nanos,
                default_tags: self.defaults.clone(),
                ..Model::default()
            };
            for column in self.columns.iter().filter(|column| !is_special(column)) {
                if is_tag(column) {
                    let value = column.tag(row)?;
                    if !value.is_empty() {
                        model.tags.push((column.name.clone(), value));
                    }
                } else if is_field(column) {
                    let value: FieldValue<'static> = column.field(row)?;
                    model.fields.push((column.name.clone(), value));
                }
            }
            let has_field = !model.columns().1.is_empty();
            // Whatever stands in a row is looked at, also where there is no field.
            model.fields.push(("any".to_owned(), FieldValue::Boolean(true)));
            let own = model.columns().0;
            if own.values().any(|value| !super::model::is_name(value)) {
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
