use std::path::{Path, PathBuf};
use std::time::Duration;

/// A directory in which a batching client keeps what it cannot send now, so that nothing is lost while the network, the
/// server or the program itself is gone. Set by [`WriteOptions::spool`](crate::WriteOptions::spool).
///
/// ```
/// use std::time::Duration;
///
/// use influxdb3_blocking::{Client, Spool, SpoolSync, WriteOptions};
///
/// # let directory = std::env::temp_dir().join(format!("spool-{}", std::process::id()));
/// let spool = Spool::directory(&directory)
///     .always(true)
///     .sync(SpoolSync::Every(Duration::from_secs(1)))
///     .limit(1 << 30);
/// let options = WriteOptions::default().spool(spool);
/// let client = Client::builder()
///     .host("http://localhost:8181")
///     .database("sensors")
///     .write_options(options)
///     .build()?;
/// # drop(client);
/// # std::fs::remove_dir_all(directory).ok();
/// # Ok::<_, influxdb3_blocking::Error>(())
/// ```
///
/// # What goes to the disk
/// *On trouble*, the default: a batch whose retries are used up or whose request was refused for something that is
/// not in its lines; what waits in memory when the [`buffer_limit`](crate::WriteOptions::buffer_limit) is reached;
/// and what is left when the client is closed or dropped. While the server takes what it is given, nothing touches
/// the disk. What is in memory is lost if the process is killed: the open batch, and those that wait or are on the
/// way. With [`max_retries(0)`](crate::WriteOptions::max_retries) a batch is on the disk after its first failure.
///
/// [*Always*](Self::always): `send` returns when its lines are on the disk, and they are sent from there. So they
/// survive the end of the process in any way, `SIGKILL` included, and a loss of power as far as [`sync`](Self::sync)
/// says.
///
/// Lines of files ([`Client::write_file`](crate::Client::write_file)) never do: the file is on a disk already, and the
/// error of the call says where to resume.
///
/// # What is promised
/// - **Delivery is at least once.** A line that was on the disk is removed after the server has taken it, or refused
///   it for what is in it. Space is freed by whole segments (8 MiB, less with a small limit), so after a crash up to
///   a segment or two are sent once more. That is harmless: every line has a timestamp, and the same line again
///   stores nothing.
/// - **Nothing is given up for its age, nor for the number of its tries.** What is on the disk is tried until the
///   server answers for it, after waits that grow up to [`max_retry_delay`](crate::WriteOptions::max_retry_delay). A
///   refused token, a redirect or a broken proxy are trouble and not the end of what is on the disk.
/// - **The oldest goes first**, with one worker: while something is on the disk, everything that is written later
///   goes behind it, by way of the disk. Or [fresh data goes first](Self::fresh_first).
/// - **One process has a directory**, and in it one client: a lock that ends with the process, however it ends. Any
///   other client gets an error from `build`. The next client that opens the directory sends what is left to its
///   original database, with its original precision, endpoint and headers, using its own host and token. Headers that
///   may hold a secret are not kept (those with `auth`, `cookie`, `key`, `token`, `secret` or `password` in their
///   names), nor is any token.
/// - **What is damaged is set aside and reported.** A last batch that was written in part is cut off. A segment that
///   cannot be read in its middle gets a name that ends in `.bad` after its good batches were sent; it is logged,
///   counted in [`SpoolStats::damaged`](crate::SpoolStats::damaged), and never removed. A segment that cannot be
///   opened for now, because too many files are open or rights are missing, waits.
/// - **A person can read it.** Segments are line protocol, with comments that say what each batch is. Only
///   their owner can read them (on Unix, modes 0700 and 0600).
///
/// # What is not
/// - A disk that confirms a write and then loses it loses lines. The spool keeps one copy.
/// - Without [`SpoolSync::EveryBatch`], a loss of power can lose what was written last.
/// - With several workers, or with [`fresh_first`](Self::fresh_first), lines are sent out of order; those of
///   the disk also with [`series_in_order`](crate::WriteOptions::series_in_order). It matters only where two lines
///   have the same series and timestamp: the one that is stored last stays.
/// - Network file systems may not support locks; `build` fails if the system reports that.
///
/// # When the disk fails
/// If the directory cannot be made, locked or written to, `build` fails with [`File`](crate::ErrorKind::File). If it
/// fails later, or has no space, then *on trouble* the client goes on in memory, as if there were no spool, beside what
/// is on the disk already: batches fail after their last retry, and [`OnFull`](crate::OnFull) holds. *Always*, `send`
/// fails with `File`, and hands back the lines. [`SpoolStats::errors`](crate::SpoolStats::errors) counts such
/// failures, and they are logged.
///
/// Beyond the [`limit`](Self::limit), [`OnFull`](crate::OnFull) holds for the disk as well: `DropOldest` removes the
/// oldest segments, and `DropNewest` what would be added; both are counted as dropped, and the former calls no
/// callback. `Block` and `BlockFor` wait until the server has taken some lines, and `Error` returns an error; lines in
/// memory then stay there, behind those on the disk.
///
/// # Waiting
/// [`flush`](crate::Client::flush) returns when everything is at the server, or is on the disk because the server
/// does not take it; if there is no room for it either, it fails with [`BufferFull`](crate::ErrorKind::BufferFull) and
/// everything stays where it is. [`flush_to_disk`](crate::Client::flush_to_disk) has everything put on the disk now.
/// [`drain`](crate::Client::drain) waits until nothing is left on the disk. [`close`](crate::Client::close) gives
/// what is in memory one try and puts the rest on the disk; what is there it sends as long as the server takes it and
/// it is no more than [`buffer_limit`](crate::WriteOptions::buffer_limit).
///
/// # By hand
/// A segment is a file of line protocol, one database and precision each as a rule, so that any tool can write it to
/// the server: `influx3 write`, or `curl --data-binary @00000000000000000001.lp`. Look at its `# target` lines first.
#[derive(Clone, Debug)]
#[must_use = "a spool does nothing until write options have it"]
pub struct Spool {
    directory: PathBuf,
    is_always: bool,
    limit: u64,
    sync: SpoolSync,
    fresh_first: bool,
}

