//! Moving batches from memory to the disk.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use super::exclusive::TransferRight;
use super::refusal::{NotPut, Refusal};
use super::{Counted, PAUSE, Spooling};
use crate::write::batching::accounting::End;
use crate::write::batching::batch::{Delivery, Ended, SealedLines};
use crate::write::batching::send_queue::{Group, SendQueueState};
use crate::write::batching::sending::{Outcome, fail};
use crate::write::batching::{Batcher, after};
use crate::write::options::OnFull;
use crate::write::spool::{DiskLease, Refused};
use crate::write::target::Target;
use crate::{Error, ErrorKind};

/// What a worker moves to the disk of the batches of a request that failed. Without a spool it takes nothing.
pub(in crate::write::batching) struct Transfer {
    /// None if there is no spool.
    access: Option<SpoolAccess>,
    /// Batches in memory that are not tried again there.
    failed: Vec<Delivery>,
    /// Batches of the same request that have retries left, and go along: in memory they would wait behind those.
    beside: Vec<Delivery>,
    /// Batches in memory for whose next try a closing client has no time.
    late: Vec<Delivery>,
    /// Batches of the disk for whose next try it has no time: they stay there.
    left: Vec<Delivery>,
    /// Whether a batch of the disk failed in all its retries.
    has_trouble: bool,
}

struct SpoolAccess {
    _right: TransferRight,
    transit: Option<Counted>,
    in_transit: Arc<std::sync::atomic::AtomicUsize>,
    /// When the server is to be tried again.
    at: Instant,
    is_fresh_first: bool,
}

/// The number of a request in flight, and the batches of it that are in memory only: target, lines, and their number.
type InFlightBatches = (u64, Vec<(Arc<Target>, Arc<SealedLines>, usize)>);

impl Transfer {
    /// Takes the batches that go to the disk out of those that failed: all but those of files. They are to be tried
    /// again at `at`. Unless fresh data goes first, those of their request that are left in `group` go with them: while
    /// something is on the disk nothing in memory is tried, and whoever moves batches finds none of them in flight.
    /// To be called under the lock of the send queue.
    pub(in crate::write::batching) fn take_failed(
        &mut self,
        failed: &mut Vec<Delivery>,
        group: &mut Group,
        at: Instant,
    ) {
        let Some(access) = &mut self.access else { return };
        self.failed.extend(failed.extract_if(.., |one| !one.is_of_file()));
        access.at = at;
        access.begin(!self.failed.is_empty());
        if !self.failed.is_empty() && !access.is_fresh_first {
            self.beside = group.take_if(|one| !one.is_of_file());
        }
    }

    /// The batches that [`take_failed`](Self::take_failed) took.
    pub(in crate::write::batching) fn taken(&self) -> impl Iterator<Item = &Delivery> {
        self.failed.iter().chain(&self.beside)
    }

    /// Takes batches for whose next try there is no time; returns those of files, which do not go to the disk.
    /// Without a spool it returns all.
    pub(in crate::write::batching) fn take_late(&mut self, late: Vec<Delivery>) -> Vec<Delivery> {
        let Some(access) = &mut self.access else { return late };
        let (on_disk, late) = late.into_iter().partition(Delivery::is_on_disk);
        self.left = on_disk;
        let (of_files, late): (Vec<_>, _) = Vec::into_iter(late).partition(Delivery::is_of_file);
        self.late = late;
        access.begin(!self.late.is_empty());
        of_files
    }

    /// Notes that the server did not take a batch of the disk in all its retries.
    pub(in crate::write::batching) fn note_trouble(&mut self) {
        self.has_trouble = true;
    }

    /// Gives the right to move batches back.
    pub(in crate::write::batching) fn end(self) {
        drop(self);
    }

    /// Puts these batches on the disk, or leaves them there; returns those of files, and those that could not be put
    /// there.
    pub(in crate::write::batching) fn put_all<const N: usize>(
        &self,
        batcher: &Arc<Batcher>,
        deliveries: [Vec<Delivery>; N],
    ) -> [Vec<Delivery>; N] {
        let Some(spool) = batcher.spool.as_ref().filter(|_| self.access.is_some()) else {
            return deliveries;
        };
        let mut dropped = Vec::new();
        let mut put = |delivery: Delivery| {
            if delivery.is_on_disk() {
                drop(delivery.leave_on_disk());
                return None;
            }
            if delivery.is_of_file() {
                return Some(delivery);
            }
            batcher.put(spool, delivery, &mut dropped).map(|(delivery, _)| delivery)
        };
        deliveries.map(|some| some.into_iter().filter_map(&mut put).collect())
    }
}

impl SpoolAccess {
    /// If `has_some`, batches are on their access to the disk from here on: others in memory wait until they are there.
    fn begin(&mut self, has_some: bool) {
        if has_some && self.transit.is_none() {
            self.transit = Some(Counted::new(&self.in_transit));
        }
    }
}

