//! How lines are accepted: at once if there is room, and as the client's `OnFull` has it if there is none.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::budget::{NoPermit, Permit};
use super::call_lines::{CallLines, Size};
use super::callbacks::Handle;
use super::ended::Ended;
use super::file_ledger::FileTag;
use super::ledger::End;
use super::series::{Sharded, shard_of};
use super::shared::BATCH_COST;
use super::{Batcher, after};
use crate::write::amount::Amount;
use crate::write::options::OnFull;
use crate::{Batch, Error, ErrorKind, Result};

impl Batcher {
    /// Takes the lines of one call, or says why not.
    ///
    /// # Errors
    /// What `lines` has left was not taken. Failures of earlier batches come back here as well.
    pub(crate) fn accept(self: &Arc<Self>, lines: &mut [CallLines<'_>]) -> Result<()> {
        self.accept_from(lines, None)
    }

    /// The same, of lines of a file.
    pub(super) fn accept_from(
        self: &Arc<Self>,
        lines: &mut [CallLines<'_>],
        file: Option<&FileTag>,
    ) -> Result<()> {
        if let Some(spool) = self.spool.as_ref().filter(|spool| spool.is_always())
            && file.is_none()
        {
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
                let sharded = Sharded::take(lines, shards);
                let mut lines = sharded.lines();
                let accepted = self.accept_sharded(&mut lines, file);
                accepted.map_err(|error| error.with_rest(&lines))
            }
        }
    }

    /// The same, of lines that know their shards.
    fn accept_sharded(
        self: &Arc<Self>,
        lines: &mut [CallLines<'_>],
        file: Option<&FileTag>,
    ) -> Result<()> {
        if let [only] = &mut *lines
            && !self.lane.has_failures()
            && self.accumulator.append(only, file)
        {
            return Ok(());
        }
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
            // A file is not read faster than it can be written.
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

    /// Takes all lines that are left, for which the permit is enough.
    fn take_all(
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
            // It takes a while, so not under the lock.
            drop(intake);
            lines.iter_mut().for_each(CallLines::index);
        };
        drop(permit);
        self.apply(changes);
        Ok(())
    }

    /// Takes the next lines, `size` of them, which fit into one batch.
    fn take_some(
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

    /// Takes all lines at once when there is room, or batch by batch if the buffer cannot hold all of them.
    fn take_when_there_is_room(
        self: &Arc<Self>,
        lines: &mut [CallLines<'_>],
        file: Option<&FileTag>,
        patience: Option<Duration>,
    ) -> Result<()> {
        let deadline = patience.map(|patience| after(Instant::now(), patience));
        let cost = self.cost_of(lines);
        if cost <= self.shared.budget.limit() {
            let permit = self.wait_for_room(cost, deadline, file)?;
            return self.take_all(lines, file, permit);
        }
        for lines in lines {
            while !lines.is_empty() {
                let size = self.piece(lines, usize::MAX);
                let permit = self.wait_for_room(self.cost(size), deadline, file)?;
                self.take_some(lines, size, file, permit)?;
            }
        }
        Ok(())
    }

    fn wait_for_room(
        self: &Arc<Self>,
        cost: usize,
        deadline: Option<Instant>,
        file: Option<&FileTag>,
    ) -> Result<Permit> {
        let result = self.shared.budget.acquire(cost, deadline, || {
            self.check(false, file)?;
            // Memory that a batch leaves behind is not kept while somebody waits.
            self.accumulator.trim();
            // Room comes from batches that are sent. If there are none, those that are open have to go.
            if self.lane.is_empty() {
                self.apply(self.accumulator.seal_if(|_| true));
            }
            // Then it is lines that came back and that nobody has asked for, which may well be for this thread to do.
            if self.lane.is_empty() {
                self.lane.fail_while_open()?;
            }
            Ok(())
        });
        result.map_err(|no_permit| match no_permit {
            NoPermit::TooLate => self.full(),
            NoPermit::Stopped(error) => error,
        })
    }

    /// Takes what there is room for; what there is none for is dropped, or if `oldest` makes room by dropping what was
    /// accepted first.
    fn take_and_drop(
        self: &Arc<Self>,
        lines: &mut [CallLines<'_>],
        is_inside: bool,
        file: Option<&FileTag>,
        oldest: bool,
    ) -> Result<()> {
        // Before anything is dropped: if the client is closed meanwhile, its callbacks are still for what was dropped before.
        let callbacks = self.callbacks();
        let mut losses =
            Losses { is_told: !is_inside && self.has_error_callback(), ..Losses::default() };
        let result = self.take_with_losses(lines, file, oldest, &mut losses);
        // Those that were dropped for lines that were then refused are told of as well.
        self.tell_losses(losses, &callbacks);
        self.end_if_over();
        result
    }

    fn take_with_losses(
        self: &Arc<Self>,
        lines: &mut [CallLines<'_>],
        file: Option<&FileTag>,
        oldest: bool,
        losses: &mut Losses,
    ) -> Result<()> {
        let cost = self.cost_of(lines);
        while oldest && cost <= self.shared.budget.limit() {
            if let Some(permit) = self.try_permit(cost) {
                return self.take_all(lines, file, permit);
            }
            let Some(dropped) = self.drop_oldest() else { break };
            losses.add(dropped);
        }
        for lines in lines {
            while !lines.is_empty() {
                let size = self.piece(lines, self.shared.budget.free());
                if let Some(permit) = self.try_permit(self.cost(size)) {
                    self.take_some(lines, size, file, permit)?;
                } else if let Some(dropped) = oldest.then(|| self.drop_oldest()).flatten() {
                    losses.add(dropped);
                } else {
                    self.drop_newest(lines, lines.left(), losses)?;
                }
            }
        }
        Ok(())
    }

    /// Takes out the batch that was accepted first: of those that wait, or that are open. What is on the way stays, and
    /// so do lines of files, which wait for room.
    fn drop_oldest(&self) -> Option<Ended> {
        loop {
            let sealed = self.lane.oldest();
            let open = self.accumulator.oldest();
            let dropped = match (sealed, open) {
                (None, None) => return None,
                (Some(sealed), open) if open.is_none_or(|open| sealed.batch < open) => {
                    self.lane.take_waiting(sealed)
                }
                (_, Some(open)) => self.accumulator.take(open),
                (Some(sealed), None) => self.lane.take_waiting(sealed),
            };
            // If somebody else was faster, another one is the oldest.
            if let Some(dropped) = dropped {
                return Some(dropped.end(End::Dropped));
            }
        }
    }

    /// # Errors
    /// [`ErrorKind::Closed`]: no more lines are taken, not even to be dropped.
    pub(super) fn drop_newest(
        &self,
        lines: &mut CallLines<'_>,
        size: Size,
        losses: &mut Losses,
    ) -> Result<()> {
        let amount = Amount::new(size.lines, size.bytes);
        self.accumulator.count_accepted(amount)?;
        self.shared.ledger.count(End::Dropped, amount);
        losses.lines += size.lines;
        let target = lines.target();
        let bytes = lines.take(size);
        if losses.is_told {
            losses.newest.push(target.batch(bytes.to_vec(), size.lines));
        }
        Ok(())
    }

    /// Tells of lines that were thrown away. A callback that loses lines is not called for these: it would lose more.
    pub(super) fn tell_losses(&self, losses: Losses, callbacks: &Handle) {
        let Losses { is_told, oldest, newest, lines } = losses;
        if lines > 0 && self.begins_to_drop() {
            log::warn!("the buffer is full and lines are dropped, {lines} of them so far");
        }
        if !is_told || lines == 0 {
            return;
        }
        let error = Error::new(
            ErrorKind::BufferFull,
            "dropped, as there was no room in the buffer (buffer_limit)",
        );
        for ended in oldest {
            self.tell(callbacks, &ended.batch, &error);
        }
        for batch in newest {
            self.tell(callbacks, &batch, &error);
        }
    }

    /// Tells of batches that were thrown away on their way to the disk.
    #[cfg(feature = "spool")]
    pub(super) fn tell_dropped(&self, dropped: Vec<Ended>) {
        if dropped.is_empty() {
            return;
        }
        let is_told = !self.is_in_callback() && self.has_error_callback();
        let mut losses = Losses { is_told, ..Losses::default() };
        dropped.into_iter().for_each(|ended| losses.add(ended));
        self.tell_losses(losses, &self.callbacks());
    }

    /// So many bytes, for which memory that is not needed is given up.
    fn try_permit(&self, bytes: usize) -> Option<Permit> {
        let budget = &self.shared.budget;
        budget.try_acquire(bytes).or_else(|| {
            self.accumulator.trim();
            budget.try_acquire(bytes)
        })
    }

    /// Fails if the client is closed, or with what failed before. Failures are not for callbacks, which have nobody to pass
    /// them on to.
    pub(super) fn check(&self, is_inside: bool, file: Option<&FileTag>) -> Result<()> {
        if let Some(file) = file {
            file.ledger().fail()?;
        }
        self.accumulator.intake().map(drop)?;
        if file.is_none() && !is_inside && self.lane.has_failures() {
            self.lane.fail_while_open()?;
        }
        Ok(())
    }

    pub(super) fn check_sizes(&self, lines: &mut [CallLines<'_>]) -> Result<()> {
        let request = self.config.max_request_bytes;
        let buffer = self.shared.budget.limit() - FIXED;
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

    /// The next lines that fit into one batch and, if that is possible, into so many bytes of the buffer.
    fn piece(&self, lines: &CallLines<'_>, free: usize) -> Size {
        let Size { lines: most, bytes } = self.full_batch();
        let room = free.min(self.shared.budget.limit()).saturating_sub(FIXED);
        lines.fitting_or_one(Size { lines: most, bytes: bytes.min(room) })
    }

    fn cost_of(&self, lines: &[CallLines<'_>]) -> usize {
        lines.iter().filter(|lines| !lines.is_empty()).map(|lines| self.cost(lines.left())).sum()
    }

    /// What lines can take of the buffer at most: their bytes, and the batches that they may open. Of these some are full
    /// of lines, one is left open, and of the others each two in a row have more bytes than one may have.
    fn cost(&self, Size { lines, bytes }: Size) -> usize {
        let full = self.full_batch();
        let opened = lines / full.lines + 2 * bytes / full.bytes + 1;
        bytes + opened.min(lines) * BATCH_COST
    }

    pub(super) fn full_batch(&self) -> Size {
        Size { lines: self.settings.batch_size, bytes: self.settings.max_batch_bytes }
    }

    fn full(&self) -> Error {
        let budget = &self.shared.budget;
        let (used, limit) = (budget.used(), self.settings.buffer_limit);
        Error::new(
            ErrorKind::BufferFull,
            format!("there is no room: {used} of {limit} bytes (buffer_limit) wait for the server"),
        )
        .with_retryable(true)
    }
}

/// Lines that were thrown away by one call.
#[derive(Debug, Default)]
pub(super) struct Losses {
    /// Whether a callback is to be told of them.
    pub(super) is_told: bool,
    pub(super) oldest: Vec<Ended>,
    pub(super) newest: Vec<Batch>,
    pub(super) lines: usize,
}

impl Losses {
    fn add(&mut self, mut dropped: Ended) {
        self.lines += dropped.batch.lines;
        dropped.give_room_back();
        if self.is_told {
            self.oldest.push(dropped);
        }
    }
}

/// What the lines of one batch can need besides their bytes: at most four batches are opened for them.
pub(super) const FIXED: usize = 5 * BATCH_COST;
