//! What each column of a table becomes, decided once.

use super::cell::{Field, Name, Tag, Time};
use super::tags::{self, LineTag};
use super::{Layout, Pieces};
use crate::line_protocol::{TagRules, encoder, escape, words};
use crate::{Error, Precision, Result};

/// How the rows of a table become lines.
#[derive(Debug)]
pub(crate) struct Plan {
    columns: Vec<Planned>,
    /// What stands before the fields, in its order.
    head: Vec<Head>,
    /// The places of the fields in `columns`.
    fields: Vec<usize>,
    /// The place of the time in `columns`.
    time: Option<usize>,
}

/// A column that is written.
#[derive(Clone, Debug)]
pub(crate) struct Planned {
    /// Its place in the table.
    pub(crate) index: usize,
    pub(crate) name: String,
    pub(crate) duty: Duty,
}

/// What a column is written as.
#[derive(Clone, Debug)]
pub(crate) enum Duty {
    Name(Name),
    Tag(Tag),
    Field(Field),
    Time(Time),
}

#[derive(Debug)]
enum Head {
    Constant(Vec<u8>),
    /// The place in `columns`.
    Column(usize),
}

impl Plan {
    /// Decides what becomes of the columns of these names.
    pub(crate) fn new(
        layout: &Layout,
        names: &[&str],
        rules: &TagRules,
        precision: Precision,
    ) -> Result<Self> {
        refuse_equal_names(names)?;
        let find = |name: &str| names.iter().position(|other| *other == name);
        let measurement = Measurement::find(layout, names)?;
        let time = match (find(layout.time()), &layout.timestamp_column) {
            (Some(place), _) => Some(place),
            (None, None) if !layout.needs_time => None,
            (None, _) => return Err(missing("timestamp", layout.time(), names)),
        };
        let mut plan =
            Self { columns: Vec::new(), head: Vec::new(), fields: Vec::new(), time: None };
        let mut taken = vec![false; names.len()];
        let mut take =
            |place: usize| taken.get_mut(place).is_some_and(|t| std::mem::replace(t, true));
        match &measurement {
            Measurement::Fixed(name) => {
                let mut head = Vec::new();
                escape::measurement(&mut head, name)?;
                plan.head.push(Head::Constant(head));
            }
            Measurement::Column(place) => {
                take(*place);
                let column = plan.add(*place, names, Duty::Name(Name));
                plan.head.push(Head::Column(column));
            }
        }
        if let Some(place) = time {
            if take(place) {
                return Err(Error::invalid_record(format!(
                    "the column {} cannot be both the measurement and the timestamp",
                    escape::quoted(layout.time())
                )));
            }
            let unit = layout.date_unit.unwrap_or(precision);
            plan.time = Some(plan.add(place, names, Duty::Time(Time { unit, precision })));
        }
        for (number, name) in layout.tags.iter().enumerate() {
            let place = find(name).ok_or_else(|| missing("tag", name, names))?;
            let is_repeated = layout.tags.iter().take(number).any(|earlier| earlier == name);
            if take(place) && !is_repeated {
                return Err(Error::invalid_record(format!(
                    "the column {} cannot be a tag: it is the measurement or the timestamp",
                    escape::quoted(name)
                )));
            }
        }
        plan.add_tags(&layout.tags, names, rules)?;
        for (place, name) in names.iter().enumerate() {
            if take(place) || Layout::MEASUREMENTS.contains(name) {
                continue;
            }
            if rules.defaults().iter().any(|tag| tag.key() == *name) {
                return Err(encoder::tag_and_field(name));
            }
            let mut prefix = Vec::new();
            encoder::field_key(&mut prefix, name)?;
            let column = plan.add(place, names, Duty::Field(Field { prefix: prefix.into() }));
            plan.fields.push(column);
        }
        if plan.fields.is_empty() {
            return Err(Error::invalid_record(format!(
                "no column is left for the fields, and a line has at least one; the columns are {}",
                list(names)
            )));
        }
        Ok(plan)
    }

    /// The columns that are written.
    pub(crate) fn columns(&self) -> &[Planned] {
        &self.columns
    }

    /// Whether every row has a timestamp.
    pub(crate) fn has_time(&self) -> bool {
        self.time.is_some()
    }

    /// Appends the line of a row, `pieces` being in the order of [`columns`](Self::columns). A row that has no field
    /// appends nothing and is `false`.
    #[inline]
    pub(crate) fn line(&self, pieces: &[Pieces], row: usize, out: &mut Vec<u8>) -> bool {
        let start = out.len();
        for head in &self.head {
            match head {
                Head::Constant(bytes) => words::append(out, bytes),
                Head::Column(place) => append(pieces, *place, row, out),
            }
        }
        let fields = out.len();
        for place in &self.fields {
            append(pieces, *place, row, out);
        }
        match out.get_mut(fields) {
            // The comma before the first field.
            Some(comma) => *comma = b' ',
            None => {
                out.truncate(start);
                return false;
            }
        }
        match self.time {
            Some(place) => append(pieces, place, row, out),
            None => out.push(b'\n'),
        }
        true
    }

    fn add(&mut self, index: usize, names: &[&str], duty: Duty) -> usize {
        let name = names.get(index).copied().unwrap_or_default().to_owned();
        self.columns.push(Planned { index, name, duty });
        self.columns.len() - 1
    }

    /// Adds tags and default tags in the order that the client wants.
    fn add_tags(&mut self, keys: &[String], names: &[&str], rules: &TagRules) -> Result<()> {
        for tag in tags::in_order(keys, rules)? {
            match tag {
                LineTag::Default(piece) => self.head.push(Head::Constant(piece)),
                LineTag::Own(tag) => {
                    let index = names.iter().position(|name| *name == tag.key).unwrap_or_default();
                    let column = self.add(index, names, Duty::Tag(tag));
                    self.head.push(Head::Column(column));
                }
            }
        }
        Ok(())
    }
}

enum Measurement<'a> {
    Fixed(&'a str),
    Column(usize),
}

impl<'a> Measurement<'a> {
    fn find(layout: &'a Layout, names: &[&str]) -> Result<Self> {
        let find = |name: &str| names.iter().position(|other| *other == name);
        if let Some(name) = &layout.measurement {
            return Ok(Self::Fixed(name));
        }
        if let Some(name) = &layout.measurement_column {
            return match find(name) {
                Some(place) => Ok(Self::Column(place)),
                None => Err(missing("measurement", name, names)),
            };
        }
        match Layout::MEASUREMENTS.into_iter().find_map(find) {
            Some(place) => Ok(Self::Column(place)),
            None => Err(Error::invalid_record(format!(
                "no measurement: name one with .measurement(…), or have a column `measurement` or \
                 `iox::measurement`; the columns are {}",
                list(names)
            ))),
        }
    }
}

#[inline(always)]
fn append(pieces: &[Pieces], place: usize, row: usize, out: &mut Vec<u8>) {
    if let Some(pieces) = pieces.get(place) {
        pieces.append(row, out);
    }
}

fn refuse_equal_names(names: &[&str]) -> Result<()> {
    let mut sorted = names.to_vec();
    sorted.sort_unstable();
    match sorted.windows(2).find(|pair| pair.first() == pair.last()) {
        None => Ok(()),
        Some(pair) => Err(Error::invalid_record(format!(
            "two columns have the name {}: rename one",
            escape::quoted(pair.first().copied().unwrap_or_default())
        ))),
    }
}

fn missing(what: &str, name: &str, names: &[&str]) -> Error {
    Error::invalid_record(format!(
        "the {what} column {} is not there; the columns are {}",
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

const SHOWN: usize = 30;
