//! CSV files.

mod annotated;
mod header;
mod tokens;

use std::io::Read;

use self::header::Header;
use self::tokens::{Dialect, Part, Tokens};
use super::cells::{self, Nulls};
use super::evidence::Evidence;
use super::input::{Counter, Input, Origin};
use super::packing::Packing;
use super::summary::{FileColumn, Skipped, Summary};
use super::time_format::TimeFormat;
use super::types::Seen;
use super::{Reading, Source};
use crate::columns::{BLOCK_ROWS, Cell, ColumnRole, RenderedColumn, Role, TableLayout};
use crate::line_protocol::{TagRules, escape};
use crate::record::Lines;
use crate::{ColumnType, Error, Precision, Result};

/// Opens a file, and reads it once if that takes to know the types of its columns.
pub(super) fn open<'a>(
    origin: &Origin<'a>,
    packing: Packing,
    reading: &Reading,
    precision: Precision,
    rules: &TagRules,
) -> Result<Box<dyn Source + 'a>> {
    let dialect = Dialect {
        delimiter: reading.delimiter,
        comment: reading.comment,
        skip_lines: reading.skip_lines,
        trims: reading.trims,
    };
    let tokens = || -> Result<_> {
        let input = Input::open(origin)?;
        let counter = input.counter.clone();
        Ok((Tokens::new(input.unpacked(packing), dialect.clone()), counter))
    };
    let (mut first, counter) = tokens()?;
    let header = match &reading.column_names {
        Some(names) => Header::given(names),
        None => match first.next(1)? {
            None => return Ok(Box::new(Empty(counter))),
            Some(row) if reading.comment != Some(b'#') && annotated::is_annotated(row) => {
                let (tokens, counter) = tokens()?;
                return Ok(annotated::open(tokens, counter, reading));
            }
            Some(row) => Header::read(row, &reading.layout),
        },
    };
    let width = header.columns(reading);
    first.set_columns(width);
    let names: Vec<&str> = header.names().collect();
    let layout = TableLayout::new(&reading.layout, &names, rules, precision)
        .map_err(|error| header.explain(error))?;
    if let Some((name, _)) = reading
        .types
        .iter()
        .find(|(name, _)| !names.iter().any(|known| reading.layout.new_name(known) == name))
    {
        return Err(Error::config(format!(
            "column_type names the column {}, which is not there",
            escape::quoted(name)
        )));
    }
    let settings = Settings {
        nulls: Nulls::new(reading),
        swaps_marks: reading.decimal_comma,
        time_format: reading.time_format.clone(),
    };
    let places = layout.columns().iter().map(|column| header.place(column.index)).collect();
    let mut columns = Columns { places, types: Vec::new() };
    columns.types = layout
        .columns()
        .iter()
        .map(|column| match &column.role {
            ColumnRole::Field(_) => reading.column_type(&column.name),
            ColumnRole::Measurement(_) | ColumnRole::Tag(_) | ColumnRole::Time(_) => {
                Some(ColumnType::Text)
            }
        })
        .collect::<Vec<_>>();
    if columns.types.contains(&None) {
        let (mut tokens, _) = tokens()?;
        if reading.column_names.is_none() {
            tokens.next(1)?;
        }
        tokens.set_columns(width);
        let evidence = infer(tokens, &columns, &settings, reading);
        for ((column, found), evidence) in
            layout.columns().iter().zip(&mut columns.types).zip(evidence)
        {
            if found.is_none() {
                let mark = if reading.decimal_comma { ',' } else { '.' };
                *found = Some(evidence.column_type("column", &column.name, mark)?);
            }
        }
    }
    let pieces = vec![RenderedColumn::default(); layout.columns().len()];
    let unnamed = header.is_first_unnamed().then_some(1);
    let skipped = Skipped::new(reading.skip_bad_rows);
    Ok(Box::new(Csv {
        tokens: first,
        header,
        layout,
        columns,
        settings,
        pieces,
        skipped,
        unnamed,
        counter,
    }))
}

/// Where the columns of the layout are in the file, and what they are.
struct Columns {
    places: Vec<usize>,
    /// None where the values are to decide.
    types: Vec<Option<ColumnType>>,
}

/// How cells are judged.
struct Settings {
    nulls: Nulls,
    swaps_marks: bool,
    time_format: Option<TimeFormat>,
}

struct Csv<R> {
    tokens: Tokens<R>,
    header: Header,
    layout: TableLayout,
    columns: Columns,
    settings: Settings,
    pieces: Vec<RenderedColumn>,
    skipped: Skipped,
    unnamed: Option<usize>,
    counter: Counter,
}

impl<R: Read> Source for Csv<R> {
    fn read(&mut self, lines: &mut Lines<'_>) -> Result<bool> {
        let part = match self.tokens.next(BLOCK_ROWS) {
            Ok(Some(part)) => part,
            Ok(None) => return Ok(false),
            Err(error) => {
                let line = self.tokens.line();
                if !self.skipped.is_on() || !self.tokens.pass_over() {
                    return Err(error);
                }
                self.skipped.take(line, error)?;
                lines.skip_row();
                return Ok(true);
            }
        };
        let mut bad = BadRows { all: self.skipped.is_on(), found: Vec::new() };
        self.header.check(part, &mut bad);
        let settings = &self.settings;
        let columns =
            self.layout.columns().iter().zip(&self.columns.places).zip(&self.columns.types);
        for (((column, &place), column_type), pieces) in columns.zip(&mut self.pieces) {
            pieces.clear();
            let mut rendering =
                Rendering { part, place, name: &column.name, pieces, bad: &mut bad };
            rendering.column(&column.role, column_type.unwrap_or(ColumnType::Text), settings);
        }
        let mut next = 0;
        for (row, error) in bad.in_order() {
            lines.push_rows(&self.layout, &self.pieces, next..row);
            self.skipped.take(part.line(row), error)?;
            lines.skip_row();
            next = row + 1;
        }
        lines.push_rows(&self.layout, &self.pieces, next..part.rows());
        Ok(true)
    }

