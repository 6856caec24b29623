use std::fmt;
use std::marker::PhantomData;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use serde_core::de::DeserializeOwned;

use super::reader::Reader;
use crate::Result;
use crate::query::answer::{CancelHandle, QueryProgress, QueryStats};
use crate::query::rows::Row;

/// The rows of an answer as values of `T`, one after the other as they are received: made by
/// [`QueryRequest::rows`](crate::QueryRequest::rows).
///
/// It reads as a [`Reader`] does: the answer is read as it is needed, and dropping this cancels the query.
///
/// ```no_run
/// # let client = influxdb3_blocking::Client::from_env()?;
/// #[derive(serde::Deserialize)]
/// struct Home {
///     room: String,
///     temp: Option<f64>,
/// }
///
/// let homes = client.query("SELECT room, temp FROM home").rows::<Home>()?;
/// for home in homes {
///     let Home { room, temp } = home?;
///     println!("{room}: {temp:?}");
/// }
/// # Ok::<_, influxdb3_blocking::Error>(())
/// ```
pub struct TypedRows<T> {
    reader: Reader,
    /// The batch whose rows are handed out; `None` before the first one.
    batch: Option<RecordBatch>,
    /// The row of it that is next.
    next: usize,
    rows: PhantomData<fn() -> T>,
}

impl<T: DeserializeOwned> TypedRows<T> {
    pub(crate) fn new(reader: Reader) -> Self {
        Self { reader, batch: None, next: 0, rows: PhantomData }
    }

    /// The schema, which an empty answer has as well.
    ///
    /// ```no_run
    /// # let client = influxdb3_blocking::Client::from_env()?;
    /// let rows = client.query("SELECT room, temp FROM home");
    /// let rows = rows.rows::<(String, Option<f64>)>()?;
    /// println!("{:?}", rows.schema().field(1).data_type());
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    #[must_use]
    pub fn schema(&self) -> SchemaRef {
        self.reader.schema()
    }

    /// A handle that cancels the query, as of a [`Reader`](Reader::cancel_handle).
    ///
    /// ```no_run
    /// # let client = influxdb3_blocking::Client::from_env()?;
    /// let rows = client.query("SELECT room, temp FROM home");
    /// let rows = rows.rows::<(String, f64)>()?;
    /// let cancel = rows.cancel_handle();
    /// std::thread::spawn(move || {
    ///     std::io::stdin().read_line(&mut String::new()).ok();
    ///     cancel.cancel(); // Enter was pressed
    /// });
    /// println!("{} rows", rows.flatten().count());
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    #[must_use]
    pub fn cancel_handle(&self) -> CancelHandle {
        self.reader.cancel_handle()
    }

    /// How much of the answer was read, as of a [`Reader`](Reader::progress).
    ///
    /// ```no_run
    /// # let client = influxdb3_blocking::Client::from_env()?;
    /// let rows = client.query("SELECT room, temp FROM home");
    /// let mut rows = rows.rows::<(String, f64)>()?;
    /// while let Some((room, temp)) = rows.next().transpose()? {
    ///     println!("{room} {temp}, row {}", rows.progress().rows);
    /// }
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    #[must_use]
    pub fn progress(&self) -> QueryProgress {
        self.reader.progress()
    }

    /// What the server said about the query, after the last row: `None` before.
    ///
    /// ```no_run
    /// # let client = influxdb3_blocking::Client::from_env()?;
    /// let rows = client.query("SELECT room, temp FROM home");
    /// let mut rows = rows.rows::<(String, f64)>()?;
    /// for row in rows.by_ref() {
    ///     println!("{:?}", row?);
    /// }
    /// println!("{:?}", rows.stats());
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    #[must_use]
    pub fn stats(&self) -> Option<QueryStats> {
        self.reader.stats()
    }
}

impl<T: DeserializeOwned> Iterator for TypedRows<T> {
    type Item = Result<T>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(batch) = &self.batch
                && self.next < batch.num_rows()
            {
                let row = Row::new(batch, self.next);
                self.next += 1;
                return Some(row.deserialize());
            }
            match self.reader.next()? {
                Ok(batch) => (self.batch, self.next) = (Some(batch), 0),
                Err(error) => {
                    self.batch = None;
                    return Some(Err(error.into()));
                }
            }
        }
    }
}

impl<T: DeserializeOwned> std::iter::FusedIterator for TypedRows<T> {}

impl<T> fmt::Debug for TypedRows<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TypedRows").field("reader", &self.reader).finish_non_exhaustive()
    }
}
