//! The body of an answer that is no success, from the server, a gateway or a proxy.

use serde_json::{Map, Value};

use super::server_state::ServerState;
use crate::LineError;

/// What the body of an error says.
#[derive(Debug, Default)]
pub(super) struct ErrorBody {
    /// The message, with the code of the error before it if there is one.
    pub(super) text: String,
    pub(super) line_errors: Vec<LineError>,
    pub(super) line_data: LineData,
    pub(super) state: Option<ServerState>,
    names_missing_database: bool,
}

/// What the member `data` of a body says about lines.
#[derive(Debug, Default, Eq, PartialEq)]
pub(super) enum LineData {
    #[default]
    None,
    /// `data` is one object: nothing is stored.
    One,
    /// `data` is a list: the other lines are stored.
    List,
}

impl ErrorBody {
    pub(super) fn read(body: &[u8]) -> Self {
        // Core sends no Content-Type with its errors, so try.
        let Ok(Value::Object(mut json)) = serde_json::from_slice::<Value>(body) else {
            let text = String::from_utf8_lossy(body);
            return Self::of_message(text.trim());
        };
        let message = message_of(&json);
        let (line_errors, line_data) = match json.remove("data") {
            Some(Value::Array(items)) => {
                let errors: Vec<_> = items.iter().filter_map(line_error).collect();
                let line_data = if errors.is_empty() { LineData::None } else { LineData::List };
                (errors, line_data)
            }
            Some(item @ Value::Object(_)) => {
                (line_error(&item).into_iter().collect(), LineData::One)
            }
            // Serverless and Dedicated name the first bad line this way.
            _ => match (line_number(json.get("line")), &message) {
                (Some(line), Some(message)) => {
                    (vec![LineError::new(Some(line), shortened(message))], LineData::One)
                }
                _ => (Vec::new(), LineData::None),
            },
        };
        let Some(message) = message else {
            let text = shortened(String::from_utf8_lossy(body).trim());
            return Self { text, line_errors, line_data, ..Self::default() };
        };
        let body = Self { line_errors, line_data, ..Self::of_message(&message) };
        match code_of(&json) {
            Some(code) => Self { text: shortened(&format!("{code}: {message}")), ..body },
            None => body,
        }
    }

    fn of_message(message: &str) -> Self {
        // By its beginning and its end, which no line of the request can forge.
        let names_bucket = message.starts_with("bucket \"") && message.ends_with("\" not found");
        let names_database = ["", "query error: ", "write buffer error: "].iter().any(|context| {
            let rest = message.strip_prefix(context);
            rest.is_some_and(|rest| rest.starts_with("database not found"))
        });
        Self {
            text: shortened(message),
            state: ServerState::of(message),
            names_missing_database: names_bucket || names_database,
            ..Self::default()
        }
    }

    /// Whether there is no such database.
    pub(super) fn names_missing_database(&self) -> bool {
        self.names_missing_database
    }

    /// Release 3.6 answers 500 to requests that no repetition can mend.
    pub(super) fn is_final(&self) -> bool {
        self.text.contains("error decoding gzip") || self.text.contains("not valid utf8")
    }

    /// Whether lines are at fault and the answer does not say which.
    pub(super) fn hides_lines(&self) -> bool {
        self.line_errors.is_empty() && self.text.contains("line protocol")
    }

    /// Whether lines are at fault, be one named or none.
    pub(super) fn is_about_lines(&self) -> bool {
        !self.line_errors.is_empty() || self.hides_lines()
    }
}

/// The first `most` characters.
pub(super) fn shorten(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

/// `message` with `code` or `error_code`, or `error`, which is a text or has them in turn.
fn message_of(json: &Map<String, Value>) -> Option<String> {
    let nested = || json.get("error")?.as_object().and_then(message_of);
    text_of(json.get("message")).or_else(|| text_of(json.get("error"))).or_else(nested)
}

fn code_of(json: &Map<String, Value>) -> Option<String> {
    let nested = || json.get("error")?.as_object().and_then(code_of);
    text_of(json.get("code")).or_else(|| text_of(json.get("error_code"))).or_else(nested)
}

fn line_error(item: &Value) -> Option<LineError> {
    let message = text_of(item.get("error_message"))?;
    // `original_line` is cut to 20 bytes and may be another line's; the number is right.
    Some(LineError::new(line_number(item.get("line_number")), shortened(&message)))
}

fn line_number(value: Option<&Value>) -> Option<usize> {
    let number = match value? {
        Value::Number(number) => number.as_u64()?,
        Value::String(text) => text.parse().ok()?,
        _ => return None,
    };
    usize::try_from(number).ok().filter(|&number| number > 0)
}

fn text_of(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn shortened(text: &str) -> String {
    shorten(text, SHOWN_CHARACTERS)
}

const SHOWN_CHARACTERS: usize = 2000;
