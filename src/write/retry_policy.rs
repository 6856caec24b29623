//! When a failed batch is tried again. Numbers in, a wait out; no I/O, no clock.

use std::time::Duration;

use crate::back_off::Random;
use crate::{Error, ErrorKind};

/// The retry options of a client.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RetryPolicy {
    pub(crate) interval: Duration,
    pub(crate) base: u32,
    pub(crate) max_retries: u32,
    pub(crate) max_delay: Duration,
    pub(crate) max_time: Duration,
    pub(crate) jitter: Duration,
}

impl RetryPolicy {
    /// Whether there is a `retry`-th retry (from 1).
    pub(crate) fn allows(&self, retry: u32) -> bool {
        retry <= self.max_retries && !self.max_time.is_zero()
    }

    /// How long to wait before the `retry`-th retry (from 1), after this failure.
    pub(crate) fn wait(&self, retry: u32, cause: Cause, random: &mut Random) -> Duration {
        match cause {
            Cause::Asked(asked) => asked.saturating_add(random.below(self.jitter)),
            // All clients were refused in the same moment, so the whole range from 0 on spreads their retries.
            Cause::Rate => random.below(self.range(retry).1),
            Cause::Other => {
                let (shortest, longest) = self.range(retry);
                shortest.saturating_add(random.below(longest.saturating_sub(shortest)))
            }
        }
    }

    /// The same for lines on the disk, which are tried without end: a wait is no shorter than the shortest one without
    /// the server's request, and no longer than a batch in memory may wait at all.
    pub(crate) fn wait_on_disk(&self, retry: u32, cause: Cause, random: &mut Random) -> Duration {
        let (shortest, _) = self.range(retry);
        let longest = self.max_delay.max(self.max_time);
        let cause = match cause {
            Cause::Asked(asked) => Cause::Asked(asked.max(shortest).min(longest)),
            Cause::Rate | Cause::Other => cause,
        };
        self.wait(retry, cause, random)
    }

    /// Whether a batch that was first sent `elapsed` ago may wait for `wait`: a wait beyond its budget is not begun.
    pub(crate) fn has_time(&self, elapsed: Duration, wait: Duration) -> bool {
        elapsed.saturating_add(wait) <= self.max_time
    }

    /// The shortest and the longest wait before the `retry`-th retry.
    ///
    /// The range grows by `base` each time and stops moving once its upper end reaches `max_delay`.
    fn range(&self, retry: u32) -> (Duration, Duration) {
        let mut shortest = self.interval.min(self.max_delay);
        for _ in 1..retry {
            let longest = shortest.saturating_mul(self.base);
            if longest >= self.max_delay || longest == shortest {
                break;
            }
            shortest = longest;
        }
        (shortest, shortest.saturating_mul(self.base).min(self.max_delay))
    }
}

/// What a retry waits for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cause {
    /// The server has said how long.
    Asked(Duration),
    /// There were too many requests, and the server has not said how long.
    Rate,
    Other,
}

