use std::fmt;
use std::sync::Arc;

use crate::Precision;

/// Lines of one request, sent or not.
///
/// A `&Batch` is a record: a batch from an error's [`unsent`](crate::Error::unsent) can be written again. It goes to
/// its original database, in its own precision.
///
/// ```no_run
/// # let client = influxdb3_blocking::Client::from_env()?;
/// if let Err(error) = client.write("home temp=21.5").send() {
///     for batch in error.unsent() {
///         eprintln!("{} lines for {}", batch.lines(), batch.database());
///         client.write(batch).send()?;
///     }
/// }
/// # Ok::<_, influxdb3_blocking::Error>(())
/// ```
#[derive(Clone, Eq, PartialEq)]
pub struct Batch {
    pub(crate) database: Arc<str>,
    pub(crate) organization: Arc<str>,
    pub(crate) precision: Precision,
    /// Clones share it.
    pub(crate) line_protocol: Arc<Vec<u8>>,
    pub(crate) lines: usize,
    pub(crate) attempts: u32,
}

impl Batch {
    /// The database that the lines belong to.
    ///
    /// ```
    /// # let client = influxdb3_blocking::Client::builder().host("http://localhost:1").database("sensors").build()?;
    /// if let Err(error) = client.write("home temp=21.5").send() {
    ///     for batch in error.unsent() {
    ///         assert_eq!(batch.database(), "sensors");
    ///     }
    /// }
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    #[must_use]
    pub fn database(&self) -> &str {
        &self.database
    }

    /// The organization, empty if there is none.
    ///
    /// ```
    /// # let client = influxdb3_blocking::Client::builder().host("http://localhost:1").database("sensors").build()?;
    /// let request = client.write("home temp=21.5").organization("lab");
    /// if let Err(error) = request.send() {
    ///     for batch in error.unsent() {
    ///         assert_eq!(batch.organization(), "lab");
    ///     }
    /// }
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    #[must_use]
    pub fn organization(&self) -> &str {
        &self.organization
    }

    /// The precision of the timestamps.
    ///
    /// ```
    /// # let client = influxdb3_blocking::Client::builder().host("http://localhost:1").database("sensors").build()?;
    /// use influxdb3_blocking::Precision;
    ///
    /// let request = client.write("home temp=21.5 1641024000");
    /// if let Err(error) = request.precision(Precision::Second).send() {
    ///     for batch in error.unsent() {
    ///         assert_eq!(batch.precision(), Precision::Second);
    ///     }
    /// }
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    #[must_use]
    pub fn precision(&self) -> Precision {
        self.precision
    }

    /// The lines in line protocol (UTF-8), each ended by a newline.
    ///
    /// ```
    /// # let client = influxdb3_blocking::Client::builder().host("http://localhost:1").database("sensors").build()?;
    /// let mut kept = Vec::new(); // or a file
    /// if let Err(error) = client.write("home temp=21.5").send() {
    ///     for batch in error.unsent() {
    ///         kept.extend_from_slice(batch.line_protocol());
    ///     }
    /// }
    /// assert_eq!(kept, b"home temp=21.5\n");
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    #[must_use]
    pub fn line_protocol(&self) -> &[u8] {
        &self.line_protocol
    }

    /// How many lines there are.
    ///
    /// ```
    /// # let client = influxdb3_blocking::Client::builder().host("http://localhost:1").database("sensors").build()?;
    /// use influxdb3_blocking::Batch;
    ///
    /// if let Err(error) = client.write(["a n=1i", "b n=2i"]).send() {
    ///     let lines: usize = error.unsent().iter().map(Batch::lines).sum();
    ///     assert_eq!(lines, 2);
    /// }
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    #[must_use]
    pub fn lines(&self) -> usize {
        self.lines
    }

    /// How many times it was sent.
    ///
    /// ```
    /// use influxdb3_blocking::WriteOptions;
    ///
    /// let options = WriteOptions::default().error_callback(|batch, error| {
    ///     eprintln!("given up after {} requests: {error}", batch.attempts());
    /// });
    /// # let _ = options;
    /// ```
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.attempts
    }
}

impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch")
            .field("database", &self.database)
            .field("precision", &self.precision)
            .field("lines", &self.lines)
            .field("bytes", &self.line_protocol.len())
            .field("attempts", &self.attempts)
            .finish_non_exhaustive()
    }
}
