//! A segment read from its beginning, entry by entry.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use super::disk::DiskFile;
use super::segment_format::{BatchHeader, EntryHeader, find_header, parse, parse_first_line};
use super::target_text;
use crate::write::target::Target;

/// Reads a segment; damaged entries are reported and skipped.
pub(super) struct Scanner {
    file: Arc<dyn DiskFile>,
    salt: u32,
    targets: HashMap<u32, Arc<Target>>,
    /// Bytes of the file from `place` on.
    buffer: Vec<u8>,
    place: u64,
    /// How much of the buffer was read already.
    done: usize,
    /// Where the last entry that was found begins in the buffer.
    last: usize,
    /// Nothing behind it is read.
    end: u64,
}

/// What there is at the place of a scanner.
pub(super) enum Scanned {
    /// A batch, whose lines are in [`lines`](Scanner::lines) if they were asked for.
    Batch(BatchHeader, Arc<Target>),
    /// Bytes that are no entry, with an entry behind them.
    Damage,
    /// No further entry; bytes may be left.
    End,
}

/// What is read of a batch, and compared with its checksum.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Check {
    /// Its header only; its lines are passed over.
    Header,
    /// Its lines as well.
    Lines,
}

impl Scanner {
    /// None if the file is no segment: its first line is not that of one.
    pub(super) fn new(file: Arc<dyn DiskFile>, end: u64) -> io::Result<Option<Self>> {
        let targets = HashMap::new();
        let mut scanner =
            Self { file, salt: 0, targets, buffer: Vec::new(), place: 0, done: 0, last: 0, end };
        let Some(length) = scanner.find_line(0)? else { return Ok(None) };
        let Some(salt) = parse_first_line(&scanner.buffer[..length]) else { return Ok(None) };
        scanner.salt = salt;
        scanner.done = length + 1;
        Ok(Some(scanner))
    }

    /// The place in the file up to which it was read.
    pub(super) fn place(&self) -> u64 {
        self.place + self.done as u64
    }

    /// The lines of the batch that was found last, if they were read.
    pub(super) fn lines(&self, header: &BatchHeader) -> &[u8] {
        let bytes = usize::try_from(header.bytes).unwrap_or(usize::MAX);
        self.done.checked_sub(bytes).map_or(&[], |start| &self.buffer[start..self.done])
    }

    /// Goes back to before the batch that was found last, with its lines.
    pub(super) fn put_back(&mut self) {
        self.done = self.last;
    }

    /// The next entry before `end`: the end of the file, or the place where it is being written.
    pub(super) fn next(&mut self, end: u64, check: Check) -> io::Result<Scanned> {
        self.end = end;
        self.forget();
        loop {
            match self.read_entry(self.done, check)? {
                Some(Entry::Batch(header, target)) => return Ok(Scanned::Batch(header, target)),
                Some(Entry::Target) => {}
                None if self.place() >= end => return Ok(Scanned::End),
                None => return self.pass_over_damage(),
            }
        }
    }

    /// Whether what is left before the end is the beginning of an entry that was not written to its end.
    pub(super) fn is_torn(&mut self) -> io::Result<bool> {
        let Some(length) = self.find_line(self.done)? else { return Ok(true) };
        let line = &self.buffer[self.done..self.done + length];
        let Some(EntryHeader::Batch(header)) = parse(self.salt, line) else { return Ok(false) };
        let body = self.place() + length as u64 + 1;
        Ok(body.checked_add(header.bytes).is_none_or(|behind| behind > self.end))
    }

