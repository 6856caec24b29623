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
use super::lane::{self, Job, Tries};
use super::open::{Fill, Open, OpenBatches, Part};
use super::options::{Callbacks, OnFull, Settings};
use super::retry::Random;
use super::scheduler::{Lane, ThreadPoolScheduler};
use super::settle::{Losses, Trouble};
use super::stats::{Amount, End, WriteStats};
use super::target::Target;
use crate::config::Config;
use crate::{Batch, Error, ErrorKind, Result, WriteOptions};

/// The batching of one client.
pub(crate) struct Batcher {
    id: u64,
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
    /// Bytes of the buffer that are taken.
    pub(super) used: usize,
    pub(super) stats: WriteStats,
    /// What failed and was not told to anybody yet.
    pub(super) trouble: Option<Trouble>,
    /// What a closing client could not send in time, by the numbers of the batches.
    pub(super) left: Vec<(u64, Arc<Batch>)>,
    /// Why the last batch that is to be tried again failed.
    pub(super) last_error: Option<Error>,
    pub(super) phase: Phase,
    pub(super) callbacks: Arc<Callbacks>,
    /// None once the client is closed.
    pub(super) scheduler: Option<ThreadPoolScheduler>,
    pub(super) random: Random,
    /// Whether lines were dropped and none was written since.
    pub(super) is_dropping: bool,
    /// Calls that wait for room, in the order in which they came.
    turns: VecDeque<u64>,
    counter: u64,
    /// When the scheduler is to wake this batcher.
    armed: Option<Instant>,
    /// How large batches get, which is what the next one is given.
    usual_bytes: usize,
    spare: Vec<u8>,
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
        settings.max_batch_bytes = settings.max_batch_bytes.min(settings.buffer_limit - FIXED);
        Arc::new(Self {
            id: ThreadPoolScheduler::next_id(),
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
                used: 0,
                stats: WriteStats::default(),
                trouble: None,
                left: Vec::new(),
                last_error: None,
                phase: Phase::Open,
                callbacks: Arc::new(options.callbacks()),
                scheduler: Some(scheduler),
                random: Random::new(),
                is_dropping: false,
                turns: VecDeque::new(),
                counter: 0,
                armed: None,
                usual_bytes: 0,
                spare: Vec::new(),
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

    /// Takes the lines of one call, or says why not.
    ///
    /// # Errors
    /// What `parts` has left was not taken. Trouble with earlier batches comes back here as well.
    pub(crate) fn accept(
        self: &Arc<Self>,
        parts: &mut [Part<'_>],
        group: Option<u64>,
    ) -> Result<()> {
        self.check_lines(parts)?;
        let is_inside = self.is_in_callback();
        let cost = self.cost_of(parts);
        loop {
            let mut state = self.lock();
            self.check(&mut state, is_inside, group)?;
            if !state.turns.is_empty() || state.used + cost > self.settings.buffer_limit {
                break;
            }
            if let [part] = &mut *parts
                && self.take_into_open(&mut state, part, group)
            {
                return Ok(());
            }
            if parts.iter().all(|part| part.is_indexed() || self.fits_open(&mut state, part, group))
            {
                for part in &mut *parts {
                    self.take(&mut state, part, part.lines_left(), group);
                }
                return Ok(());
            }
            // It takes a while, so not under the lock.
            drop(state);
            parts.iter_mut().for_each(Part::index);
        }
        parts.iter_mut().for_each(Part::index);
        match self.settings.on_full {
            // A file is not read faster than it can be written.
            _ if group.is_some() && !is_inside => {
                self.accept_when_there_is_room(parts, group, None)
            }
            OnFull::Block if !is_inside => self.accept_when_there_is_room(parts, group, None),
            OnFull::BlockFor(time) if !is_inside => {
                self.accept_when_there_is_room(parts, group, Some(time))
            }
            OnFull::Block | OnFull::BlockFor(_) | OnFull::Error => {
                self.accept_if_there_is_room(parts, is_inside, group)
            }
            OnFull::DropNewest => self.accept_and_drop(parts, is_inside, group, false),
            OnFull::DropOldest => self.accept_and_drop(parts, is_inside, group, true),
        }
    }

    /// Copies all lines into the batch that is open, if they leave it open. This is how nearly all lines are taken.
    fn take_into_open(&self, state: &mut State, part: &mut Part<'_>, group: Option<u64>) -> bool {
        let Some(open) = state.batches(group).get(part.target) else { return false };
        let (lines, bytes) = (part.lines_left(), part.bytes_left().len());
        let room = self.room_in(open);
        if lines >= room.lines || bytes >= room.bytes {
            return false;
        }
        open.bytes.extend_from_slice(part.take(lines, bytes));
        open.lines += lines;
        state.used += bytes;
        state.stats.accept(Amount::new(lines, bytes));
        true
    }

    fn accept_if_there_is_room(
        self: &Arc<Self>,
        parts: &mut [Part<'_>],
        is_inside: bool,
        group: Option<u64>,
    ) -> Result<()> {
        let mut state = self.lock();
        self.check(&mut state, is_inside, group)?;
        if self.take_what_fits(&mut state, parts, group, true) {
            Ok(())
        } else {
            Err(self.full(&state))
        }
    }

    fn accept_when_there_is_room(
        self: &Arc<Self>,
        parts: &mut [Part<'_>],
        group: Option<u64>,
        patience: Option<Duration>,
    ) -> Result<()> {
        let deadline = patience.map(|patience| after(Instant::now(), patience));
        let mut state = self.lock();
        let turn = state.next();
        state.turns.push_back(turn);
        let result = loop {
            if let Err(error) = self.check(&mut state, false, group) {
                break Err(error);
            }
            // What can be in the buffer as a whole is taken as a whole.
            let at_once = self.cost_of(parts) <= self.settings.buffer_limit;
            if state.turns.front() == Some(&turn)
                && self.take_what_fits(&mut state, parts, group, at_once)
            {
                break Ok(());
            }
            // Room comes from batches that are sent. If none is under way, those that are open have to go.
            if state.lane.has_nothing_to_do() {
                self.close_open(&mut state);
            }
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            state = match left {
                Some(left) if left.is_zero() => break Err(self.full(&state)),
                Some(left) => {
                    self.room.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.room.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        };
        state.turns.retain(|other| *other != turn);
        drop(state);
        self.room.notify_all();
        result
    }

    fn accept_and_drop(
        self: &Arc<Self>,
        parts: &mut [Part<'_>],
        is_inside: bool,
        group: Option<u64>,
        oldest: bool,
    ) -> Result<()> {
        let mut losses = Losses::default();
        let mut state = self.lock();
        self.check(&mut state, is_inside, group)?;
        let at_once = oldest && self.cost_of(parts) <= self.settings.buffer_limit;
        while !self.take_what_fits(&mut state, parts, group, at_once) {
            if oldest && self.drop_oldest(&mut state, &mut losses) {
                continue;
            }
            for part in &mut *parts {
                let (lines, bytes) = (part.lines_left(), part.bytes_left().len());
                let amount = Amount::new(lines, bytes);
                state.stats.accept(amount);
                state.stats.settle(End::Dropped, amount);
                losses.add(part.target, part.take(lines, bytes), lines);
            }
            break;
        }
        let report = losses.prepare(&mut state, is_inside);
        drop(state);
        report.deliver(self);
        Ok(())
    }

    fn drop_oldest(&self, state: &mut State, losses: &mut Losses) -> bool {
        let oldest = state.lane.take_oldest().or_else(|| {
            let open = state.open.take_oldest()?;
            Some(self.job(state, open, None))
        });
        let Some(job) = oldest else { return false };
        state.stats.settle(End::Dropped, job.amount());
        state.used -= job.cost;
        self.settle_piece(state, job.number, job.group);
        if job.group.is_some() {
            let error =
                Error::new(ErrorKind::BufferFull, "lines were dropped to make room for others");
            state.add_trouble(self.settings.buffer_limit, job.group, error, Some((job.batch, 0)));
        } else {
            losses.add_batch(job.batch);
        }
        true
    }

    /// Takes lines as far as there is room for them, or if `at_once` all or none. Says whether none is left.
    fn take_what_fits(
        self: &Arc<Self>,
        state: &mut State,
        parts: &mut [Part<'_>],
        group: Option<u64>,
        at_once: bool,
    ) -> bool {
        let limit = self.settings.buffer_limit;
        if at_once && state.used + self.cost_of(parts) > limit {
            return false;
        }
        for part in parts {
            while part.lines_left() > 0 {
                let room = limit.saturating_sub(state.used + FIXED);
                let fill = Fill { bytes: room.min(self.settings.max_batch_bytes), ..self.fill() };
                let (mut lines, _) = part.fitting(fill);
                if lines == 0 {
                    // A single line may be larger than a batch.
                    lines = part.fitting(Fill { lines: 1, bytes: room }).0;
                }
                if lines == 0 {
                    return false;
                }
                self.take(state, part, lines, group);
            }
        }
        true
    }

    /// Copies the next `count` lines into batches, for which there must be room.
    fn take(
        self: &Arc<Self>,
        state: &mut State,
        part: &mut Part<'_>,
        count: usize,
        group: Option<u64>,
    ) {
        let mut left = count;
        let mut closed = false;
        while left > 0 {
            if state.batches(group).get(part.target).is_none() {
                self.open_batch(state, part.target, group);
            }
            let Some(open) = state.batches(group).get(part.target) else { return };
            let mut room = self.room_in(open);
            room.lines = room.lines.min(left);
            let (mut lines, mut bytes) = part.fitting(room);
            if lines == 0 && open.lines == 0 {
                (lines, bytes) = part.fitting(Fill { lines: 1, bytes: usize::MAX });
            }
            open.bytes.extend_from_slice(part.take(lines, bytes));
            open.lines += lines;
            left -= lines;
            let is_full = lines == 0 || open.is_full(self.fill());
            state.used += bytes;
            state.stats.accept(Amount::new(lines, bytes));
            if is_full && let Some(open) = state.batches(group).take_current() {
                let job = self.job(state, open, group);
                state.lane.push(job);
                closed = true;
            }
        }
        if closed {
            self.dispatch(state);
        }
    }

    fn open_batch(self: &Arc<Self>, state: &mut State, target: &Arc<Target>, group: Option<u64>) {
        let number = state.next();
        let mut bytes = std::mem::take(&mut state.spare);
        let usual = state.usual_bytes.min(self.settings.max_batch_bytes);
        // Of few different sizes, so that the allocator can use the memory of batches before.
        bytes.reserve(usual.next_multiple_of(STEP));
        let since = Instant::now();
        let open = Open { target: target.clone(), number, since, bytes, lines: 0 };
        state.batches(group).insert(open);
        state.unsettled.insert(number, 1);
        state.used += BATCH_COST;
        if let Some(group) = group.and_then(|group| state.groups.get_mut(&group)) {
            group.unsettled += 1;
        }
        self.arm(state, after(since, self.settings.flush_interval));
    }

    /// Makes a job of a batch that is closed.
    pub(super) fn job(&self, state: &mut State, open: Open, group: Option<u64>) -> Job {
        let Open { target, number, mut bytes, lines, .. } = open;
        state.usual_bytes = bytes.len() + bytes.len() / 16;
        if bytes.capacity() - bytes.len() > bytes.len() / 4 {
            bytes.shrink_to_fit();
        }
        // From now on it takes what it takes, used or not.
        state.used += bytes.capacity() - bytes.len();
        let jitter = state.random.below(self.settings.jitter);
        let waits = !jitter.is_zero() && matches!(state.phase, Phase::Open);
        Job {
            id: state.next(),
            number,
            group,
            cost: BATCH_COST + bytes.capacity(),
            batch: Arc::new(target.batch(bytes, lines)),
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
            let job = self.job(state, open, group);
            state.lane.push(job);
        }
    }

    /// Calls workers for what can be done now, and a timer for what cannot.
    pub(super) fn dispatch(self: &Arc<Self>, state: &mut State) {
        if !state.lane.is_empty() {
            let workers = state.lane.call(Instant::now());
            if let Some(scheduler) = &state.scheduler {
                (0..workers).for_each(|_| scheduler.submit(self.clone()));
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
        if state.armed.is_some_and(|armed| armed <= at) {
            return;
        }
        if let Some(scheduler) = &state.scheduler {
            let me: Weak<Self> = Arc::downgrade(self);
            scheduler.arm((self.id, me), state.armed, Some(at));
            state.armed = Some(at);
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
        let Ok(Batch { line_protocol: mut bytes, .. }) = Arc::try_unwrap(batch) else { return };
        if bytes.capacity() > state.spare.capacity() && matches!(state.phase, Phase::Open) {
            bytes.clear();
            state.spare = bytes;
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_in_callback(&self) -> bool {
        is_in_callback(self.scheduler_id)
    }

    /// Whether lines may be accepted now. Trouble is not for callbacks, which have nobody to pass it on to.
    fn check(&self, state: &mut State, is_inside: bool, group: Option<u64>) -> Result<()> {
        if !matches!(state.phase, Phase::Open) {
            return Err(closed());
        }
        if group.is_some() || !is_inside {
            state.take_trouble(group)?;
        }
        state.scheduler.as_ref().map_or_else(|| Err(closed()), ThreadPoolScheduler::start)
    }

    fn check_lines(&self, parts: &mut [Part<'_>]) -> Result<()> {
        let request = self.config.max_request_bytes;
        let buffer = self.settings.buffer_limit - FIXED;
        let mut before = 0;
        for part in parts {
            if let Some((place, bytes)) = part.line_over(request.min(buffer)) {
                let (limit, option) = if bytes > request {
                    (request, "max_request_bytes")
                } else {
                    (buffer, "buffer_limit")
                };
                let line = before + place + 1;
                return Err(Error::new(
                    ErrorKind::TooLarge,
                    format!(
                        "line {line} has {bytes} bytes, of which {option} leaves room for {limit}; nothing was taken"
                    ),
                ));
            }
            before += part.lines_left();
        }
        Ok(())
    }

    /// What the lines that are left can take of the buffer at most.
    fn cost_of(&self, parts: &[Part<'_>]) -> usize {
        let cost = |part: &Part<'_>| {
            let (lines, bytes) = (part.lines_left(), part.bytes_left().len());
            if lines == 1 {
                return bytes + BATCH_COST;
            }
            // A batch is left half empty at worst.
            let full =
                lines / self.settings.batch_size + 2 * (bytes / self.settings.max_batch_bytes);
            bytes + (full + 3).min(lines) * BATCH_COST
        };
        parts.iter().filter(|part| part.lines_left() > 0).map(cost).sum()
    }

    fn fits_open(&self, state: &mut State, part: &Part<'_>, group: Option<u64>) -> bool {
        let room = match state.batches(group).get(part.target) {
            Some(open) => self.room_in(open),
            None => self.fill(),
        };
        part.lines_left() <= room.lines && part.bytes_left().len() <= room.bytes
    }

    fn fill(&self) -> Fill {
        Fill { lines: self.settings.batch_size, bytes: self.settings.max_batch_bytes }
    }

    fn room_in(&self, open: &Open) -> Fill {
        let Fill { lines, bytes } = self.fill();
        Fill {
            lines: lines.saturating_sub(open.lines),
            bytes: bytes.saturating_sub(open.bytes.len()),
        }
    }

    fn full(&self, state: &State) -> Error {
        let limit = self.settings.buffer_limit;
        let used = state.used;
        Error::new(
            ErrorKind::BufferFull,
            format!("there is no room: {used} of {limit} bytes (buffer_limit) wait for the server"),
        )
        .with_retryable(true)
    }
}

impl State {
    /// A number that was not used before, larger than those that were.
    pub(super) fn next(&mut self) -> u64 {
        self.counter += 1;
        self.counter
    }

    /// Gives up the scheduler.
    pub(super) fn disarm(&mut self, batcher: &Arc<Batcher>) -> Option<ThreadPoolScheduler> {
        let scheduler = self.scheduler.take()?;
        let me: Weak<Batcher> = Arc::downgrade(batcher);
        scheduler.arm((batcher.id, me), self.armed.take(), None);
        Some(scheduler)
    }

    fn batches(&mut self, group: Option<u64>) -> &mut OpenBatches {
        match group {
            Some(group) => &mut self.groups.entry(group).or_default().open,
            None => &mut self.open,
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
        state.armed = None;
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
const BATCH_COST: usize = 256;

/// What one line, or the lines of one batch, can need besides their bytes.
const FIXED: usize = 5 * BATCH_COST;

const STEP: usize = 1 << 10;

/// About thirty years.
const FAR: Duration = Duration::from_secs(1 << 30);
