//! From the disk to the server.

use std::sync::Arc;
use std::time::Instant;

use super::{PAUSE, Spooling, cost};
use crate::write::batching::delivery::Delivery;
use crate::write::batching::group::Group;
use crate::write::batching::ledger::End;
use crate::write::batching::shared::BATCH_COST;
use crate::write::batching::{Batcher, after};
use crate::write::spool::{DiskBatch, Window};

impl Batcher {
    /// Moves what is in memory to the disk, if that is where it waits, and reads what is to be sent next.
    pub(in crate::write::batching) fn prepare_disk(self: &Arc<Self>) {
        let Some(spool) = &self.spool else { return };
        if spool.queue.is_empty() {
            return;
        }
        let now = Instant::now();
        if self.is_move_due(spool, now) {
            // If it cannot be moved, it stays where it is.
            let _ = self.move_to_disk(spool);
        }
        if self.is_read_due(spool, now) {
            self.read_from_disk(spool);
        }
    }

    /// Whether something is to be read or moved now.
    pub(in crate::write::batching) fn has_disk_work(&self, now: Instant) -> bool {
        let Some(spool) = &self.spool else { return false };
        !spool.queue.is_empty() && (self.is_move_due(spool, now) || self.is_read_due(spool, now))
    }

    /// When something is to be read or moved, if that is a matter of time.
    pub(in crate::write::batching) fn next_due_on_disk(&self) -> Option<Instant> {
        let spool = self.spool.as_ref()?;
        if spool.queue.is_empty() || spool.is_resting() || !self.lane.tokens.is_one_left() {
            return None;
        }
        let has_to_move = self.lane.has_to_move();
        let is_busy = self.lane.disk_groups() >= self.lane.tokens.width();
        let (unread, _) = spool.queue.unread();
        let pace = spool.pace();
        let read = pace.read_after.into_iter().chain(
            pace.first_unread
                .filter(|_| spool.is_always)
                .map(|first| after(first, self.settings.flush_interval)),
        );
        // Both have to be over.
        let read = read.max().filter(|_| !is_busy && unread.lines > 0);
        read.into_iter().chain(pace.move_after.filter(|_| has_to_move)).min()
    }

    /// The server has taken something: what waits for it need not wait any more.
    pub(in crate::write::batching) fn note_server_is_there(self: &Arc<Self>) {
        let Some(spool) = &self.spool else { return };
        if spool.is_in_trouble.swap(false, std::sync::atomic::Ordering::SeqCst) {
            self.try_disk_at_once(spool);
        }
    }

    /// Ends the waits of what is on the disk.
    pub(super) fn try_disk_at_once(self: &Arc<Self>, spool: &Spooling) {
        spool.pace().read_after = None;
        self.lane.change(|state| state.disk.end_waits(|_, _| true));
        self.call_workers();
    }

    /// Whether there is something to be read, and reason to.
    fn is_read_due(&self, spool: &Spooling, now: Instant) -> bool {
        let is_busy = self.lane.disk_groups() >= self.lane.tokens.width();
        if is_busy || spool.is_resting() || spool.queue.is_being_read() {
            return false;
        }
        let (unread, read_number) = spool.queue.unread();
        if unread.lines == 0 {
            return false;
        }
        let pace = spool.pace();
        if pace.read_after.is_some_and(|at| at > now) {
            return false;
        }
        let interval = self.settings.flush_interval;
        !spool.is_always
            || unread.lines >= self.settings.batch_size as u64
            || unread.bytes >= self.settings.max_batch_bytes as u64
            || pace.urged > read_number
            || pace.first_unread.is_none_or(|first| after(first, interval) <= now)
    }

    fn read_from_disk(self: &Arc<Self>, spool: &Spooling) {
        let Some(mut reading) = spool.queue.read() else { return };
        let Some(mut permit) = spool.reads.try_acquire(cost(spool.most)) else {
            // Lines that failed have it, until somebody asks for them.
            spool.pace().read_after = Some(after(Instant::now(), PAUSE));
            return;
        };
        let batches = loop {
            match reading.next(spool.most) {
                Ok(Window::Batches(batches, lost)) => {
                    lost.into_iter().for_each(|lost| self.count_lost(lost, End::Failed));
                    break batches;
                }
                Ok(Window::Lost(lost)) => self.count_lost(lost, End::Failed),
                Ok(Window::Nothing) => return,
                Err(_) => {
                    spool.pace().read_after = Some(after(Instant::now(), PAUSE));
                    spool.note_trouble();
                    drop(reading);
                    if spool.is_closing() {
                        self.rest(spool);
                    }
                    return;
                }
            }
        };
        let deliver = |batch: DiskBatch| {
            let permit = permit.split(batch.bytes.len() + BATCH_COST);
            Delivery::from_disk(&self.shared, batch, permit, spool.member.clone())
        };
        let mut deliveries: Vec<_> = batches.into_iter().map(deliver).collect();
        drop(permit);
        group_by_target(&mut deliveries);
        let left = self.lane.change(|state| {
            if state.phase.is_over() {
                return deliveries;
            }
            let mut deliveries = deliveries.into_iter();
            state.disk.receive_all(|| deliveries.next().map(Group::from));
            Vec::new()
        });
        // The client was closed meanwhile.
        left.into_iter().for_each(|delivery| drop(delivery.leave_on_disk()));
        drop(reading);
        if self.lane.tokens.width() > 1 {
            self.call_workers();
        }
    }
}

/// Puts batches for the same target together, in order, so that they go as one request.
fn group_by_target(deliveries: &mut [Delivery]) {
    let mut targets: Vec<_> = Vec::new();
    let mut place = |delivery: &Delivery| {
        let found = targets.iter().position(|known| known == delivery.target());
        found.unwrap_or_else(|| {
            targets.push(delivery.target().clone());
            targets.len() - 1
        })
    };
    let places: Vec<_> = deliveries.iter().map(&mut place).collect();
    if !places.is_sorted() {
        deliveries.sort_by_cached_key(|delivery| place(delivery));
    }
}

impl crate::write::batching::lane::Lane {
    /// Whether batches wait in memory that can go to the disk.
    pub(super) fn has_to_move(&self) -> bool {
        let state = self.lock();
        let mut waiting = state.queue.waiting();
        self.has_sealed() || waiting.any(|group| !group.is_of_file())
    }
}
