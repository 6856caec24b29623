use std::fmt;

use crate::line_protocol::keys::{self, Keys};
use crate::line_protocol::{FieldValue, encoder, escape};
use crate::{Error, Precision, Result, Timestamp};

/// Lines, written column by column into one buffer that grows once.
///
/// The fastest way to write many rows: there is no allocation for a row, and nothing is kept but the bytes to send.
///
/// ```
/// use influxdb3_blocking::{LineBuffer, Timestamp};
///
/// let mut lines = LineBuffer::new();
/// for (room, temp) in [("Kitchen", 21.5), ("Bath", 24.0)] {
///     lines.measurement("home")?.tag("room", room)?.field("temp", temp)?.at(Timestamp::seconds(1_641_024_000))?;
/// }
/// assert_eq!(
///     lines.as_bytes(),
///     b"home,room=Kitchen temp=21.5 1641024000000000000\nhome,room=Bath temp=24.0 1641024000000000000\n"
/// );
/// # Ok::<(), influxdb3_blocking::Error>(())
/// ```
///
/// The precision is set when the buffer is made, and the client writes the buffer in that precision. Its default tags
/// and tag order do not apply.
///
/// # Calls
///
/// First [`measurement`](Self::measurement), then [`tag`](Line::tag) for each tag, then [`field`](Line::field) for each
/// field, at last [`at`](Line::at) or [`end`](Line::end). Everything is checked at once, by the rules of
/// [`Point`](crate::Point), but that equal keys are an error here. The buffer always holds whole lines only: after an
/// error, and if a line is begun and not ended, it is as it was before that line.
#[derive(Clone, Default)]
pub struct LineBuffer {
    bytes: Vec<u8>,
    /// Bytes of whole lines; those behind them belong to a line in the making.
    whole: usize,
    lines: usize,
    /// Lines without a time of their own.
    untimed: usize,
    precision: Precision,
    columns: Columns,
}

/// The columns of the line in the making.
#[derive(Clone, Default)]
struct Columns {
    keys: Keys,
    /// Where in the buffer each key stands, escaped.
    places: Vec<(usize, usize)>,
    measurement_end: usize,
    tags: usize,
    has_fields: bool,
}

/// A line of a [`LineBuffer`] in the making; it counts when [`at`](Self::at) or [`end`](Self::end) has ended it.
#[must_use = "a line counts when `at` or `end` has ended it"]
pub struct Line<'a> {
    buffer: &'a mut LineBuffer,
}

impl LineBuffer {
    /// An empty buffer with timestamps in nanoseconds.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty buffer with timestamps in another precision.
    ///
    /// ```
    /// use influxdb3_blocking::{LineBuffer, Precision, Timestamp};
    ///
    /// let mut lines = LineBuffer::with_precision(Precision::Second);
    /// lines.measurement("home")?.field("temp", 21.5)?.at(Timestamp::millis(-1))?;
    /// assert_eq!(lines.as_bytes(), b"home temp=21.5 -1\n");
    /// # Ok::<(), influxdb3_blocking::Error>(())
    /// ```
    #[must_use]
    pub fn with_precision(precision: Precision) -> Self {
        Self { precision, ..Self::default() }
    }

    /// An empty buffer, in nanoseconds, with room for this many bytes.
    #[must_use]
    pub fn with_capacity(bytes: usize) -> Self {
        Self { bytes: Vec::with_capacity(bytes), ..Self::default() }
    }

    /// Begins a line.
    ///
    /// # Errors
    ///
    /// [`InvalidRecord`](crate::ErrorKind::InvalidRecord) if the name is empty, has a newline, a tab or a NUL in it,
    /// ends in a backslash or begins with `#`.
    #[inline]
    pub fn measurement(&mut self, name: impl AsRef<str>) -> Result<Line<'_>> {
        self.bytes.truncate(self.whole);
        self.columns.keys.clear();
        self.columns.places.clear();
        self.columns.has_fields = false;
        self.columns.tags = 0;
        escape::measurement(&mut self.bytes, name.as_ref())?;
        self.columns.measurement_end = self.bytes.len();
        Ok(Line { buffer: self })
    }

    /// The lines, each ended by a newline.
    #[inline]
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.whole).unwrap_or_default()
    }

    /// The length of the lines in bytes.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        self.whole
    }

    /// How many lines there are.
    #[inline]
    #[must_use]
    pub fn lines(&self) -> usize {
        self.lines
    }

    /// Whether there is no line.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lines == 0
    }

    /// The precision of the timestamps.
    #[must_use]
    pub fn precision(&self) -> Precision {
        self.precision
    }

    /// Removes all lines and keeps the memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.whole = 0;
        self.lines = 0;
        self.untimed = 0;
    }

    /// Whether every line has a time of its own.
    pub(crate) fn all_stamped(&self) -> bool {
        self.untimed == 0
    }
}

impl<'a> Line<'a> {
    /// Adds a tag. One with an empty value is left out.
    ///
    /// # Errors
    ///
    /// [`InvalidRecord`](crate::ErrorKind::InvalidRecord) if the line has a field already or another column of this key,
    /// if the key is empty or reserved or has a control character in it, if there is a newline or a tab in the
    /// value, or if either ends in a backslash.
    #[inline]
    pub fn tag(self, key: impl AsRef<str>, value: impl AsRef<str>) -> Result<Self> {
        match self.buffer.tag(key.as_ref(), value.as_ref()) {
            Ok(()) => Ok(self),
            Err(error) => Err(self.buffer.of_this_line(error)),
        }
    }

