//! A buffer of lines that are written column by column.

mod line;
mod line_columns;
mod remembered_key;

use std::fmt;

pub use self::line::Line;
use self::line_columns::LineColumns;
use crate::{Precision, Result};

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
    /// Bytes of whole lines; those behind them belong to the line in progress.
    whole: usize,
    lines: usize,
    /// Whether every line has a time of its own.
    all_timed: bool,
    precision: Precision,
    columns: LineColumns,
}

impl LineBuffer {
    /// An empty buffer with timestamps in nanoseconds.
    ///
    /// ```
    /// use influxdb3_blocking::LineBuffer;
    ///
    /// let mut lines = LineBuffer::new();
    /// assert!(lines.is_empty());
    /// lines.measurement("home")?.field("temp", 21.5)?.end()?;
    /// assert_eq!(lines.as_bytes(), b"home temp=21.5\n");
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
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
    ///
    /// ```
    /// use influxdb3_blocking::LineBuffer;
    ///
    /// let mut lines = LineBuffer::with_capacity(64 << 10);
    /// for n in 0..1000 {
    ///     lines.measurement("count")?.field("n", n)?.end()?;
    /// }
    /// assert!(lines.len() < 64 << 10); // so no memory was moved
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    #[must_use]
    pub fn with_capacity(bytes: usize) -> Self {
        Self::with_precision_and_capacity(Precision::Nanosecond, bytes)
    }

    /// An empty buffer with timestamps in this precision and with room for this many bytes.
    ///
    /// ```
    /// use influxdb3_blocking::{LineBuffer, Precision, Timestamp};
    ///
    /// let unit = Precision::Millisecond;
    /// let mut lines = LineBuffer::with_precision_and_capacity(unit, 1 << 20);
    /// lines.measurement("home")?.field("co", 4)?.at(Timestamp::seconds(1))?;
    /// assert_eq!(lines.as_bytes(), b"home co=4i 1000\n");
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    #[must_use]
    pub fn with_precision_and_capacity(precision: Precision, bytes: usize) -> Self {
        Self {
            bytes: Vec::with_capacity(bytes),
            whole: 0,
            lines: 0,
            all_timed: true,
            precision,
            columns: LineColumns::default(),
        }
    }

    /// Begins a line.
    ///
    /// ```
    /// use influxdb3_blocking::LineBuffer;
    ///
    /// let mut lines = LineBuffer::new();
    /// lines.measurement("living room")?.field("temp", 21.5)?.end()?;
    /// assert!(lines.measurement("# no name").is_err());
    /// assert_eq!(lines.as_bytes(), b"living\\ room temp=21.5\n");
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
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

    /// Makes room for `bytes` more bytes.
    ///
    /// ```
    /// use influxdb3_blocking::LineBuffer;
    ///
    /// let temps = [21.5, 22.0, 24.25];
    /// let mut lines = LineBuffer::new();
    /// lines.reserve(temps.len() * "home temp=00.00\n".len());
    /// for temp in temps {
    ///     lines.measurement("home")?.field("temp", temp)?.end()?;
    /// }
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    pub fn reserve(&mut self, bytes: usize) {
        self.bytes.reserve(bytes);
    }

    /// The lines, each ended by a newline.
    ///
    /// ```
    /// use std::io::Write;
    ///
    /// use influxdb3_blocking::LineBuffer;
    ///
    /// let mut lines = LineBuffer::new();
    /// lines.measurement("home")?.field("temp", 21.5)?.end()?;
    /// std::io::stdout().write_all(lines.as_bytes())?;
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.whole).unwrap_or_default()
    }

    /// The lines, each ended by a newline, and the memory that they are in.
    ///
    /// ```
    /// use influxdb3_blocking::LineBuffer;
    ///
    /// let mut lines = LineBuffer::new();
    /// lines.measurement("home")?.field("temp", 21.5)?.end()?;
    /// let body: Vec<u8> = lines.into_bytes();
    /// assert_eq!(body, b"home temp=21.5\n");
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    #[must_use]
    pub fn into_bytes(mut self) -> Vec<u8> {
        self.bytes.truncate(self.whole);
        self.bytes
    }

    /// The length of the lines in bytes.
    ///
    /// ```
    /// use influxdb3_blocking::LineBuffer;
    ///
    /// let mut lines = LineBuffer::new();
    /// while lines.len() < 100 {
    ///     lines.measurement("home")?.field("temp", 21.5)?.end()?;
    /// }
    /// assert_eq!(lines.len(), 7 * "home temp=21.5\n".len());
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        self.whole
    }

    /// How many lines there are.
    ///
    /// ```
    /// use influxdb3_blocking::LineBuffer;
    ///
    /// let mut lines = LineBuffer::new();
    /// for room in ["Kitchen", "Bath"] {
    ///     lines.measurement("home")?.tag("room", room)?.field("n", 1)?.end()?;
    /// }
    /// assert_eq!(lines.lines(), 2);
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    #[inline]
    #[must_use]
    pub fn lines(&self) -> usize {
        self.lines
    }

    /// Whether there is no line.
    ///
    /// ```
    /// use influxdb3_blocking::LineBuffer;
    ///
    /// let mut lines = LineBuffer::new();
    /// let line = lines.measurement("home")?.field("temp", 21.5)?;
    /// drop(line); // neither `at` nor `end`
    /// assert!(lines.is_empty());
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lines == 0
    }

    /// The precision of the timestamps.
    ///
    /// ```
    /// use influxdb3_blocking::{LineBuffer, Precision};
    ///
    /// let lines = LineBuffer::with_precision(Precision::Second);
    /// assert_eq!(lines.precision(), Precision::Second);
    /// ```
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

    /// Removes a line that was begun and not ended.
    #[inline]
    fn take_back_unfinished_line(&mut self) {
        if self.bytes.len() > self.whole {
            self.bytes.truncate(self.whole);
            self.columns.forget_the_line_before();
        }
    }

    /// What stands in the buffer is whole lines now, one more than before.
    #[inline]
    fn count_line(&mut self, has_time: bool) {
        self.whole = self.bytes.len();
        self.lines += 1;
        self.all_timed &= has_time;
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
