//! What is cached about a point's columns: six words at the beginning of its buffer.
//!
//! | word | what it is |
//! |---|---|
//! | 0 to 2 | the filter of all keys |
//! | 3, 4 | the time: the lower and the upper half of its nanoseconds |
//! | 5 | the [`Status`] |
//!
//! They stand in the buffer and not beside it so that a point is three words, and handing it on, as each call that builds
//! it does, is cheap. Each word is read and written as a whole: the processor passes on what was just written only to a
//! read of the same width.

use crate::Timestamp;
use crate::line_protocol::key_filter::KeyFilter;

/// The length of the head in bytes.
pub(super) const LENGTH: usize = 48;

/// The last word of the head: where the last tag stands in the upper half, and flags and a count in the lower one.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Status(u64);

/// Facts cached about a point.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fact {
    HasFields = 1,
    HasTime = 2,
    /// The columns do not stand as in a line: tags before fields, sorted by key, none without a value.
    IsInAnyOrder = 4,
    /// Two tags, or two fields, or a tag and a field may have one key.
    MayHaveEqualKeys = 8,
}

impl Status {
    #[inline(always)]
    pub(super) fn of(head: &[u8]) -> Self {
        Self(word(head, STATUS))
    }

    #[inline(always)]
    pub(super) fn store(self, head: &mut [u8]) {
        set_word(head, STATUS, self.0);
    }

    #[inline(always)]
    pub(super) fn is(self, fact: Fact) -> bool {
        self.0 & fact as u64 != 0
    }

    /// Whether the columns stand as they are written: in the order of a line, and no two of one key.
    #[inline(always)]
    pub(super) fn stands_as_written(self) -> bool {
        self.0 & (Fact::IsInAnyOrder as u64 | Fact::MayHaveEqualKeys as u64) == 0
    }

    #[inline(always)]
    #[must_use]
    pub(super) fn with(self, fact: Fact) -> Self {
        Self(self.0 | fact as u64)
    }

    /// Where in the buffer the last tag stands.
    #[inline(always)]
    pub(super) fn last_tag(self) -> Option<usize> {
        let place = (self.0 >> 32) as usize;
        if place == 0 { None } else { Some(place) } // a head stands at the beginning
    }

    #[inline(always)]
    #[must_use]
    pub(super) fn with_last_tag(self, place: u32) -> Self {
        Self(self.0 & 0xffff_ffff | u64::from(place) << 32)
    }

    /// Counts a comparison of keys. Returns how many there were.
    pub(super) fn count_comparison(&mut self) -> u64 {
        self.0 += 1 << COMPARISONS; // they end long before the upper half begins
        self.0 >> COMPARISONS & 0xffff
    }
}

/// The time, which is there if the status says so.
#[inline(always)]
pub(super) fn time(head: &[u8]) -> Timestamp {
    let nanos = u128::from(word(head, TIME)) | u128::from(word(head, TIME + 1)) << 64;
    Timestamp::from_nanos(nanos.cast_signed())
}

#[inline(always)]
pub(super) fn set_time(head: &mut [u8], time: Timestamp) {
    let nanos = time.as_nanos().cast_unsigned();
    set_word(head, TIME, nanos as u64);
    set_word(head, TIME + 1, (nanos >> 64) as u64);
}

/// Adds a key to the filter by its hash. Returns whether it may have been there.
#[inline(always)]
pub(super) fn add_key(head: &mut [u8], hash: u64) -> bool {
    let (place, bit) = KeyFilter::place(hash);
    let before = word(head, FILTER + place);
    set_word(head, FILTER + place, before | bit);
    before & bit != 0
}

pub(super) fn filter(head: &[u8]) -> KeyFilter {
    KeyFilter([0, 1, 2].map(|place| word(head, FILTER + place)))
}

#[inline(always)]
fn word(head: &[u8], place: usize) -> u64 {
    let bytes = head.get(8 * place..).and_then(|bytes| bytes.first_chunk());
    bytes.map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

#[inline(always)]
fn set_word(head: &mut [u8], place: usize, value: u64) {
    if let Some(bytes) = head.get_mut(8 * place..).and_then(|bytes| bytes.first_chunk_mut()) {
        *bytes = value.to_le_bytes();
    }
}

const FILTER: usize = 0;
const TIME: usize = 3;
const STATUS: usize = 5;

/// The bits from which on the comparisons are counted, 16 of them.
const COMPARISONS: u32 = 16;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Point;

    #[test]
    fn a_point_is_as_small_as_a_buffer() {
        assert_eq!(size_of::<Point>(), size_of::<Vec<u8>>());
    }

    #[test]
    fn what_is_stored_is_there_and_nothing_else_is() {
        let mut head = [0; LENGTH];
        assert_eq!(Status::of(&head), Status::default());
        assert!(!add_key(&mut head, 5) && add_key(&mut head, 5));
        let facts = [Fact::HasFields, Fact::HasTime, Fact::IsInAnyOrder, Fact::MayHaveEqualKeys];
        for set in 0..16 {
            let mut status = Status::default();
            for (number, fact) in facts.into_iter().enumerate() {
                status = if set >> number & 1 == 1 { status.with(fact) } else { status };
            }
            for place in [0, 40, u32::MAX] {
                let mut status = status.with_last_tag(7).with_last_tag(place);
                assert_eq!((status.count_comparison(), status.count_comparison()), (1, 2));
                status.store(&mut head);
                let status = Status::of(&head);
                assert_eq!(status.last_tag(), (place != 0).then_some(place as usize));
                for (number, fact) in facts.into_iter().enumerate() {
                    assert_eq!(status.is(fact), set >> number & 1 == 1);
                }
                assert_eq!(status.stands_as_written(), set >> 2 == 0);
            }
        }
        for nanos in [i128::MIN, -1, 0, i128::MAX] {
            let time_set = Timestamp::from_nanos(nanos);
            set_time(&mut head, time_set);
            assert_eq!(time(&head), time_set);
        }
        assert_eq!(filter(&head).0.iter().map(|word| word.count_ones()).sum::<u32>(), 1);
    }
}
