//! CSV files.

mod cells;
mod tokens;

use std::io::Read;

use super::counter::Counter;
use super::input::{Input, Origin};
use super::packing::Packing;
use super::types::Seen;
use super::{Reading, Source};
use crate::columns::{BLOCK_ROWS, Cell, ColumnRole, RenderedColumn, Role, TableLayout};
use crate::line_protocol::{TagRules, escape};
use crate::record::Lines;
use crate::{ColumnType, Error, Precision, Result};
use cells::Nulls;
use tokens::{Part, Tokens};

/// Opens a file, and reads it once if that takes to know the types of its columns.
pub(super) fn open<'a>(
    origin: &Origin<'a>,
    packing: Packing,
    reading: &Reading,
    precision: Precision,
    rules: &TagRules,
) -> Result<Box<dyn Source + 'a>> {
    let delimiter = reading.delimiter.unwrap_or(b',');
    let nulls = match &reading.null_values {
        None => Nulls::Usual,
        Some(listed) => Nulls::Listed(listed.clone()),
    };
    let input = Input::open(origin)?;
    let counter = input.counter.clone();
    let columns = reading.column_names.as_ref().map(Vec::len);
    let mut tokens = Tokens::new(input.unpacked(packing), delimiter, columns);
    let Some(names) = names(&mut tokens, reading)? else {
        return Ok(Box::new(Empty(counter)));
    };
    let names_ref: Vec<&str> = names.iter().map(String::as_str).collect();
    let layout = TableLayout::new(&reading.layout, &names_ref, rules, precision)?;
    for (name, _) in &reading.types {
        if !names.iter().any(|known| reading.layout.new_name(known) == name) {
            return Err(Error::config(format!(
                "column_type names the column {}, which is not there",
                escape::quoted(name)
            )));
        }
    }
    let mut wanted: Vec<Wanted> =
        layout.columns().iter().map(|c| Wanted::of(c.index, &c.role)).collect();
    for (column, wanted) in layout.columns().iter().zip(&mut wanted) {
        let given = reading.types.iter().rev().find(|(name, _)| *name == column.name);
        wanted.column_type = given.map(|(_, column_type)| *column_type).or(wanted.column_type);
    }
    if wanted.iter().any(|wanted| wanted.column_type.is_none()) {
        let input = Input::open(origin)?.unpacked(packing);
        let mut tokens = Tokens::new(input, delimiter, columns);
        if reading.column_names.is_none() {
            tokens.next(1)?;
        }
        infer(tokens, &mut wanted, &nulls, reading.infer_rows);
    }
    let count = layout.columns().len();
    let types =
        wanted.iter().map(|wanted| wanted.column_type.unwrap_or(ColumnType::Text)).collect();
    Ok(Box::new(Csv {
        tokens,
        layout,
        types,
        nulls,
        pieces: vec![RenderedColumn::default(); count],
        counter,
    }))
}

struct Csv<R> {
    tokens: Tokens<R>,
    layout: TableLayout,
    /// Of the columns of the layout.
    types: Vec<ColumnType>,
    nulls: Nulls,
    pieces: Vec<RenderedColumn>,
    counter: Counter,
}

impl<R: Read> Source for Csv<R> {
    fn read(&mut self, lines: &mut Lines<'_>) -> Result<bool> {
        let Some(part) = self.tokens.next(BLOCK_ROWS)? else { return Ok(false) };
        let mut failed: Option<(usize, Error)> = None;
        let columns = self.layout.columns().iter().zip(&self.types).zip(&mut self.pieces);
        for ((column, &column_type), pieces) in columns {
            pieces.clear();
            let result = match &column.role {
                ColumnRole::Measurement(role) => {
                    texts(part, column.index, role, &self.nulls, pieces)
                }
                ColumnRole::Time(role) => texts(part, column.index, role, &self.nulls, pieces),
                ColumnRole::Tag(role) => texts(part, column.index, role, &self.nulls, pieces),
                ColumnRole::Field(role) => {
                    fields(part, column.index, role, column_type, &self.nulls, pieces)
                }
            };
            // Of several errors the one of the first row is told.
            if let Err((row, error)) = result
                && failed.as_ref().is_none_or(|(first, _)| row < *first)
            {
                let place =
                    format!("line {}, column {}", part.line(row), escape::quoted(&column.name));
                failed = Some((row, error.in_context(&place)));
            }
        }
        let whole = failed.as_ref().map_or_else(|| part.rows(), |(row, _)| *row);
        lines.push_rows(&self.layout, &self.pieces, whole);
        failed.map_or(Ok(true), |(_, error)| Err(error))
    }