impl Cause {
    pub(crate) fn of(error: &Error) -> Self {
        match error.retry_after() {
            Some(asked) => Self::Asked(asked),
            None if error.kind() == ErrorKind::RateLimited => Self::Rate,
            None => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn policy(interval: u64, base: u32, max_delay: u64) -> RetryPolicy {
        RetryPolicy {
            interval: seconds(interval),
            base,
            max_retries: 5,
            max_delay: seconds(max_delay),
            max_time: seconds(180),
            jitter: Duration::ZERO,
        }
    }

    fn ranges(policy: RetryPolicy) -> Vec<(u64, u64)> {
        (1..=6).map(|n| policy.range(n)).map(|(a, b)| (a.as_secs(), b.as_secs())).collect()
    }

    impl RetryPolicy {
        /// The wait of a batch, if there is to be one.
        fn decide(
            &self,
            retry: u32,
            elapsed: Duration,
            asked: Option<Duration>,
            random: &mut Random,
        ) -> Option<Duration> {
            let wait = self.wait(retry, asked.map_or(Cause::Other, Cause::Asked), random);
            (self.allows(retry) && self.has_time(elapsed, wait)).then_some(wait)
        }
    }

    #[test]
    fn the_ranges_are_those_of_the_reference() {
        let default = [(5, 10), (10, 20), (20, 40), (40, 80), (80, 125), (80, 125)];
        assert_eq!(ranges(policy(5, 2, 125)), default);
        let capped = [(5, 10), (10, 20), (20, 30), (20, 30), (20, 30), (20, 30)];
        assert_eq!(ranges(policy(5, 2, 30)), capped);
        // The cap is the end of a range: it stops there.
        assert_eq!(ranges(policy(5, 2, 20))[1..], [(10, 20); 5]);
        assert_eq!(ranges(policy(5, 2, 3)), [(3, 3); 6]);
        assert_eq!(ranges(policy(5, 1, 125)), [(5, 5); 6]);
        assert_eq!(ranges(policy(0, 2, 125)), [(0, 0); 6]);
        assert_eq!(ranges(policy(1, 10, 125))[1..4], [(10, 100), (100, 125), (100, 125)]);
    }

    #[test]
    fn extreme_options_neither_overflow_nor_run_for_ever() {
        let policy = RetryPolicy {
            interval: Duration::MAX,
            base: u32::MAX,
            max_retries: u32::MAX,
            max_delay: Duration::MAX,
            max_time: Duration::MAX,
            jitter: Duration::MAX,
        };
        let mut random = Random::new();
        assert!(policy.decide(u32::MAX, Duration::MAX, None, &mut random).is_some());
        assert!(policy.decide(1, Duration::ZERO, Some(Duration::MAX), &mut random).is_some());
        let endless = RetryPolicy { interval: Duration::from_nanos(1), base: 1, ..policy };
        assert!(endless.decide(u32::MAX, Duration::ZERO, None, &mut random).is_some());
    }

    #[test]
    fn waits_are_spread_over_the_range() {
        let mut random = Random::new();
        let policy = policy(5, 2, 125);
        let waits: Vec<_> = (0..1000)
            .map(|_| policy.decide(2, Duration::ZERO, None, &mut random).unwrap().as_secs_f64())
            .collect();
        assert!(waits.iter().all(|wait| (10.0..20.0).contains(wait)));
        for tenth in 10..20 {
            let range = f64::from(tenth)..f64::from(tenth + 1);
            let share = waits.iter().filter(|wait| range.contains(wait)).count();
            assert!((40..200).contains(&share), "{share} of 1000 in {range:?}");
        }
    }

    #[test]
    fn a_batch_fails_when_its_retries_or_its_budget_are_used_up() {
        let mut random = Random::new();
        let policy = policy(5, 2, 125);
        let mut wait =
            |retry, elapsed, asked| policy.decide(retry, seconds(elapsed), asked, &mut random);
        assert!(wait(5, 0, None).is_some());
        assert!(wait(6, 0, None).is_none(), "five retries");
        assert!(wait(1, 180, None).is_none(), "the time is up");
        assert!(wait(1, 170, None).is_some());
        assert!(
            wait(1, 176, None).is_none(),
            "at least five seconds would be waited, four are left"
        );
        assert_eq!(wait(1, 0, Some(seconds(60))), Some(seconds(60)));
        assert_eq!(wait(1, 0, Some(Duration::ZERO)), Some(Duration::ZERO));
        assert_eq!(wait(1, 120, Some(seconds(60))), Some(seconds(60)));
        assert!(wait(1, 121, Some(seconds(60))).is_none(), "the server asks for more than is left");
        let none = RetryPolicy { max_retries: 0, ..policy };
        assert!(none.decide(1, Duration::ZERO, None, &mut random).is_none());
        let none = RetryPolicy { max_time: Duration::ZERO, ..policy };
        assert!(none.decide(1, Duration::ZERO, Some(Duration::ZERO), &mut random).is_none());
    }

    #[test]
    fn too_many_requests_come_back_at_any_time() {
        let mut random = Random::new();
        let policy = policy(5, 2, 125);
        for (retry, end) in [(1, 10.0), (3, 40.0), (6, 125.0)] {
            let waits: Vec<_> = (0..1000)
                .map(|_| policy.wait(retry, Cause::Rate, &mut random).as_secs_f64())
                .collect();
            assert!(waits.iter().all(|wait| (0.0..end).contains(wait)), "{waits:?}");
            for tenth in 0..10 {
                let range = end / 10.0 * f64::from(tenth)..end / 10.0 * f64::from(tenth + 1);
                let share = waits.iter().filter(|wait| range.contains(wait)).count();
                assert!((40..200).contains(&share), "{share} of 1000 in {range:?}");
            }
        }
    }

    #[test]
    fn what_the_server_asks_for_keeps_lines_on_the_disk_neither_busy_nor_away_for_years() {
        let mut random = Random::new();
        let mut wait = |policy: RetryPolicy, retry, asked| {
            policy.wait_on_disk(retry, Cause::Asked(asked), &mut random)
        };
        let default = policy(5, 2, 125);
        assert_eq!(wait(default, 1, seconds(60)), seconds(60), "its word counts");
        assert_eq!(wait(default, 1, Duration::ZERO), seconds(5));
        assert_eq!(wait(default, 3, Duration::ZERO), seconds(20));
        assert_eq!(wait(default, 1, seconds(99_999_999)), seconds(180), "max_retry_time");
        let hasty = RetryPolicy { max_time: Duration::ZERO, ..default };
        assert_eq!(wait(hasty, 1, Duration::MAX), seconds(125), "max_retry_delay");
    }

    #[test]
    fn jitter_is_added_to_what_the_server_asks_for_and_to_nothing_else() {
        let mut random = Random::new();
        let policy = RetryPolicy { jitter: seconds(10), ..policy(5, 1, 125) };
        let asked: Vec<_> = (0..100)
            .map(|_| policy.decide(1, Duration::ZERO, Some(seconds(60)), &mut random).unwrap())
            .collect();
        assert!(asked.iter().all(|wait| (seconds(60)..seconds(70)).contains(wait)));
        assert!(asked.iter().any(|wait| *wait > seconds(65)));
        assert_eq!(policy.decide(1, Duration::ZERO, None, &mut random), Some(seconds(5)));
    }
}
