//! The columns of a table while it is decided what each becomes.

use super::LayoutOptions;
use crate::line_protocol::escape;
use crate::{Error, Result};

/// The columns that the options leave to be written, by the names that the options give them.
pub(super) struct CandidateColumns<'a> {
    pub(super) columns: Vec<CandidateColumn<'a>>,
    /// The names of all columns of the table, for errors.
    names: Vec<&'a str>,
}

/// A column, and what it becomes.
pub(super) struct CandidateColumn<'a> {
    /// Its place in the table.
    pub(super) index: usize,
    /// The name that the options give it.
    pub(super) name: &'a str,
    /// What it becomes, in words for errors; none while it is free.
    pub(super) role: Option<&'static str>,
}

impl<'a> CandidateColumns<'a> {
    /// The columns of these names, renamed and left out as the options say.
    ///
    /// # Errors
    /// The options contradict themselves or name a column that is not there, or two columns have one name.
    pub(super) fn new(options: &'a LayoutOptions, names: &[&'a str]) -> Result<Self> {
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
        let columns: Vec<CandidateColumn<'_>> = columns
            .filter(|(_, name)| is_wanted(options, name))
            .map(|(index, &name)| CandidateColumn { index, name, role: None })
            .collect();
        refuse_equal_names(&columns)?;
        Ok(Self { columns, ..all })
    }

    /// The place in `columns` of the column of this name.
    pub(super) fn find(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }

    /// Refuses to make `what` of a column that is something already.
    pub(super) fn check_free(&self, place: usize, what: &str) -> Result<()> {
        match self.columns.get(place) {
            Some(CandidateColumn { name, role: Some(role), .. }) => Err(Error::invalid_record(
                format!("the column {} cannot be both {role} and {what}", escape::quoted(name)),
            )),
            _ => Ok(()),
        }
    }

    /// The error of a column that an option names and that is not there; `what` is what the option makes of it.
    pub(super) fn missing(&self, what: &str, name: &str, options: &LayoutOptions) -> Error {
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

    /// The names of all columns of the table, for errors.
    pub(super) fn list(&self) -> String {
        list(&self.names)
    }
}

/// Whether the column of this name is written as anything. One that is not may have the name of another.
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

fn refuse_equal_names(columns: &[CandidateColumn<'_>]) -> Result<()> {
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

/// The most names that an error lists.
const SHOWN: usize = 30;
