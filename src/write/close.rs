//! The end of a client, and the moments when all is to be settled.

use std::sync::{Arc, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::batcher::{Batcher, State, after, closed};
use super::contain::log_error;
use super::lane::Job;
use super::stats::{Amount, End};
use super::worker::remove_flight;
use crate::{Error, ErrorKind, Result};

#[derive(Debug)]
pub(super) enum Phase {
    Open,
    Closing(Closing),
    Closed {
        /// Whether lines were left.
        left_lines: bool,
    },
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Closing {
    pub(super) deadline: Instant,
    /// Whether a batch may wait for a retry that is due before the deadline.
    may_wait: bool,
    /// Whether nobody is left to hand lines back to.
    is_drop: bool,
}

impl Phase {
    /// Whether it makes no sense any more to wait until `at`.
    pub(super) fn is_too_late(&self, at: Instant) -> bool {
        match self {
            Self::Open => false,
            Self::Closing(closing) => !closing.may_wait || at > closing.deadline,
            Self::Closed { .. } => true,
        }
    }

    fn end_of_what_is_left(&self) -> End {
        match self {
            Self::Closing(Closing { is_drop: true, .. }) => End::Dropped,
            _ => End::Returned,
        }
    }
}

impl Batcher {
    /// Waits until everything that was accepted before is settled. In a callback, only starts that.
    pub(crate) fn flush(self: &Arc<Self>) -> Result<()> {
        let mut state = self.lock();
        if !matches!(state.phase, Phase::Open) {
            return Err(closed());
        }
        self.close_open(&mut state);
        let mark = state.next();
        if self.is_in_callback() {
            return Ok(());
        }
        while state.unsettled.keys().next().is_some_and(|number| *number < mark) {
            state = self.settled.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if matches!(state.phase, Phase::Closed { left_lines: true }) {
            return Err(Error::new(
                ErrorKind::Closed,
                "the client was closed meanwhile; what could not be written comes back from close",
            ));
        }
        self.take_trouble(&mut state, None)
    }

    /// Sends what is left, within `max_close_wait`, and ends.
    pub(crate) fn close(self: &Arc<Self>) -> Result<()> {
        let deadline = after(Instant::now(), self.settings.max_close_wait);
        self.shut(Closing { deadline, may_wait: true, is_drop: false })
    }

    /// As [`close`](Self::close), when the last handle of the client is gone.
    pub(crate) fn close_for_drop(self: &Arc<Self>) {
        let deadline = after(Instant::now(), self.settings.max_close_wait.min(LONGEST_DROP));
        let may_wait = !thread::panicking();
        if let Err(error) = self.shut(Closing { deadline, may_wait, is_drop: true }) {
            log_error(format_args!("a client was dropped, and nobody was told: {error:#}"));
        }
    }

    fn shut(self: &Arc<Self>, how: Closing) -> Result<()> {
        let mut state = self.lock();
        match &mut state.phase {
            Phase::Open => state.phase = Phase::Closing(how),
            Phase::Closing(closing) => {
                closing.deadline = closing.deadline.min(how.deadline);
                closing.may_wait &= how.may_wait;
                closing.is_drop |= how.is_drop;
            }
            Phase::Closed { .. } => return self.take_trouble(&mut state, None),
        }
        self.begin_to_end(&mut state);
        if state.unsettled.is_empty() {
            self.finish(state);
            return self.take_trouble(&mut self.lock(), None);
        }
        if self.is_in_callback() {
            // Nobody may be left who has it, but a timer, while a batch waits for its retry.
            state.itself = Some(self.clone());
            return Ok(());
        }
        while let Phase::Closing(closing) = &state.phase {
            let left = closing.deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                self.finish(state);
                state = self.lock();
                break;
            }
            state =
                self.settled.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        self.take_trouble(&mut state, None)
    }

    /// Closes what is open and ends waits that make no sense any more.
    fn begin_to_end(self: &Arc<Self>, state: &mut State) {
        let State { phase, lane, .. } = state;
        // Jitter spreads load, which is no reason to keep a program from ending.
        lane.end_waits(|job, at| job.tries.failures == 0 || phase.is_too_late(at));
        self.close_open(state);
        self.room.notify_all();
    }

    /// Goes on after something was settled: frees those who wait for it.
    pub(super) fn go_on(self: &Arc<Self>, mut state: MutexGuard<'_, State>) {
        if matches!(state.phase, Phase::Closing(_)) && state.unsettled.is_empty() {
            return self.finish(state);
        }
        self.dispatch(&mut state);
        drop(state);
        self.settled.notify_all();
        self.room.notify_all();
    }

    /// A closing client cannot try this job again in time.
    pub(super) fn hand_back(
        self: &Arc<Self>,
        mut state: MutexGuard<'_, State>,
        job: Job,
        error: Error,
    ) {
        if !remove_flight(&mut state.flights, job.id) {
            return;
        }
        let end = state.phase.end_of_what_is_left();
        state.stats.settle(end, job.amount());
        state.memory.give_back(job.cost);
        state.last_error = Some(error);
        // For a group it is not settled: whoever waits for it is told that the client was closed.
        self.settle_piece(&mut state, job.number, None);
        state.left.push((job.number, job.batch));
        state.lane.release();
        self.go_on(state);
    }

    /// Ends: what is not settled by now is handed back.
    pub(super) fn finish(self: &Arc<Self>, mut state: MutexGuard<'_, State>) {
        let Phase::Closing(closing) = state.phase else { return };
        let end = state.phase.end_of_what_is_left();
        let mut left = std::mem::take(&mut state.left);
        // There are no open batches: closing began with closing them.
        for job in state.lane.take_all() {
            state.stats.settle(end, job.amount());
            left.push((job.number, job.batch));
        }
        let mut is_under_way = false;
        let flights = std::mem::take(&mut state.flights);
        let has_callbacks = flights.iter().any(|flight| flight.is_settled);
        for flight in flights.into_iter().filter(|flight| !flight.is_settled) {
            is_under_way = true;
            let amount = Amount::new(flight.batch.lines, flight.batch.line_protocol.len());
            state.stats.settle(end, amount);
            left.push((flight.number, flight.batch));
        }
        left.sort_by_key(|(number, _)| *number);
        debug_assert!(
            !left.is_empty() || has_callbacks || state.memory.used() == state.cost_of_trouble(),
            "{} bytes are leaked",
            state.memory.used()
        );
        state.unsettled.clear();
        state.memory.clear();
        state.phase = Phase::Closed { left_lines: !left.is_empty() };
        let callbacks = std::mem::take(&mut state.callbacks);
        let (seat, itself) = (state.seat.take(), state.itself.take());

        let lines: usize = left.iter().map(|(_, batch)| batch.lines).sum();
        let reason =
            state.last_error.take().unwrap_or_else(|| Error::new(ErrorKind::Timeout, "time is up"));
        let in_doubt = is_under_way || reason.in_doubt();
        let context = format!("{lines} lines could not be written before the client was closed");
        let mut reason = Some(reason.in_context(&context).with_in_doubt(in_doubt));
        let mut untold = None;
        if closing.is_drop {
            untold = self.take_trouble(&mut state, None).err();
        } else {
            for (_, batch) in left.drain(..) {
                state.add_unsent(&mut reason, batch);
            }
        }
        drop(state);
        self.settled.notify_all();
        self.room.notify_all();

        if let Some(error) = untold {
            log_error(format_args!(
                "a client was dropped without close, and nobody was told: {error:#}"
            ));
        }
        for (_, batch) in left {
            if let Some(reason) = &reason
                && !self.tell(&callbacks, &batch, reason)
            {
                log_error(format_args!(
                    "{} lines are lost with a client that was dropped without close",
                    batch.lines()
                ));
            }
        }
        self.http.retire(is_under_way);
        self.release(callbacks);
        drop(seat);
        drop(itself);
    }
}

/// How long a client that is dropped keeps the program.
const LONGEST_DROP: Duration = Duration::from_secs(10);
