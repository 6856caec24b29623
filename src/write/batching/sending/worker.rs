//! What a worker does: it makes a request, judges the answer, ends the batches or puts them back, and calls back.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use super::bad_lines::{error_of_bad_line, error_of_bad_lines};
use super::outcome::{Loss, Outcome, Unstored, fail};
use super::verdict::{Verdict, blames_the_line, judge, names_a_line};
use crate::contain::{contain, log_error, log_safely};
use crate::write::batching::Batcher;
use crate::write::batching::accounting::End;
use crate::write::batching::batch::Ended;
use crate::write::batching::callbacks::CallbackHandle;
use crate::write::batching::send_queue::Request;
#[cfg(feature = "gzip")]
use crate::write::gzip::GzipMember;
use crate::write::scheduler::{WorkSource, WorkerSlot};
use crate::write::sync;
use crate::{Error, ErrorKind, LineError, Result};

impl WorkSource for Batcher {
    fn work(self: Arc<Self>, slot: WorkerSlot) {
        self.work_with(slot);
    }

    fn look(self: Arc<Self>) {
        self.registration.is_awake();
        self.look_around();
    }
}

impl Batcher {
    /// Makes the next request, if there is one. Submits the slot again if there is more to send, and gives it back
    /// otherwise.
    pub(in crate::write::batching) fn work_with(self: &Arc<Self>, slot: WorkerSlot) {
        // None if fewer workers are allowed by now: one of the others looks for work when its request is done.
        let Some(slot) = slot.keep() else { return };
        self.prepare_disk();
        if let Some(request) = self.send_queue.take(Instant::now(), || self.sources()) {
            let number = request.number;
            let begin = Instant::now();
            let result = contain(|| self.post(&request)).unwrap_or_else(|panic| {
                let message = format!("a request panicked, please report it: {panic}");
                Err(Error::new(ErrorKind::Internal, message))
            });
            self.accounts.ledger.note_latency(begin.elapsed());
            if self.send_queue.learn(&request, &result) {
                self.call_workers();
            }
            if let Err(panic) = contain(|| self.handle_answer(request, result)) {
                self.end_abandoned(number, &panic);
            }
            // Writers that wait for room look again, though no bytes may be free: for a failure to return, or for a
            // queue that is empty, so that they seal the open batches.
            self.accounts.budget.wake_all();
            self.end_if_over();
        }
        if self.has_work(Instant::now()) {
            // To the end of the scheduler's channel, so that other clients have their turn.
            self.registration.submit(self.clone(), slot);
            return;
        }
        drop(slot);
        // A batch that was sealed before the slot was given back may have found none: so look once more.
        self.call_workers();
        self.arm();
    }

    fn post(&self, request: &Request) -> Result<()> {
        let target = &request.target;
        let plain = || request.batches.iter().map(|(lines, _)| lines.bytes()).collect::<Vec<_>>();
        // All lines have timestamps: a request that is sent twice stores nothing twice.
        let body = |pieces, gzip| sync::RequestBody {
            pieces,
            gzip,
            repeatable: true,
            timeout: request.timeout,
        };
        let path = target.path_and_query();
        #[cfg(feature = "gzip")]
        if self.config.gzip_threshold.is_some_and(|least| request.size.bytes >= least) {
            let parts: Option<Vec<_>> =
                request.batches.iter().map(|(lines, _)| self.compress(lines)).collect();
            if let Some(parts) = parts {
                let member = GzipMember::of(parts.iter().copied());
                let blocks = parts.iter().map(|part| part.blocks());
                let pieces: Vec<_> =
                    [member.header()].into_iter().chain(blocks).chain([member.trailer()]).collect();
                return sync::post(&self.http, target, &path, &body(&pieces, true));
            }
        }
        sync::post(&self.http, target, &path, &body(&plain(), false))
    }

    fn handle_answer(self: &Arc<Self>, request: Request, result: Result<()>) {
        // Taken before anything ends, as closing the client takes its callbacks away.
        let callbacks = self.callbacks();
        let mut verdict = judge(&result, request.size.lines, request.was_cut);
        // A 403 that may be no verdict on the token, which the server has taken before: one more try.
        if result.as_ref().is_err_and(Error::may_pass) && self.has_written() && !request.has_failed
        {
            verdict = Verdict::Retry;
        }
        if verdict == Verdict::Fail
            && request.batches.len() > 1
            && result.as_ref().is_err_and(names_a_line)
        {
            verdict = Verdict::Split;
        }
        if result.is_err() {
            // Line errors that are kept need memory.
            self.accumulator.trim();
        }
        let outcome = match (verdict, result) {
            (Verdict::Done, _) | (_, Ok(())) => self.end_written(&request),
            (Verdict::Partial(bad), Err(error)) => self.end_partial(&request, &bad, error),
            (Verdict::Retry, Err(error)) => self.retry(&request, error, false, &callbacks),
            // The request was refused for something else than its lines: these wait on the disk.
            (Verdict::Fail, Err(error)) if !request.is_of_file && self.waits_on_disk(&error) => {
                self.retry(&request, error, true, &callbacks)
            }
            (Verdict::Split, Err(error)) => self.split(&request, error, &callbacks),
            (Verdict::Fail, Err(error)) => self.end_failed(&request, error),
        };
        // So that the deliveries are the only owners of their lines, whose memory can be reused.
        drop(request);
        if let Some(Loss { lines, why }) = &outcome.loss {
            log_safely(log::Level::Warn, format_args!("{lines} lines are not written: {why}"));
        }
        self.tell_all(outcome, &callbacks);
    }

