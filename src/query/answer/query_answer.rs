use arrow_schema::SchemaRef;

use super::cancel::CancelHandle;
use super::flight_answer::FlightAnswer;
#[cfg(feature = "parquet")]
use super::http_answer::HttpAnswer;
use super::progress::QueryProgress;
use super::received_batch::ReceivedBatch;
use super::stats::QueryStats;
use crate::Result;

/// An answer whose schema is known and whose batches follow, over Flight or over HTTP.
pub(crate) enum QueryAnswer {
    Flight(Box<FlightAnswer>),
    #[cfg(feature = "parquet")]
    Http(Box<HttpAnswer>),
}

impl QueryAnswer {
    pub(crate) fn schema(&self) -> &SchemaRef {
        match self {
            Self::Flight(answer) => answer.schema(),
            #[cfg(feature = "parquet")]
            Self::Http(answer) => answer.schema(),
        }
    }

    pub(crate) fn cancel_handle(&self) -> CancelHandle {
        match self {
            Self::Flight(answer) => answer.cancel_handle(),
            #[cfg(feature = "parquet")]
            Self::Http(answer) => answer.cancel_handle(),
        }
    }

    pub(crate) fn progress(&self) -> QueryProgress {
        match self {
            Self::Flight(answer) => answer.progress(),
            #[cfg(feature = "parquet")]
            Self::Http(answer) => answer.progress(),
        }
    }

    /// What the server said about the query, after the last batch: `None` before.
    pub(crate) fn stats(&self) -> Option<QueryStats> {
        let trailers = match self {
            Self::Flight(answer) => answer.trailers(),
            #[cfg(feature = "parquet")]
            Self::Http(answer) => answer.trailers(),
        };
        trailers.map(QueryStats::read)
    }

    /// Waits for the next batch: `None` after the last one, and after an error.
    pub(crate) fn next(&mut self) -> Option<Result<ReceivedBatch>> {
        match self {
            Self::Flight(answer) => answer.next(),
            #[cfg(feature = "parquet")]
            Self::Http(answer) => answer.next(),
        }
    }
}
