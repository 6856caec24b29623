//! What annotations say of a column.

use std::borrow::Cow;

use super::super::row_block::RowBlock;
use super::value::{BooleanFormat, Datatype, NumberFormat, TimeForm};
use crate::file::time_format::TimeFormat;
use crate::line_protocol::escape;
use crate::{Error, Result};

/// A line above the names.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Annotation {
    Datatype,
    Group,
    Default,
    Constant,
    Concat,
    Timezone,
}

/// A column, or what is the same in all rows.
#[derive(Clone, Debug, Default)]
pub(super) struct AnnotatedColumn {
    /// Its place in the rows; none if it is not in them.
    pub(super) place: Option<usize>,
    pub(super) label: String,
    pub(super) part: Option<LinePart>,
    pub(super) kind: Option<Datatype>,
    /// In place of an empty cell.
    pub(super) default: String,
    /// Whether `default` has the labels of other columns in it, as `${label}`.
    pub(super) is_template: bool,
}

/// What a column is in a line.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum LinePart {
    Ignored,
    Measurement,
    Tag,
    Field,
    Time,
}

impl Annotation {
    /// The annotation that the first cell of a row begins with; its first value may stand behind a blank.
    pub(super) fn of(cell: &str) -> Option<Self> {
        let word = cell.split(' ').next()?;
        Some(match word.to_ascii_lowercase().as_str() {
            "#datatype" => Self::Datatype,
            "#group" => Self::Group,
            "#default" => Self::Default,
            "#constant" => Self::Constant,
            "#concat" => Self::Concat,
            "#timezone" => Self::Timezone,
            _ => return None,
        })
    }

    /// The value that an annotation has for a column.
    pub(super) fn value<'a>(row: RowBlock<'a>, place: usize) -> Cow<'a, str> {
        let cell = row.cell(0, place).0;
        match (place, cell.split_once(' ')) {
            (0, Some((_, value))) => Cow::Owned(value.trim_start().to_owned()),
            (0, None) => Cow::Borrowed(""),
            _ => cell,
        }
    }
}

/// Whether a name says its type, as `name|type`.
pub(super) fn has_type(label: &str) -> bool {
    label.split_once('|').is_some_and(|(_, rest)| {
        let word = rest.split(['|', ':']).next().unwrap_or_default();
        TYPES.contains(&word)
    })
}

impl AnnotatedColumn {
    /// What is the same in all rows, of `#constant` or `#concat`: a type, a label and a value, of which a measurement
    /// and a time need no label.
    pub(super) fn constant(row: RowBlock<'_>, is_template: bool) -> Result<Self> {
        let mut column = Self { is_template, ..Self::default() };
        let first = Annotation::value(row, 0);
        let values: Vec<Cow<'_, str>> = (usize::from(first.is_empty())..row.columns())
            .map(|place| Annotation::value(row, place))
            .collect();
        let get =
            |place: usize| values.get(place).map(|value| value.to_string()).unwrap_or_default();
        column.set_type(&get(0))?;
        (column.label, column.default) = (get(1), get(2));
        if matches!(column.part, Some(LinePart::Measurement | LinePart::Time))
            && column.default.is_empty()
        {
            column.default = std::mem::take(&mut column.label);
        }
        Ok(column)
    }

    /// Takes a name, and the type that it may say.
    pub(super) fn set_label(&mut self, label: &str) -> Result<()> {
        match label.split_once('|') {
            Some((name, rest)) if self.kind.is_none() && self.part.is_none() && has_type(label) => {
                self.label = name.to_owned();
                self.set_type(rest)
            }
            _ => {
                self.label = label.to_owned();
                Ok(())
            }
        }
    }

    /// Takes `type`, `type:format`, `type|default` or `type:format|default`.
    pub(super) fn set_type(&mut self, text: &str) -> Result<()> {
        let (text, default) = text.split_once('|').unwrap_or((text, ""));
        if self.default.is_empty() {
            self.default = default.to_owned();
        }
        let (name, format) = text.split_once(':').unwrap_or((text, ""));
        let number = || NumberFormat::new(format);
        self.kind = Some(match name {
            "" => return Ok(()),
            "measurement" => return self.set_part(LinePart::Measurement),
            "tag" => return self.set_part(LinePart::Tag),
            "field" => return self.set_part(LinePart::Field),
            "ignored" | "ignore" => return self.set_part(LinePart::Ignored),
            "dateTime" | "time" => {
                self.part.get_or_insert(LinePart::Time);
                Datatype::Time(match format {
                    "" => TimeForm::Any,
                    "RFC3339" | "RFC3339Nano" => TimeForm::Rfc3339,
                    "number" => TimeForm::Number,
                    layout => TimeForm::GoLayout(TimeFormat::go(layout)?),
                })
            }
            "string" | "base64Binary" => Datatype::Text,
            "double" => Datatype::Float(number()),
            "long" => Datatype::Integer(number()),
            "unsignedLong" => Datatype::Unsigned(number()),
            "boolean" => Datatype::Boolean(BooleanFormat::new(format)?),
            "duration" => Datatype::Duration,
            other => {
                return Err(Error::invalid_record(format!(
                    "the datatype {} is not known: it must be one of {}",
                    escape::quoted(other),
                    TYPES.join(", ")
                )));
            }
        });
        Ok(())
    }

    /// Sets the offset of times without one: `seconds` ahead of UTC.
    pub(super) fn set_offset(&mut self, seconds: i64) {
        if let Some(Datatype::Time(TimeForm::GoLayout(format))) = &mut self.kind {
            format.set_offset(seconds);
        }
    }

    fn set_part(&mut self, part: LinePart) -> Result<()> {
        self.part = Some(part);
        Ok(())
    }
}

const TYPES: [&str; 14] = [
    "string",
    "double",
    "long",
    "unsignedLong",
    "boolean",
    "dateTime",
    "duration",
    "base64Binary",
    "measurement",
    "tag",
    "field",
    "time",
    "ignored",
    "ignore",
];
