use crate::write::WriteRequest;
#[cfg(feature = "spool")]
use crate::write::no_spool;
use crate::{Client, Record, Result, WriteStats};

/// Writes of records, and their outcome.
impl Client {
    /// A write of `record`: line protocol text, a point, or a collection of them; see [`Record`].
    ///
    /// Nothing happens before [`send`](WriteRequest::send).
    ///
    /// ```no_run
    /// # let client = influxdb3_blocking::Client::from_env()?;
    /// use influxdb3_blocking::Precision;
    ///
    /// client
    ///     .write("home,room=Living\\ Room temp=21.1,hum=35.9,co=0i 1641024000")
    ///     .precision(Precision::Second)
    ///     .send()?;
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    pub fn write<R: Record<K>, K>(&self, record: R) -> WriteRequest<'_, R, K> {
        WriteRequest::new(self.writer(), record)
    }

    /// Waits until everything that was accepted before is settled: written, or given up after its retries; with a spool,
    /// written, or on the disk because the server does not take it.
    ///
    /// For batching; synchronous writes have nothing to wait for. Other threads may write and flush meanwhile, which
    /// does not prolong the wait. In a callback it only starts the work and returns.
    ///
    /// ```no_run
    /// # let client = influxdb3_blocking::Client::from_env()?;
    /// client.write("home,room=Kitchen temp=21.5").send()?;
    /// client.flush()?; // now a query sees it
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    ///
    /// # Errors
    /// Without an error callback, the failures among these lines that no earlier call has returned, as one error: with
    /// the kind and the text of the first failure, the lines of all in [`unsent`](crate::Error::unsent) and the bad
    /// lines in [`line_errors`](crate::Error::line_errors). With a spool at its limit,
    /// [`ErrorKind::BufferFull`](crate::ErrorKind::BufferFull) if the server does not take what is on the disk: the
    /// rest waits in memory. [`ErrorKind::Closed`](crate::ErrorKind::Closed) if the client is closed.
    pub fn flush(&self) -> Result<()> {
        self.check_open()?;
        self.writer().batching().map_or(Ok(()), |batching| batching.flush())
    }

    /// Puts everything on the disk of the [`Spool`](crate::Spool) that was accepted before and is not at the server, without
    /// waiting for the server. When this returns it is synced, unless the spool [never syncs](crate::SpoolSync::Never).
    ///
    /// Waits for requests that are in flight; their lines go to the disk if they fail.
    ///
    /// ```
    /// # let directory = std::env::temp_dir().join(format!("spool-flush-{}", std::process::id()));
    /// use influxdb3_blocking::{Client, Spool, WriteOptions};
    ///
    /// let options = WriteOptions::default().spool(Spool::directory(&directory));
    /// let builder = Client::builder().host("http://localhost:1").database("d");
    /// let client = builder.write_options(options).build()?;
    /// client.write("home temp=21.5").send()?;
    /// client.flush_to_disk()?; // there is no server, and nothing is lost
    /// assert_eq!(client.write_stats().spool.on_disk.lines, 1);
    /// # drop(client);
    /// # std::fs::remove_dir_all(directory).ok();
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::File`](crate::ErrorKind::File) if the disk fails; lines that are not on the disk then stay in
    /// memory. [`ErrorKind::Config`](crate::ErrorKind::Config) without a spool, or in a callback;
    /// [`ErrorKind::Closed`](crate::ErrorKind::Closed).
    #[cfg(feature = "spool")]
    pub fn flush_to_disk(&self) -> Result<()> {
        self.check_open()?;
        self.writer().batching().ok_or_else(no_spool)?.flush_to_disk()
    }

    /// Waits until the server has everything that was accepted before, and everything that was on the disk of the
    /// [`Spool`](crate::Spool), also of earlier processes. What waits for a retry is tried at once.
    ///
    /// ```no_run
    /// # let client = influxdb3_blocking::Client::from_env()?;
    /// use std::time::Duration;
    ///
    /// if let Err(error) = client.drain(Duration::from_secs(60)) {
    ///     eprintln!("{error}; {:?}", client.write_stats().spool);
    /// }
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Timeout`](crate::ErrorKind::Timeout) after `patience`; the client goes on trying. Final failures,
    /// as [`flush`](Self::flush) returns them. [`ErrorKind::Config`](crate::ErrorKind::Config) without a spool, or in a
    /// callback; [`ErrorKind::Closed`](crate::ErrorKind::Closed).
    #[cfg(feature = "spool")]
    pub fn drain(&self, patience: std::time::Duration) -> Result<()> {
        self.check_open()?;
        self.writer().batching().ok_or_else(no_spool)?.drain(patience)
    }

    /// Counts of the lines that were written in batching mode, by outcome, as of now.
    ///
    /// ```
    /// # use influxdb3_blocking::{Client, WriteOptions};
    /// # let options = WriteOptions::default();
    /// # let client = Client::builder().host("http://localhost:1").write_options(options).build()?;
    /// let stats = client.write_stats();
    /// println!("{} lines are written", stats.written.lines);
    /// println!("{} wait", stats.pending.lines);
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    #[must_use]
    pub fn write_stats(&self) -> WriteStats {
        self.writer().batching().map_or_else(WriteStats::default, |batching| batching.stats())
    }
}
