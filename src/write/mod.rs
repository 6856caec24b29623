//! Writing: from a record to requests, and what the server's answers mean.
//!
//! A write is put together in `request.rs`, for a `Target`. A synchronous one is `sync.rs`, on the caller's thread. A
//! client that batches does the rest in `batching/`, and a file is written by `file/`, in both modes. Requests are
//! made in `http/`, which is independent of batches, and answers are read in `answer/`.

mod amount;
mod answer;
mod batching;
#[cfg(feature = "_files")]
mod file;
#[cfg(feature = "gzip")]
mod gzip;
mod http;
mod options;
mod primitives;
mod request;
mod retry_policy;
mod scheduler;
#[cfg(feature = "spool")]
mod spool;
mod stats;
mod sync;
mod target;
mod writer;

pub use amount::Amount;
pub(crate) use answer::Answer;
#[cfg(feature = "_fuzzing")]
pub(crate) use answer::Api;
#[cfg(feature = "spool")]
pub(crate) use batching::no_spool;
pub(crate) use batching::{Batching, StartBatching, start_batching};
#[cfg(feature = "_files")]
pub use file::{FileReport, Progress, WriteFile};
pub(crate) use http::Http;
pub use options::{OnFull, WriteOptions};
pub use request::WriteRequest;
pub use scheduler::ThreadPoolScheduler;
#[cfg(feature = "spool")]
pub use spool::{Spool, SpoolStats, SpoolSync};
pub use stats::WriteStats;
pub(crate) use writer::Writer;
