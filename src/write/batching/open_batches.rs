//! The batches that take more lines, and the memory that they fill.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use super::budget::{Budget, Permit};
use super::call_lines::Size;
use super::epoch::Member;
use super::file_ledger::FileLedger;
use crate::write::target::Target;

/// A batch that takes more lines.
#[derive(Debug)]
pub(super) struct OpenBatch {
    pub(super) shard: usize,
    pub(super) key: Key,
    /// Batches are numbered in the order in which they were opened, which is that of acceptance.
    pub(super) number: u64,
    pub(super) since: Instant,
    pub(super) memory: BatchMemory,
    pub(super) lines: usize,
    pub(super) member: Member,
    /// Of what whoever writes the file waits for.
    pub(super) file_member: Option<Member>,
}

/// What lines of one batch have in common.
#[derive(Clone, Debug)]
pub(super) struct Key {
    pub(super) target: Arc<Target>,
    /// The file that they come from: lines of a file are in batches of their own.
    pub(super) file: Option<Arc<FileLedger>>,
}

/// The open batches of a shard, one for each key.
#[derive(Debug, Default)]
pub(super) struct OpenBatches {
    /// The batch that was written to last, as most programs have but one.
    current: Option<OpenBatch>,
    others: HashMap<Key, OpenBatch>,
}

/// The lines of a batch, with a permit for all that they have allocated and for the batch itself.
#[derive(Debug)]
pub(super) struct BatchMemory {
    bytes: Vec<u8>,
    permit: Permit,
}

impl OpenBatches {
    /// The open batch of a key, if there is one.
    pub(super) fn get(
        &mut self,
        target: &Arc<Target>,
        file: Option<&Arc<FileLedger>>,
    ) -> Option<&mut OpenBatch> {
        let is_same = |open: &OpenBatch| {
            is_same_file(open.key.file.as_ref(), file)
                && (Arc::ptr_eq(&open.key.target, target) || open.key.target == *target)
        };
        if !self.current.as_ref().is_some_and(is_same) {
            let key = Key { target: target.clone(), file: file.cloned() };
            let found = self.others.remove(&key)?;
            if let Some(last) = self.current.replace(found) {
                self.others.insert(last.key.clone(), last);
            }
        }
        self.current.as_mut()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.current.is_none() && self.others.is_empty()
    }

    /// Makes `open` the batch of its key.
    pub(super) fn insert(&mut self, open: OpenBatch) {
        if let Some(last) = self.current.replace(open) {
            self.others.insert(last.key.clone(), last);
        }
    }

    /// Takes out the batch that [`get`](Self::get) or [`insert`](Self::insert) gave last.
    pub(super) fn take_current(&mut self) -> Option<OpenBatch> {
        self.current.take()
    }

    /// Takes out the batches that `is_due` names, in the order in which they were opened.
    pub(super) fn take_if(&mut self, is_due: impl Fn(&OpenBatch) -> bool) -> Vec<OpenBatch> {
        let mut taken: Vec<_> =
            self.others.extract_if(|_, open| is_due(open)).map(|(_, open)| open).collect();
        taken.extend(self.current.take_if(|open| is_due(open)));
        taken.sort_by_key(|open| open.number);
        taken
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &OpenBatch> {
        self.current.iter().chain(self.others.values())
    }

    /// Has all of them give up memory that they do not fill; returns the permit for it, if there is any.
    pub(super) fn trim(&mut self) -> Option<Permit> {
        let all = self.current.iter_mut().chain(self.others.values_mut());
        all.map(|open| open.memory.trim()).reduce(|mut all, permit| {
            all.merge(permit);
            all
        })
    }
}

impl OpenBatch {
    /// What it has room for, `full` being the size at which it is full.
    pub(super) fn room(&self, full: Size) -> Size {
        Size {
            lines: full.lines.saturating_sub(self.lines),
            bytes: full.bytes.saturating_sub(self.memory.bytes.len()),
        }
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        is_same_file(self.file.as_ref(), other.file.as_ref()) && self.target == other.target
    }
}

impl Eq for Key {}

impl std::hash::Hash for Key {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.target.hash(state);
        self.file.as_ref().map(Arc::as_ptr).hash(state);
    }
}

fn is_same_file(one: Option<&Arc<FileLedger>>, other: Option<&Arc<FileLedger>>) -> bool {
    one.map(Arc::as_ptr) == other.map(Arc::as_ptr)
}

