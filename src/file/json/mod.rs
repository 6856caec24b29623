//! JSON files.

mod keys;
mod objects;
mod pandas;
mod scalar;

use std::io::Read;

use super::counter::Counter;
use super::input::{Input, Origin};
use super::packing::Packing;
use super::types::Seen;
use super::{Reading, Source, unreadable};
use crate::columns::{BLOCK_ROWS, ColumnRole, LayoutOptions, RenderedColumn, TableLayout};
use crate::line_protocol::{TagRules, escape};
use crate::record::Lines;
use crate::{ColumnType, Error, Precision, Result};
use keys::{Entries, Keys};
use objects::Objects;
use pandas::Frame;
use scalar::Scalar;

/// Opens a file, and reads it once to know its keys and the types of their values.
pub(super) fn open<'a>(
    origin: &Origin<'a>,
    packing: Packing,
    reading: &Reading,
    precision: Precision,
    rules: &TagRules,
) -> Result<Box<dyn Source + 'a>> {
    let input = Input::open(origin)?;
    let counter = input.counter.clone();
    let mut objects = Objects::new(input.unpacked(packing));
    if let Some(frame) = frame(&mut objects)? {
        let mut seen = vec![Seen::default(); frame.names.len()];
        for (seen, column) in seen.iter_mut().zip(&frame.columns) {
            column.iter().for_each(|value| Scalar::of(value).see(seen));
        }
        let table = Table::new(frame.names.clone(), &seen, reading, precision, rules)?;
        return Ok(Box::new(FrameRows { table, frame, done: 0, counter }));
    }
    drop(objects);

    let inferring = Objects::new(Input::open(origin)?.unpacked(packing));
    let inferred = infer(inferring, reading.infer_rows);
    if inferred.keys.names().is_empty() {
        // The array has no rows, or what stands there is told of when it is read.
        let objects = Objects::new(Input::open(origin)?.unpacked(packing));
        return Ok(Box::new(Nothing { objects, counter }));
    }
    let names = inferred.keys.names().to_vec();
    let table = Table::new(names, &inferred.seen, reading, precision, rules)?;
    let input = Input::open(origin)?;
    let counter = input.counter.clone();
    let objects = Objects::new(input.unpacked(packing));
    Ok(Box::new(Rows { objects, keys: inferred.keys, table, counter }))
}

/// Where the values of a row go.
struct Table {
    names: Vec<String>,
    options: LayoutOptions,
    layout: TableLayout,
    /// For each key its place among the columns of the layout.
    places: Vec<Option<usize>>,
    /// Of the columns of the layout.
    types: Vec<ColumnType>,
    pieces: Vec<RenderedColumn>,
}

impl Table {
    fn new(
        names: Vec<String>,
        seen: &[Seen],
        reading: &Reading,
        precision: Precision,
        rules: &TagRules,
    ) -> Result<Self> {
        let names_ref: Vec<&str> = names.iter().map(String::as_str).collect();
        let layout = TableLayout::new(&reading.layout, &names_ref, rules, precision)?;
        if let Some((name, _)) = reading
            .types
            .iter()
            .find(|(name, _)| !names.iter().any(|known| reading.layout.new_name(known) == name))
        {
            return Err(Error::config(format!(
                "column_type names the key {}, which no object has",
                escape::quoted(name)
            )));
        }
        let mut types = Vec::new();
        let mut places = vec![None; names.len()];
        for (number, column) in layout.columns().iter().enumerate() {
            if let Some(place) = places.get_mut(column.index) {
                *place = Some(number);
            }
            let given = reading.types.iter().rev().find(|(name, _)| *name == column.name);
            let seen = seen.get(column.index).copied().unwrap_or_default();
            let is_field = matches!(column.role, ColumnRole::Field(_));
            if is_field && given.is_none() && seen.is_mixed() {
                return Err(Error::invalid_record(format!(
                    "the values of the key {} are of several types: choose one with column_type",
                    escape::quoted(&column.name)
                )));
            }
            types.push(given.map_or_else(|| seen.column_type(), |(_, column_type)| *column_type));
        }
        let pieces = vec![RenderedColumn::default(); layout.columns().len()];
        let options = reading.layout.clone();
        Ok(Self { names, options, layout, places, types, pieces })
    }

    fn clear(&mut self) {
        self.pieces.iter_mut().for_each(RenderedColumn::clear);
    }

    /// Adds the value of a key; the last of equal keys counts.
    fn push(&mut self, row: usize, key: usize, scalar: Scalar<'_>) -> Result<()> {
        let Some(place) = self.places.get(key).copied().flatten() else { return Ok(()) };
        let (Some(column), Some(&column_type), Some(pieces)) =
            (self.layout.columns().get(place), self.types.get(place), self.pieces.get_mut(place))
        else {
            return Ok(());
        };
        pieces.truncate(row);
        scalar
            .push(&column.role, column_type, pieces)
            .map_err(|error| error.in_context(&format!("key {}", escape::quoted(&column.name))))
    }

    /// Adds what the row has not.
    fn end_row(&mut self, row: usize) -> Result<()> {
        let columns = self.layout.columns().iter().zip(&self.types).zip(&mut self.pieces);
        for ((column, &column_type), pieces) in columns {
            if pieces.len() <= row {
                Scalar::Null.push(&column.role, column_type, pieces).map_err(|error| {
                    error.in_context(&format!("key {}", escape::quoted(&column.name)))
                })?;
            }
        }
        Ok(())
    }
}

/// Objects, each of which is a row.
struct Rows<R> {
    objects: Objects<R>,
    keys: Keys,
    table: Table,
    counter: Counter,
}

