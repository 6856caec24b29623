//! Buffers text for the output and flushes it after each batch, so that rows can be seen as they arrive.

use std::io::Write as _;

use super::super::destination::Destination;
use crate::failure::Failure;

/// Text that is collected for a batch and then written.
#[derive(Debug)]
pub(super) struct PlainText {
    pub(super) buffer: Vec<u8>,
    out: Destination,
}

impl PlainText {
    pub(super) fn new(out: Destination) -> Self {
        Self { buffer: Vec::new(), out }
    }

    /// Writes what was collected if it is much.
    pub(super) fn spill(&mut self) -> Result<(), Failure> {
        if self.buffer.len() < MOST { Ok(()) } else { self.write() }
    }

    /// Writes what was collected, and lets it be seen.
    pub(super) fn end_batch(&mut self) -> Result<(), Failure> {
        self.write()?;
        let flushed = self.out.flush();
        flushed.map_err(|error| Failure::io(self.out.name(), &error))
    }

    pub(super) fn finish(mut self) -> Result<(), Failure> {
        self.write()?;
        self.out.finish()
    }

    fn write(&mut self) -> Result<(), Failure> {
        let written = self.out.write_all(&self.buffer);
        self.buffer.clear();
        written.map_err(|error| Failure::io(self.out.name(), &error))
    }
}

const MOST: usize = 256 << 10;
