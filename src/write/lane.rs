//! The closed batches of one client, in the order in which they are to be sent.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use super::Batch;
use super::target::Target;

/// A closed batch on its way.
#[derive(Debug)]
pub(crate) struct Job {
    /// Unique in its client.
    pub(crate) id: u64,
    /// The number of the batch it is, or is a piece of; batches are numbered in the order of acceptance.
    pub(crate) number: u64,
    pub(crate) group: Option<u64>,
    pub(crate) target: Arc<Target>,
    pub(crate) batch: Arc<Batch>,
    pub(crate) packed: Packed,
    /// What it takes of the buffer.
    pub(crate) cost: usize,
    /// Not to be sent before.
    pub(crate) not_before: Option<Instant>,
    pub(crate) tries: Tries,
}

/// Whether the body of a job was compressed before a worker came to it.
#[derive(Debug, Default)]
#[cfg_attr(not(feature = "gzip"), allow(dead_code))]
pub(crate) enum Packed {
    #[default]
    No,
    /// Somebody is at it.
    Begun,
    Done(Vec<u8>),
}

impl Job {
    /// Drops the compressed body; says what it took of the buffer, which the job counts no more.
    pub(crate) fn unpack(&mut self) -> usize {
        let Packed::Done(packed) = std::mem::take(&mut self.packed) else { return 0 };
        self.cost -= packed.capacity();
        packed.capacity()
    }
}

/// What a job has been through.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tries {
    /// Of the job itself, not of the batch that it may be a piece of.
    pub(crate) failures: u32,
    /// When the batch was first sent.
    pub(crate) since: Option<Instant>,
    /// Whether the last try ended in a connection that was closed without an answer.
    pub(crate) was_cut: bool,
}

/// A queue of jobs, and how many workers are at it.
///
/// With a width of one, jobs are done strictly in order: whatever the first one waits for, the others wait as well.
/// With more, a job that has to wait stands aside.
#[derive(Debug)]
pub(crate) struct Lane {
    width: usize,
    queue: VecDeque<Job>,
    /// Jobs that stand aside, by the time they may be sent; none if the order is strict.
    aside: BTreeMap<(Instant, u64), Job>,
    /// Workers that were called and have not come yet.
    called: usize,
    /// Workers that have a job.
    busy: usize,
}

impl Lane {
    pub(crate) fn new(width: usize) -> Self {
        Self { width, queue: VecDeque::new(), aside: BTreeMap::new(), called: 0, busy: 0 }
    }

    fn is_strict(&self) -> bool {
        self.width == 1
    }

    pub(crate) fn push(&mut self, job: Job) {
        match job.not_before {
            Some(at) if !self.is_strict() => drop(self.aside.insert((at, job.id), job)),
            _ => self.queue.push_back(job),
        }
    }

    /// Puts a job before all others.
    pub(crate) fn push_front(&mut self, job: Job) {
        match job.not_before {
            Some(at) if !self.is_strict() => drop(self.aside.insert((at, job.id), job)),
            _ => self.queue.push_front(job),
        }
    }

    /// How many more workers there is work for now. They count as called.
    pub(crate) fn call(&mut self, now: Instant) -> usize {
        self.bring_back(now);
        let ready = if self.is_strict() {
            usize::from(self.queue.front().is_some_and(|job| is_due(job, now)))
        } else {
            self.queue.len()
        };
        let free = self.width.saturating_sub(self.called + self.busy);
        let more = ready.saturating_sub(self.called).min(free);
        self.called += more;
        more
    }

    /// The next job for a worker that was called; none if it came in vain.
    pub(crate) fn take(&mut self, now: Instant) -> Option<Job> {
        self.called = self.called.saturating_sub(1);
        self.bring_back(now);
        if !self.queue.front().is_some_and(|job| is_due(job, now)) {
            return None;
        }
        self.busy += 1;
        self.queue.pop_front()
    }

    /// A worker is done with its job.
    pub(crate) fn release(&mut self) {
        self.busy = self.busy.saturating_sub(1);
    }

