//! Finds equal keys among the columns of one line.

/// The keys of one line by their hashes, numbered in the order in which they came.
///
/// A few are searched one after the other; with many, a table makes it one step each. Nothing is allocated for a few,
/// and nothing any more once it has grown.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    few: [u32; FEW],
    len: usize,
    /// The hashes from number `FEW` on.
    more: Vec<u32>,
    /// Open addressing: 0 is free, everything else the number of a key plus one. Empty while there are few.
    table: Vec<u32>,
}

impl Keys {
    pub(crate) const fn new() -> Self {
        Self { few: [0; FEW], len: 0, more: Vec::new(), table: Vec::new() }
    }

    #[inline]
    pub(crate) fn clear(&mut self) {
        if self.len > FEW {
            self.more.clear();
            self.table.clear();
        }
        self.len = 0;
    }

    /// The numbers of the keys that may be equal to one of this hash; those of equal keys are among them.
    #[inline]
    pub(crate) fn candidates(&self, hash: u32) -> impl Iterator<Item = usize> {
        let (few, table) = if self.table.is_empty() {
            (self.few.get(..self.len).unwrap_or_default(), None)
        } else {
            (&[][..], Some(self.probe(hash)))
        };
        let few = few.iter().enumerate().filter(move |&(_, &other)| other == hash);
        few.map(|(number, _)| number).chain(table.into_iter().flatten())
    }

    /// Adds the next key.
    #[inline]
    pub(crate) fn push(&mut self, hash: u32) {
        match self.few.get_mut(self.len) {
            Some(place) => *place = hash,
            None => self.push_more(hash),
        }
        self.len += 1;
    }

    #[cold]
    fn push_more(&mut self, hash: u32) {
        self.more.push(hash);
        let wanted = (self.len + 1) * 2;
        if self.table.len() < wanted {
            self.table.clear();
            self.table.resize(wanted.next_power_of_two(), 0);
            for number in 0..self.len {
                self.enter(self.hash(number), number);
            }
        }
        self.enter(hash, self.len);
    }

    fn enter(&mut self, hash: u32, number: usize) {
        let Some(mask) = self.table.len().checked_sub(1) else { return };
        let mut slot = hash as usize & mask;
        // The table is at most half full, so that a free place is found.
        while let Some(place) = self.table.get_mut(slot) {
            if *place == 0 {
                *place = number as u32 + 1; // a line of 2^32 columns fits into no request
                return;
            }
            slot = (slot + 1) & mask;
        }
    }

    fn probe(&self, hash: u32) -> impl Iterator<Item = usize> {
        let mask = self.table.len().saturating_sub(1);
        (0..self.table.len())
            .map_while(move |step| self.table.get((hash as usize + step) & mask)?.checked_sub(1))
            .map(|number| number as usize)
            .filter(move |&number| self.hash(number) == hash)
    }

    fn hash(&self, number: usize) -> u32 {
        let hash = match number.checked_sub(FEW) {
            None => self.few.get(number),
            Some(number) => self.more.get(number),
        };
        hash.copied().unwrap_or_default()
    }
}

impl Default for Keys {
    fn default() -> Self {
        Self::new()
    }
}

/// A number for a key that equal keys share.
#[inline]
pub(crate) fn hash(key: &[u8]) -> u32 {
    let (chunks, rest) = key.as_chunks::<8>();
    let mut state = key.len() as u64;
    for chunk in chunks {
        state = mix(state, u64::from_le_bytes(*chunk));
    }
    let rest = rest.iter().fold(0, |rest, &byte| rest << 8 | u64::from(byte));
    (mix(state, rest) >> 32) as u32
}

#[inline]
fn mix(state: u64, word: u64) -> u64 {
    let mixed = (state.rotate_left(23) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed ^ mixed >> 29
}

const FEW: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_equal_key_is_found_however_many_there_are() {
        let mut keys = Keys::new();
        for round in [10, 1_000, 33, 5] {
            keys.clear();
            let names: Vec<String> = (0..round).map(|n| format!("column {n}")).collect();
            for (number, name) in names.iter().enumerate() {
                let equal = |other: &usize| names[*other] == *name;
                assert_eq!(keys.candidates(hash(name.as_bytes())).find(equal), None);
                keys.push(hash(name.as_bytes()));
                for earlier in [0, number / 2, number] {
                    let mut found = keys.candidates(hash(names[earlier].as_bytes()));
                    assert!(found.any(|other| other == earlier), "{earlier} of {number}");
                }
            }
        }
    }

    #[test]
    fn keys_of_one_hash_are_all_candidates() {
        let mut keys = Keys::new();
        for count in 0..100 {
            assert_eq!(keys.candidates(7).count(), count);
            keys.push(7);
        }
    }
}
