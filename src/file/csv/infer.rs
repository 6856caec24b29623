//! The types of columns, by their cells.

use std::io::Read;

use super::Columns;
use super::part::Part;
use super::rendering::Settings;
use super::tokens::Tokens;
use crate::columns::BLOCK_ROWS;
use crate::file::Reading;
use crate::file::cells;
use crate::file::evidence::Evidence;
use crate::file::types::Seen;

/// Reads rows to know the types of fields. What is wrong with the file is told when it is read again.
pub(super) fn look_at<R: Read>(
    mut tokens: Tokens<R>,
    columns: &Columns,
    settings: &Settings,
    reading: &Reading,
) -> Vec<Evidence> {
    let mut all = vec![Evidence::default(); columns.places.len()];
    let mut left = reading.infer_rows.unwrap_or(u64::MAX);
    while left > 0 {
        let most = usize::try_from(left).unwrap_or(BLOCK_ROWS).min(BLOCK_ROWS);
        let part = match tokens.next(most) {
            Ok(Some(part)) => part,
            Ok(None) => break,
            Err(_) => {
                if reading.skip_bad_rows && tokens.pass_over() {
                    continue;
                }
                break;
            }
        };
        left -= part.rows() as u64;
        let mut is_settled = true;
        let wanted = columns.places.iter().zip(&columns.types).zip(&mut all);
        for ((&place, known), evidence) in wanted {
            if known.is_none() && !evidence.is_settled() {
                look(part, place, settings, evidence);
                is_settled = false;
            }
        }
        if is_settled {
            break;
        }
    }
    all
}

/// Adds the cells of a column.
fn look(part: Part<'_>, place: usize, settings: &Settings, evidence: &mut Evidence) {
    let nulls = &settings.nulls;
    let see = |seen: &mut Seen, row: usize| {
        let (cell, is_quoted) = part.cell(row, place);
        cells::see(seen, &cell, is_quoted, nulls);
    };
    let see_swapped = |seen: &mut Seen, row: usize| {
        let (cell, is_quoted) = part.cell(row, place);
        if !nulls.has_text(&cell, is_quoted) {
            cells::see(seen, &cells::swap_marks(&cell), is_quoted, nulls);
        }
    };
    match settings.swaps_marks {
        false => look_with(part, place, see, evidence),
        true => look_with(part, place, see_swapped, evidence),
    }
}

#[inline(always)]
fn look_with(
    part: Part<'_>,
    place: usize,
    see: impl Fn(&mut Seen, usize),
    evidence: &mut Evidence,
) {
    let mut seen = evidence.seen();
    (0..part.rows()).for_each(|row| see(&mut seen, row));
    if evidence.merge(seen, part.rows()) {
        return;
    }
    // The cell that does not go with those before it is among these.
    for row in 0..part.rows() {
        evidence.add(
            part.line(row),
            |seen| see(seen, row),
            || part.cell(row, place).0.into_owned(),
        );
    }
}
