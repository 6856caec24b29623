//! The types of the columns of CSV, inferred from their cells.

use std::io::Read;

use super::CsvColumns;
use super::column_rendering::CellRules;
use super::row_block::RowBlock;
use super::row_reader::RowReader;
use crate::columns::BLOCK_ROWS;
use crate::file::ReadOptions;
use crate::file::seen_kinds::SeenKinds;
use crate::file::text_values;
use crate::file::type_inference::TypeInference;

/// Reads rows to infer the types of fields. Errors of the file are reported by the second read.
pub(super) fn look_at<R: Read>(
    mut reader: RowReader<R>,
    columns: &CsvColumns,
    cell_rules: &CellRules,
    read_options: &ReadOptions,
) -> Vec<TypeInference> {
    let mut all = vec![TypeInference::default(); columns.places.len()];
    let mut left = read_options.infer_rows.unwrap_or(u64::MAX);
    while left > 0 {
        let most = usize::try_from(left).unwrap_or(BLOCK_ROWS).min(BLOCK_ROWS);
        let block = match reader.next(most) {
            Ok(Some(block)) => block,
            Ok(None) => break,
            Err(_) => {
                if read_options.skip_bad_rows && reader.pass_over() {
                    continue;
                }
                break;
            }
        };
        left -= block.rows() as u64;
        let mut is_settled = true;
        let wanted = columns.places.iter().zip(&columns.types).zip(&mut all);
        for ((&place, known), inference) in wanted {
            if known.is_none() && !inference.is_settled() {
                look(block, place, cell_rules, inference);
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
fn look(block: RowBlock<'_>, place: usize, cell_rules: &CellRules, inference: &mut TypeInference) {
    let nulls = &cell_rules.nulls;
    let see = |seen: &mut SeenKinds, row: usize| {
        let (cell, is_quoted) = block.cell(row, place);
        text_values::see(seen, &cell, is_quoted, nulls);
    };
    let see_swapped = |seen: &mut SeenKinds, row: usize| {
        let (cell, is_quoted) = block.cell(row, place);
        if !nulls.has_text(&cell, is_quoted) {
            text_values::see(seen, &text_values::swap_marks(&cell), is_quoted, nulls);
        }
    };
    match cell_rules.swaps_marks {
        false => look_with(block, place, see, inference),
        true => look_with(block, place, see_swapped, inference),
    }
}

#[inline(always)]
fn look_with(
    block: RowBlock<'_>,
    place: usize,
    see: impl Fn(&mut SeenKinds, usize),
    inference: &mut TypeInference,
) {
    let mut seen = inference.seen();
    (0..block.rows()).for_each(|row| see(&mut seen, row));
    if inference.merge(seen, block.rows()) {
        return;
    }
    // The first mismatch is among these cells: they are added one by one.
    for row in 0..block.rows() {
        inference.add(
            block.line(row),
            |seen| see(seen, row),
            || block.cell(row, place).0.into_owned(),
        );
    }
}
