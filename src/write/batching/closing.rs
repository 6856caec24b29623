//! Closing a client.

use std::sync::{Arc, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::contain::log_error;
use crate::write::batching::accounting::{BatchFailure, Epoch};
use crate::write::batching::send_queue::{Closing, Group, Phase, Returned};
use crate::write::batching::{Batcher, after};
use crate::{Error, ErrorKind, Result};

/// How a client is to be closed.
#[derive(Clone, Copy, Debug)]
struct CloseRequest {
    deadline: Instant,
    may_wait: bool,
    is_drop: bool,
}

impl Batcher {
    /// Closes the client: no more lines are taken, and what is left is sent within `max_close_wait`. Returns when all
    /// of it has ended; in a callback, at once.
    ///
    /// # Errors
    /// The lines that could not be sent, and failures that were not reported yet. Only one of several calls gets them.
    pub(crate) fn close(self: &Arc<Self>) -> Result<()> {
        let deadline = after(Instant::now(), self.settings.max_close_wait);
        self.shut(CloseRequest { deadline, may_wait: true, is_drop: false })
    }

    /// Closes the client when its last handle is dropped: as [`close`](Self::close), but within [`LONGEST_DROP`], and
    /// without waits for retries if the thread is panicking. Lines that could not be sent go to the error callback,
    /// or are logged.
    pub(crate) fn close_for_drop(self: &Arc<Self>) {
        let deadline = after(Instant::now(), self.settings.max_close_wait.min(LONGEST_DROP));
        let may_wait = !thread::panicking();
        if let Err(error) = self.shut(CloseRequest { deadline, may_wait, is_drop: true }) {
            log_error(format_args!("a client was dropped, and nobody was told: {error:#}"));
        }
    }

    fn shut(self: &Arc<Self>, request: CloseRequest) -> Result<()> {
        let (last, changes) = self.accumulator.close();
        let is_closed = self.send_queue.change(|state| {
            match &mut state.phase {
                Phase::Open => {
                    let CloseRequest { deadline, may_wait, is_drop } = request;
                    let (last, returned) = (last.clone(), Vec::new());
                    // With a spool they go to the disk instead.
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
                    closing.deadline = closing.deadline.min(request.deadline);
                    closing.may_wait &= request.may_wait;
                    closing.is_drop |= request.is_drop;
                }
                Phase::Closed { .. } => return true,
            }
            // Waits for jitter end, and waits for a retry that is due after the deadline.
            let phase = &state.phase;
            state.memory.end_waits(|group, at| !group.has_failed() || phase.is_too_late(at));
            // Other calls of `close` have to wait for the new deadline.
            self.send_queue.closed.notify_all();
            false
        });
        if !is_closed {
            self.apply(changes);
            self.close_spool();
            self.call_workers();
            self.accounts.budget.wake_all();
            if !self.is_all_over(&last) && self.is_in_callback() {
                // While a batch waits for its retry, only the scheduler's timer has the client, and weakly.
                self.keep_itself();
                self.arm();
                return Ok(());
            }
            self.wait_for_end(&last, request.deadline);
        }
        // Failures of an epoch that a `flush` waits for are returned by that.
        self.send_queue.fail_at_end()
    }

    /// Keeps the client alive until it is closed, although its last handle may be dropped before.
    fn keep_itself(self: &Arc<Self>) {
        self.send_queue.change(|state| {
            if let Phase::Closing(closing) = &mut state.phase {
                closing.itself = Some(self.clone());
            }
        });
        // All may have ended before this, and then no other thread looks again.
        self.end_if_over();
    }

    /// Returns when the client is closed, and closes it if all has ended or its deadline has passed.
    fn wait_for_end(self: &Arc<Self>, last: &Arc<Epoch>, deadline: Instant) {
        let mut state = self.send_queue.lock();
        while let Phase::Closing(closing) = &state.phase {
            if closing.is_finishing {
                state = self.send_queue.closed.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let left = closing.deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || self.is_all_over(last) {
                drop(state);
                self.finish();
                state = self.send_queue.lock();
                continue;
            }
            let waited = self.send_queue.closed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        // Another thread may be calling the error callback for lines that could not be sent.
        if let Phase::Closed { told, .. } = &state.phase {
            let told = told.clone();
            drop(state);
            told.wait_until(deadline);
        }
    }

    /// Closes the client for good if it is closing and all has ended, or its deadline has passed. To be called after
    /// batches have ended.
    pub(super) fn end_if_over(self: &Arc<Self>) {
        let is_over = |closing: &Closing| {
            self.is_all_over(&closing.last) || closing.deadline <= Instant::now()
        };
        if self.send_queue.lock().phase.closing().is_some_and(is_over) {
            self.finish();
        }
    }

    /// Whether all batches in memory have ended, and none of the disk is to be sent any more.
    fn is_all_over(&self, last: &Epoch) -> bool {
        last.is_over() && self.is_disk_at_rest()
    }

    /// Closes the client for good: batches that have not ended are put on the disk, if there is a spool, or ended and
    /// handed back. Does nothing if that was begun before.
    fn finish(self: &Arc<Self>) {
        // First, as a thread that moves batches to the disk has some that are not in the queue.
        let transfer = self.begin_transfer();
        let mut state = self.send_queue.lock();
        let Phase::Closing(closing) = &mut state.phase else { return };
        if std::mem::replace(&mut closing.is_finishing, true) {
            return;
        }
        self.send_queue.receive_all(&mut state);
        let (mut waiting, mut in_flight) = state.memory.take_all();
        let (waiting_on_disk, in_flight_on_disk) = state.disk.take_all();
        drop(state);
        let has_in_flight = !in_flight.is_empty() || !in_flight_on_disk.is_empty();
        in_flight.extend(in_flight_on_disk);
        waiting.extend(waiting_on_disk);
        let [in_flight, waiting] = [in_flight, waiting]
            .map(|groups| groups.into_iter().flat_map(Group::into_deliveries).collect());
        let [in_flight, waiting] = transfer.put_all(self, [in_flight, waiting]);
        let mut state = self.send_queue.lock();
        let telling = Epoch::start(0);
        let closed = |has_returned| Phase::Closed { has_returned, told: telling.epoch().clone() };
        let phase = std::mem::replace(&mut state.phase, closed(false));
        let Phase::Closing(mut closing) = phase else { return };
        let end = closing.end();
        let mut ended = Vec::new();
        for mut delivery in in_flight {
            // Its request may be answered yet.
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
            let mut failure = BatchFailure::new(error);
            for Returned { order, batch, .. } in returned.drain(..) {
                failure.hand_back(order, batch);
            }
            state.failures.add(u64::MAX, failure);
        }
        drop(state);
        transfer.end();
        self.release_spool();
        self.send_queue.closed.notify_all();
        self.accounts.budget.wake_all();

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
        self.http.retire(has_in_flight);
        drop(callbacks);
        self.registration.end();
        drop(itself);
    }
}

/// The error of lines that could not be sent in time; none if there are none. It is that of the first batch that was
/// tried.
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

/// The longest time that dropping a client takes.
const LONGEST_DROP: Duration = Duration::from_secs(10);
