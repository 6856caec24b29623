//! The answer to a query on its way to the caller: tries and retries, limits, progress, cancelling, and its batches.

mod attempts;
mod cancel;
mod flight_answer;
#[cfg(feature = "parquet")]
mod http_answer;
mod limits;
#[cfg(feature = "parquet")]
mod parquet_batches;
mod progress;
mod query;
mod query_answer;
mod received_batch;
mod retries;
mod stats;

pub use cancel::CancelHandle;
pub(crate) use flight_answer::FlightAnswer;
#[cfg(feature = "parquet")]
pub(crate) use http_answer::HttpAnswer;
pub(crate) use limits::AnswerLimits;
pub(crate) use progress::ProgressCallback;
pub use progress::QueryProgress;
pub(crate) use query::{Query, Wait};
pub(crate) use query_answer::QueryAnswer;
pub(crate) use retries::Retries;
pub use stats::QueryStats;
