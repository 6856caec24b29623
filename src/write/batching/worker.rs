//! What a worker does with one request: make it, judge the answer, and act on the verdict.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use super::bad_lines::{error_of_bad_line, error_of_bad_lines, gave_up};
use super::callbacks::Handle;
use super::contain::{contain, log_error, log_safely};
use super::delivery::Delivery;
use super::ended::Ended;
use super::group::Group;
use super::lane::{Request, queue_of};
use super::ledger::End;
use super::outcome::{Bad, Loss, Outcome, fail};
use super::retry::Cause;
use super::tokens::Token;
use super::verdict::{Verdict, blames_the_line, judge};
use super::{Batcher, after};
use crate::write::sync;
use crate::{Batch, Error, ErrorKind, LineError, Result};

impl Batcher {
    /// Makes the next request, if there is one, and passes the token on.
    pub(super) fn work_with(self: &Arc<Self>, token: Token) {
        // Too many are at work, and one of the others looks when it is done.
        let Some(token) = token.keep() else { return };
        self.prepare_disk();
        if let Some(request) = self.lane.take(Instant::now(), || self.sources()) {
            let number = request.number;
            let begin = Instant::now();
            let result = contain(|| self.post(&request)).unwrap_or_else(|panic| {
                let message = format!("a request panicked, please report it: {panic}");
                Err(Error::new(ErrorKind::Internal, message))
            });
            self.shared.ledger.note_latency(begin.elapsed());
            if self.lane.learn(&request, &result) {
                self.call_workers();
            }
            if let Err(panic) = contain(|| self.land(request, result)) {
                self.end_abandoned(number, &panic);
            }
            // A failure, or a lane that is empty, gives nothing back and still is what somebody may wait for.
            self.shared.budget.wake_all();
            self.end_if_over();
        }
        if self.has_work(Instant::now()) {
            // At the end of the scheduler's channel, behind other clients.
            self.registration.submit(self.clone(), token);
            return;
        }
        drop(token);
        // Something may have come for which no token was left.
        self.call_workers();
        self.arm();
    }

    fn post(&self, request: &Request) -> Result<()> {
        let target = &request.target;
        let plain = || request.bodies.iter().map(|(body, _)| body.lines()).collect::<Vec<_>>();
        // All lines have timestamps, so sending them twice stores nothing twice.
        let body =
            |pieces, gzip| sync::Body { pieces, gzip, repeatable: true, timeout: request.timeout };
        let path = target.path_and_query();
        #[cfg(feature = "gzip")]
        if self.config.gzip_threshold.is_some_and(|least| request.size.bytes >= least) {
            let segments: Option<Vec<_>> =
                request.bodies.iter().map(|(body, _)| self.compress(body)).collect();
            if let Some(segments) = segments {
                let frame = crate::write::gzip::Frame::of(segments.iter().copied());
                let blocks = segments.iter().map(|segment| segment.blocks());
                let pieces: Vec<_> =
                    [frame.header()].into_iter().chain(blocks).chain([frame.trailer()]).collect();
                return sync::post(&self.http, target, &path, &body(&pieces, true));
            }
        }
        sync::post(&self.http, target, &path, &body(&plain(), false))
    }

    fn land(self: &Arc<Self>, request: Request, result: Result<()>) {
        // Before anything ends: if the client is closed meanwhile, its callbacks are still for what ended before.
        let callbacks = self.callbacks();
        let mut verdict = judge(&result, request.size.lines, request.was_cut);
        // A token that was good a moment ago is worth one more try.
        if result.as_ref().is_err_and(Error::may_pass) && self.has_written() && !request.has_failed
        {
            verdict = Verdict::Retry;
        }
        if result.is_err() {
            // What is said of its lines may need some.
            self.accumulator.trim();
        }
        let outcome = match (verdict, result) {
            (Verdict::Done, _) | (_, Ok(())) => self.end_written(&request),
            (Verdict::Partial(bad), Err(error)) => self.end_partial(&request, &bad, error),
            (Verdict::Retry, Err(error)) => self.retry(&request, error, false, &callbacks),
            // It is not its lines: on the disk they wait until it is mended.
            (Verdict::Fail, Err(error)) if !request.is_of_file && self.waits_on_disk(&error) => {
                self.retry(&request, error, true, &callbacks)
            }
            (Verdict::Split, Err(error)) => self.split(&request, error),
            (Verdict::Fail, Err(error)) => self.end_failed(&request, error),
        };
        // The request is over, and nobody else has the memory of its lines.
        drop(request);
        if let Some(Loss { lines, why }) = &outcome.loss {
            log_safely(log::Level::Warn, format_args!("{lines} lines are not written: {why}"));
        }
        self.tell_all(outcome, &callbacks);
    }

