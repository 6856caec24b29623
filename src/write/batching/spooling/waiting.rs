//! Waiting for batches of the disk, and closing a client with a spool.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::{Counted, PAUSE, Spooling, no_spool};
use crate::write::batching::accounting::Epoch;
use crate::write::batching::send_queue::Group;
use crate::write::batching::{Batcher, after};
use crate::{Error, ErrorKind, Result};

impl Batcher {
    /// Has all batches of the disk sent, also those that are smaller than a full one.
    pub(in crate::write::batching) fn urge_disk(self: &Arc<Self>) {
        let Some(spool) = &self.spool else { return };
        if !spool.queue.is_empty() {
            let number = spool.queue.next_number();
            let mut times = spool.times();
            times.urged = times.urged.max(number);
            drop(times);
            self.call_workers();
        }
    }

    /// Waits until an epoch is over. False if there is no end to that for now, as batches of it wait in memory for room
    /// on the disk, and the server takes nothing of what is there.
    pub(in crate::write::batching) fn wait_for_epoch(&self, epoch: &Epoch) -> bool {
        let Some(spool) = &self.spool else {
            epoch.wait();
            return true;
        };
        while !epoch.wait_until(after(Instant::now(), PAUSE)) {
            if spool.is_stuck_at_limit() {
                return false;
            }
        }
        true
    }

    /// Waits until all batches that are on the disk have ended, or the server does not take them.
    pub(in crate::write::batching) fn wait_for_disk(self: &Arc<Self>) {
        let Some(spool) = self.spool.as_ref().filter(|spool| !spool.queue.is_empty()) else {
            return;
        };
        let number = spool.queue.next_number();
        self.urge_disk();
        spool.queue.wait(None, |queue| {
            queue.has_ended(number) || spool.is_in_trouble() || spool.is_closing()
        });
    }

    /// Waits until everything has ended that was accepted before, and everything that was on the disk.
    ///
    /// # Errors
    /// [`ErrorKind::Timeout`] if that takes longer; [`ErrorKind::Closed`]; and as `flush`.
    pub(crate) fn drain(self: &Arc<Self>, patience: Duration) -> Result<()> {
        let Some(spool) = &self.spool else { return Err(no_spool()) };
        if self.is_in_callback() {
            return Err(Error::config(
                "a callback cannot wait for batches that its own worker is to send",
            ));
        }
        let deadline = after(Instant::now(), patience);
        let Some((epoch, changes)) = self.accumulator.turn_over() else {
            return Err(Error::closed());
        };
        self.apply(changes);
        // Batches that wait for a retry are tried now.
        self.try_disk_at_once(spool);
        let is_over = epoch.wait_until(deadline);
        let number = spool.queue.next_number();
        self.urge_disk();
        let is_over =
            spool.queue.wait(Some(deadline), |queue| queue.has_ended(number) || spool.is_closing())
                && is_over;
        if spool.is_closing() {
            return Err(Error::closed());
        }
        self.send_queue.fail_while_open()?;
        if is_over {
            return Ok(());
        }
        let left = spool.queue.contents().amount.lines;
        Err(Error::new(
            ErrorKind::Timeout,
            format!("{left} lines are on the disk still, and wait for the server"),
        )
        .with_retryable(true))
    }

    /// Puts everything on the disk that was accepted before and has not ended, and returns when it is safe there.
    ///
    /// # Errors
    /// [`ErrorKind::File`] if it cannot be put there; what could not stays in memory. [`ErrorKind::Closed`].
    pub(crate) fn flush_to_disk(self: &Arc<Self>) -> Result<()> {
        let Some(spool) = &self.spool else { return Err(no_spool()) };
        if self.is_in_callback() {
            return Err(Error::config(
                "a callback cannot wait for batches that its own worker has under way",
            ));
        }
        let impatient = Counted::new(&spool.impatient);
        let Some((epoch, changes)) = self.accumulator.turn_over() else {
            return Err(Error::closed());
        };
        self.apply(changes);
        let failed = |why: &dyn std::fmt::Display| {
            Error::new(
                ErrorKind::File,
                format!("not everything could be put on the disk of the spool: {why}"),
            )
        };
        let moved = self.move_to_disk(spool);
        self.call_workers();
        moved.map_err(|why| failed(&why))?;
        epoch.wait();
        drop(impatient);
        spool.queue.sync().map_err(|why| failed(&why))
    }

    /// To be called when the client takes no more lines. Batches of the disk are sent if they are no more than
    /// `buffer_limit` and the server takes them; otherwise they stay there.
    pub(in crate::write::batching) fn close_spool(self: &Arc<Self>) {
        let Some(spool) = &self.spool else { return };
        if spool.is_closing.swap(true, Ordering::SeqCst) {
            return;
        }
        spool.queue.wake_all();
        let amount = spool.queue.contents().amount;
        if spool.is_in_trouble() || amount.bytes > self.settings.buffer_limit as u64 {
            self.rest(spool);
        } else {
            self.try_disk_at_once(spool);
            self.urge_disk();
        }
    }

    /// From here on nothing is read from the disk. Batches that wait go to the disk, or stay there.
    pub(super) fn rest(self: &Arc<Self>, spool: &Spooling) {
        if spool.is_resting.swap(true, Ordering::SeqCst) {
            return;
        }
        let left = self.send_queue.change(|state| state.disk.take_waiting(|_| true));
        for delivery in left.into_iter().flat_map(Group::into_deliveries) {
            if delivery.is_on_disk() {
                drop(delivery.leave_on_disk());
            } else {
                self.send_queue.change(|state| state.memory.put_back(Group::from(delivery)));
            }
        }
        // Batches that cannot be moved are tried once more, from memory, and handed back by `close`.
        let _ = self.move_to_disk(spool);
    }

    /// Closes the queue on the disk: another client may open its directory.
    pub(in crate::write::batching) fn release_spool(&self) {
        if let Some(spool) = &self.spool {
            spool.queue.close();
        }
    }
}

impl Spooling {
    pub(super) fn is_closing(&self) -> bool {
        self.is_closing.load(Ordering::SeqCst)
    }
}
