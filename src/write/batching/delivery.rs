//! A sealed batch on its way: one value, one owner, one end.

use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use super::budget::Permit;
use super::epoch::Member;
use super::file_batches::FileLedger;
use super::ledger::End;
use super::open_batches::{BatchMemory, Key, OpenBatch};
use super::shared::Shared;
use crate::line_protocol::text::line_ends;
#[cfg(feature = "gzip")]
use crate::write::gzip::Segment;
use crate::write::stats::Amount;
use crate::write::target::Target;
use crate::{Batch, Error};

/// A sealed batch, or a piece of one, with everything that it holds: memory, its permit, its place in its epoch.
///
/// Whoever owns it may [`end`](Self::end) it or divide it, and nobody else. If it is dropped before, which only a panic
/// does, it ends as failed.
pub(super) struct Delivery {
    order: Order,
    key: Key,
    lines: usize,
    body: Arc<Body>,
    /// Not to be sent before.
    pub(super) not_before: Option<Instant>,
    pub(super) tries: Tries,
    /// None once it has ended.
    held: Option<Held>,
}

struct Held {
    shared: Arc<Shared>,
    permit: Permit,
    members: Members,
}

/// What it keeps from being over: the epoch of the client, and that of the file.
#[derive(Clone, Debug)]
pub(super) struct Members {
    client: Member,
    _file: Option<Member>,
}

/// The order of acceptance: by batch, and in it by line.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Order {
    pub(super) batch: u64,
    line: usize,
}

/// The lines of a batch, and what they are compressed.
pub(super) struct Body {
    lines: Arc<Vec<u8>>,
    #[cfg(feature = "gzip")]
    compressed: OnceLock<Option<(Segment, Permit)>>,
    #[cfg(not(feature = "gzip"))]
    _compressed: OnceLock<()>,
}

/// What a batch has been through.
#[derive(Clone, Debug, Default)]
pub(super) struct Tries {
    /// How many times it was sent.
    pub(super) sent: u32,
    /// How many times that failed since it was cut, if it was.
    pub(super) failures: u32,
    /// When it was first sent.
    pub(super) since: Option<Instant>,
    /// Whether one of the tries may have stored it all the same.
    pub(super) in_doubt: bool,
    /// Why the last try failed.
    pub(super) why: Option<Arc<Error>>,
    pub(super) search: Search,
}

/// How many more requests the search for the bad lines of a batch may take. Its pieces share it.
#[derive(Clone, Debug, Default)]
pub(super) struct Search(Option<Arc<AtomicU32>>);

/// Some of the lines of a delivery.
#[derive(Debug, Default, Eq, PartialEq)]
pub(super) struct Piece {
    bytes: Vec<u8>,
    lines: usize,
}

/// What is left of a delivery that has ended. Its batch counts for `flush` until this is dropped, after its callbacks.
pub(super) struct Ended {
    pub(super) end: End,
    pub(super) order: Order,
    pub(super) file: Option<Arc<FileLedger>>,
    pub(super) batch: Batch,
    shared: Arc<Shared>,
    body: Arc<Body>,
    permit: Permit,
    members: Members,
}

impl Delivery {
    pub(super) fn new(shared: &Arc<Shared>, open: OpenBatch, not_before: Option<Instant>) -> Self {
        let OpenBatch { key, number, memory, lines, member, file_member, .. } = open;
        let members = Members { client: member, _file: file_member };
        let (bytes, permit) = memory.into_parts();
        Self {
            order: Order { batch: number, line: 0 },
            key,
            lines,
            body: Arc::new(Body::new(bytes)),
            not_before,
            tries: Tries::default(),
            held: Some(Held { shared: shared.clone(), permit, members }),
        }
    }

    pub(super) fn order(&self) -> Order {
        self.order
    }

    pub(super) fn target(&self) -> &Arc<Target> {
        &self.key.target
    }

    pub(super) fn is_of_file(&self) -> bool {
        self.key.file.is_some()
    }

    pub(super) fn body(&self) -> &Arc<Body> {
        &self.body
    }

    pub(super) fn lines(&self) -> usize {
        self.lines
    }

