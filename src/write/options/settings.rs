use std::time::Duration;

use super::{OnFull, WriteOptions};
use crate::write::retry_policy::RetryPolicy;
#[cfg(feature = "spool")]
use crate::write::spool::Spool;

/// Batching options that were checked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BatchingSettings {
    pub(crate) batch_size: usize,
    pub(crate) max_batch_bytes: usize,
    pub(crate) buffer_limit: usize,
    pub(crate) on_full: OnFull,
    pub(crate) flush_interval: Duration,
    pub(crate) jitter: Duration,
    pub(crate) retry: RetryPolicy,
    /// Whether the batches of one series are sent one after the other.
    pub(crate) series_in_order: bool,
    /// The most lines of a request of several waiting batches; none if each batch is a request of its own.
    pub(crate) merge_waiting: Option<usize>,
    pub(crate) max_close_wait: Duration,
}

impl WriteOptions {
    /// Everything that is wrong, or contradicts itself.
    pub(crate) fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if !self.strays.is_empty() {
            problems.push(format!(
                "{} cannot be set on WriteOptions::synchronous(): a synchronous write is neither batched nor \
                 retried, so start from WriteOptions::default()",
                self.strays.join(", ")
            ));
        }
        if self.batch_size == 0 {
            problems.push("batch_size is 0: a batch has at least one line".into());
        }
        if self.max_batch_bytes == 0 {
            problems.push("max_batch_bytes is 0: no line fits".into());
        }
        if self.max_request_lines == Some(0) {
            problems.push(
                "max_request_lines is 0: use merge_waiting(false) to send each batch alone".into(),
            );
        }
        if self.buffer_limit < MIN_BUFFER {
            problems.push(format!(
                "buffer_limit is {}: at least {MIN_BUFFER} bytes are needed",
                self.buffer_limit
            ));
        }
        if self.flush_interval.is_zero() {
            problems
                .push("flush_interval is 0: to send each line at once, use batch_size(1)".into());
        }
        if self.exponential_base == 0 {
            problems.push("exponential_base is 0: use 1 for waits that do not grow".into());
        }
        #[cfg(feature = "spool")]
        problems.extend(self.spool.iter().flat_map(Spool::problems));
        if self.workers() == 0 {
            problems.push(
                "write_scheduler has no workers: ThreadPoolScheduler::new(1) is the least".into(),
            );
        }
        problems
    }

    /// `max_request_bytes` is the limit of the server.
    pub(crate) fn settings(&self, max_request_bytes: usize) -> BatchingSettings {
        BatchingSettings {
            batch_size: self.batch_size,
            max_batch_bytes: self.max_batch_bytes.min(max_request_bytes),
            buffer_limit: self.buffer_limit,
            on_full: self.on_full,
            flush_interval: self.flush_interval,
            jitter: self.jitter_interval,
            retry: RetryPolicy {
                interval: self.retry_interval,
                base: self.exponential_base,
                max_retries: self.max_retries,
                max_delay: self.max_retry_delay,
                max_time: self.max_retry_time,
                jitter: self.jitter_interval,
            },
            series_in_order: self.series_in_order,
            merge_waiting: self.merge_waiting.then(|| self.max_request_lines.unwrap_or(usize::MAX)),
            max_close_wait: self.max_close_wait,
        }
    }
}

/// The least that has room for lines and the bookkeeping of some batches.
const MIN_BUFFER: usize = 4 << 10;
