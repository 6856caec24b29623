mod callbacks;
mod on_full;
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

    /// The shortest wait before the first retry. Default: 5 seconds.
    ///
    /// With an interval `i` and an [`exponential_base`](Self::exponential_base) `b`, the n-th wait is random between
    /// `i · b^(n-1)` and `i · b^n`: by default 5 to 10 seconds, 10 to 20, 20 to 40, 40 to 80, 80 to 125. A
    /// `Retry-After` of the server takes its place. After a 429 without one, it is random between 0 and `i · b^n`, so
    /// that clients which were refused together do not retry together.
    ///
    /// ```
    /// use influxdb3_blocking::WriteOptions;
    /// use std::time::Duration;
    ///
    /// // The first wait is 0.5 to 1 second, the next 1 to 2.
    /// let options = WriteOptions::default()
    ///     .retry_interval(Duration::from_millis(500));
    /// ```
    pub fn retry_interval(mut self, interval: Duration) -> Self {
        self.retry_interval = interval;
        self.set("retry_interval")
    }

    /// How many times a batch is sent again. Default: 5. With 0, the first failure is final.
    ///
    /// ```
    /// use influxdb3_blocking::WriteOptions;
    ///
    /// // Fails at once, and the callback decides what then.
    /// let options = WriteOptions::default()
    ///     .max_retries(0)
    ///     .error_callback(|batch, error| eprintln!("{batch:?}: {error}"));
    /// ```
    pub fn max_retries(mut self, retries: u32) -> Self {
        self.max_retries = retries;
        self.set("max_retries")
    }

    /// The longest wait before a retry, but for what a server asks for. Default: 125 seconds.
    ///
    /// What is on the disk of a spool is tried without end. There a server's `Retry-After` counts between the shortest
    /// wait that there would be without it, and this or [`max_retry_time`](Self::max_retry_time), whichever is longer.
    ///
    /// ```
    /// use influxdb3_blocking::WriteOptions;
    /// use std::time::Duration;
    ///
    /// // Many tries, none of them long after the server is back.
    /// let options = WriteOptions::default()
    ///     .max_retries(100)
    ///     .max_retry_delay(Duration::from_secs(10))
    ///     .max_retry_time(Duration::from_secs(1200));
    /// ```
    pub fn max_retry_delay(mut self, delay: Duration) -> Self {
        self.max_retry_delay = delay;
        self.set("max_retry_delay")
    }

    /// How long a batch is tried, from its first request on, waits included. Default: 180 seconds.
    ///
    /// A wait that would take longer is not begun; the batch has failed then. With 0, nothing is tried again.
    ///
    /// ```
    /// use influxdb3_blocking::WriteOptions;
    /// use std::time::Duration;
    ///
    /// // A server may be gone for an hour.
    /// let options = WriteOptions::default()
    ///     .max_retries(1000)
    ///     .max_retry_time(Duration::from_secs(3600));
    /// ```
    pub fn max_retry_time(mut self, time: Duration) -> Self {
        self.max_retry_time = time;
        self.set("max_retry_time")
    }

    /// The factor by which each retry wait is longer than the one before. Default: 2.
    ///
    /// ```
    /// use influxdb3_blocking::WriteOptions;
    /// use std::time::Duration;
    ///
    /// // 1 to 3 seconds, 3 to 9, 9 to 27, …
    /// let options = WriteOptions::default()
    ///     .retry_interval(Duration::from_secs(1))
    ///     .exponential_base(3);
    /// ```
    pub fn exponential_base(mut self, base: u32) -> Self {
        self.exponential_base = base;
        self.set("exponential_base")
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

    /// The threads that send the batches. Default: one thread of the client's own.
    ///
    /// With one worker, batches are sent strictly one after the other, retries included. With more, as many are on
    /// the way at the same time, and none waits for the retry of another, so that two writes of one point may be
    /// stored in either order; see [`series_in_order`](Self::series_in_order).
    ///
    /// With several workers, the number of concurrent requests is halved (to 1 at least) after a 5xx, a 429 or a
    /// timeout: small servers are known to break under many writers. It grows by one after four times as many
    /// successes as are currently allowed, up to the number of workers. Batches stay as large as they are.
    ///
    /// ```
    /// use influxdb3_blocking::{ThreadPoolScheduler, WriteOptions};
    ///
    /// // Up to eight requests at the same time.
    /// let options = WriteOptions::default()
    ///     .write_scheduler(ThreadPoolScheduler::new(8));
    /// ```
    pub fn write_scheduler(mut self, scheduler: ThreadPoolScheduler) -> Self {
        self.scheduler = Some(scheduler);
        self.set("write_scheduler")
    }

    /// Whether the lines of one series are sent in their order although there are several workers. Default: false.
    ///
    /// A series is a measurement with its tags, in whatever order they stand. Each is given to one of as many shards
    /// as there are workers, by its hash; each shard has batches of its own, which are sent strictly one after the
    /// other, retries included. So a point that is written twice is answered for the first time before it is sent the
    /// second time, and series that are not in the same shard do not wait for each other. It costs as many open
    /// batches for each database as there are workers, and a look at each line. With one worker everything is in
    /// order anyway.
    ///
    /// It is worth that only where points are written again with other values, and what it gives is up to the server:
    ///
    /// | server | of two writes of one series and time, one answered before the other is sent |
    /// |---|---|
    /// | Core and Enterprise from 3.11.4 | the later one wins among what is in the write buffer together |
    /// | Core and Enterprise before | either may win: an order in the buffer is not kept |
    /// | Enterprise with several nodes for writes | the same at best, if both go to one node: name one host |
    /// | Cloud Serverless, Dedicated, Clustered | no promise is known |
    ///
    /// Where the later value must win for certain, do not write one point twice: with a tag or a time that differs
    /// between the versions, a query can choose.
    ///
    /// ```
    /// use influxdb3_blocking::{ThreadPoolScheduler, WriteOptions};
    ///
    /// let options = WriteOptions::default()
    ///     .write_scheduler(ThreadPoolScheduler::new(8))
    ///     .series_in_order(true);
    /// ```
    pub fn series_in_order(mut self, in_order: bool) -> Self {
        self.series_in_order = in_order;
        self.set("series_in_order")
    }

    /// Whether batches that wait for the same target go as one request. Default: true.
    ///
    /// A durable write is answered when the server's log is flushed, which in InfluxDB 3 Core is once a second,
    /// however little it writes. So one worker that sends batch after batch writes one batch a second. With this, the
    /// batches that were closed while a request was on the way leave together as the next one, in order, up to
    /// [`max_request_bytes`](crate::ClientBuilder::max_request_bytes) and
    /// [`max_request_lines`](Self::max_request_lines). If no request is on the way, a batch still
    /// leaves at once, as a request of its own.
    ///
    /// Everything else stays as it is for each batch: its callbacks, its attempts, its counts, and its place in
    /// [`unsent`](crate::Error::unsent). If such a request is refused as a whole for one of its lines, or as too large,
    /// it is taken apart again, so that one batch does not cost another.
    ///
    /// ```
    /// use influxdb3_blocking::WriteOptions;
    ///
    /// // Each batch is a request of its own.
    /// let options = WriteOptions::default().merge_waiting(false);
    /// # let _ = options;
    /// ```
    pub fn merge_waiting(mut self, merge: bool) -> Self {
        self.merge_waiting = merge;
        self.set("merge_waiting")
    }

    /// The most lines of a request that is made of several waiting batches; a larger batch is its own request. Default:
    /// as many as [`max_request_bytes`](crate::ClientBuilder::max_request_bytes) has room for.
    ///
    /// The makers of the server call 10 000 lines or 10 MB the best size.
    ///
    /// ```
    /// use influxdb3_blocking::WriteOptions;
    ///
    /// // Batches of 1000 lines; of those that wait, five go at once.
    /// let options = WriteOptions::default()
    ///     .batch_size(1000)
    ///     .max_request_lines(5000);
    /// ```
    pub fn max_request_lines(mut self, lines: usize) -> Self {
        self.max_request_lines = Some(lines);
        self.set("max_request_lines")
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
