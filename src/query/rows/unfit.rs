use std::fmt;

use serde_core::de;

/// Why a row, or a value of it, does not fit the type that is deserialized.
#[derive(Debug)]
pub(super) enum Unfit {
    /// What the type says: the text of [`de::Error::custom`].
    Refused(String),
    /// What is wrong with the value, as the end of a sentence about it.
    Mismatch(String),
    /// A sentence that names the column.
    Inside(String),
}

impl Unfit {
    /// The same, of the value at this place of the row.
    pub(super) fn at(self, place: impl fmt::Display) -> Self {
        Self::Inside(match self {
            Self::Refused(why) => format!("{place} does not fit: {why}"),
            Self::Mismatch(what) => format!("{place} {what}"),
            Self::Inside(text) => format!("{place}: {text}"),
        })
    }
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(text) | Self::Mismatch(text) | Self::Inside(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for Unfit {}

impl de::Error for Unfit {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Refused(message.to_string())
    }
}
