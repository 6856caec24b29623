//! The text of a query: given, in a file, or on standard input.

use std::io::{IsTerminal as _, Read as _};

use super::arguments::Arguments;
use crate::failure::Failure;

pub(super) fn text(arguments: &Arguments, stdin_is_taken: bool) -> Result<String, Failure> {
    let text = match (&arguments.query, &arguments.file) {
        (Some(query), _) if query != "-" => query.clone(),
        (None, Some(file)) if file.as_os_str() != "-" => {
            std::fs::read_to_string(file).map_err(|error| Failure::io(file.display(), &error))?
        }
        _ => {
            if stdin_is_taken {
                return Err(Failure::usage(
                    "standard input cannot be both the token and the query",
                ));
            }
            if std::io::stdin().is_terminal() {
                return Err(Failure::usage("there is no query")
                    .with_advice("influx3 query -d sensors 'SELECT * FROM home'")
                    .with_advice("influx3 sql is a prompt for many"));
            }
            let mut text = String::new();
            let read = std::io::stdin().lock().read_to_string(&mut text);
            read.map_err(|error| Failure::io("standard input", &error))?;
            text
        }
    };
    match text.trim() {
        "" => Err(Failure::usage("the query is empty")),
        // Servers take one statement, without an end.
        trimmed => Ok(trimmed.trim_end_matches([';', ' ', '\n', '\t', '\r']).to_owned()),
    }
}
