use std::fmt;

use arrow_array::{RecordBatch, RecordBatchReader};
use arrow_schema::{ArrowError, SchemaRef};

use crate::query::answer::{CancelHandle, QueryAnswer, QueryProgress, QueryStats};

/// The answer to a query, batch by batch as it is received: an Arrow [`RecordBatchReader`].
///
/// What is read ahead is bounded (32 MiB); a reader that is not read holds back the server. Its errors are
/// [`Error`](crate::Error)s inside of an `ArrowError`: `?` in a function that returns this crate's
/// [`Result`](crate::Result) takes them out again. After an error the reader ends, and everything before it
/// was delivered; an answer that was cut off never looks complete.
///
/// Dropping a reader cancels its query on the server. A reader stays usable when its client is dropped;
/// [`Client::close`](crate::Client::close) ends it with [`ErrorKind::Closed`](crate::ErrorKind::Closed).
///
/// ```no_run
/// # fn main() -> Result<(), influxdb3_blocking::Error> {
/// # let client = influxdb3_blocking::Client::from_env()?;
/// let reader = client.query("SELECT * FROM home").reader()?;
/// for batch in reader {
///     println!("{} rows", batch?.num_rows());
/// }
/// # Ok(())
/// # }
/// ```
pub struct Reader {
    answer: QueryAnswer,
}

impl Reader {
    pub(crate) fn new(answer: QueryAnswer) -> Self {
        Self { answer }
    }

    /// The schema, which an empty answer has as well.
    ///
    /// ```no_run
    /// # let client = influxdb3_blocking::Client::from_env()?;
    /// let reader = client.query("SELECT * FROM home").reader()?;
    /// for field in reader.schema().fields() {
    ///     println!("{}: {}", field.name(), field.data_type());
    /// }
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    #[must_use]
    pub fn schema(&self) -> SchemaRef {
        SchemaRef::clone(self.answer.schema())
    }

    /// A handle that cancels the query. The reader's next item is then an error of the kind
    /// [`ErrorKind::Cancelled`](crate::ErrorKind::Cancelled), also if it is being waited for.
    ///
    /// ```no_run
    /// # let client = influxdb3_blocking::Client::from_env()?;
    /// use std::{thread, time::Duration};
    ///
    /// let reader = client.query("SELECT * FROM home").reader()?;
    /// let cancel = reader.cancel_handle();
    /// thread::spawn(move || {
    ///     thread::sleep(Duration::from_secs(5));
    ///     cancel.cancel();
    /// });
    /// for batch in reader {
    ///     println!("{} rows", batch?.num_rows());
    /// }
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    #[must_use]
    pub fn cancel_handle(&self) -> CancelHandle {
        self.answer.cancel_handle()
    }

    /// How much of the answer was read. Bytes that were received but not read are not counted.
    ///
    /// ```no_run
    /// # let client = influxdb3_blocking::Client::from_env()?;
    /// let mut reader = client.query("SELECT * FROM home").reader()?;
    /// reader.next().transpose()?;
    /// println!("{} bytes up to here", reader.progress().bytes_received);
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    #[must_use]
    pub fn progress(&self) -> QueryProgress {
        self.answer.progress()
    }

    /// What the server said about the query, after the last batch: `None` before.
    ///
    /// ```no_run
    /// # let client = influxdb3_blocking::Client::from_env()?;
    /// let mut reader = client.query("SELECT * FROM home").reader()?;
    /// for batch in reader.by_ref() {
    ///     println!("{} rows", batch?.num_rows());
    /// }
    /// println!("{:?}", reader.stats());
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    #[must_use]
    pub fn stats(&self) -> Option<QueryStats> {
        self.answer.stats()
    }
}

impl Iterator for Reader {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.answer.next()? {
                // Only metadata.
                Ok(received) if received.batch.num_rows() == 0 => {}
                Ok(received) => return Some(Ok(received.batch)),
                Err(error) => return Some(Err(error.into())),
            }
        }
    }
}

impl std::iter::FusedIterator for Reader {}

impl RecordBatchReader for Reader {
    fn schema(&self) -> SchemaRef {
        self.schema()
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").field("schema", self.answer.schema()).finish_non_exhaustive()
    }
}
