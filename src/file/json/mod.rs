//! JSON files.

mod frame_rows;
mod keys;
mod objects;
mod pandas;
mod path;
mod rows;
mod scalar;
mod table;
mod text;

use std::io::{Cursor, Read};

use self::frame_rows::FrameRows;
use self::objects::Objects;
use self::pandas::Frame;
use self::rows::Rows;
use self::scalar::Settings;
use self::table::Table;
use super::cells::Nulls;
use super::counter::Counter;
use super::input::{Input, Origin};
use super::packing::Packing;
use super::summary::Skipped;
use super::{Reading, Source, unreadable};
use crate::line_protocol::TagRules;
use crate::record::Lines;
use crate::{Precision, Result};

/// Opens a file, and reads it once to know its keys and the types of their values.
pub(super) fn open<'a>(
    origin: &Origin<'a>,
    packing: Packing,
    reading: &Reading,
    precision: Precision,
    rules: &TagRules,
) -> Result<Box<dyn Source + 'a>> {
    let settings =
        Settings { nulls: Nulls::new(reading), time_format: reading.time_format.clone() };
    let file = File { origin, packing, reading };
    let (mut objects, counter) = file.objects()?;
    if let Some(frame) = frame(&mut objects, reading)? {
        let evidence = frame_rows::infer(&frame, &settings, reading.infer_rows);
        let table = Table::new(&frame.names, &evidence, reading, settings, precision, rules)?;
        return Ok(Box::new(FrameRows::new(table, frame, reading.skip_bad_rows, counter)));
    }
    drop(objects);

    let inferred = rows::infer(file.objects()?.0, reading, &settings);
    let (objects, counter) = file.objects()?;
    let names = inferred.keys.names();
    if names.is_empty() {
        // The array has no rows, or what stands there is told of when it is read.
        return Ok(Box::new(Nothing { objects, counter }));
    }
    let table = Table::new(names, &inferred.evidence, reading, settings, precision, rules);
    // Keys that are missed may be behind what ended the reading.
    let table = table.map_err(|error| inferred.failed.unwrap_or(error))?;
    let skipped = Skipped::new(reading.skip_bad_rows);
    let flatten = reading.flatten.clone();
    Ok(Box::new(Rows { objects, keys: inferred.keys, table, flatten, skipped, counter }))
}

/// A file that is read more than once.
struct File<'r, 'a> {
    origin: &'r Origin<'a>,
    packing: Packing,
    reading: &'r Reading,
}

impl<'a> File<'_, 'a> {
    /// The objects of the file from its beginning, or those at the path within it.
    fn objects(&self) -> Result<(Objects<Box<dyn Read + 'a>>, Counter)> {
        let input = Input::open(self.origin)?;
        let counter = input.counter.clone();
        let mut reader = input.unpacked(self.packing);
        let Some(path) = &self.reading.json_path else {
            return Ok((Objects::new(reader), counter));
        };
        let mut document = Vec::new();
        reader.read_to_end(&mut document).map_err(|error| {
            unreadable(format!("it cannot be read: {error}")).with_source(error)
        })?;
        let part = path::find(&document, path)?;
        let objects = Objects::new(Box::new(Cursor::new(part.text)) as Box<dyn Read + 'a>);
        Ok((objects.starting_at_line(part.line), counter))
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
            Some(object) => match text::value(rows::text(object)?) {
                Ok(_) => Ok(true),
                Err(error) => Err(rows::no_json(object.line, error)),
            },
        }
    }

    fn bytes_read(&self) -> u64 {
        self.counter.get()
    }
}

/// The table that the first and only object of a file is, if it is one.
fn frame<R: Read>(objects: &mut Objects<R>, reading: &Reading) -> Result<Option<Frame>> {
    let Ok(Some(object)) = objects.next() else { return Ok(None) };
    let frame = Frame::read(object.bytes, &reading.layout, reading.flatten.is_some())?;
    // An object with others behind it is a row.
    let is_only = objects.is_loose() && matches!(objects.next(), Ok(None));
    Ok(frame.filter(|_| is_only))
}
