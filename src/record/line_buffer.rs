//! A line buffer is a record; its lines are right already.

use super::{Lines, Record};
use crate::line_protocol::text;
use crate::{LineBuffer, Precision, Result};

impl Record for &LineBuffer {
    fn encode(self, lines: &mut Lines<'_>) -> Result<()> {
        super::batch::check_precision(LineBuffer::precision(self), lines.precision())?;
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
