//! Batching: from encoded lines to closed batches, within a bound of memory.
//!
//! One lock guards the whole state of a client; it is held for a comparison and a copy when lines are accepted, and
//! never while anything is encoded, sent or called back. The rest of the life of a batch is in `worker.rs`, its end in
//! `settle.rs`, and the end of all in `close.rs`.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use super::close::Phase;
use super::contain::is_in_callback;
use super::group::GroupState;
use super::http::Http;
use super::lane::{self, Job, Packed, Tries};
use super::memory::Memory;
use super::open::{Open, OpenBatches};
use super::options::{Callbacks, Settings};
use super::pool::Lane;
use super::retry::Random;
use super::scheduler::Seat;
use super::settle::Trouble;
use super::stats::{Amount, WriteStats};
use super::target::Target;
use crate::config::Config;
use crate::{Batch, Error, ErrorKind, WriteOptions};

/// The batching of one client.
pub(crate) struct Batcher {
    pub(super) http: Arc<Http>,
    pub(super) config: Arc<Config>,
    pub(super) settings: Settings,
    pub(super) scheduler_id: usize,
    /// Where lines go if nobody says otherwise.
    usual_target: Option<Arc<Target>>,
    state: Mutex<State>,
    /// Told when memory was freed and when the client is closed.
    pub(super) room: Condvar,
    /// Told when batches were settled.
    pub(super) settled: Condvar,
}

pub(super) struct State {
    pub(super) open: OpenBatches,
    pub(super) groups: BTreeMap<u64, GroupState>,
    pub(super) lane: lane::Lane,
    /// The jobs that workers have.
    pub(super) flights: Vec<Flight>,
    /// How many pieces of each batch are not settled.
    pub(super) unsettled: BTreeMap<u64, usize>,
    pub(super) memory: Memory,
    pub(super) stats: WriteStats,
    /// What failed and was not told to anybody yet.
    pub(super) trouble: Option<Trouble>,
    /// What a closing client could not send in time, by the numbers of the batches.
    pub(super) left: Vec<(u64, Arc<Batch>)>,
    /// Why the last batch that is to be tried again failed.
    pub(super) last_error: Option<Error>,
    pub(super) phase: Phase,
    pub(super) callbacks: Arc<Callbacks>,
    /// What keeps a closing client alive that nobody waits for.
    pub(super) itself: Option<Arc<Batcher>>,
    /// None once the client is closed.
    pub(super) seat: Option<Seat>,
    pub(super) random: Random,
    /// Whether lines were dropped and none was written since.
    pub(super) is_dropping: bool,
    /// Calls that wait for room, in the order in which they came.
    pub(super) turns: VecDeque<Turn>,
    counter: u64,
    /// How large batches get, which is what the next one is given.
    usual_bytes: usize,
}

/// A call that waits for room.
#[derive(Clone, Copy)]
pub(super) struct Turn {
    pub(super) number: u64,
    /// What it can take of the buffer.
    pub(super) cost: usize,
}

/// A job that a worker has.
pub(super) struct Flight {
    pub(super) id: u64,
    pub(super) number: u64,
    pub(super) batch: Arc<Batch>,
    /// Whether its lines are counted already; only callbacks are left.
    pub(super) is_settled: bool,
}

impl Batcher {
    pub(crate) fn new(options: &WriteOptions, http: Arc<Http>, config: Arc<Config>) -> Arc<Self> {
        let scheduler = options.scheduler();
        let mut settings = options.settings(config.max_request_bytes);
        if config.gzip_threshold.is_some() {
            settings.room_for_lines -= settings.buffer_limit / PACKED_SHARE;
        }
        settings.max_batch_bytes = settings.max_batch_bytes.min(settings.room_for_lines - FIXED);
        Arc::new(Self {
            usual_target: Target::usual(&config).map(Arc::new),
            http,
            config,
            settings,
            scheduler_id: scheduler.id(),
            state: Mutex::new(State {
                open: OpenBatches::default(),
                groups: BTreeMap::new(),
                lane: lane::Lane::new(scheduler.max_workers()),
                flights: Vec::new(),
                unsettled: BTreeMap::new(),
                memory: Memory::new(settings.buffer_limit, settings.room_for_lines),
                stats: WriteStats::default(),
                trouble: None,
                left: Vec::new(),
                last_error: None,
                phase: Phase::Open,
                callbacks: Arc::new(options.callbacks()),
                itself: None,
                seat: Some(scheduler.seat()),
                random: Random::new(),
                is_dropping: false,
                turns: VecDeque::new(),
                counter: 0,
                usual_bytes: 0,
            }),
            room: Condvar::new(),
            settled: Condvar::new(),
        })
    }

