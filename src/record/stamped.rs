//! Timestamps for lines that have none.

use std::sync::atomic::{AtomicI64, Ordering};

use crate::{Precision, Timestamp};

/// Lines that got a timestamp here, where the others have a coarser precision than nanoseconds.
///
/// A timestamp of that precision would be the same for many of them, and those of one series would replace each other.
#[derive(Debug, Default)]
pub(crate) struct Stamped {
    pub(crate) buffer: Vec<u8>,
    pub(crate) count: usize,
}

impl Stamped {
    /// Gives the line that begins at `start` and ends the buffer a timestamp in nanoseconds. Where the others are
    /// coarser it moves here; returns whether it stays.
    pub(super) fn stamp(
        &mut self,
        lines: &mut Vec<u8>,
        start: usize,
        precision: Precision,
    ) -> bool {
        if precision == Precision::Nanosecond {
            stamp(lines);
            return true;
        }
        self.buffer.extend_from_slice(&lines[start..]);
        lines.truncate(start);
        stamp(&mut self.buffer);
        self.count += 1;
        false
    }
}

/// Gives the last line a timestamp in nanoseconds.
fn stamp(buffer: &mut Vec<u8>) {
    buffer.pop();
    buffer.push(b' ');
    buffer.extend_from_slice(itoa::Buffer::new().format(next()).as_bytes());
    buffer.push(b'\n');
}

/// Now in nanoseconds, but never the same twice in a process: two points of one series must not replace each other only because
/// the clock is coarse, or was set back.
pub(super) fn next() -> i64 {
    static LAST: AtomicI64 = AtomicI64::new(i64::MIN);
    let now = i64::try_from(Timestamp::now().as_nanos()).unwrap_or(i64::MAX - 1);
    let later = |last: i64| now.max(last.saturating_add(1));
    // The closure always gives a number, so this cannot fail.
    let last = LAST.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| Some(later(last)));
    later(last.unwrap_or(i64::MIN))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_stamp_is_given_out_twice() {
        let stamps = || (0..10_000).map(|_| next()).collect::<Vec<_>>();
        let mut all: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(stamps)).collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        });
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 40_000);
    }
}
