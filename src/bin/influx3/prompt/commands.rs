//! What begins with a backslash.

use clap::ValueEnum as _;

use crate::failure::Failure;
use crate::query::{Format, Language};

/// A command of the prompt.
#[derive(Debug, PartialEq)]
pub(super) enum PromptCommand {
    Tables,
    Columns(String),
    Timing(Option<bool>),
    Format(Option<Format>),
    Out(Option<String>),
    Language(Option<Language>),
    Help,
    Quit,
}

/// All of them.
pub(super) const NAMES: [&str; 8] =
    ["\\?", "\\d", "\\format", "\\language", "\\o", "\\q", "\\timing", "\\help"];

pub(super) const HELP: &str = "\
SELECT …;             a statement, on as many lines as it takes, ended by a semicolon
\\d                    the tables
\\d TABLE              the columns of a table
\\format [FORMAT]      how answers are shown: pretty, vertical, markdown, json, jsonl, csv, parquet, feather, lp
\\o [FILE]             each answer replaces this file, in the format that its name says; without one, back to the screen
\\timing [on|off]      tell how long each statement took
\\language [LANGUAGE]  sql or influxql
\\q                    the end, as Ctrl-D
Ctrl-C cancels a statement, while it is typed and while it runs; Tab completes tables and columns.
";

impl PromptCommand {
    pub(super) fn parse(text: &str) -> Result<Self, Failure> {
        let text = text.trim().trim_end_matches(';').trim_end();
        let (name, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let rest = Some(rest.trim()).filter(|rest| !rest.is_empty());
        let wrong = |what: String| Failure::usage(what);
        Ok(match (name, rest) {
            ("\\d", None) => Self::Tables,
            ("\\d", Some(table)) => Self::Columns(unquoted(table)),
            ("\\timing", None) => Self::Timing(None),
            ("\\timing", Some("on")) => Self::Timing(Some(true)),
            ("\\timing", Some("off")) => Self::Timing(Some(false)),
            ("\\timing", Some(other)) => {
                return Err(wrong(format!("\\timing is on or off, not {other:?}")));
            }
            ("\\format", None) => Self::Format(None),
            ("\\format", Some(name)) => {
                let format = Format::from_str(name, true);
                Self::Format(Some(format.map_err(|_| {
                    wrong(format!("{name:?} is no format: there are {}", formats()))
                })?))
            }
            ("\\language", None) => Self::Language(None),
            ("\\language", Some(name)) => {
                let language = Language::from_str(name, true);
                Self::Language(Some(language.map_err(|_| {
                    wrong(format!("the language is sql or influxql, not {name:?}"))
                })?))
            }
            ("\\o", rest) => Self::Out(rest.map(str::to_owned)),
            ("\\q" | "\\quit", None) => Self::Quit,
            ("\\?" | "\\h" | "\\help", _) => Self::Help,
            _ => return Err(wrong(format!("there is no command {text:?}: \\? shows all"))),
        })
    }
}

/// The formats that this binary has.
fn formats() -> String {
    let formats = Format::value_variants().iter().filter(|format| format.check().is_ok());
    formats.map(Format::to_string).collect::<Vec<_>>().join(", ")
}

/// The name itself, where it is in quotes as SQL has them.
fn unquoted(name: &str) -> String {
    match name.strip_prefix('"').and_then(|name| name.strip_suffix('"')) {
        Some(name) => name.replace("\"\"", "\""),
        None => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_read_with_and_without_what_they_are_about() {
        let parse = |text: &str| PromptCommand::parse(text).unwrap();
        assert_eq!(parse("\\d"), PromptCommand::Tables);
        assert_eq!(parse(" \\d home; "), PromptCommand::Columns("home".into()));
        assert_eq!(parse("\\d \"a \"\"b\"\"\""), PromptCommand::Columns("a \"b\"".into()));
        assert_eq!(parse("\\timing on"), PromptCommand::Timing(Some(true)));
        assert_eq!(parse("\\format CSV"), PromptCommand::Format(Some(Format::Csv)));
        assert_eq!(parse("\\o my file.csv"), PromptCommand::Out(Some("my file.csv".into())));
        for text in ["\\", "\\x", "\\timing maybe", "\\format x", "\\q now"] {
            assert!(PromptCommand::parse(text).is_err(), "{text}");
        }
    }
}
