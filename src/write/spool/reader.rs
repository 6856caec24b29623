//! What is on the disk, read in order.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, PoisonError};

use super::backlog::{Cursor, Read, Segment};
use super::files;
use super::lease::DiskLease;
use super::read_position::ReadPosition;
use super::scanner::{Check, Scanned, Scanner};
use super::shared_queue::SharedQueue;
use crate::write::amount::Amount;
use crate::write::target::Target;

/// The right to read from a queue. Only one exists at a time; dropping it gives it back.
pub(crate) struct QueueReader {
    queue: Arc<SharedQueue>,
    /// None once it was given back.
    position: Option<ReadPosition>,
}

/// Lines for one target, written one after the other.
#[derive(Debug)]
pub(crate) struct DiskBatch {
    /// The number of the first batch on the disk that is in it.
    pub(crate) number: u64,
    pub(crate) target: Arc<Target>,
    pub(crate) bytes: Vec<u8>,
    pub(crate) lines: usize,
    /// Keeps others from reading the lines, until it is dropped.
    pub(crate) lease: DiskLease,
}

/// How much is read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReadLimits {
    /// The most lines of one batch; what was written as one batch is read as one, however large.
    pub(crate) batch_lines: usize,
    /// The most bytes of one batch, likewise.
    pub(crate) batch_bytes: usize,
    /// The most lines of all batches of one read; there is always one batch.
    pub(crate) lines: usize,
    /// The most bytes of all of them, likewise.
    pub(crate) bytes: usize,
}

/// The result of a read.
#[derive(Debug)]
pub(crate) enum ReadOutcome {
    /// Batches, in the order of their first lines, and what before them cannot be read.
    Batches(Vec<DiskBatch>, Option<LostLines>),
    /// Lines that cannot be read.
    Lost(LostLines),
    /// Nothing is unread, or the queue is closed.
    Nothing,
}

/// Lines that are gone from the disk and will not be sent: removed for the limit, or not readable.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LostLines {
    pub(crate) amount: Amount,
    /// Whether a process before this one wrote them.
    pub(crate) is_former: bool,
}

impl QueueReader {
    /// None while there is another reader.
    pub(super) fn take(queue: &Arc<SharedQueue>) -> Option<Self> {
        let position = queue.position.lock().unwrap_or_else(PoisonError::into_inner).take()?;
        Some(Self { queue: queue.clone(), position: Some(position) })
    }

    /// The next batches, which are leased then.
    ///
    /// # Errors
    /// An error of the file system. The same batches can be read again; after `MOST_FAILURES` errors in a row that are
    /// about the file, and not about the system or the user's rights, the rest of the segment is given up as lost.
    pub(crate) fn next(&mut self, limits: ReadLimits) -> io::Result<ReadOutcome> {
        let Some(position) = &mut self.position else { return Ok(ReadOutcome::Nothing) };
        loop {
            if self.queue.is_closed() {
                return Ok(ReadOutcome::Nothing);
            }
            let place = self.queue.lock().backlog.next_to_read();
            let Some((from, segment)) = place else { return Ok(ReadOutcome::Nothing) };
            match position.read(&self.queue, from, segment, limits) {
                Ok(SegmentRead::Batches(batches, lost)) => {
                    position.failures = 0;
                    return Ok(ReadOutcome::Batches(batches, lost));
                }
                Ok(SegmentRead::GivenUp) => {}
                Ok(SegmentRead::Unreadable) => {
                    position.failures = 0;
                    if let Some(lost) = give_up(&self.queue, from.segment, segment, false) {
                        return Ok(ReadOutcome::Lost(lost));
                    }
                }
                Err(error) => {
                    position.scanner = None;
                    position.failures += u32::from(is_of_file(&error));
                    self.queue.note_error(&files::name(from.segment), &error);
                    if position.failures < MOST_FAILURES {
                        return Err(error);
                    }
                    position.failures = 0;
                    if let Some(lost) = give_up(&self.queue, from.segment, segment, true) {
                        return Ok(ReadOutcome::Lost(lost));
                    }
                }
            }
        }
    }
}

impl Drop for QueueReader {
    fn drop(&mut self) {
        let mut position = self.queue.position.lock().unwrap_or_else(PoisonError::into_inner);
        *position = self.position.take();
    }
}

/// The result of reading one segment.
enum SegmentRead {
    Batches(Vec<DiskBatch>, Option<LostLines>),
    /// The segment was given up meanwhile.
    GivenUp,
    /// There is nothing more that can be read in this segment.
    Unreadable,
}

/// Lines for one target that are read into one batch.
struct GatheredBatch {
    target: Arc<Target>,
    bytes: Vec<u8>,
    lines: u64,
    number: u64,
    time: u64,
}

