//! What is on the disk, read in order.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, PoisonError};

use super::backlog::{Cursor, Read, Segment};
use super::files;
use super::queue::{DiskQueue, Dropped};
use super::scanner::{Found, Lines, Scanner};
use super::ticket::Ticket;
use crate::write::amount::Amount;
use crate::write::target::Target;

/// The one reader of a queue, for whoever has it now.
#[derive(Default)]
pub(super) struct Reader {
    /// The segment that it is in.
    scanner: Option<(u64, Scanner)>,
    /// How many times in a row a segment could not be read.
    failures: u32,
}

/// The right to read from a queue. Whoever has it is the only one.
pub(crate) struct Reading {
    queue: DiskQueue,
    /// None once it was given back.
    reader: Option<Reader>,
}

/// Lines for one target, written one after the other.
#[derive(Debug)]
pub(crate) struct DiskBatch {
    /// The number of the first batch on the disk that is in it.
    pub(crate) number: u64,
    pub(crate) target: Arc<Target>,
    pub(crate) bytes: Vec<u8>,
    pub(crate) lines: usize,
    pub(crate) ticket: Ticket,
}

/// How much is read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Most {
    /// As one batch, unless it was written as one.
    pub(crate) batch_lines: usize,
    pub(crate) batch_bytes: usize,
    /// At once. There is always one batch.
    pub(crate) lines: usize,
    pub(crate) bytes: usize,
}

/// What was read.
#[derive(Debug)]
pub(crate) enum Window {
    /// Batches, in the order of their first lines, and what before them cannot be read.
    Batches(Vec<DiskBatch>, Option<Dropped>),
    /// Lines that cannot be read.
    Lost(Dropped),
    Nothing,
}

impl DiskQueue {
    /// The right to read; none while somebody else has it.
    pub(crate) fn read(&self) -> Option<Reading> {
        let reader = self.0.reader.lock().unwrap_or_else(PoisonError::into_inner).take()?;
        Some(Reading { queue: self.clone(), reader: Some(reader) })
    }
}

impl Reading {
    /// The next batches. After an error the same ones can be asked for again; what fails again and again is given up.
    pub(crate) fn next(&mut self, most: Most) -> io::Result<Window> {
        let Some(reader) = &mut self.reader else { return Ok(Window::Nothing) };
        loop {
            if self.queue.0.is_closed() {
                return Ok(Window::Nothing);
            }
            let place = self.queue.0.lock().backlog.next_to_read();
            let Some((from, segment)) = place else { return Ok(Window::Nothing) };
            match reader.read(&self.queue, from, segment, most) {
                Ok(Outcome::Read(batches, lost)) => {
                    reader.failures = 0;
                    return Ok(Window::Batches(batches, lost));
                }
                Ok(Outcome::Elsewhere) => {}
                Ok(Outcome::Unreadable) => {
                    reader.failures = 0;
                    if let Some(lost) = give_up(&self.queue, from.segment, segment, false) {
                        return Ok(Window::Lost(lost));
                    }
                }
                Err(error) => {
                    reader.scanner = None;
                    reader.failures += 1;
                    self.queue.0.note_error(&files::name(from.segment), &error);
                    if reader.failures < MOST_FAILURES {
                        return Err(error);
                    }
                    reader.failures = 0;
                    if let Some(lost) = give_up(&self.queue, from.segment, segment, true) {
                        return Ok(Window::Lost(lost));
                    }
                }
            }
        }
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        let mut place = self.queue.0.reader.lock().unwrap_or_else(PoisonError::into_inner);
        *place = self.reader.take();
    }
}

enum Outcome {
    Read(Vec<DiskBatch>, Option<Dropped>),
    /// What was to be read was given up meanwhile.
    Elsewhere,
    /// There is nothing more that can be read in this segment.
    Unreadable,
}

/// Lines on their way into a batch.
struct Gathered {
    target: Arc<Target>,
    bytes: Vec<u8>,
    lines: u64,
    number: u64,
    time: u64,
}

