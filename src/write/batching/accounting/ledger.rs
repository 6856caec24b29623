//! The counters of a client.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::write::amount::Amount;
use crate::write::stats::WriteStats;

/// How lines end. Each accepted line ends in exactly one of these ways, which [`WriteStats`] describes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum End {
    Written,
    Rejected,
    Failed,
    Dropped,
    Returned,
}

/// The counters of a client, but for what it has accepted.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    /// By [`End`].
    ends: [LineCounter; 5],
    /// Of lines that a process before this one left on the disk.
    former: [LineCounter; 5],
    pub(crate) batches: AtomicU64,
    pub(crate) requests: AtomicU64,
    pub(crate) retries: AtomicU64,
    pub(crate) callback_panics: AtomicU64,
    latency: Latency,
}

/// How long requests took, in nanoseconds; 0 before the first.
#[derive(Debug, Default)]
struct Latency {
    last: AtomicU64,
    slowest: AtomicU64,
}

/// Lines that are counted.
#[derive(Debug, Default)]
pub(crate) struct LineCounter {
    lines: AtomicU64,
    bytes: AtomicU64,
}

impl Ledger {
    /// Counts lines that have ended.
    pub(crate) fn count(&self, end: End, amount: Amount) {
        self.ends[end as usize].add(amount);
    }

    /// As [`count`](Self::count), for lines that a process before this one left on the disk.
    #[cfg_attr(not(feature = "spool"), allow(dead_code))] // only a spool has them
    pub(crate) fn count_former(&self, end: End, amount: Amount) {
        self.former[end as usize].add(amount);
    }

    /// How many of those ended so.
    #[cfg(feature = "spool")]
    pub(crate) fn former(&self, end: End) -> Amount {
        self.former[end as usize].amount()
    }

    /// Notes how long a request took.
    pub(crate) fn note_latency(&self, latency: Duration) {
        // Centuries fit.
        let nanos = u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX).max(1);
        self.latency.last.store(nanos, Ordering::SeqCst);
        self.latency.slowest.fetch_max(nanos, Ordering::SeqCst);
    }

    /// All counters as of one moment, with `accepted` from the caller: `pending` is what of it has not ended.
    pub(crate) fn stats(&self, accepted: impl Fn() -> Amount) -> WriteStats {
        let mut tries = 0;
        loop {
            // First what was accepted: lines that end meanwhile make `pending` smaller, but never larger than it was.
            let mut accepted_lines = accepted();
            let [written, rejected, failed, dropped, returned] =
                self.ends.each_ref().map(LineCounter::amount);
            let mut ended = Amount::default();
            for amount in [written, rejected, failed, dropped, returned] {
                ended += amount;
            }
            if ended.lines > accepted_lines.lines || ended.bytes > accepted_lines.bytes {
                // Lines were accepted after the first step and have ended: the sum would be wrong, so once more.
                tries += 1;
                if tries < MOST_TRIES {
                    continue;
                }
                // What is read last is enough for all that have ended, and `pending` may be larger than it was.
                accepted_lines = accepted();
            }
            let accepted = accepted_lines;
            let pending = Amount {
                lines: accepted.lines.saturating_sub(ended.lines),
                bytes: accepted.bytes.saturating_sub(ended.bytes),
            };
            let load = |counter: &AtomicU64| counter.load(Ordering::SeqCst);
            let latency = |nanos: &AtomicU64| {
                Some(load(nanos)).filter(|nanos| *nanos > 0).map(Duration::from_nanos)
            };
            return WriteStats {
                accepted,
                written,
                rejected,
                failed,
                dropped,
                returned,
                pending,
                batches: load(&self.batches),
                requests: load(&self.requests),
                retries: load(&self.retries),
                callback_panics: load(&self.callback_panics),
                last_latency: latency(&self.latency.last),
                slowest_latency: latency(&self.latency.slowest),
                ..WriteStats::default()
            };
        }
    }
}

impl LineCounter {
    pub(crate) fn add(&self, amount: Amount) {
        self.lines.fetch_add(amount.lines, Ordering::SeqCst);
        self.bytes.fetch_add(amount.bytes, Ordering::SeqCst);
    }

    pub(crate) fn amount(&self) -> Amount {
        Amount {
            lines: self.lines.load(Ordering::SeqCst),
            bytes: self.bytes.load(Ordering::SeqCst),
        }
    }
}

/// How many times the counters are read until they agree.
const MOST_TRIES: u32 = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_that_never_agree_are_told_all_the_same() {
        let ledger = Ledger::default();
        ledger.count(End::Written, Amount::new(3, 30));
        let stats = ledger.stats(|| Amount::new(2, 20));
        assert_eq!((stats.written.lines, stats.pending), (3, Amount::default()));
    }
}
