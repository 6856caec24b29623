use super::ClientBuilder;
use crate::write::start_batching;
use crate::{Precision, WriteOptions};

/// How records are written.
impl ClientBuilder {
    /// How writes are made. Default: [`WriteOptions::synchronous`].
    ///
    /// ```
    /// use influxdb3_blocking::{Client, WriteOptions};
    ///
    /// let client = Client::builder()
    ///     .host("http://localhost:8181")
    ///     .write_options(WriteOptions::default()) // in batches
    ///     .build()?;
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    pub fn write_options(mut self, options: WriteOptions) -> Self {
        self.write_options = options;
        self.start_batching = Some(start_batching);
        self
    }

    /// A tag for every point that has no tag of that name. Text and line buffers do not get it.
    ///
    /// ```no_run
    /// use influxdb3_blocking::{Client, Point};
    ///
    /// let client = Client::builder()
    ///     .host("http://localhost:8181")
    ///     .database("sensors")
    ///     .default_tag("site", "lab")
    ///     .tag_order(["site", "room"])
    ///     .build()?;
    /// let point = Point::new("home").tag("room", "Kitchen").field("co", 4);
    /// client.write(point).send()?; // home,site=lab,room=Kitchen co=4i
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    pub fn default_tag(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.default_tags.push((key.into(), value.into()));
        self
    }

    /// The tags that are first in a line, in this order; the others follow, sorted. Default: all sorted.
    ///
    /// The order in the first write of a table decides how Enterprise sorts its files, so put the tags that
    /// queries filter by first.
    ///
    /// ```no_run
    /// use influxdb3_blocking::{Client, Point};
    ///
    /// let builder = Client::builder().host("http://localhost:8181");
    /// let client = builder.database("sensors").tag_order(["room"]).build()?;
    /// let point = Point::new("home").tag("floor", "1").tag("room", "Bath");
    /// client.write(point.field("co", 4)).send()?; // home,room=Bath,floor=1 co=4i
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    pub fn tag_order<I>(mut self, keys: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        self.tag_order = keys.into_iter().map(Into::into).collect();
        self
    }

    /// Compresses request bodies of at least this many bytes. Default: none. Needs the feature `gzip`.
    ///
    /// In batching mode the workers compress; where they are behind, a write that fills a batch compresses a waiting
    /// batch.
    ///
    /// ```
    /// use influxdb3_blocking::Client;
    ///
    /// let builder = Client::builder().host("https://cluster.example.io");
    /// let client = builder.gzip_threshold(1000).build()?;
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    #[cfg(feature = "gzip")]
    pub fn gzip_threshold(mut self, bytes: usize) -> Self {
        self.gzip_threshold = Some(bytes);
        self
    }

    /// The largest body of a write request, in bytes before compression. Default: 10 MiB, the server's limit.
    ///
    /// A larger write is cut at line boundaries into several requests.
    ///
    /// ```
    /// use influxdb3_blocking::Client;
    ///
    /// // A proxy in between takes 1 MiB at once.
    /// let builder = Client::builder().host("https://cluster.example.io");
    /// let client = builder.max_request_bytes(1 << 20).build()?;
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    pub fn max_request_bytes(mut self, bytes: usize) -> Self {
        self.max_request_bytes = bytes;
        self
    }

    /// Writes to `/api/v2/write` (true, the default) or to `/api/v3/write_lp` (false).
    ///
    /// Every product has the former. On InfluxDB 3 Core and Enterprise it stores all lines or none and does
    /// not name the bad ones; the latter stores the good lines, names the bad ones, and knows
    /// [`no_sync`](Self::no_sync).
    ///
    /// ```
    /// use influxdb3_blocking::Client;
    ///
    /// let builder = Client::builder().host("http://localhost:8181");
    /// let client = builder.use_v2_api(false).no_sync(true).build()?;
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    pub fn use_v2_api(mut self, v2: bool) -> Self {
        self.use_v2_api = v2;
        self
    }

    /// Lets the server answer before a write is durable. Default: false. Needs `use_v2_api(false)`.
    ///
    /// ```
    /// use influxdb3_blocking::Client;
    ///
    /// let client = Client::builder()
    ///     .host("http://localhost:8181")
    ///     .use_v2_api(false)
    ///     .no_sync(true) // faster, and lost if the server breaks down now
    ///     .build()?;
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    pub fn no_sync(mut self, no_sync: bool) -> Self {
        self.no_sync = no_sync;
        self
    }

    /// Stores the good lines of a request that has bad ones. Default: true. Matters with `use_v2_api(false)`
    /// only.
    ///
    /// ```
    /// use influxdb3_blocking::Client;
    ///
    /// let client = Client::builder()
    ///     .host("http://localhost:8181")
    ///     .use_v2_api(false)
    ///     .accept_partial(false) // all lines or none
    ///     .build()?;
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    pub fn accept_partial(mut self, accept: bool) -> Self {
        self.accept_partial = accept;
        self
    }

    /// The precision that timestamps are written in. Default: nanoseconds.
    ///
    /// ```
    /// use influxdb3_blocking::{Client, Precision};
    ///
    /// let builder = Client::builder().host("http://localhost:8181");
    /// let client = builder.precision(Precision::Millisecond).build()?;
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    pub fn precision(mut self, precision: Precision) -> Self {
        self.precision = precision;
        self
    }
}
