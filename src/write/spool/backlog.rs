//! What is on the disk, counted: no file is touched here.

use std::collections::BTreeMap;

use crate::write::amount::Amount;

/// The segments that are there, oldest first, and how far they were read.
///
/// Batches are read in the order in which they were written. One that was read is *leased* until it has ended. A
/// segment is finished when none of its batches is unread or leased.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    segments: BTreeMap<u64, Segment>,
    /// Batches that were read, by the number of the first one where several were read as one.
    leased: BTreeMap<u64, Leased>,
    /// How far it was read.
    pub(super) cursor: Cursor,
    /// What is leased, and what is unread.
    leased_amount: Amount,
    unread: Amount,
    /// Every batch of a lower number was read, or given up.
    read_number: u64,
}

/// A place in a segment. What is before it was read.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Cursor {
    pub(super) segment: u64,
    pub(super) place: u64,
}

/// A file of batches.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Segment {
    /// Whether a process before this one wrote it.
    pub(super) is_former: bool,
    /// Whether some of it cannot be read: then it is not removed.
    pub(super) is_damaged: bool,
    /// Whether what was unread of it was given up.
    pub(super) is_given_up: bool,
    /// Whether more batches may be added.
    pub(super) is_active: bool,
    /// Where it ends, which is its size.
    pub(super) end: u64,
    pub(super) unread: Amount,
    /// How many batches, or batches that were read as one, are leased.
    pub(super) leased: usize,
    /// When the oldest batch that is unread was written, in milliseconds since 1970, or one before it.
    pub(super) first_time: Option<u64>,
    /// The number behind that of its last batch.
    pub(super) next_number: u64,
}

#[derive(Clone, Copy, Debug)]
struct Leased {
    segment: u64,
    amount: Amount,
    time: u64,
}

/// What was read at once for one request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Read {
    /// The number of its first batch.
    pub(super) number: u64,
    pub(super) amount: Amount,
    /// When its first batch was written.
    pub(super) time: u64,
}

/// A segment in which everything has ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct FinishedSegment {
    pub(super) segment: u64,
    pub(super) bytes: u64,
    pub(super) is_damaged: bool,
}

impl Segment {
    /// Counts a batch that was added behind the others.
    pub(super) fn add(&mut self, number: u64, amount: Amount, time: u64, end: u64) {
        self.end = end;
        self.unread += amount;
        self.first_time.get_or_insert(time);
        self.next_number = number + 1;
    }
}

impl Backlog {
    pub(super) fn insert(&mut self, number: u64, segment: Segment) {
        if self.segments.is_empty() {
            self.cursor = Cursor { segment: number, place: 0 };
        }
        self.unread += segment.unread;
        self.segments.insert(number, segment);
    }

    /// Counts a batch that was written behind the others.
    pub(super) fn add(&mut self, segment: u64, number: u64, amount: Amount, time: u64, end: u64) {
        if let Some(segment) = self.segments.get_mut(&segment) {
            segment.add(number, amount, time, end);
            self.unread += amount;
        }
    }

    pub(super) fn get(&self, segment: u64) -> Option<Segment> {
        self.segments.get(&segment).copied()
    }

    /// No more batches are added to this segment.
    pub(super) fn finish(&mut self, segment: u64) {
        if let Some(segment) = self.segments.get_mut(&segment) {
            segment.is_active = false;
        }
    }

    pub(super) fn set_damaged(&mut self, segment: u64) {
        if let Some(segment) = self.segments.get_mut(&segment) {
            segment.is_damaged = true;
        }
    }

    /// The segment that the cursor is in and what of it is unread, if there is anything to be read at all.
    pub(super) fn next_to_read(&mut self) -> Option<(Cursor, Segment)> {
        let (&number, &segment) =
            self.segments.range(self.cursor.segment..).find(|(_, one)| one.unread.lines > 0)?;
        if number > self.cursor.segment {
            self.cursor = Cursor { segment: number, place: 0 };
        }
        Some((self.cursor, segment))
    }

