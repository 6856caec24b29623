//! The threads of a scheduler, and the times at which they are to look at clients.
//!
//! Threads wait for the channel, which brings a source of work with a worker slot each time, or for the next time.
//! One that begins to work starts another thread if none waits any more while the channel or the list of times has
//! something. There are at most as many threads as worker slots, and one more that waits if there are several
//! clients.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError};

use super::callback_scope::call_back;
use super::worker_slots::WorkerSlot;
use crate::contain::log_error;
use crate::{Error, ErrorKind, Result};

/// What has work for the threads from time to time: a client that batches.
pub(crate) trait WorkSource: Send + Sync {
    /// Does what there is to be done with one slot: makes one request.
    fn work(self: Arc<Self>, slot: WorkerSlot);

    /// Called at the time that [`Threads::wake_at`] was given.
    fn look(self: Arc<Self>);
}

/// What wakes a thread.
pub(crate) enum WakeUp {
    Work(Arc<dyn WorkSource>, WorkerSlot),
    /// The first time has changed.
    Look,
}

/// What the threads of a scheduler share. They end when the last sender of the channel is dropped.
pub(crate) struct Threads {
    max_workers: usize,
    ready: Receiver<WakeUp>,
    is_started: AtomicBool,
    state: Mutex<ThreadsState>,
}

#[derive(Default)]
struct ThreadsState {
    /// When sources are to be looked at, by time and by the number of the source.
    times: BTreeMap<(Instant, u64), Weak<dyn WorkSource>>,
    sources: usize,
    threads: usize,
    /// The threads that wait for the channel, or that have received something and not taken the lock yet.
    idle: usize,
}

impl Threads {
    pub(crate) fn new(max_workers: usize, ready: Receiver<WakeUp>) -> Self {
        let is_started = AtomicBool::new(false);
        Self { max_workers, ready, is_started, state: Mutex::default() }
    }

    /// A number that no other scheduler has as long as this one exists.
    pub(crate) fn id(self: &Arc<Self>) -> usize {
        Arc::as_ptr(self).addr()
    }

    pub(crate) fn max_workers(&self) -> usize {
        self.max_workers
    }

    /// Registers a source.
    pub(crate) fn join(&self) {
        self.lock().sources += 1;
    }

    /// Ends the registration of a source, and removes its time.
    pub(crate) fn leave(&self, id: u64, wakes_at: Option<Instant>) {
        let mut state = self.lock();
        state.sources -= 1;
        if let Some(at) = wakes_at {
            state.times.remove(&(at, id));
        }
    }

    /// Starts the first thread, if there is none.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`]: the system starts none.
    pub(crate) fn start(self: &Arc<Self>) -> Result<()> {
        if self.is_started.load(Ordering::Acquire) {
            return Ok(());
        }
        let mut state = self.lock();
        if state.threads == 0 {
            self.add_thread(&mut state)?;
        }
        self.is_started.store(true, Ordering::Release);
        Ok(())
    }

    /// To be called after something was sent into the channel: starts a thread if none waits.
    pub(crate) fn call(self: &Arc<Self>) {
        self.start_if_none_waits(&mut self.lock());
    }

    /// Has a source looked at at the time `at`, instead of `before`. Returns whether a waiting thread has to be woken
    /// by [`WakeUp::Look`], as it waits for a later time.
    pub(crate) fn wake_at(
        self: &Arc<Self>,
        source: (u64, Weak<dyn WorkSource>),
        before: Option<Instant>,
        at: Instant,
    ) -> bool {
        let (id, source) = source;
        let mut state = self.lock();
        if let Some(before) = before {
            state.times.remove(&(before, id));
        }
        let is_first = state.times.keys().next().is_none_or(|(first, _)| at < *first);
        state.times.insert((at, id), source);
        self.start_if_none_waits(&mut state);
        // If it is not the first, the thread that waits for the first looks at it after that.
        is_first && state.idle > 0
    }

    /// Starts a thread if none waits and there may be one more.
    fn start_if_none_waits(self: &Arc<Self>, state: &mut ThreadsState) {
        // With one source, the threads at work look at its time when they are done: a further thread has nothing to do.
        let most = state.sources * self.max_workers + usize::from(state.sources > 1);
        if state.idle == 0 && state.threads < most {
            // If that fails, the threads at work do what there is. It is not logged: the lock is held, and a logger
            // may be one that writes to the server by this client.
            let _ = self.add_thread(state);
        }
    }

    fn add_thread(self: &Arc<Self>, state: &mut ThreadsState) -> Result<()> {
        let threads = self.clone();
        thread::Builder::new().name(THREAD_NAME.into()).spawn(move || threads.run()).map_err(
            |error| {
                Error::new(ErrorKind::Internal, "no thread can be started for the batches")
                    .with_source(error)
            },
        )?;
        state.threads += 1;
        // It counts as idle until it has something to do.
        state.idle += 1;
        Ok(())
    }

