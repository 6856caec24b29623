//! The threads of a scheduler, and the times at which they are to look at clients.
//!
//! Work comes over a channel, one token each. A thread that goes off to do some sees to it that another one listens, as
//! long as there may be something to hear; there are never more threads than tokens, and one that watches.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError};

use super::contain::{call_back, log_error};
use super::tokens::Token;
use crate::{Error, ErrorKind, Result};

/// Someone who has work for the threads from time to time.
pub(super) trait Lane: Send + Sync {
    /// Does one piece of work.
    fn work(self: Arc<Self>, token: Token);

    /// The time has come that [`Threads::wake_at`] was told.
    fn look(self: Arc<Self>);
}

/// What a thread is to do.
pub(super) enum Ready {
    Work(Arc<dyn Lane>, Token),
    /// Look at the times again.
    Look,
}

/// What the threads share. They end when the last sender of the channel is gone.
pub(super) struct Threads {
    max_workers: usize,
    ready: Receiver<Ready>,
    is_started: AtomicBool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    times: BTreeMap<(Instant, u64), Weak<dyn Lane>>,
    lanes: usize,
    threads: usize,
    /// The threads that wait for the channel, or have not noted yet that something came.
    idle: usize,
}

impl Threads {
    pub(super) fn new(max_workers: usize, ready: Receiver<Ready>) -> Self {
        let is_started = AtomicBool::new(false);
        Self { max_workers, ready, is_started, state: Mutex::default() }
    }

    /// Tells schedulers apart.
    pub(super) fn id(self: &Arc<Self>) -> usize {
        Arc::as_ptr(self).addr()
    }

    pub(super) fn max_workers(&self) -> usize {
        self.max_workers
    }

    /// There is one more lane.
    pub(super) fn join(&self) {
        self.lock().lanes += 1;
    }

    /// A lane is gone, and so is its time.
    pub(super) fn leave(&self, id: u64, wakes_at: Option<Instant>) {
        let mut state = self.lock();
        state.lanes -= 1;
        if let Some(at) = wakes_at {
            state.times.remove(&(at, id));
        }
    }

