use std::fmt;

use super::LineBuffer;
use crate::line_protocol::{FieldValue, TagValue, encoder};
use crate::{Result, Timestamp};

/// A line of a [`LineBuffer`] in progress; it counts when [`at`](Self::at) or [`end`](Self::end) has ended it.
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
    pub(super) buffer: &'a mut LineBuffer,
}

impl<'a> Line<'a> {
    /// Adds a tag. One with an empty value and `None` are left out.
    ///
    /// ```
    /// use influxdb3_blocking::LineBuffer;
    ///
    /// let mut lines = LineBuffer::new();
    /// let floor: Option<&str> = None;
    /// let line = lines.measurement("home")?.tag("room", "Living Room")?;
    /// line.tag("floor", floor)?.field("temp", 21.5)?.end()?;
    /// assert_eq!(lines.as_bytes(), b"home,room=Living\\ Room temp=21.5\n");
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
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
    /// ```
    /// use influxdb3_blocking::LineBuffer;
    ///
    /// let mut lines = LineBuffer::new();
    /// let line = lines.measurement("home")?.field("temp", 21.5)?;
    /// line.field("hum", f64::NAN)?.field("state", "on")?.end()?;
    /// assert_eq!(lines.as_bytes(), b"home temp=21.5,state=\"on\"\n");
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
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
                // Inlined here, where the variant of the value is known when it is compiled, the match on it costs nothing.
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
    /// ```
    /// use influxdb3_blocking::{LineBuffer, Timestamp};
    ///
    /// let mut lines = LineBuffer::new();
    /// let time: Timestamp = "2022-01-01T08:00:00Z".parse()?;
    /// lines.measurement("home")?.field("temp", 21.5)?.at(time)?;
    /// assert_eq!(lines.as_bytes(), b"home temp=21.5 1641024000000000000\n");
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
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
    /// ```
    /// use influxdb3_blocking::LineBuffer;
    ///
    /// let mut lines = LineBuffer::new();
    /// lines.measurement("home")?.field("temp", 21.5)?.end()?;
    /// assert!(lines.measurement("home")?.end().is_err()); // no field
    /// assert_eq!(lines.as_bytes(), b"home temp=21.5\n");
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`InvalidRecord`](crate::ErrorKind::InvalidRecord) if no field was written.
    #[inline]
    pub fn end(self) -> Result<()> {
        self.buffer.end(None).map_err(|error| self.buffer.of_this_line(error))
    }
}

impl fmt::Debug for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = self.buffer.bytes.get(self.buffer.whole..).unwrap_or_default();
        f.debug_tuple("Line").field(&String::from_utf8_lossy(line)).finish()
    }
}