    /// A job of at least `least` bytes that is worth to be compressed while workers are busy: one of the next few, but
    /// not the very next one.
    #[cfg(feature = "gzip")]
    pub(crate) fn begin_to_pack(&mut self, least: usize) -> Option<(u64, Arc<Batch>)> {
        let mut next = self.queue.iter_mut().skip(1).take(PACKED_AHEAD);
        let job = next.find(|job| {
            matches!(job.packed, Packed::No) && job.batch.line_protocol.len() >= least
        })?;
        job.packed = Packed::Begun;
        Some((job.id, job.batch.clone()))
    }

    /// Gives a job its compressed body; says how much more it takes of the buffer, which is nothing if it is gone.
    #[cfg(feature = "gzip")]
    pub(crate) fn pack(&mut self, id: u64, packed: Vec<u8>) -> usize {
        let Some(job) = self.queue.iter_mut().find(|job| job.id == id) else { return 0 };
        let more = packed.capacity();
        job.cost += more;
        job.packed = Packed::Done(packed);
        more
    }

    /// When there is work for another worker, if that is a matter of time.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        if !self.is_strict() {
            return self.aside.keys().next().map(|(at, _)| *at);
        }
        let is_idle = self.called + self.busy == 0;
        self.queue.front().filter(|_| is_idle).and_then(|job| job.not_before)
    }

    /// Takes out the job that was accepted first.
    pub(crate) fn take_oldest(&mut self) -> Option<Job> {
        let aside = self.aside.iter().map(|(key, job)| (job.number, *key)).min();
        let queued = self.queue.front().map(|job| job.number);
        match (aside, queued) {
            (Some((number, key)), queued) if queued.is_none_or(|queued| number < queued) => {
                self.aside.remove(&key)
            }
            _ => self.queue.pop_front(),
        }
    }

    /// Takes out all jobs, in the order of acceptance.
    pub(crate) fn take_all(&mut self) -> Vec<Job> {
        let mut all: Vec<_> = self.queue.drain(..).collect();
        all.extend(std::mem::take(&mut self.aside).into_values());
        // Stable, so the pieces of one batch stay as they are.
        all.sort_by_key(|job| job.number);
        all
    }

    /// Ends the waits of those jobs that `ends` names.
    pub(crate) fn end_waits(&mut self, ends: impl Fn(&Job, Instant) -> bool) {
        for job in &mut self.queue {
            if job.not_before.is_some_and(|at| ends(job, at)) {
                job.not_before = None;
            }
        }
        let (ended, aside) =
            std::mem::take(&mut self.aside).into_iter().partition(|((at, _), job)| ends(job, *at));
        self.aside = aside;
        for (_, mut job) in BTreeMap::into_iter(ended).rev() {
            job.not_before = None;
            self.queue.push_front(job);
        }
    }

    /// Whether a worker could take another job at once, if there were one.
    pub(crate) fn has_nothing_to_do(&self) -> bool {
        let waits = if self.is_strict() { !self.is_empty() } else { !self.queue.is_empty() };
        !waits && self.called + self.busy < self.width
    }

    /// Whether nothing is queued or waits; workers may still have jobs.
    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty() && self.aside.is_empty()
    }

    fn bring_back(&mut self, now: Instant) {
        while let Some(entry) = self.aside.first_entry().filter(|entry| entry.key().0 <= now) {
            let mut job = entry.remove();
            job.not_before = None;
            self.queue.push_back(job);
        }
    }
}

/// How many jobs are compressed before their turn.
#[cfg(feature = "gzip")]
const PACKED_AHEAD: usize = 4;

