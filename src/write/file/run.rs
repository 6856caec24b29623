//! The writing of one file: read part by part, written batch by batch.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use super::{EachLine, FileReport, Progress};
use crate::file::{self, FileFormat, LineSource, Origin, ReadOptions};
use crate::line_protocol::text::line_ends;
use crate::record::Lines;
use crate::write::batching::FileBatches;
use crate::write::sync::{self, EncodedLines};
use crate::write::target::Target;
use crate::write::{Batching, Writer};
use crate::{Error, ErrorKind, LineError, Result};

/// The writing of one file.
pub(super) struct Run<'a, 'e> {
    writer: &'a Writer,
    target: Arc<Target>,
    /// The batches of the file, where the client batches.
    batches: Option<FileBatches>,
    /// Receives the lines in place of the server.
    each: Option<EachLine<'e>>,
    /// Lines that are still to be left out.
    skip: usize,
    /// Lines of the file that are written, refused or left out.
    settled: usize,
    report: FileReport,
    /// The first answer that some lines were refused.
    partial: Option<Error>,
    line_errors: Vec<LineError>,
    /// Rows of the file that were read.
    rows: usize,
    /// The most bytes of a request of several lines: halved when the server refuses one as too large.
    most: usize,
    /// The most bytes that one read has added; the next read is expected to add no more.
    longest: usize,
}

impl<'a, 'e> Run<'a, 'e> {
    pub(super) fn new(
        writer: &'a Writer,
        target: Target,
        resume_from_line: usize,
        each: Option<EachLine<'e>>,
    ) -> Result<Self> {
        let batching = writer.batching().filter(|_| each.is_none());
        Ok(Self {
            writer,
            target: Arc::new(target),
            batches: batching.map(Batching::file_batches).transpose()?,
            each,
            skip: resume_from_line,
            settled: 0,
            report: FileReport::default(),
            partial: None,
            line_errors: Vec::new(),
            rows: 0,
            most: writer.config().max_request_bytes,
            longest: 0,
        })
    }

