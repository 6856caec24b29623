//! Reading batches from the disk, to send them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::refusal::Refusal;
use super::{PAUSE, Spooling, cost};
use crate::back_off::doubled;
use crate::write::batching::accounting::End;
use crate::write::batching::batch::{BATCH_COST, Delivery};
use crate::write::batching::send_queue::Group;
use crate::write::batching::{Batcher, after};
use crate::write::spool::{DiskBatch, ReadOutcome};

impl Batcher {
    /// Moves batches in memory to the disk, if they wait there, and reads batches that are to be sent next. To be
    /// called by a worker before it takes a request.
    pub(in crate::write::batching) fn prepare_disk(self: &Arc<Self>) {
        let Some(spool) = &self.spool else { return };
        if spool.queue.is_empty() {
            return;
        }
        let now = Instant::now();
        if self.is_move_due(spool, now) {
            // Batches that cannot be moved stay in memory.
            let _ = self.move_to_disk(spool);
        }
        if self.is_read_due(spool, now) {
            self.read_from_disk(spool);
        }
    }

    /// Whether batches are to be read or moved now.
    pub(in crate::write::batching) fn has_disk_work(&self, now: Instant) -> bool {
        let Some(spool) = &self.spool else { return false };
        !spool.queue.is_empty() && (self.is_move_due(spool, now) || self.is_read_due(spool, now))
    }

    /// The next time at which batches are to be read or moved; none if that is no matter of time, or no worker slot
    /// is left.
    pub(in crate::write::batching) fn next_due_on_disk(&self) -> Option<Instant> {
        let spool = self.spool.as_ref()?;
        if spool.queue.is_empty() || spool.is_resting() || !self.send_queue.slots.is_one_left() {
            return None;
        }
        let has_to_move = spool.moves_memory() && self.send_queue.has_to_move();
        let is_busy = self.send_queue.disk_groups() >= self.send_queue.slots.width()
            || spool.queue.is_being_read();
        let (unread, _) = spool.queue.unread();
        let times = spool.times();
        let read = times.read_after.into_iter().chain(
            times
                .first_unread
                .filter(|_| spool.is_always)
                .map(|first| after(first, self.settings.flush_interval)),
        );
        // Nothing is read before both times.
        let read = read.max().filter(|_| !is_busy && unread.lines > 0);
        read.into_iter().chain(times.move_after.filter(|_| has_to_move)).min()
    }

    /// Notes that the server has stored lines: after trouble, batches of the disk do not wait for their retries any
    /// more.
    pub(in crate::write::batching) fn note_server_is_there(self: &Arc<Self>) {
        let Some(spool) = &self.spool else { return };
        if spool.is_in_trouble.swap(false, std::sync::atomic::Ordering::SeqCst) {
            // There may be room by now.
            spool.set_refusal(Refusal::None);
            self.try_disk_at_once(spool);
        }
    }

    /// Ends the waits of batches of the disk, and of those that failed and could not go there.
    pub(super) fn try_disk_at_once(self: &Arc<Self>, spool: &Spooling) {
        spool.times().read_after = None;
        self.send_queue.change(|state| {
            state.disk.end_waits(|_, _| true);
            state.memory.end_waits(|group, _| group.has_failed());
        });
        self.call_workers();
    }

    /// Whether batches are unread and to be read now: a full one, one that is as old as the flush interval, or
    /// whatever there is if lines go to the disk only on trouble.
    fn is_read_due(&self, spool: &Spooling, now: Instant) -> bool {
        let is_busy = self.send_queue.disk_groups() >= self.send_queue.slots.width();
        if is_busy || spool.is_resting() || spool.queue.is_being_read() {
            return false;
        }
        let (unread, read_number) = spool.queue.unread();
        if unread.lines == 0 {
            return false;
        }
        let times = spool.times();
        if times.read_after.is_some_and(|at| at > now) {
            return false;
        }
        let interval = self.settings.flush_interval;
        !spool.is_always
            || unread.lines >= self.settings.batch_size as u64
            || unread.bytes >= self.settings.max_batch_bytes as u64
            || times.urged > read_number
            || times.first_unread.is_none_or(|first| after(first, interval) <= now)
    }

    fn read_from_disk(self: &Arc<Self>, spool: &Spooling) {
        let Some(mut reading) = spool.queue.read() else { return };
        let Some(mut permit) = spool.reads.try_acquire(cost(spool.limits)) else {
            // Lines that failed take the memory, until a call has returned them.
            spool.times().read_after = Some(after(Instant::now(), PAUSE));
            return;
        };
        let batches = loop {
            match reading.next(spool.limits) {
                Ok(ReadOutcome::Batches(batches, lost)) => {
                    lost.into_iter().for_each(|lost| self.count_lost(lost, End::Failed));
                    break batches;
                }
                Ok(ReadOutcome::Lost(lost)) => self.count_lost(lost, End::Failed),
                Ok(ReadOutcome::Nothing) => return,
                Err(_) => {
                    let mut times = spool.times();
                    let pause = doubled(PAUSE, times.failed_reads, LONGEST_PAUSE);
                    times.failed_reads = times.failed_reads.saturating_add(1);
                    times.read_after = Some(after(Instant::now(), pause));
                    drop(times);
                    spool.note_trouble();
                    drop(reading);
                    if spool.is_closing() {
                        self.rest(spool);
                    }
                    return;
                }
            }
        };
        spool.times().failed_reads = 0;
        let deliver = |batch: DiskBatch| {
            let permit = permit.split(batch.bytes.len() + BATCH_COST);
            Delivery::from_disk(&self.accounts, batch, permit, spool.member.clone())
        };
        let mut deliveries: Vec<_> = batches.into_iter().map(deliver).collect();
        drop(permit);
        group_by_target(&mut deliveries);
        let left = self.send_queue.change(|state| {
            if state.phase.is_over() {
                return deliveries;
            }
            let mut deliveries = deliveries.into_iter();
            state.disk.receive_all(|| deliveries.next().map(Group::from));
            Vec::new()
        });
        // The client was closed meanwhile: they stay on the disk.
        left.into_iter().for_each(|delivery| drop(delivery.leave_on_disk()));
        drop(reading);
        if self.send_queue.slots.width() > 1 {
            self.call_workers();
        }
    }
}

/// How long the disk is not read at most after it could not be.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

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

impl crate::write::batching::send_queue::SendQueue {
    /// Whether batches wait in memory that may go to the disk.
    pub(super) fn has_to_move(&self) -> bool {
        let state = self.lock();
        let mut waiting = state.memory.waiting();
        self.has_sealed() || waiting.any(|group| !group.is_of_file())
    }
}