impl Batcher {
    /// Takes the right to move batches to the disk, if there is a spool. No lock may be held now, and no callback may
    /// be called before it is given back.
    pub(in crate::write::batching) fn begin_transfer(&self) -> Transfer {
        let access = self.spool.as_ref().map(|spool| SpoolAccess {
            _right: spool.transfers.take(),
            transit: None,
            in_transit: spool.in_transit.clone(),
            at: Instant::now(),
            is_fresh_first: spool.is_fresh_first,
        });
        Transfer {
            access,
            failed: Vec::new(),
            beside: Vec::new(),
            late: Vec::new(),
            left: Vec::new(),
            has_trouble: false,
        }
    }

    /// Whether a batch that failed with this error, which is not about its lines, waits on the disk.
    pub(in crate::write::batching) fn waits_on_disk(&self, error: &Error) -> bool {
        use ErrorKind as K;
        let is_trouble = matches!(
            error.kind(),
            K::Connect
                | K::Tls
                | K::Proxy
                | K::Redirect
                | K::Timeout
                | K::Unauthorized
                | K::RateLimited
                | K::Server
        );
        is_trouble && self.has_spool()
    }

    /// Whether [`flush_to_disk`](Self::flush_to_disk) waits, so that no batch may wait in memory for a retry.
    pub(in crate::write::batching) fn is_impatient(&self) -> bool {
        let is_impatient = |spool: &Spooling| spool.impatient.load(Ordering::SeqCst) > 0;
        self.spool.as_ref().is_some_and(is_impatient)
    }

    /// Puts the batches on the disk that a transfer has taken. Those that cannot be put there fail with `error`, or
    /// wait in memory if the disk is full, or they have retries left.
    pub(in crate::write::batching) fn end_transfer(
        self: &Arc<Self>,
        transfer: Transfer,
        error: &Error,
        outcome: &mut Outcome,
    ) {
        let Transfer { access, failed, mut beside, late, left, has_trouble } = transfer;
        let (Some(spool), Some(access)) = (&self.spool, access) else { return };
        let is_over = !late.is_empty() || !left.is_empty();
        left.into_iter().for_each(|delivery| drop(delivery.leave_on_disk()));
        let mut dropped = Vec::new();
        if !failed.is_empty() || !late.is_empty() {
            spool.times().read_after = Some(access.at);
            let mut put = |delivery| self.put(spool, delivery, &mut dropped);
            let back: Vec<_> = failed.into_iter().chain(late).filter_map(&mut put).collect();
            if back.is_empty() {
                beside =
                    beside.into_iter().filter_map(|one| put(one).map(|(one, _)| one)).collect();
            }
            self.take_back(back, beside, access.at, error, outcome);
            spool.note_trouble();
        } else if has_trouble {
            spool.note_trouble();
        }
        drop(access);
        self.tell_dropped(dropped);
        if is_over {
            self.rest(spool);
        }
    }

    /// Puts batches back that could not be put on the disk, or ends them: those in `back` have no retries left, those
    /// in `beside` have some.
    fn take_back(
        &self,
        back: Vec<(Delivery, NotPut)>,
        beside: Vec<Delivery>,
        at: Instant,
        error: &Error,
        outcome: &mut Outcome,
    ) {
        let tell = self.has_error_callback();
        let back = back.into_iter().map(|(one, why)| (one, Some(why)));
        let all: Vec<_> = back.chain(beside.into_iter().map(|one| (one, None))).collect();
        self.send_queue.change(|state| {
            for (delivery, why) in all.into_iter().rev() {
                match why {
                    _ if !state.phase.is_open() => {
                        outcome.hand_back(state.phase.hand_back(vec![delivery]));
                    }
                    None | Some(NotPut::Full) => {
                        let mut group = Group::from(delivery);
                        group.wait(Some(at), false);
                        state.put_back(group);
                    }
                    Some(why @ (NotPut::Failed(_) | NotPut::Closed)) => {
                        let context = match why {
                            NotPut::Failed(why) => {
                                format!("the lines cannot wait on the disk ({why})")
                            }
                            _ => "the lines cannot wait on the disk".to_owned(),
                        };
                        let error = error.duplicate().in_context(&context);
                        let bad = fail(delivery, &error, End::Failed, true);
                        outcome.add(bad, tell, &mut state.failures);
                    }
                }
            }
        });
    }

    /// Moves all batches that wait in memory to the disk, but those of files.
    ///
    /// # Errors
    /// Why some of them are in memory still.
    pub(super) fn move_to_disk(self: &Arc<Self>, spool: &Spooling) -> Result<(), NotPut> {
        let right = spool.transfers.take();
        let mut dropped = Vec::new();
        let result = self.move_with_right(spool, &mut dropped);
        if result.is_err() {
            spool.times().move_after = Some(after(Instant::now(), PAUSE));
        }
        drop(right);
        self.tell_dropped(dropped);
        // Who closes the client may have found batches on their way, and wait to hear that there are none.
        self.end_if_over();
        result
    }

