//! When a query that the server could not take is sent again.

use std::time::{Duration, Instant};

use crate::back_off::{Random, doubled};
use crate::{Error, ErrorKind};

/// The retries of one query that the caller wants.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Retries {
    /// How many are left.
    left: u32,
    /// How many were made.
    made: u32,
}

/// The wait before the first retry, if the server does not ask for one; twice as much before each further one.
const FIRST_WAIT: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_secs(30);

impl Retries {
    /// Up to `most`.
    pub(crate) fn new(most: u32) -> Self {
        Self { left: most, made: 0 }
    }

    /// When to send the query again after this error; `None` if another try is not wanted, of no use, or would begin
    /// after the deadline.
    pub(crate) fn next(&mut self, error: &Error, deadline: Option<Instant>) -> Option<Instant> {
        if self.left == 0 || !is_unavailable(error) {
            return None;
        }
        let wait = error.retry_after().unwrap_or_else(|| backoff(self.made));
        let begin = Instant::now().checked_add(wait)?;
        if deadline.is_some_and(|deadline| begin >= deadline) {
            return None;
        }
        self.left -= 1;
        self.made += 1;
        Some(begin)
    }
}

/// Whether the server has not taken the query, and may do so later. The statuses of HTTP are those that gRPC maps to
/// UNAVAILABLE, but for 429, which is [`ErrorKind::RateLimited`].
fn is_unavailable(error: &Error) -> bool {
    const UNAVAILABLE: i32 = 14;
    // Connecting took too long, or ended at the proxy or in TLS, or the connection is dead. The end of the query's own time
    // is no failure of a host.
    let may_connect_later = error.is_retryable()
        && error.is_host_failure()
        && matches!(error.kind(), ErrorKind::Timeout | ErrorKind::Proxy | ErrorKind::Tls);
    may_connect_later
        || error.kind() == ErrorKind::RateLimited
        || error.kind() == ErrorKind::Connect
        || error.grpc_status() == Some(UNAVAILABLE)
        || matches!(error.status(), Some(502..=504))
}

/// The wait after `made` retries, minus a random part of up to a half, so that clients that failed together do not
/// retry together.
fn backoff(made: u32) -> Duration {
    let half = doubled(FIRST_WAIT, made, LONGEST_WAIT) / 2;
    half + Random::new().below(half)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_are_bounded() {
        for (made, most) in [(0, 500), (1, 1000), (2, 2000), (5, 16_000), (6, 30_000), (99, 30_000)]
        {
            for _ in 0..100 {
                let wait = backoff(made).as_millis();
                assert!((most / 2..=most).contains(&wait), "{made}: {wait}");
            }
        }
    }
}