    /// Moves the cursor from `from` to `place` in the same segment, and leases what was read between. None if the
    /// cursor is not at `from` any more, or the segment was given up.
    ///
    /// `next_number` is behind the number of the last batch that was read. If everything up to `end` was, and nothing
    /// was and will be added behind that, then what is unread of the segment cannot be read: it is given up, and
    /// returned.
    pub(super) fn read(
        &mut self,
        from: Cursor,
        place: u64,
        next_number: u64,
        reads: &[Read],
        end: Option<u64>,
    ) -> Option<Amount> {
        let segment = self.segments.get_mut(&from.segment)?;
        if self.cursor != from || segment.unread.lines == 0 {
            return None;
        }
        self.cursor.place = place;
        self.read_number = self.read_number.max(next_number);
        for read in reads {
            segment.leased += 1;
            segment.first_time = segment.first_time.max(Some(read.time));
            let known = at_most(read.amount, segment.unread);
            subtract(&mut segment.unread, known);
            subtract(&mut self.unread, known);
            self.leased_amount += read.amount;
            let leased = Leased { segment: from.segment, amount: read.amount, time: read.time };
            self.leased.insert(read.number, leased);
        }
        let is_all = end == Some(segment.end) && !segment.is_active;
        let has_rest = is_all && segment.unread.lines > 0;
        Some(if has_rest { self.give_up(from.segment) } else { Amount::default() })
    }

    /// Gives up what is unread of a segment; returns how much that is.
    pub(super) fn give_up(&mut self, number: u64) -> Amount {
        let Some(segment) = self.segments.get_mut(&number) else { return Amount::default() };
        let lost = std::mem::take(&mut segment.unread);
        segment.is_given_up = true;
        subtract(&mut self.unread, lost);
        self.read_number = self.read_number.max(segment.next_number);
        lost
    }

    /// What was read under this number has ended.
    pub(super) fn end(&mut self, number: u64) {
        let Some(leased) = self.leased.remove(&number) else { return };
        subtract(&mut self.leased_amount, leased.amount);
        if let Some(segment) = self.segments.get_mut(&leased.segment) {
            segment.leased -= 1;
        }
    }

    /// Takes out the next segment that is finished, the active one only if that is `all`. One that was given up need
    /// not wait for those before it: there is nothing in it that could be sent out of order after a crash.
    pub(super) fn take_finished(&mut self, all: bool) -> Option<FinishedSegment> {
        let is_finished = |segment: &Segment| {
            segment.unread.lines == 0 && segment.leased == 0 && (all || !segment.is_active)
        };
        let first = self.segments.iter().next();
        let first = first.filter(|(_, segment)| is_finished(segment));
        let found = first.or_else(|| {
            self.segments.iter().find(|(_, segment)| segment.is_given_up && is_finished(segment))
        });
        let (&number, &segment) = found?;
        self.segments.remove(&number);
        Some(FinishedSegment {
            segment: number,
            bytes: segment.end,
            is_damaged: segment.is_damaged,
        })
    }

    /// The oldest segment of which something is unread.
    pub(super) fn oldest_unread(&self) -> Option<(u64, Segment)> {
        let found = self.segments.iter().find(|(_, segment)| segment.unread.lines > 0);
        found.map(|(number, segment)| (*number, *segment))
    }

    pub(super) fn unread(&self) -> Amount {
        self.unread
    }

    /// Every batch of a lower number was read, or given up.
    pub(super) fn read_number(&self) -> u64 {
        self.read_number
    }

    /// What is there and has not ended.
    pub(super) fn amount(&self) -> Amount {
        let mut amount = self.unread;
        amount += self.leased_amount;
        amount
    }

    /// Whether every batch before this number has ended.
    pub(super) fn has_ended(&self, number: u64) -> bool {
        let is_leased = self.leased.first_key_value().is_some_and(|(first, _)| *first < number);
        !is_leased && (self.unread.lines == 0 || self.read_number >= number)
    }

    /// When the oldest batch that has not ended was written, in milliseconds since 1970, or the one before it.
    pub(super) fn oldest_time(&self) -> Option<u64> {
        let leased = self.leased.values().map(|leased| leased.time).min();
        let unread = self.oldest_unread().and_then(|(_, segment)| segment.first_time);
        leased.into_iter().chain(unread).min()
    }
}

fn subtract(from: &mut Amount, amount: Amount) {
    from.lines -= amount.lines;
    from.bytes -= amount.bytes;
}

fn at_most(amount: Amount, most: Amount) -> Amount {
    Amount { lines: amount.lines.min(most.lines), bytes: amount.bytes.min(most.bytes) }
}
