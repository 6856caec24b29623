//! From memory to the disk.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use super::exclusive::Right;
use super::{Counted, PAUSE, Spooling};
use crate::write::batching::body::Body;
use crate::write::batching::delivery::Delivery;
use crate::write::batching::ended::Ended;
use crate::write::batching::group::Group;
use crate::write::batching::lane::{LaneState, Sources};
use crate::write::batching::ledger::End;
use crate::write::batching::outcome::{Outcome, fail};
use crate::write::batching::{Batcher, after};
use crate::write::options::OnFull;
use crate::write::spool::{Refused, Ticket};
use crate::write::target::Target;
use crate::{Error, ErrorKind};

/// What becomes of the batches of a request that failed. Without a spool, nothing else than without it.
pub(in crate::write::batching) struct Transfer {
    /// None if there is no spool.
    way: Option<Way>,
    /// Those that are not tried again in memory.
    failed: Vec<Delivery>,
    /// Those for whose next try there is no time, as the client ends.
    late: Vec<Delivery>,
    /// Those that are on the disk, and stay there.
    left: Vec<Delivery>,
    has_trouble: bool,
}

struct Way {
    _right: Right,
    transit: Option<Counted>,
    in_transit: Arc<std::sync::atomic::AtomicUsize>,
    /// When the server is to be tried again.
    at: Instant,
}

/// Why a batch is not on the disk.
#[derive(Debug)]
pub(super) enum NotPut {
    Full,
    Closed,
    Failed(io::Error),
}

/// A batch that is under way, and how often it was put on the disk already.
type UnderWay = (u64, Vec<(Arc<Target>, Arc<Body>, usize)>);

impl Transfer {
    /// Takes those that go to the disk out of those that failed; lines of files do not. Under the lock of the lane.
    pub(in crate::write::batching) fn take_failed(
        &mut self,
        failed: &mut Vec<Delivery>,
        at: Instant,
    ) {
        let Some(way) = &mut self.way else { return };
        self.failed.extend(failed.extract_if(.., |one| !one.is_of_file()));
        way.at = at;
        way.begin(!self.failed.is_empty());
    }

    pub(in crate::write::batching) fn failed(&self) -> impl Iterator<Item = &Delivery> {
        self.failed.iter()
    }

    /// The same of those for which there is no time; returns the others.
    pub(in crate::write::batching) fn take_late(&mut self, late: Vec<Delivery>) -> Vec<Delivery> {
        let Some(way) = &mut self.way else { return late };
        let (on_disk, late) = late.into_iter().partition(Delivery::is_on_disk);
        self.left = on_disk;
        let (of_files, late): (Vec<_>, _) = Vec::into_iter(late).partition(Delivery::is_of_file);
        self.late = late;
        way.begin(!self.late.is_empty());
        of_files
    }

    /// The server did not take something in all its retries.
    pub(in crate::write::batching) fn note_trouble(&mut self) {
        self.has_trouble = true;
    }

    /// Gives the right back.
    pub(in crate::write::batching) fn end(self) {
        drop(self);
    }

