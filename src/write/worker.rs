//! What a worker does with one batch: send it, judge the answer, and act on the verdict.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::batcher::{Batcher, Flight, after};
use super::close::Phase;
use super::contain::contain;
use super::lane::{Job, Packed, Tries};
use super::settle::{Bad, Settlement};
use super::stats::{Amount, End};
use super::sync;
use super::verdict::{Verdict, blames_the_line, judge};
use crate::line_protocol::text::line_ends;
use crate::{Batch, Error, ErrorKind, LineError, Result};

impl Batcher {
    /// Sends the next batch, if there is one.
    pub(super) fn work_on_one(self: &Arc<Self>) {
        let Some((mut job, timeout)) = self.take_off() else { return };
        let result = contain(|| self.post(&mut job, timeout)).unwrap_or_else(|panic| {
            let message = format!("a request panicked, please report it: {panic}");
            Err(Error::new(ErrorKind::Internal, message))
        });
        self.land(job, result);
    }

    fn take_off(self: &Arc<Self>) -> Option<(Job, Duration)> {
        let mut state = self.lock();
        let now = Instant::now();
        let Some(mut job) = state.lane.take(now) else {
            self.dispatch(&mut state);
            return None;
        };
        job.tries.since.get_or_insert(now);
        // Somebody may be compressing it.
        Arc::make_mut(&mut job.batch).attempts += 1;
        let mut timeout = job.target.timeout;
        if let Phase::Closing(closing) = &state.phase {
            timeout = timeout.min(closing.deadline.saturating_duration_since(now)).max(SHORTEST);
        }
        state.flights.push(Flight {
            id: job.id,
            number: job.number,
            batch: job.batch.clone(),
            is_settled: false,
        });
        Some((job, timeout))
    }

    fn post(&self, job: &mut Job, timeout: Duration) -> Result<()> {
        if !matches!(job.packed, Packed::Done(_)) {
            self.pack_job(job);
        }
        let packed = match &job.packed {
            Packed::Done(packed) => Some(&packed[..]),
            Packed::No | Packed::Begun => None,
        };
        let bytes = &job.batch.line_protocol;
        // All lines have timestamps, so sending them twice stores nothing twice.
        let body = sync::Body { bytes, packed, repeatable: true, timeout };
        sync::post(&self.http, &job.target, &job.target.path_and_query(), &body)
    }

    fn pack_job(&self, job: &mut Job) {
        let (packed, reserved) = self.pack(&job.batch.line_protocol);
        if reserved > 0 {
            let kept = packed.as_ref().map_or(0, Vec::capacity);
            let mut state = self.lock();
            state.memory.release(reserved);
            state.memory.take(kept);
            job.cost += kept;
        }
        job.packed = packed.map_or(Packed::No, Packed::Done);
    }

    /// Compresses lines, if they are to be and there is room. The memory for that is reserved, of which the second part
    /// tells how much it is: it is for the caller to release it, and to take what the body has in the same moment.
    pub(super) fn pack(&self, lines: &[u8]) -> (Option<Vec<u8>>, usize) {
        let mut reserved = 0;
        let packed = sync::pack(&self.http, &self.config, lines, |bytes| {
            let mut state = self.lock();
            let is_room = state.make_room(bytes);
            if is_room {
                state.memory.reserve(bytes);
                reserved += bytes;
            }
            is_room
        });
        (packed, reserved)
    }

    fn land(self: &Arc<Self>, job: Job, result: Result<()>) {
        let verdict = judge(&result, job.batch.lines, job.tries.was_cut);
        match (verdict, result) {
            (Verdict::Done, _) | (_, Ok(())) => {
                let ends = [(End::Written, job.amount()), (End::Failed, Amount::default())];
                let good = Some(job.batch.clone());
                self.settle(job, Settlement { ends, good, bad: None });
            }
            (Verdict::Partial(bad), Err(error)) => self.settle_partial(job, &bad, error),
            (Verdict::Retry, Err(error)) => self.retry(job, error),
            (Verdict::Split, Err(_)) => self.split(job),
            (Verdict::Fail, Err(error)) => self.fail(job, error),
        }
    }

