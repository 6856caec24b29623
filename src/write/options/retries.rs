use std::time::Duration;

use super::WriteOptions;

/// When a batch that failed is sent again.
impl WriteOptions {
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
}
