mod callbacks;
mod on_full;
mod retries;
mod sending;
mod settings;

use std::fmt;
use std::time::Duration;

pub(crate) use callbacks::Callbacks;
pub use on_full::OnFull;
pub(crate) use settings::BatchingSettings;

use super::scheduler::ThreadPoolScheduler;
#[cfg(feature = "spool")]
use super::spool::Spool;

/// How a client writes: each call by itself, or in batches.
///
/// [`synchronous`](Self::synchronous) is the default of a client. The default of this type is
/// batching, with the options below; see [`Client::flush`](crate::Client::flush) for when lines are at the server.
///
/// ```
/// use influxdb3_blocking::{Client, WriteOptions};
/// use std::time::Duration;
///
/// let options = WriteOptions::default()
///     .batch_size(500)
///     .flush_interval(Duration::from_secs(10))
///     .error_callback(|batch, error| {
///         eprintln!("{} lines were not written: {error}", batch.lines());
///     });
/// let client = Client::builder()
///     .host("http://localhost:8181")
///     .database("sensors")
///     .write_options(options)
///     .build()?;
/// # Ok::<_, influxdb3_blocking::Error>(())
/// ```
///
/// # Batches
/// Records are encoded on the caller's thread and added to the open batch of their database, precision and so on.
/// The batch leaves when it has [`batch_size`](Self::batch_size) lines or
/// [`max_batch_bytes`](Self::max_batch_bytes), or is [`flush_interval`](Self::flush_interval) old. Lines without a
/// timestamp get the time of the call, in nanoseconds, and never the same one twice: so a batch that is sent again
/// stores nothing twice.
///
/// # Failures
/// Connection and I/O errors, timeouts, the statuses 408, 429, 500, 502, 503, 504 and 520 to 524, and answers of any
/// status that tell of a server that is stopping or whose storage fails, are tried again, after a wait that grows, for
/// as long as [`max_retries`](Self::max_retries) and [`max_retry_time`](Self::max_retry_time) allow. A 403 on
/// `/api/v2/write` gets one more try if the server has taken lines before. A batch that is too large is halved. Bad
/// lines do not cost the others: `/api/v3/write_lp` names them, and a batch that `/api/v2/write` refuses for them is
/// halved until they stand alone. A batch that still has bad lines after a hundred cuts is given up: the rest of it has
/// failed, and the error says so.
///
/// What could not be written goes to the [`error_callback`](Self::error_callback). Without one, each failure is
/// returned exactly once: by the [`flush`](crate::Client::flush) that waits for it, otherwise by the next `send`,
/// `flush` or `close`, as one error with the lines of all failures so far. So a `flush` that returns without an error
/// means that everything before it is stored, but for failures that a `send` or another `flush` has returned.
///
/// # Callbacks
/// They run on the scheduler's threads, or on the thread whose call drops lines, and no lock is held meanwhile. A
/// panic in one is contained, logged and counted. They may use the client; as a callback holds up the worker that
/// runs it, `flush` and `close` only start the work there, and [`OnFull::Block`] acts as [`OnFull::Error`]. A
/// callback that owns a clone of its client keeps it alive until `close`: better give it a
/// [`WeakClient`](crate::WeakClient).
#[derive(Clone)]
#[must_use = "options do nothing until a client has them"]
pub struct WriteOptions {
    is_batching: bool,
    /// The batching options that were set on synchronous ones.
    strays: Vec<&'static str>,
    batch_size: usize,
    max_batch_bytes: usize,
    buffer_limit: usize,
    on_full: OnFull,
    flush_interval: Duration,
    jitter_interval: Duration,
    retry_interval: Duration,
    max_retries: u32,
    max_retry_delay: Duration,
    max_retry_time: Duration,
    exponential_base: u32,
    max_close_wait: Duration,
    scheduler: Option<ThreadPoolScheduler>,
    series_in_order: bool,
    merge_waiting: bool,
    max_request_lines: Option<usize>,
    #[cfg(feature = "spool")]
    spool: Option<Spool>,
    callbacks: Callbacks,
}