    fn fail(self: &Arc<Self>, job: Job, mut error: Error) {
        let is_line = job.batch.lines == 1 && blames_the_line(&error);
        if is_line {
            let message = error
                .line_errors()
                .first()
                .map_or_else(|| error.message().to_owned(), |line| line.message().to_owned());
            let line = String::from_utf8_lossy(&job.batch.line_protocol);
            let line = line.trim_end_matches('\n').to_owned();
            error =
                error.with_line_errors(vec![LineError::new(None, message).with_line(Some(line))]);
        }
        let end = if is_line { End::Rejected } else { End::Failed };
        let ends = [(end, job.amount()), (End::Written, Amount::default())];
        let bad = Bad { batch: job.batch.clone(), error, can_be_sent_again: !is_line };
        self.settle(job, Settlement { ends, good: None, bad: Some(bad) });
    }

    /// The lines at the places `bad` are refused, the others are stored.
    fn settle_partial(self: &Arc<Self>, job: Job, bad: &[usize], mut error: Error) {
        let mut told = error.take_line_errors();
        told.sort_by_key(LineError::line_number);
        told.dedup_by_key(|line| line.line_number());
        let Cut { good, bad } = cut_out(&job.batch, bad);
        let lines = line_ends(&bad.line_protocol).scan(0, |start, end| {
            let line = &bad.line_protocol[std::mem::replace(start, end)..end];
            Some(String::from_utf8_lossy(line).trim_end_matches('\n').to_owned())
        });
        let named = told.iter().zip(lines);
        // A batch has lines of many calls, so a number would say nothing.
        let named =
            named.map(|(told, line)| told.clone().with_line_number(None).with_line(Some(line)));
        let named: Vec<_> = named.collect();
        let amount = |batch: &Batch| Amount::new(batch.lines, batch.line_protocol.len());
        let ends = [(End::Written, amount(&good)), (End::Rejected, amount(&bad))];
        let error = error.with_lines_written(good.lines).with_line_errors(named);
        let settlement = Settlement {
            ends,
            good: (good.lines > 0).then(|| Arc::new(good)),
            bad: Some(Bad { batch: Arc::new(bad), error, can_be_sent_again: false }),
        };
        self.settle(job, settlement);
    }

    fn retry(self: &Arc<Self>, mut job: Job, error: Error) {
        let now = Instant::now();
        job.tries.failures += 1;
        job.tries.was_cut = error.was_cut();
        let elapsed =
            job.tries.since.map_or(Duration::ZERO, |since| now.saturating_duration_since(since));
        let mut state = self.lock();
        let retry = self.settings.retry;
        let wait = retry.wait(job.tries.failures, elapsed, error.retry_after(), &mut state.random);
        let Some(wait) = wait else {
            drop(state);
            return self.fail(job, error);
        };
        let at = after(now, wait);
        if state.phase.is_too_late(at) {
            return self.hand_back(state, job, error);
        }
        state.stats.retries += 1;
        let callbacks = state.callbacks.clone();
        drop(state);
        if let Some(callback) = &callbacks.retry {
            self.call("retry", || callback(&job.batch, &error));
        }
        self.release(callbacks);

        let mut state = self.lock();
        if !remove_flight(&mut state.flights, job.id) {
            return;
        }
        state.last_error = Some(error);
        // It is compressed again in less time than it waits.
        let freed = job.unpack();
        state.memory.give_back(freed);
        // Closing may have begun; then there is one more try now rather than none later.
        job.not_before = Some(at).filter(|at| !state.phase.is_too_late(*at));
        state.lane.release();
        state.lane.push_front(job);
        self.go_on(state);
    }