    /// Adds a field. `None`, NaN and infinities are left out.
    ///
    /// # Errors
    ///
    /// [`InvalidRecord`](crate::ErrorKind::InvalidRecord) if the line has another column of this key, or if the key is
    /// empty or reserved, has a control character in it or ends in a backslash.
    #[inline]
    pub fn field<'v>(self, key: impl AsRef<str>, value: impl Into<FieldValue<'v>>) -> Result<Self> {
        match self.buffer.field(key.as_ref(), &value.into()) {
            Ok(()) => Ok(self),
            Err(error) => Err(self.buffer.of_this_line(error)),
        }
    }

    /// Ends the line with its time.
    ///
    /// # Errors
    ///
    /// [`InvalidRecord`](crate::ErrorKind::InvalidRecord) if no field was written, or if the time is outside of the
    /// years 1677 to 2262.
    #[inline]
    pub fn at(self, time: impl Into<Timestamp>) -> Result<()> {
        self.buffer.end(Some(time.into())).map_err(|error| self.buffer.of_this_line(error))
    }

    /// Ends the line without a time: the server's clock, or that of a batching client, gives it one.
    ///
    /// # Errors
    ///
    /// [`InvalidRecord`](crate::ErrorKind::InvalidRecord) if no field was written.
    #[inline]
    pub fn end(self) -> Result<()> {
        self.buffer.end(None).map_err(|error| self.buffer.of_this_line(error))
    }
}

/// The steps of a line in the making. One that fails leaves the rest to the next [`measurement`](LineBuffer::measurement).
impl LineBuffer {
    #[inline]
    fn tag(&mut self, key: &str, value: &str) -> Result<()> {
        if self.columns.has_fields {
            return Err(tag_after_field(key));
        }
        if value.is_empty() {
            return Ok(());
        }
        let start = self.bytes.len() + 1;
        encoder::tag_key(&mut self.bytes, key)?;
        self.claim(start, key)?;
        self.columns.tags += 1;
        escape::tag_value(&mut self.bytes, value, key)
    }

    #[inline]
    fn field(&mut self, key: &str, value: &FieldValue<'_>) -> Result<()> {
        if !value.is_written() {
            return Ok(());
        }
        let start = self.bytes.len() + 1;
        encoder::field_key(&mut self.bytes, !self.columns.has_fields, key)?;
        self.columns.has_fields = true;
        self.claim(start, key)?;
        encoder::field_value(&mut self.bytes, value);
        Ok(())
    }

    #[inline]
    fn end(&mut self, time: Option<Timestamp>) -> Result<()> {
        if !self.columns.has_fields {
            return Err(encoder::no_fields());
        }
        encoder::end(&mut self.bytes, time, self.precision)?;
        self.whole = self.bytes.len();
        self.lines += 1;
        self.untimed += usize::from(time.is_none());
        Ok(())
    }

    /// Takes note of the key that was just written, from `start` to the equals sign behind it.
    #[inline]
    fn claim(&mut self, start: usize, key: &str) -> Result<()> {
        let end = self.bytes.len() - 1;
        let escaped = self.bytes.get(start..end).unwrap_or_default();
        let hash = keys::hash(escaped);
        for number in self.columns.keys.candidates(hash) {
            let place = self.columns.places.get(number);
            if place.and_then(|&(start, end)| self.bytes.get(start..end)) == Some(escaped) {
                return Err(self.taken(number, key));
            }
        }
        self.columns.keys.push(hash);
        self.columns.places.push((start, end));
        Ok(())
    }

    /// The error of a key that the column of this number has already.
    #[cold]
    fn taken(&self, number: usize, key: &str) -> Error {
        let was_tag = number < self.columns.tags;
        match (was_tag, self.columns.has_fields) {
            (true, true) => encoder::tag_and_field(key),
            (true, false) => twice("tag", key),
            (false, _) => twice("field", key),
        }
    }

    /// Says in which line an error is.
    #[cold]
    fn of_this_line(&self, error: Error) -> Error {
        let name = self.bytes.get(self.whole..self.columns.measurement_end).unwrap_or_default();
        encoder::of_measurement(error, &String::from_utf8_lossy(name))
    }
}

impl fmt::Debug for LineBuffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LineBuffer")
            .field("precision", &self.precision)
            .field("lines", &self.lines)
            .field("bytes", &self.whole)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = self.buffer.bytes.get(self.buffer.whole..).unwrap_or_default();
        f.debug_tuple("Line").field(&String::from_utf8_lossy(line)).finish()
    }
}

#[cold]
fn tag_after_field(key: &str) -> Error {
    Error::invalid_record(format!(
        "the tag {} comes after a field: in a line all tags come before the first field",
        escape::quoted(key)
    ))
}

#[cold]
fn twice(kind: &str, key: &str) -> Error {
    Error::invalid_record(format!(
        "the {kind} {} is there twice: give each column once",
        escape::quoted(key)
    ))
}
