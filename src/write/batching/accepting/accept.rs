//! Accepting lines into open batches: at once where the buffer has room for them, else as the client's `OnFull` says.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::call_lines::CallLines;
use super::sharded_lines::{ShardedLines, shard_of};
use crate::write::batching::accounting::{FileTag, NoPermit, Permit};
use crate::write::batching::batch::{BATCH_COST, LINE_OVERHEAD, Size};
use crate::write::batching::{Batcher, after, forked};
use crate::write::options::OnFull;
use crate::{Error, ErrorKind, Result};

impl Batcher {
    /// Takes the lines of one call. Returns when they are in open batches or, with a spool that is
    /// [always](crate::Spool::always) used, on the disk.
    ///
    /// # Errors
    /// [`ErrorKind::TooLarge`], [`ErrorKind::BufferFull`], [`ErrorKind::Closed`], or a failure of earlier batches
    /// that was not reported yet. The lines that `lines` still has were not taken.
    pub(crate) fn accept(self: &Arc<Self>, lines: &mut [CallLines<'_>]) -> Result<()> {
        self.accept_from(lines, None)
    }

    /// As [`accept`](Self::accept), for lines of a file if there is one. They are never put on the disk, and wait for
    /// room whatever `OnFull` is.
    pub(in crate::write::batching) fn accept_from(
        self: &Arc<Self>,
        lines: &mut [CallLines<'_>],
        file: Option<&FileTag>,
    ) -> Result<()> {
        if let Some(spool) = self.spool.as_ref().filter(|spool| spool.is_always())
            && file.is_none()
        {
            self.check_process()?;
            return self.accept_on_disk(spool, lines);
        }
        let shards = self.accumulator.shards();
        match lines {
            _ if shards == 1 => self.accept_sharded(lines, file),
            [only] if only.left().lines == 1 => {
                only.set_shard(shard_of(only.rest(), shards));
                self.accept_sharded(lines, file)
            }
            _ => {
                self.check_sizes(lines)?;
                let sharded = ShardedLines::take(lines, shards);
                let mut lines = sharded.lines();
                let accepted = self.accept_sharded(&mut lines, file);
                accepted.map_err(|error| error.with_rest(&lines))
            }
        }
    }

    /// As [`accept_from`](Self::accept_from), for lines that know their shards.
    fn accept_sharded(
        self: &Arc<Self>,
        lines: &mut [CallLines<'_>],
        file: Option<&FileTag>,
    ) -> Result<()> {
        if let [only] = &mut *lines
            && !self.send_queue.has_failures()
            && self.accumulator.append(only, file)
        {
            return Ok(());
        }
        self.check_process()?;
        self.check_sizes(lines)?;
        let is_inside = self.is_in_callback();
        self.check(is_inside, file)?;
        self.registration.start()?;
        let cost = self.cost_of(lines);
        if let Some(permit) = self.try_permit(cost) {
            return self.take_all(lines, file, permit);
        }
        if self.make_room_by_disk()
            && let Some(permit) = self.try_permit(cost)
        {
            return self.take_all(lines, file, permit);
        }
        lines.iter_mut().for_each(CallLines::index);
        match self.settings.on_full {
            // So a file is read no faster than it can be written.
            _ if file.is_some() && !is_inside => self.take_when_there_is_room(lines, file, None),
            OnFull::Block if !is_inside => self.take_when_there_is_room(lines, file, None),
            OnFull::BlockFor(time) if !is_inside => {
                self.take_when_there_is_room(lines, file, Some(time))
            }
            OnFull::Block | OnFull::BlockFor(_) | OnFull::Error => Err(self.full()),
            OnFull::DropNewest => self.take_and_drop(lines, is_inside, file, false),
            OnFull::DropOldest => self.take_and_drop(lines, is_inside, file, true),
        }
    }

    /// Takes all lines that are left. `permit` must have at least [`cost_of`](Self::cost_of) bytes.
    pub(super) fn take_all(
        self: &Arc<Self>,
        lines: &mut [CallLines<'_>],
        file: Option<&FileTag>,
        mut permit: Permit,
    ) -> Result<()> {
        let changes = loop {
            let mut intake = self.accumulator.intake()?;
            if lines.iter().all(|lines| lines.is_indexed() || intake.fits(lines, file)) {
                for lines in &mut *lines {
                    let count = lines.left().lines;
                    intake.take(lines, count, file, &mut permit);
                }
                break intake.end();
            }
            // Finding the ends of the lines takes time in proportion to their bytes, so it is done without the lock.
            drop(intake);
            lines.iter_mut().for_each(CallLines::index);
        };
        drop(permit);
        self.apply(changes);
        Ok(())
    }

    /// Takes the next `size` lines, which fit into one batch. `permit` must have at least [`cost`](Self::cost) bytes.
    pub(super) fn take_some(
        self: &Arc<Self>,
        lines: &mut CallLines<'_>,
        size: Size,
        file: Option<&FileTag>,
        mut permit: Permit,
    ) -> Result<()> {
        let mut intake = self.accumulator.intake()?;
        intake.take(lines, size.lines, file, &mut permit);
        let changes = intake.end();
        drop(permit);
        self.apply(changes);
        Ok(())
    }

    /// Waits for room and takes all lines together; if they are more than the buffer can hold, batch by batch as
    /// there is room. Waits no longer than `patience`, for ever if there is none.
    fn take_when_there_is_room(
        self: &Arc<Self>,
        lines: &mut [CallLines<'_>],
        file: Option<&FileTag>,
        patience: Option<Duration>,
    ) -> Result<()> {
        let deadline = patience.map(|patience| after(Instant::now(), patience));
        let cost = self.cost_of(lines);
        if cost <= self.accounts.budget.limit() {
            let permit = self.wait_for_room(cost, deadline, file)?;
            return self.take_all(lines, file, permit);
        }
        for lines in lines {
            while !lines.is_empty() {
                let size = self.next_size(lines, usize::MAX);
                let permit = self.wait_for_room(self.cost(size), deadline, file)?;
                self.take_some(lines, size, file, permit)?;
            }
        }
        Ok(())
    }

    /// Waits for a permit for `cost` bytes, behind all calls that wait already.
    ///
    /// # Errors
    /// [`ErrorKind::BufferFull`] at the deadline, [`ErrorKind::Closed`], or a failure that was not reported yet.
    fn wait_for_room(
        self: &Arc<Self>,
        cost: usize,
        deadline: Option<Instant>,
        file: Option<&FileTag>,
    ) -> Result<Permit> {
        let result = self.accounts.budget.acquire(cost, deadline, || {
            self.check(false, file)?;
            // No memory is kept for later batches while a call waits for some.
            self.accumulator.trim();
            // Only batches that are sent free room. Without any, the open ones are sealed though they are not
            // full.
            if self.send_queue.is_empty() {
                self.apply(self.accumulator.seal_if(|_| true));
            }
            // If there is nothing to send at all, the room is taken by lines that failed and that the next call
            // returns: this call, as there may be no other.
            if self.send_queue.is_empty() {
                self.send_queue.fail_while_open()?;
            }
            Ok(())
        });
        result.map_err(|no_permit| match no_permit {
            NoPermit::TooLate => self.full(),
            NoPermit::Stopped(error) => error,
        })
    }

    /// A permit for `bytes` bytes, if they are free, or become free when memory that no line fills is given up.
    pub(super) fn try_permit(&self, bytes: usize) -> Option<Permit> {
        let budget = &self.accounts.budget;
        budget.try_acquire(bytes).or_else(|| {
            self.accumulator.trim();
            budget.try_acquire(bytes)
        })
    }

    /// To be called before a lock is taken: in a forked child one may be held by a thread that is not there.
    ///
    /// # Errors
    /// [`ErrorKind::Closed`]: this is a forked child.
    fn check_process(&self) -> Result<()> {
        if self.process.is_current() { Ok(()) } else { Err(forked()) }
    }

    /// Checks that lines are taken at all. `is_inside`: the caller is a callback, to which no failures are returned, as
    /// it cannot pass them on.
    ///
    /// # Errors
    /// [`ErrorKind::Closed`], or a failure of earlier batches that was not reported yet: of the file's, if there is
    /// one.
    pub(in crate::write::batching) fn check(
        &self,
        is_inside: bool,
        file: Option<&FileTag>,
    ) -> Result<()> {
        if let Some(file) = file {
            file.ledger().fail()?;
        }
        self.accumulator.intake().map(drop)?;
        if file.is_none() && !is_inside && self.send_queue.has_failures() {
            self.send_queue.fail_while_open()?;
        }
        Ok(())
    }

    /// # Errors
    /// [`ErrorKind::TooLarge`]: a line fits into no request or not into the buffer.
    pub(in crate::write::batching) fn check_sizes(
        &self,
        lines: &mut [CallLines<'_>],
    ) -> Result<()> {
        let request = self.config.max_request_bytes;
        let buffer = self.accounts.budget.limit() - LINE_OVERHEAD;
        let mut before = 0;
        for lines in lines {
            if let Some((place, bytes)) = lines.line_over(request.min(buffer)) {
                let (limit, option) = if bytes > request {
                    (request, "max_request_bytes")
                } else {
                    (buffer, "buffer_limit")
                };
                let line = before + place + 1;
                return Err(Error::new(
                    ErrorKind::TooLarge,
                    format!(
                        "line {line} has {bytes} bytes, of which {option} leaves room for {limit}; nothing was taken"
                    ),
                ));
            }
            before += lines.left().lines;
        }
        Ok(())
    }

    /// How many of the next lines go into one batch and, unless that is none, into `free` bytes of the buffer.
    pub(super) fn next_size(&self, lines: &CallLines<'_>, free: usize) -> Size {
        let Size { lines: most, bytes } = self.full_batch();
        let room = free.min(self.accounts.budget.limit()).saturating_sub(LINE_OVERHEAD);
        lines.fitting_or_one(Size { lines: most, bytes: bytes.min(room) })
    }

    pub(super) fn cost_of(&self, lines: &[CallLines<'_>]) -> usize {
        lines.iter().filter(|lines| !lines.is_empty()).map(|lines| self.cost(lines.left())).sum()
    }

    /// The most bytes that lines take of the buffer: their own, and [`BATCH_COST`] for each batch that they may open.
    ///
    /// Of the batches that they open, `lines / full.lines` are sealed as they have enough lines, and one is left
    /// open. The others are sealed as the next line does not fit, so that any two in a row have more than
    /// `full.bytes` together.
    pub(super) fn cost(&self, Size { lines, bytes }: Size) -> usize {
        let full = self.full_batch();
        let opened = lines / full.lines + 2 * bytes / full.bytes + 1;
        bytes + opened.min(lines) * BATCH_COST
    }

    /// The size at which a batch is sealed.
    pub(in crate::write::batching) fn full_batch(&self) -> Size {
        Size { lines: self.settings.batch_size, bytes: self.settings.max_batch_bytes }
    }

    /// The error where there is no room.
    fn full(&self) -> Error {
        let budget = &self.accounts.budget;
        let (used, limit) = (budget.used(), self.settings.buffer_limit);
        Error::new(
            ErrorKind::BufferFull,
            format!("there is no room: {used} of {limit} bytes (buffer_limit) wait for the server"),
        )
        .with_retryable(true)
    }
}
