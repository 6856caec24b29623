//! The threads of a scheduler: a queue, timers, and who is at what.
//!
//! One lock guards all of it, and is never held while a lane works. Whoever adds something for a thread to do, and
//! each thread before it goes off to do something, sees to it that another one looks at what is left.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use super::contain::{call_back, log_error};
use crate::{Error, ErrorKind, Result};

/// Someone who has work for the threads from time to time.
pub(super) trait Lane: Send + Sync {
    /// Does one piece of work.
    fn work(self: Arc<Self>);

    /// The time has come that [`Pool::arm`] was told.
    fn wake(self: Arc<Self>);
}

pub(super) struct Pool {
    max_workers: usize,
    is_started: AtomicBool,
    state: Mutex<State>,
    /// Told when there is more to do or to wait for.
    changed: Condvar,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Arc<dyn Lane>>,
    timers: BTreeMap<(Instant, u64), Weak<dyn Lane>>,
    lanes: usize,
    threads: usize,
    /// The pieces that are being worked on, by the time they were begun. At most as many as there are workers.
    under_way: BTreeSet<(Instant, u64)>,
    /// The threads that are at pieces that take so long that they do not count as workers any more.
    stalled: usize,
    /// The number of pieces so far.
    pieces: u64,
    /// Whether all handles are gone.
    is_over: bool,
}

/// What a thread does next.
enum Next {
    Do(Piece),
    Wait(Option<Instant>),
    End,
}

enum Piece {
    Work(Arc<dyn Lane>),
    Wake(Weak<dyn Lane>),
}

