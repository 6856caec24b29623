//! Where the batches of an answer come from.

use arrow_schema::SchemaRef;

use super::answer::{Answer, Delivery};
use super::cancel::CancelHandle;
#[cfg(feature = "parquet")]
use super::over_http::HttpAnswer;
use super::progress::QueryProgress;
use super::status::Trailers;
use crate::Result;

/// A running answer whose schema is known, in whatever way it comes.
pub(super) enum Source {
    Flight(Answer),
    #[cfg(feature = "parquet")]
    Http(HttpAnswer),
}

impl Source {
    pub(super) fn schema(&self) -> &SchemaRef {
        match self {
            Self::Flight(answer) => answer.schema(),
            #[cfg(feature = "parquet")]
            Self::Http(answer) => answer.schema(),
        }
    }

    pub(super) fn cancel_handle(&self) -> CancelHandle {
        match self {
            Self::Flight(answer) => answer.cancel_handle(),
            #[cfg(feature = "parquet")]
            Self::Http(answer) => answer.cancel_handle(),
        }
    }

    pub(super) fn progress(&self) -> QueryProgress {
        match self {
            Self::Flight(answer) => answer.progress(),
            #[cfg(feature = "parquet")]
            Self::Http(answer) => answer.progress(),
        }
    }

    /// What the server said after the last message: `None` before that.
    pub(super) fn trailers(&self) -> Option<&Trailers> {
        match self {
            Self::Flight(answer) => answer.trailers(),
            #[cfg(feature = "parquet")]
            Self::Http(answer) => answer.trailers(),
        }
    }

    /// Waits for the next batch. Ends after the last one, or after an error.
    pub(super) fn next(&mut self) -> Option<Result<Delivery>> {
        match self {
            Self::Flight(answer) => answer.next(),
            #[cfg(feature = "parquet")]
            Self::Http(answer) => answer.next(),
        }
    }
}