    /// What a thread does until it ends.
    fn run(self: &Arc<Self>) {
        let mut idle_since = Instant::now();
        let mut state = self.lock();
        loop {
            // Here the thread counts as idle.
            let now = Instant::now();
            let job = match state.take_due(now) {
                Some(source) => Job::Look(source),
                None => {
                    let due = state.times.keys().next().map(|(at, _)| *at);
                    let is_needed = state.idle == 1;
                    let end = (!is_needed).then(|| idle_since + KEEP_ALIVE);
                    drop(state);
                    let received = self.receive(due.into_iter().chain(end).min());
                    state = self.lock();
                    match received {
                        Ok(WakeUp::Work(source, slot)) => Job::Work(source, slot),
                        Ok(WakeUp::Look) => continue,
                        Err(RecvTimeoutError::Timeout) => {
                            let is_superfluous =
                                state.idle > 1 && idle_since.elapsed() >= KEEP_ALIVE;
                            if is_superfluous { break } else { continue }
                        }
                        Err(RecvTimeoutError::Disconnected) => break,
                    }
                }
            };
            state.idle -= 1;
            if !self.ready.is_empty() || !state.times.is_empty() {
                self.start_if_none_waits(&mut state);
            }
            drop(state);
            job.carry_out(self.id());
            idle_since = Instant::now();
            state = self.lock();
            state.idle += 1;
        }
        state.idle -= 1;
        state.threads -= 1;
    }

    fn receive(&self, until: Option<Instant>) -> Result<WakeUp, RecvTimeoutError> {
        match until {
            Some(until) => self.ready.recv_deadline(until),
            None => self.ready.recv().map_err(|_| RecvTimeoutError::Disconnected),
        }
    }

    fn lock(&self) -> MutexGuard<'_, ThreadsState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ThreadsState {
    fn take_due(&mut self, now: Instant) -> Option<Weak<dyn WorkSource>> {
        let first = self.times.first_entry().filter(|first| first.key().0 <= now)?;
        Some(first.remove())
    }
}

enum Job {
    Work(Arc<dyn WorkSource>, WorkerSlot),
    Look(Weak<dyn WorkSource>),
}

impl Job {
    /// Does the job. A panic in it is logged and ends no thread. It counts as a callback, so that a client whose last
    /// handle is dropped in it does not wait for this thread.
    fn carry_out(self, scheduler: usize) {
        let result = call_back(scheduler, || match self {
            Self::Work(source, slot) => source.work(slot),
            Self::Look(source) => {
                if let Some(source) = source.upgrade() {
                    source.look();
                }
            }
        });
        if let Err(panic) = result {
            log_error(format_args!("a worker panicked, please report it: {panic}"));
        }
    }
}

const THREAD_NAME: &str = "influxdb3-write";

/// How long a thread waits for something to do while another one waits as well.
const KEEP_ALIVE: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use crossbeam_channel::{Sender, unbounded};

    use super::super::worker_slots::WorkerSlots;
    use super::*;

    /// Sends the name of each method that is called, and panics if `panics` is set.
    struct Noting {
        calls: mpsc::Sender<&'static str>,
        panics: bool,
    }

    impl WorkSource for Noting {
        fn work(self: Arc<Self>, _: WorkerSlot) {
            self.note("work");
        }

        fn look(self: Arc<Self>) {
            self.note("look");
        }
    }

    impl Noting {
        fn note(&self, call: &'static str) {
            self.calls.send(call).unwrap();
            assert!(!self.panics, "the source has a bug");
        }
    }

    fn started(max_workers: usize) -> (Arc<Threads>, Sender<WakeUp>) {
        let (ready, receiver) = unbounded();
        let threads = Arc::new(Threads::new(max_workers, receiver));
        threads.join();
        threads.start().unwrap();
        (threads, ready)
    }

    fn source(panics: bool) -> (Arc<dyn WorkSource>, mpsc::Receiver<&'static str>) {
        let (calls, called) = mpsc::channel();
        (Arc::new(Noting { calls, panics }), called)
    }

    /// Returns when all threads have ended; there are never more than `most`.
    fn wait_for_end(threads: &Threads, most: usize) {
        loop {
            let count = threads.lock().threads;
            assert!(count <= most, "{count} threads");
            if count == 0 {
                return;
            }
            thread::yield_now();
        }
    }

    #[test]
    fn threads_end_with_the_last_handle_though_a_time_is_left() {
        let (threads, ready) = started(2);
        let (source, _called) = source(false);
        let far = Instant::now() + Duration::from_secs(3600);
        if threads.wake_at((1, Arc::downgrade(&source)), None, far) {
            ready.send(WakeUp::Look).unwrap();
        }
        drop(ready);
        wait_for_end(&threads, 2);
    }

    #[test]
    fn what_is_in_the_channel_is_done_though_all_handles_are_gone() {
        let (threads, ready) = started(1);
        let (source, called) = source(false);
        let slots = WorkerSlots::new(3);
        for _ in 0..3 {
            let slot = slots.claim().unwrap();
            ready.send(WakeUp::Work(source.clone(), slot)).unwrap();
        }
        drop(ready);
        wait_for_end(&threads, 1);
        assert_eq!(called.try_iter().count(), 3);
    }

    #[test]
    fn a_panic_ends_no_thread() {
        let (threads, ready) = started(1);
        let (source, called) = source(true);
        ready.send(WakeUp::Work(source.clone(), WorkerSlots::new(1).claim().unwrap())).unwrap();
        assert_eq!(called.recv(), Ok("work"));
        if threads.wake_at((1, Arc::downgrade(&source)), None, Instant::now()) {
            ready.send(WakeUp::Look).unwrap();
        }
        assert_eq!(called.recv(), Ok("look"));
        drop(ready);
        wait_for_end(&threads, 1);
    }
}
