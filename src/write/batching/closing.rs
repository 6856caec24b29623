//! The end of a client.

use std::sync::{Arc, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::contain::log_error;
use super::delivery::Delivery;
use super::ended::Ended;
use super::epoch::Epoch;
use super::failures::Failure;
use super::group::Group;
use super::ledger::End;
use super::order::Order;
use super::send_queue::Waiting;
use super::{Batcher, after};
use crate::{Batch, Error, ErrorKind, Result};

/// How far a client is with its end.
#[derive(Debug)]
pub(super) enum Phase {
    Open,
    Closing(Closing),
    Closed {
        /// Whether lines were handed back.
        has_returned: bool,
        /// Over when the callbacks know of everything.
        told: Arc<Epoch>,
    },
}

/// A client takes no more lines and sends what it has.
#[derive(Debug)]
pub(super) struct Closing {
    pub(super) deadline: Instant,
    /// Whether a batch may wait for a retry that is due before the deadline.
    may_wait: bool,
    /// Whether nobody is left to hand lines back to.
    is_drop: bool,
    /// Over when all that was accepted has ended.
    last: Arc<Epoch>,
    /// What cannot be sent in time.
    returned: Vec<Returned>,
    /// Whether somebody is about to end it.
    is_finishing: bool,
    /// What keeps a client alive that nobody waits for.
    itself: Option<Arc<Batcher>>,
}

/// Lines for whoever closes the client.
#[derive(Debug)]
struct Returned {
    order: Order,
    batch: Batch,
    why: Option<Arc<Error>>,
    in_doubt: bool,
}

/// What a call of `close` wants.
#[derive(Clone, Copy, Debug)]
struct Wish {
    deadline: Instant,
    may_wait: bool,
    is_drop: bool,
}

impl Phase {
    pub(super) fn is_closed(&self) -> bool {
        matches!(self, Self::Closed { .. })
    }

    /// Whether nothing is put into the lane any more.
    #[cfg(feature = "spool")]
    pub(super) fn is_over(&self) -> bool {
        self.is_closed() || self.closing().is_some_and(|closing| closing.is_finishing)
    }

    #[cfg(feature = "spool")]
    pub(super) fn is_open(&self) -> bool {
        matches!(self, Self::Open)
    }

    pub(super) fn closing(&self) -> Option<&Closing> {
        match self {
            Self::Closing(closing) => Some(closing),
            _ => None,
        }
    }

    /// Whether it makes no sense any more to wait until `at`.
    pub(super) fn is_too_late(&self, at: Instant) -> bool {
        match self {
            Self::Open => false,
            Self::Closing(closing) => !closing.may_wait || at > closing.deadline,
            Self::Closed { .. } => true,
        }
    }

    /// Ends batches that a closing client cannot try again in time.
    pub(super) fn hand_back(&mut self, deliveries: Vec<Delivery>) -> Vec<Ended> {
        let Self::Closing(closing) = self else { return Vec::new() };
        let end = closing.end();
        deliveries.into_iter().map(|delivery| closing.hand_back(delivery, end)).collect()
    }
}

impl Closing {
    fn end(&self) -> End {
        if self.is_drop { End::Dropped } else { End::Returned }
    }

    fn hand_back(&mut self, delivery: Delivery, end: End) -> Ended {
        let (why, in_doubt) = (delivery.tries.why.clone(), delivery.tries.in_doubt);
        let ended = delivery.end(end);
        if let Some(file) = &ended.file {
            file.set_returned();
        }
        let (order, batch) = (ended.order, ended.batch.clone());
        self.returned.push(Returned { order, batch, why, in_doubt });
        ended
    }
}

impl Batcher {
    /// Sends what is left, within `max_close_wait`, and ends.
    pub(crate) fn close(self: &Arc<Self>) -> Result<()> {
        let deadline = after(Instant::now(), self.settings.max_close_wait);
        self.shut(Wish { deadline, may_wait: true, is_drop: false })
    }

    /// As [`close`](Self::close), when the last handle of the client is gone.
    pub(crate) fn close_for_drop(self: &Arc<Self>) {
        let deadline = after(Instant::now(), self.settings.max_close_wait.min(LONGEST_DROP));
        let may_wait = !thread::panicking();
        if let Err(error) = self.shut(Wish { deadline, may_wait, is_drop: true }) {
            log_error(format_args!("a client was dropped, and nobody was told: {error:#}"));
        }
    }

    fn shut(self: &Arc<Self>, wish: Wish) -> Result<()> {
        let (last, changes) = self.accumulator.close();
        let is_closed = self.lane.change(|state| {
            match &mut state.phase {
                Phase::Open => {
                    let Wish { deadline, may_wait, is_drop } = wish;
                    let (last, returned) = (last.clone(), Vec::new());
                    // On the disk they wait as well.
                    let may_wait = may_wait && !self.has_spool();
                    let (itself, is_finishing) = (None, false);
                    state.phase = Phase::Closing(Closing {
                        deadline,
                        may_wait,
                        is_drop,
                        last,
                        returned,
                        is_finishing,
                        itself,
                    });
                }
                Phase::Closing(closing) => {
                    closing.deadline = closing.deadline.min(wish.deadline);
                    closing.may_wait &= wish.may_wait;
                    closing.is_drop |= wish.is_drop;
                }
                Phase::Closed { .. } => return true,
            }
            // Jitter spreads load, which is no reason to keep a program from ending.
            let phase = &state.phase;
            state.queue.end_waits(|group, at| !has_failed(group) || phase.is_too_late(at));
            // Others that close wait for the new deadline.
            self.lane.closed.notify_all();
            false
        });
        if !is_closed {
            self.apply(changes);
            self.close_spool();
            self.call_workers();
            self.shared.budget.wake_all();
            if !self.is_all_over(&last) && self.is_in_callback() {
                // Nobody may be left who has it, but a timer, while a batch waits for its retry.
                self.keep_itself();
                self.arm();
                return Ok(());
            }
            self.wait_for_end(&last, wish.deadline);
        }
        // What a flush waits for, it is told of.
        self.lane.fail_at_end()
    }

    fn keep_itself(self: &Arc<Self>) {
        self.lane.change(|state| {
            if let Phase::Closing(closing) = &mut state.phase {
                closing.itself = Some(self.clone());
            }
        });
        // It may be over by now, and nobody may look any more.
        self.end_if_over();
    }

    /// Returns when the client is closed, at its deadline if need be.
    fn wait_for_end(self: &Arc<Self>, last: &Arc<Epoch>, deadline: Instant) {
        let mut state = self.lane.lock();
        while let Phase::Closing(closing) = &state.phase {
            if closing.is_finishing {
                state = self.lane.closed.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let left = closing.deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || self.is_all_over(last) {
                drop(state);
                self.finish();
                state = self.lane.lock();
                continue;
            }
            let waited = self.lane.closed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        // Somebody else may be about to tell what is left.
        if let Phase::Closed { told, .. } = &state.phase {
            let told = told.clone();
            drop(state);
            told.wait_until(deadline);
        }
    }

    /// Ends the client if it is closing and everything has ended, or its time is up. For whoever ended something.
    pub(super) fn end_if_over(self: &Arc<Self>) {
        let is_over = |closing: &Closing| {
            self.is_all_over(&closing.last) || closing.deadline <= Instant::now()
        };
        if self.lane.lock().phase.closing().is_some_and(is_over) {
            self.finish();
        }
    }

    /// Whether all that was accepted in memory has ended, and nothing of what is on the disk is to be sent any more.
    fn is_all_over(&self, last: &Epoch) -> bool {
        last.is_over() && self.is_disk_at_rest()
    }

    /// Ends: what has not ended by now is put on the disk, or handed back.
    fn finish(self: &Arc<Self>) {
        // Whoever moves batches to the disk has some that are not in the lane.
        let transfer = self.begin_transfer();
        let mut state = self.lane.lock();
        let Phase::Closing(closing) = &mut state.phase else { return };
        if std::mem::replace(&mut closing.is_finishing, true) {
            return;
        }
        self.lane.receive_all(&mut state);
        let (mut waiting, mut under_way) = state.queue.take_all();
        let (waiting_on_disk, under_way_on_disk) = state.disk.take_all();
        drop(state);
        let is_under_way = !under_way.is_empty() || !under_way_on_disk.is_empty();
        under_way.extend(under_way_on_disk);
        waiting.extend(waiting_on_disk);
        let [under_way, waiting] = [under_way, waiting]
            .map(|groups| groups.into_iter().flat_map(Group::into_deliveries).collect());
        let [under_way, waiting] = transfer.put_all(self, [under_way, waiting]);
        let mut state = self.lane.lock();
        let telling = Epoch::start(0);
        let closed = |has_returned| Phase::Closed { has_returned, told: telling.epoch().clone() };
        let phase = std::mem::replace(&mut state.phase, closed(false));
        let Phase::Closing(mut closing) = phase else { return };
        let end = closing.end();
        let mut ended = Vec::new();
        for mut delivery in under_way {
            // The answer may be on its way.
            delivery.tries.in_doubt = true;
            ended.push(closing.hand_back(delivery, end));
        }
        for delivery in waiting {
            ended.push(closing.hand_back(delivery, end));
        }
        let Closing { is_drop, mut returned, itself, .. } = closing;
        returned.sort_by_key(|returned| returned.order);
        state.phase = closed(!returned.is_empty());
        let (mut reason, mut untold) = (reason(&returned), None);
        if is_drop {
            untold = state.failures.take_all();
        } else if let Some(error) = reason.take() {
            let mut failure = Failure::new(error);
            for Returned { order, batch, .. } in returned.drain(..) {
                failure.hand_back(order, batch);
            }
            state.failures.add(u64::MAX, failure);
        }
        drop(state);
        transfer.end();
        self.release_spool();
        self.lane.closed.notify_all();
        self.shared.budget.wake_all();

        if let Some(failure) = untold {
            log_error(format_args!(
                "a client was dropped without close, and nobody was told: {:#}",
                failure.into_error()
            ));
        }
        let callbacks = self.take_callbacks();
        for Returned { batch, .. } in returned {
            if let Some(reason) = &reason
                && !self.tell(&callbacks, &batch, reason)
            {
                log_error(format_args!(
                    "{} lines are lost with a client that was dropped without close",
                    batch.lines()
                ));
            }
        }
        drop(telling);
        drop(ended);
        self.http.retire(is_under_way);
        drop(callbacks);
        self.registration.end();
        drop(itself);
    }
}

fn has_failed(group: &Group) -> bool {
    group.deliveries().iter().any(|delivery| delivery.tries.failures > 0)
        || group.not_before().is_none()
}

/// Why lines were not sent in time.
fn reason(returned: &[Returned]) -> Option<Error> {
    if returned.is_empty() {
        return None;
    }
    let lines: usize = returned.iter().map(|returned| returned.batch.lines).sum();
    let why = returned.iter().find_map(|returned| returned.why.as_deref());
    let mut error =
        why.map_or_else(|| Error::new(ErrorKind::Timeout, "time is up"), Error::duplicate);
    error.add_doubt(returned.iter().any(|returned| returned.in_doubt));
    let context = format!("{lines} lines could not be written before the client was closed");
    Some(error.in_context(&context))
}

/// How long a client that is dropped keeps the program.
const LONGEST_DROP: Duration = Duration::from_secs(10);
