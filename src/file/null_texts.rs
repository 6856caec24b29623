//! Which texts of CSV and JSON stand for no value.

use super::ReadOptions;

/// Which texts are no value.
#[derive(Clone, Debug)]
pub(super) struct NullTexts {
    /// Named by the caller: no value in a column of any type, in quotes or not.
    listed: Vec<String>,
    /// Whether the built-in words count as well.
    has_usual: bool,
}

impl NullTexts {
    pub(super) fn new(read_options: &ReadOptions) -> Self {
        Self {
            listed: read_options.null_values.clone(),
            has_usual: !read_options.has_only_listed_nulls,
        }
    }

    /// Whether a text is no value in a column of texts or tags, where one in quotes is a value, were it empty.
    #[inline(always)]
    pub(super) fn has_text(&self, text: &str, is_quoted: bool) -> bool {
        self.has_usual_text(text, is_quoted) || self.has_listed(text)
    }

    /// As [`has_text`](Self::has_text), of a text that is not listed.
    #[inline(always)]
    pub(super) fn has_usual_text(&self, text: &str, is_quoted: bool) -> bool {
        self.has_usual && !is_quoted && is_nothing(text)
    }

    /// Whether a text that is no number is no value in a column of numbers or booleans.
    #[cold]
    pub(super) fn has_other(&self, text: &str) -> bool {
        let text = text.trim_ascii();
        text.is_empty()
            || (self.has_usual && (is_nothing(text) || AMONG_NUMBERS.contains(&text)))
            || self.has_listed(text)
    }

    /// Whether the caller has named no text.
    #[inline(always)]
    pub(super) fn lists_none(&self) -> bool {
        self.listed.is_empty()
    }

    #[inline(always)]
    pub(super) fn has_listed(&self, text: &str) -> bool {
        !self.listed.is_empty() && self.listed.iter().any(|null| null == text)
    }
}

/// What every program that knows pandas writes for nothing, the empty text included.
#[inline(always)]
fn is_nothing(text: &str) -> bool {
    if text.len() > LONGEST_WORD {
        return false;
    }
    match text.as_bytes() {
        [] => true,
        [b'N' | b'n' | b'#' | b'<' | b'-', ..] | [b'1', b'.', b'#', ..] => {
            is_word_for_nothing(text)
        }
        _ => false,
    }
}

fn is_word_for_nothing(text: &str) -> bool {
    matches!(
        text,
        "NA" | "NaN"
            | "nan"
            | "-NaN"
            | "-nan"
            | "N/A"
            | "n/a"
            | "#NA"
            | "#N/A"
            | "#N/A N/A"
            | "<NA>"
            | "NULL"
            | "Null"
            | "null"
            | "None"
            | "NaT"
            | "1.#IND"
            | "1.#QNAN"
            | "-1.#IND"
            | "-1.#QNAN"
    )
}

/// The longest of those words.
const LONGEST_WORD: usize = 9;

/// Words that mean nothing where numbers or booleans stand around them, and are texts among texts: what spreadsheets,
/// databases and home automation write.
const AMONG_NUMBERS: [&str; 14] = [
    "-",
    "--",
    "?",
    "\\N",
    "#DIV/0!",
    "#NAME?",
    "#NULL!",
    "#NUM!",
    "#REF!",
    "#VALUE!",
    "none",
    "nil",
    "unavailable",
    "unknown",
];
