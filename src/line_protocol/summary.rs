//! What a point knows of its columns without looking at them.
//!
//! It stands in the first bytes of the point's buffer. So a point is small, and handing it on, as each call that builds
//! it does, is cheap. Each word is read and written as a whole, which lets the processor pass on what was just written.

use crate::Timestamp;
use crate::line_protocol::packed::Filter;

/// The summary at the beginning of a buffer.
pub(crate) struct Summary<'a>(&'a [u8; Summary::LENGTH]);

/// The same, to be changed.
pub(crate) struct SummaryMut<'a>(&'a mut [u8; Summary::LENGTH]);

/// What is true or false of a point.
#[derive(Clone, Copy)]
pub(crate) enum Fact {
    PlainMeasurement = 1,
    HasFields = 2,
    /// Not: tags come before fields, sorted by key, none without a value.
    OutOfOrder = 4,
    MayHaveEqualKeys = 8,
    HasTime = 16,
}

/// The words, by their places; the first four are the filter.
#[derive(Clone, Copy)]
enum Word {
    Facts = 4,
    Measurement = 5,
    LastTag = 6,
    LastRankLow = 7,
    LastRankHigh = 8,
    Comparisons = 9,
    TimeLow = 10,
    TimeHigh = 11,
}

impl<'a> Summary<'a> {
    pub(crate) const LENGTH: usize = 96;

    #[inline(always)]
    pub(crate) fn of(bytes: &'a [u8]) -> Self {
        Self(bytes.first_chunk().unwrap_or(&[0; Self::LENGTH]))
    }

    #[inline(always)]
    pub(crate) fn is(&self, fact: Fact) -> bool {
        self.word(Word::Facts) & fact as u64 != 0
    }

    /// The length of the measurement.
    #[inline(always)]
    pub(crate) fn measurement(&self) -> usize {
        self.word(Word::Measurement) as usize
    }

    /// Where the last tag stands; 0 if there is none.
    #[inline(always)]
    pub(crate) fn last_tag(&self) -> usize {
        self.word(Word::LastTag) as usize
    }

    /// The key of the last tag as a number that is greater for keys that come later; 0 if it is not known.
    #[inline(always)]
    pub(crate) fn last_rank(&self) -> u128 {
        self.words(Word::LastRankLow, Word::LastRankHigh)
    }

    #[inline(always)]
    pub(crate) fn time(&self) -> Option<Timestamp> {
        let nanos = self.words(Word::TimeLow, Word::TimeHigh).cast_signed();
        self.is(Fact::HasTime).then(|| Timestamp::from_nanos(nanos))
    }

    /// The keys of all columns.
    #[inline(always)]
    pub(crate) fn filter(&self) -> Filter {
        Filter([0, 1, 2, 3].map(|place| word(self.0, place)))
    }

    #[inline(always)]
    fn word(&self, place: Word) -> u64 {
        word(self.0, place as usize)
    }

    #[inline(always)]
    fn words(&self, low: Word, high: Word) -> u128 {
        u128::from(self.word(low)) | u128::from(self.word(high)) << 64
    }
}

impl<'a> SummaryMut<'a> {
    /// None if there is no summary, which is never so.
    #[inline(always)]
    pub(crate) fn of(bytes: &'a mut [u8]) -> Option<Self> {
        bytes.first_chunk_mut().map(Self)
    }

    #[inline(always)]
    pub(crate) fn state(&mut self, fact: Fact) {
        let facts = self.word(Word::Facts);
        self.set(Word::Facts, facts | fact as u64);
    }

    #[inline(always)]
    pub(crate) fn set_measurement(&mut self, length: usize) {
        self.set(Word::Measurement, length as u64);
    }

    #[inline(always)]
    pub(crate) fn set_last_tag(&mut self, place: usize, rank: u128) {
        self.set(Word::LastTag, place as u64);
        self.set_words(Word::LastRankLow, Word::LastRankHigh, rank);
    }

    #[inline(always)]
    pub(crate) fn set_time(&mut self, time: Timestamp) {
        self.set_words(Word::TimeLow, Word::TimeHigh, time.as_nanos().cast_unsigned());
        self.state(Fact::HasTime);
    }

    /// Adds a key to the filter, by its hash, and tells whether it may have been there.
    #[inline(always)]
    pub(crate) fn add_key(&mut self, hash: u64) -> bool {
        let (place, bit) = Filter::place(hash);
        let before = word(self.0, place);
        set_word(self.0, place, before | bit);
        before & bit != 0
    }

    /// Counts a comparison of keys, and tells how many there were.
    pub(crate) fn count_comparison(&mut self) -> u64 {
        let count = self.word(Word::Comparisons) + 1;
        self.set(Word::Comparisons, count);
        count
    }

    #[inline(always)]
    fn word(&self, place: Word) -> u64 {
        word(self.0, place as usize)
    }

    #[inline(always)]
    fn set(&mut self, place: Word, value: u64) {
        set_word(self.0, place as usize, value);
    }

    #[inline(always)]
    fn set_words(&mut self, low: Word, high: Word, value: u128) {
        self.set(low, value as u64);
        self.set(high, (value >> 64) as u64);
    }
}

#[inline(always)]
fn word(bytes: &[u8; Summary::LENGTH], place: usize) -> u64 {
    let (words, _) = bytes.as_chunks();
    words.get(place).map_or(0, |word| u64::from_le_bytes(*word))
}

#[inline(always)]
fn set_word(bytes: &mut [u8; Summary::LENGTH], place: usize, value: u64) {
    let (words, _) = bytes.as_chunks_mut();
    if let Some(word) = words.get_mut(place) {
        *word = value.to_le_bytes();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Point;

    #[test]
    fn a_point_is_as_small_as_a_buffer() {
        assert_eq!(size_of::<Point>(), size_of::<Vec<u8>>());
    }

    #[test]
    fn what_is_set_is_there_and_nothing_else_is() {
        let mut bytes = vec![0; Summary::LENGTH];
        let mut summary = SummaryMut::of(&mut bytes).unwrap();
        let rank = 0x0102_0304_0506_0708_090a_0b0c_0d0e_0f10;
        summary.set_measurement(7);
        summary.set_last_tag(99, rank);
        assert!(!summary.add_key(5) && summary.add_key(5));
        assert_eq!((summary.count_comparison(), summary.count_comparison()), (1, 2));
        assert_eq!(Summary::of(&bytes).time(), None);
        for nanos in [i128::MIN, -1, 0, i128::MAX] {
            let time = Timestamp::from_nanos(nanos);
            SummaryMut::of(&mut bytes).unwrap().set_time(time);
            assert_eq!(Summary::of(&bytes).time(), Some(time));
        }
        let summary = Summary::of(&bytes);
        assert_eq!((summary.measurement(), summary.last_tag()), (7, 99));
        assert_eq!(summary.last_rank(), rank);
        assert!(!summary.is(Fact::OutOfOrder) && !summary.is(Fact::HasFields));
        assert_eq!(summary.filter().0.iter().map(|word| word.count_ones()).sum::<u32>(), 1);
    }
}
