//! A line buffer is a record, as its lines are right already; and it takes the lines of any other.

use super::{Lines, Record};
use crate::line_protocol::{TagRules, text};
use crate::{LineBuffer, Precision, Result};

impl Record for &LineBuffer {
    fn encode(self, lines: &mut Lines<'_>) -> Result<()> {
        super::check_precision(LineBuffer::precision(self), lines.precision())?;
        if self.all_stamped() {
            lines.push_encoded(self.as_bytes(), self.lines());
            return Ok(());
        }
        for line in text::encoded_lines(self.as_bytes()) {
            lines.push_text_line(&line?)?;
        }
        Ok(())
    }

    fn precision(&self) -> Option<Precision> {
        Some(LineBuffer::precision(self))
    }
}

impl Record for LineBuffer {
    fn encode(self, lines: &mut Lines<'_>) -> Result<()> {
        (&self).encode(lines)
    }

    fn precision(&self) -> Option<Precision> {
        Some(Self::precision(self))
    }
}

impl LineBuffer {
    /// Adds the lines of a record of any kind, as a client would write them: what needs no client, such as a file or
    /// another way to send lines, gets them here.
    ///
    /// Points and rows without a field are left out of collections and tables. Client and buffer differ in one thing:
    /// there are no default tags and there is no tag order here.
    ///
    /// ```
    /// use influxdb3_blocking::{LineBuffer, Point};
    ///
    /// let mut lines = LineBuffer::new();
    /// lines.push_record((0..3).map(|n| Point::new("count").field("n", n)))?;
    /// // Checked and tidied, as every text.
    /// lines.push_record("home,room=Kitchen temp=21.5")?;
    /// assert_eq!(lines.lines(), 4);
    /// # Ok::<(), influxdb3_blocking::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`InvalidRecord`](crate::ErrorKind::InvalidRecord) if a part of it cannot be written, or if its timestamps are in
    /// another precision than those of the buffer. The buffer is as it was then.
    pub fn push_record<R: Record<K>, K>(&mut self, record: R) -> Result<()> {
        let precision = Self::precision(self);
        self.append(|bytes| {
            let mut lines = Lines::new(bytes, precision, TagRules::NONE);
            record.encode(&mut lines)?;
            Ok((lines.count(), lines.all_stamped()))
        })
    }
}