/// When what was written to a [`Spool`] is forced onto stable storage, which matters when power is lost. The end of a
/// process, `SIGKILL` included, costs nothing that was written.
///
/// ```
/// use influxdb3_blocking::{Spool, SpoolSync};
///
/// // What `send` has returned for survives a power cut.
/// let spool = Spool::directory("/var/spool/sensors")
///     .always(true)
///     .sync(SpoolSync::EveryBatch);
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum SpoolSync {
    /// Before a batch, or the lines of a `send`, count as being on the disk. Calls of several threads share one sync.
    /// The safest setting; `send` is as slow as one sync of the disk.
    EveryBatch,
    /// At most this long after something was written. The default, with one second.
    Every(Duration),
    /// Whenever the operating system does it; the client never asks for it.
    Never,
}

impl Spool {
    /// A spool in this directory, which is created if it does not exist. It must be used for nothing else.
    ///
    /// ```
    /// use influxdb3_blocking::{Spool, WriteOptions};
    ///
    /// let spool = Spool::directory("/var/spool/sensors");
    /// let options = WriteOptions::default().spool(spool);
    /// ```
    pub fn directory(path: impl AsRef<Path>) -> Self {
        Self {
            directory: path.as_ref().to_owned(),
            is_always: false,
            limit: 1 << 30,
            sync: SpoolSync::Every(Duration::from_secs(1)),
            fresh_first: false,
        }
    }

    /// Whether all lines go to the disk first (true), or only what cannot be sent (false, the default).
    ///
    /// ```
    /// use influxdb3_blocking::Spool;
    ///
    /// // Nothing is lost if the program is killed.
    /// let spool = Spool::directory("/var/spool/sensors").always(true);
    /// ```
    pub fn always(mut self, always: bool) -> Self {
        self.is_always = always;
        self
    }

    /// How many bytes there may be on the disk; what is set aside as `.bad` does not count. Default: 1 GiB; at least
    /// 64 KiB.
    ///
    /// ```
    /// use influxdb3_blocking::{OnFull, Spool, WriteOptions};
    ///
    /// // The newest 100 MiB are kept.
    /// let spool = Spool::directory("/var/spool/sensors").limit(100 << 20);
    /// let options = WriteOptions::default();
    /// let options = options.spool(spool).on_full(OnFull::DropOldest);
    /// ```
    pub fn limit(mut self, bytes: u64) -> Self {
        self.limit = bytes;
        self
    }

    /// When what was written is forced onto stable storage. Default: every second.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use influxdb3_blocking::{Spool, SpoolSync};
    ///
    /// // Seldom, for the sake of a memory card.
    /// let spool = Spool::directory("/var/spool/sensors");
    /// let spool = spool.sync(SpoolSync::Every(Duration::from_secs(30)));
    /// ```
    pub fn sync(mut self, sync: SpoolSync) -> Self {
        self.sync = sync;
        self
    }

    /// Whether fresh data is sent first, and what is on the disk beside it: in turns, if there are both. Default:
    /// false.
    ///
    /// For dashboards that show what is now. It has no effect with [`always`](Self::always), where everything is on
    /// the disk.
    ///
    /// ```
    /// use influxdb3_blocking::Spool;
    ///
    /// // After an hour without a network, the dashboard shows now at once.
    /// let spool = Spool::directory("/var/spool/sensors").fresh_first(true);
    /// ```
    pub fn fresh_first(mut self, fresh_first: bool) -> Self {
        self.fresh_first = fresh_first;
        self
    }
}

/// How the rest of the crate reads it.
impl Spool {
    pub(crate) fn path(&self) -> &Path {
        &self.directory
    }

    pub(crate) fn is_always(&self) -> bool {
        self.is_always
    }

    pub(crate) fn limit_bytes(&self) -> u64 {
        self.limit
    }

    pub(crate) fn sync_policy(&self) -> SpoolSync {
        self.sync
    }

    /// Whether what is in memory does not wait for what is on the disk.
    pub(crate) fn sends_fresh_first(&self) -> bool {
        self.fresh_first && !self.is_always
    }

    /// Everything that is wrong.
    pub(crate) fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if self.directory.as_os_str().is_empty() {
            problems.push("the directory of the spool has no name".into());
        }
        if self.limit < MIN_LIMIT {
            problems.push(format!(
                "the limit of the spool is {}: at least {MIN_LIMIT} bytes are needed",
                self.limit
            ));
        }
        if self.sync == SpoolSync::Every(Duration::ZERO) {
            problems.push(
                "the spool is to be synced every 0 seconds: that is SpoolSync::EveryBatch".into(),
            );
        }
        problems
    }
}

const MIN_LIMIT: u64 = 64 << 10;
