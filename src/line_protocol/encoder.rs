//! The steps of which every line is made: measurement, tags, fields, time, end.
//!
//! A step that fails may leave a part of itself behind, which [`LineInProgress`] takes back.

use crate::line_protocol::{FieldValue, escape, number};
use crate::{Error, Precision, Result, Timestamp};

/// The outcome of a row.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Encoded {
    /// One line was appended.
    Line,
    /// No field was left, so that there is no line; the buffer is as it was.
    NoFields,
}

/// A line in progress at the end of a buffer. Dropped before it is finished, it takes back what it has appended.
///
/// First the measurement, then each tag with a comma before it, then each field with a comma before it; the comma
/// before the first field becomes the space that a line has there.
pub(crate) struct LineInProgress<'a> {
    out: &'a mut Vec<u8>,
    start: usize,
    /// Where the fields begin.
    fields: Option<usize>,
    is_finished: bool,
}

impl<'a> LineInProgress<'a> {
    #[inline]
    pub(crate) fn begin(out: &'a mut Vec<u8>) -> Self {
        let start = out.len();
        Self { out, start, fields: None, is_finished: false }
    }

    /// Where its parts are appended.
    #[inline]
    pub(crate) fn out(&mut self) -> &mut Vec<u8> {
        self.out
    }

    /// The length of the buffer so far.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.out.len()
    }

    /// What stands in the buffer from there on is fields, if there are any.
    #[inline]
    pub(crate) fn fields_begin_at(&mut self, place: Option<usize>) {
        self.fields = place;
    }

    /// Ends the line, if it has a field.
    ///
    /// # Errors
    ///
    /// If InfluxDB cannot hold the time.
    #[inline]
    pub(crate) fn finish(
        mut self,
        time: Option<Timestamp>,
        precision: Precision,
    ) -> Result<Encoded> {
        if !self.begin_end() {
            return Ok(Encoded::NoFields);
        }
        end(self.out, time, precision)?;
        self.is_finished = true;
        Ok(Encoded::Line)
    }

    /// Ends the line, if it has a field, with what `end` appends for the time and the newline. Returns whether it has
    /// one.
    #[cfg(feature = "_columns")]
    #[inline]
    pub(crate) fn finish_with(mut self, end: impl FnOnce(&mut Vec<u8>)) -> bool {
        self.is_finished = self.begin_end();
        if self.is_finished {
            end(self.out);
        }
        self.is_finished
    }

    /// Makes the comma before the first field a space. Returns whether there is a field.
    #[inline]
    fn begin_end(&mut self) -> bool {
        match self.fields.and_then(|fields| self.out.get_mut(fields)) {
            Some(comma) => {
                *comma = b' ';
                true
            }
            None => false,
        }
    }
}

impl Drop for LineInProgress<'_> {
    #[inline]
    fn drop(&mut self) {
        if !self.is_finished {
            self.out.truncate(self.start);
        }
    }
}

/// Appends `,key=value`.
#[inline]
pub(crate) fn tag(out: &mut Vec<u8>, key: &str, value: &str) -> Result<()> {
    tag_key(out, key)?;
    escape::tag_value(out, value, key)
}

/// Appends `,key=`, and gives a number that equal keys share.
#[inline]
pub(crate) fn tag_key(out: &mut Vec<u8>, key: &str) -> Result<u64> {
    escape::tag_key(out, key)
}

/// Appends `,key=`, and gives a number that equal keys share.
#[inline]
pub(crate) fn field_key(out: &mut Vec<u8>, key: &str) -> Result<u64> {
    escape::field_key(out, b',', key)
}

/// Appends a value for which [`FieldValue::is_written`] holds.
#[inline(always)]
pub(crate) fn field_value(out: &mut Vec<u8>, value: &FieldValue<'_>) {
    match value {
        FieldValue::Float(value) => number::float(out, *value),
        FieldValue::Float32(value) => number::float32(out, *value),
        FieldValue::Integer(value) => number::integer(out, *value),
        FieldValue::Unsigned(value) => number::unsigned(out, *value),
        FieldValue::Boolean(value) => number::boolean(out, *value),
        FieldValue::Text(text) => escape::text(out, text),
        FieldValue::Null => debug_assert!(false, "a null is left out"),
    }
}

/// Appends a space and the time, and the newline.
#[inline]
pub(crate) fn end(out: &mut Vec<u8>, time: Option<Timestamp>, precision: Precision) -> Result<()> {
    match time {
        Some(time) => number::time(out, time.scaled(precision)?),
        None => out.push(b'\n'),
    }
    Ok(())
}

/// The error of a row that has no field left where one is needed.
#[cold]
pub(crate) fn no_fields() -> Error {
    Error::invalid_record(
        "no field is left to write (nulls, NaN and infinities are left out): give it at least one field",
    )
}

/// The error of a key that stands for two columns.
#[cold]
pub(crate) fn tag_and_field(key: &str) -> Error {
    Error::invalid_record(format!(
        "{} is both a tag and a field, but a column is only one of them: rename one",
        escape::quoted(key)
    ))
}

/// Says which measurement an error is about.
#[cold]
pub(crate) fn of_measurement(error: Error, measurement: &str) -> Error {
    error.in_context(&format!("measurement {}", escape::quoted(measurement)))
}