    /// Puts everything on the disk that is not there, but lines of files; returns what it could not.
    pub(in crate::write::batching) fn put_all<const N: usize>(
        &self,
        batcher: &Arc<Batcher>,
        deliveries: [Vec<Delivery>; N],
    ) -> [Vec<Delivery>; N] {
        let Some(spool) = batcher.spool.as_ref().filter(|_| self.way.is_some()) else {
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

impl Way {
    /// What is in memory waits from now on.
    fn begin(&mut self, has_some: bool) {
        if has_some && self.transit.is_none() {
            self.transit = Some(Counted::new(&self.in_transit));
        }
    }
}

impl Batcher {
    /// The right to move batches to the disk, if there is a spool. No lock may be held, and no callback be called before it
    /// is given back.
    pub(in crate::write::batching) fn begin_transfer(&self) -> Transfer {
        let way = self.spool.as_ref().map(|spool| Way {
            _right: spool.transfers.take(),
            transit: None,
            in_transit: spool.in_transit.clone(),
            at: Instant::now(),
        });
        Transfer { way, failed: Vec::new(), late: Vec::new(), left: Vec::new(), has_trouble: false }
    }

    /// Whether lines wait on the disk that the server has refused for this: it is not about them.
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

    /// Whether nothing is to wait in memory for a retry.
    pub(in crate::write::batching) fn is_impatient(&self) -> bool {
        let is_impatient = |spool: &Spooling| spool.impatient.load(Ordering::SeqCst) > 0;
        self.spool.as_ref().is_some_and(is_impatient)
    }

    /// Puts on the disk what a transfer has taken. What cannot be put there fails with `error`, or waits on in memory.
    pub(in crate::write::batching) fn end_transfer(
        self: &Arc<Self>,
        transfer: Transfer,
        error: &Error,
        outcome: &mut Outcome,
    ) {
        let Transfer { way, failed, late, left, has_trouble } = transfer;
        let (Some(spool), Some(way)) = (&self.spool, way) else { return };
        let is_over = !late.is_empty() || !left.is_empty();
        left.into_iter().for_each(|delivery| drop(delivery.leave_on_disk()));
        let mut dropped = Vec::new();
        if !failed.is_empty() || !late.is_empty() {
            spool.pace().read_after = Some(way.at);
            let put = |delivery| self.put(spool, delivery, &mut dropped);
            let back: Vec<_> = failed.into_iter().chain(late).filter_map(put).collect();
            self.take_back(back, way.at, error, outcome);
            spool.note_trouble();
        } else if has_trouble {
            spool.note_trouble();
        }
        drop(way);
        self.tell_dropped(dropped);
        if is_over {
            self.rest(spool);
        }
    }

    /// What could not be put on the disk is in memory still.
    fn take_back(
        &self,
        back: Vec<(Delivery, NotPut)>,
        at: Instant,
        error: &Error,
        outcome: &mut Outcome,
    ) {
        let tell = self.has_error_callback();
        self.lane.change(|state| {
            for (delivery, why) in back.into_iter().rev() {
                match why {
                    _ if !state.phase.is_open() => {
                        outcome.hand_back(state.phase.hand_back(vec![delivery]));
                    }
                    NotPut::Full => {
                        let mut group = Group::from(delivery);
                        group.wait(Some(at), false);
                        state.put_back(group);
                    }
                    NotPut::Failed(_) | NotPut::Closed => {
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

    /// Moves what waits in memory to the disk.
    ///
    /// # Errors
    /// Why some of it is in memory still.
    pub(super) fn move_to_disk(self: &Arc<Self>, spool: &Spooling) -> Result<(), NotPut> {
        let right = spool.transfers.take();
        let mut dropped = Vec::new();
        let result = self.move_with_right(spool, &mut dropped);
        if result.is_err() {
            spool.pace().move_after = Some(after(Instant::now(), PAUSE));
        }
        drop(right);
        self.tell_dropped(dropped);
        result
    }

    fn move_with_right(&self, spool: &Spooling, dropped: &mut Vec<Ended>) -> Result<(), NotPut> {
        if spool.is_strict {
            self.copy_under_way(spool)?;
        }
        let taken = self.lane.change(|state| {
            self.lane.receive_all(state);
            let taken = state.queue.take_waiting(|group| !group.is_of_file());
            (!taken.is_empty()).then(|| (taken, Counted::new(&spool.in_transit)))
        });
        let Some((taken, transit)) = taken else { return Ok(()) };
        let mut taken = taken.into_iter().flat_map(Group::into_deliveries);
        let mut result = Ok(());
        for delivery in taken.by_ref() {
            if let Some((delivery, why)) = self.put(spool, delivery, dropped) {
                let rest: Vec<_> = std::iter::once(delivery).chain(taken).collect();
                self.lane.change(|state| {
                    rest.into_iter().rev().for_each(|one| state.put_back(Group::from(one)));
                });
                result = Err(why);
                break;
            }
        }
        drop(transit);
        result
    }

    /// Copies what is under way to the disk, as it was accepted before what waits.
    fn copy_under_way(&self, spool: &Spooling) -> Result<(), NotPut> {
        for (number, batches) in self.lane.change(|state| under_way(state)) {
            let mut tickets = Vec::new();
            for (target, body, lines) in &batches {
                match spool.queue.add_read(target, body.lines(), *lines) {
                    Ok(ticket) => tickets.push(ticket),
                    Err(refused) => {
                        // Whatever is there already is sent twice, if it is not written now.
                        self.attach(number, tickets, spool);
                        return Err(refused.into());
                    }
                }
            }
            self.attach(number, tickets, spool);
        }
        Ok(())
    }

    /// Gives the batches of a request their places on the disk. If it is over, they have ended.
    fn attach(&self, number: u64, tickets: Vec<Option<Ticket>>, spool: &Spooling) {
        let mut tickets = tickets.into_iter();
        let before = self.lane.change(|state| {
            let group = state.queue.get_mut(number)?;
            let attached = group.deliveries_mut().iter_mut().zip(tickets.by_ref());
            let attached = attached
                .filter_map(|(one, ticket)| one.attach(ticket?, spool.member.clone(), &spool.reads))
                .collect::<Vec<_>>();
            Some(attached)
        });
        drop((before, tickets));
    }

    /// Puts a batch on the disk, which ends it in memory; it comes back if that cannot be. Where there is no room, as `OnFull` has it; what that drops must be
    /// told when the right is given back.
    fn put(
        &self,
        spool: &Spooling,
        delivery: Delivery,
        dropped: &mut Vec<Ended>,
    ) -> Option<(Delivery, NotPut)> {
        loop {
            let (target, lines) = (delivery.target(), delivery.body().lines());
            match spool.queue.add(target, lines, delivery.lines()) {
                Ok(_) | Err(Refused::NotSafe(..)) => {
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
                        None => return Some((delivery, NotPut::Full)),
                    }
                }
                Err(refused) => return Some((delivery, refused.into())),
            }
        }
    }

    /// Makes room in memory; says whether it may have made some.
    pub(in crate::write::batching) fn make_room_by_disk(self: &Arc<Self>) -> bool {
        let Some(spool) = self.spool.as_ref().filter(|spool| !spool.is_always) else {
            return false;
        };
        if spool.pace().move_after.is_some_and(|at| at > Instant::now()) {
            return false;
        }
        self.apply(self.accumulator.seal_if(|open| open.key.file.is_none()));
        let _ = self.move_to_disk(spool);
        self.call_workers();
        true
    }

    /// Whether batches wait in memory that are to be moved, and can be.
    pub(super) fn is_move_due(&self, spool: &Spooling, now: Instant) -> bool {
        spool.sources() == Sources::DiskFirst
            && spool.pace().move_after.is_none_or(|at| at <= now)
            && self.lane.has_to_move()
    }
}

impl From<Refused> for NotPut {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Full => Self::Full,
            Refused::Closed => Self::Closed,
            Refused::Failed(error) | Refused::NotSafe(_, error) => Self::Failed(error),
        }
    }
}

impl std::fmt::Display for NotPut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Full => f.write_str("the spool is at its limit"),
            Self::Closed => f.write_str("the client is closed"),
            Self::Failed(error) => error.fmt(f),
        }
    }
}

fn under_way(state: &LaneState) -> Vec<UnderWay> {
    let groups = state.queue.numbered_under_way();
    let groups = groups.filter(|(_, group)| !group.is_of_file() && !group.is_on_disk());
    let parts = |group: &Group| {
        let deliveries = group.deliveries().iter();
        let parts = deliveries.map(|one| (one.target().clone(), one.body().clone(), one.lines()));
        parts.collect()
    };
    groups.map(|(number, group)| (number, parts(group))).collect()
}