    fn end_written(self: &Arc<Self>, request: &Request) -> Outcome {
        let good = self.lane.arrive(request.number, |group, _| {
            let ended = group.into_deliveries().into_iter().map(|one| one.end(End::Written));
            ended.collect::<Vec<_>>()
        });
        let good = good.unwrap_or_default();
        self.count_written(&good);
        Outcome { good, ..Outcome::default() }
    }

    /// The lines at the places `bad` are refused, the others are stored.
    fn end_partial(
        self: &Arc<Self>,
        request: &Request,
        bad: &[usize],
        mut error: Error,
    ) -> Outcome {
        let mut told = error.take_line_errors();
        told.sort_by_key(LineError::line_number);
        told.dedup_by_key(|line| line.line_number());
        let mut told = told.into_iter();
        let mut first = 0;
        let mut parts = Vec::with_capacity(request.bodies.len());
        for (body, lines) in &request.bodies {
            let range = first..first + lines;
            let own = bad.iter().filter(|place| range.contains(place)).map(|place| place - first);
            let own: Vec<_> = own.collect();
            first += lines;
            parts.push((!own.is_empty()).then(|| {
                let [good, bad] = body.good_and_bad(&own);
                let own_told = told.by_ref().take(own.len()).collect();
                let error = error_of_bad_lines(&error, own_told, &bad, good.lines());
                (good, bad, error)
            }));
        }
        let tell = self.has_error_callback();
        let outcome = self.lane.arrive(request.number, |group, state| {
            let mut outcome = Outcome::default();
            let mut freed = Vec::new();
            for (delivery, part) in group.into_deliveries().into_iter().zip(parts) {
                let Some((good, bad, mut error)) = part else {
                    outcome.good.push(delivery.end(End::Written));
                    continue;
                };
                error.add_doubt(delivery.tries.in_doubt);
                let ended = if good.lines() == 0 {
                    delivery.end(End::Rejected)
                } else {
                    let ([good, bad], unused) = delivery.divide([good, bad]);
                    outcome.good.push(good.end(End::Written));
                    freed.push(unused);
                    bad.end(End::Rejected)
                };
                let bad = Bad { ended, error, can_be_sent_again: false };
                outcome.add(bad, tell, &mut state.failures);
            }
            (outcome, freed)
        });
        let (outcome, freed) = outcome.unwrap_or_default();
        drop(freed);
        self.count_written(&outcome.good);
        outcome
    }

    fn end_failed(&self, request: &Request, mut error: Error) -> Outcome {
        let is_line = request.size.lines == 1 && blames_the_line(&error);
        if is_line && let Some((body, _)) = request.bodies.first() {
            error = error_of_bad_line(error, body.lines());
        }
        let (end, can_be_sent_again) =
            if is_line { (End::Rejected, false) } else { (End::Failed, true) };
        let tell = self.has_error_callback();
        let outcome = self.lane.arrive(request.number, |group, state| {
            let mut outcome = Outcome::default();
            for delivery in group.into_deliveries() {
                let bad = fail(delivery, &error, end, can_be_sent_again);
                outcome.add(bad, tell, &mut state.failures);
            }
            outcome
        });
        outcome.unwrap_or_default()
    }

