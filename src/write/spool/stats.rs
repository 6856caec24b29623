use std::time::Duration;

use crate::write::amount::Amount;

/// What is on the disk of a [`Spool`](crate::Spool), and what became of what was there when the client opened it.
///
/// In [`WriteStats::spool`](crate::WriteStats::spool). Lines that this client accepted and that are on the disk are
/// in [`pending`](crate::WriteStats::pending) until they end, as those are that are in memory; also when the client
/// is closed, and the next one sends them. What a process before has left is counted here and nowhere else.
///
/// ```
/// # let directory = std::env::temp_dir().join(format!("spool-spool-{}", std::process::id()));
/// use influxdb3_blocking::{Spool, WriteOptions};
///
/// let options = WriteOptions::default().spool(Spool::directory(&directory));
/// # let client = influxdb3_blocking::Client::builder().host("http://localhost:1").database("d").write_options(options).build()?;
/// let spool = client.write_stats().spool;
/// println!("{} lines of the last run are to be sent", spool.found_pending.lines);
/// assert_eq!((spool.damaged, spool.errors), (0, 0));
/// # drop(client);
/// # std::fs::remove_dir_all(directory).ok();
/// # Ok::<_, influxdb3_blocking::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct SpoolStats {
    /// The lines that are on the disk and have not ended, whoever wrote them.
    pub on_disk: Amount,
    /// How many bytes its files have, with what is not line protocol and what has ended but was not removed yet.
    pub disk_bytes: u64,
    /// How long the oldest line on the disk has been there, by the system's clock; one of its segment may be younger.
    pub oldest: Option<Duration>,
    /// What a process before has left: always the sum of the next five.
    pub found: Amount,
    /// What of that the server has stored since,
    pub found_written: Amount,
    /// has refused for what is in the line,
    pub found_rejected: Amount,
    /// could not be sent for another reason, or not be read,
    pub found_failed: Amount,
    /// was thrown away for the [limit](crate::Spool::limit),
    pub found_dropped: Amount,
    /// or has not ended.
    pub found_pending: Amount,
    /// How many files were, or will be, set aside with the ending `.bad`, as something in them could not be read;
    /// with those that were there before.
    pub damaged: u64,
    /// How many times the file system refused something.
    pub errors: u64,
}
