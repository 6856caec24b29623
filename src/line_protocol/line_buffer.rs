use std::fmt;

use crate::line_protocol::duplicate_keys::DuplicateKeys;
use crate::line_protocol::escape::Place;
use crate::line_protocol::remembered_key::RememberedKey;
use crate::line_protocol::short_bytes;
use crate::line_protocol::{FieldValue, TagValue, encoder, escape};
use crate::{Error, Point, Precision, Result, Timestamp};

/// Lines, written column by column into one buffer that grows once.
///
/// The fastest way to write many rows: there is no allocation for a row, and nothing is kept but the bytes to send.
///
/// ```
/// use influxdb3_blocking::{LineBuffer, Timestamp};
///
/// let mut lines = LineBuffer::new();
/// for (room, temp) in [("Kitchen", 21.5), ("Bath", 24.0)] {
///     let line = lines.measurement("home")?.tag("room", room)?;
///     line.field("temp", temp)?.at(Timestamp::seconds(1_641_024_000))?;
/// }
/// assert_eq!(
///     lines.as_bytes(),
///     b"home,room=Kitchen temp=21.5 1641024000000000000\n\
///       home,room=Bath temp=24.0 1641024000000000000\n"
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
#[derive(Clone)]
pub struct LineBuffer {
    bytes: Vec<u8>,
    /// Bytes of whole lines; those behind them belong to a line in the making.
    whole: usize,
    lines: usize,
    /// Whether no line is without a time of its own.
    all_timed: bool,
    precision: Precision,
    columns: Columns,
}

/// The line in the making, and the one before it.
///
/// Most lines have the columns of the line before: as long as the keys come as they came there, each needs to be
/// compared only. It is known that it can be written, and that none is there twice.
#[derive(Clone, Default)]
struct Columns {
    measurement: RememberedKey,
    /// The keys so far; and behind them, as long as they are as before, the others of the line before.
    known: Vec<RememberedKey>,
    /// How many there are so far.
    count: usize,
    is_as_before: bool,
    /// Where the first field begins, with the space before it; until then, nowhere.
    fields: Option<usize>,
    /// The keys so far by their places, once they are not as before.
    keys: DuplicateKeys,
}

/// A line of a [`LineBuffer`] in the making; it counts when [`at`](Self::at) or [`end`](Self::end) has ended it.
///
/// ```
/// use influxdb3_blocking::LineBuffer;
///
/// let mut lines = LineBuffer::new();
/// let line = lines.measurement("home")?.tag("room", "Kitchen")?;
/// line.field("temp", 21.5)?.field("co", 4)?.end()?;
/// // A line that was not ended does not count.
/// let _ = lines.measurement("home")?.field("temp", 24.0)?;
/// assert_eq!(lines.as_bytes(), b"home,room=Kitchen temp=21.5,co=4i\n");
/// # Ok::<_, influxdb3_blocking::Error>(())
/// ```
#[must_use = "a line counts when `at` or `end` has ended it"]
pub struct Line<'a> {
    buffer: &'a mut LineBuffer,
}

impl LineBuffer {
    /// An empty buffer with timestamps in nanoseconds.
    #[must_use]
    pub fn new() -> Self {
        Self::with_precision(Precision::Nanosecond)
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
        Self::with_precision_and_capacity(precision, 0)
    }

    /// An empty buffer, in nanoseconds, with room for this many bytes.
    #[must_use]
    pub fn with_capacity(bytes: usize) -> Self {
        Self::with_precision_and_capacity(Precision::Nanosecond, bytes)
    }

    /// An empty buffer with timestamps in this precision and with room for this many bytes.
    #[must_use]
    pub fn with_precision_and_capacity(precision: Precision, bytes: usize) -> Self {
        Self {
            bytes: Vec::with_capacity(bytes),
            whole: 0,
            lines: 0,
            all_timed: true,
            precision,
            columns: Columns::default(),
        }
    }

