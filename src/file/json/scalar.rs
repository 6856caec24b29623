//! JSON values as cells.

use std::borrow::Cow;

use super::text;
use crate::columns::{Cell, ColumnRole, RenderedColumn};
use crate::file::cells::{self, Nulls};
use crate::file::time_format::TimeFormat;
use crate::file::types::Seen;
use crate::file::unreadable;
use crate::{ColumnType, Error, Result};

/// A value as it stands in the file. Numbers keep their text, so that no digit of them is changed.
#[derive(Clone, Debug)]
pub(super) enum Scalar<'a> {
    Null,
    Boolean(bool),
    Number(&'a str),
    Text(Cow<'a, str>),
    /// A text with an escape that means nothing.
    BadText,
    Array,
    Object,
}

/// How values are judged.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) nulls: Nulls,
    pub(super) time_format: Option<TimeFormat>,
}

impl<'a> Scalar<'a> {
    /// Reads the text of a value that is known to be JSON.
    #[inline]
    pub(super) fn read(text: &'a str) -> Self {
        match text.as_bytes() {
            [b'"', ..] => text::unescape(text).map_or(Self::BadText, Self::Text),
            [b'n', ..] => Self::Null,
            [b't', ..] => Self::Boolean(true),
            [b'f', ..] => Self::Boolean(false),
            [b'[', ..] => Self::Array,
            [b'{', ..] => Self::Object,
            _ => Self::Number(text),
        }
    }

    /// Takes note of what the value is.
    pub(super) fn see(&self, seen: &mut Seen, nulls: &Nulls) {
        match self {
            // What is nested is an error when it is met again.
            Self::Null | Self::BadText | Self::Array | Self::Object => {}
            Self::Boolean(_) => seen.add(Seen::BOOLEAN),
            Self::Number(digits) => cells::see(seen, digits, false, nulls),
            Self::Text(text) => cells::see_text(seen, text, nulls),
        }
    }

    /// Adds the value to a column.
    pub(super) fn push(
        &self,
        role: &ColumnRole,
        column_type: ColumnType,
        settings: &Settings,
        pieces: &mut RenderedColumn,
    ) -> Result<()> {
        let nulls = &settings.nulls;
        match role {
            ColumnRole::Measurement(role) => pieces.push(role, self.cell(nulls)?),
            ColumnRole::Tag(role) => pieces.push(role, self.cell(nulls)?),
            ColumnRole::Time(role) => match (self.cell(nulls)?, &settings.time_format) {
                (Cell::Text(text) | Cell::Number(text), Some(format)) => {
                    pieces.push(role, Cell::Instant(format.read(text)?))
                }
                (Cell::Number(digits), None) => pieces.push(role, Cell::Text(digits)),
                (cell, _) => pieces.push(role, cell),
            },
            ColumnRole::Field(role) => pieces.push(role, self.field(column_type, nulls)?),
        }
    }

    /// The value in a column of this type.
    fn field(&self, column_type: ColumnType, nulls: &Nulls) -> Result<Cell<'_>> {
        match (self, column_type) {
            (Self::Boolean(value), ColumnType::Boolean) => Ok(Cell::Boolean(*value)),
            (Self::Boolean(value), ColumnType::Text) => {
                Ok(Cell::Text(if *value { "true" } else { "false" }))
            }
            (Self::Boolean(value), _) => {
                Err(cells::no_value(if *value { "true" } else { "false" }, column_type))
            }
            (Self::Number(digits), _) => cells::value(digits, false, column_type, nulls),
            (Self::Text(text), _) => cells::value(text, true, column_type, nulls),
            (Self::Null | Self::BadText | Self::Array | Self::Object, _) => self.cell(nulls),
        }
    }

    fn cell(&self, nulls: &Nulls) -> Result<Cell<'_>> {
        Ok(match self {
            Self::Null => Cell::Null,
            Self::Boolean(value) => Cell::Boolean(*value),
            Self::Number(digits) if nulls.has_text(digits, false) => Cell::Null,
            Self::Number(digits) => Cell::Number(digits),
            Self::Text(text) if nulls.has_text(text, true) => Cell::Null,
            Self::Text(text) => Cell::Text(text),
            Self::BadText => {
                return Err(unreadable(
                    "it is no JSON: the text has an escape that means nothing, such as half of a surrogate pair",
                ));
            }
            Self::Array => {
                return Err(Error::invalid_record(
                    "the value is nested (an array), and a line is flat: make a key of each of its parts",
                ));
            }
            Self::Object => {
                return Err(Error::invalid_record(
                    "the value is nested (an object), and a line is flat: flatten(\".\") makes keys of its parts",
                ));
            }
        })
    }

    /// The value for errors.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Null => "null".to_owned(),
            Self::Boolean(value) => value.to_string(),
            Self::Number(digits) => (*digits).to_owned(),
            Self::Text(text) => text.clone().into_owned(),
            Self::BadText => "a text".to_owned(),
            Self::Array => "an array".to_owned(),
            Self::Object => "an object".to_owned(),
        }
    }
}