impl WriteOptions {
    /// Each write is one request on the caller's thread: tried at once, not retried, its error returned.
    ///
    /// No other option can be set on it: [`build`](crate::ClientBuilder::build) says so.
    ///
    /// ```
    /// use influxdb3_blocking::{Client, WriteOptions};
    ///
    /// let builder = Client::builder().host("http://localhost:8181");
    /// let options = WriteOptions::synchronous();
    /// let client = builder.clone().write_options(options.clone()).build()?;
    /// let error = builder.write_options(options.batch_size(5)).build();
    /// assert!(error.is_err());
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    pub const fn synchronous() -> Self {
        Self {
            is_batching: false,
            strays: Vec::new(),
            batch_size: 1000,
            max_batch_bytes: 1 << 20,
            buffer_limit: 16 << 20,
            on_full: OnFull::Block,
            flush_interval: Duration::from_secs(1),
            jitter_interval: Duration::ZERO,
            retry_interval: Duration::from_secs(5),
            max_retries: 5,
            max_retry_delay: Duration::from_secs(125),
            max_retry_time: Duration::from_secs(180),
            exponential_base: 2,
            max_close_wait: Duration::from_secs(300),
            scheduler: None,
            series_in_order: false,
            merge_waiting: true,
            max_request_lines: None,
            #[cfg(feature = "spool")]
            spool: None,
            callbacks: Callbacks { success: None, error: None, retry: None },
        }
    }

    /// A batch leaves when it has this many lines, of one call or of several. Default: 1000.
    ///
    /// ```
    /// use influxdb3_blocking::WriteOptions;
    ///
    /// // For a program that writes much; a batch still leaves after a second.
    /// let options = WriteOptions::default().batch_size(10_000);
    /// ```
    pub fn batch_size(mut self, lines: usize) -> Self {
        self.batch_size = lines;
        self.set("batch_size")
    }

    /// A batch leaves before it would get larger than this many bytes of line protocol. Default: 1 MiB.
    ///
    /// A single line may be larger. [`max_request_bytes`](crate::ClientBuilder::max_request_bytes) and what the
    /// [`buffer_limit`](Self::buffer_limit) leaves room for are limits as well.
    ///
    /// ```
    /// use influxdb3_blocking::WriteOptions;
    ///
    /// // Lines are long here, and a proxy takes 256 KiB at once.
    /// let options = WriteOptions::default().max_batch_bytes(256 << 10);
    /// ```
    pub fn max_batch_bytes(mut self, bytes: usize) -> Self {
        self.max_batch_bytes = bytes;
        self.set("max_batch_bytes")
    }

    /// A batch leaves at this age, also if nothing further is written. Default: 1 second.
    ///
    /// ```
    /// use influxdb3_blocking::WriteOptions;
    /// use std::time::Duration;
    ///
    /// // A sensor that speaks once a minute, and a radio that costs.
    /// let options = WriteOptions::default()
    ///     .flush_interval(Duration::from_secs(3600));
    /// ```
    pub fn flush_interval(mut self, interval: Duration) -> Self {
        self.flush_interval = interval;
        self.set("flush_interval")
    }

    /// A batch is first sent after a random delay below this, so that many clients do not write in step.
    /// Added to what a server asks for by `Retry-After`, too. Default: none.
    ///
    /// ```
    /// use influxdb3_blocking::WriteOptions;
    /// use std::time::Duration;
    ///
    /// // A thousand devices with the same clock.
    /// let options = WriteOptions::default()
    ///     .flush_interval(Duration::from_secs(60))
    ///     .jitter_interval(Duration::from_secs(20));
    /// ```
    pub fn jitter_interval(mut self, interval: Duration) -> Self {
        self.jitter_interval = interval;
        self.set("jitter_interval")
    }

    /// How long [`close`](crate::Client::close) waits for what is left to be written. Default: 300 seconds.
    ///
    /// What is not written then is in its error. A client that is dropped without `close` waits at most 10 seconds.
    ///
    /// ```
    /// use influxdb3_blocking::WriteOptions;
    /// use std::time::Duration;
    ///
    /// // Whoever stops the program kills it after 30 seconds.
    /// let options = WriteOptions::default()
    ///     .max_close_wait(Duration::from_secs(25));
    /// ```
    pub fn max_close_wait(mut self, wait: Duration) -> Self {
        self.max_close_wait = wait;
        self.set("max_close_wait")
    }

