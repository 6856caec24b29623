//! The calls that send a query, one for each form of its answer.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;

use super::QueryRequest;
use crate::Result;
#[cfg(feature = "polars")]
use crate::query::answer::QueryStats;
use crate::query::answer::Wait;
#[cfg(feature = "polars")]
use crate::query::forms::DataFrameBuilder;
#[cfg(feature = "serde")]
use crate::query::forms::TypedRows;
use crate::query::forms::{Chunks, Reader, Table};

impl QueryRequest<'_> {
    /// Sends the query and waits for the whole answer.
    ///
    /// ```no_run
    /// # let client = influxdb3_blocking::Client::from_env()?;
    /// let table = client.query("SELECT * FROM home").table()?;
    /// println!("{} rows of {}", table.num_rows(), table.num_columns());
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if a setting is wrong or the database is missing ([`ErrorKind::Config`](crate::ErrorKind::Config)),
    /// if the server cannot be reached or refuses, if the time is up, or if the answer breaks off or cannot be
    /// decoded. No part of an answer is returned then: see [`reader`](Self::reader).
    pub fn table(self) -> Result<Table> {
        let mut answer = self.whole()?;
        let mut batches: Vec<RecordBatch> = Vec::new();
        while let Some(received) = answer.next() {
            let batch = received?.batch;
            if batch.num_rows() > 0 {
                batches.push(batch);
            }
        }
        let stats = answer.stats().unwrap_or_default();
        Ok(Table::new(Arc::clone(answer.schema()), batches, stats))
    }

    /// Sends the query and makes a data frame of its whole answer, which is in memory once: columns grow while the
    /// answer is received, and each of them is one piece. See [`Table::dataframe`] for the types.
    ///
    /// ```no_run
    /// # fn main() -> Result<(), influxdb3_blocking::Error> {
    /// # let client = influxdb3_blocking::Client::from_env()?;
    /// let df = client.query("SELECT room, temp, time FROM home").dataframe()?;
    /// println!("{:?}", df.shape());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`table`](Self::table), and as [`Table::dataframe`].
    #[cfg(feature = "polars")]
    pub fn dataframe(self) -> Result<polars_core::frame::DataFrame> {
        Ok(self.dataframe_and_stats()?.0)
    }

    /// As [`dataframe`](Self::dataframe), with what the server said about the query.
    ///
    /// ```no_run
    /// # let client = influxdb3_blocking::Client::from_env()?;
    /// let query = client.query("SELECT room, temp, time FROM home");
    /// let (df, stats) = query.dataframe_and_stats()?;
    /// println!("{:?} in {:?}", df.shape(), stats.execution_duration);
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`dataframe`](Self::dataframe).
    #[cfg(feature = "polars")]
    pub fn dataframe_and_stats(self) -> Result<(polars_core::frame::DataFrame, QueryStats)> {
        let mut answer = self.whole()?;
        let mut builder = DataFrameBuilder::new(answer.schema())?;
        while let Some(received) = answer.next() {
            builder.push(&received?.batch)?;
        }
        let stats = answer.stats().unwrap_or_default();
        Ok((builder.finish()?, stats))
    }

    /// Sends the query, waits for the schema, and hands out the batches as they are received.
    ///
    /// ```no_run
    /// # let client = influxdb3_blocking::Client::from_env()?;
    /// let mut rows = 0;
    /// for batch in client.query("SELECT * FROM home").reader()? {
    ///     rows += batch?.num_rows();
    /// }
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`table`](Self::table), up to the schema; the reader returns later errors.
    pub fn reader(self) -> Result<Reader> {
        let wait = Wait::Each(self.timeout);
        Ok(Reader::new(self.open(wait, None)?))
    }

    /// Sends the query and hands out its answer message by message, with the metadata beside the data.
    ///
    /// ```no_run
    /// # let client = influxdb3_blocking::Client::from_env()?;
    /// for chunk in client.query("SELECT * FROM home").chunks()? {
    ///     println!("{} rows", chunk?.data.num_rows());
    /// }
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`reader`](Self::reader).
    pub fn chunks(self) -> Result<Chunks> {
        let wait = Wait::Each(self.timeout);
        Ok(Chunks::new(self.open(wait, None)?))
    }

    /// Sends the query and reads only the schema of its answer; the server need not run it to its end.
    ///
    /// ```no_run
    /// # let client = influxdb3_blocking::Client::from_env()?;
    /// for field in client.query("SELECT * FROM home").schema()?.fields() {
    ///     println!("{}: {}", field.name(), field.data_type());
    /// }
    /// # Ok::<_, influxdb3_blocking::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`reader`](Self::reader).
    pub fn schema(self) -> Result<SchemaRef> {
        Ok(Arc::clone(self.whole()?.schema()))
    }

    /// Sends the query and reads its rows into values of `T`, one after the other as they are received.
    ///
    /// A struct takes columns by their names; see [`Row::deserialize`](crate::Row::deserialize).
    ///
    /// ```no_run
    /// #[derive(serde::Deserialize)]
    /// struct Home {
    ///     room: String,
    ///     temp: Option<f64>,
    ///     time: i64,
    /// }
    ///
    /// # fn main() -> Result<(), influxdb3_blocking::Error> {
    /// # let client = influxdb3_blocking::Client::from_env()?;
    /// for home in client.query("SELECT * FROM home").rows::<Home>()? {
    ///     let Home { room, temp, time } = home?;
    ///     println!("{time} {room} {temp:?}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`reader`](Self::reader). A row that does not fit is an error of its own, and the next row may fit.
    #[cfg(feature = "serde")]
    pub fn rows<T: serde_core::de::DeserializeOwned>(self) -> Result<TypedRows<T>> {
        Ok(TypedRows::new(self.reader()?))
    }
}
