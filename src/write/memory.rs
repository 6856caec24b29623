//! What a client's lines take of memory: the account, and its limit.

/// Memory of which there is so much and no more.
///
/// Batches, queued or under way or waiting, have all of what they have allocated on the account. So have open batches:
/// their lines as used, and what they have allocated beyond these as slack, which they give up for lines of others. What
/// batches leave behind is spare, until somebody needs the room.
#[derive(Debug)]
pub(super) struct Memory {
    limit: usize,
    /// What lines may fill. The rest is for bodies that are compressed.
    for_lines: usize,
    used: usize,
    /// For bodies that are being compressed.
    reserved: usize,
    slack: usize,
    spare: Vec<u8>,
}

impl Memory {
    pub(super) fn new(limit: usize, for_lines: usize) -> Self {
        Self { limit, for_lines, used: 0, reserved: 0, slack: 0, spare: Vec::new() }
    }

    /// What lines, batches and their compressed bodies take.
    pub(super) fn used(&self) -> usize {
        self.used
    }

    /// How much more can be used for lines, once slack is given up.
    pub(super) fn room(&self) -> usize {
        let total = self.limit.saturating_sub(self.used + self.reserved);
        total.min(self.for_lines.saturating_sub(self.used))
    }

    /// How much can be used without anybody giving up something.
    pub(super) fn free(&self) -> usize {
        self.limit.saturating_sub(self.allocated())
    }

    /// Everything that is allocated.
    fn allocated(&self) -> usize {
        self.used + self.reserved + self.slack + self.spare.capacity()
    }

    /// There must be room, which may be where the spare memory is.
    pub(super) fn take(&mut self, bytes: usize) {
        self.used += bytes;
        self.check();
    }

    pub(super) fn give_back(&mut self, bytes: usize) {
        self.used = self.used.saturating_sub(bytes);
    }

    /// Keeps so much free for somebody who does not have it yet.
    pub(super) fn reserve(&mut self, bytes: usize) {
        self.reserved += bytes;
        self.check();
    }

    pub(super) fn release(&mut self, bytes: usize) {
        self.reserved = self.reserved.saturating_sub(bytes);
    }

    /// Everything is over.
    pub(super) fn clear(&mut self) {
        (self.used, self.slack, self.spare) = (0, 0, Vec::new());
    }

    /// Memory for a batch that may get as large as `usual`.
    pub(super) fn open(&mut self, usual: usize) -> Vec<u8> {
        let mut lines = std::mem::take(&mut self.spare);
        if lines.capacity() < usual {
            // Growing it would copy what is of no use any more.
            lines = Vec::new();
            lines.reserve_exact(usual.min(self.free()));
        }
        self.slack += lines.capacity();
        self.check();
        lines
    }

    /// Whether others must give up slack before so many bytes can be appended to an open batch.
    pub(super) fn lacks(&self, lines: &Vec<u8>, bytes: usize) -> bool {
        let free = self.free() + self.spare.capacity();
        bytes.saturating_sub(lines.capacity() - lines.len()) > free
    }

    /// Appends to an open batch.
    pub(super) fn append(&mut self, lines: &mut Vec<u8>, bytes: &[u8]) {
        let before = lines.capacity();
        let unused = before - lines.len();
        if bytes.len() > unused {
            let free = self.free() + self.spare.capacity();
            let more = before.max(LEAST).min(free).max(bytes.len() - unused);
            lines.reserve_exact(unused + more);
            self.slack += lines.capacity() - before;
        }
        lines.extend_from_slice(bytes);
        self.slack -= bytes.len();
        self.used += bytes.len();
        self.check();
    }

    /// Has an open batch give up what it does not need now.
    pub(super) fn shrink(&mut self, lines: &mut Vec<u8>) {
        let before = lines.capacity();
        lines.shrink_to_fit();
        self.slack -= before - lines.capacity();
    }