    /// Puts the halves of a batch in its place.
    fn split(self: &Arc<Self>, mut job: Job) {
        let (first, second) = halves(&job.batch);
        let mut state = self.lock();
        if !remove_flight(&mut state.flights, job.id) {
            return;
        }
        let unpacked = job.unpack();
        let unused = job.batch.line_protocol.capacity() - job.batch.line_protocol.len();
        state.memory.give_back(unpacked + unused);
        // The bookkeeping of the batch goes with the first half.
        let second_cost = second.line_protocol.len();
        let first_cost = job.cost.saturating_sub(unused + second_cost);
        let tries = Tries { since: job.tries.since, ..Tries::default() };
        for (batch, cost) in [(second, second_cost), (first, first_cost)] {
            let piece = Job {
                id: state.next(),
                number: job.number,
                group: job.group,
                target: job.target.clone(),
                batch: Arc::new(batch),
                packed: Packed::No,
                cost,
                not_before: None,
                tries,
            };
            state.lane.push_front(piece);
        }
        if let Some(pieces) = state.unsettled.get_mut(&job.number) {
            *pieces += 1;
        }
        if let Some(group) = job.group.and_then(|group| state.groups.get_mut(&group)) {
            group.unsettled += 1;
        }
        state.lane.release();
        self.go_on(state);
    }
}

/// Whether the job was still the worker's; it is not if the client was closed meanwhile.
pub(super) fn remove_flight(flights: &mut Vec<Flight>, id: u64) -> bool {
    let before = flights.len();
    flights.retain(|flight| flight.id != id);
    flights.len() < before
}

struct Cut {
    good: Batch,
    bad: Batch,
}

/// Parts the lines at the places `bad`, ascending, from the others.
fn cut_out(batch: &Batch, bad: &[usize]) -> Cut {
    let mut cut = Cut { good: batch.shell(), bad: batch.shell() };
    let mut bad = bad.iter().peekable();
    let mut start = 0;
    for (place, end) in line_ends(&batch.line_protocol).enumerate() {
        let is_bad = bad.next_if(|next| **next == place).is_some();
        let part = if is_bad { &mut cut.bad } else { &mut cut.good };
        part.line_protocol.extend_from_slice(&batch.line_protocol[start..end]);
        part.lines += 1;
        start = end;
    }
    cut
}

/// The first half of the lines, and the others.
fn halves(batch: &Batch) -> (Batch, Batch) {
    let lines = batch.lines / 2;
    let cut = lines
        .checked_sub(1)
        .and_then(|last| line_ends(&batch.line_protocol).nth(last))
        .unwrap_or(0);
    let (first, second) = batch.line_protocol.split_at(cut);
    (
        Batch { line_protocol: first.to_vec(), lines, ..batch.shell() },
        Batch { line_protocol: second.to_vec(), lines: batch.lines - lines, ..batch.shell() },
    )
}

/// A request gets at least this, as no time at all would be an error of its own.
const SHORTEST: Duration = Duration::from_millis(1);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Precision;

    fn batch(text: &str, lines: usize) -> Batch {
        Batch {
            database: Arc::from("d"),
            organization: Arc::from(""),
            precision: Precision::Second,
            line_protocol: text.as_bytes().to_vec(),
            lines,
            attempts: 3,
        }
    }

    #[test]
    fn bad_lines_are_parted_from_good_ones() {
        let Cut { good, bad } = cut_out(&batch("a f=1 1\nb f=\"x\ny\" 2\nc f=1 3\n", 3), &[1]);
        assert_eq!((good.line_protocol(), good.lines()), (&b"a f=1 1\nc f=1 3\n"[..], 2));
        assert_eq!((bad.line_protocol(), bad.lines()), (&b"b f=\"x\ny\" 2\n"[..], 1));
        assert_eq!((bad.database(), bad.precision(), bad.attempts()), ("d", Precision::Second, 3));
    }

    #[test]
    fn halves_are_cut_between_lines() {
        let (first, second) = halves(&batch("a f=1 1\nb f=\"x\ny\" 2\nc f=1 3\n", 3));
        assert_eq!((first.line_protocol(), first.lines()), (&b"a f=1 1\n"[..], 1));
        assert_eq!(
            (second.line_protocol(), second.lines()),
            (&b"b f=\"x\ny\" 2\nc f=1 3\n"[..], 2)
        );
    }
}
