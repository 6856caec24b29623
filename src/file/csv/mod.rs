//! CSV files.

mod annotated;
mod header;
mod infer;
mod part;
mod rendering;
mod scan;
mod tokens;

use std::io::Read;

use self::header::Header;
use self::rendering::{BadRows, Rendering, Settings};
use self::tokens::{Dialect, Tokens};
use super::cells::Nulls;
use super::counter::Counter;
use super::evidence::Evidence;
use super::input::{Input, Origin};
use super::packing::Packing;
use super::summary::{FileColumn, Skipped, Summary};
use super::{Reading, Source};
use crate::columns::{BLOCK_ROWS, ColumnRole, RenderedColumn, TableLayout};
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
    let mut columns = Columns::new(&layout, &header, reading);
    if columns.types.contains(&None) {
        let (mut tokens, _) = tokens()?;
        if reading.column_names.is_none() {
            tokens.next(1)?;
        }
        tokens.set_columns(width);
        let evidence = infer::look_at(tokens, &columns, &settings, reading);
        columns.settle(&layout, evidence, reading)?;
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

impl Columns {
    fn new(layout: &TableLayout, header: &Header, reading: &Reading) -> Self {
        let column_type = |name: &str, role: &ColumnRole| match role {
            ColumnRole::Field(_) => reading.column_type(name),
            ColumnRole::Measurement(_) | ColumnRole::Tag(_) | ColumnRole::Time(_) => {
                Some(ColumnType::Text)
            }
        };
        let columns = layout.columns();
        Self {
            places: columns.iter().map(|column| header.place(column.index)).collect(),
            types: columns.iter().map(|column| column_type(&column.name, &column.role)).collect(),
        }
    }

    /// Chooses the types that are not known yet.
    fn settle(
        &mut self,
        layout: &TableLayout,
        evidence: Vec<Evidence>,
        reading: &Reading,
    ) -> Result<()> {
        let mark = if reading.decimal_comma { ',' } else { '.' };
        for ((column, found), evidence) in
            layout.columns().iter().zip(&mut self.types).zip(evidence)
        {
            if found.is_none() {
                *found = Some(evidence.column_type("column", &column.name, mark)?);
            }
        }
        Ok(())
    }
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
        let mut bad = BadRows::new(self.skipped.is_on());
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
