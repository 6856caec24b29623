//! Batches that are being filled, and how lines are cut into them.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use super::target::Target;
use crate::Error;
use crate::line_protocol::text::line_ends;

/// When a batch is full.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fill {
    pub(crate) lines: usize,
    pub(crate) bytes: usize,
}

/// A batch that takes more lines.
#[derive(Debug)]
pub(crate) struct Open {
    pub(crate) target: Arc<Target>,
    pub(crate) number: u64,
    pub(crate) since: Instant,
    pub(crate) bytes: Vec<u8>,
    pub(crate) lines: usize,
}

/// The open batches of a client, one for each target.
#[derive(Debug, Default)]
pub(crate) struct OpenBatches {
    /// The batch that was written to last, as most programs have but one.
    current: Option<Open>,
    others: HashMap<Arc<Target>, Open>,
}

/// Lines of one call for one target, of which the first ones may have been taken already.
#[derive(Debug)]
pub(crate) struct Part<'a> {
    pub(crate) target: &'a Arc<Target>,
    bytes: &'a [u8],
    lines: usize,
    /// Where each line ends, once that matters.
    ends: Option<Vec<usize>>,
    taken_bytes: usize,
    taken_lines: usize,
}

impl OpenBatches {
    /// The open batch for `target`, if there is one.
    pub(crate) fn get(&mut self, target: &Arc<Target>) -> Option<&mut Open> {
        let is_same = |open: &Open| Arc::ptr_eq(&open.target, target) || open.target == *target;
        if !self.current.as_ref().is_some_and(is_same) {
            let found = self.others.remove(target)?;
            if let Some(last) = self.current.replace(found) {
                self.others.insert(last.target.clone(), last);
            }
        }
        self.current.as_mut()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.current.is_none() && self.others.is_empty()
    }

    /// Makes `open` the batch of its target.
    pub(crate) fn insert(&mut self, open: Open) -> &mut Open {
        if let Some(last) = self.current.take() {
            self.others.insert(last.target.clone(), last);
        }
        self.current.insert(open)
    }

    /// Closes the batch that [`get`](Self::get) or [`insert`](Self::insert) gave last.
    pub(crate) fn take_current(&mut self) -> Option<Open> {
        self.current.take()
    }

    /// Closes the batches that `is_due` names.
    pub(crate) fn take_if(&mut self, is_due: impl Fn(&Open) -> bool) -> Vec<Open> {
        let mut taken: Vec<_> =
            self.others.extract_if(|_, open| is_due(open)).map(|(_, open)| open).collect();
        taken.extend(self.current.take_if(|open| is_due(open)));
        taken
    }

    /// Closes the batch that was opened first.
    pub(crate) fn take_oldest(&mut self) -> Option<Open> {
        let number = self.iter().map(|open| open.number).min()?;
        if let Some(open) = self.current.take_if(|open| open.number == number) {
            return Some(open);
        }
        self.others.extract_if(|_, open| open.number == number).next().map(|(_, open)| open)
    }

    /// When the oldest batch was opened.
    pub(crate) fn oldest(&self) -> Option<Instant> {
        self.iter().map(|open| open.since).min()
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Open> {
        self.current.iter_mut().chain(self.others.values_mut())
    }

    fn iter(&self) -> impl Iterator<Item = &Open> {
        self.current.iter().chain(self.others.values())
    }
}

impl Open {
    pub(crate) fn is_full(&self, fill: Fill) -> bool {
        self.lines >= fill.lines || self.bytes.len() >= fill.bytes
    }
}

impl Error {
    /// Hands back what of `parts` was not taken, behind what the error has already.
    pub(crate) fn with_rest(mut self, parts: &[Part<'_>]) -> Self {
        let left = parts.iter().filter(|part| part.lines_left() > 0);
        self.add_unsent(
            left.map(|part| part.target.batch(part.bytes_left().to_vec(), part.lines_left())),
        );
        self
    }
}

impl<'a> Part<'a> {
    pub(crate) fn new(target: &'a Arc<Target>, bytes: &'a [u8], lines: usize) -> Self {
        Self { target, bytes, lines, ends: None, taken_bytes: 0, taken_lines: 0 }
    }

    /// The lines that are not taken yet.
    pub(crate) fn lines_left(&self) -> usize {
        self.lines - self.taken_lines
    }

    pub(crate) fn bytes_left(&self) -> &'a [u8] {
        &self.bytes[self.taken_bytes..]
    }

    /// Finds out where the lines end, which [`fitting`](Self::fitting) needs if not all of them fit.
    pub(crate) fn index(&mut self) {
        if self.ends.is_none() {
            self.ends = Some(line_ends(self.bytes).collect());
        }
    }

    pub(crate) fn is_indexed(&self) -> bool {
        self.ends.is_some() || self.lines <= 1
    }

    /// The place, from 0, and the size of the first line over `limit` bytes.
    pub(crate) fn line_over(&mut self, limit: usize) -> Option<(usize, usize)> {
        if self.bytes.len() <= limit {
            return None;
        }
        self.index();
        let mut start = 0;
        for (place, &end) in self.ends.iter().flatten().enumerate() {
            if end - start > limit {
                return Some((place, end - start));
            }
            start = end;
        }
        None
    }

    /// As many of the lines that are left as fit into `room`, as their number and their size.
    pub(crate) fn fitting(&self, room: Fill) -> (usize, usize) {
        let left = (self.lines_left(), self.bytes_left().len());
        if left.0 <= room.lines && left.1 <= room.bytes {
            return left;
        }
        let Some(ends) = &self.ends else { return (0, 0) };
        let rest = ends.get(self.taken_lines..).unwrap_or(&[]);
        let few = &rest[..rest.len().min(room.lines)];
        let lines = few.partition_point(|end| end - self.taken_bytes <= room.bytes);
        let end = lines.checked_sub(1).and_then(|last| few.get(last));
        (lines, end.map_or(0, |end| end - self.taken_bytes))
    }

    /// Takes the first `lines` lines, which are `bytes` bytes.
    pub(crate) fn take(&mut self, lines: usize, bytes: usize) -> &'a [u8] {
        let taken = &self.bytes[self.taken_bytes..self.taken_bytes + bytes];
        self.taken_bytes += bytes;
        self.taken_lines += lines;
        taken
    }
}
