//! How batches are added, and made safe.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::active_segment::ActiveSegment;
use super::clock::unix_millis;
use super::files;
use super::options::SpoolSync;
use super::shared_queue::{QueueState, SharedQueue};
use crate::write::amount::Amount;
use crate::write::target::Target;

/// What was added.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Added {
    /// The number behind its own.
    pub(crate) next_number: u64,
    /// What is unread, it included.
    pub(crate) unread: Amount,
    /// Whether nothing was unread before.
    pub(crate) is_first: bool,
}

/// Why lines were not added, or are not safe.
#[derive(Debug)]
pub(crate) enum Refused {
    Closed,
    /// There would be more bytes than there may be.
    Full,
    Failed(io::Error),
    /// It was added, and could not be forced onto stable storage.
    NotSafe(Added, io::Error),
}

impl SharedQueue {
    pub(super) fn add(
        &self,
        state: &mut QueueState,
        target: &Arc<Target>,
        lines: &[u8],
        count: usize,
    ) -> Result<Added, Refused> {
        if self.is_closed() {
            return Err(Refused::Closed);
        }
        let known = state.active.as_ref().and_then(|active| active.find(target));
        let cost = files::cost(lines.len() as u64, known.is_none().then_some(target));
        if state.bytes + cost > self.settings.limit {
            return Err(Refused::Full);
        }
        let segment_size = files::segment_size(self.settings.limit);
        if state.active.as_ref().is_some_and(|active| active.end + cost > segment_size) {
            self.finish_active(state);
        }
        let result = self.write(state, target, lines, count);
        result.map_err(|error| {
            self.note_error("nothing can be written", &error);
            Refused::Failed(error)
        })
    }

    fn write(
        &self,
        state: &mut QueueState,
        target: &Arc<Target>,
        lines: &[u8],
        count: usize,
    ) -> io::Result<Added> {
        if state.active.is_none() {
            let segment = state.next_segment;
            state.next_segment += 1;
            let new = files::create(self.disk.as_ref(), &self.settings, segment)?;
            state.backlog.insert(segment, new.counted);
            state.bytes += new.end;
            state.active = Some(ActiveSegment::new(segment, new));
        }
        let (number, time) = (state.next_number, unix_millis());
        let QueueState { active: Some(active), buffer, .. } = &mut *state else {
            return Err(io::ErrorKind::NotFound.into());
        };
        buffer.clear();
        let known = active.find(target);
        let target_number = known.unwrap_or_else(|| active.next_target());
        if known.is_none() {
            files::put_target(active.salt, target_number, target, buffer);
        }
        let amount = Amount::new(count, lines.len());
        files::put_batch(active.salt, number, target_number, amount, time, lines, buffer);
        if let Err(error) = active.file.append(buffer) {
            // The part that was written must not stay before the next batch.
            if active.file.cut(active.end).is_err() {
                self.finish_active(state);
            }
            return Err(error);
        }
        active.remember(target, target_number);
        let written = buffer.len() as u64;
        active.end += written;
        let (segment, end) = (active.segment, active.end);
        if buffer.capacity() > MOST_KEPT {
            *buffer = Vec::new();
        }
        let is_first = state.backlog.unread() == Amount::default();
        state.bytes += written;
        state.next_number += 1;
        state.backlog.add(segment, number, amount, time, end);
        self.is_empty.store(false, Ordering::SeqCst);
        Ok(Added { next_number: number + 1, unread: state.backlog.unread(), is_first })
    }

    pub(super) fn make_safe(&self, number: u64) -> io::Result<()> {
        match self.settings.sync {
            SpoolSync::EveryBatch => self
                .sync(number)
                .inspect_err(|error| self.note_error("nothing can be synced", error)),
            SpoolSync::Every(_) => {
                self.syncing.note_written();
                Ok(())
            }
            SpoolSync::Never => Ok(()),
        }
    }

    /// Forces everything of a lower number than this onto stable storage.
    pub(super) fn sync(&self, number: u64) -> io::Result<()> {
        self.syncing.sync(number, || {
            let state = self.lock();
            let written = state.next_number;
            let file = state.active.as_ref().map(|active| active.file.clone());
            drop(state);
            // Segments before it were synced when they were finished.
            let result = file.map_or(Ok(()), |file| file.sync());
            if result.is_err() {
                // Nothing more goes there.
                self.syncing.fail(written);
                self.finish_active(&mut self.lock());
            }
            result.map(|()| written)
        })
    }

    /// Closes the segment that is written to; the next batch begins another one.
    pub(super) fn finish_active(&self, state: &mut QueueState) {
        let Some(active) = state.active.take() else { return };
        state.backlog.finish(active.segment);
        if self.settings.sync != SpoolSync::Never
            && let Err(error) = active.file.sync()
        {
            self.syncing.fail(state.next_number);
            self.note_error("nothing can be synced", &error);
        }
    }

    /// Closes the segment of this number if it is the one that is written to.
    pub(super) fn finish(&self, state: &mut QueueState, segment: u64) {
        if state.active.as_ref().is_some_and(|active| active.segment == segment) {
            self.finish_active(state);
        }
    }
}

/// What is kept of the buffer in which batches are put together.
const MOST_KEPT: usize = 256 << 10;