impl<R: Read> Source for Rows<R> {
    fn read(&mut self, lines: &mut Lines<'_>) -> Result<bool> {
        self.table.clear();
        let mut row = 0;
        let mut result = Ok(true);
        while row < BLOCK_ROWS {
            match self.read_row(row) {
                Ok(true) => row += 1,
                end => {
                    result = end;
                    break;
                }
            }
        }
        lines.push_rows(&self.table.layout, &self.table.pieces, row);
        // The end is told when there is no row before it.
        result.map(|is_more| is_more || row > 0)
    }

    fn bytes_read(&self) -> u64 {
        self.counter.get()
    }
}

impl<R: Read> Rows<R> {
    fn read_row(&mut self, row: usize) -> Result<bool> {
        let Some(object) = self.objects.next()? else { return Ok(false) };
        let line = object.line;
        let mut reading =
            RowEntries { keys: &self.keys, table: &mut self.table, row, failed: None };
        let read = keys::read(object.bytes, &mut reading);
        let failed = reading.failed.take();
        let result = match (read, failed) {
            (_, Some(error)) => Err(error),
            (Err(error), None) => {
                Err(unreadable(format!("it is no JSON: {error}")).with_source(error))
            }
            (Ok(()), None) => self.table.end_row(row),
        };
        result.map_err(|error| error.in_context(&format!("line {line}")))?;
        Ok(true)
    }
}

struct RowEntries<'a> {
    keys: &'a Keys,
    table: &'a mut Table,
    row: usize,
    failed: Option<Error>,
}

impl Entries for RowEntries<'_> {
    fn keys(&self) -> &Keys {
        self.keys
    }

    fn unknown(&mut self, key: &str) -> Option<usize> {
        let options = &self.table.options;
        let name = options.new_name(key);
        if options.is_excluded(name) || !options.can_be_field(name) {
            // The place of no column.
            return Some(self.keys.names().len());
        }
        self.failed = Some(Error::invalid_record(format!(
            "the key {} was not in the rows that decided about types: raise infer_rows, or leave it out",
            escape::quoted(key)
        )));
        None
    }

    #[inline]
    fn entry(&mut self, place: usize, scalar: Scalar<'_>) -> bool {
        match self.table.push(self.row, place, scalar) {
            Ok(()) => true,
            Err(error) => {
                self.failed = Some(error);
                false
            }
        }
    }
}

/// The rows of a table in memory.
struct FrameRows {
    table: Table,
    frame: Frame,
    done: usize,
    counter: Counter,
}

impl Source for FrameRows {
    fn read(&mut self, lines: &mut Lines<'_>) -> Result<bool> {
        self.table.clear();
        let count = BLOCK_ROWS.min(self.frame.rows - self.done);
        let mut result = Ok(());
        let mut whole = 0;
        while whole < count && result.is_ok() {
            result = self.read_row(whole);
            whole += usize::from(result.is_ok());
        }
        lines.push_rows(&self.table.layout, &self.table.pieces, whole);
        self.done += whole;
        result.map(|()| count > 0)
    }

    fn bytes_read(&self) -> u64 {
        self.counter.get()
    }
}

impl FrameRows {
    fn read_row(&mut self, row: usize) -> Result<()> {
        let number = self.done + row;
        for key in 0..self.table.names.len() {
            let value = self.frame.columns.get(key).and_then(|column| column.get(number));
            let scalar = value.map_or(Scalar::Null, Scalar::of);
            let pushed = self.table.push(row, key, scalar);
            pushed.map_err(|error| error.in_context(&format!("row {}", number + 1)))?;
        }
        Ok(())
    }
}

/// A file without a row, or without anything that can be read.
struct Nothing<R> {
    objects: Objects<R>,
    counter: Counter,
}

impl<R: Read> Source for Nothing<R> {
    fn read(&mut self, _: &mut Lines<'_>) -> Result<bool> {
        match self.objects.next()? {
            None => Ok(false),
            Some(object) => match serde_json::from_slice::<serde_json::Value>(object.bytes) {
                Ok(_) => Ok(true),
                Err(error) => {
                    Err(unreadable(format!("line {}: it is no JSON: {error}", object.line))
                        .with_source(error))
                }
            },
        }
    }

    fn bytes_read(&self) -> u64 {
        self.counter.get()
    }
}

/// What was seen of all objects.
#[derive(Default)]
struct Inferred {
    keys: Keys,
    seen: Vec<Seen>,
}

impl Entries for Inferred {
    fn keys(&self) -> &Keys {
        &self.keys
    }

    fn unknown(&mut self, key: &str) -> Option<usize> {
        self.seen.push(Seen::default());
        Some(self.keys.add(key))
    }

    #[inline]
    fn entry(&mut self, place: usize, scalar: Scalar<'_>) -> bool {
        if let Some(seen) = self.seen.get_mut(place) {
            scalar.see(seen);
        }
        true
    }
}

/// Reads objects. What is wrong with the file is told when it is read again.
fn infer<R: Read>(mut objects: Objects<R>, rows: Option<u64>) -> Inferred {
    let mut inferred = Inferred::default();
    let mut left = rows.unwrap_or(u64::MAX);
    while left > 0 {
        let Ok(Some(object)) = objects.next() else { break };
        if keys::read(object.bytes, &mut inferred).is_err() {
            break;
        }
        left -= 1;
    }
    inferred
}

/// The table that the first and only object of a file is, if it is one.
fn frame<R: Read>(objects: &mut Objects<R>) -> Result<Option<Frame>> {
    let Ok(Some(object)) = objects.next() else { return Ok(None) };
    let frame = Frame::read(object.bytes)?;
    if frame.is_none() || !objects.is_loose() {
        return Ok(None);
    }
    match objects.next()? {
        None => Ok(frame),
        Some(object) => {
            Err(unreadable(format!("line {}: there is something behind the table", object.line)))
        }
    }
}