    /// Reads the entry at `start` of the buffer and goes on behind it. None if there is none that is whole.
    fn read_entry(&mut self, start: usize, check: Check) -> io::Result<Option<Entry>> {
        let Some(length) = self.find_line(start)? else { return Ok(None) };
        let body = start + length + 1;
        let header = match parse(self.salt, &self.buffer[start..start + length]) {
            Some(EntryHeader::Batch(header)) => header,
            Some(EntryHeader::Target(number, text)) => {
                let Some(target) = target_text::from_text(text) else { return Ok(None) };
                self.targets.insert(number, Arc::new(target));
                self.done = body;
                return Ok(Some(Entry::Target));
            }
            None => return Ok(None),
        };
        let behind = (self.place + body as u64).checked_add(header.bytes);
        let is_there = behind.is_some_and(|behind| behind <= self.end);
        let Some(target) = self.targets.get(&header.target).filter(|_| is_there).cloned() else {
            return Ok(None);
        };
        let Ok(bytes) = usize::try_from(header.bytes) else { return Ok(None) };
        if check == Check::Header {
            self.pass_over(body + bytes);
            return Ok(Some(Entry::Batch(header, target)));
        }
        if !self.fill(body + bytes)? {
            return Ok(None);
        }
        if !header.has_written(self.salt, &self.buffer[body..body + bytes]) {
            return Ok(None);
        }
        (self.last, self.done) = (start, body + bytes);
        Ok(Some(Entry::Batch(header, target)))
    }

    /// Goes to the next entry that is whole. Lines are checked here in any case, as they may look like anything.
    fn pass_over_damage(&mut self) -> io::Result<Scanned> {
        let mut from = self.done + 1;
        loop {
            while let Some(at) = find_header(&self.buffer, from) {
                if self.read_entry(at, Check::Lines)?.is_some() {
                    // The next call starts at this entry.
                    self.done = at;
                    return Ok(Scanned::Damage);
                }
                from = at + 1;
            }
            // A header may begin at the end of what is here.
            from = self.buffer.len().saturating_sub(LONGEST_WORD).max(from);
            let known = self.buffer.len();
            self.fill(known + STEP)?;
            if self.buffer.len() == known {
                return Ok(Scanned::End);
            }
        }
    }

    /// Has the line that begins at `start` of the buffer in it; returns its length without its newline.
    fn find_line(&mut self, start: usize) -> io::Result<Option<usize>> {
        let mut from = start;
        loop {
            if let Some(at) = memchr::memchr(b'\n', self.buffer.get(from..).unwrap_or(&[])) {
                return Ok(Some(from + at - start));
            }
            let known = self.buffer.len();
            from = known.max(start);
            if from - start > LONGEST_LINE {
                return Ok(None);
            }
            self.fill(known + STEP)?;
            if self.buffer.len() == known {
                return Ok(None);
            }
        }
    }

    /// Reads until the buffer has `length` bytes; false if the end is before that.
    fn fill(&mut self, length: usize) -> io::Result<bool> {
        let known = self.buffer.len();
        // What is behind the end may be half written, and must not be kept.
        let there = usize::try_from(self.end.saturating_sub(self.place)).unwrap_or(usize::MAX);
        let wanted = length.min(there);
        if wanted > known {
            self.buffer.resize(wanted, 0);
            let read = self.file.read_at(self.place + known as u64, &mut self.buffer[known..]);
            self.buffer.truncate(known + *read.as_ref().unwrap_or(&0));
            read?;
        }
        Ok(self.buffer.len() >= length)
    }

    /// Goes to a place at or behind the end of the buffer, or in it.
    fn pass_over(&mut self, done: usize) {
        if done < self.buffer.len() {
            self.done = done;
        } else {
            self.place += done as u64;
            self.done = 0;
            self.buffer.clear();
        }
    }

    /// Forgets what was read, now and then.
    fn forget(&mut self) {
        if self.done >= STEP || self.done == self.buffer.len() {
            self.buffer.drain(..self.done);
            self.place += self.done as u64;
            self.done = 0;
            if self.buffer.capacity() > MOST_KEPT {
                self.buffer.shrink_to(MOST_KEPT);
            }
        }
    }
}

enum Entry {
    Batch(BatchHeader, Arc<Target>),
    Target,
}

/// How much is read at once, unless a batch is larger.
const STEP: usize = 64 << 10;

/// What a scanner may keep for the next read.
const MOST_KEPT: usize = 256 << 10;

/// A header line beyond this is none.
const LONGEST_LINE: usize = 1 << 20;

/// What a header begins with is no longer.
const LONGEST_WORD: usize = 16;