    pub(super) fn write(
        &mut self,
        origin: Origin<'_>,
        format: FileFormat,
        read_options: &ReadOptions,
        mut progress: Option<&mut (dyn FnMut(&Progress) + '_)>,
    ) -> Result<()> {
        let rules = self.writer.tag_rules();
        let bytes_total = origin.len();
        let mut source = file::open(origin, format, read_options, self.target.precision, rules)?;
        let mut buffer = Vec::new();
        let mut told = 0;
        loop {
            buffer.clear();
            let end = self.batch(source.as_mut(), &mut buffer)?;
            // An error in the file: the lines before it are written.
            let is_more = end.map_err(|error| self.stopped(error, 0))?;
            if let Some(progress) = &mut progress
                && (is_more || self.report.lines > told)
            {
                told = self.report.lines;
                let bytes_read = source.bytes_read();
                progress(&Progress {
                    bytes_read: bytes_total.map_or(bytes_read, |total| total.min(bytes_read)),
                    bytes_total: bytes_total.unwrap_or(bytes_read),
                    lines_written: self.report.lines,
                });
            }
            if !is_more {
                self.report.add(source.summary());
                return Ok(());
            }
        }
    }

    /// Reads lines for a batch and writes them. The inner result says whether there is more to read, or why reading failed.
    fn batch(&mut self, source: &mut dyn LineSource, buffer: &mut Vec<u8>) -> Result<Result<bool>> {
        let limit = self.most.min(BATCH_BYTES);
        let rules = self.writer.tag_rules();
        let mut lines = Lines::new(buffer, self.target.precision, rules).starting_at_row(self.rows);
        let end = loop {
            let before = lines.byte_len();
            match source.read(&mut lines) {
                Ok(true) => {}
                end => break end,
            }
            self.longest = self.longest.max(lines.byte_len() - before);
            if source.is_paused() && lines.count() > 0 {
                break Ok(true);
            }
            if lines.byte_len() + self.longest > limit {
                break Ok(true);
            }
        };
        self.rows = lines.rows();
        self.report.rows_without_fields += lines.skipped();
        let (count, repeatable) = (lines.count(), lines.all_stamped());
        let map = lines.into_map();
        let skip = self.skip.min(count);
        self.skip -= skip;
        self.settled += skip;
        if skip == count {
            return Ok(end);
        }
        if skip > 0 {
            let bytes = line_ends(buffer).nth(skip - 1).unwrap_or(buffer.len());
            buffer.drain(..bytes);
        }
        let (bytes, count) = (buffer.len(), count - skip);
        let map = if skip == 0 { map } else { Default::default() };
        let encoded = EncodedLines { buffer: std::mem::take(buffer), count, repeatable, map };
        self.settle(encoded, bytes, count)?;
        Ok(end)
    }

    /// Writes a batch, and waits until each of its lines is either written or refused.
    fn settle(&mut self, encoded: EncodedLines, bytes: usize, count: usize) -> Result<()> {
        if let Some(each) = &mut self.each {
            let mut start = 0;
            for end in line_ends(&encoded.buffer) {
                let line = encoded.buffer.get(start..end).unwrap_or_default();
                let line = String::from_utf8_lossy(line.strip_suffix(b"\n").unwrap_or(line));
                each(&line).map_err(not_taken)?;
                start = end;
            }
            self.report.lines += count;
            self.report.bytes += bytes;
            self.settled += count;
            return Ok(());
        }
        if let Some(mut batches) = self.batches.take() {
            let result = self.settle_batches(&mut batches, &encoded.buffer, count);
            self.batches = Some(batches);
            result?;
            self.settled += count;
            return Ok(());
        }
        let (http, config) = (self.writer.http(), self.writer.config());
        let result = sync::send(http, config, &self.target, encoded, &mut self.most);
        self.report.batches += 1;
        match result {
            Ok(()) => {
                self.report.lines += count;
                self.report.bytes += bytes;
            }
            Err(error) if error.kind() == ErrorKind::PartialWrite => {
                self.report.lines += error.lines_written();
                self.report.bytes += bytes;
                let room = SHOWN_LINE_ERRORS.saturating_sub(self.line_errors.len());
                let in_file = error.line_errors().iter().take(room).map(|line_error| {
                    let number = line_error.line_number().map(|number| self.settled + number);
                    line_error.clone().with_line_number(number)
                });
                self.line_errors.extend(in_file);
                self.partial.get_or_insert(error);
            }
            Err(error) => {
                let written = error.lines_written();
                return Err(self.stopped(error, written));
            }
        }
        self.settled += count;
        Ok(())
    }

    /// The same by way of the client's batches: with its retries and callbacks, none of them mixed with other lines.
    fn settle_batches(
        &mut self,
        batches: &mut FileBatches,
        lines: &[u8],
        count: usize,
    ) -> Result<()> {
        let result = batches.submit(&self.target, lines, count).and_then(|()| batches.settle());
        let report = batches.amounts();
        self.report.lines = usize::try_from(report.written.lines).unwrap_or(usize::MAX);
        self.report.bytes = usize::try_from(report.written.bytes).unwrap_or(usize::MAX);
        self.report.batches = usize::try_from(report.batches).unwrap_or(usize::MAX);
        let Err(error) = result else { return Ok(()) };
        let located = locate(error.line_errors(), lines, self.settled);
        // Unsent lines make it a failure of the call, not only a partial write.
        if !error.unsent().is_empty() || error.line_errors().is_empty() {
            return Err(self.stopped(error.with_line_errors(located), 0));
        }
        let room = SHOWN_LINE_ERRORS.saturating_sub(self.line_errors.len());
        self.line_errors.extend(located.into_iter().take(room));
        self.partial.get_or_insert(error);
        Ok(())
    }

    /// The report, or `PartialWrite` if the server refused lines.
    pub(super) fn end(self) -> Result<FileReport> {
        match self.partial {
            None => Ok(self.report),
            Some(error) => {
                Err(error.with_lines_written(self.report.lines).with_line_errors(self.line_errors))
            }
        }
    }

    /// The error that ends it, `written` lines of the last batch having been written.
    fn stopped(&self, error: Error, written: usize) -> Error {
        let mut line_errors = self.line_errors.clone();
        line_errors.extend_from_slice(error.line_errors());
        error
            .with_lines_written(self.report.lines + written)
            .with_line_errors(line_errors)
            .with_resume_line(self.settled + written)
    }
}

fn not_taken(error: io::Error) -> Error {
    Error::new(ErrorKind::File, format!("a line was not taken: {error}")).with_source(error)
}

/// Finds the numbers of lines that are known by their texts, `before` being the lines before these.
fn locate(errors: &[LineError], lines: &[u8], before: usize) -> Vec<LineError> {
    let mut numbers: HashMap<&[u8], usize> = HashMap::new();
    let mut start = 0;
    for (place, end) in line_ends(lines).enumerate() {
        let line = lines.get(start..end).unwrap_or_default();
        numbers.entry(line.strip_suffix(b"\n").unwrap_or(line)).or_insert(before + place + 1);
        start = end;
    }
    let number = |error: &LineError| numbers.get(error.line()?.as_bytes()).copied();
    errors.iter().map(|error| error.clone().with_line_number(number(error))).collect()
}

/// The most bytes of a batch, the default of `max_request_bytes`: a durable write takes about a second whatever its size.
const BATCH_BYTES: usize = 10 << 20;
const SHOWN_LINE_ERRORS: usize = 1000;
