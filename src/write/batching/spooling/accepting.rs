//! Accepting lines onto the disk, before `send` returns.

use std::sync::Arc;
use std::time::Instant;

use super::Spooling;
use crate::write::amount::Amount;
use crate::write::batching::accepting::{CallLines, Losses};
use crate::write::batching::accounting::End;
use crate::write::batching::batch::Size;
use crate::write::batching::{Batcher, after};
use crate::write::options::OnFull;
use crate::write::spool::{Added, Refused};
use crate::{Error, ErrorKind, Result};

impl Batcher {
    /// Takes the lines of one call, which are on the disk when this returns.
    ///
    /// # Errors
    /// As `accept`, and [`ErrorKind::File`] if they cannot be written, or were written and could not be synced. What
    /// `lines` has left was not taken.
    pub(in crate::write::batching) fn accept_on_disk(
        self: &Arc<Self>,
        spool: &Spooling,
        lines: &mut [CallLines<'_>],
    ) -> Result<()> {
        self.check_sizes(lines)?;
        self.check_sizes_on_disk(spool, lines)?;
        let is_inside = self.is_in_callback();
        self.check(is_inside, None)?;
        self.registration.start()?;
        let full = self.full_batch();
        let deadline = match self.settings.on_full {
            OnFull::BlockFor(time) if !is_inside => Some(after(Instant::now(), time)),
            OnFull::Block if !is_inside => None,
            _ => Some(Instant::now()),
        };
        if matches!(self.settings.on_full, OnFull::Error) || is_inside {
            // All lines are taken or none.
            let bytes: usize = lines.iter().map(|lines| lines.left().bytes).sum();
            if let Some(lines) = lines.iter().find(|lines| !lines.is_empty()) {
                let has_room =
                    spool.queue.wait(deadline, |queue| queue.has_room(bytes, lines.target()));
                if !has_room && !self.drops() {
                    return Err(self.full_on_disk(spool));
                }
            }
        }
        for lines in lines {
            let left = lines.left();
            if left.lines > full.lines || left.bytes > full.bytes {
                lines.index();
            }
            while !lines.is_empty() {
                let size = lines.fitting_or_one(full);
                self.add_on_disk(spool, lines, size, deadline, is_inside)?;
            }
        }
        Ok(())
    }

    fn add_on_disk(
        self: &Arc<Self>,
        spool: &Spooling,
        lines: &mut CallLines<'_>,
        size: Size,
        deadline: Option<Instant>,
        is_inside: bool,
    ) -> Result<()> {
        loop {
            let bytes = &lines.rest()[..size.bytes];
            let (added, unsafe_because) = match spool.queue.add(lines.target(), bytes, size.lines) {
                Ok(added) => (added, None),
                Err(Refused::NotSafe(added, error)) => (added, Some(error)),
                Err(Refused::Closed) => return Err(Error::closed()),
                Err(Refused::Failed(error)) => {
                    return Err(Error::new(
                        ErrorKind::File,
                        "the lines cannot be written to the disk of the spool",
                    )
                    .with_retryable(true)
                    .with_source(error));
                }
                Err(Refused::Full) => {
                    match self.settings.on_full {
                        OnFull::DropNewest => return self.drop_before_disk(lines, size, is_inside),
                        OnFull::DropOldest => match spool.queue.drop_oldest() {
                            Some(lost) => self.count_lost(lost, End::Dropped),
                            None => self.wait_for_disk_room(spool, lines, size, deadline)?,
                        },
                        _ => self.wait_for_disk_room(spool, lines, size, deadline)?,
                    }
                    continue;
                }
            };
            lines.take(size);
            spool.accepted.add(Amount::new(size.lines, size.bytes));
            self.see_to_disk(spool, added);
            return match unsafe_because {
                None => Ok(()),
                Some(error) => Err(Error::new(
                    ErrorKind::File,
                    "the lines were taken and will be sent, but the disk of the spool could not confirm them",
                )
                .with_source(error)),
            };
        }
    }

    /// Calls a worker for the added lines if they are enough for a batch, else when they are as old as the flush
    /// interval.
    fn see_to_disk(self: &Arc<Self>, spool: &Spooling, added: Added) {
        if added.is_first {
            let now = Instant::now();
            spool.times().first_unread = Some(now);
            self.registration.wake_at(self, after(now, self.settings.flush_interval));
        }
        let is_batch = added.unread.lines >= self.settings.batch_size as u64
            || added.unread.bytes >= self.settings.max_batch_bytes as u64;
        let is_idle = self.send_queue.disk_groups() < self.send_queue.slots.width();
        if is_batch
            && is_idle
            && self.send_queue.slots.is_one_left()
            && self.has_disk_work(Instant::now())
        {
            self.call_worker();
        }
    }

    /// Waits for room on the disk.
    ///
    /// # Errors
    /// [`ErrorKind::BufferFull`] at the deadline, [`ErrorKind::Closed`], or a failure that was not reported yet.
    fn wait_for_disk_room(
        self: &Arc<Self>,
        spool: &Spooling,
        lines: &CallLines<'_>,
        size: Size,
        deadline: Option<Instant>,
    ) -> Result<()> {
        self.urge_disk();
        // A failure ends the wait, as it is returned by the next call, which this one is.
        let has_room = spool.queue.wait(deadline, |queue| {
            queue.has_room(size.bytes, lines.target())
                || self.send_queue.has_failures()
                || spool.is_closing()
        });
        self.check(self.is_in_callback(), None)?;
        if has_room { Ok(()) } else { Err(self.full_on_disk(spool)) }
    }

    fn drop_before_disk(
        &self,
        lines: &mut CallLines<'_>,
        size: Size,
        is_inside: bool,
    ) -> Result<()> {
        let callbacks = self.callbacks();
        let mut losses =
            Losses { is_told: !is_inside && self.has_error_callback(), ..Losses::default() };
        self.drop_newest(lines, size, &mut losses)?;
        self.tell_losses(losses, &callbacks);
        Ok(())
    }

    fn check_sizes_on_disk(&self, spool: &Spooling, lines: &mut [CallLines<'_>]) -> Result<()> {
        let most = spool.queue.largest_batch();
        for lines in lines {
            if let Some((_, bytes)) = lines.line_over(most) {
                return Err(Error::new(
                    ErrorKind::TooLarge,
                    format!(
                        "a line has {bytes} bytes, of which the limit of the spool leaves room for {most}; nothing was taken"
                    ),
                ));
            }
        }
        Ok(())
    }

    fn drops(&self) -> bool {
        matches!(self.settings.on_full, OnFull::DropNewest | OnFull::DropOldest)
    }

    fn full_on_disk(&self, spool: &Spooling) -> Error {
        let (used, limit) = (spool.queue.contents().bytes, spool.queue.limit());
        Error::new(
            ErrorKind::BufferFull,
            format!("there is no room: {used} of {limit} bytes on the disk wait for the server"),
        )
        .with_retryable(true)
    }
}
