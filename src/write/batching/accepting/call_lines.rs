//! The lines of one call on their way into batches.

use std::sync::Arc;

use crate::Error;
use crate::line_protocol::text::line_ends;
use crate::write::batching::batch::Size;
use crate::write::target::Target;

/// Lines of one call for one target, of which the first ones may have been taken already.
#[derive(Debug)]
pub(crate) struct CallLines<'a> {
    target: &'a Arc<Target>,
    /// The shard of all of them.
    shard: usize,
    bytes: &'a [u8],
    lines: usize,
    /// Where each line ends in `bytes`; none until [`index`](Self::index) was called.
    ends: Option<Vec<usize>>,
    taken: Size,
}

impl<'a> CallLines<'a> {
    pub(crate) fn new(target: &'a Arc<Target>, bytes: &'a [u8], lines: usize) -> Self {
        Self { target, shard: 0, bytes, lines, ends: None, taken: Size { lines: 0, bytes: 0 } }
    }

    /// The same lines, which belong into this shard.
    pub(crate) fn in_shard(self, shard: usize) -> Self {
        Self { shard, ..self }
    }

    pub(crate) fn shard(&self) -> usize {
        self.shard
    }

    pub(crate) fn set_shard(&mut self, shard: usize) {
        self.shard = shard;
    }

    pub(crate) fn target(&self) -> &'a Arc<Target> {
        self.target
    }

    /// How much is not taken yet.
    pub(crate) fn left(&self) -> Size {
        Size { lines: self.lines - self.taken.lines, bytes: self.bytes.len() - self.taken.bytes }
    }

    /// The bytes that are not taken yet.
    pub(crate) fn rest(&self) -> &'a [u8] {
        &self.bytes[self.taken.bytes..]
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.lines == self.taken.lines
    }

    /// Finds out where the lines end, without which [`fitting`](Self::fitting) gives all lines or none.
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

    /// As many of the lines that are left as fit into `room`.
    pub(crate) fn fitting(&self, room: Size) -> Size {
        let left = self.left();
        if left.lines <= room.lines && left.bytes <= room.bytes {
            return left;
        }
        let Some(ends) = &self.ends else { return Size { lines: 0, bytes: 0 } };
        let rest = ends.get(self.taken.lines..).unwrap_or(&[]);
        let few = &rest[..rest.len().min(room.lines)];
        let lines = few.partition_point(|end| end - self.taken.bytes <= room.bytes);
        let end = lines.checked_sub(1).and_then(|last| few.get(last));
        Size { lines, bytes: end.map_or(0, |end| end - self.taken.bytes) }
    }

    /// As [`fitting`](Self::fitting), but the next line if it does not fit.
    pub(crate) fn fitting_or_one(&self, room: Size) -> Size {
        let fitting = self.fitting(room);
        if fitting.lines > 0 || self.is_empty() {
            return fitting;
        }
        self.fitting(Size { lines: 1, bytes: usize::MAX })
    }

    /// Takes the next lines, of this size, and returns their bytes.
    pub(crate) fn take(&mut self, size: Size) -> &'a [u8] {
        let start = self.taken.bytes;
        self.taken.bytes += size.bytes;
        self.taken.lines += size.lines;
        &self.bytes[start..self.taken.bytes]
    }
}

impl Error {
    /// Adds the lines that were not taken to the error's `unsent`, after those it has already.
    pub(crate) fn with_rest(mut self, lines: &[CallLines<'_>]) -> Self {
        let left = lines.iter().filter(|lines| !lines.is_empty());
        self.add_unsent(
            left.map(|lines| lines.target.batch(lines.rest().to_vec(), lines.left().lines)),
        );
        self
    }
}