    /// Begins a line.
    ///
    /// # Errors
    ///
    /// [`InvalidRecord`](crate::ErrorKind::InvalidRecord) if the name is empty, has a newline, a tab or a NUL in it,
    /// ends in a backslash or begins with `#`.
    #[inline]
    pub fn measurement(&mut self, name: impl AsRef<str>) -> Result<Line<'_>> {
        self.begin(name.as_ref())?;
        Ok(Line { buffer: self })
    }

    /// Adds the line of a point.
    ///
    /// ```
    /// use influxdb3_blocking::{LineBuffer, Point};
    ///
    /// let mut lines = LineBuffer::new();
    /// lines.push(&Point::new("home").tag("room", "Kitchen").field("temp", 21.5))?;
    /// lines.measurement("home")?.field("temp", 24.0)?.end()?;
    /// let expected = b"home,room=Kitchen temp=21.5\nhome temp=24.0\n";
    /// assert_eq!(lines.into_bytes(), expected);
    /// # Ok::<(), influxdb3_blocking::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`InvalidRecord`](crate::ErrorKind::InvalidRecord) for what is refused (see [`Point`]), also for a point that has no
    /// field to write.
    pub fn push(&mut self, point: &Point) -> Result<()> {
        self.take_back_unfinished_line();
        point.write_line_protocol(self.precision, &mut self.bytes)?;
        self.count_line(point.timestamp().is_some());
        Ok(())
    }

    /// Adds the whole lines that `write` appends to the bytes; it returns how many they are, and whether each has a time.
    /// After an error the buffer is as it was.
    pub(crate) fn append(
        &mut self,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(usize, bool)>,
    ) -> Result<()> {
        self.take_back_unfinished_line();
        let (lines, all_timed) = write(&mut self.bytes)?;
        self.whole = self.bytes.len();
        self.lines += lines;
        self.all_timed &= all_timed;
        Ok(())
    }

    /// Makes room for so many more bytes.
    pub fn reserve(&mut self, bytes: usize) {
        self.bytes.reserve(bytes);
    }

    /// The lines, each ended by a newline.
    #[inline]
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.whole).unwrap_or_default()
    }

    /// The lines, each ended by a newline, and the memory that they are in.
    #[must_use]
    pub fn into_bytes(mut self) -> Vec<u8> {
        self.bytes.truncate(self.whole);
        self.bytes
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
    ///
    /// ```
    /// use influxdb3_blocking::LineBuffer;
    ///
    /// let mut lines = LineBuffer::with_capacity(64);
    /// for n in 0..3 {
    ///     lines.clear();
    ///     lines.measurement("count")?.field("n", n)?.end()?;
    ///     assert_eq!(lines.lines(), 1);
    /// }
    /// assert_eq!(lines.as_bytes(), b"count n=2i\n");
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    pub fn clear(&mut self) {
        if self.bytes.len() > self.whole {
            self.columns.forget_the_line_before();
        } else {
            self.columns.forget_the_bytes();
        }
        self.bytes.clear();
        self.whole = 0;
        self.lines = 0;
        self.all_timed = true;
    }

    /// Whether every line has a time of its own.
    pub(crate) fn all_stamped(&self) -> bool {
        self.all_timed
    }
}