impl BatchMemory {
    /// Nothing allocated yet; `permit` is for the batch itself.
    pub(super) fn new(permit: Permit) -> Self {
        Self { bytes: Vec::new(), permit }
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn is_of(&self, budget: &Arc<Budget>) -> bool {
        self.permit.is_of(budget)
    }

    pub(super) fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    pub(super) fn clear(&mut self) {
        self.bytes.clear();
    }

    /// Allocates so much for lines to come, if it is free.
    pub(super) fn prepare(&mut self, bytes: usize) {
        let more = bytes.saturating_sub(self.bytes.capacity());
        if more > 0 && self.permit.try_grow(more) {
            self.bytes.reserve_exact(bytes - self.bytes.len());
        }
    }

    /// Appends lines if the memory for them is there, or free; says whether it did.
    pub(super) fn try_append(&mut self, lines: &[u8], most: usize) -> bool {
        let missing = self.missing(lines);
        if missing > 0 && !self.grow(missing, most) && !self.permit.try_grow(missing) {
            return false;
        }
        self.append_exactly(lines, missing);
        true
    }

    /// Appends lines, for which `permit` has enough.
    pub(super) fn append(&mut self, lines: &[u8], most: usize, permit: &mut Permit) {
        let missing = self.missing(lines);
        if missing > 0 && !self.grow(missing, most) {
            debug_assert!(permit.bytes() >= missing, "{} of {missing}", permit.bytes());
            self.permit.merge(permit.split(missing));
        }
        self.append_exactly(lines, missing);
    }

    /// Gives up what is not filled.
    pub(super) fn trim(&mut self) -> Permit {
        let before = self.bytes.capacity();
        self.bytes.shrink_to_fit();
        self.permit.split(before - self.bytes.capacity())
    }

    /// Puts memory and its permit together again.
    pub(super) fn from_parts(bytes: Vec<u8>, permit: Permit) -> Self {
        Self { bytes, permit }
    }

    pub(super) fn into_parts(self) -> (Vec<u8>, Permit) {
        (self.bytes, self.permit)
    }

    /// What of `lines` the memory has no room for.
    fn missing(&self, lines: &[u8]) -> usize {
        lines.len().saturating_sub(self.bytes.capacity() - self.bytes.len())
    }

    /// Doubles, so that not each append allocates, up to `most`; says whether that is at least what is missing, and free.
    fn grow(&mut self, missing: usize, most: usize) -> bool {
        let capacity = self.bytes.capacity();
        let more = capacity.max(LEAST).min(most.saturating_sub(capacity));
        let is_grown = more > missing && self.permit.try_grow(more);
        if is_grown {
            self.bytes.reserve_exact(capacity - self.bytes.len() + more);
        }
        is_grown
    }

    /// `missing` is what there is a permit for but no memory yet, unless it was grown.
    fn append_exactly(&mut self, lines: &[u8], missing: usize) {
        if self.bytes.capacity() - self.bytes.len() < lines.len() {
            self.bytes.reserve_exact(self.bytes.capacity() - self.bytes.len() + missing);
        }
        self.bytes.extend_from_slice(lines);
    }
}

/// The least that a batch grows by.
const LEAST: usize = 1 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_allocated_has_a_permit() {
        let budget = Budget::new(100_000);
        let mut memories: Vec<BatchMemory> = Vec::new();
        let mut random = 1_u64;
        let mut below = |end: usize| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (random >> 33) as usize % end
        };
        let (mut refused, mut taken) = (0, 0);
        for _ in 0..100_000 {
            match below(8) {
                0 if memories.len() < 6 => {
                    let Some(permit) = budget.try_acquire(COST) else { continue };
                    let mut memory = BatchMemory::new(permit);
                    memory.prepare(below(20_000));
                    memories.push(memory);
                }
                1 if !memories.is_empty() => drop(memories.swap_remove(below(memories.len()))),
                2 => memories.iter_mut().for_each(|memory| drop(memory.trim())),
                3 if !memories.is_empty() => {
                    let (bytes, permit) = memories.swap_remove(below(memories.len())).into_parts();
                    memories.push(BatchMemory::from_parts(bytes, permit));
                }
                _ if !memories.is_empty() => {
                    let place = below(memories.len());
                    let lines = vec![b'x'; below(3000)];
                    let is_taken = match budget.try_acquire(lines.len()) {
                        Some(mut permit) if below(2) == 0 => {
                            memories[place].append(&lines, 60_000, &mut permit);
                            true
                        }
                        _ => memories[place].try_append(&lines, 60_000),
                    };
                    if is_taken { taken += 1 } else { refused += 1 }
                }
                _ => {}
            }
            let used: usize = memories.iter().map(|memory| COST + memory.capacity()).sum();
            assert_eq!(budget.used(), used);
        }
        assert!(refused > 100 && taken > 10_000, "{refused} refused, {taken} taken");
    }

    const COST: usize = 256;
}
