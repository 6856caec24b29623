//! What the prompt completes: words of SQL, tables, and columns of the tables that a statement names.

use std::cell::RefCell;
use std::collections::BTreeMap;

use influxdb3_blocking::Client;
use rustyline::completion::Completer;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Context, Helper};

use super::{commands, statements};

/// Knows what a database has, once it was asked.
pub(super) struct Completion {
    client: Client,
    known: RefCell<Known>,
}

#[derive(Default)]
struct Known {
    /// None before the server was asked.
    tables: Option<Vec<String>>,
    columns: BTreeMap<String, Vec<String>>,
}

impl Completion {
    pub(super) fn new(client: Client) -> Self {
        Self { client, known: RefCell::default() }
    }

    /// Forgets what there is, as it may have changed.
    pub(super) fn forget(&self) {
        self.known.take();
    }

    /// What can stand in a statement, the nearest first.
    fn words(&self, statement: &str) -> Vec<String> {
        let mut known = self.known.borrow_mut();
        let Known { tables, columns } = &mut *known;
        // What cannot be asked is not completed.
        let tables = tables.get_or_insert_with(|| self.client.tables().unwrap_or_default());
        let mut words = Vec::new();
        for table in tables.iter().filter(|table| statement.contains(table.as_str())) {
            let columns = columns.entry(table.clone()).or_insert_with(|| {
                let columns = self.client.columns(table).unwrap_or_default();
                columns.into_iter().map(|column| column.name).collect()
            });
            words.extend(columns.iter().map(|column| quoted(column)));
        }
        words.extend(tables.iter().map(|table| quoted(table)));
        words.extend(KEYWORDS.iter().map(|word| (*word).to_owned()));
        words
    }
}

impl Completer for Completion {
    type Candidate = String;

    fn complete(
        &self,
        line: &str,
        position: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<String>)> {
        let before = line.get(..position).unwrap_or(line);
        let is_command = before.trim_start().starts_with('\\');
        let is_part = |char: char| char.is_alphanumeric() || matches!(char, '_' | '"' | '\\' | ':');
        let start = before.char_indices().rev().take_while(|(_, char)| is_part(*char)).last();
        let start = start.map_or(before.len(), |(place, _)| place);
        let begun = before.get(start..).unwrap_or_default();
        if begun.is_empty() && !is_command {
            return Ok((start, Vec::new()));
        }
        let words = match is_command && begun.starts_with('\\') {
            true => commands::NAMES.iter().map(|name| (*name).to_owned()).collect(),
            false if is_command => {
                let mut words = self.words("");
                words.retain(|word| !KEYWORDS.contains(&word.as_str()));
                words
            }
            false => self.words(line),
        };
        let begun = begun.to_lowercase();
        let is_begun = |word: &String| {
            let word = word.to_lowercase();
            word.starts_with(&begun) || word.trim_start_matches('"').starts_with(&begun)
        };
        let mut found: Vec<String> = words.into_iter().filter(is_begun).collect();
        found.dedup();
        Ok((start, found))
    }
}

/// A statement goes on until its semicolon; a command is one line.
impl Validator for Completion {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        let text = context.input();
        let is_whole = statements::behind_comments(text).starts_with('\\')
            || statements::is_blank(text)
            || statements::end_of(text).is_some();
        Ok(if is_whole { ValidationResult::Valid(None) } else { ValidationResult::Incomplete })
    }
}

impl Hinter for Completion {
    type Hint = String;
}

impl Highlighter for Completion {}
impl Helper for Completion {}

/// As SQL writes a name: without quotes if it is in lower case.
fn quoted(name: &str) -> String {
    let is_plain = |char: char| char.is_ascii_lowercase() || char.is_ascii_digit() || char == '_';
    match name.chars().all(is_plain) && !name.starts_with(|first: char| first.is_ascii_digit()) {
        true => name.to_owned(),
        false => format!("\"{}\"", name.replace('"', "\"\"")),
    }
}

const KEYWORDS: [&str; 46] = [
    "SELECT",
    "FROM",
    "WHERE",
    "GROUP BY",
    "ORDER BY",
    "LIMIT",
    "OFFSET",
    "HAVING",
    "DISTINCT",
    "AS",
    "AND",
    "OR",
    "NOT",
    "IN",
    "IS NULL",
    "IS NOT NULL",
    "BETWEEN",
    "LIKE",
    "ILIKE",
    "CASE",
    "WHEN",
    "THEN",
    "ELSE",
    "END",
    "JOIN",
    "LEFT JOIN",
    "INNER JOIN",
    "ON",
    "UNION ALL",
    "WITH",
    "ASC",
    "DESC",
    "INTERVAL",
    "CAST",
    "COUNT",
    "SUM",
    "AVG",
    "MIN",
    "MAX",
    "DATE_BIN",
    "NOW",
    "EXPLAIN",
    "SHOW TABLES",
    "SHOW COLUMNS",
    "DESCRIBE",
    "TIME",
];
