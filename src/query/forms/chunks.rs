use std::fmt;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;

use crate::Result;
use crate::query::answer::{CancelHandle, QueryAnswer, QueryProgress, QueryStats};

/// The answer to a query, message by message: made by [`QueryRequest::chunks`](crate::QueryRequest::chunks).
///
/// It works as a [`Reader`](super::Reader) does, and shows in addition what the server says beside the data.
///
/// ```no_run
/// # fn main() -> Result<(), influxdb3_blocking::Error> {
/// # let client = influxdb3_blocking::Client::from_env()?;
/// for chunk in client.query("SELECT * FROM home").chunks()? {
///     let chunk = chunk?;
///     println!("{} rows, {:?}", chunk.data.num_rows(), chunk.app_metadata);
/// }
/// # Ok(())
/// # }
/// ```
pub struct Chunks {
    answer: QueryAnswer,
}

/// One message of an answer.
///
/// ```no_run
/// # let client = influxdb3_blocking::Client::from_env()?;
/// for chunk in client.query("SELECT * FROM home").chunks()? {
///     let chunk = chunk?;
///     if chunk.data.num_rows() == 0 {
///         println!("{} bytes beside the data", chunk.app_metadata.len());
///     }
/// }
/// # Ok::<_, influxdb3_blocking::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Chunk {
    /// The rows. There are none if the message has only metadata.
    pub data: RecordBatch,
    /// The application's metadata, usually none.
    pub app_metadata: Vec<u8>,
}

impl Chunks {
    pub(crate) fn new(answer: QueryAnswer) -> Self {
        Self { answer }
    }

    /// The schema, which an empty answer has as well.
    ///
    /// ```no_run
    /// # let client = influxdb3_blocking::Client::from_env()?;
    /// let chunks = client.query("SELECT * FROM home").chunks()?;
    /// println!("{} columns are to come", chunks.schema().fields().len());
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    #[must_use]
    pub fn schema(&self) -> SchemaRef {
        SchemaRef::clone(self.answer.schema())
    }

    /// A handle that cancels the query, as of a [`Reader`](super::Reader::cancel_handle).
    ///
    /// ```no_run
    /// # let client = influxdb3_blocking::Client::from_env()?;
    /// let chunks = client.query("SELECT * FROM home").chunks()?;
    /// let cancel = chunks.cancel_handle();
    /// for chunk in chunks {
    ///     if chunk?.data.num_rows() > 0 {
    ///         cancel.cancel(); // the next item is the error
    ///     }
    /// }
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    #[must_use]
    pub fn cancel_handle(&self) -> CancelHandle {
        self.answer.cancel_handle()
    }

    /// How much of the answer was read, as of a [`Reader`](super::Reader::progress).
    ///
    /// ```no_run
    /// # let client = influxdb3_blocking::Client::from_env()?;
    /// let mut chunks = client.query("SELECT * FROM home").chunks()?;
    /// while let Some(chunk) = chunks.next().transpose()? {
    ///     let bytes = chunks.progress().bytes_received;
    ///     eprintln!("{} rows, {bytes} bytes so far", chunk.data.num_rows());
    /// }
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    #[must_use]
    pub fn progress(&self) -> QueryProgress {
        self.answer.progress()
    }

    /// What the server said about the query, after the last chunk: `None` before.
    ///
    /// ```no_run
    /// # let client = influxdb3_blocking::Client::from_env()?;
    /// let mut chunks = client.query("SELECT * FROM home").chunks()?;
    /// while chunks.next().transpose()?.is_some() {}
    /// println!("{:?}", chunks.stats());
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    #[must_use]
    pub fn stats(&self) -> Option<QueryStats> {
        self.answer.stats()
    }
}

impl Iterator for Chunks {
    type Item = Result<Chunk>;

    fn next(&mut self) -> Option<Self::Item> {
        let received = self.answer.next()?;
        Some(received.map(|received| Chunk {
            data: received.batch,
            app_metadata: received.app_metadata.into(),
        }))
    }
}

impl std::iter::FusedIterator for Chunks {}

impl fmt::Debug for Chunks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chunks").field("schema", self.answer.schema()).finish_non_exhaustive()
    }
}
