//! How lines ended, counted.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::write::amount::Amount;
use crate::write::stats::WriteStats;

/// How lines end. Each accepted line ends in exactly one of these ways.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum End {
    Written,
    Rejected,
    Failed,
    Dropped,
    Returned,
}

/// The counters of a client, but for what it has accepted. Only ends of deliveries change those of lines.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    ends: [Counter; 5],
    /// Of what a process before has left on the disk.
    former: [Counter; 5],
    pub(super) batches: AtomicU64,
    pub(super) requests: AtomicU64,
    pub(super) retries: AtomicU64,
    pub(super) callback_panics: AtomicU64,
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
pub(super) struct Counter {
    lines: AtomicU64,
    bytes: AtomicU64,
}

impl Ledger {
    pub(super) fn count(&self, end: End, amount: Amount) {
        self.ends[end as usize].add(amount);
    }

    /// The same of lines that a process before has left on the disk.
    #[cfg_attr(not(feature = "spool"), allow(dead_code))] // nobody has left any
    pub(super) fn count_former(&self, end: End, amount: Amount) {
        self.former[end as usize].add(amount);
    }

    /// How those ended.
    #[cfg(feature = "spool")]
    pub(super) fn former(&self, end: End) -> Amount {
        self.former[end as usize].amount()
    }

    /// A request is over that took so long.
    pub(super) fn note_latency(&self, latency: Duration) {
        // Centuries fit.
        let nanos = u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX).max(1);
        self.latency.last.store(nanos, Ordering::SeqCst);
        self.latency.slowest.fetch_max(nanos, Ordering::SeqCst);
    }

    /// All counters, of which `accepted` gives one. What is pending is what they leave.
    pub(super) fn stats(&self, accepted: impl Fn() -> Amount) -> WriteStats {
        loop {
            // In this order, so that what is pending is never more than it was at the first moment.
            let accepted = accepted();
            let [written, rejected, failed, dropped, returned] =
                self.ends.each_ref().map(Counter::amount);
            let mut ended = Amount::default();
            for amount in [written, rejected, failed, dropped, returned] {
                ended += amount;
            }
            // Lines that were accepted and ended in between: look again.
            if ended.lines > accepted.lines || ended.bytes > accepted.bytes {
                continue;
            }
            let pending =
                Amount { lines: accepted.lines - ended.lines, bytes: accepted.bytes - ended.bytes };
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

impl Counter {
    pub(super) fn add(&self, amount: Amount) {
        self.lines.fetch_add(amount.lines, Ordering::SeqCst);
        self.bytes.fetch_add(amount.bytes, Ordering::SeqCst);
    }

    pub(super) fn amount(&self) -> Amount {
        Amount {
            lines: self.lines.load(Ordering::SeqCst),
            bytes: self.bytes.load(Ordering::SeqCst),
        }
    }
}