impl Pool {
    pub(super) fn new(max_workers: usize) -> Self {
        Self {
            max_workers,
            is_started: AtomicBool::new(false),
            state: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    /// Tells pools apart.
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

    /// A lane is gone, and so is its timer.
    pub(super) fn leave(&self, id: u64, armed: Option<Instant>) {
        let mut state = self.lock();
        state.lanes -= 1;
        if let Some(at) = armed {
            state.timers.remove(&(at, id));
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

    pub(super) fn submit(self: &Arc<Self>, lane: Arc<dyn Lane>) {
        let mut state = self.lock();
        state.queue.push_back(lane);
        self.hand_over(&mut state);
    }

    /// Has a lane woken at `at`, instead of at `before`.
    pub(super) fn arm(
        self: &Arc<Self>,
        lane: (u64, Weak<dyn Lane>),
        before: Option<Instant>,
        at: Instant,
    ) {
        let (id, lane) = lane;
        let mut state = self.lock();
        if let Some(before) = before {
            state.timers.remove(&(before, id));
        }
        let is_first = state.timers.keys().next().is_none_or(|(first, _)| at < *first);
        state.timers.insert((at, id), lane);
        // Otherwise whoever waits for the first one will see to this one too.
        if is_first || state.free() == 0 {
            self.hand_over(&mut state);
        }
    }

    /// Nobody will add anything: the threads end when all is done.
    pub(super) fn end(&self) {
        self.lock().is_over = true;
        self.changed.notify_all();
    }

    /// Has a free thread look at what there is to do; if there is none, starts one, unless there are enough.
    fn hand_over(self: &Arc<Self>, state: &mut State) {
        if state.queue.is_empty() && state.timers.is_empty() {
            return;
        }
        if state.free() > 0 {
            self.changed.notify_one();
        } else if state.threads - state.stalled < self.wanted(state) {
            // Without another thread, those that there are have more to do. No word about it here: the caller may hold
            // a lock, and a logger may well be one that writes to the server.
            let _ = self.add_thread(state);
        }
    }

    /// How many threads there should be besides those that are stalled.
    ///
    /// A single lane has no use for a thread that watches the others: it never has more work than there are workers.
    fn wanted(&self, state: &State) -> usize {
        self.max_workers + usize::from(state.lanes > 1)
    }

    fn add_thread(self: &Arc<Self>, state: &mut State) -> Result<()> {
        let pool = self.clone();
        thread::Builder::new().name(THREAD_NAME.into()).spawn(move || pool.run()).map_err(
            |error| {
                Error::new(ErrorKind::Internal, "no thread can be started for the batches")
                    .with_source(error)
            },
        )?;
        state.threads += 1;
        Ok(())
    }

    /// The life of a thread.
    fn run(self: &Arc<Self>) {
        let mut state = self.lock();
        loop {
            let now = Instant::now();
            state = match state.next(now, self.max_workers) {
                Next::Do(piece) => {
                    let key = state.begin(now);
                    self.hand_over(&mut state);
                    drop(state);
                    piece.carry_out(self.id());
                    state = self.lock();
                    state.finish(key);
                    if state.threads - state.stalled > self.wanted(&state) {
                        break;
                    }
                    state
                }
                Next::Wait(None) => {
                    self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
                }
                Next::Wait(Some(at)) => {
                    let time = at.saturating_duration_since(now);
                    let waited = self.changed.wait_timeout(state, time);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                Next::End => break,
            };
        }
        state.threads -= 1;
        self.hand_over(&mut state);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// How many threads wait, or are about to look at what there is to do.
    fn free(&self) -> usize {
        self.threads - self.under_way.len() - self.stalled
    }

    /// What a free thread is to do now. If that has to be in place of a piece that takes too long, that one is stalled
    /// from now on.
    fn next(&mut self, now: Instant, max_workers: usize) -> Next {
        let timer = self.timers.keys().next().map(|(at, _)| *at);
        let ready = match timer {
            _ if !self.queue.is_empty() => now,
            _ if self.is_over => return Next::End,
            Some(timer) => timer,
            None => return Next::Wait(None),
        };
        if self.under_way.len() < max_workers {
            if ready > now {
                return Next::Wait(Some(ready));
            }
        } else if let Some((begun, _)) = self.under_way.first() {
            let at = ready.max(*begun + PATIENCE);
            if at > now {
                return Next::Wait(Some(at));
            }
            self.under_way.pop_first();
            self.stalled += 1;
        }
        if timer.is_some_and(|timer| timer <= now)
            && let Some((_, lane)) = self.timers.pop_first()
        {
            return Next::Do(Piece::Wake(lane));
        }
        self.queue.pop_front().map_or(Next::Wait(None), |lane| Next::Do(Piece::Work(lane)))
    }

    fn begin(&mut self, now: Instant) -> (Instant, u64) {
        self.pieces += 1;
        let key = (now, self.pieces);
        self.under_way.insert(key);
        key
    }

    fn finish(&mut self, key: (Instant, u64)) {
        if !self.under_way.remove(&key) {
            self.stalled -= 1;
        }
    }
}

impl Piece {
    /// Nothing that a lane does may end a thread. Whatever is dropped on the way, such as callbacks and what they own,
    /// must not wait for the thread.
    fn carry_out(self, pool: usize) {
        let result = call_back(pool, || match self {
            Self::Work(lane) => lane.work(),
            Self::Wake(lane) => {
                if let Some(lane) = lane.upgrade() {
                    lane.wake();
                }
            }
        });
        if let Err(panic) = result {
            log_error(format_args!("a worker panicked, please report it: {panic}"));
        }
    }
}

const THREAD_NAME: &str = "influxdb3-write";

/// After this, a worker is replaced if there is other work: much longer than a request takes in a local network, and
/// short for whoever waits.
const PATIENCE: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;

    /// Says that it works, and does so until it is told to stop.
    struct Busy {
        began: Sender<()>,
        stop: Mutex<Receiver<()>>,
    }

    impl Lane for Busy {
        fn work(self: Arc<Self>) {
            self.began.send(()).unwrap();
            let _ = self.stop.lock().unwrap().recv();
        }

        fn wake(self: Arc<Self>) {
            self.work();
        }
    }

    struct Panics;

    impl Lane for Panics {
        fn work(self: Arc<Self>) {
            panic!("work");
        }

        fn wake(self: Arc<Self>) {
            panic!("wake");
        }
    }

    fn started(max_workers: usize) -> Arc<Pool> {
        let pool = Arc::new(Pool::new(max_workers));
        pool.start().unwrap();
        pool
    }

    fn lane(pool: &Pool, began: &Sender<()>) -> (Arc<dyn Lane>, Sender<()>) {
        pool.join();
        let (sender, receiver) = channel();
        (Arc::new(Busy { began: began.clone(), stop: Mutex::new(receiver) }), sender)
    }

    /// Returns when the pool is as it says.
    fn wait_until(pool: &Pool, is_so: impl Fn(&State) -> bool) {
        while !is_so(&pool.lock()) {
            thread::yield_now();
        }
    }

    #[test]
    fn each_worker_that_stalls_is_replaced_and_surplus_threads_end() {
        for workers in [1, 2] {
            let pool = started(workers);
            let (began, begun) = channel();
            let lanes: Vec<_> = (0..6).map(|_| lane(&pool, &began)).collect();
            for (lane, _) in &lanes {
                pool.submit(lane.clone());
            }
            for _ in &lanes {
                begun.recv().unwrap();
            }
            {
                let state = pool.lock();
                assert!(state.threads <= lanes.len() + 1, "{} threads", state.threads);
                assert!(state.under_way.len() <= workers);
            }
            for (_, stop) in &lanes {
                stop.send(()).unwrap();
            }
            wait_until(&pool, |state| state.threads == workers + 1 && state.stalled == 0);
            pool.end();
            wait_until(&pool, |state| state.threads == 0);
        }
    }

    #[test]
    fn timers_of_other_lanes_are_minded_while_a_worker_stalls() {
        let pool = started(1);
        let (began, begun) = channel();
        let (first, stop_first) = lane(&pool, &began);
        let (second, stop_second) = lane(&pool, &began);
        pool.submit(first.clone());
        begun.recv().unwrap();
        pool.arm((1, Arc::downgrade(&second)), None, Instant::now());
        begun.recv().unwrap();
        stop_first.send(()).unwrap();
        stop_second.send(()).unwrap();
        wait_until(&pool, |state| state.stalled == 0 && state.under_way.is_empty());
        pool.end();
        wait_until(&pool, |state| state.threads == 0);
    }

    #[test]
    fn a_single_lane_needs_no_thread_that_watches() {
        let pool = started(1);
        let (began, begun) = channel();
        let (only, stop) = lane(&pool, &began);
        pool.submit(only.clone());
        begun.recv().unwrap();
        pool.arm((1, Arc::downgrade(&only)), None, Instant::now());
        pool.submit(only.clone());
        assert_eq!(pool.lock().threads, 1);
        drop(stop);
        pool.end();
        wait_until(&pool, |state| state.threads == 0);
    }

    #[test]
    fn work_that_is_queued_is_done_though_all_handles_are_gone() {
        let pool = started(1);
        let (began, begun) = channel();
        let (only, stop) = lane(&pool, &began);
        for _ in 0..3 {
            pool.submit(only.clone());
        }
        pool.end();
        for _ in 0..3 {
            begun.recv().unwrap();
            stop.send(()).unwrap();
        }
        wait_until(&pool, |state| state.threads == 0);
    }

    #[test]
    fn a_panic_ends_no_thread() {
        let pool = started(1);
        pool.join();
        let lane: Arc<dyn Lane> = Arc::new(Panics);
        pool.submit(lane.clone());
        pool.arm((1, Arc::downgrade(&lane)), None, Instant::now());
        wait_until(&pool, |state| state.pieces == 2 && state.under_way.is_empty());
        assert_eq!(pool.lock().threads, 1);
        pool.end();
        wait_until(&pool, |state| state.threads == 0);
    }
}