    fn bytes_read(&self) -> u64 {
        self.counter.get()
    }
}

/// A file without a row.
struct Empty(Counter);

impl Source for Empty {
    fn read(&mut self, _: &mut Lines<'_>) -> Result<bool> {
        Ok(false)
    }

    fn bytes_read(&self) -> u64 {
        self.0.get()
    }
}

/// A column of which the type is wanted.
struct Wanted {
    index: usize,
    column_type: Option<ColumnType>,
    seen: Seen,
}

impl Wanted {
    fn of(index: usize, role: &ColumnRole) -> Self {
        let column_type = match role {
            ColumnRole::Field(_) => None,
            ColumnRole::Measurement(_) | ColumnRole::Tag(_) | ColumnRole::Time(_) => {
                Some(ColumnType::Text)
            }
        };
        Self { index, column_type, seen: Seen::default() }
    }
}

fn names<R: Read>(tokens: &mut Tokens<R>, reading: &Reading) -> Result<Option<Vec<String>>> {
    if let Some(names) = &reading.column_names {
        return Ok(Some(names.clone()));
    }
    let Some(part) = tokens.next(1)? else { return Ok(None) };
    let names = (0..part.columns()).map(|column| part.cell(0, column).0.into_owned());
    Ok(Some(names.collect()))
}

/// Reads rows until all types are known. What is wrong with the file is told when it is read again.
fn infer<R: Read>(mut tokens: Tokens<R>, wanted: &mut [Wanted], nulls: &Nulls, rows: Option<u64>) {
    let mut left = rows.unwrap_or(u64::MAX);
    while left > 0 {
        let most = usize::try_from(left).unwrap_or(BLOCK_ROWS).min(BLOCK_ROWS);
        let Ok(Some(part)) = tokens.next(most) else { break };
        left -= part.rows() as u64;
        let mut is_settled = true;
        for wanted in wanted.iter_mut().filter(|wanted| wanted.column_type.is_none()) {
            if wanted.seen.is_settled() {
                continue;
            }
            is_settled = false;
            for row in 0..part.rows() {
                let (cell, is_quoted) = part.cell(row, wanted.index);
                cells::see(&mut wanted.seen, &cell, is_quoted, nulls);
            }
        }
        if is_settled {
            break;
        }
    }
    for wanted in wanted.iter_mut() {
        wanted.column_type.get_or_insert_with(|| wanted.seen.column_type());
    }
}

/// The pieces of a column that is taken as text.
fn texts<R: Role>(
    part: Part<'_>,
    column: usize,
    role: &R,
    nulls: &Nulls,
    pieces: &mut RenderedColumn,
) -> Result<(), (usize, Error)> {
    for row in 0..part.rows() {
        let (cell, is_quoted) = part.cell(row, column);
        let cell = if nulls.has_text(&cell, is_quoted) { Cell::Null } else { Cell::Text(&cell) };
        pieces.push(role, cell).map_err(|error| (row, error))?;
    }
    Ok(())
}

fn fields<R: Role>(
    part: Part<'_>,
    column: usize,
    role: &R,
    column_type: ColumnType,
    nulls: &Nulls,
    pieces: &mut RenderedColumn,
) -> Result<(), (usize, Error)> {
    for row in 0..part.rows() {
        let (cell, is_quoted) = part.cell(row, column);
        let result = cells::value(&cell, is_quoted, column_type, nulls)
            .and_then(|cell| pieces.push(role, cell));
        result.map_err(|error| (row, error))?;
    }
    Ok(())
}