    fn bytes_read(&self) -> u64 {
        self.counter.get()
    }

    fn summary(&self) -> Summary {
        let fields = self.layout.columns().iter().zip(&self.columns.types);
        let fields = fields.filter(|(column, _)| matches!(column.role, ColumnRole::Field(_)));
        let columns =
            fields.filter_map(|(column, found)| Some(FileColumn::new(&column.name, (*found)?)));
        Summary {
            columns: columns.collect(),
            unnamed_column: self.unnamed,
            skipped: self.skipped.clone(),
        }
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

/// Rows of a part that cannot be written.
struct BadRows {
    /// Whether all of them are wanted, or only the first.
    all: bool,
    found: Vec<(usize, Error)>,
}

impl BadRows {
    /// Takes note of a row, and tells whether the rows behind it matter.
    #[cold]
    fn add(&mut self, row: usize, error: Error) -> bool {
        if self.all {
            self.found.push((row, error));
        } else if self.found.first().is_none_or(|(first, _)| row < *first) {
            self.found = vec![(row, error)];
        }
        self.all
    }

    /// Each row once, with the error of its first column.
    fn in_order(mut self) -> Vec<(usize, Error)> {
        self.found.sort_by_key(|(row, _)| *row);
        self.found.dedup_by_key(|(row, _)| *row);
        self.found
    }
}

/// The pieces of one column.
struct Rendering<'a> {
    part: Part<'a>,
    place: usize,
    name: &'a str,
    pieces: &'a mut RenderedColumn,
    bad: &'a mut BadRows,
}

impl Rendering<'_> {
    fn column(&mut self, role: &ColumnRole, column_type: ColumnType, settings: &Settings) {
        let nulls = &settings.nulls;
        match role {
            ColumnRole::Measurement(role) => self.texts(role, nulls),
            ColumnRole::Tag(role) => self.texts(role, nulls),
            ColumnRole::Time(role) => match &settings.time_format {
                None => self.texts(role, nulls),
                Some(format) => self.cells(|cell, is_quoted, pieces| {
                    let is_null = nulls.has_text(cell, is_quoted);
                    let cell = if is_null { Cell::Null } else { Cell::Instant(format.read(cell)?) };
                    pieces.push(role, cell)
                }),
            },
            ColumnRole::Field(role) if settings.swaps_marks && column_type != ColumnType::Text => {
                self.cells(|cell, is_quoted, pieces| {
                    if nulls.has_text(cell, is_quoted) {
                        return pieces.push(role, Cell::Null);
                    }
                    match cells::value(&cells::swap_marks(cell), is_quoted, column_type, nulls) {
                        Ok(value) => pieces.push(role, value),
                        // What the file has is shown.
                        Err(_) => Err(cells::no_value(cell, column_type)),
                    }
                });
            }
            ColumnRole::Field(role) => self.cells(|cell, is_quoted, pieces| {
                pieces.push(role, cells::value(cell, is_quoted, column_type, nulls)?)
            }),
        }
    }

    fn texts<R: Role>(&mut self, role: &R, nulls: &Nulls) {
        self.cells(|cell, is_quoted, pieces| {
            let cell = if nulls.has_text(cell, is_quoted) { Cell::Null } else { Cell::Text(cell) };
            pieces.push(role, cell)
        });
    }

    #[inline(always)]
    fn cells(&mut self, push: impl Fn(&str, bool, &mut RenderedColumn) -> Result<()>) {
        for row in 0..self.part.rows() {
            let (cell, is_quoted) = self.part.cell(row, self.place);
            if let Err(error) = push(&cell, is_quoted, self.pieces) {
                let place =
                    format!("line {}, column {}", self.part.line(row), escape::quoted(self.name));
                if !self.bad.add(row, error.in_context(&place)) {
                    return;
                }
                // The row is left out.
                self.pieces.push_again((0, 0));
            }
        }
    }
}

/// Reads rows to know the types of fields. What is wrong with the file is told when it is read again.
fn infer<R: Read>(
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
        let wanted = columns.places.iter().zip(&columns.types).zip(&mut all);
        for ((&place, _), evidence) in wanted.filter(|((_, known), _)| known.is_none()) {
            look(part, place, settings, evidence);
        }
    }
    all
}

fn look(part: Part<'_>, place: usize, settings: &Settings, evidence: &mut Evidence) {
    let see = |seen: &mut Seen, row: usize| {
        let (cell, is_quoted) = part.cell(row, place);
        match settings.swaps_marks {
            false => cells::see(seen, &cell, is_quoted, &settings.nulls),
            true if settings.nulls.has_text(&cell, is_quoted) => {}
            true => cells::see(seen, &cells::swap_marks(&cell), is_quoted, &settings.nulls),
        }
    };
    let mut seen = evidence.seen();
    (0..part.rows()).for_each(|row| see(&mut seen, row));
    if evidence.merge(seen) {
        return;
    }
    for row in 0..part.rows() {
        evidence.add(
            part.line(row),
            |seen| see(seen, row),
            || part.cell(row, place).0.into_owned(),
        );
    }
}