    /// Keeps the batches of a request for another try, puts them on the disk, or ends them. `is_last` says that a batch
    /// that is in memory only is not kept there.
    fn retry(
        self: &Arc<Self>,
        request: &Request,
        error: Error,
        is_last: bool,
        callbacks: &Handle,
    ) -> Outcome {
        let now = Instant::now();
        let cause = Cause::of(&error);
        let is_last = is_last || self.is_impatient();
        let mut transfer = self.begin_transfer();
        let error = Arc::new(error);
        let (policy, tell) = (self.settings.retry, self.has_error_callback());
        let mut outcome = Outcome::default();
        // First it is decided, with the batches where they are; the callbacks may take their time.
        let waiting = self.lane.change(|state| {
            let queue = queue_of(request.number, &mut state.queue, &mut state.disk);
            let group = queue.get_mut(request.number)?;
            for delivery in group.deliveries_mut() {
                let tries = &mut delivery.tries;
                tries.failures += 1;
                tries.in_doubt |= error.in_doubt();
                tries.why = Some(error.clone());
            }
            let is_over = |one: &Delivery| is_last || !policy.allows(one.tries.failures);
            // What is on the disk is tried for ever.
            let is_on_disk = group.is_on_disk();
            let mut failed = group.take_if(|one| !is_on_disk && is_over(one));
            let failures = group.deliveries().iter().map(|one| one.tries.failures).max();
            let wait = policy.wait(failures.unwrap_or(0), cause, &mut state.random);
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
            transfer.take_failed(&mut failed, at);
            let is_too_late = state.phase.is_too_late(at);
            let kept = group.deliveries().iter();
            let batches: Vec<_> = kept.chain(transfer.failed()).map(Delivery::batch).collect();
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
        self.shared.ledger.retries.fetch_add(batches.len() as u64, Ordering::SeqCst);
        if let Some(callback) = &callbacks.retry {
            for batch in &batches {
                self.call("retry", || callback(batch, &error));
            }
        }
        drop(batches);
        if is_gone {
            return outcome;
        }
        self.lane.arrive(request.number, |mut group, state| {
            // Closing may have begun; then there is one more try now rather than none later.
            let at = Some(at).filter(|at| !state.phase.is_too_late(*at));
            group.wait(at, error.was_cut());
            state.put_back(group);
        });
        outcome
    }

    /// Puts two smaller requests in its place: some of its batches each, or the halves of its only one.
    fn split(&self, request: &Request, error: Error) -> Outcome {
        let is_search = error.kind() != ErrorKind::TooLarge;
        let bytes = request.size.bytes;
        let level = if is_search { log::Level::Debug } else { log::Level::Warn };
        log_safely(
            level,
            format_args!("a request of {bytes} bytes is cut into smaller ones: {error}"),
        );
        let halves = match &request.bodies[..] {
            [(body, lines)] => Some(body.halves(*lines)),
            _ => None,
        };
        let tell = self.has_error_callback();
        let mut outcome = Outcome::default();
        let freed = self.lane.arrive(request.number, |mut group, state| {
            for delivery in group.deliveries_mut() {
                delivery.tries.in_doubt |= error.in_doubt();
            }
            if error.kind() == ErrorKind::TooLarge && halves.is_none() {
                // The next ones would be refused as well.
                state.most.bytes = state.most.bytes.min(request.size.bytes / 2);
            }
            if let Some(second) = group.split_off() {
                state.put_back(second);
                state.put_back(group);
                return None;
            }
            let mut only = group.into_deliveries().pop()?;
            if is_search && !only.tries.search.take_one() {
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

    /// A panic of ours is a failure of its batches.
    fn end_abandoned(&self, number: u64, panic: &str) {
        log_error(format_args!("an answer could not be handled, please report it: {panic}"));
        drop(self.lane.arrive(number, |group, _| group));
        let error = Error::new(
            ErrorKind::Internal,
            format!("an answer could not be handled, please report it: {panic}"),
        )
        .with_in_doubt(true);
        let (tell, callbacks) = (self.has_error_callback(), self.callbacks());
        let mut outcome = Outcome::default();
        self.lane.change(|state| {
            for ended in self.shared.take_abandoned() {
                let bad = Bad { ended, error: error.duplicate(), can_be_sent_again: true };
                outcome.add(bad, tell, &mut state.failures);
            }
        });
        self.tell_all(outcome, &callbacks);
    }

    fn count_written(self: &Arc<Self>, good: &[Ended]) {
        if good.is_empty() {
            return;
        }
        self.note_written();
        self.note_server_is_there();
        let ledger = &self.shared.ledger;
        ledger.requests.fetch_add(1, Ordering::SeqCst);
        ledger.batches.fetch_add(good.len() as u64, Ordering::SeqCst);
        for ended in good {
            if let Some(file) = &ended.file {
                file.add_written(ended.amount());
            }
        }
    }

    /// Calls back, each batch having ended already; each of them counts for `flush` until it was told.
    fn tell_all(&self, outcome: Outcome, callbacks: &Handle) {
        let Outcome { good, bad, others, .. } = outcome;
        let mut bad = bad.into_iter().peekable();
        for ended in good {
            let batch = ended.order.batch;
            if let Some(callback) = &callbacks.success {
                self.call("success", || callback(&ended.batch));
            }
            let (memory, members) = ended.into_memory();
            memory.into_iter().for_each(|memory| self.recycle(memory));
            drop(members);
            // The bad lines of a batch come behind its good ones.
            while let Some(bad) = bad.next_if(|bad| bad.ended.order.batch <= batch) {
                self.tell_bad(callbacks, bad);
            }
        }
        bad.for_each(|bad| self.tell_bad(callbacks, bad));
        drop(others);
    }

    /// Calls the error callback. Whoever writes the file is told as well, and if the callback panics, the next call.
    fn tell_bad(&self, callbacks: &Handle, bad: Bad) {
        let is_told = self.tell(callbacks, &bad.ended.batch, &bad.error);
        if is_told && bad.ended.file.is_none() {
            return;
        }
        let (mut failure, ended) = bad.into_failure();
        failure.is_told = is_told;
        self.keep_failure(&ended, failure);
    }
}
