//! Putting the batches of a request back, to be sent again later or in smaller requests.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use super::bad_lines::gave_up;
use super::outcome::{Outcome, fail};
use crate::contain::log_safely;
use crate::write::batching::accounting::End;
use crate::write::batching::batch::Delivery;
use crate::write::batching::callbacks::CallbackHandle;
use crate::write::batching::send_queue::{Group, Request, queue_of};
use crate::write::batching::{Batcher, after};
use crate::write::retry_policy::Cause;
use crate::{Batch, Error, ErrorKind};

impl Batcher {
    /// Puts the batches of a request back for another try, as far as retries and time allow, and ends the others;
    /// with a spool these go to the disk. `is_last` says that none is kept in memory.
    pub(super) fn retry(
        self: &Arc<Self>,
        request: &Request,
        error: Error,
        is_last: bool,
        callbacks: &CallbackHandle,
    ) -> Outcome {
        let now = Instant::now();
        let cause = Cause::of(&error);
        let is_last = is_last || self.is_impatient();
        let mut transfer = self.begin_transfer();
        let error = Arc::new(error);
        let (policy, tell) = (self.settings.retry, self.has_error_callback());
        let mut outcome = Outcome::default();
        // What is to be done is decided while the batches are in flight, where `close` finds them; they are put back
        // after the callbacks, which may take long.
        let waiting = self.send_queue.change(|state| {
            let queue = queue_of(request.number, &mut state.memory, &mut state.disk);
            let group = queue.get_mut(request.number)?;
            for delivery in group.deliveries_mut() {
                let tries = &mut delivery.tries;
                tries.failures += 1;
                tries.in_doubt |= error.in_doubt();
                tries.why = Some(error.clone());
            }
            let is_over = |one: &Delivery| is_last || !policy.allows(one.tries.failures);
            // Batches of the disk are tried without end.
            let is_on_disk = group.is_on_disk();
            let mut failed = group.take_if(|one| !is_on_disk && is_over(one));
            let failures = group.deliveries().iter().map(|one| one.tries.failures).max();
            let failures = failures.unwrap_or(0);
            let wait_on_disk = policy.wait_on_disk(failures, cause, &mut state.random);
            let wait = if is_on_disk {
                wait_on_disk
            } else {
                policy.wait(failures, cause, &mut state.random)
            };
            let is_out_of_time = |one: &Delivery| {
                let since = one.tries.since.unwrap_or(now);
                !policy.has_time(now.saturating_duration_since(since), wait)
            };
            if is_on_disk
                && group.deliveries().iter().any(|one| is_over(one) || is_out_of_time(one))
            {
                transfer.note_trouble();
            }
            failed.extend(group.take_if(|one| !is_on_disk && is_out_of_time(one)));
            let at = after(now, wait);
            transfer.take_failed(&mut failed, group, after(now, wait_on_disk));
            let is_too_late = state.phase.is_too_late(at);
            let kept = group.deliveries().iter();
            let batches: Vec<_> = kept.chain(transfer.taken()).map(Delivery::batch).collect();
            let is_empty = group.is_empty();
            if is_empty || is_too_late {
                let left = state.arrive(request.number).map(Group::into_deliveries);
                let left = transfer.take_late(left.unwrap_or_default());
                outcome.others = state.phase.hand_back(left);
            }
            for delivery in failed {
                let bad = fail(delivery, &error, End::Failed, true);
                outcome.add(bad, tell, &mut state.failures);
            }
            let batches = if is_too_late { Vec::new() } else { batches };
            Some((batches, at, is_empty || is_too_late))
        });
        self.end_transfer(transfer, &error, &mut outcome);
        let Some((batches, at, is_gone)) = waiting else { return outcome };
        if batches.is_empty() {
            return outcome;
        }
        let lines = batches.iter().map(Batch::lines).sum();
        self.log_retry(lines, at.saturating_duration_since(now), &error);
        self.accounts.ledger.retries.fetch_add(batches.len() as u64, Ordering::SeqCst);
        if let Some(callback) = &callbacks.retry {
            for batch in &batches {
                self.call("retry", || callback(batch, &error));
            }
        }
        drop(batches);
        if is_gone {
            return outcome;
        }
        self.send_queue.arrive(request.number, |mut group, state| {
            // If the client began to close meanwhile and `at` is too late, the batch is tried once more at once.
            let at = Some(at).filter(|at| !state.phase.is_too_late(*at));
            group.wait(at, error.was_cut());
            state.put_back(group);
        });
        outcome
    }

    /// Puts two smaller requests in the place of one: half of its batches each, or the halves of its only batch. One
    /// that was cut as often as it may be is tried again as it is, if the error may not be about its lines.
    pub(super) fn split(
        self: &Arc<Self>,
        request: &Request,
        error: Error,
        callbacks: &CallbackHandle,
    ) -> Outcome {
        let is_search = error.kind() != ErrorKind::TooLarge;
        let may_cut = !is_search || self.take_cut(request);
        if !may_cut && error.is_retryable() {
            return self.retry(request, error, false, callbacks);
        }
        let bytes = request.size.bytes;
        let level = if is_search { log::Level::Debug } else { log::Level::Warn };
        log_safely(
            level,
            format_args!("a request of {bytes} bytes is cut into smaller ones: {error}"),
        );
        let halves = match &request.batches[..] {
            [(sealed, lines)] => Some(sealed.halves(*lines)),
            _ => None,
        };
        let tell = self.has_error_callback();
        let mut outcome = Outcome::default();
        let freed = self.send_queue.arrive(request.number, |mut group, state| {
            for delivery in group.deliveries_mut() {
                delivery.tries.in_doubt |= error.in_doubt();
            }
            if error.kind() == ErrorKind::TooLarge && halves.is_none() {
                // Requests of this size would be refused as well.
                state.largest_request.bytes =
                    state.largest_request.bytes.min(request.size.bytes / 2);
            }
            if let Some(second) = group.split_off() {
                state.put_back(second);
                state.put_back(group);
                return None;
            }
            let only = group.into_deliveries().pop()?;
            if !may_cut {
                let bad = fail(only, &gave_up(&error), End::Failed, true);
                outcome.add(bad, tell, &mut state.failures);
                return None;
            }
            let ([first, second], freed) = only.divide(halves?);
            state.put_back(Group::fixed(vec![second]));
            state.put_back(Group::fixed(vec![first]));
            Some(freed)
        });
        drop(freed);
        outcome
    }

    /// Counts a cut, if the request is of one batch; false if that may not be cut any more.
    fn take_cut(&self, request: &Request) -> bool {
        self.send_queue.change(|state| {
            let queue = queue_of(request.number, &mut state.memory, &mut state.disk);
            match queue.get_mut(request.number).map(Group::deliveries_mut) {
                Some([only]) => only.tries.search.take_one(),
                _ => true,
            }
        })
    }
}
