//! The memory that the lines of a batch fill.

use std::sync::Arc;

use crate::write::batching::accounting::{Budget, Permit};

/// The lines of an open batch, with a permit for all bytes that are allocated and for `BATCH_COST`.
#[derive(Debug)]
pub(crate) struct BatchMemory {
    bytes: Vec<u8>,
    permit: Permit,
}

impl BatchMemory {
    /// Nothing is allocated yet; `permit` has `BATCH_COST`.
    pub(crate) fn new(permit: Permit) -> Self {
        Self { bytes: Vec::new(), permit }
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(crate) fn is_of(&self, budget: &Arc<Budget>) -> bool {
        self.permit.is_of(budget)
    }

    pub(crate) fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
    }

    /// Allocates `bytes` bytes for later lines, if they are free in the budget.
    pub(crate) fn prepare(&mut self, bytes: usize) {
        let more = bytes.saturating_sub(self.bytes.capacity());
        if more > 0 && self.permit.try_grow(more) {
            self.bytes.reserve_exact(bytes - self.bytes.len());
        }
    }

    /// Appends lines if they fit into what is allocated, or the rest is free in the budget; false if not. `most` is
    /// the size at which a batch is full.
    pub(crate) fn try_append(&mut self, lines: &[u8], most: usize) -> bool {
        let missing = self.missing(lines);
        if missing > 0 && !self.grow(missing, most) && !self.permit.try_grow(missing) {
            return false;
        }
        self.append_exactly(lines, missing);
        true
    }

    /// Appends lines; what they need beyond what is allocated is split off `permit`, which must have it, or taken
    /// from the budget where more is free.
    pub(crate) fn append(&mut self, lines: &[u8], most: usize, permit: &mut Permit) {
        let missing = self.missing(lines);
        if missing > 0 && !self.grow(missing, most) {
            debug_assert!(permit.bytes() >= missing, "{} of {missing}", permit.bytes());
            self.permit.merge(permit.split(missing));
        }
        self.append_exactly(lines, missing);
    }

    /// Frees what is not filled; returns the permit for it.
    pub(crate) fn trim(&mut self) -> Permit {
        let before = self.bytes.capacity();
        self.bytes.shrink_to_fit();
        self.permit.split(before - self.bytes.capacity())
    }

    /// Memory, with the permit for it.
    pub(crate) fn from_parts(bytes: Vec<u8>, permit: Permit) -> Self {
        Self { bytes, permit }
    }

    pub(crate) fn into_parts(self) -> (Vec<u8>, Permit) {
        (self.bytes, self.permit)
    }

    /// How many bytes of `lines` do not fit into what is allocated.
    fn missing(&self, lines: &[u8]) -> usize {
        lines.len().saturating_sub(self.bytes.capacity() - self.bytes.len())
    }

    /// Doubles what is allocated, up to `most`, so that an append rarely allocates. False, with nothing done, if that
    /// is not more than `missing`, or not free in the budget.
    fn grow(&mut self, missing: usize, most: usize) -> bool {
        let capacity = self.bytes.capacity();
        let more = capacity.max(LEAST).min(most.saturating_sub(capacity));
        let is_grown = more > missing && self.permit.try_grow(more);
        if is_grown {
            self.bytes.reserve_exact(capacity - self.bytes.len() + more);
        }
        is_grown
    }

    /// Appends lines. If they do not fit into what is allocated, exactly `missing` bytes more are: for these there is
    /// a permit.
    fn append_exactly(&mut self, lines: &[u8], missing: usize) {
        if self.bytes.capacity() - self.bytes.len() < lines.len() {
            self.bytes.reserve_exact(self.bytes.capacity() - self.bytes.len() + missing);
        }
        self.bytes.extend_from_slice(lines);
    }
}

/// The least that a batch grows by, in bytes.
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
