//! Waits that grow, and the chance that keeps clients from coming back in step.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// `first`, doubled `times` times, but at most `longest`.
pub(crate) fn doubled(first: Duration, times: u32, longest: Duration) -> Duration {
    first.saturating_mul(1_u32.checked_shl(times).unwrap_or(u32::MAX)).min(longest)
}

/// A small random number generator (SplitMix64), good enough to spread waits.
#[derive(Debug)]
pub(crate) struct Random(u64);

impl Random {
    /// Seeded by the system, differently each time.
    pub(crate) fn new() -> Self {
        Self(RandomState::new().hash_one(0))
    }

    /// Uniform in `[0, end)`; zero for an empty range.
    pub(crate) fn below(&mut self, end: Duration) -> Duration {
        let nanos = u64::try_from(end.as_nanos()).unwrap_or(u64::MAX);
        let scaled = (u128::from(self.next()) * u128::from(nanos)) >> 64;
        // A product shifted by 64 bits is less than `nanos`.
        Duration::from_nanos(u64::try_from(scaled).unwrap_or(u64::MAX))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest() {
        let seconds = Duration::from_secs;
        let waits = [0, 1, 2, 5, 6, 31, 32, u32::MAX];
        let waits = waits.map(|times| doubled(seconds(1), times, seconds(60)).as_secs());
        assert_eq!(waits, [1, 2, 4, 32, 60, 60, 60, 60]);
        assert_eq!(doubled(Duration::MAX, u32::MAX, Duration::MAX), Duration::MAX);
    }
}