    fn move_with_right(&self, spool: &Spooling, dropped: &mut Vec<Ended>) -> Result<(), NotPut> {
        // From here on no worker takes any of them, so that none gets between those in flight and those that wait.
        let transit = self.send_queue.change(|state| {
            self.send_queue.receive_all(state);
            let mut all = state.memory.waiting().chain(state.memory.in_flight());
            all.any(|group| !group.is_of_file()).then(|| Counted::new(&spool.in_transit))
        });
        let Some(transit) = transit else { return Ok(()) };
        if spool.is_strict {
            self.copy_in_flight(spool)?;
        }
        let taken =
            self.send_queue.change(|state| state.memory.take_waiting(|group| !group.is_of_file()));
        let mut taken = taken.into_iter();
        for mut group in taken.by_ref() {
            while let Some(delivery) = group.take_first() {
                if let Some((delivery, why)) = self.put(spool, delivery, dropped) {
                    group.put_first(delivery);
                    let rest: Vec<_> = std::iter::once(group).chain(taken).collect();
                    self.send_queue.change(|state| {
                        rest.into_iter().rev().for_each(|group| state.put_back(group));
                    });
                    return Err(why);
                }
            }
        }
        drop(transit);
        Ok(())
    }

    /// Copies batches in flight to the disk, as they were accepted before those that wait.
    fn copy_in_flight(&self, spool: &Spooling) -> Result<(), NotPut> {
        for (number, batches) in self.send_queue.change(|state| in_flight(state)) {
            let mut leases = Vec::new();
            for (target, sealed, lines) in &batches {
                match spool.queue.add_read(target, sealed.bytes(), *lines) {
                    Ok(lease) => leases.push(lease),
                    Err(refused) => {
                        // Those that are there already have to be leased, or they would be sent twice.
                        self.attach(number, leases, spool);
                        return Err(spool.not_put(refused));
                    }
                }
            }
            self.attach(number, leases, spool);
        }
        Ok(())
    }

    /// Gives the batches of a request in flight the leases of their copies. If the request is over by now, the leases
    /// are dropped, which ends the copies.
    fn attach(&self, number: u64, leases: Vec<Option<DiskLease>>, spool: &Spooling) {
        let mut leases = leases.into_iter();
        let before = self.send_queue.change(|state| {
            let group = state.memory.get_mut(number)?;
            let attached = group.deliveries_mut().iter_mut().zip(leases.by_ref());
            let attached = attached
                .filter_map(|(one, lease)| one.attach(lease?, spool.member.clone(), &spool.reads))
                .collect::<Vec<_>>();
            Some(attached)
        });
        drop((before, leases));
    }

    /// Puts a batch on the disk and frees its memory; returns it if it cannot be put there. Where the disk has no
    /// room, `OnFull` holds; batches that are dropped for it are added to `dropped`, to be reported after the
    /// right was given back.
    fn put(
        &self,
        spool: &Spooling,
        delivery: Delivery,
        dropped: &mut Vec<Ended>,
    ) -> Option<(Delivery, NotPut)> {
        loop {
            let (target, lines) = (delivery.target(), delivery.sealed().bytes());
            match spool.queue.add(target, lines, delivery.lines()) {
                Ok(_) | Err(Refused::NotSafe(..)) => {
                    spool.set_refusal(Refusal::None);
                    drop(delivery.leave_on_disk());
                    return None;
                }
                Err(Refused::Full) if self.settings.on_full == OnFull::DropNewest => {
                    dropped.push(delivery.end(End::Dropped));
                    return None;
                }
                Err(Refused::Full) if self.settings.on_full == OnFull::DropOldest => {
                    match spool.queue.drop_oldest() {
                        Some(lost) => self.count_lost(lost, End::Dropped),
                        None => return Some((delivery, spool.not_put(Refused::Full))),
                    }
                }
                Err(refused) => return Some((delivery, spool.not_put(refused))),
            }
        }
    }

    /// Makes room in memory by moving batches to the disk. False if that is not to be tried.
    pub(in crate::write::batching) fn make_room_by_disk(self: &Arc<Self>) -> bool {
        let Some(spool) = self.spool.as_ref().filter(|spool| !spool.is_always) else {
            return false;
        };
        if spool.times().move_after.is_some_and(|at| at > Instant::now()) {
            return false;
        }
        self.apply(self.accumulator.seal_if(|open| open.key.file.is_none()));
        let _ = self.move_to_disk(spool);
        self.call_workers();
        true
    }

    /// Whether batches wait in memory that are to be moved to the disk now.
    pub(super) fn is_move_due(&self, spool: &Spooling, now: Instant) -> bool {
        spool.moves_memory()
            && spool.times().move_after.is_none_or(|at| at <= now)
            && self.send_queue.has_to_move()
    }
}

fn in_flight(state: &SendQueueState) -> Vec<InFlightBatches> {
    let groups = state.memory.numbered_in_flight();
    let groups = groups.filter(|(_, group)| !group.is_of_file() && !group.is_on_disk());
    let parts = |group: &Group| {
        let deliveries = group.deliveries().iter();
        let parts = deliveries.map(|one| (one.target().clone(), one.sealed().clone(), one.lines()));
        parts.collect()
    };
    groups.map(|(number, group)| (number, parts(group))).collect()
}
