//! Finds equal keys among the columns of one line.

/// The keys of one line: each has a hash and a number, by which the caller knows it again.
///
/// Begun anew it costs nothing, and nothing is allocated any more once it has grown.
#[derive(Clone, Debug, Default)]
pub(crate) struct DuplicateKeys {
    /// Open addressing; at most half of a power of two is taken.
    slots: Vec<Slot>,
    taken: usize,
    line: u64,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    hash: u64,
    number: usize,
    /// The line that the key belongs to; any other one has left it behind.
    line: u64,
}

impl DuplicateKeys {
    /// Begins a line.
    #[inline]
    pub(crate) fn clear(&mut self) {
        self.line += 1;
        self.taken = 0;
    }

    /// Takes note of a key, unless there is an equal one: the number of that is given back.
    #[inline]
    pub(crate) fn enter(
        &mut self,
        hash: u64,
        number: usize,
        is_equal: impl Fn(usize) -> bool,
    ) -> Option<usize> {
        if self.taken * 2 >= self.slots.len() {
            self.grow();
        }
        let mask = self.slots.len() - 1; // it has grown, so that it is not empty
        let mut place = hash as usize & mask;
        while let Some(slot) = self.slots.get_mut(place) {
            if slot.line != self.line {
                *slot = Slot { hash, number, line: self.line };
                self.taken += 1;
                break;
            }
            if slot.hash == hash && is_equal(slot.number) {
                return Some(slot.number);
            }
            place = (place + 1) & mask;
        }
        None
    }

    /// The number of an equal key.
    pub(crate) fn find(&self, hash: u64, is_equal: impl Fn(usize) -> bool) -> Option<usize> {
        let mask = self.slots.len().checked_sub(1)?;
        let mut place = hash as usize & mask;
        loop {
            let slot = self.slots.get(place).filter(|slot| slot.line == self.line)?;
            if slot.hash == hash && is_equal(slot.number) {
                return Some(slot.number);
            }
            place = (place + 1) & mask;
        }
    }

    #[cold]
    fn grow(&mut self) {
        let slots = std::mem::take(&mut self.slots);
        let free = Slot { hash: 0, number: 0, line: u64::MAX };
        self.slots = vec![free; (slots.len() * 2).max(FIRST_SIZE)];
        self.taken = 0;
        let line = self.line;
        for slot in slots.into_iter().filter(|slot| slot.line == line) {
            self.enter(slot.hash, slot.number, |_| false);
        }
    }
}

const FIRST_SIZE: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::line_protocol::short_bytes::look;

    #[test]
    fn every_equal_key_is_found_however_many_there_are() {
        let mut keys = DuplicateKeys::default();
        for count in [10, 1_000, 33, 5] {
            keys.clear();
            let names: Vec<String> = (0..count).map(|n| format!("column {n}")).collect();
            let hash = |number: usize| look(names[number].as_bytes()).hash;
            for number in 0..count {
                let equal = |other: usize| names[other] == names[number];
                assert_eq!(keys.find(hash(number), equal), None);
                assert_eq!(keys.enter(hash(number), number, equal), None);
                for earlier in [0, number / 2, number] {
                    let equal = |other: usize| names[other] == names[earlier];
                    assert_eq!(keys.find(hash(earlier), equal), Some(earlier));
                    assert_eq!(keys.enter(hash(earlier), usize::MAX, equal), Some(earlier));
                }
            }
        }
    }

    #[test]
    fn keys_of_one_hash_are_told_apart() {
        let mut keys = DuplicateKeys::default();
        keys.clear();
        for number in 0..100 {
            assert_eq!(keys.enter(7, number, |other| other == number), None);
        }
        for number in 0..100 {
            assert_eq!(keys.find(7, |other| other == number), Some(number));
        }
        assert_eq!(keys.find(8, |_| true), None);
    }
}
