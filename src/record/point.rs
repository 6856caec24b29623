//! A point is a record.

use super::{Lines, Record};
use crate::{Point, Result};

impl Record for &Point {
    fn encode(self, lines: &mut Lines<'_>) -> Result<()> {
        lines.push_point(self)
    }
}

impl Record for &&Point {
    fn encode(self, lines: &mut Lines<'_>) -> Result<()> {
        lines.push_point(self)
    }
}

impl Record for Point {
    fn encode(self, lines: &mut Lines<'_>) -> Result<()> {
        lines.push_point(&self)
    }
}
