//! When a durable write is answered.

use std::{
    future::Future,
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use tokio::{sync::watch, time};

/// The write-ahead log, of which a writer notices only this: all durable writes that are received between two flushes
/// are answered at the second.
///
/// Nothing is written anywhere, so a flush is a moment: after each interval since the start, and when it is asked for.
#[derive(Debug)]
pub(crate) struct Wal {
    /// Zero for a log that is flushed with every write.
    interval: Duration,
    began: Instant,
    flushes: watch::Sender<()>,
    waiting: AtomicUsize,
}

impl Wal {
    pub(crate) fn new(interval: Duration) -> Wal {
        let (flushes, _) = watch::channel(());
        Wal { interval, began: Instant::now(), flushes, waiting: AtomicUsize::new(0) }
    }

    /// Done with the first flush after this call.
    pub(crate) fn flushed(&self) -> impl Future<Output = ()> + Send {
        let wait = (!self.interval.is_zero())
            .then(|| (self.flushes.subscribe(), Waiting::new(&self.waiting), self.began.elapsed()));
        async move {
            let Some((mut flushes, _waiting, elapsed)) = wait else { return };
            tokio::select! {
                // It fails only if the log is gone, and then no write waits.
                _ = flushes.changed() => {}
                () = time::sleep(until_next(self.interval, elapsed)) => {}
            }
        }
    }

    /// Flushes now.
    pub(crate) fn flush(&self) {
        self.flushes.send_replace(());
    }

    /// How many wait for a flush.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::SeqCst)
    }
}

/// From `elapsed` to the next whole interval, which is never now.
fn until_next(interval: Duration, elapsed: Duration) -> Duration {
    let past = elapsed.as_nanos() % interval.as_nanos();
    // Less than the interval, so its seconds fit.
    let past = Duration::new((past / SECOND) as u64, (past % SECOND) as u32);
    interval.saturating_sub(past)
}

/// In nanoseconds.
const SECOND: u128 = 1_000_000_000;

/// One who waits, and does no more when dropped: connections may end before the flush.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn new(count: &'a AtomicUsize) -> Waiting<'a> {
        count.fetch_add(1, Ordering::SeqCst);
        Waiting(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_flush_is_at_the_end_of_the_interval_that_has_begun() {
        let millis = Duration::from_millis;
        for (elapsed, expected) in [(0, 100), (1, 99), (99, 1), (100, 100), (1250, 50)] {
            assert_eq!(until_next(millis(100), millis(elapsed)), millis(expected), "{elapsed}");
        }
        assert_eq!(until_next(Duration::MAX, millis(5)), Duration::MAX - millis(5));
    }

    #[tokio::test]
    async fn who_waits_is_counted_until_the_flush_or_until_it_goes_away() {
        let wal = Wal::new(Duration::MAX);
        let (first, second, third) = (wal.flushed(), wal.flushed(), wal.flushed());
        assert_eq!(wal.waiting(), 3);
        drop(second);
        assert_eq!(wal.waiting(), 2);
        wal.flush();
        let later = wal.flushed();
        first.await;
        third.await;
        assert_eq!(wal.waiting(), 1, "what comes after the flush waits for the next");
        drop(later);
        Wal::new(Duration::ZERO).flushed().await;
    }
}