    /// An open batch is closed: all that it has allocated is used from now on. It may keep some slack if lines that were
    /// promised so much find room all the same.
    pub(super) fn close(&mut self, lines: &mut Vec<u8>, promised: usize) {
        let unused = lines.capacity() - lines.len();
        if unused > lines.len() / 4 || unused + promised > self.room() {
            self.shrink(lines);
        }
        let unused = lines.capacity() - lines.len();
        self.slack -= unused;
        self.used += unused;
    }

    /// Keeps the memory of a batch for the next one, if there is room for it.
    pub(super) fn keep(&mut self, mut lines: Vec<u8>) {
        if lines.capacity() > self.spare.capacity()
            && lines.capacity() <= self.free() + self.spare.capacity()
        {
            lines.clear();
            self.spare = lines;
        }
    }

    pub(super) fn forget_spare(&mut self) {
        self.spare = Vec::new();
    }

    /// Gives up what is spare if there is too little room.
    fn check(&mut self) {
        if self.allocated() > self.limit {
            self.forget_spare();
        }
        debug_assert!(self.allocated() <= self.limit, "{self:?}");
    }
}

/// The least that an open batch grows by.
const LEAST: usize = 1 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_done_with_open_batches_stays_within_the_limit() {
        let mut memory = Memory::new(100_000, 100_000);
        let mut open: Vec<Vec<u8>> = Vec::new();
        let mut closed: Vec<Vec<u8>> = Vec::new();
        let mut random = 1_u64;
        let mut below = |end: usize| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (random >> 33) as usize % end
        };
        let (mut refused, mut taken) = (0, 0);
        for _ in 0..100_000 {
            match below(8) {
                0 if open.len() < 6 => open.push(memory.open(below(20_000))),
                1 if !open.is_empty() => {
                    let mut lines = open.swap_remove(below(open.len()));
                    memory.close(&mut lines, 0);
                    closed.push(lines);
                }
                2 if !closed.is_empty() => {
                    let lines = closed.swap_remove(below(closed.len()));
                    memory.give_back(lines.capacity());
                    memory.keep(lines);
                }
                _ if !open.is_empty() => {
                    let place = below(open.len());
                    let bytes = vec![b'x'; below(3000)];
                    if bytes.len() > memory.room() {
                        refused += 1;
                        continue;
                    }
                    taken += 1;
                    if memory.lacks(&open[place], bytes.len()) {
                        memory.forget_spare();
                        open.iter_mut().for_each(|lines| memory.shrink(lines));
                    }
                    memory.append(&mut open[place], &bytes);
                }
                _ => {}
            }
            let slack: usize = open.iter().map(|lines| lines.capacity() - lines.len()).sum();
            let used: usize = open.iter().map(Vec::len).sum::<usize>()
                + closed.iter().map(Vec::capacity).sum::<usize>();
            assert_eq!((memory.used, memory.slack), (used, slack));
            assert!(used + slack + memory.spare.capacity() <= 100_000, "{memory:?}");
        }
        assert!(refused > 1000 && taken > 10_000, "{refused} refused, {taken} taken");
    }

    #[test]
    fn room_that_was_promised_is_not_kept_as_slack() {
        let mut memory = Memory::new(10_000, 10_000);
        let mut lines = memory.open(5000);
        memory.append(&mut lines, &[b'x'; 4500]);
        memory.close(&mut lines, 5500);
        assert_eq!((memory.used(), memory.room()), (4500, 5500));
    }

    #[test]
    fn what_is_for_compressed_bodies_is_not_for_lines() {
        let mut memory = Memory::new(10_000, 8000);
        memory.take(7000);
        assert_eq!(memory.room(), 1000);
        memory.reserve(2500);
        assert_eq!(memory.room(), 500);
        memory.release(2500);
        memory.take(2000);
        assert_eq!((memory.room(), memory.free()), (0, 1000));
    }
}
