//! JSON values as cells.

use std::borrow::Cow;

use super::text;
use crate::columns::{ColumnRole, ColumnValue, RenderedColumn};
use crate::file::null_texts::NullTexts;
use crate::file::seen_kinds::SeenKinds;
use crate::file::text_values;
use crate::file::time_format::TimeFormat;
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

/// What the caller says about values.
#[derive(Clone, Debug)]
pub(super) struct ScalarRules {
    pub(super) nulls: NullTexts,
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

    /// Adds the kind of the value.
    pub(super) fn see(&self, seen: &mut SeenKinds, nulls: &NullTexts) {
        match self {
            // Nested values are refused when the rows are read to be written.
            Self::Null | Self::BadText | Self::Array | Self::Object => {}
            Self::Boolean(_) => seen.add(SeenKinds::BOOLEAN),
            Self::Number(digits) => text_values::see(seen, digits, false, nulls),
            Self::Text(text) => text_values::see_text(seen, text, nulls),
        }
    }

    /// Adds the value to a column.
    pub(super) fn push(
        &self,
        role: &ColumnRole,
        column_type: ColumnType,
        scalar_rules: &ScalarRules,
        rendered: &mut RenderedColumn,
    ) -> Result<()> {
        let nulls = &scalar_rules.nulls;
        match role {
            ColumnRole::Measurement(role) => rendered.push(role, self.cell(nulls)?),
            ColumnRole::Tag(role) => rendered.push(role, self.cell(nulls)?),
            ColumnRole::Time(role) => match (self.cell(nulls)?, &scalar_rules.time_format) {
                (ColumnValue::Text(text) | ColumnValue::Number(text), Some(format)) => {
                    rendered.push(role, ColumnValue::Instant(format.read(text)?))
                }
                (ColumnValue::Number(digits), None) => {
                    rendered.push(role, ColumnValue::Text(digits))
                }
                (cell, _) => rendered.push(role, cell),
            },
            ColumnRole::Field(role) => rendered.push(role, self.field(column_type, nulls)?),
        }
    }

    /// The value in a column of this type.
    fn field(&self, column_type: ColumnType, nulls: &NullTexts) -> Result<ColumnValue<'_>> {
        match (self, column_type) {
            (Self::Boolean(value), ColumnType::Boolean) => Ok(ColumnValue::Boolean(*value)),
            (Self::Boolean(value), ColumnType::Text) => {
                Ok(ColumnValue::Text(if *value { "true" } else { "false" }))
            }
            (Self::Boolean(value), _) => {
                Err(text_values::no_value(if *value { "true" } else { "false" }, column_type))
            }
            (Self::Number(digits), _) => text_values::value(digits, false, column_type, nulls),
            (Self::Text(text), _) => text_values::value(text, true, column_type, nulls),
            (Self::Null | Self::BadText | Self::Array | Self::Object, _) => self.cell(nulls),
        }
    }

    fn cell(&self, nulls: &NullTexts) -> Result<ColumnValue<'_>> {
        Ok(match self {
            Self::Null => ColumnValue::Null,
            Self::Boolean(value) => ColumnValue::Boolean(*value),
            Self::Number(digits) if nulls.has_text(digits, false) => ColumnValue::Null,
            Self::Number(digits) => ColumnValue::Number(digits),
            Self::Text(text) if nulls.has_text(text, true) => ColumnValue::Null,
            Self::Text(text) => ColumnValue::Text(text),
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