fn is_due(job: &Job, now: Instant) -> bool {
    job.not_before.is_none_or(|at| at <= now)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::Precision;
    use crate::config::Headers;
    use crate::write::answer::Api;

    fn job(id: u64, not_before: Option<Instant>) -> Job {
        let target = Target {
            database: Arc::from("d"),
            organization: Arc::from(""),
            precision: Precision::Nanosecond,
            api: Api::V2,
            no_sync: false,
            accept_partial: true,
            headers: Headers::default(),
            timeout: Duration::from_secs(1),
        };
        Job {
            id,
            number: id,
            group: None,
            batch: Arc::new(target.batch(Vec::new(), 0)),
            target: Arc::new(target),
            packed: Packed::No,
            cost: 0,
            not_before,
            tries: Tries::default(),
        }
    }

    fn ids(jobs: &[Job]) -> Vec<u64> {
        jobs.iter().map(|job| job.id).collect()
    }

    #[test]
    fn one_worker_keeps_the_order_across_waits() {
        let now = Instant::now();
        let later = now + Duration::from_secs(5);
        let mut lane = Lane::new(1);
        lane.push(job(1, None));
        lane.push(job(2, None));
        assert_eq!((lane.call(now), lane.call(now)), (1, 0), "one at a time");
        let mut first = lane.take(now).unwrap();
        assert_eq!(lane.call(now), 0);
        first.not_before = Some(later);
        lane.push_front(first);
        lane.release();
        assert_eq!(
            (lane.call(now), lane.next_due()),
            (0, Some(later)),
            "the second waits with the first"
        );
        assert_eq!(lane.call(later), 1);
        assert_eq!(lane.take(later).map(|job| job.id), Some(1));
        lane.release();
        assert_eq!(lane.call(later), 1);
        assert_eq!(lane.take(later).map(|job| job.id), Some(2));
    }

    #[test]
    fn with_more_workers_a_job_that_waits_holds_up_none() {
        let now = Instant::now();
        let later = now + Duration::from_secs(5);
        let mut lane = Lane::new(2);
        lane.push(job(1, Some(later)));
        lane.push(job(2, None));
        lane.push(job(3, None));
        lane.push(job(4, None));
        assert_eq!(lane.call(now), 2);
        assert_eq!(lane.take(now).map(|job| job.id), Some(2));
        assert_eq!(lane.take(now).map(|job| job.id), Some(3));
        assert_eq!(lane.call(later), 0, "both are busy");
        lane.release();
        assert_eq!((lane.call(later), lane.next_due()), (1, None));
        assert_eq!(lane.take(later).map(|job| job.id), Some(4));
        lane.release();
        lane.release();
        assert_eq!(lane.call(later), 1);
        assert_eq!(lane.take(later).map(|job| job.id), Some(1));
        assert!(lane.is_empty());
    }

    #[test]
    fn a_worker_that_comes_in_vain_is_forgotten() {
        let now = Instant::now();
        for width in [1, 3] {
            let mut lane = Lane::new(width);
            lane.push(job(1, None));
            assert_eq!(lane.call(now), 1);
            assert_eq!(lane.take_oldest().map(|job| job.id), Some(1));
            assert!(lane.take(now).is_none());
            lane.push(job(2, None));
            assert_eq!(lane.call(now), 1);
            assert_eq!(lane.take(now).map(|job| job.id), Some(2));
        }
    }

    #[test]
    fn the_oldest_goes_first_wherever_it_is() {
        let later = Instant::now() + Duration::from_secs(5);
        let mut lane = Lane::new(2);
        lane.push(job(3, None));
        lane.push(job(2, Some(later)));
        lane.push(job(1, Some(later + Duration::from_secs(1))));
        lane.push(job(4, None));
        assert_eq!(lane.take_oldest().map(|job| job.id), Some(1));
        assert_eq!(ids(&lane.take_all()), [2, 3, 4]);
        assert!(lane.take_oldest().is_none());
    }

    #[test]
    fn waits_can_be_ended_early() {
        let now = Instant::now();
        let (soon, late) = (now + Duration::from_secs(1), now + Duration::from_secs(9));
        for width in [1, 3] {
            let mut lane = Lane::new(width);
            lane.push(job(1, Some(late)));
            lane.push(job(2, Some(soon)));
            lane.end_waits(|_, at| at > soon);
            assert_eq!(lane.call(now), 1);
            assert_eq!(lane.take(now).map(|job| job.id), Some(1));
        }
    }
}