    /// Makes sure that there is a thread.
    pub(super) fn start(self: &Arc<Self>) -> Result<()> {
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

    /// Something is in the channel.
    pub(super) fn call(self: &Arc<Self>) {
        self.see_that_one_listens(&mut self.lock());
    }

    /// Has a lane looked at `at`, instead of at `before`. Says whether a thread that waits has to be told.
    pub(super) fn wake_at(
        self: &Arc<Self>,
        lane: (u64, Weak<dyn Lane>),
        before: Option<Instant>,
        at: Instant,
    ) -> bool {
        let (id, lane) = lane;
        let mut state = self.lock();
        if let Some(before) = before {
            state.times.remove(&(before, id));
        }
        let is_first = state.times.keys().next().is_none_or(|(first, _)| at < *first);
        state.times.insert((at, id), lane);
        self.see_that_one_listens(&mut state);
        // Otherwise whoever waits for the first one will see to this one too.
        is_first && state.idle > 0
    }

    /// Starts a thread if none waits, and there may be one more.
    fn see_that_one_listens(self: &Arc<Self>, state: &mut State) {
        // A single lane has no use for a thread that watches: it never has more work than there are workers.
        let most = state.lanes * self.max_workers + usize::from(state.lanes > 1);
        if state.idle == 0 && state.threads < most {
            // Without it, those that there are have more to do. No word about it here: a logger may well be one that
            // writes to the server.
            let _ = self.add_thread(state);
        }
    }

    fn add_thread(self: &Arc<Self>, state: &mut State) -> Result<()> {
        let threads = self.clone();
        thread::Builder::new().name(THREAD_NAME.into()).spawn(move || threads.run()).map_err(
            |error| {
                Error::new(ErrorKind::Internal, "no thread can be started for the batches")
                    .with_source(error)
            },
        )?;
        state.threads += 1;
        // It will wait soon.
        state.idle += 1;
        Ok(())
    }

    /// The life of a thread.
    fn run(self: &Arc<Self>) {
        let mut idle_since = Instant::now();
        let mut state = self.lock();
        loop {
            // It is idle here.
            let now = Instant::now();
            let task = match state.take_due(now) {
                Some(lane) => Task::Look(lane),
                None => {
                    let due = state.times.keys().next().map(|(at, _)| *at);
                    let is_needed = state.idle == 1;
                    let end = (!is_needed).then(|| idle_since + KEEP_ALIVE);
                    drop(state);
                    let received = self.receive(due.into_iter().chain(end).min());
                    state = self.lock();
                    match received {
                        Ok(Ready::Work(lane, token)) => Task::Work(lane, token),
                        Ok(Ready::Look) => continue,
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
                self.see_that_one_listens(&mut state);
            }
            drop(state);
            task.carry_out(self.id());
            idle_since = Instant::now();
            state = self.lock();
            state.idle += 1;
        }
        state.idle -= 1;
        state.threads -= 1;
    }

    fn receive(&self, until: Option<Instant>) -> Result<Ready, RecvTimeoutError> {
        match until {
            Some(until) => self.ready.recv_deadline(until),
            None => self.ready.recv().map_err(|_| RecvTimeoutError::Disconnected),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn take_due(&mut self, now: Instant) -> Option<Weak<dyn Lane>> {
        let first = self.times.first_entry().filter(|first| first.key().0 <= now)?;
        Some(first.remove())
    }
}

enum Task {
    Work(Arc<dyn Lane>, Token),
    Look(Weak<dyn Lane>),
}

impl Task {
    /// Nothing that a lane does may end a thread. Whatever is dropped on the way, such as callbacks and what they own,
    /// must not wait for the thread.
    fn carry_out(self, scheduler: usize) {
        let result = call_back(scheduler, || match self {
            Self::Work(lane, token) => lane.work(token),
            Self::Look(lane) => {
                if let Some(lane) = lane.upgrade() {
                    lane.look();
                }
            }
        });
        if let Err(panic) = result {
            log_error(format_args!("a worker panicked, please report it: {panic}"));
        }
    }
}

const THREAD_NAME: &str = "influxdb3-write";

/// How long a thread waits for something to do, if there is another one that does.
const KEEP_ALIVE: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use crossbeam_channel::{Sender, unbounded};

    use super::super::tokens::Tokens;
    use super::*;

    /// Says what it is called for, and panics if it is told to.
    struct Noting {
        calls: mpsc::Sender<&'static str>,
        panics: bool,
    }

    impl Lane for Noting {
        fn work(self: Arc<Self>, _: Token) {
            self.note("work");
        }

        fn look(self: Arc<Self>) {
            self.note("look");
        }
    }

    impl Noting {
        fn note(&self, call: &'static str) {
            self.calls.send(call).unwrap();
            assert!(!self.panics, "the lane has a bug");
        }
    }

    fn started(max_workers: usize) -> (Arc<Threads>, Sender<Ready>) {
        let (ready, receiver) = unbounded();
        let threads = Arc::new(Threads::new(max_workers, receiver));
        threads.join();
        threads.start().unwrap();
        (threads, ready)
    }

    fn lane(panics: bool) -> (Arc<dyn Lane>, mpsc::Receiver<&'static str>) {
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
        let (lane, _called) = lane(false);
        let far = Instant::now() + Duration::from_secs(3600);
        if threads.wake_at((1, Arc::downgrade(&lane)), None, far) {
            ready.send(Ready::Look).unwrap();
        }
        drop(ready);
        wait_for_end(&threads, 2);
    }

    #[test]
    fn what_is_in_the_channel_is_done_though_all_handles_are_gone() {
        let (threads, ready) = started(1);
        let (lane, called) = lane(false);
        let tokens = Tokens::new(3);
        for _ in 0..3 {
            let token = tokens.claim().unwrap();
            ready.send(Ready::Work(lane.clone(), token)).unwrap();
        }
        drop(ready);
        wait_for_end(&threads, 1);
        assert_eq!(called.try_iter().count(), 3);
    }

    #[test]
    fn a_panic_ends_no_thread() {
        let (threads, ready) = started(1);
        let (lane, called) = lane(true);
        ready.send(Ready::Work(lane.clone(), Tokens::new(1).claim().unwrap())).unwrap();
        assert_eq!(called.recv(), Ok("work"));
        if threads.wake_at((1, Arc::downgrade(&lane)), None, Instant::now()) {
            ready.send(Ready::Look).unwrap();
        }
        assert_eq!(called.recv(), Ok("look"));
        drop(ready);
        wait_for_end(&threads, 1);
    }
}
