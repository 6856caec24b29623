//! Line protocol text is a record: read once, cut into lines, tidied.

use super::{Lines, Record};
use crate::Result;
use crate::line_protocol::text;

impl Record for &[u8] {
    fn encode(self, lines: &mut Lines<'_>) -> Result<()> {
        for line in text::lines(self) {
            lines.push_text_line(&line?)?;
        }
        Ok(())
    }
}

macro_rules! text_record {
    ($($text:ty),+) => {$(
        impl Record for $text {
            fn encode(self, lines: &mut Lines<'_>) -> Result<()> {
                AsRef::<[u8]>::as_ref(&self).encode(lines)
            }
        }
    )+};
}

text_record!(&str, String, &String, &&str, Vec<u8>, &Vec<u8>);

impl<const N: usize> Record for &[u8; N] {
    fn encode(self, lines: &mut Lines<'_>) -> Result<()> {
        self.as_slice().encode(lines)
    }
}
