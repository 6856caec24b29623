//! JSON files.

mod key_columns;
mod keys;
mod object_rows;
mod objects;
mod pandas;
mod pandas_rows;
mod path;
mod scalar;
mod text;

use std::io::{Cursor, Read};

use self::key_columns::KeyColumns;
use self::object_rows::ObjectRows;
use self::objects::Objects;
use self::pandas::PandasTable;
use self::pandas_rows::PandasRows;
use self::scalar::ScalarRules;
use super::byte_counter::ByteCounter;
use super::file_compression::FileCompression;
use super::input::{Input, Origin};
use super::null_texts::NullTexts;
use super::summary::Skipped;
use super::{LineSource, ReadOptions, unreadable};
use crate::line_protocol::TagRules;
use crate::record::Lines;
use crate::{Precision, Result};

/// Opens a file, and reads it once to know its keys and the types of their values.
pub(super) fn open<'a>(
    origin: &Origin<'a>,
    compression: FileCompression,
    read_options: &ReadOptions,
    precision: Precision,
    rules: &TagRules,
) -> Result<Box<dyn LineSource + 'a>> {
    let scalar_rules = ScalarRules {
        nulls: NullTexts::new(read_options),
        time_format: read_options.time_format.clone(),
    };
    let file = JsonFile { origin, compression, read_options };
    let (mut objects, counter) = file.objects()?;
    if let Some(frame) = frame(&mut objects, read_options)? {
        let inference = pandas_rows::infer(&frame, &scalar_rules, read_options.infer_rows);
        let table = KeyColumns::new(
            &frame.names,
            &inference,
            read_options,
            scalar_rules,
            precision,
            rules,
        )?;
        return Ok(Box::new(PandasRows::new(table, frame, read_options.skip_bad_rows, counter)));
    }
    drop(objects);

    let inferred = object_rows::infer(file.objects()?.0, read_options, &scalar_rules);
    let (objects, counter) = file.objects()?;
    let names = inferred.keys.names();
    if names.is_empty() {
        // There is no row, or the first one cannot be read: reading it says why.
        return Ok(Box::new(EmptyJson { objects, counter }));
    }
    let table =
        KeyColumns::new(names, &inferred.inference, read_options, scalar_rules, precision, rules);
    // A key that is missed may stand behind the place at which the reading ended.
    let table = table.map_err(|error| inferred.failed.unwrap_or(error))?;
    let skipped = Skipped::new(read_options.skip_bad_rows);
    let flatten = read_options.flatten.clone();
    Ok(Box::new(ObjectRows { objects, keys: inferred.keys, table, flatten, skipped, counter }))
}

/// A file that is read more than once.
struct JsonFile<'r, 'a> {
    origin: &'r Origin<'a>,
    compression: FileCompression,
    read_options: &'r ReadOptions,
}

impl<'a> JsonFile<'_, 'a> {
    /// The objects of the file from its beginning, or those at the path within it.
    fn objects(&self) -> Result<(Objects<Box<dyn Read + 'a>>, ByteCounter)> {
        let input = Input::open(self.origin)?;
        let counter = input.counter.clone();
        let mut reader = input.decompressed(self.compression);
        let Some(path) = &self.read_options.json_path else {
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

/// A file without a row. If something stands there that is no row, reading it is an error.
struct EmptyJson<R> {
    objects: Objects<R>,
    counter: ByteCounter,
}

impl<R: Read> LineSource for EmptyJson<R> {
    fn read(&mut self, _: &mut Lines<'_>) -> Result<bool> {
        match self.objects.next()? {
            None => Ok(false),
            Some(object) => match text::value(object_rows::text(object)?) {
                Ok(_) => Ok(true),
                Err(error) => Err(object_rows::no_json(object.line, error)),
            },
        }
    }

    fn bytes_read(&self) -> u64 {
        self.counter.get()
    }
}

/// The table that the first and only object of a file is, if it is one.
fn frame<R: Read>(
    objects: &mut Objects<R>,
    read_options: &ReadOptions,
) -> Result<Option<PandasTable>> {
    let Ok(Some(object)) = objects.next() else { return Ok(None) };
    let frame =
        PandasTable::read(object.bytes, &read_options.layout, read_options.flatten.is_some())?;
    // An object that is followed by others is a row, not a table.
    let is_only = objects.is_loose() && matches!(objects.next(), Ok(None));
    Ok(frame.filter(|_| is_only))
}
