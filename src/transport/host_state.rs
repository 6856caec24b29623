use std::time::{Duration, Instant};

use crate::back_off::doubled;

/// What is known of one host: whether it works, or since when and why not.
#[derive(Clone, Debug, Default)]
pub(super) struct HostState {
    /// How many times in a row it has failed; calls that failed together count once. 0 if it works.
    failures: u32,
    /// When the last of these was noted.
    failed: Option<Instant>,
    /// Skipped until then.
    until: Option<Instant>,
    /// Why it failed last.
    why: String,
}

impl HostState {
    pub(super) fn works(&self) -> bool {
        self.failures == 0
    }

    /// Why it failed last; empty if it works.
    pub(super) fn why(&self) -> &str {
        &self.why
    }

    /// Until when it is skipped, if that is later than `now`.
    pub(super) fn skipped_until(&self, now: Instant) -> Option<Instant> {
        self.until.filter(|until| *until > now)
    }

    /// A call tries it now: if it has failed before, other calls skip it until this one has a result.
    pub(super) fn note_try(&mut self, now: Instant) {
        if !self.works() {
            self.until = Some(now + back_off(self.failures));
        }
    }

    /// A call failed now that had begun to ask the host at `began`. Returns whether the host worked before.
    pub(super) fn note_failed(&mut self, began: Instant, now: Instant, why: &str) -> bool {
        why.clone_into(&mut self.why);
        // A call that was under way when another one failed reports the same outage.
        if self.failed.is_some_and(|failed| began <= failed) {
            return false;
        }
        self.failures = self.failures.saturating_add(1);
        self.failed = Some(now);
        self.until = Some(now + back_off(self.failures));
        self.failures == 1
    }
}

/// How long a host is skipped that has failed `failures` times in a row.
fn back_off(failures: u32) -> Duration {
    const FIRST: Duration = Duration::from_secs(1);
    const LONGEST: Duration = Duration::from_secs(60);
    doubled(FIRST, failures.saturating_sub(1), LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn back_offs_grow_and_are_bounded() {
        assert_eq!([1, 2, 3, 7, 99].map(|n| back_off(n).as_secs()), [1, 2, 4, 60, 60]);
    }
}