    pub(super) fn bytes(&self) -> usize {
        self.body.lines.len()
    }

    /// As callbacks see it. The lines are not copied.
    pub(super) fn batch(&self) -> Batch {
        let target = &self.key.target;
        Batch { attempts: self.tries.sent, ..target.batch_of(self.body.lines.clone(), self.lines) }
    }

    /// Ends it, and counts it.
    pub(super) fn end(mut self, end: End) -> Ended {
        match self.take_held(end) {
            Some(ended) => ended,
            // Only this method and `drop` take it, and neither comes after the other.
            None => unreachable!("a delivery ended twice"),
        }
    }

    /// Two in place of one, and the permit for what they do not take any more, to be dropped where no lock is held.
    /// `pieces` are its lines in another order or in the same.
    pub(super) fn divide(mut self, pieces: [Piece; 2]) -> ([Self; 2], Permit) {
        let Some(Held { shared, mut permit, members }) = self.held.take() else {
            // Only what has ended holds nothing, and ending it consumes it.
            unreachable!("a delivery was divided after its end")
        };
        let [first, second] = pieces;
        // What the batch takes besides its lines goes with the first piece.
        let unused = self.body.lines.capacity() - self.body.lines.len();
        let freed = permit.split(unused);
        let second_permit = permit.split(second.bytes.len());
        let hold = |permit| Some(Held { shared: shared.clone(), permit, members: members.clone() });
        let (first_held, second_held) = (hold(permit), hold(second_permit));
        let after = Order { line: self.order.line + first.lines, ..self.order };
        let piece = |order, piece: Piece, held| Self {
            order,
            key: self.key.clone(),
            lines: piece.lines,
            body: Arc::new(Body::new(piece.bytes)),
            not_before: None,
            tries: Tries { failures: 0, ..self.tries.clone() },
            held,
        };
        ([piece(self.order, first, first_held), piece(after, second, second_held)], freed)
    }

    fn take_held(&mut self, end: End) -> Option<Ended> {
        let Held { shared, permit, members } = self.held.take()?;
        shared.ledger.count(end, Amount::new(self.lines, self.bytes()));
        Some(Ended {
            end,
            order: self.order,
            file: self.key.file.clone(),
            batch: self.batch(),
            shared,
            body: self.body.clone(),
            permit,
            members,
        })
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        let Some(shared) = self.held.as_ref().map(|held| held.shared.clone()) else { return };
        if let Some(ended) = self.take_held(End::Failed) {
            shared.abandon(ended);
        }
    }
}

impl Ended {
    pub(super) fn amount(&self) -> Amount {
        Amount::new(self.batch.lines, self.batch.line_protocol.len())
    }

    /// The number of its epoch.
    pub(super) fn epoch(&self) -> u64 {
        self.members.client.epoch().number()
    }

    /// Its lines do not count in the buffer any more.
    pub(super) fn give_room_back(&mut self) {
        let all = self.permit.bytes();
        drop(self.permit.split(all));
    }

    /// Permits for so many bytes, of what its lines had, what is free, whoever waits for it, or what is set aside for this;
    /// none if there are not so many.
    pub(super) fn permits(&mut self, bytes: usize) -> Option<[Permit; 2]> {
        let mut permit = self.permit.split(bytes);
        let missing = bytes - permit.bytes();
        let line_errors = &self.shared.line_errors;
        if permit.grow_before_others(missing) {
            return Some([permit, line_errors.try_acquire(0)?]);
        }
        match line_errors.try_acquire(bytes - permit.bytes()) {
            Some(rest) => Some([permit, rest]),
            None => {
                self.permit.merge(permit);
                None
            }
        }
    }

    /// What remains if its lines are kept for the caller: they, and the permit for them.
    pub(super) fn keep(&mut self) -> (Batch, Permit) {
        let all = self.permit.bytes();
        (self.batch.clone(), self.permit.split(all))
    }

    /// Its memory, for another batch, if nobody has its lines any more; and its membership, to be dropped behind it.
    pub(super) fn into_memory(self) -> (Option<BatchMemory>, Members) {
        let Self { batch, body, permit, members, .. } = self;
        drop(batch);
        let lines = Arc::try_unwrap(body).ok().and_then(|body| Arc::try_unwrap(body.lines).ok());
        let memory = lines.map(|mut lines| {
            lines.clear();
            BatchMemory::from_parts(lines, permit)
        });
        (memory, members)
    }
}

