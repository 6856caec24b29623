//! What lines say, taken together: tables, columns, times, and points that are there twice.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use influxdb3_blocking::{FieldValue, Point, Precision, Timestamp};
use serde_json::{Value, json};

use crate::amounts::{count, counted};
use crate::terminal::{aligned, escaped};

/// What the lines so far say.
#[derive(Debug)]
pub(super) struct Summary {
    precision: Precision,
    points: u64,
    tables: BTreeMap<String, Table>,
    /// Of each series and time.
    seen: HashSet<u64>,
    /// Lines that no server takes, and why the first one is none.
    bad: u64,
    first_bad: Option<String>,
}

#[derive(Debug, Default)]
struct Table {
    points: u64,
    times: Option<(Timestamp, Timestamp)>,
    /// The values of each tag, as hashes.
    tags: BTreeMap<String, HashSet<u64>>,
    fields: BTreeMap<String, BTreeSet<&'static str>>,
    /// Points that have the series and the time of another one.
    twice: u64,
}

impl Summary {
    pub(super) fn new(precision: Precision) -> Self {
        Self {
            precision,
            points: 0,
            tables: BTreeMap::new(),
            seen: HashSet::new(),
            bad: 0,
            first_bad: None,
        }
    }

    pub(super) fn add(&mut self, line: &str) {
        let point = match Point::from_line_protocol(line, self.precision) {
            Ok(point) => point,
            Err(error) => {
                self.bad += 1;
                self.first_bad.get_or_insert_with(|| format!("{error}: {}", escaped(line)));
                return;
            }
        };
        self.points += 1;
        let measurement = point.measurement();
        if !self.tables.contains_key(measurement) {
            self.tables.insert(measurement.to_owned(), Table::default());
        }
        let Some(table) = self.tables.get_mut(measurement) else { return };
        table.points += 1;
        let mut series = DefaultHasher::new();
        measurement.hash(&mut series);
        for (key, value) in point.tags() {
            (key, value).hash(&mut series);
            if !table.tags.contains_key(key) {
                table.tags.insert(key.to_owned(), HashSet::new());
            }
            if let Some(values) = table.tags.get_mut(key) {
                values.insert(hash_of(value));
            }
        }
        for (key, value) in point.fields() {
            if !table.fields.contains_key(key) {
                table.fields.insert(key.to_owned(), BTreeSet::new());
            }
            if let Some(types) = table.fields.get_mut(key) {
                types.insert(type_of(&value));
            }
        }
        if let Some(time) = point.timestamp() {
            let times = table.times.get_or_insert((time, time));
            *times = (times.0.min(time), times.1.max(time));
            time.hash(&mut series);
            table.twice += u64::from(!self.seen.insert(series.finish()));
        }
    }

    /// For machines.
    pub(super) fn to_json(&self) -> Value {
        let table = |(name, table): (&String, &Table)| {
            let tags = table.tags.iter().map(|(tag, values)| (tag.clone(), values.len().into()));
            let fields = table.fields.iter().map(|(field, types)| {
                (field.clone(), types.iter().copied().collect::<Vec<_>>().into())
            });
            json!({
                "table": name,
                "points": table.points,
                "first_time": table.times.map(|(first, _)| first.to_string()),
                "last_time": table.times.map(|(_, last)| last.to_string()),
                "tag_values": tags.collect::<serde_json::Map<_, _>>(),
                "fields": fields.collect::<serde_json::Map<_, _>>(),
                "points_twice": table.twice,
            })
        };
        json!({
            "points": self.points,
            "bad_lines": self.bad,
            "first_bad_line": self.first_bad,
            "tables": self.tables.iter().map(table).collect::<Vec<_>>(),
        })
    }
}

/// For people.
impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, table) in &self.tables {
            write!(f, "{}: {}", escaped(name), counted(table.points, "point"))?;
            if let Some((first, last)) = table.times {
                write!(f, ", {first} to {last}")?;
            }
            writeln!(f)?;
            let names = table.tags.keys().chain(table.fields.keys()).map(|name| escaped(name));
            let names = aligned(names.collect());
            let (tags, fields) = names.split_at(table.tags.len());
            for (tag, values) in tags.iter().zip(table.tags.values()) {
                let values = counted(values.len() as u64, "value");
                writeln!(f, "  tag    {tag}  {values}")?;
            }
            for (field, types) in fields.iter().zip(table.fields.values()) {
                let types: Vec<_> = types.iter().copied().collect();
                let conflict = match types.len() {
                    1 => "",
                    _ => " (the server takes only the first one that it sees)",
                };
                writeln!(f, "  field  {field}  {}{conflict}", types.join(" and "))?;
            }
            if table.twice > 0 {
                writeln!(
                    f,
                    "  {} with the series and the time of an earlier one, which it would replace",
                    counted(table.twice, "point")
                )?;
            }
        }
        write!(
            f,
            "{} in {}",
            counted(self.points, "point"),
            counted(self.tables.len() as u64, "table")
        )?;
        match &self.first_bad {
            None => writeln!(f),
            Some(first) => {
                writeln!(f, "; {} that no server takes, the first one: {first}", count(self.bad))
            }
        }
    }
}

fn type_of(value: &FieldValue<'_>) -> &'static str {
    match value {
        FieldValue::Float(_) => "float",
        FieldValue::Integer(_) => "integer",
        FieldValue::Unsigned(_) => "unsigned",
        FieldValue::Boolean(_) => "boolean",
        _ => "string",
    }
}

fn hash_of(value: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