    /// How many bytes of memory lines take at most, be they in open batches, queued, on the way or waiting for a retry.
    /// Default: 16 MiB; at least 4 KiB.
    ///
    /// Each batch counts 256 bytes more than its lines. With
    /// `gzip_threshold`, an eighth is kept for compressed bodies; one that finds
    /// no room goes uncompressed. A line that cannot fit is [`TooLarge`](crate::ErrorKind::TooLarge). Beyond the limit
    /// there is what a request needs while it is made: buffers of about 300 KiB for each that is on the way, a copy of
    /// its lines while one is being halved or its bad lines are being taken out, and the state of the compression.
    ///
    /// ```
    /// use influxdb3_blocking::WriteOptions;
    ///
    /// let options = WriteOptions::default()
    ///     .buffer_limit(4 << 20)
    ///     .max_batch_bytes(256 << 10);
    /// # let _ = options;
    /// ```
    pub fn buffer_limit(mut self, bytes: usize) -> Self {
        self.buffer_limit = bytes;
        self.set("buffer_limit")
    }

    /// What to do when the [`buffer_limit`](Self::buffer_limit) is reached. Default: [`OnFull::Block`].
    ///
    /// ```
    /// use influxdb3_blocking::{OnFull, WriteOptions};
    ///
    /// // Never holds up the program.
    /// let options = WriteOptions::default().on_full(OnFull::DropOldest);
    /// ```
    pub fn on_full(mut self, on_full: OnFull) -> Self {
        self.on_full = on_full;
        self.set("on_full")
    }

    /// Where batches go that cannot be sent now, so that nothing is lost; see [`Spool`]. Default: nowhere, they stay
    /// in memory.
    ///
    /// What is read from there takes memory of its own: as much as one request may have, at most
    /// [`buffer_limit`](Self::buffer_limit), for each worker and once more.
    ///
    /// ```
    /// # let directory = std::env::temp_dir().join(format!("spool-options-{}", std::process::id()));
    /// use influxdb3_blocking::{Client, Spool, WriteOptions};
    ///
    /// let spool = Spool::directory(&directory);
    /// let options = WriteOptions::default().max_retries(0).spool(spool);
    /// let builder = Client::builder().host("http://localhost:8181");
    /// let client = builder.write_options(options).build()?;
    /// # drop(client);
    /// # std::fs::remove_dir_all(directory).ok();
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    #[cfg(feature = "spool")]
    pub fn spool(mut self, spool: Spool) -> Self {
        self.spool = Some(spool);
        self.set("spool")
    }

    fn set(mut self, option: &'static str) -> Self {
        if !self.is_batching {
            self.strays.push(option);
        }
        self
    }
}

/// How the rest of the crate reads options.
impl WriteOptions {
    pub(crate) fn is_batching(&self) -> bool {
        self.is_batching
    }

    /// How many requests there may be at once.
    pub(crate) fn workers(&self) -> usize {
        self.scheduler.as_ref().map_or(1, ThreadPoolScheduler::max_workers)
    }

    pub(crate) fn scheduler(&self) -> ThreadPoolScheduler {
        self.scheduler.clone().unwrap_or_else(|| ThreadPoolScheduler::new(1))
    }

    #[cfg(feature = "spool")]
    pub(crate) fn spool_options(&self) -> Option<&Spool> {
        self.spool.as_ref()
    }

    pub(crate) fn callbacks(&self) -> Callbacks {
        self.callbacks.clone()
    }
}

/// Batching, as the reference has it.
impl Default for WriteOptions {
    fn default() -> Self {
        Self { is_batching: true, ..Self::synchronous() }
    }
}

impl fmt::Debug for WriteOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.is_batching {
            return f.write_str("WriteOptions::synchronous()");
        }
        let mut debug = f.debug_struct("WriteOptions");
        #[cfg(feature = "spool")]
        debug.field("spool", &self.spool);
        debug
            .field("batch_size", &self.batch_size)
            .field("max_batch_bytes", &self.max_batch_bytes)
            .field("buffer_limit", &self.buffer_limit)
            .field("on_full", &self.on_full)
            .field("flush_interval", &self.flush_interval)
            .field("jitter_interval", &self.jitter_interval)
            .field("retry_interval", &self.retry_interval)
            .field("max_retries", &self.max_retries)
            .field("max_retry_delay", &self.max_retry_delay)
            .field("max_retry_time", &self.max_retry_time)
            .field("exponential_base", &self.exponential_base)
            .field("max_close_wait", &self.max_close_wait)
            .field("write_scheduler", &self.scheduler)
            .field("series_in_order", &self.series_in_order)
            .field("merge_waiting", &self.merge_waiting)
            .field("max_request_lines", &self.max_request_lines)
            .field("success_callback", &self.callbacks.success.is_some())
            .field("error_callback", &self.callbacks.error.is_some())
            .field("retry_callback", &self.callbacks.retry.is_some())
            .finish()
    }
}