impl Piece {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn lines(&self) -> usize {
        self.lines
    }
}

impl Body {
    fn new(bytes: Vec<u8>) -> Self {
        Self {
            lines: Arc::new(bytes),
            #[cfg(feature = "gzip")]
            compressed: OnceLock::new(),
            #[cfg(not(feature = "gzip"))]
            _compressed: OnceLock::new(),
        }
    }

    pub(super) fn lines(&self) -> &[u8] {
        &self.lines
    }

    /// The first half of `lines` lines, and the others.
    pub(super) fn halves(&self, lines: usize) -> [Piece; 2] {
        let half = lines / 2;
        let cut = half.checked_sub(1).and_then(|last| line_ends(&self.lines).nth(last));
        let (first, second) = self.lines.split_at(cut.unwrap_or(0));
        [
            Piece { bytes: first.to_vec(), lines: half },
            Piece { bytes: second.to_vec(), lines: lines - half },
        ]
    }

    /// The lines that are not at the places `bad`, ascending from 0, and those that are.
    pub(super) fn good_and_bad(&self, bad: &[usize]) -> [Piece; 2] {
        let mut pieces = [Piece::default(), Piece::default()];
        let mut bad = bad.iter().peekable();
        let mut start = 0;
        for (place, end) in line_ends(&self.lines).enumerate() {
            let is_bad = bad.next_if(|next| **next == place).is_some();
            let piece = &mut pieces[usize::from(is_bad)];
            piece.bytes.extend_from_slice(&self.lines[start..end]);
            piece.lines += 1;
            start = end;
        }
        pieces
    }

    /// The lines as a segment of a compressed body, made by `compress` if that was not done before. None if it could not
    /// be.
    #[cfg(feature = "gzip")]
    pub(super) fn compressed(
        &self,
        compress: impl FnOnce(&[u8]) -> Option<(Segment, Permit)>,
    ) -> Option<&Segment> {
        let compressed = self.compressed.get_or_init(|| compress(&self.lines));
        compressed.as_ref().map(|(segment, _)| segment)
    }
}

impl Search {
    /// Takes one request of it; false if none is left.
    pub(super) fn take_one(&mut self) -> bool {
        let left = self.0.get_or_insert_with(|| Arc::new(AtomicU32::new(SEARCH_REQUESTS)));
        let take = |left: u32| left.checked_sub(1);
        left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok()
    }
}

/// The most times that one batch and its pieces are cut for their bad lines: enough for about ten of a thousand lines. If
/// more are bad, the data is, and the rest is given up rather than sent piece by piece.
pub(super) const SEARCH_REQUESTS: u32 = 100;

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery")
            .field("order", &self.order)
            .field("lines", &self.lines)
            .field("not_before", &self.not_before)
            .field("tries", &self.tries)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ended")
            .field("end", &self.end)
            .field("order", &self.order)
            .field("batch", &self.batch)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body").field("bytes", &self.lines.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(text: &str, lines: usize) -> Piece {
        Piece { bytes: text.as_bytes().to_vec(), lines }
    }

    #[test]
    fn bad_lines_are_parted_from_good_ones() {
        let body = Body::new(b"a f=1 1\nb f=\"x\ny\" 2\nc f=1 3\n".to_vec());
        let pieces = body.good_and_bad(&[1]);
        assert_eq!(pieces, [piece("a f=1 1\nc f=1 3\n", 2), piece("b f=\"x\ny\" 2\n", 1)]);
        assert_eq!(body.good_and_bad(&[0, 1, 2])[0], Piece::default());
    }

    #[test]
    fn halves_are_cut_between_lines() {
        let body = Body::new(b"a f=1 1\nb f=\"x\ny\" 2\nc f=1 3\n".to_vec());
        let halves = [piece("a f=1 1\n", 1), piece("b f=\"x\ny\" 2\nc f=1 3\n", 2)];
        assert_eq!(body.halves(3), halves);
    }
}
