use std::time::Duration;

use super::amount::Amount;

/// Counts of the lines that a batching client accepted, by what happened to them, and gauges of its queue.
///
/// Made by [`Client::write_stats`](crate::Client::write_stats), as of one moment: `accepted` always equals the sum of
/// `written`, `rejected`, `failed`, `dropped`, `returned` and `pending`, in lines and in bytes. The gauges `queued`,
/// `in_flight` and `oldest_pending` are read a moment later.
///
/// Two of the examples pass them on: `prometheus_metrics` serves them to Prometheus, and `metrics_facade` gives them
/// to the crate `metrics`.
///
/// ```
/// # let options = influxdb3_blocking::WriteOptions::default().max_retries(0);
/// # let client = influxdb3_blocking::Client::builder().host("http://localhost:1").database("d").write_options(options).build()?;
/// client.write("home temp=21.5").send()?;
/// let stats = client.write_stats();
/// assert_eq!(stats.accepted.lines, 1);
/// if stats.pending.bytes > 8 << 20 {
///     eprintln!("behind since {:?}", stats.oldest_pending);
/// }
/// # Ok::<_, influxdb3_blocking::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct WriteStats {
    /// Taken by a [`send`](crate::WriteRequest::send).
    pub accepted: Amount,
    /// Stored by the server.
    pub written: Amount,
    /// Refused by the server for their content.
    pub rejected: Amount,
    /// Given up: not retryable, or out of retries or time.
    pub failed: Amount,
    /// Thrown away by [`OnFull::DropNewest`](crate::OnFull::DropNewest) or
    /// [`DropOldest`](crate::OnFull::DropOldest), or not sent in the time that a dropped client has.
    pub dropped: Amount,
    /// Handed back by [`close`](crate::Client::close), as it could not be sent in time.
    pub returned: Amount,
    /// Not ended yet: being collected, queued, on the way, waiting for a retry, or on the disk of a spool.
    pub pending: Amount,
    /// How many batches were stored, as a whole or in part; the halves of one that was cut count as two.
    pub batches: u64,
    /// How many requests stored lines. Fewer than `batches` where several that waited went
    /// [as one](crate::WriteOptions::merge_waiting).
    pub requests: u64,
    /// How many times a batch was, or is about to be, sent again.
    pub retries: u64,
    /// How many batches wait to be sent, for the first time or again. Those that still take lines do not count.
    pub queued: u64,
    /// How many requests are on the way.
    pub in_flight: u64,
    /// The age of the oldest batch in `pending`, from its first line on. If it is older than a retry takes, the server
    /// is not keeping up.
    pub oldest_pending: Option<Duration>,
    /// How long the last request took, successful or not.
    pub last_latency: Option<Duration>,
    /// How long the slowest request so far took, successful or not.
    pub slowest_latency: Option<Duration>,
    /// How many calls of callbacks panicked.
    pub callback_panics: u64,
    /// What is on the disk, if there is a [`Spool`](crate::Spool).
    #[cfg(feature = "spool")]
    pub spool: crate::SpoolStats,
}
