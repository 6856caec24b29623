//! Columns of text for a terminal: widths, lines, and text that is cut and escaped.

use std::fmt::{self, Write as _};

use unicode_width::UnicodeWidthChar as _;

/// The columns of a table in text: how wide they are, in columns of the terminal, and which are aligned to the right.
pub(super) struct TextColumns {
    pub(super) widths: Vec<usize>,
    pub(super) to_the_right: Vec<bool>,
}

impl TextColumns {
    /// The line between the header and the rows, and above the header.
    pub(super) fn rule(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.bottom(f)?;
        f.write_char('\n')
    }

    /// The same without a newline: the last line.
    pub(super) fn bottom(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('+')?;
        for width in &self.widths {
            repeated(f, '-', width + 2)?;
            f.write_char('+')?;
        }
        Ok(())
    }

    /// A line of a cell for each column, which is what the function of the cell appends to an empty text. A cell that is too
    /// wide is cut; cells behind the last of `widths` are left out.
    pub(super) fn line<P: FnOnce(&mut String)>(
        &self,
        f: &mut fmt::Formatter<'_>,
        cells: impl Iterator<Item = P>,
    ) -> fmt::Result {
        let mut text = String::new();
        f.write_char('|')?;
        for ((push, most), to_the_right) in cells.zip(&self.widths).zip(&self.to_the_right) {
            text.clear();
            push(&mut text);
            cut(&mut text, *most);
            let free = most.saturating_sub(width(&text));
            let (left, right) = if *to_the_right { (free, 0) } else { (0, free) };
            // A width in a format string may not be above 65535: it panics then.
            repeated(f, ' ', left + 1)?;
            f.write_str(&text)?;
            repeated(f, ' ', right + 1)?;
            f.write_char('|')?;
        }
        f.write_char('\n')
    }
}

fn repeated(f: &mut fmt::Formatter<'_>, character: char, count: usize) -> fmt::Result {
    (0..count).try_for_each(|_| f.write_char(character))
}

/// What a column needs beside its values: a bar and two blanks.
const BORDER: usize = 3;
/// What the values of a column get at least, if there is something to cut.
const LEAST: usize = 6;

/// Makes columns narrower, the widest ones first, and leaves out the last ones, until a line is no wider than `most`
/// or one column is left that has [`LEAST`]. Those that are to be kept are made narrower only if the others cannot be narrow enough.
pub(super) fn squeeze(widths: &mut Vec<usize>, is_kept: &[bool], most: usize) {
    let limited = |width: usize, is_kept: bool, keeps: bool, limit: usize| match is_kept && keeps {
        true => width,
        false => width.min(limit),
    };
    let fits = |widths: &[usize], keeps: bool, limit: usize| {
        let columns = widths.iter().zip(is_kept);
        let columns = columns.map(|(width, kept)| limited(*width, *kept, keeps, limit) + BORDER);
        columns.fold(1, usize::saturating_add) <= most
    };
    while widths.len() > 1 && !fits(widths, false, LEAST) {
        widths.pop();
    }
    let keeps = fits(widths, true, LEAST);
    // The greatest limit of a column with which the line still fits.
    let widest = widths.iter().copied().max().unwrap_or(0);
    let (mut limit, mut beyond) = (LEAST, widest + 1);
    while limit + 1 < beyond {
        let middle = limit + (beyond - limit) / 2;
        if fits(widths, keeps, middle) { limit = middle } else { beyond = middle }
    }
    for (width, is_kept) in widths.iter_mut().zip(is_kept) {
        *width = limited(*width, *is_kept, keeps, limit);
    }
}

/// Text, with escapes for control characters, and for those that break lines or change the direction of what follows.
pub(super) fn push_escaped(text: &mut String, value: &str) {
    for char in value.chars() {
        let turns_text = matches!(char, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        match char.is_control() || turns_text || matches!(char, '\u{2028}' | '\u{2029}') {
            true => text.extend(char.escape_debug()),
            false => text.push(char),
        }
    }
}

/// How many columns of a terminal the text takes.
pub(super) fn width(text: &str) -> usize {
    text.chars().map(|char| char.width().unwrap_or(0)).sum()
}

/// Cuts the text to this many columns of a terminal, with `…` in place of what is cut off.
fn cut(text: &mut String, most: usize) {
    if width(text) <= most {
        return;
    }
    let mut taken = 0;
    let end = text.char_indices().find(|(_, char)| {
        taken += char.width().unwrap_or(0);
        taken + 1 > most
    });
    if let Some((end, _)) = end {
        text.truncate(end);
    }
    if most > 0 {
        text.push('…');
    }
}
