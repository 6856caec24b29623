use super::WriteOptions;
use crate::write::scheduler::ThreadPoolScheduler;

/// How batches become requests.
impl WriteOptions {
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
}