    pub(crate) fn usual_target(&self) -> Option<&Arc<Target>> {
        self.usual_target.as_ref()
    }

    pub(crate) fn stats(&self) -> WriteStats {
        self.lock().stats
    }

    pub(super) fn open_batch(
        self: &Arc<Self>,
        state: &mut State,
        target: &Arc<Target>,
        group: Option<u64>,
    ) {
        let number = state.next();
        state.make_room(BATCH_COST);
        state.memory.take(BATCH_COST);
        // One of many that are open at the same time may well stay small.
        let bytes = if state.batches(group).is_empty() {
            let usual = state.usual_bytes.min(self.settings.max_batch_bytes);
            // Of few different sizes, so that the allocator can use the memory of batches before.
            state.memory.open(usual.next_multiple_of(STEP))
        } else {
            Vec::new()
        };
        let since = Instant::now();
        let open = Open { target: target.clone(), number, since, bytes, lines: 0 };
        state.batches(group).insert(open);
        state.unsettled.insert(number, 1);
        if let Some(group) = group.and_then(|group| state.groups.get_mut(&group)) {
            group.unsettled += 1;
        }
        self.arm(state, after(since, self.settings.flush_interval));
    }

    /// Makes a job of a batch that is closed. So much room as was `promised` is left for other lines.
    pub(super) fn job(
        &self,
        state: &mut State,
        open: Open,
        group: Option<u64>,
        promised: usize,
    ) -> Job {
        let Open { target, number, mut bytes, lines, .. } = open;
        state.usual_bytes = bytes.len() + bytes.len() / 16;
        state.memory.close(&mut bytes, promised);
        let jitter = state.random.below(self.settings.jitter);
        let waits = !jitter.is_zero() && matches!(state.phase, Phase::Open);
        Job {
            id: state.next(),
            number,
            group,
            cost: BATCH_COST + bytes.capacity(),
            batch: Arc::new(target.batch(bytes, lines)),
            packed: Packed::No,
            target,
            not_before: waits.then(|| after(Instant::now(), jitter)),
            tries: Tries::default(),
        }
    }

    /// Closes all open batches.
    pub(super) fn close_open(self: &Arc<Self>, state: &mut State) {
        self.close_if(state, |_| true);
        self.dispatch(state);
    }

    /// Closes the batches that have reached their age, and sees to it that the others will be.
    fn close_aged(self: &Arc<Self>, state: &mut State) {
        let now = Instant::now();
        self.close_if(state, |open| after(open.since, self.settings.flush_interval) <= now);
        let groups = state.groups.values().filter_map(|group| group.open.oldest());
        if let Some(oldest) = groups.chain(state.open.oldest()).min() {
            self.arm(state, after(oldest, self.settings.flush_interval));
        }
    }

    fn close_if(&self, state: &mut State, is_due: impl Fn(&Open) -> bool) {
        let mut closed: Vec<_> =
            state.open.take_if(&is_due).into_iter().map(|open| (open, None)).collect();
        for (id, group) in &mut state.groups {
            closed.extend(group.open.take_if(&is_due).into_iter().map(|open| (open, Some(*id))));
        }
        closed.sort_by_key(|(open, _)| open.number);
        for (open, group) in closed {
            let job = self.job(state, open, group, 0);
            state.lane.push(job);
        }
    }

    /// Calls workers for what can be done now, and a timer for what cannot.
    pub(super) fn dispatch(self: &Arc<Self>, state: &mut State) {
        if !state.lane.is_empty() {
            let workers = state.lane.call(Instant::now());
            if let Some(seat) = &state.seat {
                (0..workers).for_each(|_| seat.submit(self.clone()));
            }
            if let Some(due) = state.lane.next_due() {
                self.arm(state, due);
            }
        }
        if let Phase::Closing(closing) = &state.phase {
            self.arm(state, closing.deadline);
        }
    }

