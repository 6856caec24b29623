//! How lines are accepted: into the open batch, at once if there is room, and as the client's `OnFull` has it if there
//! is none.

use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use super::batcher::{BATCH_COST, Batcher, FIXED, State, Turn, after, closed};
use super::close::Phase;
use super::open::{Fill, Open, Part};
use super::options::OnFull;
use super::scheduler::Seat;
use super::settle::Losses;
use super::stats::{Amount, End};
use crate::{Error, ErrorKind, Result};

impl Batcher {
    /// Takes the lines of one call, or says why not.
    ///
    /// # Errors
    /// What `parts` has left was not taken. Trouble with earlier batches comes back here as well.
    pub(crate) fn accept(
        self: &Arc<Self>,
        parts: &mut [Part<'_>],
        group: Option<u64>,
    ) -> Result<()> {
        if let [part] = &mut *parts
            && self.take_at_once(part, group)
        {
            return Ok(());
        }
        let result = self.accept_step_by_step(parts, group);
        #[cfg(feature = "gzip")]
        self.help_to_pack();
        result
    }

    fn accept_step_by_step(
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
            if state.wanted() + cost > state.memory.room() {
                break;
            }
            if parts.iter().all(|part| part.is_indexed() || self.fits_open(&mut state, part, group))
            {
                for part in &mut *parts {
                    self.take(&mut state, part, part.lines_left(), group, cost);
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

    /// Compresses a batch that waits, if there are some: several threads write faster than one worker compresses.
    #[cfg(feature = "gzip")]
    fn help_to_pack(&self) {
        let Some(least) = self.config.gzip_threshold else { return };
        let Some((id, batch)) = self.lock().lane.begin_to_pack(least) else { return };
        let (packed, reserved) = self.pack(&batch.line_protocol);
        drop(batch);
        let mut state = self.lock();
        state.memory.release(reserved);
        if let Some(mut packed) = packed {
            packed.shrink_to_fit();
            let more = state.lane.pack(id, packed);
            state.memory.take(more);
        }
        drop(state);
        // What was reserved and is not needed may be room for others.
        self.room.notify_all();
    }

    /// Copies all lines into the batch that is open, if they leave it open and nothing is in the way. This is how nearly
    /// all lines are taken.
    fn take_at_once(&self, part: &mut Part<'_>, group: Option<u64>) -> bool {
        let mut state = self.lock();
        let (lines, bytes) = (part.lines_left(), part.bytes_left().len());
        let is_free = matches!(state.phase, Phase::Open)
            && !state.has_trouble(group)
            && state.wanted() + bytes <= state.memory.room();
        if !is_free {
            return false;
        }
        let (batches, memory) = state.batches_and_memory(group);
        let Some(open) = batches.get(part.target) else { return false };
        // What leaves it open is below the limits of lines, too.
        let room = self.room_in(open);
        if lines >= room.lines || bytes >= room.bytes || memory.lacks(&open.bytes, bytes) {
            return false;
        }
        memory.append(&mut open.bytes, part.take(lines, bytes));
        open.lines += lines;
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
        let turn = Turn { number: state.next(), cost: self.cost_of(parts) };
        state.turns.push_back(turn);
        let result = loop {
            if let Err(error) = self.check(&mut state, false, group) {
                break Err(error);
            }
            // What can be in the buffer as a whole is taken as a whole.
            let at_once = self.cost_of(parts) <= self.settings.room_for_lines;
            if state.turns.front().is_some_and(|first| first.number == turn.number)
                && self.take_what_fits(&mut state, parts, group, at_once)
            {
                break Ok(());
            }
            // Room comes from batches that are sent. If none is under way, those that are open have to go.
            if state.lane.has_nothing_to_do() {
                self.close_open(&mut state);
            }
            // Then it is lines that came back and that nobody has asked for, which may well be for this thread to do.
            if state.unsettled.is_empty()
                && let Err(error) = self.take_trouble(&mut state, None)
            {
                break Err(error);
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
        state.turns.retain(|other| other.number != turn.number);
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
        let (mut losses, mut is_lighter) = (Losses::default(), false);
        let mut state = self.lock();
        self.check(&mut state, is_inside, group)?;
        let at_once = oldest && self.cost_of(parts) <= self.settings.room_for_lines;
        while !self.take_what_fits(&mut state, parts, group, at_once) {
            if oldest && self.drop_oldest(&mut state, &mut losses) {
                is_lighter = true;
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
        if is_lighter {
            // There may be less to wait for now.
            self.go_on(state);
        } else {
            drop(state);
        }
        report.deliver(self);
        Ok(())
    }

    fn drop_oldest(&self, state: &mut State, losses: &mut Losses) -> bool {
        let oldest = state.lane.take_oldest().or_else(|| {
            let open = state.open.take_oldest()?;
            Some(self.job(state, open, None, 0))
        });
        let Some(job) = oldest else { return false };
        state.stats.settle(End::Dropped, job.amount());
        state.memory.give_back(job.cost);
        self.settle_piece(state, job.number, job.group);
        if job.group.is_some() {
            let error =
                Error::new(ErrorKind::BufferFull, "lines were dropped to make room for others");
            let is_told = state.callbacks.error.is_some();
            state.add_trouble(job.group, error, None, is_told);
        }
        losses.add_batch(job.batch);
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
        let promised = if at_once { self.cost_of(parts) } else { 0 };
        if promised > state.memory.room() {
            return false;
        }
        for part in parts {
            while part.lines_left() > 0 {
                let room = state.memory.room().saturating_sub(FIXED);
                let fill = Fill { bytes: room.min(self.settings.max_batch_bytes), ..self.fill() };
                let (mut lines, _) = part.fitting(fill);
                if lines == 0 {
                    // A single line may be larger than a batch.
                    lines = part.fitting(Fill { lines: 1, bytes: room }).0;
                }
                if lines == 0 {
                    return false;
                }
                self.take(state, part, lines, group, promised);
            }
        }
        true
    }

    /// Copies the next `count` lines into batches, for which there must be room. They are a part of lines for which so
    /// much room was `promised`.
    fn take(
        self: &Arc<Self>,
        state: &mut State,
        part: &mut Part<'_>,
        count: usize,
        group: Option<u64>,
        promised: usize,
    ) {
        let mut left = count;
        let mut closed = false;
        while left > 0 {
            if state.batches(group).get(part.target).is_none() {
                self.open_batch(state, part.target, group);
            }
            let (batches, memory) = state.batches_and_memory(group);
            let Some(open) = batches.get(part.target) else { return };
            let mut room = self.room_in(open);
            room.lines = room.lines.min(left);
            let (mut lines, mut bytes) = part.fitting(room);
            if lines == 0 && open.lines == 0 {
                (lines, bytes) = part.fitting(Fill { lines: 1, bytes: usize::MAX });
            }
            left -= lines;
            if memory.lacks(&open.bytes, bytes) {
                state.trim();
            }
            let (batches, memory) = state.batches_and_memory(group);
            let Some(open) = batches.get(part.target) else { return };
            memory.append(&mut open.bytes, part.take(lines, bytes));
            open.lines += lines;
            let is_full = lines == 0 || open.is_full(self.fill());
            state.stats.accept(Amount::new(lines, bytes));
            if is_full && let Some(open) = state.batches(group).take_current() {
                let job = self.job(state, open, group, promised);
                state.lane.push(job);
                closed = true;
            }
        }
        if closed {
            self.dispatch(state);
        }
    }

    /// Whether lines may be accepted now. Trouble is not for callbacks, which have nobody to pass it on to.
    fn check(&self, state: &mut State, is_inside: bool, group: Option<u64>) -> Result<()> {
        if !matches!(state.phase, Phase::Open) {
            // What failed of a file is for whoever writes it; the rest comes back from close.
            if group.is_some() {
                self.take_trouble(state, group)?;
            }
            return Err(closed());
        }
        if group.is_some() || !is_inside {
            self.take_trouble(state, group)?;
        }
        state.seat.as_ref().map_or_else(|| Err(closed()), Seat::start)
    }

    fn check_lines(&self, parts: &mut [Part<'_>]) -> Result<()> {
        let request = self.config.max_request_bytes;
        let buffer = self.settings.room_for_lines - FIXED;
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
        let used = state.memory.used();
        Error::new(
            ErrorKind::BufferFull,
            format!("there is no room: {used} of {limit} bytes (buffer_limit) wait for the server"),
        )
        .with_retryable(true)
    }
}
