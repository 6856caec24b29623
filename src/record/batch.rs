//! A batch of an error is a record.

use super::{Lines, Record};
use crate::line_protocol::text;
use crate::{Batch, Precision, Result};

impl Record for &Batch {
    fn encode(self, lines: &mut Lines<'_>) -> Result<()> {
        super::check_precision(Batch::precision(self), lines.precision())?;
        lines.check_database(Batch::database(self))?;
        for line in text::encoded_lines(self.line_protocol()) {
            lines.push_text_line(&line?)?;
        }
        Ok(())
    }

    fn precision(&self) -> Option<Precision> {
        Some(Batch::precision(self))
    }

    fn database(&self) -> Option<String> {
        Some(Batch::database(self).to_owned())
    }

    fn organization(&self) -> Option<String> {
        Some(Batch::organization(self).to_owned())
    }
}

impl Record for Batch {
    fn encode(self, lines: &mut Lines<'_>) -> Result<()> {
        (&self).encode(lines)
    }

    fn precision(&self) -> Option<Precision> {
        Some(Self::precision(self))
    }

    fn database(&self) -> Option<String> {
        Some(Self::database(self).to_owned())
    }

    fn organization(&self) -> Option<String> {
        Some(Self::organization(self).to_owned())
    }
}