    /// All lines are stored.
    fn end_written(self: &Arc<Self>, request: &Request) -> Outcome {
        let good = self.send_queue.arrive(request.number, |group, _| {
            let ended = group.into_deliveries().into_iter().map(|one| one.end(End::Written));
            ended.collect::<Vec<_>>()
        });
        let good = good.unwrap_or_default();
        self.count_written(&good);
        Outcome { good, ..Outcome::default() }
    }

    /// The lines at the places `bad`, from 0 and ascending, are rejected, the others are stored.
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
        let mut parts = Vec::with_capacity(request.batches.len());
        for (sealed, lines) in &request.batches {
            let range = first..first + lines;
            let own = bad.iter().filter(|place| range.contains(place)).map(|place| place - first);
            let own: Vec<_> = own.collect();
            first += lines;
            parts.push((!own.is_empty()).then(|| {
                let [good, bad] = sealed.good_and_bad(&own);
                let own_told = told.by_ref().take(own.len()).collect();
                let error = error_of_bad_lines(&error, own_told, &bad, good.lines());
                (good, bad, error)
            }));
        }
        let tell = self.has_error_callback();
        let outcome = self.send_queue.arrive(request.number, |group, state| {
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
                let bad = Unstored { ended, error, can_be_sent_again: false };
                outcome.add(bad, tell, &mut state.failures);
            }
            (outcome, freed)
        });
        let (outcome, freed) = outcome.unwrap_or_default();
        drop(freed);
        self.count_written(&outcome.good);
        outcome
    }

    /// Nothing is stored, and no further try is made. If the request has one line and that is to blame, it is
    /// rejected, as sending it again is of no use.
    fn end_failed(&self, request: &Request, mut error: Error) -> Outcome {
        let is_line = request.size.lines == 1 && blames_the_line(&error);
        if is_line && let Some((lines, _)) = request.batches.first() {
            error = error_of_bad_line(error, lines.bytes());
        }
        let (end, can_be_sent_again) =
            if is_line { (End::Rejected, false) } else { (End::Failed, true) };
        let tell = self.has_error_callback();
        let outcome = self.send_queue.arrive(request.number, |group, state| {
            let mut outcome = Outcome::default();
            for delivery in group.into_deliveries() {
                let bad = fail(delivery, &error, end, can_be_sent_again);
                outcome.add(bad, tell, &mut state.failures);
            }
            outcome
        });
        outcome.unwrap_or_default()
    }

    /// After a panic while an answer was handled: the batches of the request have failed, in doubt.
    fn end_abandoned(&self, number: u64, panic: &str) {
        log_error(format_args!("an answer could not be handled, please report it: {panic}"));
        drop(self.send_queue.arrive(number, |group, _| group));
        let error = Error::new(
            ErrorKind::Internal,
            format!("an answer could not be handled, please report it: {panic}"),
        )
        .with_in_doubt(true);
        let (tell, callbacks) = (self.has_error_callback(), self.callbacks());
        let mut outcome = Outcome::default();
        self.send_queue.change(|state| {
            for ended in self.accounts.take_abandoned() {
                let bad = Unstored { ended, error: error.duplicate(), can_be_sent_again: true };
                outcome.add(bad, tell, &mut state.failures);
            }
        });
        self.tell_all(outcome, &callbacks);
    }

    /// Counts batches that were stored, and notes that the server takes lines.
    fn count_written(self: &Arc<Self>, good: &[Ended]) {
        if good.is_empty() {
            return;
        }
        self.note_written();
        self.note_server_is_there();
        let ledger = &self.accounts.ledger;
        ledger.requests.fetch_add(1, Ordering::SeqCst);
        ledger.batches.fetch_add(good.len() as u64, Ordering::SeqCst);
        for ended in good {
            if let Some(file) = &ended.file {
                file.add_written(ended.amount());
            }
        }
    }

    /// Calls the callbacks for batches that have ended. `flush` waits for each until that is done.
    fn tell_all(&self, outcome: Outcome, callbacks: &CallbackHandle) {
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
            // The rejected lines of a batch are reported after its stored ones.
            while let Some(bad) = bad.next_if(|bad| bad.ended.order.batch <= batch) {
                self.tell_bad(callbacks, bad);
            }
        }
        bad.for_each(|bad| self.tell_bad(callbacks, bad));
        drop(others);
    }

    /// Calls the error callback. The failure is kept for the call that writes the file, if it is of one, and for the
    /// next call of the client if the callback panicked.
    fn tell_bad(&self, callbacks: &CallbackHandle, bad: Unstored) {
        let is_told = self.tell(callbacks, &bad.ended.batch, &bad.error);
        if is_told && bad.ended.file.is_none() {
            return;
        }
        let (mut failure, ended) = bad.into_failure();
        failure.is_told = is_told;
        self.keep_failure(&ended, failure);
    }
}
