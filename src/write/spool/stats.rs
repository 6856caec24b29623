use std::time::Duration;

use crate::write::amount::Amount;

/// What is on the disk of a [`Spool`](crate::Spool), and the outcome of the lines that were there when the client
/// opened it.
///
/// In [`WriteStats::spool`](crate::WriteStats::spool). Lines that this client accepted and that are on the disk are
/// in [`pending`](crate::WriteStats::pending) until they end, as lines in memory are; they stay there when the client
/// is closed and the next one sends them. Lines that an earlier process left are counted here and nowhere else.
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
    /// The lines that are on the disk and have not ended, of this process and of earlier ones.
    pub on_disk: Amount,
    /// The size of its files in bytes, including headers and lines that have ended but are not removed yet.
    pub disk_bytes: u64,
    /// How long the oldest line on the disk has been there, by the system's clock; one of its segment may be younger.
    pub oldest: Option<Duration>,
    /// Lines that an earlier process left in the directory: always the sum of the next five.
    pub found: Amount,
    /// Of `found`: lines that the server has stored since.
    pub found_written: Amount,
    /// Of `found`: lines that the server refused for their content.
    pub found_rejected: Amount,
    /// Of `found`: lines that were given up for another reason or could not be read.
    pub found_failed: Amount,
    /// Of `found`: lines removed because of the [limit](crate::Spool::limit).
    pub found_dropped: Amount,
    /// Of `found`: lines that are still on the disk.
    pub found_pending: Amount,
    /// How many files are, or will be, set aside with the ending `.bad` because a part of them could not be read,
    /// those of earlier processes included.
    pub damaged: u64,
    /// How many operations of the file system failed.
    pub errors: u64,
}
