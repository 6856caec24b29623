//! Objects, each of which is a row.

use std::io::Read;

use super::key_columns::KeyColumns;
use super::keys::{self, EntryVisitor, Keys};
use super::objects::{Object, Objects};
use super::scalar::{Scalar, ScalarRules};
use super::text::Malformed;
use crate::columns::{BLOCK_ROWS, RowSink};
use crate::file::byte_counter::ByteCounter;
use crate::file::summary::{Skipped, Summary};
use crate::file::type_inference::TypeInference;
use crate::file::{LineSource, ReadOptions, encoding, unreadable};
use crate::line_protocol::escape;
use crate::record::Lines;
use crate::{Error, Result};

/// The rows of a file.
pub(super) struct ObjectRows<R> {
    pub(super) objects: Objects<R>,
    pub(super) keys: Keys,
    pub(super) table: KeyColumns,
    pub(super) flatten: Option<String>,
    pub(super) skipped: Skipped,
    pub(super) counter: ByteCounter,
}

impl<R: Read> LineSource for ObjectRows<R> {
    fn read(&mut self, lines: &mut Lines<'_>) -> Result<bool> {
        self.table.clear();
        let (mut row, mut is_skipped) = (0, false);
        let end = loop {
            if row == BLOCK_ROWS {
                break Ok(true);
            }
            match self.read_row(row) {
                Ok(NextRow::Row) => row += 1,
                // The next call reports the end, if this one has rows.
                Ok(NextRow::End) => break Ok(row > 0),
                Ok(NextRow::Bad { line, error }) => {
                    is_skipped = true;
                    break self.skipped.take(line, error).map(|()| true);
                }
                Err(error) => break Err(error),
            }
        };
        lines.push_rows(&self.table.layout, &self.table.rendered, 0..row);
        if is_skipped {
            lines.skip_row();
        }
        end
    }

    fn bytes_read(&self) -> u64 {
        self.counter.get()
    }

    fn summary(&self) -> Summary {
        Summary {
            columns: self.table.fields(),
            skipped: self.skipped.clone(),
            ..Summary::default()
        }
    }
}

/// What stands where the next row is looked for.
enum NextRow {
    Row,
    /// An object that cannot be written.
    Bad {
        line: u64,
        error: Error,
    },
    End,
}

impl<R: Read> ObjectRows<R> {
    fn read_row(&mut self, row: usize) -> Result<NextRow> {
        let Some(object) = self.objects.next()? else { return Ok(NextRow::End) };
        let line = object.line;
        let mut entries =
            RowVisitor { keys: &self.keys, table: &mut self.table, row, failed: None };
        let read = text(object).and_then(|text| {
            keys::read(text, self.flatten.as_deref(), &mut entries)
                .map_err(|error| no_json(line, error))
        });
        let in_line = |error: Error| error.in_context(&format!("line {line}"));
        let error = match (read, entries.failed.take()) {
            (Ok(()), None) => match self.table.end_row(row) {
                Ok(()) => return Ok(NextRow::Row),
                Err(error) => in_line(error),
            },
            (_, Some(error)) => in_line(error),
            (Err(error), None) => error,
        };
        self.table.truncate(row);
        Ok(NextRow::Bad { line, error })
    }
}

struct RowVisitor<'a> {
    keys: &'a Keys,
    table: &'a mut KeyColumns,
    row: usize,
    failed: Option<Error>,
}

impl EntryVisitor for RowVisitor<'_> {
    fn keys(&self) -> &Keys {
        self.keys
    }

    fn unknown(&mut self, key: &str) -> Option<usize> {
        if self.table.leaves_out(key) {
            // No column has this place: the value is left out.
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
        match self.table.push(self.row, place, &scalar) {
            Ok(()) => true,
            Err(error) => {
                self.failed = Some(error);
                false
            }
        }
    }
}

/// What was seen of all objects.
#[derive(Default)]
pub(super) struct Inferred {
    pub(super) keys: Keys,
    pub(super) inference: Vec<TypeInference>,
    /// What ended the reading before the end of the rows.
    pub(super) failed: Option<Error>,
}

/// Reads objects. Errors of the file are reported by the second read.
pub(super) fn infer<R: Read>(
    mut objects: Objects<R>,
    read_options: &ReadOptions,
    scalar_rules: &ScalarRules,
) -> Inferred {
    let mut inferred = Inferred::default();
    let mut left = read_options.infer_rows.unwrap_or(u64::MAX);
    while left > 0 {
        let object = match objects.next() {
            Ok(Some(object)) => object,
            Ok(None) => break,
            Err(error) => {
                inferred.failed = Some(error);
                break;
            }
        };
        let mut entries = TypeVisitor { inferred: &mut inferred, scalar_rules, line: object.line };
        let read = text(object).and_then(|text| {
            keys::read(text, read_options.flatten.as_deref(), &mut entries)
                .map_err(|error| no_json(object.line, error))
        });
        if let Err(error) = read
            && !read_options.skip_bad_rows
        {
            inferred.failed = Some(error);
            break;
        }
        left -= 1;
    }
    inferred
}

struct TypeVisitor<'a> {
    inferred: &'a mut Inferred,
    scalar_rules: &'a ScalarRules,
    line: u64,
}

impl EntryVisitor for TypeVisitor<'_> {
    fn keys(&self) -> &Keys {
        &self.inferred.keys
    }

    fn unknown(&mut self, key: &str) -> Option<usize> {
        self.inferred.inference.push(TypeInference::default());
        Some(self.inferred.keys.add(key))
    }

    #[inline]
    fn entry(&mut self, place: usize, scalar: Scalar<'_>) -> bool {
        if let Some(inference) = self.inferred.inference.get_mut(place) {
            inference.add(
                self.line,
                |seen| scalar.see(seen, &self.scalar_rules.nulls),
                || scalar.shown(),
            );
        }
        true
    }
}

/// The text of an object.
pub(super) fn text(object: Object<'_>) -> Result<&str> {
    std::str::from_utf8(object.bytes)
        .map_err(|_| unreadable(encoding::not_utf8(object.bytes, object.line).unwrap_or_default()))
}

pub(super) fn no_json(line: u64, error: Malformed) -> Error {
    unreadable(format!("line {line}: it is no JSON: {error}"))
}
