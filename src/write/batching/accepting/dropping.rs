//! Dropping lines where the buffer has no room, as `OnFull::DropNewest` and `OnFull::DropOldest` say.

use std::sync::Arc;

use super::call_lines::CallLines;
use crate::write::amount::Amount;
use crate::write::batching::Batcher;
use crate::write::batching::accounting::{End, FileTag};
use crate::write::batching::batch::{Ended, Size};
use crate::write::batching::callbacks::CallbackHandle;
use crate::{Batch, Error, ErrorKind, Result};

/// The lines that one call has dropped.
#[derive(Debug, Default)]
pub(crate) struct Losses {
    /// Whether the error callback is to be called; else the lines are only counted.
    pub(crate) is_told: bool,
    pub(crate) oldest: Vec<Ended>,
    pub(crate) newest: Vec<Batch>,
    pub(crate) lines: usize,
}

impl Losses {
    /// Adds a batch. Its room in the buffer is free from here on.
    fn add(&mut self, mut dropped: Ended) {
        self.lines += dropped.batch.lines;
        dropped.give_room_back();
        if self.is_told {
            self.oldest.push(dropped);
        }
    }
}

impl Batcher {
    /// Takes the lines that there is room for and drops the others; if `oldest`, batches that were accepted before are
    /// dropped to make room, and lines of the call only if there are none left. Then reports what was dropped.
    ///
    /// # Errors
    /// [`ErrorKind::Closed`]; lines that were dropped before are counted and reported all the same.
    pub(super) fn take_and_drop(
        self: &Arc<Self>,
        lines: &mut [CallLines<'_>],
        is_inside: bool,
        file: Option<&FileTag>,
        oldest: bool,
    ) -> Result<()> {
        // Taken before anything is dropped, as closing the client takes its callbacks away.
        let callbacks = self.callbacks();
        let mut losses =
            Losses { is_told: !is_inside && self.has_error_callback(), ..Losses::default() };
        let result = self.take_with_losses(lines, file, oldest, &mut losses);
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
        while oldest && cost <= self.accounts.budget.limit() {
            if let Some(permit) = self.try_permit(cost) {
                return self.take_all(lines, file, permit);
            }
            let Some(dropped) = self.drop_oldest() else { break };
            losses.add(dropped);
        }
        for lines in lines {
            while !lines.is_empty() {
                let size = self.next_size(lines, self.accounts.budget.free());
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

    /// Takes out and ends the batch that was accepted first, of those that wait to be sent and those that are open.
    /// Batches in flight stay, and so do those of files, which wait for room instead. None if there is no such batch.
    fn drop_oldest(&self) -> Option<Ended> {
        loop {
            let sealed = self.send_queue.oldest();
            let open = self.accumulator.oldest();
            let dropped = match (sealed, open) {
                (None, None) => return None,
                (Some(sealed), open) if open.is_none_or(|open| sealed.batch < open) => {
                    self.send_queue.take_waiting(sealed)
                }
                (_, Some(open)) => self.accumulator.take(open),
                (Some(sealed), None) => self.send_queue.take_waiting(sealed),
            };
            // None if another thread has taken it meanwhile: then another batch is the oldest.
            if let Some(dropped) = dropped {
                return Some(dropped.end(End::Dropped));
            }
        }
    }

    /// Drops the next `size` lines of a call, which count as accepted and dropped.
    ///
    /// # Errors
    /// [`ErrorKind::Closed`]: no more lines are taken, not even to be dropped.
    pub(in crate::write::batching) fn drop_newest(
        &self,
        lines: &mut CallLines<'_>,
        size: Size,
        losses: &mut Losses,
    ) -> Result<()> {
        let amount = Amount::new(size.lines, size.bytes);
        self.accumulator.count_accepted(amount)?;
        self.accounts.ledger.count(End::Dropped, amount);
        losses.lines += size.lines;
        let target = lines.target();
        let bytes = lines.take(size);
        if losses.is_told {
            losses.newest.push(target.batch(bytes.to_vec(), size.lines));
        }
        Ok(())
    }

    /// Calls the error callback for lines that were dropped, unless the caller is a callback itself, which might drop
    /// more each time. Logs if these are the first since something was written.
    pub(in crate::write::batching) fn tell_losses(
        &self,
        losses: Losses,
        callbacks: &CallbackHandle,
    ) {
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

    /// Reports batches that were dropped because there is no room on the disk.
    #[cfg(feature = "spool")]
    pub(in crate::write::batching) fn tell_dropped(&self, dropped: Vec<Ended>) {
        if dropped.is_empty() {
            return;
        }
        let is_told = !self.is_in_callback() && self.has_error_callback();
        let mut losses = Losses { is_told, ..Losses::default() };
        dropped.into_iter().for_each(|ended| losses.add(ended));
        self.tell_losses(losses, &self.callbacks());
    }
}