impl Reader {
    fn read(
        &mut self,
        queue: &DiskQueue,
        from: Cursor,
        segment: Segment,
        most: Most,
    ) -> io::Result<Outcome> {
        let Some(scanner) = self.go_to(queue, from, segment)? else {
            return Ok(Outcome::Unreadable);
        };
        let mut gathered: Vec<Gathered> = Vec::new();
        let mut open: HashMap<Arc<Target>, usize> = HashMap::new();
        let (mut lines, mut bytes, mut next_number) = (0, 0, 0);
        let (mut is_damaged, mut end) = (false, None);
        loop {
            match scanner.next(segment.end, Lines::Checked)? {
                Found::Batch(header, target) => {
                    let fits = lines + header.lines <= most.lines as u64
                        && bytes + header.bytes <= most.bytes as u64;
                    if !fits && !gathered.is_empty() {
                        scanner.put_back();
                        break;
                    }
                    (lines, bytes) = (lines + header.lines, bytes + header.bytes);
                    next_number = header.number + 1;
                    let own = open.get(&target).and_then(|place| gathered.get_mut(*place));
                    let own = own.filter(|own| {
                        own.lines + header.lines <= most.batch_lines as u64
                            && own.bytes.len() as u64 + header.bytes <= most.batch_bytes as u64
                    });
                    if let Some(own) = own {
                        own.bytes.extend_from_slice(scanner.lines(&header));
                        own.lines += header.lines;
                        continue;
                    }
                    open.insert(target.clone(), gathered.len());
                    gathered.push(Gathered {
                        target,
                        bytes: scanner.lines(&header).to_vec(),
                        lines: header.lines,
                        number: header.number,
                        time: header.time,
                    });
                }
                Found::Damage => is_damaged = true,
                Found::End => {
                    is_damaged |= scanner.place() < segment.end;
                    end = Some(segment.end);
                    break;
                }
            }
        }
        if is_damaged {
            queue.0.note_damage(from.segment);
        }
        if gathered.is_empty() {
            return Ok(Outcome::Unreadable);
        }
        let reads: Vec<_> = gathered.iter().map(Gathered::read).collect();
        let place = scanner.place();
        let read = queue.0.lock().backlog.read(from, place, next_number, &reads, end);
        let Some(lost) = read else {
            self.scanner = None;
            return Ok(Outcome::Elsewhere);
        };
        let is_former = segment.is_former;
        let lost = (lost.lines > 0).then_some(Dropped { amount: lost, is_former });
        let batches = gathered.into_iter().map(|one| one.into_batch(queue, is_former));
        Ok(Outcome::Read(batches.collect(), lost))
    }

    /// A scanner at this place; none if the file is no segment.
    fn go_to(
        &mut self,
        queue: &DiskQueue,
        from: Cursor,
        segment: Segment,
    ) -> io::Result<Option<&mut Scanner>> {
        let is_there =
            |scanner: &(u64, Scanner)| scanner.0 == from.segment && scanner.1.place() <= from.place;
        if !self.scanner.as_ref().is_some_and(is_there) {
            self.scanner = None;
            let file = files::open(&queue.0, from.segment)?;
            let Some(scanner) = Scanner::new(file, segment.end)? else { return Ok(None) };
            self.scanner = Some((from.segment, scanner));
        }
        let Some((_, scanner)) = &mut self.scanner else { return Ok(None) };
        // What is passed over here was read before, or somebody else sends it.
        while scanner.place() < from.place {
            if matches!(scanner.next(from.place, Lines::PassedOver)?, Found::End) {
                break;
            }
        }
        Ok(Some(scanner))
    }
}

impl Gathered {
    fn read(&self) -> Read {
        let amount = Amount { lines: self.lines, bytes: self.bytes.len() as u64 };
        Read { number: self.number, amount, time: self.time }
    }

    fn into_batch(self, queue: &DiskQueue, is_former: bool) -> DiskBatch {
        DiskBatch {
            number: self.number,
            target: self.target,
            bytes: self.bytes,
            lines: usize::try_from(self.lines).unwrap_or(usize::MAX),
            ticket: Ticket::new(queue, self.number, is_former),
        }
    }
}

/// What is left of a segment cannot be read.
///
/// `is_unreadable` says that it is the whole file, and not what was there when `segment` was looked at.
fn give_up(
    queue: &DiskQueue,
    number: u64,
    segment: Segment,
    is_unreadable: bool,
) -> Option<Dropped> {
    let mut state = queue.0.lock();
    if state.backlog.get(number).is_some_and(|now| now.end > segment.end) && !is_unreadable {
        // More was added meanwhile.
        return None;
    }
    // Nothing is added to it any more, as it would not be read.
    queue.0.finish(&mut state, number);
    let amount = state.backlog.give_up(number);
    drop(state);
    queue.0.note_damage(number);
    queue.0.clean_up();
    (amount.lines > 0).then_some(Dropped { amount, is_former: segment.is_former })
}

/// How many times a segment that the system cannot read is tried.
const MOST_FAILURES: u32 = 5;