impl<'a> Line<'a> {
    /// Adds a tag. One with an empty value and `None` are left out.
    ///
    /// # Errors
    ///
    /// [`InvalidRecord`](crate::ErrorKind::InvalidRecord) if the line has a field already or another column of this key,
    /// if the key is empty or reserved or has a control character in it, if there is a newline or a tab in the
    /// value, or if either ends in a backslash.
    #[inline]
    pub fn tag<K>(self, key: impl AsRef<str>, value: impl TagValue<K>) -> Result<Self> {
        match self.buffer.tag(key.as_ref(), value.as_text().unwrap_or_default()) {
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
        let value = value.into();
        if !value.is_written() {
            return Ok(self);
        }
        match self.buffer.field_key(key.as_ref()) {
            Ok(()) => {
                // The compiler knows which kind of value it is and leaves the others out.
                encoder::field_value(&mut self.buffer.bytes, &value);
                Ok(self)
            }
            Err(error) => Err(self.buffer.of_this_line(error)),
        }
    }

    /// Adds a tag as [`tag`](Self::tag) does, but that an error leaves the line as it was before this call, so that it can
    /// go on without the tag or with another.
    ///
    /// ```
    /// use influxdb3_blocking::LineBuffer;
    ///
    /// let mut lines = LineBuffer::new();
    /// let mut line = lines.measurement("home")?;
    /// for (key, value) in [("room", "Kitchen"), ("note", "two\nlines")] {
    ///     if let Err(error) = line.add_tag(key, value) {
    ///         eprintln!("written without it: {error}");
    ///     }
    /// }
    /// line.add_field("temp", 21.5)?;
    /// line.end()?;
    /// assert_eq!(lines.as_bytes(), b"home,room=Kitchen temp=21.5\n");
    /// # Ok::<(), influxdb3_blocking::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`tag`](Self::tag).
    pub fn add_tag<K>(
        &mut self,
        key: impl AsRef<str>,
        value: impl TagValue<K>,
    ) -> Result<&mut Self> {
        let (key, value) = (key.as_ref(), value.as_text().unwrap_or_default());
        self.buffer.add_or_take_back(|buffer| buffer.tag(key, value))?;
        Ok(self)
    }

    /// Adds a field as [`field`](Self::field) does, but that an error leaves the line as it was before this call.
    ///
    /// ```
    /// use influxdb3_blocking::LineBuffer;
    ///
    /// let mut lines = LineBuffer::new();
    /// let mut line = lines.measurement("cells")?;
    /// for (key, volts) in [("a", 3.7), ("b", 3.65)] {
    ///     line.add_field(key, volts)?;
    /// }
    /// line.end()?;
    /// assert_eq!(lines.as_bytes(), b"cells a=3.7,b=3.65\n");
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`field`](Self::field).
    pub fn add_field<'v>(
        &mut self,
        key: impl AsRef<str>,
        value: impl Into<FieldValue<'v>>,
    ) -> Result<&mut Self> {
        let value = value.into();
        if value.is_written() {
            self.buffer.add_or_take_back(|buffer| {
                buffer.field_key(key.as_ref())?;
                encoder::field_value(&mut buffer.bytes, &value);
                Ok(())
            })?;
        }
        Ok(self)
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
    fn begin(&mut self, name: &str) -> Result<()> {
        self.take_back_unfinished_line();
        self.columns.count = 0;
        self.columns.is_as_before = true;
        self.columns.fields = None;
        let start = self.bytes.len();
        let before = &mut self.columns.measurement;
        if before.is(name) {
            before.append_again(&mut self.bytes);
        } else {
            *before = RememberedKey::default();
            escape::measurement(&mut self.bytes, name)?;
            *before = RememberedKey::of(&self.bytes, start, [b"", name.as_bytes(), b""]);
        }
        Ok(())
    }

    #[inline]
    fn take_back_unfinished_line(&mut self) {
        if self.bytes.len() > self.whole {
            self.bytes.truncate(self.whole);
            self.columns.forget_the_line_before();
        }
    }

    /// Adds a column; if that is an error, nothing of it is left.
    fn add_or_take_back(&mut self, add: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        let length = self.bytes.len();
        let (count, fields) = (self.columns.count, self.columns.fields);
        let next = self.columns.known.get(count).copied();
        let Err(error) = add(self) else { return Ok(()) };
        self.bytes.truncate(length);
        (self.columns.count, self.columns.fields) = (count, fields);
        if !self.columns.is_as_before {
            self.enter_keys();
        } else if let (Some(known), Some(next)) = (self.columns.known.get_mut(count), next) {
            *known = next;
        }
        Err(self.of_this_line(error))
    }

    #[inline]
    fn tag(&mut self, key: &str, value: &str) -> Result<()> {
        if self.columns.fields.is_some() {
            return Err(tag_after_field(key));
        }
        if value.is_empty() {
            return Ok(());
        }
        self.key(b',', key, Place::TagKey)?;
        escape::tag_value(&mut self.bytes, value, key)
    }

    #[inline(always)]
    fn field_key(&mut self, key: &str) -> Result<()> {
        let before = match self.columns.fields {
            Some(_) => b',',
            None => {
                self.columns.fields = Some(self.bytes.len());
                b' '
            }
        };
        self.key(before, key, Place::FieldKey)
    }

    /// Appends a key between the byte before it and an equals sign.
    #[inline(always)]
    fn key(&mut self, before: u8, key: &str, place: Place<'_>) -> Result<()> {
        let columns = &mut self.columns;
        if columns.is_as_before
            && let Some(known) = columns.known.get_mut(columns.count)
            && known.is_key(before, key)
        {
            known.append_again(&mut self.bytes);
            columns.count += 1;
            return Ok(());
        }
        self.new_key(before, key, place)
    }

    /// As [`key`](Self::key), for one that is not as before.
    #[inline(never)]
    fn new_key(&mut self, before: u8, key: &str, place: Place<'_>) -> Result<()> {
        if self.columns.is_as_before {
            if let Some(known) = self.columns.known.get_mut(self.columns.count)
                && known.is_long_key(&self.bytes, before, key)
            {
                known.copy(&mut self.bytes);
                self.columns.count += 1;
                return Ok(());
            }
            self.enter_keys();
        }
        let start = self.bytes.len();
        let hash = escape::key_between(&mut self.bytes, before, key, place)?;
        let text = self.bytes.get(start + 1..).unwrap_or_default();
        // No key has an equals sign in it that is not escaped, so that with it at the end, none is a part of another.
        let is_equal = |place| self.bytes.get(place..).is_some_and(|key| key.starts_with(text));
        if let Some(earlier) = self.columns.keys.enter(hash, start + 1, is_equal) {
            return Err(self.taken(earlier, key));
        }
        self.columns.known.push(RememberedKey::of(
            &self.bytes,
            start,
            [&[before], key.as_bytes(), b"="],
        ));
        self.columns.count += 1;
        Ok(())
    }

    /// Leaves the line before: from here on each key is looked up among those of this line.
    fn enter_keys(&mut self) {
        self.columns.is_as_before = false;
        self.columns.known.truncate(self.columns.count);
        self.columns.keys.clear();
        for known in &self.columns.known {
            let key = known.key(&self.bytes); // none is there twice
            self.columns.keys.enter(short_bytes::look(key).hash, known.start + 1, |_| false);
        }
    }

    fn end(&mut self, time: Option<Timestamp>) -> Result<()> {
        if self.columns.fields.is_none() {
            return Err(encoder::no_fields());
        }
        encoder::end(&mut self.bytes, time, self.precision)?;
        self.count_line(time.is_some());
        Ok(())
    }

    /// What stands in the buffer is whole lines now, one more than before.
    #[inline]
    fn count_line(&mut self, has_time: bool) {
        self.whole = self.bytes.len();
        self.lines += 1;
        self.all_timed &= has_time;
    }

    /// The error of a key that a column has already.
    #[cold]
    fn taken(&self, earlier: usize, key: &str) -> Error {
        match self.columns.fields {
            None => twice("tag", key),
            Some(fields) if earlier < fields => encoder::tag_and_field(key),
            Some(_) => twice("field", key),
        }
    }

    /// Says in which line an error is.
    #[cold]
    fn of_this_line(&self, error: Error) -> Error {
        let RememberedKey { start, end, .. } = self.columns.measurement;
        let name = escape::undone(self.bytes.get(start..end).unwrap_or_default());
        encoder::of_measurement(error, &String::from_utf8_lossy(&name))
    }
}

impl Columns {
    fn forget_the_line_before(&mut self) {
        self.measurement = RememberedKey::default();
        self.known.clear();
    }

    /// Forgets what can only be known again with the bytes of the line before.
    fn forget_the_bytes(&mut self) {
        if !self.measurement.stands_alone() {
            self.measurement = RememberedKey::default();
        }
        let alone = self.known.iter().take_while(|known| known.stands_alone()).count();
        self.known.truncate(alone);
    }
}

impl Default for LineBuffer {
    fn default() -> Self {
        Self::new()
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