    /// Has the scheduler wake this batcher at `at` or earlier.
    fn arm(self: &Arc<Self>, state: &mut State, at: Instant) {
        if let Some(seat) = &mut state.seat {
            let me: Weak<Self> = Arc::downgrade(self);
            seat.arm(me, at);
        }
    }

    /// One piece of batch `number` is settled, or was replaced by others.
    pub(super) fn settle_piece(&self, state: &mut State, number: u64, group: Option<u64>) {
        if let Some(pieces) = state.unsettled.get_mut(&number) {
            *pieces -= 1;
            if *pieces == 0 {
                state.unsettled.remove(&number);
            }
        }
        if let Some(group) = group.and_then(|group| state.groups.get_mut(&group)) {
            group.unsettled = group.unsettled.saturating_sub(1);
        }
    }

    /// Keeps the memory of a batch that was written for the next one.
    pub(super) fn recycle(&self, state: &mut State, batch: Arc<Batch>) {
        if let Ok(Batch { line_protocol, .. }) = Arc::try_unwrap(batch)
            && matches!(state.phase, Phase::Open)
        {
            state.memory.keep(line_protocol);
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_in_callback(&self) -> bool {
        is_in_callback(self.scheduler_id)
    }
}

impl State {
    /// A number that was not used before, larger than those that were.
    pub(super) fn next(&mut self) -> u64 {
        self.counter += 1;
        self.counter
    }

    /// What the calls that wait for room can take of it. Who comes later has to leave it to them; if there is enough for
    /// all, nobody has to wait for his turn.
    pub(super) fn wanted(&self) -> usize {
        self.turns.iter().map(|turn| turn.cost).sum()
    }

    pub(super) fn batches(&mut self, group: Option<u64>) -> &mut OpenBatches {
        self.batches_and_memory(group).0
    }

    pub(super) fn batches_and_memory(
        &mut self,
        group: Option<u64>,
    ) -> (&mut OpenBatches, &mut Memory) {
        match group {
            Some(group) => (&mut self.groups.entry(group).or_default().open, &mut self.memory),
            None => (&mut self.open, &mut self.memory),
        }
    }

    /// Sees to it, if it can be, that so many bytes can be used; says whether they can.
    pub(super) fn make_room(&mut self, bytes: usize) -> bool {
        if bytes > self.memory.free() {
            self.trim();
        }
        bytes <= self.memory.free()
    }

    /// Has open batches give up what they do not need now.
    pub(super) fn trim(&mut self) {
        let Self { open, groups, memory, .. } = self;
        memory.forget_spare();
        let groups = groups.values_mut().map(|group| &mut group.open);
        for batch in groups.chain([open]).flat_map(OpenBatches::iter_mut) {
            memory.shrink(&mut batch.bytes);
        }
    }
}

impl Job {
    pub(super) fn amount(&self) -> Amount {
        Amount::new(self.batch.lines, self.batch.line_protocol.len())
    }
}

impl Lane for Batcher {
    fn work(self: Arc<Self>) {
        self.work_on_one();
    }

    fn wake(self: Arc<Self>) {
        let mut state = self.lock();
        if let Some(seat) = &mut state.seat {
            seat.woken();
        }
        match &state.phase {
            Phase::Closing(closing) if closing.deadline <= Instant::now() => self.finish(state),
            _ => {
                self.close_aged(&mut state);
                self.dispatch(&mut state);
            }
        }
    }
}

/// `time` after `start`; never an overflow.
pub(super) fn after(start: Instant, time: Duration) -> Instant {
    start.checked_add(time).unwrap_or_else(|| start + FAR)
}

pub(super) fn closed() -> Error {
    Error::new(ErrorKind::Closed, "the client is closed")
}

/// What a batch counts in the buffer besides its lines.
pub(super) const BATCH_COST: usize = 256;

/// What one line, or the lines of one batch, can need besides their bytes.
pub(super) const FIXED: usize = 5 * BATCH_COST;

const STEP: usize = 1 << 10;

/// If bodies are compressed, lines leave them this part of the buffer.
const PACKED_SHARE: usize = 8;

/// About thirty years.
const FAR: Duration = Duration::from_secs(1 << 30);