impl ReadPosition {
    fn read(
        &mut self,
        queue: &Arc<SharedQueue>,
        from: Cursor,
        segment: Segment,
        limits: ReadLimits,
    ) -> io::Result<SegmentRead> {
        let Some(scanner) = self.go_to(queue, from, segment)? else {
            return Ok(SegmentRead::Unreadable);
        };
        let mut gathered: Vec<GatheredBatch> = Vec::new();
        let mut open: HashMap<Arc<Target>, usize> = HashMap::new();
        let (mut lines, mut bytes, mut next_number) = (0, 0, 0);
        let (mut is_damaged, mut end) = (false, None);
        loop {
            match scanner.next(segment.end, Check::Lines)? {
                Scanned::Batch(header, target) => {
                    let fits = lines + header.lines <= limits.lines as u64
                        && bytes + header.bytes <= limits.bytes as u64;
                    if !fits && !gathered.is_empty() {
                        scanner.put_back();
                        break;
                    }
                    (lines, bytes) = (lines + header.lines, bytes + header.bytes);
                    next_number = header.number + 1;
                    let own = open.get(&target).and_then(|place| gathered.get_mut(*place));
                    let own = own.filter(|own| {
                        own.lines + header.lines <= limits.batch_lines as u64
                            && own.bytes.len() as u64 + header.bytes <= limits.batch_bytes as u64
                    });
                    if let Some(own) = own {
                        own.bytes.extend_from_slice(scanner.lines(&header));
                        own.lines += header.lines;
                        continue;
                    }
                    open.insert(target.clone(), gathered.len());
                    gathered.push(GatheredBatch {
                        target,
                        bytes: scanner.lines(&header).to_vec(),
                        lines: header.lines,
                        number: header.number,
                        time: header.time,
                    });
                }
                Scanned::Damage => is_damaged = true,
                Scanned::End => {
                    is_damaged |= scanner.place() < segment.end;
                    end = Some(segment.end);
                    break;
                }
            }
        }
        if is_damaged {
            queue.note_damage(from.segment);
        }
        if gathered.is_empty() {
            return Ok(SegmentRead::Unreadable);
        }
        let reads: Vec<_> = gathered.iter().map(GatheredBatch::read).collect();
        let place = scanner.place();
        let read = queue.lock().backlog.read(from, place, next_number, &reads, end);
        let Some(lost) = read else {
            self.scanner = None;
            return Ok(SegmentRead::GivenUp);
        };
        let is_former = segment.is_former;
        let lost = (lost.lines > 0).then_some(LostLines { amount: lost, is_former });
        let batches = gathered.into_iter().map(|one| one.into_batch(queue, is_former));
        Ok(SegmentRead::Batches(batches.collect(), lost))
    }

    /// A scanner at this place; none if the file is no segment.
    fn go_to(
        &mut self,
        queue: &Arc<SharedQueue>,
        from: Cursor,
        segment: Segment,
    ) -> io::Result<Option<&mut Scanner>> {
        let is_there =
            |scanner: &(u64, Scanner)| scanner.0 == from.segment && scanner.1.place() <= from.place;
        if !self.scanner.as_ref().is_some_and(is_there) {
            self.scanner = None;
            let file = files::open(queue.disk.as_ref(), &queue.settings.directory, from.segment)?;
            let Some(scanner) = Scanner::new(file, segment.end)? else { return Ok(None) };
            self.scanner = Some((from.segment, scanner));
        }
        let Some((_, scanner)) = &mut self.scanner else { return Ok(None) };
        // The batches that are skipped here were read before, or are being sent.
        while scanner.place() < from.place {
            if matches!(scanner.next(from.place, Check::Header)?, Scanned::End) {
                break;
            }
        }
        Ok(Some(scanner))
    }
}

impl GatheredBatch {
    fn read(&self) -> Read {
        let amount = Amount { lines: self.lines, bytes: self.bytes.len() as u64 };
        Read { number: self.number, amount, time: self.time }
    }

    fn into_batch(self, queue: &Arc<SharedQueue>, is_former: bool) -> DiskBatch {
        DiskBatch {
            number: self.number,
            target: self.target,
            bytes: self.bytes,
            lines: usize::try_from(self.lines).unwrap_or(usize::MAX),
            lease: DiskLease::new(queue, self.number, is_former),
        }
    }
}

/// What is left of a segment cannot be read.
///
/// `is_unreadable` says that it is the whole file, and not what was there when `segment` was looked at.
fn give_up(
    queue: &Arc<SharedQueue>,
    number: u64,
    segment: Segment,
    is_unreadable: bool,
) -> Option<LostLines> {
    let mut state = queue.lock();
    if state.backlog.get(number).is_some_and(|now| now.end > segment.end) && !is_unreadable {
        // More was added meanwhile.
        return None;
    }
    // Nothing is added to it any more, as it would not be read.
    queue.finish(&mut state, number);
    let amount = state.backlog.give_up(number);
    drop(state);
    queue.note_damage(number);
    queue.clean_up();
    (amount.lines > 0).then_some(LostLines { amount, is_former: segment.is_former })
}

/// Whether an error says that the file is gone or damaged. Others pass: too many files may be open, rights be missing,
/// or a server of files be away.
fn is_of_file(error: &io::Error) -> bool {
    use io::ErrorKind as K;
    matches!(error.kind(), K::NotFound | K::IsADirectory | K::InvalidData | K::UnexpectedEof)
        || error.raw_os_error().is_some_and(|code| OF_MEDIUM.contains(&code))
}

/// The system's errors of a medium that cannot be read: EIO, and EBADMSG and EUCLEAN, by which file systems say that a
/// checksum is wrong.
#[cfg(target_os = "linux")]
const OF_MEDIUM: [i32; 3] = [5, 74, 117];

/// EIO.
#[cfg(all(unix, not(target_os = "linux")))]
const OF_MEDIUM: [i32; 1] = [5];

/// ERROR_CRC, ERROR_SECTOR_NOT_FOUND, ERROR_READ_FAULT, ERROR_IO_DEVICE, ERROR_DISK_CORRUPT and ERROR_FILE_CORRUPT.
#[cfg(not(unix))]
const OF_MEDIUM: [i32; 6] = [23, 27, 30, 1117, 1393, 1392];

/// How many times a segment that the system cannot read is tried.
const MOST_FAILURES: u32 = 5;
